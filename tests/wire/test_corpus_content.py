"""How other projects' tests have content stuffed, found and unstuffed."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import BareNewlines
from smtpcore.wire.content import DotStuffer
from smtpcore.wire.meter import ContentMeter
from tests.corpus import vectors
from tests.wire.feeding import stuff, unstuff
from tests.wire.records import check_list, judge

DEVIATIONS = {
    "dot_codec-00054": "RFC 5321 s2.3.8: a bare LF is refused, not made CRLF, unless NORMALIZE is chosen",
    "dot_codec-00155": "RFC 5321 s2.3.8: a bare CR is refused, not sent",
    "dot_codec-00058": "RFC 5321 s4.1.1.4: content that does not end in CRLF gets one, it is not refused",
    "dot_codec-00149": "RFC 5321 s2.3.8: a bare CR makes the message refused, where the source hands it on",
}


def parts_of(row: dict[str, Any]) -> list[bytes]:
    return [part.encode() for part in row.get("chunks") or [row["input"]]]


def encoded(row: dict[str, Any]) -> str:
    sent = stuff(parts_of(row))
    if sent is None:
        return "" if "error" in row else "refused"
    if "error" in row:
        return f"sent as {sent!r}"
    expected = row["expected"].encode()
    if row["kind"] == "encode-noterm":
        expected += b".\r\n"
    return "" if sent == expected else f"sent as {sent!r}"


def decoded(row: dict[str, Any]) -> str:
    kind, parts = row["kind"], parts_of(row)
    if kind == "decode-noterm":
        parts.append(b".\r\n")
    received = unstuff(parts)
    limit = [int(option[4:]) for option in row.get("options", []) if option.startswith("max=")]
    too_big = bool(limit) and ContentMeter(limit[0], 65_536).feed(received.content) != received.content
    refused = received.bare >= 0 or too_big or not received.eof
    if "error" in row:
        return "" if refused else f"received as {received}"
    if refused:
        return f"refused: {received}"
    if row.get("remainder") is not None and received.rest != row["remainder"].encode():
        return f"rest {received.rest!r}"
    if kind == "frame":  # what it has is still stuffed, and with its end
        return "" if received == unstuff([row["expected"].encode() + received.rest]) else f"received as {received}"
    if row["expected"] is None:
        return ""
    expected = row["expected"].encode()
    if kind == "decode-lf":
        expected = expected.replace(b"\n", b"\r\n")
    return "" if received.content == expected else f"received as {received}"


JUDGES = {
    "encode": encoded, "encode-noterm": encoded, "decode": decoded, "decode-lf": decoded, "decode-noterm": decoded,
    "decode-nounstuff": decoded, "frame": decoded,
}  # fmt: skip


@pytest.mark.parametrize("row", vectors("dot_codec"))
def test_content(row):
    judge(row, JUDGES[row["kind"]](row), DEVIATIONS)


def test_the_list():
    check_list("dot_codec", DEVIATIONS)


def test_newlines_are_mended_where_that_is_chosen():
    """What the first record of the list has, by the policy of that name."""
    writer = DotStuffer(BareNewlines.NORMALIZE)
    assert writer.stuff(b"abc\n.def\n.") + writer.finish() == b"abc\r\n..def\r\n..\r\n.\r\n"
