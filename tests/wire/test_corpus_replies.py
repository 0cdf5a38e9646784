"""How other projects' tests, and real servers, have replies written."""

from __future__ import annotations

import re
from typing import Any

import pytest

from smtpcore import Capabilities, EnhancedCode, ParseError, Reply
from tests.corpus import vectors
from tests.wire.feeding import read_replies
from tests.wire.oracles import splits
from tests.wire.records import check_list, judge

DEVIATIONS = {
    "replies-00017": "RFC 2034 s4: an enhanced code of another class than the reply's is none, and each line has it",
    "replies-00053": "RFC 5321 s4.2: every line of a reply begins with its code",
    "replies-00134": "RFC 5321 s4.2: a code begins with 2, 3, 4 or 5",
    "replies-00157": "RFC 2034 s4: an enhanced code of another class than the reply's is none",
    "replies-00235": "RFC 5321 s4.2: lines that were joined are no reply any more",
    "replies-00343": "RFC 5321 s4.2: lines that were joined are no reply any more",
}
#: A line of a reply that goes on, without the rest of it.
BEGUN = ("reply-line", "reply")
KEYWORDS = {"FUTURE_RELEASE": "FUTURERELEASE", "MT_PRIORITY": "MT-PRIORITY"}


def stream_of(row: dict[str, Any]) -> list[bytes]:
    """What the server sends: tables of the sources write LF for CRLF, and leave the last one out."""
    parts = row.get("chunks") or [row["input"]]
    octets = [part.replace("\r\n", "\n").replace("\n", "\r\n").encode() for part in parts]
    return octets if octets[-1].endswith(b"\n") else [*octets, b"\r\n"]


def reply_of(row: dict[str, Any]) -> tuple[Reply | None, str]:
    """The reply, or why there is none; the same for every cut."""
    stream = b"".join(stream_of(row))
    results = [read_replies(parts) for parts in [stream_of(row), *splits(stream)]]
    assert all(result == results[0] for result in results)
    read = results[0]
    if len(read.replies) == 1 and not read.failure:
        return read.replies[0], ""
    return None, read.failure or f"{len(read.replies)} replies, {'more' if read.pending else 'nothing'} to come"


def facts(row: dict[str, Any], reply: Reply) -> str:
    """What the source says of a reply, where it says so in a form that can be compared."""
    said = row.get("parsed") or {}
    code = str(said.get("code") or row["input"][:3])
    if str(reply.code) != code:
        return f"code {reply.code}"
    if "enhanced" in said and (str(reply.enhanced) if reply.enhanced else None) != said["enhanced"]:
        return f"enhanced code {reply.enhanced}"
    if found := re.search(r'message: "([^"]*)"', said.get("rust", "")):
        if reply.text != found[1]:
            return f"text {reply.text!r}"
    if found := re.search(r"class: ([0-9]), subject: ([0-9]+), detail: ([0-9]+)", said.get("rust", "")):
        if str(reply.enhanced) != ".".join(found.groups()):
            return f"enhanced code {reply.enhanced}"
    if "asserts" in said and f"'{reply.text}', message" not in said["asserts"]:
        return f"text {reply.text!r}"
    if row["kind"] == "ehlo":
        offered = Capabilities.parse(reply.lines[1:])
        if [str(line) for line in offered] != list(reply.lines[1:]):
            return f"offers {offered}"
        named = re.findall(r"EXT_([A-Z_]+)", said.get("rust", ""))
        if [name for name in named if KEYWORDS.get(name, name) not in offered]:
            return f"offers {offered}"
    return ""


def whole(row: dict[str, Any]) -> str:
    reply, failure = reply_of(row)
    if row.get("valid") is False:
        return f"read as {reply}" if reply else ""
    if reply is None:
        begun = row["kind"] in BEGUN and row["input"][3:4] == "-" and "more to come" in failure
        return "" if begun and row["input"].rstrip().count("\n") == 0 else failure
    return facts(row, reply)


def code(row: dict[str, Any]) -> str:
    try:
        Reply(int(row["input"]))
    except ValueError:
        return "" if not row["valid"] else "refused"
    return "" if row["valid"] else "taken"


def enhanced(row: dict[str, Any]) -> str:
    try:
        EnhancedCode.parse(row["input"])
    except ParseError:
        return "" if not row.get("valid") else "refused"
    return "" if row.get("valid") else "taken"


def offered(row: dict[str, Any]) -> str:
    """The text of an EHLO reply; of ``AUTH=`` there counts what no other line says."""
    lines = [line.strip() for line in row["input"].split("\n")]
    capabilities = Capabilities.parse(lines[1:])
    named = [line for line in lines[1:] if line]
    mechanisms = [line[5:] for line in named if line.startswith("AUTH ")] or [
        line[5:] for line in named if line.startswith("AUTH=")
    ]
    if mechanisms and capabilities.argument("AUTH") != mechanisms[0]:
        return f"offers {capabilities}"
    return "" if bool(named) == bool(len(capabilities)) else f"offers {capabilities}"


def written(row: dict[str, Any]) -> str:
    """One line of a reply of two; the source builds lines, and this package whole replies."""
    found = re.search(r'text: MaybeUtf8::Ascii\("([^"]*)"\)', row["input"])
    assert found
    line, *_ = bytes(Reply(551, [found[1], ""], "5.7.1")).split(b"\r\n")
    return "" if line + b"\r\n" == row["parsed"]["wire"].encode() else f"written {line!r}"


JUDGES = {
    "reply": whole, "reply-line": whole, "ehlo": whole, "diagnostic-text": whole, "reply-code": code,
    "enhanced-code": enhanced, "ehlo-text": offered, "serialize": written,
}  # fmt: skip


@pytest.mark.parametrize("row", vectors("replies"))
def test_replies(row):
    judge(row, JUDGES[row["kind"]](row), DEVIATIONS)


def test_the_list():
    check_list("replies", DEVIATIONS)
