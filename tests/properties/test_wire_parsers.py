"""I9: whatever comes in, a parser raises its own error or none; I5: one line is written, or none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import smtpcore
from smtpcore import (
    INTEROP,
    LAX,
    STRICT,
    AddressLiteral,
    AuthResponse,
    Capabilities,
    Domain,
    EnhancedCode,
    Mailbox,
    ParseError,
    RemoteProtocolError,
    Reply,
    ReplyReader,
)
from smtpcore.extensions import STANDARD
from smtpcore.extensions.auth import decode_base64
from smtpcore.wire.chunks import ChunkReader
from smtpcore.wire.content import DotStuffer, DotUnstuffer
from smtpcore.wire.label import find_bad_label
from smtpcore.wire.meter import ContentMeter
from smtpcore.wire.newlines import BareNewlines
from smtpcore.wire.parameter import parse_number
from smtpcore.wire.parameters import UnknownParameter, parse_parameters
from smtpcore.wire.tolerance import Tolerance
from smtpcore.wire.xtext import decode_xtext, encode_xtext
from tests.strategies import LINE_TOKENS as TOKENS
from tests.strategies import VOCABULARY, command_lines, contents, hostile_text, joined, reply_streams
from tests.wire.feeding import parsed
from tests.wire.makers import MAKERS, REFUSALS

LEVELS = (STRICT, INTEROP, LAX)


@contextmanager
def shallow(frames: int = 40) -> Iterator[None]:
    """Few frames are left: what recurses on its input fails."""
    depth, frame = 0, sys._getframe()
    while frame.f_back:
        depth, frame = depth + 1, frame.f_back
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + frames)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


@pytest.fixture(autouse=True, scope="module")
def _imported_late() -> None:
    """What these import on demand needs frames of its own."""
    find_bad_label("\u00e9.org")
    AddressLiteral("IPv6", "::1")


def read_replies(stream: bytes) -> None:
    reader = ReplyReader(64, 256, 8)
    reader.receive(stream)
    while reader.next_reply():
        pass


def codecs(stream: bytes) -> None:
    for policy in BareNewlines:
        DotUnstuffer(policy).receive(stream)
        reader = ChunkReader(policy)
        reader.begin(len(stream), last=True)
        reader.receive(stream)
    for policy in (BareNewlines.REJECT, BareNewlines.NORMALIZE):
        DotStuffer(policy).stuff(stream)
    ContentMeter(10, 5).feed(stream)


BYTES: dict[str, Callable[[bytes], object]] = {
    "command-strict": lambda line: parsed(line, STRICT),
    "command-interop": lambda line: parsed(line, INTEROP),
    "command-lax": lambda line: parsed(line, LAX),
    "auth-response": AuthResponse.parse_line,
    "replies": read_replies,
    "codecs": codecs,
}
TEXTS: dict[str, Callable[[str], object]] = {
    "mailbox": Mailbox.parse,
    "mailbox-lax": lambda text: Mailbox.parse(text, Tolerance(LAX)),
    "mailbox-built": lambda text: Mailbox(text, "b"),
    "domain": Domain,
    "domain-built": lambda text: Mailbox("a", text),
    "literal": AddressLiteral.parse,
    "literal-built": lambda text: AddressLiteral("IPv6", text),
    "literal-tag": lambda text: AddressLiteral(text, "::1"),
    "enhanced": EnhancedCode.parse,
    "reply": lambda text: Reply(250, text),
    "xtext": decode_xtext,
    "to-xtext": encode_xtext,
    "number": parse_number,
    "base64": decode_base64,
    "capabilities": lambda text: Capabilities.parse(text.split("\n")),
    "parameters": lambda text: parse_parameters(text, 0, VOCABULARY.mail_parameters),
    **{f"capability-{extension.keyword}": extension.decode for extension in STANDARD},
    **{f"parameter-{key.keyword}": key.decode for key in VOCABULARY.mail_parameters.values()},
    **{f"rcpt-parameter-{key.keyword}": key.decode for key in VOCABULARY.rcpt_parameters.values()},
}
NESTED = [piece * 3000 for piece in ("(", '"', "<", "[", "@a,", "g:", "\\", "a.", "(a)")]


def refusal_of(read: Callable[..., object], *given: Any) -> Exception | None:
    """The error of the package that was raised, if one was."""
    with shallow():
        try:
            read(*given)
        except (ParseError, RemoteProtocolError) as error:
            return error
    return None


def allowed(read: Callable[..., object], *given: Any) -> None:
    error = refusal_of(read, *given)
    if error:
        assert len(str(error)) < 1500
        assert str(error).isascii()
        assert str(error).isprintable()


@pytest.mark.parametrize("name", BYTES)
@given(stream=st.one_of(command_lines, reply_streams, contents, st.binary()))
@example(stream=b"MAIL FROM:<" + NESTED[4].encode())
@example(stream=b"RCPT TO:<" + NESTED[1].encode())
@example(stream=b"EHLO " + NESTED[3].encode())
def test_i9_octets(name, stream):
    allowed(BYTES[name], stream)


@pytest.mark.parametrize("verb", ["MAIL FROM:<", "RCPT TO:<", "MAIL FROM:<> ", "EHLO ", "AUTH ", "VRFY "])
@given(line=joined(TOKENS, max_size=6))
def test_i9_arguments(verb, line):
    for level in LEVELS:
        allowed(parsed, verb.encode() + line, level)


@pytest.mark.parametrize("name", TEXTS)
@given(
    text=st.one_of(
        hostile_text,
        st.text(st.characters()),
        joined(TOKENS).map(lambda octets: octets.decode("utf-8", "surrogateescape")),
    )
)
def test_i9_text(name, text):
    allowed(TEXTS[name], text)


@pytest.mark.parametrize("name", TEXTS)
def test_i9_nesting(name):
    for text in NESTED:
        allowed(TEXTS[name], text)
        allowed(TEXTS[name], text + "a@b")


def test_shallow_means_shallow():
    def deep(count: int) -> int:
        return deep(count - 1) if count else 0

    with shallow(), pytest.raises(RecursionError):
        deep(60)


WITHOUT_ASSERTIONS = """
import sys
from smtpcore import *
from smtpcore.extensions import STANDARD
for line in sys.stdin.buffer.read().split(b"|"):
    try:
        print(repr(parse_command(line, STANDARD.vocabulary)))
    except ParseError as error:
        print(repr(error))
"""


def test_i9_without_assertions():
    """Nothing hangs on ``assert``: with -O the same lines are read and refused in the same words."""
    lines = b"MAIL FROM:<a@b> SIZE=1|MAIL FROM:<a@b|RCPT TO:<@a:b@c>|NOOP \r|EHLO [IPv6:::1]|X"
    outputs = set()
    for options in ([], ["-O"], ["-OO"]):
        done = subprocess.run(
            [sys.executable, *options, "-W", "error", "-c", WITHOUT_ASSERTIONS],
            input=lines,
            capture_output=True,
            check=True,
            cwd=Path(smtpcore.__file__).parent.parent,
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert outputs.pop().count(b"Error") == 2


# --- writing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MAKERS)
@given(text=st.one_of(hostile_text, st.text(st.characters(codec="ascii")), st.text(st.characters())))
@example(text="A=B")
@example(text="a@b")
@example(text="home")
@example(text="size")
@example(text="auth")
@example(text="5.7.1")
@example(text="\ud800")
def test_i5_one_line_or_none(name, text):
    """Either it raises, or there is one line more: no octet of the text ends it, and the rest of it reads as before."""
    try:
        written = MAKERS[name](text)
    except REFUSALS:
        return
    lines = written.split(b"\r\n")
    assert lines.pop() == b""
    assert len(lines) == (2 if name == "INJ-08-reply-line" else 1)
    for line in lines:
        assert not set(line) & {*range(9), *range(10, 32), 127}
    if "reply" in name or "enhanced" in name or "capability" in name:
        reader = ReplyReader()
        reader.receive(written)
        reply = reader.next_reply()
        assert reply
        assert reply.raw == written
        assert not reader.pending
        return
    verb, _, argument = lines[0].partition(b" ")
    assert verb in VOCABULARY.verbs
    parameters = argument.split(b"> ", 1)[-1].split(b" ") if b"> " in argument else []
    error = refusal_of(parsed, lines[0])
    if error:
        # What is written and not read is a parameter that nobody registered, or whose value is not of its type.
        keyword = parameters[0].partition(b"=")[0]
        assert isinstance(error, UnknownParameter) or keyword.decode().upper() in VOCABULARY.mail_parameters
        assert len(parameters) == 1
    else:
        assert bytes(parsed(lines[0])) == written


@pytest.mark.parametrize("name", MAKERS)
@given(text=hostile_text)
def test_i5_what_is_refused_is_refused_by_name(name, text):
    """Not by an error that Python happened to raise on the way, such as that of an encoding."""
    try:
        MAKERS[name](text)
    except (ParseError, TypeError):
        pass
