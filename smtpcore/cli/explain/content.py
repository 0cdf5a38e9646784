"""What there is to say about a content: its lines, its octets, its header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ...message.header import Header
from ...wire.command import Mail
from ...wire.tolerance import Defect
from .fields import explain_header
from .story import Step

__all__ = ["explain_content"]

_EIGHT: Final = re.compile(rb"[\x80-\xff]")
_BARE_END: Final = re.compile(rb"(?:(?<!\r)\n|\r(?!\n))\.(?:\r\n|\n|\r)|\r\n\.(?:\n|\r(?!\n))")
_LINE_RULE: Final = "RFC 5321 s4.5.3.1.6"
#: Octets of a content that are looked at for its header.
_HEADER: Final = 1_000_000


def explain_content(step: Step, content: bytes, mail: Mail | None, defects: Sequence[Defect]) -> None:
    """Say what the content is, and what is wrong with it: ``content`` as it was before it travelled.

    ``mail`` began its transaction; ``defects`` were found on the way.
    """
    header = Header.parse(content[:_HEADER])
    named = sum([1 for field in header if field.name])
    body = content[len(bytes(header)) :]
    lines = content.count(b"\r\n")
    step.say(f"The content: {len(content):,} octets in {lines:,} line{'' if lines == 1 else 's'}.", "RFC 5321 s2.3.9")
    for defect in defects:
        step.blame("client", defect.rule, f"{defect.why}, at offset {defect.where:,}")
    if _BARE_END.search(content):
        step.blame(
            "client",
            "RFC 5321 s2.3.8",
            "a dot between bare line ends: servers that take it for the end are fooled into a second message",
        )
    _check_octets(step, content, content[: len(content) - len(body)], body, mail)
    if not named or not header.fields[0].name:
        step.blame("client", "RFC 5322 s2.1", "the message does not begin with a header")
        return
    step.fields = explain_header(header)
    for name in ("date", "from"):
        if name not in header:
            step.blame("client", "RFC 5322 s3.6", f"the header has no {name.capitalize()} field")
    told = {finding.rule for row in step.fields for finding in row.defects}
    for defect in header.defects:
        if defect.rule not in told:
            step.blame("client", defect.rule, defect.why)


def _check_octets(step: Step, content: bytes, head: bytes, body: bytes, mail: Mail | None) -> None:
    if content.isascii():
        return
    parameters = {each.keyword: (each.text or "").upper() for each in mail.parameters.items} if mail else {}
    found = _EIGHT.search(content)
    at = found.start() if found else 0
    if not body.isascii() and parameters.get("BODY") not in {"8BITMIME", "BINARYMIME"}:
        step.blame("client", "RFC 6152 s3", f"octets beyond ASCII without BODY=8BITMIME, the first at offset {at:,}")
    if not head.isascii() and "SMTPUTF8" not in parameters:
        step.blame("client", "RFC 6531 s3.4", f"a header beyond ASCII without SMTPUTF8, the first at offset {at:,}")
