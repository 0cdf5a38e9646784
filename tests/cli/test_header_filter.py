"""What final delivery takes out of a header, and how often a message may have been passed on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore.cli.header_filter import HOPS, HeaderFilter
from smtpcore.flows.handler import Refusal
from smtpcore.message.header import Header
from smtpcore.wire.reply import Reply
from tests.cli.commandline import Talk, files, messages, serving, stuffed, untraced

HOP = b"Received: from a by b; Mon, 23 Nov 2026 20:20:17 +0100\r\n"


def passed(content: bytes, cuts: int = 0, *, strip: bool = True) -> bytes:
    """What comes out, where the content comes in pieces of so many octets."""
    header = HeaderFilter(strip=strip)
    step = cuts or len(content) or 1
    pieces = [header.receive(content[start : start + step]) for start in range(0, len(content), step)]
    return b"".join(pieces) + header.end()


TOKENS = [
    *[b"Return-Path", b"RETURN-path", b"Received", b"Subject", b"Return-Pathx", b"x-Return-Path", b":", b" ", b"\t"],
    *[b"\r\n", b"\r\n", b"\r\n ", b"\r\n\r\n", b"\r", b"\n", b"<a@b>", b"\xff", b"\0", b".", b"Return-Path: <a@b>\r\n"],
]


@given(st.lists(st.sampled_from(TOKENS), max_size=30).map(b"".join), st.integers(0, 7), st.booleans())
def test_it_is_the_header_without_those_fields(content, cuts, strip):
    """However it is cut: the parser of the whole is the oracle."""
    header, body = Header.split(content)
    kept = [field.raw for field in header if field.name.lower() != b"return-path"]
    expected = b"".join(kept) + header.end + body if strip else content
    assert passed(content, cuts, strip=strip) == expected


@pytest.mark.parametrize("cuts", [1, 2, 3, 0])
def test_return_path_is_left_out(cuts):
    content = (
        b"Return-Path: <a@b>\r\nSubject: x\r\nRETURN-PATH\t : \r\n <c@d>\r\n\t(folded)\r\nX: Return-Path: y\r\n"
        b" Return-Path: z\r\n\r\nReturn-Path: <in@body>\r\n"
    )
    assert passed(content, cuts) == (
        b"Subject: x\r\nX: Return-Path: y\r\n Return-Path: z\r\n\r\nReturn-Path: <in@body>\r\n"
    )


@pytest.mark.parametrize(
    ("content", "out"),
    [(b"", b""), (b"\r\nReturn-Path: x\r\n", b"\r\nReturn-Path: x\r\n"), (b"Return-Path: x", b""), (b"a\r", b"a\r")],
)
def test_contents_that_are_hardly_any(content, out):
    assert passed(content) == passed(content, 1) == out


@pytest.mark.parametrize("strip", [True, False])
def test_a_body_is_not_held(strip):
    header = HeaderFilter(strip=strip)
    assert header.receive(b"Subject: x\r\n\r") == b"Subject: x\r\n"
    assert header.receive(b"\nbody") == b"\r\nbody"
    body = b"x" * 100_000
    assert header.receive(body) is body
    assert header.end() == b""


def test_a_header_without_end_is_held_by_the_line():
    header = HeaderFilter(strip=True)
    for _ in range(100):
        assert header.receive(b"x" * 998 + b"\r\ny") in (b"x" * 998 + b"\r\n", b"y" + b"x" * 998 + b"\r\n")
    assert header.end() == b"y"


@pytest.mark.parametrize("name", [b"Received", b"RECEIVED ", b"received\t"])
@pytest.mark.parametrize("cuts", [1, 0])
def test_hops_are_counted(name, cuts):
    hop = name + b": x\r\n Received: folded\r\n"
    behind = b"X-Received: y\r\n\r\n" + hop
    assert passed(hop * HOPS + behind, cuts) == hop * HOPS + behind
    with pytest.raises(Refusal) as caught:
        passed(hop * (HOPS + 1) + behind, cuts)
    assert str(caught.value.reply).startswith("554 5.4.6")


def test_a_hop_in_the_last_half_of_a_line():
    header = HeaderFilter(strip=True)
    header.receive(HOP * HOPS + b"Received: half")
    with pytest.raises(Refusal):
        header.end()


# --- through the server --------------------------------------------------------------------------


BODY = b"\r\nReceived: no hop\r\n" + (b"x" * 68 + b"\r\n") * 3000


@pytest.mark.parametrize("switches", [[], ["--raw"]])
def test_a_loop_ends_here(tmp_path, switches):
    """RFC 5321 s6.3. The rest is read, nothing is kept, and the session goes on in step."""
    with serving("--maildir", tmp_path, *switches) as address, Talk(address) as talk:
        talk.envelope()
        talk.write(stuffed(HOP * (HOPS + 1) + BODY))
        assert talk.reply() == "554 5.4.6 too many hops"
        assert files(tmp_path) == {"tmp": 0, "new": 0, "cur": 0}
        talk.envelope()
        talk.write(stuffed(HOP * HOPS + BODY))
        assert talk.reply().startswith("250")
    (message,) = messages(tmp_path)
    assert (message if switches else untraced(message)) == HOP * HOPS + BODY


def test_a_loop_is_not_printed(capsys):
    with serving() as address, Talk(address) as talk:
        talk.envelope()
        talk.write(stuffed(HOP * (HOPS + 1) + b"\r\nbody\r\n"))
        assert talk.reply() == "554 5.4.6 too many hops"
        talk.envelope()
        talk.write(stuffed(b"Return-Path: <a@b>\r\n\r\nbody\r\n"))
        assert talk.reply() == "250 2.0.0 printed as 1"
    assert capsys.readouterr().out.partition("\n")[2] == (
        "--- message 1, 28 octets from <alice@crepes.fr> for <bob@hamburger.edu>\nReturn-Path: <a@b>\n\nbody\n"
    )


def test_raw_keeps_a_return_path(tmp_path):
    content = b"Return-Path: <a@b>\r\n\r\nhello\r\n"
    with serving("--maildir", tmp_path, "--raw") as address, Talk(address) as talk:
        talk.envelope()
        talk.write(stuffed(content))
        assert talk.reply().startswith("250")
    assert messages(tmp_path) == [content]


@pytest.mark.parametrize(
    ("error", "reply"), [(OSError(28, "full"), "452 4.3.1"), (Refusal(Reply(554, "no", "5.4.6")), "554 5.4.6")]
)
def test_what_fails_at_the_very_end_leaves_nothing(tmp_path, monkeypatch, error, reply):
    def end(self):
        raise error

    monkeypatch.setattr(HeaderFilter, "end", end)
    with serving("--maildir", tmp_path) as address, Talk(address) as talk:
        talk.envelope()
        talk.write(stuffed(b"Subject: x\r\n\r\n"))
        assert talk.reply().startswith(reply)
    assert files(tmp_path) == {"tmp": 0, "new": 0, "cur": 0}
