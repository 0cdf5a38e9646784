"""The server over trio by itself: before it listens, closed within its block, and one port for several addresses."""

from __future__ import annotations

import socket
from typing import Any

import pytest

trio = pytest.importorskip("trio")

import smtpcore.adapters.trio as over_trio  # noqa: E402 - needs trio


def test_before_it_listens() -> None:
    async def main() -> None:
        server = over_trio.serve(object(), "127.0.0.1", 0)
        with pytest.raises(RuntimeError):
            server.address  # noqa: B018 - that it cannot be asked for is what is tested
        with pytest.raises(RuntimeError):
            await server.serve_forever()
        await server.close()

    trio.run(main)


class Slow:
    """A handler that never answers a message, and says when it was asked and when it was stopped."""

    def __init__(self) -> None:
        self.asked = trio.Event()
        self.calls: list[str] = []

    async def message(self, session: Any) -> None:
        self.asked.set()
        try:
            await trio.sleep_forever()
        finally:
            self.calls.append("stopped")

    def closed(self, session: Any) -> None:
        self.calls.append("closed")


def test_closed_within_its_block() -> None:
    """Who is idle hears 421, who is busy is cut behind the grace, and the block goes on."""
    handler = Slow()
    went_on = []

    async def main() -> None:
        async with over_trio.serve(handler, "127.0.0.1", 0) as server, trio.open_nursery() as nursery:
            nursery.start_soon(server.serve_forever)
            idle = await trio.open_tcp_stream(*server.address)
            busy = await trio.open_tcp_stream(*server.address)
            for stream in (idle, busy):
                assert (await stream.receive_some()).startswith(b"220 ")
            await busy.send_all(b"EHLO c.example\r\n")
            await busy.receive_some()
            await busy.send_all(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n")
            told = b""
            while b"354" not in told:
                told += await busy.receive_some()
            await busy.send_all(b"hello\r\n.\r\n")
            await handler.asked.wait()
            with trio.fail_after(5):
                await server.close(0.1)
            assert (await idle.receive_some()).startswith(b"421 ")
            assert await idle.receive_some() == b""
            with pytest.raises(OSError):
                await trio.open_tcp_stream(*server.address)
            await server.close()  # once is enough
            went_on.append(True)
            await idle.aclose()
            await busy.aclose()

    trio.run(main)
    assert went_on == [True]
    assert handler.calls.count("closed") == 2
    assert "stopped" in handler.calls


def test_a_name_with_several_addresses_has_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(host: object, port: int, *_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{last}", port)) for last in (1, 2)]

    monkeypatch.setattr(trio.socket, "getaddrinfo", resolve)

    async def main() -> None:
        async with over_trio.serve(object(), "somewhere", 0) as server:
            port = server.address[1]
            for last in (1, 2):
                stream = trio.SocketStream(trio.socket.socket())
                await stream.socket.connect((f"127.0.0.{last}", port))
                assert (await stream.receive_some()).startswith(b"220 ")
                await stream.aclose()

    trio.run(main)
