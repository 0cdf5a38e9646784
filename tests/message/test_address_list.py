"""Addresses of header fields: what is one, what is none, and that a name never is."""

from __future__ import annotations

import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import Mailbox, ParseError
from smtpcore.message import address_list
from smtpcore.message.address import Address, Group
from smtpcore.message.address_list import AddressList
from smtpcore.wire.tolerance import INTEROP, LAX, STRICT, Tolerance
from tests.wire.counting import growth


def specs(text: str) -> list[str]:
    return [str(address.mailbox) for address in AddressList.read(text).addresses]


# id, text, the addresses that are read, the least level that parses it (None: no level does)
CASES = [
    ("ADR-01a", "a@malicious.org@important.com", [], None),
    ("ADR-01b", "foo@bar@baz", [], None),
    ("ADR-02a", "alice@example.org)bob@example.com", [], None),
    ("ADR-02b", "alice@example.org<bob@example.com>", [], None),
    ("ADR-02c", "alice@example.org>bob@example.com", [], None),
    ("ADR-03", "alice@example.org(bob@example.com", [], None),
    ("ADR-04", '"xclow3n@gmail.com x"@internal.domain', ['"xclow3n@gmail.com x"@internal.domain'], STRICT),
    ("ADR-05", "user@good-corp.com(x)evil.com", [], None),
    ("ADR-06a", "user@(x)good.com", ["user@good.com"], INTEROP),
    ("ADR-06b", "user(x)@good.com", ["user@good.com"], INTEROP),
    ("ADR-07a", "=?utf-8?q?a=40b?=c@host.com", ["=?utf-8?q?a=40b?=c@host.com"], STRICT),
    ("ADR-07b", "=?utf-8?q?admin?=@x.com", ["=?utf-8?q?admin?=@x.com"], STRICT),
    ("ADR-08", "=?x?q?=41=42collab=40psres.net=3e=00?=foo@bar.com", [
        "=?x?q?=41=42collab=40psres.net=3e=00?=foo@bar.com"], STRICT),
    ("ADR-09a", "a@[IPv6:2001:db8::1]", ["a@[IPv6:2001:db8::1]"], STRICT),
    ("ADR-09b", "a@[", [], None),
    ("ADR-09c", "a@[x", [], None),
    ("ADR-10", "g0: g1: g2: x@y;" * 1000, [], None),
    ("ADR-11", "(" * 5000 + ")" * 5000 + " a@b", [], None),
    ("ADR-12a", "a@ex\u00adample.com", [], None),
    ("ADR-12b", "a@\u2100.com", [], None),
    ("ADR-12c", "a\uff20b", [], None),
    ("ADR-12d", "a@b\u3002example", [], None),
    ("ADR-13a", "a\u200bb@c", [], None),
    ("ADR-13b", "a@b\u202e", [], None),
    ("ADR-14", "cafe\u0301@x", ["cafe\u0301@x"], STRICT),
    ("ADR-15", "<@a,@b:user@d>", ["user@d"], INTEROP),
    ("ADR-18a", ".a@b", [], None),
    ("ADR-18b", "a.@b", [], None),
    ("ADR-18c", "a..b@c", [], None),
    ("ADR-19", '"admin@bank.example" <a@evil>', ["a@evil"], STRICT),
    ("ADR-20a", "Jane <j@x> <k@y>", [], None),
    ("ADR-20b", "a,b@c", [], None),
    ("ADR-20c", "a@b,", ["a@b"], INTEROP),
    ("ADR-20d", ",", [], None),
    ("ADR-20e", ";", [], None),
    ("ADR-20f", ":", [], None),
    ("empty", "", [], None),
    ("space", " ", [], None),
    ("HDR-08a", '"', [], None),
    ("HDR-08b", "<", [], None),
    ("HDR-08c", "a@", [], None),
    ("HDR-08d", "(c):", [], None),
    ("HDR-08e", "a@b,", ["a@b"], INTEROP),
    ("group", 'A: b@c, "d e" <f@g>;, h@i', ["b@c", "f@g", "h@i"], STRICT),
    ("group-empty", "undisclosed-recipients:;", [], STRICT),
    ("group-empty-comment", "g: (none) ; (really)", [], STRICT),
    ("group-commas", "g: a@b,,c@d;", ["a@b", "c@d"], INTEROP),
    ("group-last-comma", "g: a@b,;", ["a@b"], INTEROP),
    ("group-open", "g: a@b", ["a@b"], LAX),
    ("group-nested", "g: h: a@b;, c@d;, e@f", ["c@d", "e@f"], None),
    ("group-text", "g: a@b c@d;, e@f", ["e@f"], None),
    ("group-no-comma", "g: a@b; h: c@d;", ["a@b", "c@d"], LAX),
    ("dots", "Joe Q. Public <a@b>", ["a@b"], INTEROP),
    ("dot-first", ". Doe <a@b>", [], None),
    ("comma", "Smith, John <j@x>, k@y", ["j@x", "k@y"], LAX),
    ("comma-nothing", "Smith, , John <j@x>", [], None),
    ("semicolon", "a@b; c@d", ["a@b", "c@d"], LAX),
    ("spaces", "< a . b @ c . d >", ["a.b@c.d"], INTEROP),
    ("comments", "(1) a (2) . (3) b (4) @ (5) c (6) . (7) d (8)", ["a.b@c.d"], INTEROP),
    ("comment-behind-label", "a@b (x) .c", ["a@b.c"], INTEROP),
    ("comment-behind-dot", "a@b. (x) c", ["a@b.c"], INTEROP),
    ("words", '"a"."b c".d@e', ['"a.b c.d"@e'], INTEROP),
    ("words-backslash", '"a\\"b".c@d', ['"a\\"b.c"@d'], INTEROP),
    ("words-no-dot", "a b@c", [], None),
    ("quoted-no-dot", '"a"b@c', [], None),
    ("route-spaces", "<@a , , @b : user@d>", ["user@d"], INTEROP),
    ("route-no-host", "<, : user@d>", [], None),
    ("route-no-colon", "<@a,@b user@d>", [], None),
    ("route-no-end", "<@a", [], None),
    ("literal", "a@[192.0.2.1]", ["a@[192.0.2.1]"], STRICT),
    ("literal-spaces", "a@ [ 192.0.2.1 ]", ["a@[192.0.2.1]"], INTEROP),
    ("literal-of-nothing", "a@[jibber]", [], None),
    ("underscore", "a@b_c.d", ["a@b_c.d"], INTEROP),
    ("twice", "A@B.c <A@b.C>", ["A@b.C"], LAX),
    ("twice-another", "a@b <c@d>", [], None),
    ("text-behind", "<a@b> c", [], None),
    ("no-bracket", "x <a@b", [], None),
    ("no-address", "x <>", [], None),
    ("no-at", "<x>", [], None),
    ("goes-on", "a@b@c, d@e", ["d@e"], None),
    ("goes-on-behind-quotes", '"a, b"@c@d <x, y>, e@f', ["e@f"], None),
    ("stops-at-open-quote", 'x@y, "a@b, c@d', ["x@y"], None),
    ("stops-at-open-comment", "x@y, a@b@c (a@b, c@d", ["x@y"], None),
    ("stops-at-open-bracket", "x@y, z@@ <a@b, c@d", ["x@y"], None),
    ("goes-on-behind-comment", "a@@b (c, d@e), f@g", ["f@g"], None),
    ("8-bit", "Zo\udceb <a@b>", ["a@b"], LAX),
    ("local-part-65", "a" * 65 + "@b", ["a" * 65 + "@b"], LAX),
    ("local-part-64", "a" * 64 + "@b", ["a" * 64 + "@b"], STRICT),
    ("utf8", "Zo\u00eb <zo\u00eb@b\u00e4r.example>", ["zo\u00eb@b\u00e4r.example"], STRICT),
    ("tab-in-name", '"a\tb" <a@b>', ["a@b"], STRICT),
    ("nul", "a\0b <a@b>", [], None),
    ("backslash-quote", '"a\\" <x@y>, b" <c@d>', ["c@d"], STRICT),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected", "least"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_what_is_read(text, expected, least):
    found = AddressList.read(text)
    assert specs(text) == expected
    assert bool(found.defects) == (least is not STRICT)
    for level in (STRICT, INTEROP, LAX):
        tolerance = Tolerance(level)
        if least is None or level.value < least.value:
            with pytest.raises(ParseError) as caught:
                AddressList.parse(text, tolerance)
            assert caught.value.rule.startswith("RFC ")
            assert 0 <= caught.value.where <= len(text)
        else:
            assert AddressList.parse(text, tolerance) == found
            assert found.defects == tuple(tolerance.defects)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a@b", ""),
        ("<a@b>", ""),
        ("Alice <a@b>", "Alice"),
        ('"Alice" <a@b>', "Alice"),
        ('Alice  "of  crepes" (x) fr <a@b>', "Alice of  crepes fr"),
        (r'"a \"b\" \\c" <a@b>', r'a "b" \c'),
        (r'"a\b" "c\"d" <a@b>', r'ab c"d'),
        ("John Q. Public <a@b>", "John Q. Public"),
        ("=?utf-8?q?Zo=C3=AB?= <a@b>", "Zo\u00eb"),
        ("=?utf-8?q?a?= =?utf-8?q?b?= c <a@b>", "ab c"),
        ('"=?utf-8?q?a?=" <a@b>', "=?utf-8?q?a?="),
        ('=?utf-8?q?a?= "=?utf-8?q?b?=" <a@b>', "a =?utf-8?q?b?="),
        ("a@b (Alice)", "Alice"),
        ('a@b (Al "x" \\) ice)', 'Al "x" ) ice'),
        ("a@b (=?utf-8?q?Zo=C3=AB?=)", "Zo\u00eb"),
        ("Smith, John <a@b>", "Smith, John"),
        ("a@b <a@b>", "a@b"),
        ("Zo\udceb <a@b>", "Zo\ufffd"),
        ('"Zo\ud800" <a@b>', "Zo\ufffd"),
        ("=?utf-8?q?=0D=0ABcc=3A_x=40y?= <a@b>", "\ufffd\ufffdBcc: x@y"),
    ],
)
def test_names(text, name):
    (address,) = AddressList.read(text).addresses
    assert address.display_name == name
    assert address.mailbox == Mailbox("a", "b")
    again = AddressList.parse(str(address))
    assert again.items == (address,)
    assert AddressList.parse(address.serialise(utf8=True)).items == (address,)
    assert str(address).isascii()


@pytest.mark.parametrize(
    ("name", "text", "utf8"),
    [
        ("", "a@b", "a@b"),
        ("Alice", "Alice <a@b>", "Alice <a@b>"),
        ("Alice B", "Alice B <a@b>", "Alice B <a@b>"),
        ("Alice  B", '"Alice  B" <a@b>', '"Alice  B" <a@b>'),
        ("x, <admin@bank>", '"x, <admin@bank>" <a@b>', '"x, <admin@bank>" <a@b>'),
        (' "\\', '" \\"\\\\" <a@b>', '" \\"\\\\" <a@b>'),
        ("=?utf-8?q?x?=", '"=?utf-8?q?x?=" <a@b>', '"=?utf-8?q?x?=" <a@b>'),
        ("Zo\u00eb", "=?utf-8?q?Zo=C3=AB?= <a@b>", "Zo\u00eb <a@b>"),
        ("Zo\u00eb, X", "=?utf-8?q?Zo=C3=AB=2C_X?= <a@b>", '"Zo\u00eb, X" <a@b>'),
    ],
)
def test_how_names_are_written(name, text, utf8):
    address = Address(name, "a@b")
    assert (str(address), address.serialise(utf8=True)) == (text, utf8)
    assert str(Group(name or "g", [address])) == f"{text.removesuffix(' <a@b>') if name else 'g'}: {text};"


def test_a_name_too_long_for_a_line_is_folded_as_words():
    address = Address("a, b" * 100, "a@b")
    assert max(map(len, str(address).split(" "))) < 76
    assert AddressList.parse(str(address)).items == (address,)


@pytest.mark.parametrize("bad", ["a\r\nBcc: x", "a\nb", "\0", "\x7f", "\ud800"])
def test_no_control_gets_into_a_name(bad):
    for build in (lambda: Address(bad, "a@b"), lambda: Group(bad)):
        with pytest.raises(ParseError, match="display name"):
            build()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Address("x", "a@b\r\nRCPT TO:<c@d>"), "RFC 5321"),
        (lambda: Address("x", ""), "expected a local-part"),
    ],
)
def test_no_other_mailbox(build, message):
    with pytest.raises(ParseError, match=message):
        build()


@pytest.mark.parametrize(
    "build",
    [
        lambda: Address("x", 3),  # type: ignore[arg-type]  # what must be refused
        lambda: Group("g", ["a@b"]),  # type: ignore[list-item]  # what must be refused
        lambda: AddressList(["a@b"]),  # type: ignore[list-item]  # what must be refused
    ],
)
def test_types(build):
    with pytest.raises(TypeError):
        build()


def test_a_list():
    alice, bob = Address("Alice", "alice@crepes.fr"), Address("", Mailbox("bob", "hamburger.edu"))
    group = Group("friends", [bob])
    several = AddressList([alice, group])
    assert list(several) == [alice, group]
    assert len(several) == 2
    assert several.addresses == (alice, bob)
    assert several.defects == ()
    assert str(several) == "Alice <alice@crepes.fr>, friends: bob@hamburger.edu;"
    assert str(Group("", [])) == '"":;'
    assert AddressList.parse('"":;').items == (Group("", []),)
    assert pickle.loads(pickle.dumps(several)) == several
    read = AddressList.read("Alice <alice@crepes.fr>, bob@hamburger.edu")
    assert pickle.loads(pickle.dumps(read)) == read
    assert repr(read.items[1]) == (
        "Address(display_name='', mailbox=Mailbox(local_part='bob', domain=Domain(text='hamburger.edu')))"
    )
    assert {alice: 1}[read.addresses[0]] == 1


TOKENS = st.lists(
    st.sampled_from(
        [
            *'@<>,;:.()[]"',
            "a",
            "b.c",
            "\\",
            " ",
            "\t",
            "x@y",
            "Ann <a@b>",
            "g:",
            "=?utf-8?q?=3Cx=40y=3E?=",
            '"q, z"',
            "[192.0.2.1]",
            "\u00e9",
            "\udc80",
            "\ud800",
            "\0",
            "\r\n",
            "\u200b",
        ]
    ),
    max_size=14,
).map("".join)


@given(TOKENS)
def test_any_text_is_read(text):
    found = AddressList.read(text)
    assert found.items or found.defects
    # I13: what is written is read as the same, at the strictest where the addresses themselves are strict
    if found.items:
        again = AddressList.parse(str(found), Tolerance(LAX))
        assert again == found
        assert str(again) == str(found)
        assert AddressList.parse(found.serialise(utf8=True), Tolerance(LAX)) == found
    try:
        strict = AddressList.parse(text)
    except ParseError:
        assert found.defects
    else:
        assert strict == found
        assert not found.defects
    for address in found.addresses:
        # the envelope's grammar agrees on every address
        assert Mailbox.parse(address.addr_spec, Tolerance(LAX)) == address.mailbox
        assert address.addr_spec == str(address.mailbox)
        assert "\n" not in address.display_name


WHOLE = ["Ann <a@b>", "x@y", '"q, z" <q@z>', "=?utf-8?q?x=2C_y?= <w@v>", "g: m@n, o@p;", "undisclosed:;", "(c) d@e (f)"]


PLAIN = ["a@b", "c.d@e-f.g", "<a@b>", "x <a@b>", "x y\t<a@b>", '"x, y" <a@b>', '"," <a@b>', '""<a@b>', "=?x?= <a@b>"]
OTHERS = ["x", "a@", "@b", "x, y <a@b>", '"x, <a@b>', "a@b c@d", "g: a@b;", "(c) a@b", "<a@b", "a@b>", "", " ", "\t"]
OTHERS += ["x" * 64 + "@b", "\u00e9 <a@b>"]
LISTED = st.lists(st.sampled_from([*PLAIN, *OTHERS]), max_size=5)


@given(LISTED, st.sampled_from([",", ", ", " ,\t", ",,", ";", ""]))
def test_plain_lists_are_what_their_tokens_say(elements, comma):
    text = comma.join(elements)
    plain = address_list._read_plain(text)
    if plain is not None:
        long = address_list._read_list(text)
        assert len(plain) == len(long)  # before anybody has asked for an address
        assert (plain, plain.addresses, plain.defects) == (long, long.addresses, long.defects)
        assert plain.items is plain.items is plain.addresses
        assert pickle.loads(pickle.dumps(address_list._read_plain(text))) == AddressList(plain.items) == long
    elif comma == ", " and elements:
        assert not set(elements) <= set(PLAIN)


@given(st.lists(st.sampled_from(WHOLE), min_size=1, max_size=6), st.sampled_from([",", ", ", " ,\t"]))
def test_elements_are_read_alike_alone_and_together(elements, comma):
    together = AddressList.parse(comma.join(elements))
    assert list(together) == [item for element in elements for item in AddressList.parse(element)]


@given(st.text(max_size=30), TOKENS)
def test_i15_a_name_never_changes_who_is_meant(name, other):
    """I15: whatever stands in the name or in a comment, the addresses are the same."""
    for text in (name, other):
        try:
            address = Address(text, "a@b")
        except ParseError:
            continue
        assert specs(f"{address}, c@d") == ["a@b", "c@d"]
        escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        if "\r" not in text and "\n" not in text:
            assert specs(f"({escaped}) a@b") == ["a@b"]


FAMILIES = {
    "plain": lambda n: ", ".join(f"user{i}@example.com" for i in range(n)),
    "names": lambda n: ", ".join(f"User Name{i} <user{i}@example.com>" for i in range(n)),
    "nested comments": lambda n: "(" * n + ")" * n + " a@b.com",
    "unclosed": lambda n: "(" * n + "a@b.com",
    "comments": lambda n: "(c)" * n + " a@b.com",
    "quotes": lambda n: '"' * n + " <a@b.com>",
    "escaped quotes": lambda n: '"' + '\\"' * n + '" <a@b.com>',
    "commas": lambda n: "," * n + "a@b.com",
    "<": lambda n: "<" * n + "a@b.com>",
    "@": lambda n: "a" + "@" * n + "b.com",
    "route": lambda n: "<" + ",".join(f"@h{i}.com" for i in range(n)) + ":a@b.com>",
    "dots": lambda n: "a." * n + "a@b.com",
    "spaced dots": lambda n: "a . " * n + "a@b.com",
    "words": lambda n: "word " * n + "<a@b.com>",
    "encoded-words": lambda n: "=?utf-8?q?a?= " * n + "<a@b.com>",
    "=?": lambda n: "=?" * n + " <a@b.com>",
    "spaces": lambda n: "a" + " " * n + "<a@b.com>",
    "spaces, no <": lambda n: "a" + " " * n + "b@c.com",
    "groups": lambda n: "g: a@b.com; " * n,
    "nested groups": lambda n: "g:" * n + "a@b.com;",
    "atom": lambda n: "a" * n + "@b.com",
    "brackets": lambda n: "a@" + "[" * n + "1.2.3.4]",
    "names without an address": lambda n: "a, " * n,
    "bad elements": lambda n: "a@b@c, " * n,
    "bad groups": lambda n: "g: h: a@b; " * n,
    "labels": lambda n: "a@" + "b (c) . " * n + "d",
}


@pytest.mark.parametrize("family", FAMILIES)
def test_work_grows_with_the_text(family):
    def work(size):
        text = FAMILIES[family](size)
        return lambda: str(AddressList.read(text))

    assert growth(work, 500) < 1.15


@pytest.mark.parametrize("family", FAMILIES)
def test_no_pattern_tries_again(family):
    """Opcodes do not show what a pattern does within; 32,000 of anything take no time that anybody notices."""
    text = FAMILIES[family](32_000)
    start = time.process_time()
    AddressList.read(text)
    assert time.process_time() - start < 5
