"""8-bit messages as 7-bit ones: what a reader decodes stays the same, and so does every octet that may stay."""

from __future__ import annotations

import email
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message.downgrade import Downgraded, downgrade, is_seven_bit
from smtpcore.message.multipart import split_parts
from smtpcore.message.transfer_coding import encode_base64, encode_quoted_printable
from tests.corpus import MISSING, corpus_folder
from tests.wire.counting import growth

HEAD = b"From: alice@crepes.fr\r\nMIME-Version: 1.0\r\n"
UTF8 = "À bientôt, mon ami\r\n".encode()


def leaves(content: bytes) -> list[tuple[str, str | None, Any]]:
    """What the standard library reads: the type, the charset and the decoded octets of each part that has no parts."""
    found: list[tuple[str, str | None, Any]] = []
    waiting: list[Message] = [email.message_from_bytes(content)]
    while waiting:
        part = waiting.pop(0)
        if part.is_multipart():
            found.append((part.get_content_type(), None, len(part.get_payload())))
            waiting += part.get_payload()  # type: ignore[arg-type]  # parts, as is_multipart says
        else:
            charset = part.get_content_charset() if part["Content-Type"] else None
            found.append((part.get_content_type(), charset, part.get_payload(decode=True)))
    return found


def checked(content: bytes, **options: Any) -> Downgraded:
    """The downgrade of a message, which is everything that one should be."""
    made = downgrade(content, **options)
    assert is_seven_bit(made.content)
    assert downgrade(made.content, **options) == Downgraded(made.content)
    before, after = leaves(content), leaves(made.content)
    if b"content-type" not in content.lower():
        before = [
            (kind, "unknown-8bit" if octets != after[0][2] or not octets.isascii() else charset, octets)
            for kind, charset, octets in before
        ]
    assert after == before
    return made


def part(*fields: bytes, body: bytes) -> bytes:
    return b"".join([field + b"\r\n" for field in fields]) + b"\r\n" + body


def multi(*parts: bytes, kind: bytes = b"multipart/mixed", boundary: bytes = b"b", head: bytes = HEAD) -> bytes:
    inner = b"".join([b"--%b\r\n%b\r\n" % (boundary, each) for each in parts])
    return head + b"Content-Type: %b; boundary=%b\r\n\r\n%b--%b--\r\n" % (kind, boundary, inner, boundary)


TEXT8 = part(b"Content-Type: text/plain; charset=utf-8", b"Content-Transfer-Encoding: 8bit", body=UTF8)
TEXT7 = part(b"Content-Type: text/plain", b"Content-Transfer-Encoding: 7bit", body=b"Hello \r\nWorld")
IMAGE = part(b"Content-Type: image/png", b"Content-Transfer-Encoding: binary", body=bytes(range(256)))


# --- whole messages ------------------------------------------------------------------------------


def test_a_text():
    content = (
        HEAD + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nX: y \r\n\r\n" + UTF8
    )
    assert checked(content).content == HEAD + (
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\nX: y \r\n\r\n"
        b"=C3=80 bient=C3=B4t, mon ami\r\n"
    )


def test_what_needs_nothing_is_the_very_same():
    for content in (b"", b"\r\n", b"Subject: x\r\n\r\nHello\r\n", multi(TEXT7, TEXT7), b"A: b\r\n\r\n" + b"x" * 998):
        assert downgrade(content).content is content


@pytest.mark.parametrize("size", [998, 999])
def test_a_line_is_too_long_at_999_octets(size):
    content = HEAD + b"\r\n" + b"x" * size + b"\r\n"
    made = downgrade(content).content
    assert (made is content) == (size == 998)
    assert max(map(len, made.split(b"\r\n"))) <= 998
    assert leaves(made)[0][2] == leaves(content)[0][2]


def test_a_long_line_of_a_header_stays():
    content = b"X: " + b"x" * 2000 + b"\r\n\r\nHello\r\n"
    assert downgrade(content) == Downgraded(content)


def test_a_message_that_knows_no_mime_gets_what_its_encoding_needs():
    """RFC 1428 has a charset for it."""
    made = checked(b"Subject: x\r\n\r\n" + UTF8).content
    assert b"Content-Type: text/plain; charset=unknown-8bit\r\n" in made
    assert b"MIME-Version: 1.0\r\n" in made


def test_text_that_is_mostly_beyond_ascii_is_base64():
    head = HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
    assert b": base64\r\n" in checked(head + "Москва\r\n".encode() * 20).content


@pytest.mark.parametrize("body", [b"\xe9\0\r\n", b"\xe9\r\r\n", b"\xe9\nx\r\n", b"a \t\r\n\xe9 ", b"\xe9" * 3000])
def test_octets_that_are_no_text(body):
    content = HEAD + b"Content-Type: text/plain; charset=latin-1\r\n\r\n"
    made = downgrade(content + body).content
    assert is_seven_bit(made)
    assert email.message_from_bytes(made).get_payload(decode=True) == body


# --- parts ---------------------------------------------------------------------------------------


def test_parts_that_need_nothing_keep_their_octets():
    made = checked(multi(TEXT7, TEXT8, IMAGE, TEXT7)).content
    assert made.count(TEXT7) == 2
    assert b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC" in made


def test_what_has_parts_is_7bit_then():
    head = HEAD + b"Content-Transfer-Encoding: 8bit\r\n"
    made = checked(multi(TEXT8, head=head)).content
    assert made.startswith(HEAD + b"Content-Transfer-Encoding: 7bit\r\n")


def test_messages_within_messages():
    inner = multi(TEXT8, IMAGE, boundary=b"inner", head=b"Subject: inner\r\nContent-Transfer-Encoding: binary\r\n")
    outer = multi(TEXT7, part(b"Content-Type: message/rfc822", b"Content-Transfer-Encoding: binary", body=inner))
    made = checked(outer).content
    assert b"message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n" in made
    assert b"Subject: inner\r\nContent-Transfer-Encoding: 7bit\r\n" in made


def test_a_boundary_that_begins_another():
    """RFC 2046 s5.1.1: it is a line of its own, not the beginning of one."""
    inner = multi(TEXT8, boundary=b"bb", head=b"")
    checked(multi(inner, TEXT8, boundary=b"b"))


def test_without_a_last_boundary():
    checked(multi(TEXT8, IMAGE)[: -len(b"\r\n--b--\r\n")])


def test_an_empty_part():
    content = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b\r\n" + TEXT8 + b"\r\n--b--"
    assert checked(content).content.endswith(b"\r\n--b--")


@given(
    st.lists(st.sampled_from([b"--", b"-", b"b", b"\xe9", b" ", b"x" * 37, b"=", b"\r\n"]), max_size=30).map(b"".join)
)
@example(b"x" * 75 + b"--b")
@example(b"--b\xe9")
@example(b"--b ")
def test_no_new_line_looks_like_a_boundary(data):
    """What is written anew could become the boundary of something around it; "=" may stand in one."""
    looking = [line for line in encode_quoted_printable(data).split(b"\r\n") if line.startswith(b"--")]
    assert looking == [line for line in data.split(b"\r\n") if line.startswith(b"--") and line in looking]


def test_a_boundary_that_an_encoded_line_would_be():
    leaf = part(b"Content-Type: text/plain; charset=latin-1", body=b"--b\xe9\r\n" + b"ascii\r\n" * 20)
    content = HEAD + b'Content-Type: multipart/mixed; boundary="b=E9"\r\n\r\n--b=E9\r\n' + leaf + b"\r\n--b=E9--\r\n"
    assert b"\r\n=2D-b=E9\r\n" in checked(content).content


def test_text_around_the_parts():
    content = multi(TEXT7).replace(b"\r\n\r\n--b", b"\r\n\r\npr\xe9\r\n--b", 1) + b"\xe9pilogue\r\n"
    made = downgrade(content)
    assert made.content == content.replace(b"\xe9", b"?")
    assert [(each.rule, content[each.where : each.where + 3]) for each in made.warnings] == [
        ("RFC 2046 s5.1.1", b"pr\xe9"), ("RFC 2046 s5.1.1", b"\r\n-"),
    ]  # fmt: skip


# --- signatures ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["DKIM-Signature", "arc-seal", "ARC-Message-Signature"])
def test_a_signature_over_the_whole_is_a_warning(name):
    content = b"A: b\r\n%b: x\r\n" % name.encode() + multi(TEXT8)
    (warning,) = checked(content).warnings
    assert name in warning.why
    assert content[warning.where :].startswith(name.encode())
    assert downgrade(b"A: b\r\n%b: x\r\n" % name.encode() + multi(TEXT7)).warnings == ()


@pytest.mark.parametrize("kind", [b"multipart/signed", b"Multipart/Encrypted"])
def test_a_signed_part_is_not_touched_unless_that_is_asked_for(kind):
    """RFC 1847 s2.1"""
    signed = multi(multi(TEXT8, boundary=b"c", head=b""), TEXT7, kind=kind, head=b"")
    content = multi(TEXT7, signed, boundary=b"outer")
    with pytest.raises(ParseError, match=r"(?i)multipart/(signed|encrypted).*RFC 1847 s2\.1"):
        downgrade(content)
    made = checked(content, break_signatures=True)
    assert [warning.rule for warning in made.warnings] == ["RFC 1847 s2.1"]


def test_a_signed_part_that_needs_nothing_keeps_its_signature():
    signed = multi(TEXT7, TEXT7, kind=b"multipart/signed", boundary=b"s", head=b"")
    made = checked(multi(TEXT8, signed))
    assert signed in made.content
    assert made.warnings == ()


# --- what cannot be ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "rule", "at"),
    [
        pytest.param("A: b\r\nSubject: é\r\n\r\nx\r\n".encode(), "RFC 6530 s8", b"Subject", id="utf8-header"),
        pytest.param(b"Subject: \xe9\r\n\r\nx\r\n", "RFC 6530 s8", b"Subject", id="latin-1-header"),
        pytest.param(multi(b"X: \xe9\r\n\r\nx"), "RFC 6530 s8", b"X: ", id="header-of-a-part"),
        pytest.param(HEAD + b"Content-Type: multipart/mixed\r\n\r\n\xe9", "RFC 2046 s5.1.1", b"\xe9", id="no-boundary"),
        pytest.param(
            HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n\xe9", "RFC 2046 s5.1.1", b"\xe9", id="no-part"
        ),
        pytest.param(
            HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n\xe9", "RFC 2045 s6.2", b"\xe9", id="qp"
        ),
        pytest.param(HEAD + b"Content-Transfer-Encoding: x-z\r\n\r\n\xe9", "RFC 2045 s6.2", b"\xe9", id="x-encoding"),
        pytest.param(HEAD + b"Content-Type: message/partial\r\n\r\n\xe9", "RFC 2045 s6.4", b"\xe9", id="partial"),
        pytest.param(
            multi(b"Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n\xe9"),
            "RFC 5322 s3.6", b"Content-Type: c/d", id="two-types",
        ),
    ],
)  # fmt: skip
def test_what_has_no_form_in_ascii(content, rule, at):
    with pytest.raises(ParseError) as caught:
        downgrade(content)
    assert caught.value.rule == rule
    assert content[caught.value.where :].startswith(at)


def test_a_message_for_everybody_may_be_encoded():
    """RFC 6532 s3.7: message/global alone of its kind."""
    inner = "Subject: é\r\n\r\nÀ\r\n".encode()
    made = downgrade(multi(part(b"Content-Type: message/global", body=inner))).content
    assert is_seven_bit(made)
    assert encode_base64(inner) in made


def nested(depth: int) -> bytes:
    content = TEXT8
    for level in range(depth):
        content = multi(content, boundary=b"b%d" % level, head=b"")
    return content


@pytest.mark.parametrize("depth", [0, 1, 5])
def test_how_deep_it_looks(depth):
    assert is_seven_bit(downgrade(nested(depth), depth=depth).content)
    with pytest.raises(ParseError, match=r"deep.*RFC 2046 s5\.1"):
        downgrade(nested(depth + 1), depth=depth)


def test_a_thousand_levels_are_refused_and_not_descended():
    with pytest.raises(ParseError, match="deep"):
        downgrade(nested(1200))


# --- any message ---------------------------------------------------------------------------------

LINES = st.lists(
    st.sampled_from(
        [b"Hello", b"\xc3\xa9", b"\xff", b" ", b"\t", b"=", b"--", b"--b", b"--c", b".", b"x" * 80, b"\r\n", b"=20"]
    ),
    max_size=30,
).map(b"".join)
LEAVES = st.builds(
    lambda kind, encoding, body: part(b"Content-Type: " + kind, b"Content-Transfer-Encoding: " + encoding, body=body),
    st.sampled_from([b"text/plain; charset=utf-8", b"text/html", b"image/png", b"application/json"]),
    st.sampled_from([b"7bit", b"8bit", b"binary"]),
    LINES.filter(lambda body: not body.startswith((b"--b", b"--c")) and b"\n--b" not in body and b"\n--c" not in body),
)
PARTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from([b"b1", b"c2", b"d3"]), st.lists(inner, min_size=1, max_size=3)).map(
            lambda made: multi(*made[1], boundary=made[0] + str(len(b"".join(made[1]))).encode(), head=b"")
        ),
        inner.map(lambda each: part(b"Content-Type: message/rfc822", body=each)),
    ),
    max_leaves=6,
)


@given(PARTS)
def test_any_message(content):
    checked(HEAD + content)


@given(
    st.lists(st.sampled_from([b"\r\n", b"--b", b"--b--", b" ", b"x", b"--bb", b"\r", b"--"]), max_size=20).map(b"".join)
)
def test_pieces_are_all_of_a_body(body):
    pieces = split_parts(body, b"b")
    assert b"".join([body[piece.start : piece.end] for piece in pieces]) == body
    assert all(piece.start <= piece.end for piece in pieces)


@given(st.binary(max_size=300) | LINES)
def test_quoted_printable_is_undone_by_the_standard_library(data):
    import quopri

    text = encode_quoted_printable(data)
    assert text.isascii()
    assert all(len(line) <= 76 for line in text.split(b"\r\n"))
    assert not [line for line in text.split(b"\r\n") if line.endswith((b" ", b"\t"))]
    assert quopri.decodestring(text) == data


@given(st.binary(max_size=300))
def test_base64_is_undone_by_the_standard_library(data):
    import base64

    text = encode_base64(data)
    assert all(len(line) <= 76 for line in text.split(b"\r\n"))
    assert base64.b64decode(text) == data


@pytest.mark.parametrize(
    "make",
    [
        lambda n: HEAD + b"\r\n" + b"\xe9" * n,
        lambda n: HEAD + b"\r\n" + b"\xe9\r\n" * n,
        lambda n: HEAD + b"Content-Type: text/plain\r\n\r\n\xe9" + b"x" * n,
        lambda n: multi(*[TEXT8] * (n // 100 + 1)),
        lambda n: multi(b"\r\n\xe9" + b"\r\n--" * n),
    ],
    ids=["octets", "lines", "long-line", "parts", "almost-boundaries"],
)
def test_work_is_linear(make):
    def work(size: int) -> Any:
        content = make(size)
        return lambda: downgrade(content)

    assert growth(work, 2000) < 1.2


# --- real messages -------------------------------------------------------------------------------


def corpus_files() -> list[Any]:
    folder = corpus_folder()
    if folder is None:
        return [pytest.param(None, id="no-corpus", marks=pytest.mark.skip(reason=MISSING))]
    folders = sorted(path for path in (folder / "corpus").iterdir() if path.is_dir())
    return [pytest.param(path, id=path.name) for path in folders]


@pytest.mark.parametrize("folder", corpus_files())
def test_real_messages(folder: Path):
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        octets = path.read_bytes()
        content = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
        made = tried(content)
        if made == content:
            header, _, body = content.partition(b"\r\n\r\n")
            assert is_seven_bit(body)
            assert header.isascii()
        elif made is not None:
            assert made.isascii()
            assert tried(made) == made
            assert [octets for _, _, octets in leaves(made)] == [octets for _, _, octets in leaves(content)], path


def tried(content: bytes) -> bytes | None:
    """None for what has no form in ASCII."""
    try:
        return downgrade(content, break_signatures=True).content
    except ParseError as error:
        if 0 <= error.where <= len(content):
            return None
        raise AssertionError("not in the message") from error
