"""Content-Disposition, and the names of files that strangers give."""

from __future__ import annotations

import json
import pickle
import re
from email.parser import BytesHeaderParser
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message.content_type import ContentType
from smtpcore.message.disposition import NAME_LIMIT, ContentDisposition, safe_file_name
from smtpcore.message.parameters import MimeParameters
from smtpcore.wire.tolerance import INTEROP, Tolerance


@pytest.mark.parametrize(
    ("text", "written", "filename"),
    [
        ("inline", "inline", None),
        ("Attachment; FileName=genome.jpeg", "attachment; filename=genome.jpeg", "genome.jpeg"),
        ('(a) x-other (b) ; filename="a b"', 'x-other; filename="a b"', "a b"),
        ("attachment; filename*=utf-8''%C3%A9", "attachment; filename*=utf-8''%C3%A9", "\u00e9"),
    ],
)
def test_what_the_grammar_has(text, written, filename):
    found = ContentDisposition.parse(text)
    assert str(found) == written
    assert found.filename == filename
    assert ContentDisposition.parse(written) == found
    assert ContentDisposition.read(text) == found
    assert not ContentDisposition.read(text).defects
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", "attachment"),
        ("filename=a.html", "attachment; filename=a.html"),
        (" filename=a.html", "attachment; filename=a.html"),
        ("; filename=a", "attachment; filename=a"),
        ('"a; filename=b"; filename=c', "attachment; filename=c"),
        ("(a", "attachment"),
        ("\u00e9; a=b", "attachment; a=b"),
    ],
)
def test_rfc_2183_2_8_what_is_none(text, written):
    with pytest.raises(ParseError) as caught:
        ContentDisposition.parse(text, Tolerance(INTEROP))
    assert caught.value.rule == "RFC 2183 s2.8"
    found = ContentDisposition.read(text)
    assert str(found) == written
    assert found.defects[0].rule == "RFC 2183 s2.8"


def test_what_it_says():
    found = ContentDisposition.parse(
        'attachment; filename=genome.jpeg; modification-date="Wed, 12 Feb 1997 16:29:51 -0500"; size=0123;'
        ' creation-date=a; read-date="b c"',
    )
    assert found.size == 123
    assert found.modification_date == "Wed, 12 Feb 1997 16:29:51 -0500"
    assert (found.creation_date, found.read_date) == ("a", "b c")
    assert not found.is_inline
    assert found.safe_name == "genome.jpeg"
    empty = ContentDisposition("INLINE")
    assert empty.is_inline
    assert (empty.size, empty.filename, empty.safe_name, empty.creation_date) == (None, None, None, None)
    assert ContentDisposition("inline", {"filename": ""}).safe_name is None
    assert empty == ContentDisposition("inline", MimeParameters())
    assert empty != ContentDisposition("inline", {"a": "b"})


@pytest.mark.parametrize("size", ["", "-1", "1_0", " 1", "1.0", "\u0661", "x", "1" * 21])
def test_sizes_that_are_none(size):
    assert ContentDisposition("attachment", {"size": size}).size is None


@pytest.mark.parametrize("kind", ["", "a b", "a;", "a\n", "\u00e9"])
def test_dispositions_that_are_none(kind):
    with pytest.raises(ParseError):
        ContentDisposition(kind)


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("crepes.txt", "crepes.txt"),
        ("\u00e9t\u00e9 (1).pdf", "\u00e9t\u00e9 (1).pdf"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\a/b\\c.txt", "c.txt"),
        ("a/", None),
        ("..", None),
        (".", None),
        ("", None),
        (" . ", None),
        (".bashrc", "bashrc"),
        ("a.txt.", "a.txt"),
        ("a.txt ", "a.txt"),
        ("a\x00b\x1f\x7f\x85c", "abc"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("a\u200b.\u2066txt", "a.txt"),
        ("a.txt:b", "a.txt_b"),
        ("C:a", "C_a"),
        ('a*?"<>|b', "a______b"),
        ("a\u2215b\uff0fc", "a_b_c"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("Com1", "_Com1"),
        ("lpt\u00b2.a.b", "_lpt\u00b2.a.b"),
        ("con .txt", "_con .txt"),
        ("CONIN$", "_CONIN$"),
        ("console", "console"),
        ("com10", "com10"),
        ("a" * 300 + ".jpeg", "a" * (NAME_LIMIT - 5) + ".jpeg"),
        ("a" * 300, "a" * NAME_LIMIT),
        ("\u00e9" * 200, "\u00e9" * 127),
        ("a." + "b" * 300, "a." + "b" * (NAME_LIMIT - 2)),
        ("\udce9a", "a"),
    ],
)
def test_safe_names(given_name, safe):
    assert safe_file_name(given_name) == safe


@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from([*"./\\: \t\0", "con", "..", "\u202e", "a" * 90, "\u00e9" * 60])).map("".join)
)
def test_a_safe_name_is_safe(name):
    safe = safe_file_name(name)
    if safe is None:
        return
    assert not re.search(r'[/\\:*?"<>|\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]', safe)
    assert safe not in ("", ".", "..")
    assert 0 < len(safe.encode()) <= NAME_LIMIT
    assert safe.partition(".")[0].rstrip(" ").lower() not in ("con", "nul", "aux", "prn", "com1", "lpt9")
    assert safe_file_name(safe) == safe


# --- messages of other projects ----------------------------------------------------------------------------

#: Fields that the email package of Python reads otherwise, by message, each with the section that says why.
_DEFAULT = "RFC 2045 s5.2: no media type, so text/plain, and that has a charset"
_UNQUOTED = "RFC 2045 s5.1: unquoted, it is read to the semicolon, not to the first character that wants quotes"
_NO_VALUE = "RFC 2045 s5.1: a parameter has a value"
_SEMICOLON = "RFC 2045 s5.1: a semicolon is missing, and no more than that"
_LINE_END = "RFC 2045 s5.1: no value has a line end in it, however it was encoded"

DISAGREEMENTS = {
    "stalwartlabs__mail-parser/resources__eml__malformed__017.eml": _SEMICOLON,
    "jstedfast__MimeKit/UnitTests__TestData__messages__missing-subtype.txt": _DEFAULT,
    "jstedfast__MailKit/UnitTests__Net__Imap__Resources__common__message.0.msg": _DEFAULT,
    "jstedfast__MailKit/UnitTests__Net__Imap__Resources__common__message.28.msg": _DEFAULT,
    "mailgun__flanker/tests__fixtures__messages__bounce__office365.eml": _UNQUOTED,
    "mailgun__flanker/tests__fixtures__messages__spam__broken-ctype.eml": _DEFAULT,
    "apache__james-project/server__container__core__src__test__resources__invalid.eml": _LINE_END,
    "apache__spamassassin/t__data__spam__utf16.eml": _UNQUOTED,
    "sisimai__set-of-emails/maildir__bsd__lhost-exchange2007-03.eml": _UNQUOTED,
    "sisimai__set-of-emails/maildir__bsd__lhost-office365-01.eml": _UNQUOTED,
    "sisimai__set-of-emails/maildir__bsd__lhost-office365-13.eml": _UNQUOTED,
    "sisimai__set-of-emails/maildir__bsd__lhost-x1-02.eml": _SEMICOLON,
    "sisimai__set-of-emails/maildir__bsd__lhost-zoho-01.eml": _UNQUOTED,
    "jhillyerd__enmime/testdata__mail__mime-blank-media-name.raw": _SEMICOLON,
    "jhillyerd__enmime/testdata__mail__mime-unquoted-tspecials-param.raw": _UNQUOTED,
    "jhillyerd__enmime/testdata__parts__barren-content-type.raw": _DEFAULT,
    "jhillyerd__enmime/testdata__parts__malformed-content-type-params.raw": _NO_VALUE,
    "php-mime-mail-parser__php-mime-mail-parser/tests__mails__issue250": _LINE_END,
    "vdukhovni__postfix/postfix__src__global__mime_test.in": _NO_VALUE,
}


def fields(data: bytes) -> list[tuple[str, str]]:
    """Every Content-Type and Content-Disposition in the octets of a message, in its parts too, unfolded."""
    found = re.findall(rb"(?im)^(content-(?:type|disposition)):((?:[^\n]|\n[ \t])*)", data.replace(b"\r\n", b"\n"))
    return [
        (name.decode().lower(), body.replace(b"\n", b"").decode("utf-8", "surrogateescape").strip(" \t"))
        for name, body in found
    ]


def ours(name: str, text: str) -> tuple[str, dict[str, str]]:
    found: Any = ContentType.read(text) if name == "content-type" else ContentDisposition.read(text)
    head = found.essence if name == "content-type" else found.disposition
    return head, {parameter.name: parameter.value for parameter in found.parameters}


def theirs(name: str, text: str) -> tuple[str, dict[str, str]] | None:
    """What the email package makes of it; None where it fails."""
    try:
        octets = f"{name}: {text}\n\n".encode("utf-8", "surrogateescape")
        field = BytesHeaderParser(policy=default).parsebytes(octets)[name]
        head = field.content_type if name == "content-type" else field.content_disposition
        values = {key.lower(): str(value) for key, value in field.params.items()}
    except Exception:
        return None
    return head or "", values


def messages(corpus: Path) -> list[tuple[str, list[tuple[str, str]]]]:
    rows = [json.loads(line) for line in (corpus / "corpus" / "MANIFEST.jsonl").read_text("utf-8").split("\n") if line]
    rows = [row for row in rows if not row["path"].endswith("-summary.txt")]  # tables of contents
    return [(row["path"], fields((corpus / "corpus" / row["path"]).read_bytes())) for row in rows]


def test_messages_of_the_corpus(corpus):
    seen = 0
    differing: dict[str, list[object]] = {}
    for path, found in messages(corpus):
        for name, text in found:
            seen += 1
            kind: Any = ContentType if name == "content-type" else ContentDisposition
            value = kind.read(text)
            assert kind.read(str(value)) == value
            we, they = ours(name, text), theirs(name, text)
            if we != they:
                assert value.defects
                differing.setdefault(path, []).append((text, we, they))
    assert seen > 1000
    assert set(differing) == set(DISAGREEMENTS), {
        path: said for path, said in differing.items() if path not in DISAGREEMENTS
    }
    assert all(re.match(r"RFC \d+ s\d", reason) for reason in DISAGREEMENTS.values())
