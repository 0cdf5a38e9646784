"""I9, I16, I19: which exceptions there are and what they leave behind; faults stay where they are; the same again."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import textwrap
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import (
    NEED_DATA,
    PAUSED,
    Auth,
    AuthResponse,
    ClientConnection,
    ConnectionClosed,
    Data,
    Ehlo,
    LocalProtocolError,
    Mail,
    Noop,
    Quit,
    Rcpt,
    RemoteProtocolError,
    Reply,
    Rset,
    ServerConnection,
    StartTls,
    State,
)
from smtpcore.extensions import Atrn, BurlLast
from tests.session.helpers import (
    ALICE,
    BOB,
    EHLO,
    ENVELOPE,
    OFFER,
    choosy,
    drain,
    make_server,
    run_client,
    run_server,
)
from tests.session.looking import snapshot
from tests.session.strategies import reply_streams, server_options, sessions
from tests.strategies import hostile_text
from tests.strategies import octets as any_octets

# -- misuse ---------------------------------------------------------------------------------------

WRONG: st.SearchStrategy[Any] = st.sampled_from([None, 5, "text", b"octets", [], object, True, ("a", "b"), 2.5])
TEXTS = st.one_of(st.none(), hostile_text, WRONG)
REPLIES = st.one_of(
    st.sampled_from([Reply(250), Reply(354), Reply(421, "bye"), Reply(550, ["no", "no"], "5.7.1"), Reply(334)]), WRONG
)
CHUNKS = st.one_of(sessions(max_size=4), any_octets, WRONG, st.just(b""), st.just(bytearray(b"NOOP\r\n")))
SERVER_CALLS = st.one_of(
    st.tuples(st.just("receive_data"), CHUNKS),
    st.tuples(st.just("next_event")),
    st.tuples(st.just("next_event")),
    st.tuples(st.just("accept")),
    st.tuples(st.just("accept"), TEXTS),
    st.tuples(st.just("reply"), REPLIES),
    st.tuples(st.just("reply_each"), st.lists(REPLIES, max_size=2)),
    st.tuples(st.just("greet")),
    st.tuples(st.just("greet"), REPLIES),
    st.tuples(st.just("challenge"), st.one_of(any_octets, WRONG)),
    st.tuples(st.just("supply"), st.one_of(any_octets, WRONG)),
    st.tuples(st.just("tls_established")),
    st.tuples(st.just("data_to_send")),
    st.tuples(st.sampled_from(["trust", "hand_over"])),
    st.tuples(st.sampled_from(["close", "close", "tls_failed"])),
    st.tuples(st.just("close"), REPLIES),
)
COMMANDS = st.sampled_from(
    [
        Ehlo("crepes.fr"),
        Mail(ALICE),
        Rcpt(BOB),
        Data(),
        Rset(),
        Noop(),
        Quit(),
        StartTls(),
        Auth("PLAIN", b"\0alice\0sesame"),
        Auth("LOGIN"),
        AuthResponse(b"alice"),
        Atrn("crepes.fr"),
        BurlLast("imap://a"),
        AuthResponse(None),
    ]
)
CLIENT_CALLS = st.one_of(
    st.tuples(st.just("send"), COMMANDS),
    st.tuples(st.just("send"), COMMANDS),
    st.tuples(st.just("send"), WRONG),
    st.tuples(st.just("receive_data"), st.one_of(reply_streams, any_octets, WRONG, st.just(b""))),
    st.tuples(st.just("next_event")),
    st.tuples(st.just("next_event")),
    st.tuples(st.just("send_content"), st.one_of(any_octets, WRONG, st.just(b"x\r\n"))),
    st.tuples(st.just("send_chunk"), st.one_of(any_octets, WRONG, st.just(b"x\r\n"))),
    st.tuples(st.just("end_content")),
    st.tuples(st.sampled_from(["prepare_content", "end_content"]), st.one_of(any_octets, WRONG, st.just(b"x\r\n"))),
    st.tuples(st.just("tls_established")),
    st.tuples(st.just("data_to_send")),
    st.tuples(st.sampled_from(["data_to_send", "tls_failed", "abandon", "hand_over"])),
)


def misuse(machine: Any, calls: list[Any]) -> None:
    dead = ""
    for name, *args in calls:
        before = snapshot(machine)
        try:
            getattr(machine, name)(*args)
        except RemoteProtocolError as error:
            again, broken = dead or str(error), str(error)
            assert dead or name in {"next_event", "tls_established", "hand_over"}
            assert again == broken
            dead = again
            continue
        except (LocalProtocolError, TypeError, ValueError) as error:
            if isinstance(error, LocalProtocolError) and "cannot be finished" in str(error):
                dead = str(error)  # a content with a bare CR or LF, begun and not to be ended
            else:
                assert snapshot(machine) == before, name
            continue
        assert not dead or name in {"data_to_send", "close", "tls_failed", "next_event", "abandon"}


@given(st.lists(SERVER_CALLS, max_size=25), server_options())
def test_misuse_of_the_server(calls, options):
    misuse(make_server(**options), calls)


@given(st.lists(CLIENT_CALLS, max_size=25), st.booleans())
def test_misuse_of_the_client(calls, allowed):
    machine = ClientConnection(allow_plaintext_auth=allowed)
    machine.send(Ehlo("crepes.fr"))
    machine.receive_data(b"220 x\r\n" + OFFER)
    misuse(machine, calls)


# -- octets of any kind ------------------------------------------------------------------------------


def shallow(call: Any) -> Any:
    """Call it with hardly any stack left: nothing may recurse with its input."""
    depth, frame = 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back  # type: ignore[assignment]  # None at the bottom
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 150)
    try:
        return call()
    finally:
        sys.setrecursionlimit(limit)


@given(st.one_of(sessions(), any_octets, st.binary(max_size=300)), server_options())
def test_octets_into_the_server(data, options):
    """Whatever comes, next_event raises RemoteProtocolError only, which ``drain`` alone catches."""
    machine = make_server(**options)
    machine.greet()
    machine.receive_data(EHLO + data)
    events: list[Any] = []
    error = shallow(lambda: drain(machine, choosy, events))
    assert not error or "RFC 3207" in error


@given(st.one_of(reply_streams, any_octets, st.binary(max_size=300)))
def test_octets_into_the_client(data):
    machine = ClientConnection(allow_plaintext_auth=True)
    for command in (Ehlo("crepes.fr"), Mail(ALICE), Rcpt(BOB), Data()):
        machine.send(command)
    machine.receive_data(b"220 x\r\n" + data)

    def play() -> None:
        try:
            while (event := machine.next_event()) not in {NEED_DATA, PAUSED}:
                if isinstance(event, ConnectionClosed):
                    return
        except RemoteProtocolError as error:
            said.append(str(error))

    said: list[str] = []
    shallow(play)
    assert all(len(text) < 600 for text in said)


@pytest.mark.parametrize("make", [make_server, ClientConnection], ids=["server", "client"])
def test_machines_are_neither_copied_nor_pickled(make):
    for act in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            act(make())


# -- I16: faults stay where they are ------------------------------------------------------------------

UNITS = [
    (b"NOOP\r\n", [250]),
    (b"VRFY bob\r\n", [252]),
    (b"RSET\r\n", [250]),
    (b"MAIL FROM:<alice@crepes.fr>\r\n", [250]),
    (b"RCPT TO:<bob@hamburger.edu>\r\n", [250]),
    (b"RCPT TO:<550@x>\r\n", [550]),
    (b"DATA\r\nNOOP\r\n..\r\n.\r\n", [354, 250]),
    (b"MAIL FROM:<>\r\n", [250]),
    (b"RCPT TO:<a@b>\r\n", [250]),
    (b"RCPT TO:<c@d>\r\n", [250]),
    (b"DATA\r\n.\r\n", [354, 250]),
    (b"EHLO crepes.fr\r\n", [250]),
]
DEFECTS = [
    (b"NOOP\nRSET\r\n", 500),
    (b"RSET\r\r\n", 500),
    (b"NOOP " + b"x" * 2048 + b"\r\n", 500),
    (b"x" * 4094 + b"\r\n", 500),
    (b"XYZZY\r\n", 500),
    (b"BDAT 6 LASTX\r\nNOOP\r\n", 501),
    (b"VRFY \xff\xfe\r\n", 553),
    (b"EHLO\r\n", 501),
    (b"RSET now\r\n", 501),
    (b"QUIT QUIT\r\n", 501),
    (b"\0\r\n", 500),
    (b"\r\n", 500),
    (b"AUTH NOSUCH\r\n", None),
    (b"STARTTLS now\r\n", 501),
    (b"MAIL FROM:<a@b\r\n", 501),
    (b"RCPT TO:<a@b> X=1\r\n", 555),
]


@pytest.mark.parametrize("place", range(len(UNITS) + 1))
@pytest.mark.parametrize("number", range(len(DEFECTS)))
def test_a_rejected_line_changes_nothing_behind_it(place, number):
    """I16: every later command gets the reply that it would have got without it."""
    defect, code = DEFECTS[number]
    data = b"".join([unit for unit, _ in UNITS[:place]]) + defect + b"".join([unit for unit, _ in UNITS[place:]])
    trace = run_server([data], before=EHLO, application=choosy)
    before = [code for _, codes in UNITS[:place] for code in codes]
    after = [code for _, codes in UNITS[place:] for code in codes]
    got = trace.codes
    assert got[: len(before)] == before
    assert got[len(before) + 1 :] == after
    assert got[len(before)] == code if code else got[len(before)] in {503, 504}


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"a\nb\r\n", 550), (b"x" * 70_000 + b"\r\n", 554), (b"y\r\n" * 400_000, 552), (b"a\r\n.\rQUIT\r\n", 550)],
    ids=["bare", "line", "size", "smuggled"],
)
@pytest.mark.parametrize("place", [0, 3, 7, 11, 12])
def test_a_rejected_content_changes_nothing_behind_it(content, code, place):
    """I16, between transactions."""
    message = ENVELOPE + b"DATA\r\n" + content + b".\r\n"
    data = b"".join([unit for unit, _ in UNITS[:place]]) + message + b"".join([unit for unit, _ in UNITS[place:]])
    trace = run_server([data], before=EHLO, application=choosy)
    before = [code for _, codes in UNITS[:place] for code in codes]
    after = [code for _, codes in UNITS[place:] for code in codes]
    assert trace.codes == [*before, 250, 250, 354, code, *after]


# -- I19: the same again -------------------------------------------------------------------------------


@given(sessions(), server_options())
def test_server_twice(stream, options):
    assert run_server([stream], application=choosy, **options) == run_server([stream], application=choosy, **options)


@given(reply_streams)
def test_client_twice(stream):
    commands = [Mail(ALICE), Rcpt(BOB), Data()]
    assert run_client([stream], commands) == run_client([stream], commands)


SCRIPT = """
    from smtpcore import *
    from smtpcore import extensions as ext
    offer = Capabilities(ext.PIPELINING, ext.SIZE(500), ext.ENHANCEDSTATUSCODES, ext.STARTTLS, ext.SMTPUTF8)
    server = ServerConnection("hamburger.edu", offer)
    server.greet()
    server.receive_data(b"EHLO x\\r\\nMAIL FROM:<a@b> SIZE=5 SMTPUTF8\\r\\nNOOP\\nX\\r\\nMAIL FROM:<c@d> X=1\\r\\n")
    server.receive_data(b"RCPT TO:<e@f>\\r\\nDATA\\r\\n.\\nx\\r\\n.\\r\\nAUTH PLAIN =\\r\\nQUIT\\r\\n")
    for _ in range(40):
        event = server.next_event()
        print(event)
        if isinstance(event, CommandReceived):
            try:
                server.reply(Reply(354))
            except LocalProtocolError as error:
                print(error)
                server.accept()
    print(server.data_to_send())
    client = ClientConnection()
    for call in (lambda: client.send(5), lambda: client.send(Data()), lambda: client.receive_data(None)):
        try:
            call()
        except (LocalProtocolError, TypeError) as error:
            print(type(error), error)
"""


def test_the_same_without_assertions_and_with_other_hashes():
    """``-O`` takes no check away, warnings are errors, and nothing hangs on the order of a set."""
    said = set()
    for seed, flags in (("1", []), ("2", ["-O"]), ("3", ["-OO", "-W", "error"])):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, *flags, "-c", textwrap.dedent(SCRIPT)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        said.add(done.stdout)
    assert len(said) == 1
    assert "550" in said.pop()


def test_misuse_is_tried_on_what_there_is():
    """The calls above name every public method that acts."""
    for kind, calls in ((ServerConnection, SERVER_CALLS), (ClientConnection, CLIENT_CALLS)):
        acting = {name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name))}
        text = repr(calls)
        missing = {name for name in acting if f"'{name}'" not in text} - {"from_settings"}
        assert not missing
        assert State.CLOSED in State
