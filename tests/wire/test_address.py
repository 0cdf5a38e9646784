"""Mailboxes, domains, literals: what is equal to what, and what is wrong with what is refused."""

from __future__ import annotations

from itertools import product

import pytest

from smtpcore import INTEROP, LAX, POSTMASTER, AddressLiteral, Defect, Domain, Mailbox, ParseError, Postmaster
from smtpcore.wire.label import find_bad_label
from smtpcore.wire.tolerance import Tolerance
from tests.wire.feeding import parsed, path_of


@pytest.mark.parametrize(
    ("text", "local_part", "canonical"),
    [
        ("a@b", "a", "a@b"),
        ('"a"@b', "a", "a@b"),
        ('"a.b"@c', "a.b", "a.b@c"),
        ('"a..b"@c', "a..b", '"a..b"@c'),
        (r'"\a\ \"\\"@c', r'a "' + "\\", r'"a \"\\"@c'),
        ('""@c', "", '""@c'),
        ('"a@b"@c', "a@b", '"a@b"@c'),
        ("A@B", "A", "A@B"),
        ("!#$%&'*+-/=?^_`{|}~@x", "!#$%&'*+-/=?^_`{|}~", "!#$%&'*+-/=?^_`{|}~@x"),
        ("\u65e5@\u672c.jp", "\u65e5", "\u65e5@\u672c.jp"),
        ('"\u00e9 x"@y', "\u00e9 x", '"\u00e9 x"@y'),
    ],
)
def test_quotes_are_put_where_they_are_needed(text, local_part, canonical):
    mailbox = Mailbox.parse(text)
    assert mailbox.local_part == local_part
    assert str(mailbox) == canonical == str(Mailbox(local_part, mailbox.domain))
    assert mailbox.raw == text
    assert Mailbox(local_part, mailbox.domain).raw is None
    assert mailbox.is_ascii == text.isascii()


def test_the_case_of_a_local_part_counts():
    assert Mailbox.parse("A@b") != Mailbox.parse("a@b")
    assert Mailbox.parse("a@B") == Mailbox.parse("a@b")


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("", 0, "expected a local-part"),
        ("@b", 0, "expected a local-part"),
        ("a", 1, "expected @"),
        ("a@", 2, "expected a domain"),
        ('"a@b', 0, "expected a local-part"),
        ('"a"b@c', 3, "expected @"),
        ("a@b c", 3, "text after the mailbox"),
        ("a@b>", 3, "text after the mailbox"),
        ("a@-b", 2, "not allowed in a domain"),
        ("a@b-", 3, "not allowed in a domain"),
        ("a@b.", 3, "not allowed in a domain"),
        ("a@b_c", 3, "not allowed in a domain"),
        ("a@[1.2.3]", 3, "not an IPv4 address"),
        ("a@[1.2.3.256]", 3, "not an IPv4 address"),
        ("a@[1.2.3.4.5]", 3, "not an IPv4 address"),
        ("a@[1.2.3.04x]", 3, "not an IPv4 address"),
        ("a@[IPv6:1]", 8, "not an IPv6 address"),
        ("a@[IPv6:::1%eth0]", 8, "not an IPv6 address"),
        ("a@[IPv6:1:2:3:4:5:6:7::]", 8, "one group only"),
        ("a@[x:]", 3, "not an address literal"),
        ("a@[ipv4:1.2.3.4]", 3, "not an address literal"),
        ("a@[-:x]", 3, "not an IPv4 address"),
        ("a@[a b]", 2, "expected an address literal"),
        ("a\u200b@b", 1, "not allowed in an address"),
        ("a@b.\u00c9", 4, "not a U-label"),
    ],
)
def test_what_is_wrong(text, where, why):
    with pytest.raises(ParseError, match=why) as caught:
        Mailbox.parse(text)
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("text", "tag", "address"),
    [
        ("[192.0.2.1]", "IPv4", "192.0.2.1"),
        ("[255.255.255.255]", "IPv4", "255.255.255.255"),
        ("[001.002.003.004]", "IPv4", "001.002.003.004"),
        ("[IPv6:::]", "IPv6", "::"),
        ("[ipv6:2001:DB8::1]", "IPv6", "2001:DB8::1"),
        ("[IPv6:::ffff:192.0.2.1]", "IPv6", "::ffff:192.0.2.1"),
        ("[IPv6:1:2:3:4:5:6::]", "IPv6", "1:2:3:4:5:6::"),
        ("[IPv6:1:2:3:4:5:6:7:8]", "IPv6", "1:2:3:4:5:6:7:8"),
        ("[x-any:thing.at;all]", "x-any", "thing.at;all"),
    ],
)
def test_literals(text, tag, address):
    literal = AddressLiteral.parse(text)
    assert (literal.tag, literal.address) == (tag, address)
    assert AddressLiteral(tag, address) == literal
    assert literal == text.lower()
    assert literal == str(literal)
    assert literal != Domain("x")
    assert literal != 5
    assert Mailbox("a", text).domain == literal
    mailbox = Mailbox.parse(f"a@{text}")
    assert str(mailbox.domain) == str(literal)
    assert str(mailbox) == str(Mailbox("a", text)) == str(Mailbox("a", literal))
    assert mailbox.raw == f"a@{text}"


@pytest.mark.parametrize(
    ("tag", "address"),
    [
        ("IPv4", "IPv6:::1"),
        ("IPv4", "x:y"),
        ("IPv6", "1.2.3.4"),
        ("x", "a]b"),
        ("x", ""),
        ("a:b", "c"),
        ("IPv4", "1.2.3.4]"),
    ],
)
def test_no_literals(tag, address):
    with pytest.raises(ParseError):
        AddressLiteral(tag, address)


def test_nothing_behind_a_literal():
    with pytest.raises(ParseError, match="text after"):
        AddressLiteral.parse("[192.0.2.1]x")


def test_domains_are_equal_to_their_names():
    assert Domain("Crepes.FR") == "crepes.fr"
    assert Domain("crepes.fr") == Domain("CREPES.fr")
    assert Domain("crepes.fr") != "crepes.fr."
    assert Domain("crepes.fr") != 5
    assert hash(Domain("Crepes.FR")) == hash("crepes.fr")
    assert Domain("b\u00fccher.DE") == "b\u00fccher.de"
    assert str(Domain("Crepes.FR")) == "Crepes.FR"


def test_letters_that_only_look_alike_are_others():
    """Case is that of ASCII: a Kelvin sign is no k, and an I with a dot no i."""
    assert Domain("kelvin.org") != "\u212aelvin.org"
    assert Domain("i.org") != "\u0130.org"
    assert AddressLiteral("x", "k") != "[x:\u212a]"
    assert Domain("\u00e9.org") != "\u00c9.org"


@pytest.mark.parametrize(
    "name",
    ["a", "1", "a-b", "a--b", "xn--bcher-kva.example", "a" * 63, "b\u00fccher", "fa\u00df", "\u65e5\u672c"],
)
def test_domains(name):
    assert Domain(name).text == name


@pytest.mark.parametrize(
    "name", ["", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "[1.2.3.4]", "\u200da", "\u2163", "\u0301a"]
)
def test_no_domains(name):
    with pytest.raises(ParseError):
        Domain(name)


@pytest.mark.parametrize(
    ("domain", "bad"),
    [
        ("ascii.only", -1),
        ("b\u00fccher.de", -1),
        ("fa\u00df.\u03c2.de", -1),
        ("\u0661.\u30a2.\u05d0", -1),
        ("x.B\u00dcCHER", 2),
        ("x.\uff41", 2),
        ("\u2603.x", 0),
        ("e\u0301.x", 0),
        ("a.\u0301b", 2),
    ],
)
def test_labels(domain, bad):
    """RFC 5892: letters and digits that normalising and folding would not change."""
    assert find_bad_label(domain) == bad


def test_postmaster():
    assert Postmaster() == POSTMASTER
    assert hash(Postmaster()) == hash(POSTMASTER)
    assert (POSTMASTER.local_part, POSTMASTER.domain, POSTMASTER.is_ascii) == ("Postmaster", None, True)
    assert str(POSTMASTER) == "Postmaster"
    assert repr(POSTMASTER) == "Postmaster()"


def test_tolerance_keeps_what_it_let_through():
    tolerance = Tolerance(INTEROP)
    tolerance.permit(INTEROP, "odd", 3, "RFC 5321 s4.1.2")
    with pytest.raises(ParseError) as caught:
        tolerance.permit(LAX, "odder", 4, "RFC 5321 s4.1.2", "x" * 500)
    assert (caught.value.where, caught.value.why, caught.value.rule) == (4, "odder", "RFC 5321 s4.1.2")
    assert len(caught.value.text) == 100
    (defect,) = tolerance.take()
    assert defect == Defect("RFC 5321 s4.1.2", "odd", 3)
    assert str(defect) == "odd at offset 3 (RFC 5321 s4.1.2)"
    assert tolerance.take() == []


def test_errors_say_what_where_and_why():
    assert str(ParseError("bad", 3, "RFC 1 s2", "a\r\nb")) == "bad at offset 3 in 'a\\r\\nb' (RFC 1 s2)"
    assert str(ParseError("bad")) == "bad at offset 0 (RFC 5321 s4.1.2)"
    assert isinstance(ParseError("bad"), ValueError)


def is_plain(text: str) -> bool:
    """Whether text over these few characters is a mailbox without quotes, by the grammar spelt out."""
    local_part, _, domain = text.partition("@")
    labels = domain.split(".")
    return all(local_part.split(".")) and all(
        label and "_" not in label and "@" not in label and label[0] != "-" != label[-1] for label in labels
    )


def test_every_short_text_is_read_by_one_grammar():
    """Whatever ways there are to read the common address fast, they say what the grammar says."""
    for length in range(7):
        for characters in product("a@.-_", repeat=length):
            text = "".join(characters)
            try:
                found = Mailbox.parse(text)
            except ParseError:
                assert not is_plain(text), text
                continue
            assert is_plain(text), text
            assert (found.local_part, str(found.domain)) == tuple(text.split("@"))
            assert (str(found), found.raw, found) == (text, text, Mailbox(*text.split("@")))


@pytest.mark.parametrize("verb", ["MAIL FROM", "RCPT TO"])
def test_every_short_path_is_read_by_one_grammar(verb):
    for length in range(7):
        for characters in product("a@.>-", repeat=length):
            text = "".join(characters)
            path, closing, rest = text.partition(">")
            try:
                found = path_of(parsed(f"{verb}:<{text}".encode()))
            except ParseError:
                assert not (closing and not rest and is_plain(path)) or not path, text
                continue
            assert closing
            assert not rest
            assert str(found or "") == path
