"""The server's side of a replay: each reply finds what it answers, and leads the machine on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, final

from ...errors import ParseError
from ...extensions import Auth, AuthResponse, StartTls
from ...extensions.auth import AUTH_LINE_LIMIT, decode_base64
from ...extensions.chunking import Bdat, BdatCommand
from ...table import Connect, EndOfContent, State
from ...wire.capabilities import Capabilities
from ...wire.command import Data, Ehlo, Helo, Lhlo, Mail, Quit, Rcpt, Rset
from ...wire.reply import Reply
from ...wire.secret import Secret, scrub
from .asking import HIDDEN, Asking
from .codes import explain_code, explain_enhanced
from .envelope import Envelope
from .exchange import Exchange
from .extensions import explain_capability
from .inbox import Unit
from .rules import check_reply
from .story import Step, Story

__all__ = ["Answers"]

#: Secrets that replies are searched for; where a log-in takes more than that, none of its replies shows its text.
_SECRETS: Final = 32
_EXTENDED: Final = frozenset((Ehlo, Lhlo))
_ENDING: Final = frozenset((Rset, Ehlo, Lhlo, Helo, Quit, StartTls))


@final
class Answers:
    """What the server has said, and what it means for the conversation."""

    def __init__(self, story: Story, asking: Asking) -> None:
        self._asking = asking
        self._envelope = Envelope(story)

    def show(self, step: Step, lines: Iterable[bytes]) -> None:
        """What the server said, without secrets that it repeats."""
        secrets = self._asking.secrets
        # The text alone: a challenge is one word, and no echo of what was sent.
        if len(secrets) > _SECRETS or sum(map(len, secrets)) > AUTH_LINE_LIMIT:
            lines = [line[:4] + HIDDEN for line in lines]
        elif secrets:
            lines = [_scrubbed(line, secrets) for line in lines]
        step.show(lines)

    def take(self, step: Step, reply: Reply, units: list[Unit]) -> None:
        """A whole reply, in these lines."""
        asking = self._asking
        exchange = self._find(step, reply, units)
        self.show(step, [unit.data[:-2] for unit in units])
        kind = exchange.kind if exchange else None
        step.before = step.after = asking.machine.state
        step.answers = "" if exchange is None or exchange.kind is Connect else exchange.label
        extended = kind in _EXTENDED and reply.code == 250 and len(reply.lines) > 1
        step.say(*explain_code(reply.code, Helo if kind in _EXTENDED and not extended else kind))
        if reply.code == 334 and (challenge := _challenge(reply)):
            step.say(f"The challenge says: {challenge}", "RFC 4954 s4")
        if reply.enhanced is not None:
            step.say(*explain_enhanced(reply.enhanced))
        check_reply(step, reply, exchange, asking.machine)
        if exchange is None:
            self._take_unasked(step, reply)
        else:
            self._settle(step, reply, exchange, units[-1].end_turn)
        step.after = asking.machine.state

    def _find(self, step: Step, reply: Reply, units: list[Unit]) -> Exchange | None:
        """What a reply answers; None where it answers nothing."""
        asking = self._asking
        exchange = asking.waiting
        if exchange is not None and exchange.kind is Connect and len(asking.inbox):
            if reply.code in {220, 421, 521, 554}:
                return exchange
            asking.skip_greeting()
            asking.machine.answer(Reply(220, "as if"))
            asking.advance()
            first = asking.waiting.step if asking.waiting else None
            (first or step).blame(
                "server", "RFC 5321 s4.3.1", "no greeting: the server sent none, or the transcript begins behind it"
            )
            exchange = asking.waiting
        if exchange is None and asking.machine.state is State.CONTENT and reply.code != 421:
            return asking.end_content(units[0].turn, units[0].line, reply.code)
        if exchange is None and reply.code != 421 and asking.take_loose_line():
            return asking.waiting
        return exchange

    def _take_unasked(self, step: Step, reply: Reply) -> None:
        if reply.code == 421:
            self._asking.machine.close()
        elif self._asking.machine.state is State.UPGRADING:
            step.blame(
                "server", "RFC 3207 s4.2", "a reply in the clear behind the one to STARTTLS, which must not count"
            )
        else:
            step.blame("server", "RFC 5321 s4.2", f"{reply.code} answers nothing: no command waits for a reply")

    def _settle(self, step: Step, reply: Reply, exchange: Exchange, turn: int) -> None:
        asking = self._asking
        machine, kind, digit = asking.machine, exchange.kind, reply.code // 100
        if kind in _EXTENDED and digit == 2:
            for line in reply.lines[1:]:
                step.say(*explain_capability(line))
            machine.learn(Capabilities.parse(reply.lines[1:]))
        self._note(exchange, reply)
        if exchange.due > 1 and reply.code != 421:
            exchange.due -= 1  # RFC 2033 s4.2: the next one is for the next recipient
            return
        if reply.code == 421:
            machine.close()  # RFC 5321 s3.8
        elif kind is Bdat:
            self._settle_chunk(exchange, digit)
        elif exchange.refusal is not None and kind is EndOfContent:
            machine.put(State.READY)
        elif exchange.refusal is None and kind is not None:
            if not machine.answer(reply) and not step.findings:
                step.blame("server", "RFC 5321 s4.3.2", f"{reply.code} is no answer to {exchange.label}")
        elif kind is not None and digit < 4:
            machine.lead(kind, exchange.command, digit)
        self._learn(step, exchange, digit)
        asking.settled(exchange, turn)

    def _settle_chunk(self, exchange: Exchange, digit: int) -> None:
        if exchange.command is not None:
            self._asking.machine.lead(type(exchange.command), exchange.command, 2 if digit == 2 else 5)

    def _learn(self, step: Step, exchange: Exchange, digit: int) -> None:
        asking = self._asking
        kind = exchange.kind
        if kind is Data and digit >= 4:
            asking.data_refused()
        if kind is Quit and digit == 2:
            asking.quits = True
        if kind is StartTls and digit == 2 and asking.machine.state is State.UPGRADING:
            dropped = asking.drop()
            if dropped:
                words = f"{dropped:,} octets in the clear behind STARTTLS, which must not count"
                (exchange.step or step).blame("client", "RFC 3207 s4.2", words)
        if kind in {Auth, AuthResponse} and digit == 2:
            step.say("From here on the client is who it said it is.")

    def _note(self, exchange: Exchange, reply: Reply) -> None:
        """What it means for the recipients."""
        envelope, kind, asking = self._envelope, exchange.kind, self._asking
        if kind is Mail and reply.code // 100 == 2:
            envelope.begin(exchange)
        elif kind is Rcpt:
            envelope.add(exchange, reply)
        elif kind is Data and reply.code // 100 == 3:
            envelope.send()
        elif kind is EndOfContent or (isinstance(exchange.command, BdatCommand) and exchange.command.last):
            envelope.judge(reply, all_of_them=not asking.lmtp)
        elif kind is Bdat:
            envelope.send()
        elif kind in _ENDING and reply.code // 100 == 2:
            envelope.end()
        asking.recipients = envelope.accepted

    def finish(self) -> None:
        """The transcript is over."""
        self._envelope.end()


def _scrubbed(line: bytes, secrets: Iterable[Secret]) -> bytes:
    code = line[:4] if line[:3].isdigit() else b""
    text = line[len(code) :].decode("utf-8", "surrogateescape")
    return code + scrub(text, secrets).encode("utf-8", "surrogateescape")


def _challenge(reply: Reply) -> str:
    """A challenge in clear, where it is text; the server says it to everybody."""
    try:
        octets = decode_base64(reply.lines[0])
    except ParseError:
        return ""
    text = octets.decode("ascii", "replace")
    return text if text.isascii() and text.isprintable() else ""
