"""The adapter without sockets: the real scripts, virtual time, and every run the same."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import Mail, Noop, Reply, ServerLimits
from smtpcore.adapters.memory import Clock, Link, _End
from smtpcore.flows.effect import Read
from smtpcore.flows.error import Disconnected, Refused, TlsNotOffered
from smtpcore.flows.handler import Served
from smtpcore.sasl import Credentials
from tests.adapters.running import Keeper

BOB = ["bob@hamburger.edu"]
MESSAGE = b"Subject: crepes\r\n\r\nHello\r\n"


def exchanged(link: Link) -> list[tuple[str, bytes]]:
    return [(who, octets) for who, octets in link.transcript if octets]


def test_a_message():
    handler = Keeper()
    link = Link(handler, hostname="hamburger.edu")
    with link.connect(hostname="crepes.fr") as client:
        outcome = client.send("alice@crepes.fr", BOB, MESSAGE)
    assert outcome.all_accepted
    assert handler.messages == [("alice@crepes.fr", tuple(BOB), MESSAGE)]
    assert handler.events == ["connected", "message", "closed"]
    assert link.errors == []
    assert link.clock.now == 0.0
    assert exchanged(link)[0] == ("S", b"220 hamburger.edu ESMTP\r\n")
    assert exchanged(link)[-2:] == [("C", b"QUIT\r\n"), ("S", b"221 2.0.0 closing connection\r\n")]


def test_time_passes_by_the_latency_only():
    """EHLO, the envelope, the content and QUIT: four round trips, and half a one for the greeting."""
    link = Link(Keeper(), latency=0.5)
    with link.connect() as client:
        assert client.send(None, BOB * 10, MESSAGE).all_accepted
    assert link.clock.now == pytest.approx(0.5 + 4 * 1.0, abs=0.6)


def test_two_runs_are_the_same():
    def run() -> Any:
        link = Link(Keeper(), latency=0.01, clock=Clock(1000.0))
        for _ in range(3):
            with link.connect(hostname="crepes.fr") as client:
                client.send(None, BOB, MESSAGE)
        return link.transcript, link.clock.now

    assert run() == run()


@pytest.mark.parametrize("tls", ["opportunistic", "required", "implicit"])
def test_tls_is_played(tls):
    seen: list[bool] = []

    class Looking(Keeper):
        def message(self, session: Served) -> str:
            seen.append(session.tls)
            return super().message(session)

    link = Link(Looking(), tls=tls, latency=0.01)
    with link.connect(tls=tls) as client:
        assert client.machine.tls
        assert client.send(None, BOB, MESSAGE).all_accepted
    assert seen == [True]


@pytest.mark.parametrize("tls", ["opportunistic", "required", "implicit"])
def test_a_handshake_that_fails(tls):
    link = Link(Keeper(), tls=tls, handshake=False)
    with pytest.raises(ConnectionError), link.connect(tls=tls):
        pass
    assert not any(b"MAIL" in octets for _, octets in link.transcript)


def test_tls_that_is_not_offered():
    with pytest.raises(TlsNotOffered), Link(Keeper()).connect(tls="required"):
        pass


def test_auth():
    class Doorman(Keeper):
        def authenticate(self, session: Served, credentials: Credentials) -> bool:
            return credentials.verify("secret")

    link = Link(Doorman(), require_auth=True, allow_plaintext_auth=True)
    with link.connect(auth=("alice", "secret"), allow_plaintext_auth=True) as client:
        assert client.send(None, BOB, MESSAGE).all_accepted
    with pytest.raises(Refused), link.connect(auth=("alice", "wrong"), allow_plaintext_auth=True):
        pass


# --- virtual time --------------------------------------------------------------------------------


def test_a_client_that_idles_is_told_421():
    """Five minutes of RFC 5321 s4.5.3.2.7, in no time at all."""
    link = Link(Keeper(), latency=0.1)
    with link.connect() as client:
        link.clock.now += 1000.0
        reply = client.command(Noop())
        assert reply.code == 421
    assert link.clock.now >= 1000.0


def test_a_client_that_idles_without_any_latency_is_told_421_too():
    link = Link(Keeper())
    with link.connect() as client:
        link.clock.now += 299.0
        assert client.command(Noop()).code == 250
        link.clock.now += 301.0
        assert client.command(Noop()).code == 421


def test_a_server_that_is_slow_costs_the_client_its_patience():
    """RFC 5321 s4.5.3.2.6: ten minutes for the verdict."""

    class Slow(Keeper):
        def message(self, session: Served) -> str:
            link.latency = 700.0
            return super().message(session)

    link = Link(Slow())
    with link.connect() as client:
        outcome = client.send(None, BOB, MESSAGE)
    assert outcome.recipients[0].status.value == "unknown"
    assert isinstance(outcome.error, TimeoutError)
    assert 600.0 <= link.clock.now <= 1400.0


def test_the_time_of_a_handler_is_not_the_clients():
    class Slow(Keeper):
        def content(self, session: Served, chunk: bytes) -> None:
            link.clock.now += 1000.0
            super().content(session, chunk)

    handler = Slow()
    link = Link(handler)
    with link.connect(timeout=5000.0) as client:
        assert client.send(None, BOB, [b"one\r\n", b"two\r\n"]).all_accepted
    assert link.clock.now in (1000.0, 2000.0)
    assert handler.messages[0][2] == b"one\r\ntwo\r\n"


def test_a_timeout_of_the_clients_own():
    link = Link(Keeper(), latency=10.0)
    with pytest.raises(TimeoutError), link.connect(timeout=5.0):
        pass
    assert link.clock.now < 400.0


@pytest.mark.parametrize("latency", [1.0, 60.0, 250.0, 1000.0])
def test_no_latency_is_too_long_to_come_to_an_end(latency):
    """Beyond the deadlines both ends give up, and neither hangs."""
    link = Link(Keeper(), latency=latency)
    try:
        with link.connect() as client:
            client.send(None, BOB, MESSAGE)
    except (TimeoutError, Refused, Disconnected):
        assert latency > 100.0
    assert link.errors == []


# --- ends ----------------------------------------------------------------------------------------


def test_a_client_that_goes_without_a_word():
    handler = Keeper()
    link = Link(handler, latency=0.1)
    with link.connect() as client:
        client.command(Mail(None))
        client.abort()
        with pytest.raises(OSError):
            client.command(Noop())
    assert handler.events == ["connected", "closed"]


def test_a_server_that_closes():
    class Full(Keeper):
        def mail(self, session: Served, command: Mail) -> Reply:
            return Reply(421, "going down", "4.3.2")

    link = Link(Full())
    with link.connect() as client:
        outcome = client.send(None, BOB, MESSAGE)
        assert outcome.recipients[0].status.value == "refused for now"
        with pytest.raises(Exception, match="CLOSED"):
            client.send(None, BOB, MESSAGE)


def test_a_greeting_that_refuses():
    class Closed:
        def connected(self, session: Served) -> Reply:
            return Reply(554, "no mail here")

    link = Link(Closed())
    with pytest.raises(Refused), link.connect():
        pass
    assert exchanged(link)[-2:] == [("C", b"QUIT\r\n"), ("S", b"221 closing connection\r\n")]


def test_a_handler_that_fails():
    error = RuntimeError("boom")

    class Broken(Keeper):
        def rcpt(self, session: Served, command: Any) -> None:
            raise error

    link = Link(Broken())
    with link.connect() as client:
        assert client.send(None, BOB, MESSAGE).recipients[0].status.value == "refused for now"
    assert link.errors == [error]


def test_an_async_handler_that_waits_for_nothing():
    class Async:
        async def rcpt(self, session: Served, command: Any) -> Reply | None:
            return Reply(550, "no") if command.recipient.local_part == "eve" else None

        async def message(self, session: Served) -> str:
            return "kept"

    with Link(Async()).connect() as client:
        outcome = client.send(None, [*BOB, "eve@hamburger.edu"], MESSAGE)
    assert [each.status.value for each in outcome.recipients] == ["accepted", "refused"]


def test_an_async_handler_that_waits_cannot_do_so_here():
    import asyncio

    class Waiting:
        async def rcpt(self, session: Served, command: Any) -> None:
            await asyncio.sleep(0)

    link = Link(Waiting())
    with link.connect() as client:
        client.send(None, BOB, MESSAGE)
    assert [type(error) for error in link.errors] == [TypeError]


def test_many_connections_share_a_clock():
    clock = Clock(100.0)
    links = [Link(Keeper(), latency=1.0, clock=clock) for _ in range(3)]
    for link in links:
        with link.connect() as client:
            assert client.send(None, BOB, MESSAGE).all_accepted
    assert clock.now > 100.0 + 3 * 4.0


def test_the_options_of_a_server():
    handler = Keeper()
    link = Link(handler, size=100, limits=ServerLimits(errors=1))
    with link.connect() as client:
        assert client.send(None, BOB, [b"x" * 98 + b"\r\n"] * 2).recipients[0].status.value == "refused"
    assert handler.events == ["connected", "aborted", "closed"]


def test_no_more_is_read_than_asked_for():
    end = _End("client")
    end.arriving.extend([(1.0, b"abc"), (2.0, b"defg"), (9.0, b"h"), (9.0, b"")])
    taken = []
    for most, now in ((2, 2.0), (4, 2.0), (0, 2.0), (5, 9.0), (5, 9.0)):
        end.wait(Read(5.0, most=most), now)
        taken.append(end.turn(now))
    assert taken == [b"ab", b"cdef", b"g", b"h", b""]
