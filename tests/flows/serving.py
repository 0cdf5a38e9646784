"""The script of a server on stage: lines go in, what it says comes out, and its handler's calls are on record."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Generator
from typing import Any

from smtpcore import ServerConnection
from smtpcore.flows.effect import Effect, Read
from smtpcore.flows.handler import Served
from smtpcore.flows.options import prepare_server
from smtpcore.flows.server import serve_connection
from tests.flows.driving import Stage

METHODS = (
    "connected",
    "mail",
    "rcpt",
    "data",
    "content",
    "message",
    "aborted",
    "command",
    "authenticate",
    "atrn",
    "relayed",
    "burl",
    "etrn",
    "trusts",
    "xclient",
    "xforward",
    "closed",
)
#: What changes how a server behaves by being there.
OPTIONAL = ("atrn", "authenticate", "burl", "etrn", "trusts", "xclient", "xforward")
MAIL, RCPT, DATA = b"MAIL FROM:<alice@crepes.fr>\r\n", b"RCPT TO:<bob@hamburger.edu>\r\n", b"DATA\r\n"
EHLO, QUIT, RSET, NOOP = b"EHLO crepes.fr\r\n", b"QUIT\r\n", b"RSET\r\n", b"NOOP\r\n"
BODY = b"Subject: crepes\r\n\r\nHello\r\n"
END = b".\r\n"


class Patient:
    """An awaitable that is no coroutine."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work

    def __await__(self) -> Generator[Any, None, Any]:
        yield from ()
        return self._work()


Way = Callable[[Callable[..., Any]], Callable[..., Any]]


def plain(work: Callable[..., Any]) -> Callable[..., Any]:
    return work


def coroutine(work: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    async def method(*args: Any) -> Any:
        return work(*args)

    return method


def awaitable(work: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    def method(*args: Any) -> Awaitable[Any]:
        return Patient(lambda: work(*args))

    return method


WAYS: dict[str, Way] = {"plain": plain, "async": coroutine, "awaitable": awaitable}


class Scripted:
    """A handler with these methods; each answer is a value, an exception to raise, or what to call."""

    def __init__(self, *, way: Way = plain, only: tuple[str, ...] | None = None, **answers: Any) -> None:
        self.calls: list[str] = []
        self.args: list[tuple[Any, ...]] = []
        self.content_seen = b""
        for name in METHODS if only is None else only:
            if name not in OPTIONAL or name in answers:
                setattr(self, name, way(self._method(name, answers.get(name))))

    def _method(self, name: str, answer: Any) -> Callable[..., Any]:
        def method(session: Served, *args: Any) -> Any:
            self.calls.append(name)
            self.args.append(args)
            if name == "content":
                self.content_seen += args[0]
            if isinstance(answer, BaseException):
                raise answer
            return answer(session, *args) if callable(answer) else answer

        return method

    def count(self, name: str) -> int:
        return self.calls.count(name)


class Hall:
    """One connection to a server script."""

    def __init__(self, handler: object = None, *, tls: Any = "none", **options: Any) -> None:
        self.reported: list[BaseException] = []
        handler = handler or object()
        options = {"hostname": "hamburger.edu", **options}
        settings, self.control = prepare_server(handler, tls, self.reported.append, options)  # type: ignore[arg-type]  # a handler of any shape is served
        self.machine = ServerConnection.from_settings(settings, tls=tls == "implicit")
        self.session = Served(self.machine, ("192.0.2.1", 4711))
        self.stage = Stage(serve_connection(self.machine, handler, self.session, self.control))
        self.waits: Effect | None = self.stage.start()
        self._seen = 0

    def say(self, *turns: bytes | BaseException | None) -> str:
        """Feed each, and return what was said in answer."""
        for turn in turns:
            assert not self.ended, "the script has ended"
            self.waits = self.stage.go_on(turn)
        return self.said()

    def said(self) -> str:
        """What was written since this was last asked."""
        written = self.stage.played.written
        new, self._seen = written[self._seen :], len(written)
        return new.decode()

    @property
    def ended(self) -> bool:
        return self.stage.played.ended

    @property
    def closed(self) -> bool:
        return self.ended and self.stage.played.closed

    @property
    def read(self) -> Read:
        """What it waits for."""
        assert isinstance(self.waits, Read)
        return self.waits

    def ready(self) -> Hall:
        """Behind EHLO."""
        self.say(EHLO)
        return self

    def in_content(self) -> Hall:
        """Behind DATA."""
        self.ready()
        assert codes(self.say(MAIL, RCPT, DATA)) == [250, 250, 354]
        return self


def codes(replies: str) -> list[int]:
    """The codes of replies, one for each."""
    return [int(code) for code in re.findall(r"^(\d{3})(?: .*)?\r$", replies, re.MULTILINE)]
