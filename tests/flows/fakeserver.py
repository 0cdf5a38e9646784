"""A server that answers as it is told, over a machine of the client's: lines in, replies out, no grammar of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from smtpcore import ClientConnection
from smtpcore.flows.client import open_session
from smtpcore.flows.content import Content, octets_of
from smtpcore.flows.effect import Await, Close, Effect, Flow, Handshake, Read, Write
from smtpcore.flows.options import send
from smtpcore.flows.outcome import Outcome
from tests.flows.driving import Played, at_once, play

END = b"\r\n.\r\n"


class Cut:
    """In place of a reply: what the client's next read meets, now and ever after."""

    def __init__(self, what: bytes | BaseException) -> None:
        self.what = what

    def __repr__(self) -> str:
        return "Cut" + (repr(type(self.what).__name__) if isinstance(self.what, BaseException) else repr(self.what))


Answer = str | Cut


class FakeServer:
    """Answers each verb in turn from a list; the last answer stands for all that follow. ``lines`` is what came."""

    def __init__(self, **answers: Answer | Sequence[Answer]) -> None:
        self.answers: dict[str, deque[Answer]] = {
            verb: deque([given] if isinstance(given, (str, Cut)) else given) for verb, given in answers.items()
        }
        self.lines: list[bytes] = []
        self.contents: list[bytes] = []
        self.turns = 0  # how often the client had to wait
        self._content: bytearray | None = None
        self.chunks: list[bytes] = []
        self._chunk: tuple[int, bool] | None = None
        self._input = bytearray()
        self._output: list[bytes] = []
        self._cut: bytes | BaseException | None = None

    def write(self, data: bytes) -> None:
        self._input += data
        while True:
            if self._chunk is not None:
                size, last = self._chunk
                if len(self._input) < size:
                    return
                self.chunks.append(bytes(self._input[:size]))
                del self._input[:size]
                self._chunk = None
                self._answer("last" if last else "bdat")
            elif self._content is not None:
                whole = b"\r\n" + self._input  # the first line may be the dot
                at = whole.find(END)
                if at < 0:
                    return
                self.contents.append(bytes(self._input[:at]))
                del self._input[: at + len(END) - 2]
                self._content = None
                self._answer("end")
            else:
                line, found, rest = self._input.partition(b"\r\n")
                if not found:
                    return
                self._input = rest
                self.lines.append(bytes(line))
                if line[:5] == b"BDAT ":
                    self._chunk = (int(line.split()[1]), line.endswith(b" LAST"))
                else:
                    self._answer(line[:4].decode().lower())

    def _answer(self, verb: str) -> None:
        given = self.answers.get(verb, deque(["500 what?"]))
        answer = given.popleft() if len(given) > 1 else given[0]
        if self._cut is not None:
            return
        if isinstance(answer, Cut):
            self._cut = answer.what
            return
        for each in answer.split("|"):  # LMTP: one for each recipient
            self._output.append(each.encode() + b"\r\n")
        if verb == "data" and answer.startswith("3"):
            self._content = bytearray()

    def read(self) -> bytes | BaseException:
        self.turns += 1
        if self._output:
            data = b"".join(self._output)
            self._output.clear()
            return data
        assert self._cut is not None, f"the client waits for ever, after {self.lines}"
        return self._cut

    def run(self, flow: Flow[Any], write_error: tuple[int, BaseException] | None = None) -> Played:
        """Run a script against this server; the nth write may fail."""
        played = Played()
        value: Any = None
        while True:
            try:
                effect: Effect = flow.throw(value) if isinstance(value, BaseException) else flow.send(value)
            except StopIteration as stop:
                played.result, played.ended = stop.value, True
                return played
            except BaseException as error:
                played.error, played.ended = error, True
                return played
            played.effects.append(effect)
            value = None
            match effect:
                case Write():
                    if write_error and len(played.writes) == write_error[0]:
                        value = self._cut = write_error[1]  # and nothing is heard any more either
                    else:
                        self.write(effect.data)
                case Read():
                    value = self.read()
                case Await():
                    try:
                        value = at_once(effect.awaitable)
                    except Exception as error:
                        value = error
                case Close():
                    pass
                case Handshake():
                    raise AssertionError("no handshake is expected")


def connected(*offered: str, **options: Any) -> ClientConnection:
    """A client's machine behind EHLO."""
    machine = ClientConnection(**options)
    lines = "".join(f"250-{keyword}\r\n" for keyword in ("hamburger.edu", *offered))
    play(open_session(machine, "crepes.fr", "none"), b"220 hi\r\n", f"{lines}250 HELP\r\n".encode()).value()
    return machine


def friendly(**answers: Answer | Sequence[Answer]) -> FakeServer:
    """One that accepts what it is not told to refuse."""
    usual: dict[str, Any] = {
        "mail": "250 ok", "rcpt": "250 ok", "data": "354 go", "end": "250 taken", "rset": "250 ok", "quit": "221 bye",
        "noop": "250 ok", "bdat": "250 ok", "last": "250 taken",
    }  # fmt: skip
    return FakeServer(**{**usual, **answers})


def names(count: int) -> list[str]:
    return [f"bob{number}@hamburger.edu" for number in range(count)]


def submitted(
    machine: ClientConnection,
    server: FakeServer,
    recipients: Sequence[str] | int = 1,
    content: Content = b"Subject: crepes\r\n\r\nHello\r\n",
    sender: str | None = "alice@crepes.fr",
    write_error: tuple[int, BaseException] | None = None,
    **options: Any,
) -> Played:
    """What became of a message that was sent to the server."""
    to = names(recipients) if isinstance(recipients, int) else recipients
    try:
        flow = send(machine, sender, to, content, options)  # type: ignore[arg-type]  # options as given
    except Exception as error:
        return Played(error=error, ended=True)
    return server.run(flow, write_error)


def statuses(outcome: Outcome) -> list[str]:
    return [each.status.value for each in outcome.recipients]


__all__ = [
    "Cut", "FakeServer", "connected", "friendly", "names", "octets_of", "statuses", "submitted",
]  # fmt: skip
