"""What entering and leaving a client does, whatever the server does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from smtpcore import LocalProtocolError, Noop, RemoteProtocolError
from smtpcore.flows.error import Disconnected, NoMechanism, Refused
from tests.adapters.running import ADAPTERS, PATIENCE, SHORT, Keeper, over_asyncio, over_blocking, serving, talk
from tests.sasl.exposure import assert_hidden, forms, views

EVERY_CLIENT = pytest.mark.parametrize("client", ADAPTERS)
BOB = ["bob@hamburger.edu"]


async def nothing(connection: Any) -> None:
    pass


@contextmanager
def scripted(*turns: bytes, silent: bool = False) -> Iterator[tuple[tuple[str, int], bytearray]]:
    """A server that says these, the first at once, each other when it is spoken to; then it hangs up, or is silent."""
    heard = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(PATIENCE)
                try:
                    for number, turn in enumerate(turns):
                        if number:
                            heard.extend(connection.recv(65536))
                        connection.sendall(turn)
                    while silent and (data := connection.recv(65536)):
                        heard.extend(data)
                except OSError:
                    pass

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname(), heard
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the client does not close"


@EVERY_CLIENT
def test_nobody_listens(client):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with pytest.raises(OSError):
        talk(client, address, nothing)


@EVERY_CLIENT
@pytest.mark.parametrize(
    ("turns", "error"),
    [
        pytest.param([], Disconnected, id="hangs-up"),
        pytest.param([b"554 no\r\n", b"221 bye\r\n"], Refused, id="refuses"),
        pytest.param([b"421 busy\r\n"], Refused, id="421"),
        pytest.param([b"220 hi\r\n", b"421 busy\r\n"], Refused, id="ehlo-refused"),
        pytest.param([b"220 hi\r\n", b"250 h\r\n", b"221 bye\r\n"], NoMechanism, id="no-auth"),
        pytest.param([b"SSH-2.0-OpenSSH\r\n"], RemoteProtocolError, id="ssh"),
        pytest.param(
            [b"220 hi\r\n", b"250-h\r\n250 AUTH PLAIN\r\n235 in\r\n"], RemoteProtocolError, id="one-reply-too-many"
        ),
    ],
)
def test_entering_fails(client, turns, error):
    with scripted(*turns) as (address, _), pytest.raises(error):
        talk(client, address, nothing, auth=("alice", "secret"), allow_plaintext_auth=True)


@EVERY_CLIENT
@pytest.mark.parametrize("turns", [[], [b"220 hi\r\n"], [b"220 half"]], ids=["greeting", "ehlo", "half-a-line"])
def test_entering_takes_no_longer_than_it_may(client, turns):
    with scripted(*turns, silent=True) as (address, _), pytest.raises(TimeoutError):
        talk(client, address, nothing, timeout=SHORT)


@EVERY_CLIENT
def test_leaving_says_quit(client):
    with scripted(b"220 hi\r\n", b"250 h\r\n", b"221 bye\r\n") as (address, heard):
        talk(client, address, nothing)
    assert heard == b"EHLO crepes.fr\r\nQUIT\r\n"


@EVERY_CLIENT
def test_leaving_by_an_exception_says_quit_too(client):
    async def fail(connection: Any) -> None:
        raise ZeroDivisionError

    farewell = scripted(b"220 hi\r\n", b"250 h\r\n", b"221 bye\r\n")
    with farewell as (address, heard), pytest.raises(ZeroDivisionError):
        talk(client, address, fail)
    assert heard.endswith(b"QUIT\r\n")


@EVERY_CLIENT
@pytest.mark.parametrize("last", [[], [b"500 what?\r\n"], [b"garbage\r\n"]], ids=["hangs-up", "500", "garbage"])
def test_leaving_does_not_fail(client, last):
    """The connection was to be closed anyway."""
    with scripted(b"220 hi\r\n", b"250 h\r\n", *last) as (address, _):
        talk(client, address, nothing)


@EVERY_CLIENT
def test_leaving_takes_no_longer_than_it_may(client):
    with scripted(b"220 hi\r\n", b"250 h\r\n", silent=True) as (address, _):
        talk(client, address, nothing, timeout=SHORT)


@EVERY_CLIENT
def test_leaving_behind_a_timeout_waits_for_nothing_more(client):
    """SYN-02: what comes late would be taken for the answer to QUIT."""
    import time

    async def body(connection: Any) -> Any:
        outcome = await connection.send(None, BOB, b"Hello\r\n")
        assert isinstance(outcome.error, TimeoutError)
        return time.monotonic()

    with scripted(b"220 hi\r\n", b"250 h\r\n", silent=True) as (address, heard):
        behind = talk(client, address, body, timeout=SHORT)
        assert time.monotonic() - behind < SHORT - 0.05
    assert b"QUIT" not in heard


@EVERY_CLIENT
def test_quit_and_abort_by_hand(client):
    async def body(connection: Any) -> None:
        await connection.quit()
        connection.abort()
        connection.abort()

    with scripted(b"220 hi\r\n", b"250 h\r\n", b"221 bye\r\n") as (address, heard):
        talk(client, address, body)
    assert heard.count(b"QUIT") == 1


@EVERY_CLIENT
def test_a_connection_that_was_aborted(client):
    async def body(connection: Any) -> None:
        connection.abort()
        with pytest.raises(OSError):
            await connection.command(Noop())
        with pytest.raises((LocalProtocolError, OSError)):
            await connection.send(None, BOB, b"Hello\r\n")

    with scripted(b"220 hi\r\n", b"250 h\r\n", silent=True) as (address, heard):
        talk(client, address, body)
    assert heard == b"EHLO crepes.fr\r\n"


@EVERY_CLIENT
@pytest.mark.parametrize(
    ("turns", "status"),
    [
        pytest.param([], "not sent", id="before-the-envelope"),
        pytest.param([b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"], "unknown", id="behind-the-dot"),
    ],
)
def test_a_server_that_hangs_up(client, turns, status):
    async def body(connection: Any) -> Any:
        return await connection.send(None, BOB, b"Hello\r\n")

    with scripted(b"220 hi\r\n", b"250 h\r\n", *turns) as (address, _):
        outcome = talk(client, address, body)
    # What is written to a closed connection may be lost on the way or refused at once.
    assert outcome.recipients[0].status.value in (status, "not sent")
    assert isinstance(outcome.error, OSError)


@EVERY_CLIENT
def test_replies_octet_by_octet(client):
    import time

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for reply in (b"220 hi\r\n", b"250-h\r\n250 PIPELINING\r\n", b"250 ok\r\n" * 2 + b"354 go\r\n"):
                    for octet in reply:
                        connection.sendall(bytes([octet]))
                        time.sleep(0.001)
                    connection.recv(1000)
                connection.sendall(b"250 taken\r\n")
                connection.recv(1000)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()

        async def body(connection: Any) -> Any:
            return await connection.send(None, BOB, b"Hello\r\n")

        assert talk(client, listener.getsockname(), body).all_accepted
        thread.join(PATIENCE)


def test_no_password_shows_in_a_client():
    """AU-17, I12: not in what it is made of either."""
    for connect in (over_asyncio.connect, over_blocking.connect):
        client = connect("mx.hamburger.edu", 25, auth=("alice", "swordfish-and-chips"))
        assert_hidden(views(client), forms(b"swordfish-and-chips", b"\0alice\0swordfish-and-chips"))


@EVERY_CLIENT
def test_a_second_entering_is_refused(client):
    """A connection is used once."""
    with serving("blocking", Keeper()) as server:
        if client == "blocking":
            connection = over_blocking.connect(*server.address, tls="none")
            with connection:
                pass
            with pytest.raises(Exception, match="closed"), connection:
                pass
        else:

            async def body(connection: Any) -> None:
                await connection.quit()
                with pytest.raises(Exception, match=r"closed|busy"):
                    async with connection:
                        pass

            talk(client, server.address, body)
