"""Messages within the limits that a server has announced (RFC 9422): what goes together, and what becomes of each."""

from __future__ import annotations

import io
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import LocalProtocolError, Mailbox, Rcpt, Reply, State
from smtpcore.adapters.memory import Link
from smtpcore.extensions import LIMITS, Limits
from smtpcore.flows import collecting
from smtpcore.flows.limited import divide
from smtpcore.flows.outcome import Status
from smtpcore.session.usage import Usage
from tests.flows.driving import EOF
from tests.flows.fakeserver import Cut, connected, friendly, names, statuses, submitted

pytestmark = pytest.mark.law(10)

CONTENT = b"Subject: crepes\r\n\r\nHello\r\n"
ACCEPTED, LATER, REFUSED, NOT_SENT, UNKNOWN = (
    status.value
    for status in (Status.ACCEPTED, Status.REFUSED_FOR_NOW, Status.REFUSED, Status.NOT_SENT, Status.UNKNOWN)
)
DOMAINS = [f"{who}@{domain}" for domain in ("x.example", "Y.example", "z.example") for who in "ab"]


def limited(limits: str, *offered: str) -> Any:
    return connected(f"LIMITS {limits}", "PIPELINING", *offered)


def rcpts(server: Any) -> list[int]:
    """How many RCPTs came behind each MAIL."""
    counts: list[int] = []
    for line in server.lines:
        if line.startswith(b"MAIL"):
            counts.append(0)
        elif line.startswith(b"RCPT"):
            counts[-1] += 1
    return counts


@pytest.mark.parametrize(("count", "groups"), [(1, [1]), (3, [3]), (4, [3, 1]), (7, [3, 3, 1])])
@pytest.mark.parametrize("chunking", [False, True])
def test_no_more_recipients_than_the_server_takes(count, groups, chunking):
    server = friendly()
    outcome = submitted(limited("RCPTMAX=3", "CHUNKING"), server, count, CONTENT, chunking=chunking).value()
    assert statuses(outcome) == [ACCEPTED] * count
    assert [str(each.recipient) for each in outcome.recipients] == names(count)
    assert rcpts(server) == groups
    assert (server.chunks if chunking else server.contents) == [CONTENT] * len(groups)


def message() -> EmailMessage:
    letter = EmailMessage()
    letter["Subject"] = "crepes"
    letter["Bcc"] = "eve@hamburger.edu"
    letter.set_content("Hello\n")
    return letter


def opened() -> io.BytesIO:
    file = io.BytesIO(b"not this\r\n" + CONTENT)
    file.seek(len(b"not this\r\n"))
    return file


@pytest.mark.parametrize(
    "content",
    [CONTENT, bytearray(CONTENT), memoryview(CONTENT), [CONTENT[:9], CONTENT[9:]], opened(), message()],
    ids=lambda content: type(content).__name__,
)
def test_contents_that_can_be_had_again(content):
    server = friendly()
    assert statuses(submitted(limited("RCPTMAX=1"), server, 3, content).value()) == [ACCEPTED] * 3
    assert len(server.contents) == 3
    assert len(set(server.contents)) == 1
    assert b"not this" not in server.contents[0]
    assert b"eve" not in server.contents[0]
    assert b"Hello" in server.contents[0]


@pytest.mark.parametrize("content", [iter([CONTENT]), (part for part in [CONTENT])])
def test_a_content_that_can_be_had_once(content):
    server = friendly()
    outcome = submitted(limited("RCPTMAX=2"), server, 5, content).value()
    assert statuses(outcome) == [ACCEPTED] * 2 + [NOT_SENT] * 3
    assert (
        outcome.recipients[2].why
        == "the server takes fewer recipients at a time, and the content can be read only once"
    )
    assert server.contents == [CONTENT]


def test_one_transaction_needs_no_second_content():
    server = friendly()
    assert statuses(submitted(limited("RCPTMAX=2"), server, 2, iter([CONTENT])).value()) == [ACCEPTED] * 2


def test_each_by_its_index_also_one_given_twice():
    server = friendly(
        rcpt=["250 ok", "550 no", "250 ok", "450 later", "250 ok"], end=["250 first", "452 full", "250 ok"]
    )
    to = ["bob@x.example", "eve@x.example", "bob@x.example", "bob@x.example", "zoe@x.example"]
    outcome = submitted(limited("RCPTMAX=2"), server, to, CONTENT).value()
    assert statuses(outcome) == [ACCEPTED, REFUSED, LATER, LATER, ACCEPTED]
    assert [each.reply.text for each in outcome.recipients] == ["first", "no", "full", "later", "ok"]
    assert outcome.reply == Reply(452, "full"), "the verdict that is none of acceptance"


def test_more_than_it_takes_without_announcing_it():
    """RFC 5321 s4.5.3.1.10: 452 is for now; the others have the message."""
    server = friendly(rcpt=["250 ok", "250 ok", "452 too many recipients"])
    assert statuses(submitted(connected("PIPELINING"), server, 4, CONTENT).value()) == [ACCEPTED] * 2 + [LATER] * 2


# -- what is lost on the way ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ({"end": ["250 ok", Cut(EOF)]}, [ACCEPTED, UNKNOWN, NOT_SENT]),
        ({"mail": ["250 ok", Cut(EOF)]}, [ACCEPTED, NOT_SENT, NOT_SENT]),
        ({"data": ["354 go", Cut(EOF)]}, [ACCEPTED, NOT_SENT, NOT_SENT]),
        ({"mail": ["250 ok", "421 enough"]}, [ACCEPTED, LATER, NOT_SENT]),
        ({"end": ["421 enough"]}, [LATER, NOT_SENT, NOT_SENT]),
        (
            {"mail": ["550 no", "250 ok"], "rcpt": ["503 no", "250 ok"], "data": ["503 no", "354 go"]},
            [REFUSED, ACCEPTED, ACCEPTED],
        ),
    ],
)  # fmt: skip
def test_what_ends_a_session(answers, found):
    machine = limited("RCPTMAX=1")
    outcome = submitted(machine, friendly(**answers), 3, CONTENT).value()
    assert statuses(outcome) == found
    if NOT_SENT in found:
        assert machine.state is State.CLOSED
        assert outcome.recipients[-1].why


class Failing(io.BytesIO):
    """A file that can be read once."""

    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        if self.reads > 2:
            raise OSError("the disk is gone")
        return super().read(size)


def test_a_content_that_fails_when_somebody_has_it():
    """The exception would hide that the first has the message."""
    machine = limited("RCPTMAX=1")
    outcome = submitted(machine, friendly(), 3, Failing(CONTENT)).value()
    assert statuses(outcome) == [ACCEPTED, NOT_SENT, NOT_SENT]
    assert str(outcome.error) == "the disk is gone"
    assert machine.state is State.CLOSED


def test_a_content_that_fails_at_once():
    file = Failing(CONTENT)
    file.reads = 5
    with pytest.raises(OSError, match="the disk is gone"):
        submitted(limited("RCPTMAX=1"), friendly(), 3, file).value()


# -- messages and domains of a session ------------------------------------------------------------


def test_messages_of_a_session():
    machine = limited("MAILMAX=2")
    server = friendly()
    for _ in range(2):
        assert statuses(submitted(machine, server, 2, CONTENT).value()) == [ACCEPTED] * 2
    before = list(server.lines)
    with pytest.raises(LocalProtocolError, match="takes 2 messages in a session: connect anew"):
        submitted(machine, server, 1, CONTENT).value()
    assert server.lines == before
    assert machine.state is State.READY, "QUIT is still to be said"


def test_messages_that_a_message_needs():
    server = friendly()
    outcome = submitted(limited("MAILMAX=2 RCPTMAX=2"), server, 5, CONTENT).value()
    assert statuses(outcome) == [ACCEPTED] * 4 + [NOT_SENT]
    assert outcome.recipients[4].why == "the server takes MAILMAX=2 messages in a session"
    assert rcpts(server) == [2, 2]


def test_domains_of_a_session():
    machine = limited("RCPTDOMAINMAX=2 RCPTMAX=3")
    server = friendly()
    outcome = submitted(machine, server, DOMAINS, CONTENT).value()
    assert statuses(outcome) == [ACCEPTED] * 4 + [NOT_SENT] * 2
    assert outcome.recipients[5].why == "the server takes RCPTDOMAINMAX=2 domains in a session"
    assert rcpts(server) == [3, 1]
    # RFC 9422 s4.3: over all of its messages
    assert statuses(submitted(machine, server, ["c@z.example", "c@y.example"], CONTENT).value()) == [NOT_SENT, ACCEPTED]
    before = list(server.lines)
    assert statuses(submitted(machine, server, ["c@z.example"], CONTENT).value()) == [NOT_SENT]
    assert server.lines == before


@given(
    st.lists(st.sampled_from([*DOMAINS, "c@X.EXAMPLE"]), min_size=1, max_size=12),
    st.none() | st.integers(1, 4),
    st.none() | st.integers(1, 4),
    st.none() | st.integers(1, 4),
)
def test_any_limits(recipients, mailmax, rcptmax, rcptdomainmax):
    usage = Usage()
    usage.learn(Limits(mailmax, rcptmax, rcptdomainmax))
    groups, left = divide(usage, [Mailbox.parse(each) for each in recipients])
    flat = [index for group in groups for index in group]
    assert sorted([*flat, *left]) == list(range(len(recipients)))
    assert flat == sorted(flat)
    assert mailmax is None or len(groups) <= mailmax
    assert rcptmax is None or all(len(group) <= rcptmax for group in groups)
    assert all(groups)
    domains = {recipients[index].partition("@")[2].lower() for index in flat}
    assert rcptdomainmax is None or len(domains) <= rcptdomainmax
    if mailmax is None and left:
        assert rcptdomainmax is not None
        assert not domains & {recipients[index].partition("@")[2].lower() for index in left}


@given(st.integers(1, 9), st.integers(1, 3), st.booleans())
def test_with_our_own_server(count, rcptmax, chunking):
    """What is announced is enforced, and a client that keeps to it never meets that."""
    inbox: list[tuple[int, bytes]] = []
    handler = collecting(lambda session, octets: inbox.append((len(session.transaction.rcpts), octets)))
    link = Link(handler, capabilities=[LIMITS.offer(Limits(rcptmax=rcptmax))])
    with link.connect() as client:
        outcome = client.send("alice@crepes.fr", names(count), CONTENT, chunking=chunking)
    assert outcome.all_accepted
    assert sum(number for number, _ in inbox) == count
    assert {octets for _, octets in inbox} == {CONTENT}
    assert all(number <= rcptmax for number, _ in inbox)
    assert not [octets for _, octets in link.transcript if b"452" in octets]


def test_our_own_server_refuses_more():
    link = Link(object(), capabilities=[LIMITS.offer(Limits(rcptmax=1))])
    with link.connect() as client:
        client.send("alice@crepes.fr", names(1), CONTENT)
        replies = [client.command(command) for command in (_mail(), *[Rcpt(Mailbox.parse(each)) for each in names(2)])]
    assert [reply.code for reply in replies] == [250, 250, 452]


def _mail() -> Any:
    from smtpcore import Mail

    return Mail(None)
