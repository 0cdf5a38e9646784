"""A server that answers in another protocol: the error says which."""

from __future__ import annotations

import pytest

from smtpcore import ClientConnection, RemoteProtocolError
from smtpcore.wire.reply import ReplyReader
from tests.session.looking import all_cuts
from tests.wire.feeding import read_replies

#: What an OpenSSL server says to lines in the clear.
ALERT = b"\x15\x03\x01\x00\x02\x02\x46"
TLS = "TLS where a reply should be: this port takes nothing in the clear (RFC 8314 s3.3)"


@pytest.mark.law(6)
@pytest.mark.parametrize(
    "data",
    [ALERT, b"\x15\x03", b"\x16\x03\x03\x00\x7a\x02", ALERT + b"\r\n220 hi\r\n", b"\x16\x03" + b"x" * 9000 + b"\r\n"],
    ids=repr,
)
def test_tls(data: bytes) -> None:
    whole = read_replies([data])
    assert whole == ([], [], TLS, False)
    for parts in all_cuts(data) if len(data) < 100 else [[data[:1], data[1:]], [data[:-1], data[-1:]]]:
        assert read_replies(parts) == whole


@pytest.mark.law(6)
def test_tls_behind_a_reply() -> None:
    data = b"220 hi\r\n" + ALERT
    whole = read_replies([data])
    assert [reply.code for reply in whole.replies] == [220]
    assert whole.failure == TLS
    assert all(read_replies(parts) == whole for parts in all_cuts(data))


@pytest.mark.parametrize("data", [b"\x15", b"\x15\x02\r\n", b"\x14\x03\r\n", b"x\x15\x03\r\n"])
def test_other_octets_are_no_tls(data: bytes) -> None:
    assert "TLS" not in read_replies([data]).failure


@pytest.mark.law(6)
def test_http() -> None:
    data = b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"
    whole = read_replies([data])
    assert whole.failure == "HTTP, not a reply: b'HTTP/1.1 400 Bad Request' (RFC 5321 s4.2)"
    assert all(read_replies(parts) == whole for parts in all_cuts(data))


@pytest.mark.parametrize(("data", "why"), [(ALERT, "TLS where a reply"), (b"HTTP/1.0 400 no\r\n", "HTTP, not a reply")])
def test_a_client_says_so(data: bytes, why: str) -> None:
    client = ClientConnection()
    client.receive_data(data)
    with pytest.raises(RemoteProtocolError, match=why):
        client.next_event()


def test_growth_is_not_by_asking_again() -> None:
    reader = ReplyReader()
    for _ in range(8192):
        reader.receive(b"2")
        assert reader.next_reply() is None
