"""Replay: a recorded conversation goes through the machines once more, and each step is told.

The client's octets go into a server machine, which reads them as a real server would, and is answered with the replies
that were recorded; the server's octets go into the reader that a client has, and each reply finds its command.
"""

from __future__ import annotations

from typing import Final, final

from ...errors import RemoteProtocolError
from ...table import State
from ...wire.reply import Reply, ReplyReader
from ..transcript_turn import CLIENT, NOTE, SERVER, TLS, Conversation, Turn
from .answers import Answers
from .asking import Asking
from .inbox import Inbox, Unit
from .story import Step, Story

__all__ = ["replay"]


def replay(conversation: Conversation, name: str, *, show_secrets: bool = False) -> Story:
    """The story of a conversation that stands in the file ``name``. Never raises for what was said in it."""
    player = _Replay(conversation, name, show_secrets)
    for number, turn in enumerate(conversation.turns):
        player.play(number, turn)
    return player.finish()


#: The first octets of a TLS record that begins a handshake (RFC 8446 s5.1).
_HANDSHAKE: Final = b"\x16\x03"
_LIMIT: Final = 1 << 40


@final
class _Replay:
    """Where a replay stands."""

    def __init__(self, conversation: Conversation, name: str, show_secrets: bool) -> None:
        self._conversation = conversation
        self._story = Story(name, conversation.title, conversation.form)
        self._asking = Asking(self._story, conversation, show_secrets)
        self._answers = Answers(self._story, self._asking)
        self._heard = Inbox()
        self._reader = _new_reader()
        self._reply: list[Unit] = []  # the lines of a reply so far
        self._sealed: dict[str, int] | None = None  # octets of each side that nobody can read
        self._after: Step | None = None  # where something came when all was over

    # -- turns --------------------------------------------------------------------------------

    def play(self, number: int, turn: Turn) -> None:
        asking = self._asking
        if turn.who == NOTE:
            self._note(number, turn)
        elif turn.who == TLS:
            asking.begin_tls()
            self._tell(number, turn.line, "The TLS handshake is done: the session begins.", "RFC 3207 s4.2")
        elif self._is_sealed(number, turn):
            return
        elif asking.machine.state is State.CLOSED:
            self._play_after(number, turn)
        elif turn.who == CLIENT:
            asking.inbox.append(turn.data, number, turn.line)
            asking.advance()
        else:
            self._heard.append(turn.data, number, turn.line)
            self._listen()

    def _note(self, number: int, turn: Turn) -> None:
        step = Step("note", (number, 0), turn.line, self._asking.machine.state)
        step.show([turn.data])
        self._story.steps.append(step)

    def _tell(self, number: int, line: int, words: str, rule: str = "") -> Step:
        step = Step("note", (number, 0), line, self._asking.machine.state)
        step.say(words, rule)
        self._story.steps.append(step)
        return step

    def _is_sealed(self, number: int, turn: Turn) -> bool:
        """Whether the octets are encrypted; begins TLS where they show that it is over, or readable."""
        if self._sealed is not None:
            self._sealed[turn.who] += len(turn.data)
            return True
        asking = self._asking
        state = asking.machine.state
        upgrading = state is State.UPGRADING
        at_once = state is State.CONNECTED and turn.data.startswith(_HANDSHAKE)
        if not upgrading and not at_once:
            return False
        if turn.who == SERVER and upgrading and turn.data[:3].isdigit():
            return False  # a reply in the clear, which nobody has asked for
        if turn.who == CLIENT and asking.is_readable(turn.data):
            asking.begin_tls()
            self._tell(
                number,
                turn.line,
                "The TLS handshake is done: the session begins anew. It was encrypted, and is readable here.",
                "RFC 3207 s4.2",
            )
            return False
        self._sealed = {CLIENT: 0, SERVER: 0, turn.who: len(turn.data)}
        self._after = self._tell(
            number,
            turn.line,
            "From here on the octets are those of TLS: nobody but the two ends can read them.",
            "RFC 3207 s4",
        )
        return True

    def _play_after(self, number: int, turn: Turn) -> None:
        """Something came when all was over."""
        if self._after is None or self._after.who != turn.who:
            self._after = Step("C" if turn.who == CLIENT else "S", (number, 0), turn.line, State.CLOSED)
            self._after.say("The conversation is over; this belongs to nothing.")
            side = "client" if turn.who == CLIENT else "server"
            if self._asking.quits or side == "server":
                self._after.blame(
                    "client" if side == "client" else "server", "RFC 5321 s4.1.1.10", "said behind the end"
                )
            self._story.steps.append(self._after)

    # -- the server's side --------------------------------------------------------------------

    def _listen(self) -> None:
        while (unit := self._heard.take_line()) is not None:
            self._read(unit)
        # A line without CRLF that a reply is made of is one all the same, for the telling.
        while (unit := self._heard.take_loose_line()) is not None:
            self._read(unit._replace(data=unit.data.rstrip(b"\r\n") + b"\r\n"), loose=True)

    def _read(self, unit: Unit, *, loose: bool = False) -> None:
        self._reply.append(unit)
        self._reader.receive(unit.data)
        try:
            reply = self._reader.next_reply()
        except RemoteProtocolError as error:
            self._broken(str(error))
            return
        if reply is None:
            return
        self._finish_reply(reply, loose)

    def _finish_reply(self, reply: Reply, loose: bool) -> None:
        units, self._reply = self._reply, []
        step = Step("S", (units[0].turn, units[0].start), units[0].line, self._asking.machine.state)
        self._story.steps.append(step)
        if loose:
            step.blame("server", "RFC 5321 s2.3.8", "a reply line that ends without CRLF")
        self._answers.take(step, reply, units)
        self._asking.advance()

    def _broken(self, why: str) -> None:
        """Octets that are no reply: nobody knows which reply comes next, but the telling goes on behind them."""
        units, self._reply = self._reply, []
        step = Step("S", (units[0].turn, units[0].start), units[0].line, self._asking.machine.state)
        self._answers.show(step, [unit.data[:-2] for unit in units])
        step.say("This is no reply.", "RFC 5321 s4.2")
        words, _, rule = why.rpartition(" (")
        step.blame("server", rule.removesuffix(")") or "RFC 5321 s4.2", words.partition(": b")[0])
        self._story.steps.append(step)
        self._reader = _new_reader()

    # -- the end ------------------------------------------------------------------------------

    def finish(self) -> Story:
        story, asking = self._story, self._asking
        if self._sealed is not None and self._after is not None:
            self._after.say(
                f"{self._sealed[CLIENT]:,} octets of the client and {self._sealed[SERVER]:,} of the server."
            )
        if self._reply or len(self._heard):
            self._cut()
        asking.finish()
        self._answers.finish()
        # What was left out of a transcript has no octets, and comes before the reply to it.
        story.steps.sort(key=lambda step: (step.order[0], step.who != "note", step.order[1] >= 0))
        return story

    def _cut(self) -> None:
        """The transcript ends within a reply."""
        rest = self._heard.take(_LIMIT)
        units = [*self._reply, rest] if rest else self._reply
        step = Step("S", (units[0].turn, units[0].start), units[0].line, self._asking.machine.state)
        self._answers.show(step, [unit.data.removesuffix(b"\r\n") for unit in units])
        step.say("The transcript ends within this reply.")
        self._story.steps.append(step)


def _new_reader() -> ReplyReader:
    return ReplyReader(_LIMIT, _LIMIT, _LIMIT)
