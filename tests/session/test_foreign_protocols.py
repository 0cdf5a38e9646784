"""A client that speaks HTTP or TLS to a port of SMTP: it is told so once, and nothing else from it is a command."""

from __future__ import annotations

import socket
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import (
    CommandReceived,
    CommandRejected,
    ConnectionClosed,
    ForeignProtocol,
    Reply,
    ServerConnection,
    State,
)
from smtpcore.session.foreign import foreign_protocol
from tests.session.helpers import EHLO, ENVELOPE, FULL, make_server, run_server, run_server_cut
from tests.session.looking import octets

#: What a form in a web page can make a browser send: commands of SMTP where the body of the request is.
BODY = b"EHLO evil.example\r\nMAIL FROM:<evil@evil.example>\r\nRCPT TO:<bob@h.edu>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n"


def request(line: bytes) -> bytes:
    return line + b"\r\nHost: hamburger.edu:25\r\nContent-Length: 99\r\n\r\n" + BODY


HTTP = [
    b"GET / HTTP/1.1",
    b"GET /",
    b"GET http://hamburger.edu:25/ HTTP/1.0",
    b"POST /a%0d%0ab?c HTTP/1.1",
    b"HEAD / HTTP/1.1",
    b"PUT /x HTTP/1.1",
    b"DELETE /x HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"CONNECT hamburger.edu:25 HTTP/1.1",
    b"TRACE / HTTP/1.1",
    b"PATCH /x HTTP/1.1",
    b"PROPFIND / HTTP/1.1",
    b"m-search * HTTP/1.1",
    b"PRI * HTTP/2.0",
    b"HTTP/1.1 200 OK",
    b"Host: hamburger.edu",
    b"host:hamburger.edu",
    b"GET / HTTP/1.1\nHost: a\n\nNOOP",
    b"GET /\xc3\xa4\0 HTTP/1.1",
    b"POST /" + b"x" * 3000,
]


def hello() -> bytes:
    """What a client of TLS says first."""
    out = ssl.MemoryBIO()
    context = ssl.create_default_context()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="hamburger.edu").do_handshake()
    return out.read()


@pytest.mark.law(6)
@pytest.mark.parametrize("line", HTTP, ids=lambda line: repr(line[:40]))
def test_http_ends_at_once(line: bytes) -> None:
    small = request(line) if len(line) < 200 else line + b"\r\n" + BODY
    trace = run_server_cut(small) if len(line) < 200 else run_server([small])
    assert trace.events == [
        ForeignProtocol("HTTP", line[:100], Reply(421, "this is not HTTP", "4.7.0")),
        ConnectionClosed(),
    ]
    assert trace.output == b"421 this is not HTTP\r\n"
    assert trace.state is State.CLOSED
    assert trace.buffered == 0
    if len(line) >= 200:
        assert run_server(octets(small)) == trace


@pytest.mark.law(6)
@pytest.mark.parametrize(
    "data",
    [hello(), b"\x16\x03\x01", b"\x16\x03", b"\x16\x03\x01\r\n" + BODY, b"\x16\x03" + b"x" * 5000 + b"\r\n" + BODY],
    ids=["hello", "three", "two", "lines", "long"],
)
def test_tls_ends_at_once(data: bytes) -> None:
    """Though it has no line end that could be waited for."""
    trace = run_server([data])
    assert trace.events[0] == ForeignProtocol(
        "TLS", b"\x16\x03", Reply(421, "this port does not begin with TLS", "4.7.0")
    )
    assert trace.codes == [421]
    assert trace.state is State.CLOSED
    assert run_server(octets(data)) == trace
    for cut in (1, 2, 3, 4, len(data) - 1):
        assert run_server([data[:cut], data[cut:]]) == trace


def test_one_octet_is_not_enough() -> None:
    machine = make_server()
    machine.greet()
    machine.receive_data(b"\x16")
    assert machine.next_event().name == "NEED_DATA"
    machine.receive_data(b"\x03")
    assert isinstance(machine.next_event(), ForeignProtocol)
    machine.receive_data(b"QUIT\r\n")  # dropped
    assert machine.next_event() == ConnectionClosed()


def test_behind_other_commands() -> None:
    trace = run_server_cut(b"NOOP\r\n" + EHLO + ENVELOPE[:29] + request(b"POST / HTTP/1.1"))
    assert [type(event) for event in trace.events] == [CommandReceived] * 3 + [ForeignProtocol, ConnectionClosed]
    assert trace.transaction.mail is None


def test_tls_without_starttls_behind_ehlo_is_a_bad_line() -> None:
    """Once the client has said who it is, it is known to speak SMTP."""
    trace = run_server_cut(EHLO + b"\x16\x03\x01\r\n" + b"NOOP\r\n")
    assert [type(event) for event in trace.events] == [CommandReceived, CommandRejected, CommandReceived]


def test_a_refused_connection_too() -> None:
    machine = make_server()
    machine.greet(Reply(554, "no service"))
    trace = run_server([request(b"GET / HTTP/1.1")], machine=machine)
    assert isinstance(trace.events[0], ForeignProtocol)


# --- what is SMTP ----------------------------------------------------------------------------------

SMTP = [
    b"HELP",
    b"HELP GET / HTTP/1.1",
    b"HELO hamburger.edu",
    b"EHLO get",
    b"NOOP GET / HTTP/1.1",
    b"NOOP Host: a",
    b"VRFY POST",
    b"EXPN Host:",
    b"MAIL FROM:<GET@crepes.fr>",
    b"RSET",
    b"QUIT",
]
#: What is neither, and gets the replies that it always got.
BAD = [
    b"GET",
    b"GETX /",
    b"get / http/1.1",
    b"POST",
    b"XYZZY plugh",
    b"XYZZY / HTTPS",
    b"Hosts: a",
    b"Received: from a",
    b"GE T / HTTP",
    b"MAIL FROM:GET / HTTP/1.1",
    b"EHLO GET / HTTP/1.1",
    b"DATA / HTTP/1.1",
    b"\x16",
    b"\x16\x02\x03",
    b"\x15\x03\x01",
    b"x\x16\x03",
    b"",
    b" GET / HTTP/1.1",
]


@pytest.mark.parametrize("line", SMTP)
def test_smtp_is_never_taken_for_it(line: bytes) -> None:
    for before in (b"", EHLO):
        trace = run_server([before + line + b"\r\n"])
        assert not trace.count(ForeignProtocol)
        assert trace.events[-1 if trace.state is not State.CLOSED else -2]


@pytest.mark.parametrize("line", BAD)
def test_a_bad_line_is_a_bad_line(line: bytes) -> None:
    trace = run_server_cut(line + b"\r\nNOOP\r\n")
    assert [type(event) for event in trace.events] == [CommandRejected, CommandReceived]


def test_in_a_message_anything_may_stand() -> None:
    body = request(b"GET / HTTP/1.1").replace(b"\r\n.\r\n", b"\r\n..\r\n") + b"\x16\x03\x01\r\n"
    for begin, end in ((b"DATA\r\n", b".\r\n"), (b"BDAT %d LAST\r\n" % len(body), b"")):
        trace = run_server([EHLO + ENVELOPE + begin + body + end])
        assert not trace.count(ForeignProtocol)
        assert b"GET / HTTP/1.1\r\n" in trace.content


def test_in_an_authentication_it_is_a_bad_response() -> None:
    trace = run_server_cut(EHLO + b"AUTH LOGIN\r\nGET / HTTP/1.1\r\nNOOP\r\n")
    assert not trace.count(ForeignProtocol)


VERBS = st.sampled_from([b"HELO ", b"EHLO ", b"HELP ", b"NOOP ", b"VRFY ", b"EXPN ", b"RSET ", b"QUIT ", b"MAIL FROM:"])


@given(VERBS, st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=40))
def test_no_line_with_a_verb_of_smtp_is_taken_for_it(verb: bytes, text: str) -> None:
    line = verb + text.encode("latin-1")
    assert foreign_protocol(line) is None
    machine = ServerConnection("hamburger.edu", FULL)
    machine.greet()
    machine.receive_data(line + b"\r\n")
    assert not isinstance(machine.next_event(), ForeignProtocol)


# --- over sockets ----------------------------------------------------------------------------------


def test_a_client_of_tls_hears_of_it_from_its_own_library() -> None:
    import smtpcore.adapters.blocking as smtp

    with smtp.serve(object(), "127.0.0.1") as server, socket.create_connection(server.address) as sock:
        context = ssl.create_default_context()
        with pytest.raises(ssl.SSLError, match=r"(?i)wrong.version"):
            context.wrap_socket(sock, server_hostname="localhost")
