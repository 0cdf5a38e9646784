"""What there is to tell of a conversation: its steps, what was found in them, and what became of each recipient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple, TypeAlias, final

from ...table import State

__all__ = ["FieldRow", "Finding", "Message", "Recipient", "Remark", "Side", "Step", "Story", "Verdict"]

Side: TypeAlias = Literal["client", "server"]
Verdict: TypeAlias = Literal["accepted", "refused", "deferred", "not sent", "unknown"]

#: The longest content that is shown whole, in lines; the rest is counted.
SHOWN_LINES: Final = 60
#: Octets of a line that are shown.
SHOWN_LINE: Final = 1000


class Finding(NamedTuple):
    """A rule that somebody broke."""

    by: Side
    rule: str  #: Such as ``RFC 5321 s4.1.4``.
    why: str


class Remark(NamedTuple):
    """What something means, and where that is written; ``rule`` may be empty."""

    text: str
    rule: str = ""


class FieldRow(NamedTuple):
    """One header field, explained."""

    name: str  #: Empty for a line that is no field.
    value: str
    meaning: Remark
    defects: tuple[Finding, ...] = ()


class Recipient(NamedTuple):
    """What became of one RCPT."""

    path: str
    verdict: Verdict
    words: str  #: The reply that decided it, or why there is none.


class Message(NamedTuple):
    """One transaction and its outcome."""

    sender: str
    recipients: list[Recipient]


@final
class Step:
    """What one side said at one time: a command, a reply, a content; or what the transcript itself says."""

    __slots__ = ("after", "answers", "before", "fields", "findings", "line", "lines", "more", "order", "remarks", "who")

    def __init__(self, who: Literal["C", "S", "note"], order: tuple[int, int], line: int, before: State) -> None:
        self.who = who
        self.order = order  #: Where it began: which turn, which octet of that side.
        self.line = line  #: The line of the file.
        self.before = before  #: The state of the session when it was understood.
        self.after = before
        self.lines: list[str] = []  #: What was said, fit to be shown: without secrets, controls still in it.
        self.answers = ""  #: What a reply answers.
        self.more = 0  #: Further lines that are not shown.
        self.remarks: list[Remark] = []
        self.findings: list[Finding] = []
        self.fields: list[FieldRow] = []

    def show(self, lines: Iterable[bytes]) -> None:
        """Take what was said, line by line, without line ends."""
        for line in lines:
            if len(self.lines) >= SHOWN_LINES:
                self.more += 1
            else:
                self.lines.append(line[:SHOWN_LINE].decode("utf-8", "surrogateescape"))

    def say(self, text: str, rule: str = "") -> None:
        """What it means."""
        self.remarks.append(Remark(text, rule))

    def blame(self, by: Side, rule: str, why: str) -> None:
        """Who broke which rule; the same is said once."""
        finding = Finding(by, rule, why)
        if finding not in self.findings:
            self.findings.append(finding)


@final
class Story:
    """One conversation, explained."""

    __slots__ = ("form", "messages", "name", "steps", "title")

    def __init__(self, name: str, title: str, form: str) -> None:
        self.name = name  #: The file.
        self.title = title  #: Which conversation of several; may be empty.
        self.form = form
        self.steps: list[Step] = []
        self.messages: list[Message] = []

    def findings(self) -> Iterator[tuple[Step, Finding]]:
        """All that was found, in order, those of header fields too."""
        for step in self.steps:
            for finding in step.findings:
                yield step, finding
            for row in step.fields:
                for finding in row.defects:
                    yield step, finding
