"""Who an address of the envelope is: the cases ADR, and what commands hide in addresses and parameters (INJ)."""

from __future__ import annotations

import pytest

from smtpcore import INTEROP, LAX, STRICT, Domain, Mailbox, ParseError, Rcpt, parse_command
from smtpcore.wire.address import LOCAL_PART_LIMIT, PATH_LIMIT
from smtpcore.wire.host import DOMAIN_LIMIT
from smtpcore.wire.tolerance import Tolerance
from tests.strategies import VOCABULARY
from tests.vectors.wire_addresses import ADDRESSES, PATHS, UNSEEN
from tests.wire.feeding import parsed, path_of, take_lines
from tests.wire.oracles import splits

NOBODY = [case[:2] for case in ADDRESSES if case[2] is None]
SOMEBODY = [(name, text, *parts) for name, text, parts in ADDRESSES if parts is not None]


def refused(text: str) -> bool:
    """Whether an address is refused in every way of reading it, at every level of strictness."""
    paths = [f"{verb}:<{text}>".encode("utf-8", "surrogateescape") for verb in ("MAIL FROM", "RCPT TO")]
    for level in (STRICT, INTEROP, LAX):
        with pytest.raises(ParseError):
            Mailbox.parse(text, Tolerance(level))
        for path in paths:
            with pytest.raises(ParseError):
                parsed(path, level)
    return True


@pytest.mark.parametrize("text", [case[1] for case in NOBODY], ids=[case[0] for case in NOBODY])
def test_nobody(text):
    if text:
        assert refused(text)
    with pytest.raises(ParseError):
        Mailbox.parse(text)


@pytest.mark.parametrize(
    ("text", "local_part", "domain"), [case[1:] for case in SOMEBODY], ids=[case[0] for case in SOMEBODY]
)
def test_somebody(text, local_part, domain):
    mailbox = Mailbox.parse(text)
    assert (mailbox.local_part, str(mailbox.domain), mailbox.raw) == (local_part, domain, text)
    assert mailbox == Mailbox(local_part, domain)
    assert Mailbox.parse(str(mailbox)) == mailbox
    for command in (f"MAIL FROM:<{text}>", f"RCPT TO:<{text}>"):
        for parts in splits(command.encode() + b"\r\n"):
            (line,), rest = take_lines(parts)
            assert path_of(parsed(line)) == mailbox
            assert not rest


@pytest.mark.parametrize("char", UNSEEN, ids=lambda char: f"U+{ord(char):04X}")
@pytest.mark.parametrize(
    "where", ["a{}b@x.org", '"a{}b"@x.org', "a@x{}y.org", "{}a@x.org", "a@x.org{}", "a@[IPv6:{}::1]"]
)
def test_adr_13_what_nobody_sees(where, char):
    assert refused(where.format(char))


def test_adr_13_not_built_either():
    for char in UNSEEN:
        with pytest.raises(ParseError):
            Mailbox(f"a{char}b", "x.org")
        with pytest.raises(ParseError):
            Mailbox("a", f"x{char}y.org")


def test_adr_14_forms_are_two_mailboxes():
    composed, decomposed = Mailbox.parse("caf\u00e9@x.org"), Mailbox.parse("cafe\u0301@x.org")
    assert composed != decomposed
    assert str(composed).encode() == b"caf\xc3\xa9@x.org"
    assert str(decomposed).encode() == b"cafe\xcc\x81@x.org"


@pytest.mark.parametrize(("line", "who"), [case[1:] for case in PATHS], ids=[case[0] for case in PATHS])
def test_paths(line, who):
    for parts in splits(line + b"\r\n"):
        (taken,), _ = take_lines(parts)
        assert taken == line
    for level in (STRICT, INTEROP):
        if who is None:
            with pytest.raises(ParseError):
                parsed(line, level)
        else:
            command = parsed(line, level)
            assert str(path_of(command)) == who
            assert command.parameters.items == ()
            assert command.raw == line


@pytest.mark.parametrize("line", [b"MAIL FROM:<@a,@b:user@d>", b"RCPT TO:<@a,@b:user@d>"])
def test_adr_15_route_is_reported_and_never_written(line):
    tolerance = Tolerance(STRICT)
    command = parse_command(line, None, tolerance)
    assert [defect.rule for defect in tolerance.defects] == ["RFC 5321 s3.6.1"]
    assert bytes(command) == line.replace(b"@a,@b:", b"") + b"\r\n"


@pytest.mark.parametrize(
    ("line", "level", "who"),
    [
        (b"MAIL FROM: <a@b>", LAX, "a@b"),
        (b"MAIL FROM:a@b", LAX, "a@b"),
        (b"RCPT TO:a@b", LAX, "a@b"),
        (b"MAIL FROM:a@b SIZE=1", LAX, "a@b"),
        (b"MAIL FROM:<a@under_score.org>", INTEROP, "a@under_score.org"),
        (b"MAIL FROM:<a@b.org.>", INTEROP, "a@b.org."),
        (b"MAIL FROM:<a@-b.org>", INTEROP, "a@-b.org"),
        (b"MAIL FROM:<a@[IPv6:1:2:3:4:5:6:7::]>", INTEROP, "a@[IPv6:1:2:3:4:5:6:7::]"),
    ],
)
def test_liberties_are_reported(line, level, who):
    """ADR-17: what a level lets through is reported, and every stricter level refuses it."""
    for stricter in (STRICT, INTEROP, LAX):
        tolerance = Tolerance(stricter)
        if stricter.value < level.value:
            with pytest.raises(ParseError):
                parse_command(line, VOCABULARY, tolerance)
            assert not tolerance.take()
        else:
            command = parse_command(line, VOCABULARY, tolerance)
            assert str(path_of(command)) == who
            assert len(tolerance.take()) == 1
            assert not tolerance.take()


# --- lengths: ADR-18, RFC 5321 s4.5.3.1 ------------------------------------------------------------


def domain_of(length: int) -> str:
    """A domain of that many octets."""
    labels = ["x" * 63] * (length // 64)
    rest = length - 64 * len(labels)
    return ".".join([*labels, "y" * rest]) if rest else ".".join([*labels[:-1], "x" * 62, "y"])[:length]


@pytest.mark.parametrize("length", [1, 63, 64, 127, 128, 200, 254, 255, 256])
def test_domain_of(length):
    assert len(domain_of(length)) == length
    assert max(map(len, domain_of(length).split("."))) <= 63


def test_limit_of_local_parts():
    assert Mailbox.parse("x" * LOCAL_PART_LIMIT + "@b").local_part == "x" * LOCAL_PART_LIMIT
    assert refused_strictly("x" * (LOCAL_PART_LIMIT + 1) + "@b")
    assert Mailbox("\u00e9" * (LOCAL_PART_LIMIT // 2), "b").local_part == "\u00e9" * (LOCAL_PART_LIMIT // 2)
    assert refused_strictly("\u00e9" * (LOCAL_PART_LIMIT // 2) + "x@b")
    for line in (b"MAIL FROM:<%s@b>", b"RCPT TO:<%s@b>"):
        assert path_of(parsed(line % (b"x" * LOCAL_PART_LIMIT))).local_part == "x" * LOCAL_PART_LIMIT
        with pytest.raises(ParseError, match="64 octets"):
            parsed(line % (b"x" * (LOCAL_PART_LIMIT + 1)))


def test_limit_of_quoted_local_parts():
    assert Mailbox.parse('"' + " " * LOCAL_PART_LIMIT + '"@b').local_part == " " * LOCAL_PART_LIMIT
    assert Mailbox.parse('"' + "\\x" * LOCAL_PART_LIMIT + '"@b').local_part == "x" * LOCAL_PART_LIMIT
    assert refused_strictly('"' + " " * (LOCAL_PART_LIMIT + 1) + '"@b')


def test_limit_of_domains():
    assert Domain(domain_of(DOMAIN_LIMIT)) == domain_of(DOMAIN_LIMIT)
    with pytest.raises(ParseError, match="255 octets"):
        Domain(domain_of(DOMAIN_LIMIT + 1))
    assert Domain("x" * 63) == "x" * 63
    for text in ("x" * 64, "a." + "x" * 64 + ".b"):
        with pytest.raises(ParseError, match="63 octets") as caught:
            Domain(text)
        assert caught.value.where == text.index("x")
    with pytest.raises(ParseError, match="255 octets"):
        Mailbox.parse("a@[tag:" + "x" * (DOMAIN_LIMIT - 5) + "]", Tolerance(LAX))


def test_limit_of_paths():
    fits = PATH_LIMIT - len("<a@>")
    assert Mailbox.parse("a@" + domain_of(fits)).domain == domain_of(fits)
    assert refused_strictly("a@" + domain_of(fits + 1))
    assert Mailbox.parse("a@" + domain_of(DOMAIN_LIMIT), Tolerance(LAX)).domain == domain_of(DOMAIN_LIMIT)
    for line in (b"MAIL FROM:<a@%s>", b"RCPT TO:<a@%s>"):
        assert path_of(parsed(line % domain_of(fits).encode())).domain == domain_of(fits)
        with pytest.raises(ParseError, match="256 octets"):
            parsed(line % domain_of(fits + 1).encode())


def refused_strictly(text: str) -> bool:
    """Whether an address is refused when read and when built, but by the LAX read."""
    mailbox = Mailbox.parse(text, Tolerance(LAX))
    with pytest.raises(ParseError):
        Mailbox.parse(text, Tolerance(INTEROP))
    with pytest.raises(ParseError):
        Mailbox(mailbox.local_part, mailbox.domain)
    return True


# --- INJ-05 ----------------------------------------------------------------------------------------


def test_inj_05_quoted_again():
    hidden = '"foo@psres.net> ORCPT=admin@admin.com"@test.com'
    command = Rcpt(Mailbox("foo@psres.net> ORCPT=admin@admin.com", "test.com"))
    assert bytes(command) == b"RCPT TO:<" + hidden.encode() + b">\r\n"
    again = parsed(bytes(command)[:-2])
    assert again == command
    assert again.recipient.domain == "test.com"
    assert again.parameters.items == ()
