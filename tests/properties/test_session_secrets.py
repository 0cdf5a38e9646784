"""I12: no password, and nothing that it can be made from, shows anywhere in or around the machines."""

from __future__ import annotations

import copy
import pickle
import traceback
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from smtpcore import (
    Auth,
    AuthResponse,
    CommandReceived,
    LocalProtocolError,
    Mail,
    Noop,
    RemoteProtocolError,
    Reply,
    State,
)
from tests.session.helpers import ALICE, EHLO, Pair, drain, greeted_client, make_server, obliging
from tests.session.looking import slots

pytestmark = pytest.mark.law(15)

#: Words that occur in nothing that the library says by itself.
PASSWORDS = st.text("QXZ0123456789#%&*_+éж ", min_size=8, max_size=24).filter(
    lambda text: text.strip() == text and len(set(text)) > 3
)


def forms(password: str, user: str = "alice") -> set[str]:
    """Everything that must not show: the password, its base64, that of PLAIN, cut at any place."""
    octets = password.encode()
    blob = b"\0" + user.encode() + b"\0" + octets
    texts = {password, repr(octets)[2:-1], b64encode(octets).decode().rstrip("="), b64encode(blob).decode().rstrip("=")}
    encoded = b64encode(blob).decode().rstrip("=")
    start = (len(user) + 2) * 4 // 3 + 2  # behind the octets of the user's name
    texts |= {encoded[i : i + 8] for i in range(start, len(encoded) - 7)}
    return {text for text in texts if len(text) >= 6}


def shown(*things: Any) -> str:
    """All the ways in which something gets into a log."""
    texts = []
    for thing in things:
        texts += [repr(thing), str(thing), f"{thing}", f"{thing!a}"]
        if isinstance(thing, BaseException):
            texts += [repr(thing.args), *told(thing)]
        if hasattr(thing, "__dict__"):
            texts.append(repr(vars(thing)))
    return "\n".join(texts)


def told(error: BaseException) -> list[str]:
    """A traceback with the values of local variables, of our frames: those of a caller are the caller's own."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    lines = []
    seen: Any = trace
    while seen is not None:
        lines += [f"{frame.name} {frame.locals}" for frame in seen.stack if "/smtpcore/" in frame.filename]
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return [*lines, *trace.format_exception_only()]


def fails(call: Any) -> BaseException:
    try:
        call()
    except (LocalProtocolError, RemoteProtocolError, TypeError, ValueError, AttributeError) as error:
        return error
    raise AssertionError("it should have failed")


def hidden(password: str, *things: Any) -> None:
    text = shown(*things)
    for form in forms(password):
        assert form not in text


@given(PASSWORDS)
def test_commands_and_events(password):
    blob = b"\0alice\0" + password.encode()
    for command in (Auth("PLAIN", blob), AuthResponse(blob), AuthResponse(password.encode())):
        hidden(password, command, CommandReceived(command), command.raw, [command], {"command": command})
        for refused in (pickle.dumps, lambda command: pickle.dumps(CommandReceived(command))):
            assert isinstance(fails(lambda refused=refused, command=command: refused(command)), TypeError)
        assert copy.copy(command) is command
        for call in (
            lambda: Auth("NO SUCH NAME", blob),
            lambda: Auth("X" * 21, password.encode()),
            lambda command=command: setattr(command, "response", None),
        ):
            hidden(password, fails(call))


@given(PASSWORDS, st.sampled_from(["initial", "response", "login"]), st.sampled_from([235, 535, 334, 421, 501]))
def test_both_machines(password, way, code):
    """An exchange from end to end, looked at from all sides at each step."""
    blob = b"\0alice\0" + password.encode()
    pair = Pair().meet(State.READY)

    def application(machine: Any, command: Any) -> None:
        if isinstance(command, Auth) and way != "initial":
            machine.challenge(b"")
        elif isinstance(command, (Auth, AuthResponse)):
            hidden(password, machine, machine.session, machine.awaiting, fails(lambda: machine.reply("no")))
            machine.reply(Reply(code, "so be it"))
        else:
            obliging(machine, command)

    pair.application = application
    client, server = pair.client, pair.server
    client.send(Auth("PLAIN" if way != "login" else "LOGIN", blob if way == "initial" else None))
    hidden(password, client, client.in_flight, client.queued)
    pair.run()
    if way != "initial":
        client.send(AuthResponse(blob if way == "response" else password.encode()))
        hidden(password, client, client.in_flight, fails(lambda: client.send(Noop())))
        pair.run()
    hidden(password, *pair.client_events, *pair.server_events, client, server, server.session)
    for machine in (client, server):
        assert not hasattr(machine, "__dict__")
        assert "object at" in repr(machine)
        for refused in (pickle.dumps, copy.copy, copy.deepcopy):
            hidden(password, fails(lambda refused=refused, machine=machine: refused(machine)))
    if client.state is not State.CLOSED:
        hidden(password, fails(lambda: client.send(AuthResponse(blob) if code != 334 else Auth("PLAIN", blob))))


@given(
    PASSWORDS,
    st.sampled_from(["{}", "you said {}", "({})", "AUTH PLAIN {}", "x{}x", "{}{}"]),
    st.sampled_from(["password", "base64", "blob", "part"]),
    st.sampled_from([b"535 ", b"535-", b"501 5.5.2 ", b"454 ", b"235 ", b"421 ", b"334 ", b""]),
)
def test_servers_that_repeat_what_they_were_sent(password, frame, what, code):
    """In a reply of any code, in what is no reply at all, whole or cut.

    A part glued to other base64 is not among these: it cannot be told from a challenge.
    """
    assume(what != "part" or frame not in {"x{}x", "{}{}"})
    octets = password.encode()
    blob = b"\0alice\0" + octets
    echo = {
        "password": octets,
        "base64": b64encode(octets),
        "blob": b64encode(blob),
        "part": b64encode(blob)[10:-3],
    }[what]
    machine = greeted_client()
    machine.send(Auth("PLAIN", blob))
    line = code + frame.encode().replace(b"{}", echo) + b"\r\n"
    machine.receive_data(line + (b"535 no\r\n" if code.endswith(b"-") else b""))
    try:
        event = machine.next_event()
        hidden(password, event, event.reply.text, event.reply.raw, bytes(event.reply))
    except RemoteProtocolError as error:
        hidden(password, error, fails(machine.next_event), fails(lambda: machine.send(Mail(ALICE))))
    hidden(password, machine, machine.capabilities)


@given(PASSWORDS, st.sampled_from([b"AUTH PLAIN ", b"auth  plain ", b" AUTH PLAIN ", b"AUTH NOSUCH ", b"AUTHPLAIN "]))
def test_lines_that_the_server_refuses(password, start):
    blob = b64encode(b"\0alice\0" + password.encode())
    for tail in (b"!", b" " + blob, b"=", b"\n"):
        machine = make_server()
        machine.greet()
        events: list[Any] = []
        machine.receive_data(EHLO + start + blob + tail + b"\r\n" + blob + b"\r\n")
        drain(machine, obliging, events)
        hidden(password, machine, machine.session, *events)
        assert blob not in machine.data_to_send()


@given(PASSWORDS)
def test_errors_of_the_server(password):
    """An upgrade with AUTH glued behind it, and calls out of place while a response is due."""
    blob = b64encode(b"\0alice\0" + password.encode())
    machine = make_server()
    machine.greet()
    machine.receive_data(EHLO + b"STARTTLS\r\nAUTH PLAIN " + blob + b"\r\n")
    assert drain(machine, obliging, [])
    hidden(
        password, fails(machine.next_event), fails(machine.tls_established), fails(lambda: machine.receive_data(b"x"))
    )
    machine = make_server()
    machine.greet()
    machine.receive_data(EHLO + b"AUTH PLAIN " + blob + b"\r\n")
    drain(machine, lambda machine, command: machine.accept() if not isinstance(command, Auth) else None, [])
    for call in (
        lambda: machine.reply("x"),
        machine.tls_established,
        machine.greet,
        lambda: machine.accept("a\nb"),
        lambda: machine.challenge("text"),
        lambda: machine.receive_data(None),
        lambda: machine.reply(Reply(235, "x")) or machine.reply(Reply(235, "x")),
    ):
        hidden(password, fails(call))


def test_nothing_of_a_machine_can_be_looked_up_but_its_slots():
    """``vars`` has nothing to show, and what the slots hold has no secret in its repr once it has been written out."""
    client = greeted_client()
    client.send(Auth("PLAIN", b"\0alice\0sesame"))
    client.data_to_send()
    assert "sesame" not in repr([getattr(client, name) for name in slots(client)])
    assert "AGFsaWNl" not in repr([getattr(client, name) for name in slots(client)])
