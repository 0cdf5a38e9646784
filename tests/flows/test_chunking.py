"""Messages by BDAT: what becomes of each recipient, and what a handler hears of it (RFC 3030)."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from smtpcore import ClientLimits, LocalProtocolError, RemoteProtocolError, Reply, State
from smtpcore.extensions import BODY, Body
from smtpcore.flows.content import CHUNK
from smtpcore.flows.outcome import Status
from smtpcore.session.intake import SMALL_CHUNK
from tests.flows.driving import EOF, RESET, TIMEOUT
from tests.flows.fakeserver import Cut, connected, friendly, statuses, submitted
from tests.flows.serving import EHLO, MAIL, NOOP, RCPT, WAYS, Hall, Scripted, codes

pytestmark = pytest.mark.law(10)

CHUNKING = ("PIPELINING", "CHUNKING")
OFFERS = pytest.mark.parametrize("offered", [CHUNKING, ("CHUNKING",)], ids=["pipelined", "one-by-one"])
REPLIES = ("250 ok", "450 later", "550 no")
BY_DIGIT = {"2": Status.ACCEPTED.value, "4": Status.REFUSED_FOR_NOW.value, "5": Status.REFUSED.value}
SMALL = b"Subject: crepes\r\n\r\n.Hello\r\n"
LARGE = b"0123456789abcde\r\n" * 40_000
CONTENTS = pytest.mark.parametrize(
    "content",
    [SMALL, LARGE, [LARGE, b"", SMALL], [], b""],
    ids=["small", "large", "pieces", "no pieces", "empty"],
)
LOST = [Cut(EOF), Cut(TIMEOUT), Cut(RESET)]


def whole(content: Any) -> bytes:
    return content if isinstance(content, bytes) else b"".join(content)


# -- the client -----------------------------------------------------------------------------------


@OFFERS
@CONTENTS
def test_a_message_in_chunks(offered, content):
    server = friendly()
    machine = connected(*offered)
    outcome = submitted(machine, server, 2, content, chunking=True).value()
    assert statuses(outcome) == [Status.ACCEPTED.value] * 2
    assert outcome.reply == Reply(250, "taken")
    assert b"".join(server.chunks) == whole(content), "as it is: no dot is stuffed"
    assert [line for line in server.lines if line.startswith(b"DATA")] == []
    assert [line.endswith(b" LAST") for line in server.lines if line[:4] == b"BDAT"][-1:] == [True]
    assert all(len(chunk) <= CHUNK for chunk in server.chunks) or isinstance(content, list)
    assert machine.state is State.READY


def test_a_small_message_takes_one_round_trip():
    """Envelope and content leave in one write, and all replies come back at once."""
    server = friendly()
    played = submitted(connected(*CHUNKING), server, 3, SMALL, chunking=True)
    assert statuses(played.value()) == [Status.ACCEPTED.value] * 3
    assert len(played.writes) == 1
    assert server.turns == 1


@pytest.mark.parametrize("chunking", [True, False])
def test_who_is_not_offered_chunks_gets_data(chunking):
    server = friendly()
    outcome = submitted(connected("PIPELINING"), server, 1, SMALL, chunking=chunking).value()
    assert statuses(outcome) == [Status.ACCEPTED.value]
    assert server.chunks == []
    assert len(server.contents) == 1


def test_nobody_gets_chunks_unasked():
    server = friendly()
    submitted(connected(*CHUNKING), server, 1, SMALL).value()
    assert server.chunks == []


@OFFERS
@pytest.mark.parametrize("mail", REPLIES)
@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("end", REPLIES)
def test_every_mixture_of_replies(offered, mail, content, end):
    for rcpts in product(REPLIES, repeat=2):
        nobody = mail[0] != "2" or all(rcpt[0] != "2" for rcpt in rcpts)
        server = friendly(
            mail=mail,
            rcpt=rcpts if mail[0] == "2" else "503 need MAIL",
            bdat="503 need RCPT" if nobody else "250 ok",
            last="503 need RCPT" if nobody else end,
        )
        machine = connected(*offered)
        played = submitted(machine, server, 2, content, chunking=True)
        outcome = played.value()
        expected = [BY_DIGIT[(rcpt if rcpt[0] != "2" else end)[0]] for rcpt in rcpts]
        assert statuses(outcome) == ([BY_DIGIT[mail[0]]] * 2 if mail[0] != "2" else expected), rcpts
        assert not played.closed
        if content is LARGE and nobody:
            assert server.chunks == []
        assert statuses(submitted(machine, friendly(), 2).value()) == [Status.ACCEPTED.value] * 2


@OFFERS
@pytest.mark.parametrize("reply", ["452 full", "552 too big"])
def test_the_first_refused_chunk_is_the_last(offered, reply):
    """RFC 3030 s2: no more of them, and RSET before anything else."""
    server = friendly(bdat=["250 ok", reply, "503 no"], last="503 no")
    machine = connected(*offered)
    outcome = submitted(machine, server, 2, LARGE * 10, chunking=True).value()
    assert statuses(outcome) == [BY_DIGIT[reply[0]]] * 2
    assert outcome.reply is not None
    assert str(outcome.reply.code) == reply[:3]
    assert len(server.chunks) == (2 if "PIPELINING" not in offered else 10), "no more than were on their way"
    assert machine.state is State.SPOILT
    again = friendly()
    assert statuses(submitted(machine, again, 1).value()) == [Status.ACCEPTED.value]
    assert again.lines[0] == b"RSET"


@OFFERS
@pytest.mark.parametrize("cut", LOST, ids=repr)
@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
def test_a_lost_verdict_is_unknown(offered, cut, content):
    outcome = submitted(connected(*offered), friendly(last=cut), 2, content, chunking=True).value()
    assert statuses(outcome) == [Status.UNKNOWN.value] * 2
    assert outcome.error is not None


@OFFERS
@pytest.mark.parametrize("cut", LOST, ids=repr)
def test_a_connection_lost_between_chunks_has_sent_nothing(offered, cut):
    outcome = submitted(connected(*offered), friendly(bdat=cut), 2, LARGE * 10, chunking=True).value()
    assert statuses(outcome) == [Status.NOT_SENT.value] * 2


@pytest.mark.parametrize("cut", LOST, ids=repr)
def test_refused_recipients_stay_refused_when_the_verdict_is_lost(cut):
    server = friendly(rcpt=["550 no", "250 ok"], last=cut)
    outcome = submitted(connected(*CHUNKING), server, 2, SMALL, chunking=True).value()
    assert statuses(outcome) == [Status.REFUSED.value, Status.UNKNOWN.value]


def test_421_before_the_chunk_has_accepted_nothing():
    """Replies come in order: behind 421 there is none."""
    server = friendly(rcpt=["250 ok", "421 bye"], last="421 bye")
    outcome = submitted(connected(*CHUNKING), server, 3, SMALL, chunking=True).value()
    assert Status.UNKNOWN.value not in statuses(outcome)
    assert Status.ACCEPTED.value not in statuses(outcome)


@OFFERS
@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
def test_354_is_no_verdict(offered, content):
    server = friendly(last="354 go")
    outcome = submitted(connected(*offered), server, 1, content, chunking=True).value()
    assert statuses(outcome) == [Status.UNKNOWN.value]
    assert isinstance(outcome.error, RemoteProtocolError)
    assert sum(line.endswith(b" LAST") for line in server.lines) == 1, "it is not sent again"


@OFFERS
@pytest.mark.parametrize("last", ["450 later", "421 bye"])
@pytest.mark.parametrize("bdat", ["250 ok", "421 bye"])
def test_421_to_a_chunk_is_a_refusal_and_no_broken_connection(offered, last, bdat):
    """RFC 5321 s3.8: what comes behind it is not waited for."""
    outcome = submitted(connected(*offered), friendly(bdat=bdat, last=last), 2, LARGE, chunking=True).value()
    assert statuses(outcome) == [Status.REFUSED_FOR_NOW.value] * 2
    assert outcome.error is None


@pytest.mark.parametrize("size", [1, 10, 500])
def test_small_pieces_go_together(size):
    """A reply for each line of a message would take long, and servers count what is that small."""
    pieces = [b"0123456789abcde\r\n"[:size] * (500 // size)] * 1000 if size > 1 else [b"x"] * 50_000
    server = friendly()
    outcome = submitted(connected(*CHUNKING), server, 1, iter(pieces), chunking=True).value()
    assert statuses(outcome) == [Status.ACCEPTED.value]
    assert b"".join(server.chunks) in {b"".join(pieces), b"".join(pieces) + b"\r\n"}
    assert all(SMALL_CHUNK <= len(chunk) <= 2 * CHUNK for chunk in server.chunks[:-1])
    assert len(server.chunks) < 40


def test_a_handler_gets_a_message_that_comes_line_by_line():
    lines = [b"line %d\r\n" % number for number in range(3000)]
    handler = Scripted()
    hall = in_envelope(handler)
    server = friendly()
    submitted(connected(*CHUNKING), server, 1, iter(lines), chunking=True).value()
    for number, chunk in enumerate(server.chunks):
        last = b" LAST" if number == len(server.chunks) - 1 else b""
        assert codes(hall.say(b"BDAT %d%b\r\n" % (len(chunk), last) + chunk)) == [250]
    assert handler.content_seen == b"".join(lines)


@pytest.mark.parametrize("in_flight", [1, 2, 5, 100])
def test_no_more_is_held_than_may_be_on_its_way(in_flight):
    """What may not go yet is not read from its source either."""
    machine = connected(*CHUNKING, limits=ClientLimits(in_flight=in_flight))
    queued: list[int] = []

    def pieces() -> Any:
        for _ in range(30):
            queued.append(len(machine.queued))
            yield LARGE

    outcome = submitted(machine, friendly(), 1, pieces(), chunking=True).value()
    assert statuses(outcome) == [Status.ACCEPTED.value]
    assert max(queued) == 0


@OFFERS
@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
def test_who_was_left_behind_does_not_get_the_next_message(offered, content):
    """A server that keeps a transaction over RSET is found out before it has any of the content."""
    machine = connected(*offered)
    submitted(machine, friendly(bdat="452 full", last="503 no"), 1, LARGE, chunking=True)
    assert machine.state is State.SPOILT
    server = friendly(rset="500 what?", mail="503 nested")
    outcome = submitted(machine, server, 1, content, chunking=True).value()
    assert isinstance(outcome.error, RemoteProtocolError)
    assert statuses(outcome) == [Status.NOT_SENT.value]
    assert server.chunks == []


@pytest.mark.parametrize("count", [1, 3, 7])
@pytest.mark.parametrize("cut", LOST, ids=repr)
def test_a_content_that_had_to_wait_for_room_was_not_sent(count, cut):
    """Unknown is only what was handed over to its end."""
    machine = connected(*CHUNKING, limits=ClientLimits(in_flight=2))
    server = friendly(rcpt=cut)
    outcome = submitted(machine, server, count, SMALL, chunking=True).value()
    assert statuses(outcome) == [Status.NOT_SENT.value] * count
    assert server.chunks == []


@OFFERS
@pytest.mark.parametrize("content", [b"a\nb", [LARGE, b"a\nb"]], ids=["small", "pieces"])
def test_a_bare_newline_is_nobodys_fault_but_ours(offered, content):
    server = friendly()
    played = submitted(connected(*offered), server, 1, content, chunking=True)
    assert isinstance(played.error, LocalProtocolError)
    assert played.closed
    assert not any(line.endswith(b" LAST") for line in server.lines)


def test_a_source_that_fails():
    def pieces() -> Any:
        yield LARGE
        raise KeyError("gone")

    server = friendly()
    played = submitted(connected(*CHUNKING), server, 1, pieces(), chunking=True)
    assert isinstance(played.error, KeyError)
    assert not any(line.endswith(b" LAST") for line in server.lines)


def test_an_asynchronous_source():
    async def pieces() -> Any:
        for piece in (SMALL, b"", LARGE):
            yield piece

    server = friendly()
    outcome = submitted(connected(*CHUNKING), server, 1, pieces(), chunking=True).value()
    assert statuses(outcome) == [Status.ACCEPTED.value]
    assert b"".join(server.chunks) == SMALL + LARGE


@OFFERS
def test_binary_content_goes_by_itself_in_chunks(offered):
    """RFC 3030 s3: nothing in it is looked at."""
    content = b"\0\r\n.\n\r" * 50_000
    server = friendly()
    parameters = [BODY(Body.BINARYMIME)]
    machine = connected("BINARYMIME", *offered)
    outcome = submitted(machine, server, 1, content, mail_parameters=parameters).value()
    assert statuses(outcome) == [Status.ACCEPTED.value]
    assert b"".join(server.chunks) == content
    assert b" BODY=BINARYMIME" in server.lines[0]


@pytest.mark.parametrize("offered", [(), ("CHUNKING",), ("BINARYMIME",)], ids=str)
def test_binary_content_for_who_cannot_take_it(offered):
    server = friendly()
    played = submitted(connected(*offered), server, 1, b"\0", mail_parameters=[BODY(Body.BINARYMIME)])
    assert isinstance(played.error, LocalProtocolError)
    assert "BINARYMIME" in str(played.error)
    assert server.lines == []


# -- the server -----------------------------------------------------------------------------------

EVERY_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def in_envelope(handler: object, **options: Any) -> Hall:
    hall = Hall(handler, **options)
    hall.say(EHLO)
    assert codes(hall.say(MAIL, RCPT)) == [250, 250]
    return hall


def test_chunks_are_offered():
    assert "CHUNKING\r\n" in Hall(object()).say(EHLO)


@EVERY_WAY
def test_a_handler_hears_of_chunks_as_of_data(way):
    handler = Scripted(way=way, message="queued")
    hall = in_envelope(handler)
    said = hall.say(b"BDAT 5\r\na", b"bc\r", b"\nBDAT 3 LAST\r\n.\r\n", NOOP)
    assert said == "250 2.0.0 octets received\r\n250 2.0.0 queued\r\n250 2.0.0 ok\r\n"
    assert handler.content_seen == b"abc\r\n.\r\n"
    assert [call for call in handler.calls if call != "content"] == [
        "connected", "command", "mail", "rcpt", "data", "message", "command",
    ]  # fmt: skip


@EVERY_WAY
@pytest.mark.parametrize("last", [b"", b" LAST"])
def test_a_handler_refuses_data(way, last):
    handler = Scripted(way=way, data=Reply(451, "busy", "4.3.0"))
    hall = in_envelope(handler)
    assert codes(hall.say(b"BDAT 3%b\r\nabcNOOP\r\n" % last)) == [451, 250]
    assert handler.count("content") == handler.count("aborted") == handler.count("message") == 0


@EVERY_WAY
@pytest.mark.parametrize("answer", [None, "go ahead", Reply(354, "go ahead")], ids=repr)
def test_a_handler_that_says_354_means_yes(way, answer):
    handler = Scripted(way=way, data=answer)
    hall = in_envelope(handler)
    assert codes(hall.say(b"BDAT 3 LAST\r\na\r\n")) == [250]
    assert hall.reported == []
    assert handler.count("message") == 1


@EVERY_WAY
def test_what_a_handler_says_to_a_piece_is_said_at_the_end(way):
    handler = Scripted(way=way, content=Reply(552, "too much", "5.2.3"))
    hall = in_envelope(handler)
    assert codes(hall.say(b"BDAT 3\r\na\r\n", b"BDAT 3 LAST\r\na\r\n")) == [250, 552]
    assert (handler.count("content"), handler.count("aborted"), handler.count("message")) == (1, 1, 0)


@EVERY_WAY
@pytest.mark.parametrize("end", [b"RSET\r\n", EHLO])
def test_a_handler_hears_that_a_content_was_dropped(way, end):
    handler = Scripted(way=way)
    hall = in_envelope(handler)
    assert codes(hall.say(b"BDAT 3\r\na\r\n", b"NOOP\r\n")) == [250, 250]
    assert handler.count("aborted") == 0
    hall.say(end)
    assert handler.count("aborted") == 1
    hall.say(b"QUIT\r\n")
    assert handler.count("aborted") == 1
    assert hall.closed


def test_a_handler_hears_that_a_content_was_refused():
    handler = Scripted()
    hall = in_envelope(handler)
    assert codes(hall.say(b"BDAT 3\r\na\nb")) == [550]
    assert handler.count("aborted") == 1
    assert codes(hall.say(b"BDAT 3 LAST\r\na\r\nRSET\r\n")) == [503, 250]
    assert (handler.count("aborted"), handler.count("message")) == (1, 0)


@pytest.mark.parametrize("turn", [EOF, RESET])
def test_a_handler_hears_that_the_client_went_away(turn):
    handler = Scripted()
    hall = in_envelope(handler)
    hall.say(b"BDAT 9\r\na\r\n", turn)
    assert handler.calls[-2:] == ["aborted", "closed"]


def test_octets_of_a_chunk_put_the_deadline_off():
    """As behind DATA: by their number, at the least rate that is asked for."""
    hall = in_envelope(Scripted())
    hall.say(b"BDAT 5000\r\n")
    first = hall.read
    hall.say(b"a" * 998 + b"\r\n")
    assert hall.read.seconds is None
    assert first != hall.read
    hall.say(TIMEOUT)
    assert hall.closed
