"""A story as plain text, within 96 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import Final

from ..terminal import visible
from .story import FieldRow, Finding, Message, Remark, Step, Story

__all__ = ["FORMS", "said_by", "tell", "tell_summary"]

WIDTH: Final = 96
_MARGIN: Final = 8
#: A space that no line is broken at; none comes from the transcript, where it is shown as an escape.
_JOINED: Final = "\xa0"
#: Characters of an explanation that are shown: lines are filled word by word, and a word may be as long as a file.
_LONG: Final = 1000
_STYLES: Final = {"C": "cyan", "S": "green", "note": "dim"}
_BAD: Final = "bold red"
_VERDICTS: Final = {"accepted": "green", "refused": "red", "deferred": "yellow", "not sent": "red", "unknown": "yellow"}

FORMS: Final = {
    "transcript": "dialogue",
    "swaks": "output of swaks",
    "postfix": "log of Postfix",
    "tshark": "captured connection",
}

Line = tuple[str, str]


def said_by(who: str) -> str:
    """The mark before a line."""
    return {"C": "C: ", "S": "S: "}.get(who, "   ")


def tell(story: Story) -> Iterator[Line]:
    """The whole story: lines with their styles."""
    title = f", {story.title}" if story.title else ""
    yield visible(f"{story.name}: {FORMS[story.form]}{title}"), "bold"
    yield "", ""
    for step in story.steps:
        yield from _tell_step(step)
        yield "", ""
    yield from tell_summary(story)


def _tell_step(step: Step) -> Iterator[Line]:
    states = step.before.value if step.before is step.after else f"{step.before.value} -> {step.after.value}"
    number = f"{step.line:>4} "
    first = True
    for line in step.lines or [""]:
        shown = visible(line, "")
        for piece in _cut(said_by(step.who) + shown, WIDTH - len(number)):
            text = number + piece
            if first:
                room = WIDTH - len(states) - 2
                if len(text) > room:
                    yield states.rjust(WIDTH), "dim"
                else:
                    text = text.ljust(room) + "  " + states
            yield text.rstrip(" "), _STYLES[step.who]
            number, first = " " * 5, False
    if step.more:
        yield f"{'':8}... {step.more:,} lines more", "dim"
    for remark in step.remarks:
        yield from _explained(remark)
    for row in step.fields:
        yield from _tell_field(row)
    for finding in step.findings:
        yield from _wrapped(f"! {finding.by}: {finding.why}", _BAD, _MARGIN, 2, finding.rule)


def _explained(remark: Remark) -> Iterator[Line]:
    return _wrapped(remark.text, "", _MARGIN, 2, remark.rule)


def _tell_field(row: FieldRow) -> Iterator[Line]:
    name = f"{row.name}: " if row.name else ""
    yield from _wrapped(f"| {name}{row.value}", "dim", _MARGIN, 4)
    yield from _wrapped(row.meaning.text, "", _MARGIN + 4, 2, row.meaning.rule)
    for defect in row.defects:
        yield from _wrapped(f"! {defect.by}: {defect.why}", _BAD, _MARGIN + 4, 2, defect.rule)


def tell_summary(story: Story) -> Iterator[Line]:
    """What became of each recipient, and what was wrong."""
    for message in story.messages:
        yield from _tell_message(message)
    found = list(story.findings())
    if not found:
        yield "No rule was broken.", "green"
        yield "", ""
        return
    yield f"{len(found)} {'violation' if len(found) == 1 else 'violations'}:", _BAD
    for step, finding in found:
        yield from _tell_finding(step, finding)
    yield "", ""


def _tell_message(message: Message) -> Iterator[Line]:
    yield from _wrapped(f"Message from {message.sender}:", "bold", 0, 2)
    for recipient in message.recipients:
        words = f"{recipient.path}  {recipient.verdict}  {recipient.words}"
        yield from _wrapped(words, _VERDICTS[recipient.verdict], 2, 4)
    if not message.recipients:
        yield "  no recipient was named", "dim"
    yield "", ""


def _tell_finding(step: Step, finding: Finding) -> Iterator[Line]:
    return _wrapped(f"line {step.line}, {finding.by}: {finding.why}", _BAD, 2, 2, finding.rule)


def _wrapped(text: str, style: str, margin: int, hanging: int = 0, rule: str = "") -> Iterator[Line]:
    """A text in lines that begin in column ``margin``, those after the first further in; ``rule`` stays on one line."""
    held = f" [{rule.replace(' ', _JOINED)}]" if rule else ""
    lines: Iterable[str] = wrap(
        visible(text[:_LONG]) + held,
        WIDTH,
        initial_indent=" " * margin,
        subsequent_indent=" " * (margin + hanging),
        break_on_hyphens=False,
    )
    for line in lines:
        yield line.replace(_JOINED, " "), style


def _cut(text: str, width: int) -> Iterator[str]:
    """A line of the transcript in pieces; it is cut anywhere, since its spaces may mean something."""
    yield text[:width]
    for start in range(width, len(text), width - 4):
        yield "    " + text[start : start + width - 4]
