"""A story as one HTML page that needs nothing else: no script, no font, no picture from anywhere.

Whatever comes from the transcript goes through :func:`escaped`, and the page forbids its browser to load or run
anything, should that ever fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from ..terminal import visible
from .report import FORMS
from .story import FieldRow, Finding, Message, Remark, Step, Story
from .style import STYLE

__all__ = ["escaped", "write_page"]

_RULE: Final = re.compile(r"RFC ([0-9]{3,5})(?: s([0-9A-Z]+(?:\.[0-9]+)*))?")
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_WHO: Final = {"C": "client", "S": "server", "note": "note"}


def escaped(text: str) -> str:
    """Text from anywhere, harmless in HTML: controls shown as escapes, and no character that means markup."""
    return escape(visible(text), quote=True)


def write_page(stories: Iterable[Story]) -> str:
    """The page, whole."""
    held = list(stories)
    title = escaped(f"{held[0].name}: an SMTP conversation explained" if held else "")
    parts = [
        "<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n",
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n',
        '<meta name=viewport content="width=device-width, initial-scale=1">\n',
        "<meta name=referrer content=no-referrer>\n",
        f"<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
    ]
    for number, story in enumerate(held, 1):
        parts += _story(story, number)
    parts.append("</main>\n<footer>Written by <code>smtpcore explain</code>.</footer>\n</body>\n</html>\n")
    return "".join(parts)


def _story(story: Story, number: int) -> Iterator[str]:
    found = list(story.findings())
    names = {id(step): f"s{number}-{place}" for place, step in enumerate(story.steps, 1)}
    yield f"<header>\n<h1>{escaped(story.name)}</h1>\n"
    title = f" {escaped(story.title)}," if story.title else ""
    yield f"<p class=about>{escaped(FORMS[story.form]).capitalize()},{title} {len(story.steps)} steps</p>\n</header>\n"
    yield "<section class=summary>\n"
    yield _verdict(found)
    for message in story.messages:
        yield from _message(message)
    if found:
        yield "<h2>What was wrong</h2>\n<ol class=findings>\n"
        for step, finding in found:
            where = f"<a href=#{names[id(step)]}>line {step.line}</a>"
            yield f"<li><span class=by>{finding.by}</span> {escaped(finding.why)} {_rule(finding.rule)} {where}</li>\n"
        yield "</ol>\n"
    yield "</section>\n<h2>The dialogue</h2>\n"
    yield "<div class=sides aria-hidden=true><span>Client</span><span>Server</span></div>\n<div class=dialogue>\n"
    for step in story.steps:
        yield from _step(step, names[id(step)])
    yield "</div>\n"


def _verdict(found: list[tuple[Step, Finding]]) -> str:
    if not found:
        return "<p class='verdict good'>No rule was broken.</p>\n"
    by = {finding.by for _, finding in found}
    who = "both sides" if len(by) == 2 else f"the {by.pop()}"
    count = f"{len(found)} violation{'' if len(found) == 1 else 's'}"
    return f"<p class='verdict bad'><strong>{count}</strong> by {who}.</p>\n"


def _message(message: Message) -> Iterator[str]:
    yield f"<h2>Message from <code>{escaped(message.sender)}</code></h2>\n"
    if not message.recipients:
        yield "<p>No recipient was named.</p>\n"
        return
    yield "<table class=outcome>\n<thead><tr><th>Recipient<th>Outcome<th>Reply</tr></thead>\n<tbody>\n"
    for recipient in message.recipients:
        kind = recipient.verdict.replace(" ", "-")
        yield (
            f"<tr><td><code>{escaped(recipient.path)}</code><td><span class='chip {kind}'>{recipient.verdict}</span>"
            f"<td>{escaped(recipient.words)}</tr>\n"
        )
    yield "</tbody>\n</table>\n"


def _step(step: Step, name: str) -> Iterator[str]:
    bad = " bad" if step.findings or any(row.defects for row in step.fields) else ""
    yield f"<article class='step {_WHO[step.who]}{bad}' id={name}>\n"
    states = _chip(step.before.value)
    if step.after is not step.before:
        states += f"<span class=arrow>&rarr;</span>{_chip(step.after.value)}"
    yield f"<p class=where><span>line {step.line}</span><span class=states>{states}</span></p>\n"
    if step.lines:
        shown = "\n".join([escaped(line) for line in step.lines])
        more = f"\n<em>{step.more:,} lines more</em>" if step.more else ""
        yield f"<pre>{shown}{more}</pre>\n"
    if step.answers:
        yield f"<p class=answers>answers <code>{escaped(step.answers)}</code></p>\n"
    if step.remarks:
        yield f"<p>{_remark(step.remarks[0])}</p>\n"
    if len(step.remarks) > 1:
        rest = "".join([f"<li>{_remark(remark)}</li>\n" for remark in step.remarks[1:]])
        yield f"<ul>\n{rest}</ul>\n"
    for finding in step.findings:
        yield _finding(finding)
    if step.fields:
        yield from _fields(step.fields)
    yield "</article>\n"


def _fields(rows: Iterable[FieldRow]) -> Iterator[str]:
    yield "<table class=header>\n<thead><tr><th>Field<th>Value<th>Meaning</tr></thead>\n<tbody>\n"
    for row in rows:
        name = f"<code>{escaped(row.name)}</code>" if row.name else "<em>no field</em>"
        defects = "".join([_finding(each) for each in row.defects])
        yield f"<tr><th>{name}<td class=value>{escaped(row.value)}{defects}<td>{_remark(row.meaning)}</tr>\n"
    yield "</tbody>\n</table>\n"


def _chip(state: str) -> str:
    return f"<span class='chip {state}'>{state}</span>"


def _remark(remark: Remark) -> str:
    return f"{escaped(remark.text)} {_rule(remark.rule)}".rstrip(" ")


def _finding(finding: Finding) -> str:
    return f"<p class=finding><span class=by>{finding.by}</span> {escaped(finding.why)} {_rule(finding.rule)}</p>\n"


def _rule(rule: str) -> str:
    """A link to the section of the RFC."""
    found = _RULE.match(rule)
    if not found:
        return f"<span class=rule>{escaped(rule)}</span>" if rule else ""
    number, section = found.groups()
    kind = "section" if section is None or (section[0].isascii() and section[0].isdigit()) else "appendix"
    anchor = f"#{kind}-{section}" if section else ""
    address = f"https://www.rfc-editor.org/rfc/rfc{number}{anchor}"
    shown = f"RFC {number}&nbsp;&sect;{section}" if section else f"RFC {number}"
    return f'<a class=rule rel="noreferrer noopener" href="{address}">{shown}</a>'
