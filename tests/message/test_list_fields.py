"""List fields: the URLs in their order, the identifier, and one click."""

from __future__ import annotations

import re
from math import log
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message.list_fields import ONE_CLICK, ListId, ListUrl, ListUrls, is_one_click
from smtpcore.wire.tolerance import INTEROP, LAX, Tolerance
from tests.corpus import MISSING, corpus_folder
from tests.message.trace_corpus import fields_of
from tests.wire.counting import growth

# The examples of RFC 2369 s3, and more.
STRICT = {
    "<mailto:list@host.com?subject=help> (List Instructions)": ListUrls(
        [ListUrl("mailto:list@host.com?subject=help", ["List Instructions"])]
    ),
    "<ftp://ftp.host.com/list.txt> (FTP), <mailto:list@host.com?subject=help>": ListUrls(
        [ListUrl("ftp://ftp.host.com/list.txt", ["FTP"]), ListUrl("mailto:list@host.com?subject=help")]
    ),
    "NO (posting not allowed on this list)": ListUrls(closed=True, comments=["posting not allowed on this list"]),
    "no": ListUrls(closed=True),
    "(Postmaster) <mailto:a@b>": ListUrls([ListUrl("mailto:a@b", ["Postmaster"])]),
    "<a:b>,<c:d>, (x) <e:f> (y) (z)": ListUrls(["a:b", "c:d", ListUrl("e:f", ["x", "y", "z"])]),
    "<https://a/b?c=(d)&e=%20>": ListUrls(["https://a/b?c=(d)&e=%20"]),
}


@pytest.mark.parametrize("text", STRICT)
def test_strict(text):
    found = ListUrls.parse(text)
    assert found == STRICT[text]
    assert found.defects == ()
    assert ListUrls.parse(str(found)) == found == ListUrls.read(text)


def test_canonical():
    made = ListUrls(["https://a", ListUrl("mailto:b@c", ["d (e)"])])
    assert str(made) == "<https://a>, <mailto:b@c> (d (e))"
    assert str(ListUrls(closed=True, comments=["x"])) == "NO (x)"
    assert [str(url) for url in made.urls] == ["https://a", "mailto:b@c"]


def test_the_first_of_a_scheme():
    found = ListUrls.parse("<MAILTO:a@b>, <https://c>, <https://d>")
    assert found.of_scheme("https", "http") == ListUrl("https://c")
    assert found.of_scheme("mailto") == found.urls[0]
    assert found.of_scheme("ftp") is None


def test_white_space_in_a_url():
    text = "<mailto:a@b?subject=su\t bscribe>"
    with pytest.raises(ParseError, match="white space within a URL"):
        ListUrls.parse(text)
    assert str(ListUrls.parse(text, Tolerance(INTEROP))) == "<mailto:a@b?subject=subscribe>"


WILD = {
    "https://a": ("URL without angle brackets", "<https://a>"),
    "<a:b> <c:d>": ("no comma between URLs", "<a:b>, <c:d>"),
    "NO, <c:d>": ("no comma between URLs", "<c:d>"),
    "NO <c:d>": ("no comma between URLs", "<c:d>"),
    "NO, (x)": ("nothing after the comma", "NO (x)"),
    "<a:b>,": ("nothing after the comma", "<a:b>"),
    "<a:b>, (c)": ("nothing after the comma", "<a:b> (c)"),
    ",<a:b>": ("nothing before the comma", "<a:b>"),
    "<a:b>,,<c:d>": ("nothing before the comma", "<a:b>, <c:d>"),
    "<javascript>, <a:b>": ("not a URL", "<a:b>"),
    "<a:\u00e9>": ("not a URL", ""),
    "<>": ("not a URL", ""),
    "<a:b": ("URL without angle brackets", "<a:b>"),
    "a:b)": ("URL without angle brackets", "<a:b>"),
    "": ("no URL", ""),
    "(c)": ("no URL", "(c)"),
    "nobody": ("not a URL", ""),
    "<a:b> (c": ("comment without an end", "<a:b> (c)"),
    "<a:b>\r\nBcc: x": ("control character in a field", "<a:b>"),
}


@pytest.mark.parametrize("text", WILD)
def test_what_is_out_there(text):
    why, shown = WILD[text]
    with pytest.raises(ParseError):
        ListUrls.parse(text, Tolerance(INTEROP))
    found = ListUrls.read(text)
    assert why in [defect.why for defect in found.defects]
    assert str(found) == shown or text == "<a:b>\r\nBcc: x"


def test_what_cannot_be_built():
    for make in (
        lambda: ListUrl("a"),
        lambda: ListUrl("a:b>"),
        lambda: ListUrl("a:b\r\n"),
        lambda: ListUrl("a:b", ["\0"]),
        lambda: ListUrls(),
        lambda: ListUrls(["a:b"], closed=True),
        lambda: ListUrls(["a:b"], comments=["c"]),
        lambda: ListUrls(closed=True, comments=["\n"]),
    ):
        with pytest.raises(ParseError):
            make()


# --- List-Id -------------------------------------------------------------------------------------

IDS = {
    "<dev.lists.crepes.fr>": ListId("dev.lists.crepes.fr"),
    "List Header Mailing List <list-header.nisto.com>": ListId("list-header.nisto.com", "List Header Mailing List"),
    '"Lena\'s Personal <Joke> List" <lenas-jokes.da39efc25c530ad145d41b86f7420c3b.021999.localhost>': ListId(
        "lenas-jokes.da39efc25c530ad145d41b86f7420c3b.021999.localhost", "Lena's Personal <Joke> List"
    ),
    '(c) "a \\" \\\\" (d) <e.f> (g)': ListId("e.f", 'a " \\'),
    "=?utf-8?q?=C3=A9?= <e.f>": ListId("e.f", "=?utf-8?q?=C3=A9?="),
}


@pytest.mark.parametrize("text", IDS)
def test_list_id(text):
    found = ListId.parse(text)
    assert found == IDS[text]
    assert found.defects == ()
    assert ListId.parse(str(found)) == found == ListId.read(text)


def test_the_case_of_an_id_does_not_count():
    assert ListId("A.\u00c9.b").key == "a.\u00c9.b"
    assert str(ListId("A.b", "")) == "<A.b>"


WILD_IDS = {
    "a.b": ("no identifier in angle brackets", "a.b", ""),
    "x < a.b >": ("white space within the identifier", "a.b", "x"),
    "<ab>": ("not a list identifier", "ab", ""),
    "<a b.c>": ("not a list identifier", "", ""),
    "": ("no identifier in angle brackets", "", ""),
    "x <": ("no identifier in angle brackets", "", ""),
    "a, b <c.d>": ("description that is no phrase", "c.d", "a, b"),
    '"a" b <c.d>': ("description that is no phrase", "c.d", '"a" b'),
    "( <c.d>": ("description that is no phrase", "c.d", "("),
    f"<{'a.' * 127}bc>": ("not a list identifier", f"{'a.' * 127}bc", ""),
    "<a.b>\n": ("control character in a field", "a.b", ""),
}


@pytest.mark.parametrize("text", WILD_IDS)
def test_ids_that_are_out_there(text):
    why, id, description = WILD_IDS[text]
    with pytest.raises(ParseError, match=re.escape(why)):
        ListId.parse(text)
    found = ListId.read(text)
    assert (found.id, found.description) == (id, description)
    assert why in [defect.why for defect in found.defects]


def test_the_longest_id():
    assert len(ListId(f"{'a.' * 127}b").id) == 255


@pytest.mark.parametrize(("id", "description"), [("", ""), ("ab", ""), ("a b.c", ""), ("a.b> x", ""), ("a.b", "\r")])
def test_ids_that_cannot_be_built(id, description):
    with pytest.raises(ParseError):
        ListId(id, description)


# --- one click -----------------------------------------------------------------------------------


def test_one_click():
    assert ONE_CLICK == "List-Unsubscribe=One-Click"
    for text in (ONE_CLICK, " list-unsubscribe=one-click\t"):
        assert is_one_click(text)
    for text in ("", "List-Unsubscribe", "List-Unsubscribe=One-Click; x", "Li\u017ft-Unsubscribe=One-Click"):
        assert not is_one_click(text)


# --- any text ------------------------------------------------------------------------------------

TEXTS = st.lists(
    st.sampled_from(
        [
            "<",
            ">",
            "<a:b>",
            "https://c",
            " ",
            ",",
            "NO",
            "(d)",
            "(",
            ")",
            "<a.b>",
            "x",
            '"',
            "\\",
            '"e f"',
            "\r",
            "\0",
            "\udc80",
            "\ud800",
            "\u00e9",
        ]
    )
    | st.text(max_size=2)
).map("".join)


@given(TEXTS)
def test_reading_is_total(text):
    for kind in (ListUrls, ListId):
        found = kind.read(text)
        assert kind.read(str(found)) == found
        assert [defect.where for defect in found.defects] == sorted(defect.where for defect in found.defects)


@given(TEXTS)
def test_what_is_taken_is_taken_again(text):
    for kind in (ListUrls, ListId):
        try:
            found = kind.parse(text)
        except ParseError:
            continue
        assert kind.parse(str(found)) == found
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", str(found))


HOSTILE = {
    "angles": lambda n: "<" * n,
    "urls": lambda n: "<a:b>," * n,
    "bare": lambda n: "a:b " * n,
    "commas": lambda n: "," * n,
    "comments": lambda n: "(" * n,
    "pairs": lambda n: "()" * n,
    "pairs-behind": lambda n: "<a.b>" + "()" * n + "(",
    "quotes": lambda n: '"' * n + "<a.b>",
    "escapes": lambda n: '"' + "\\" * n + "<a.b>",
    "words": lambda n: "a " * n + "<a.b>",
    "dots": lambda n: "<" + "a." * n + ">",
    "blanks": lambda n: "<a:" + " " * n + ">",
}


def seconds(text: str) -> float:
    best = float("inf")
    for _ in range(3):
        begun = process_time()
        ListUrls.read(text), ListId.read(text)
        best = min(best, process_time() - begun)
    return best + 20e-6


@pytest.mark.law(14)
@pytest.mark.parametrize("family", HOSTILE)
def test_work_is_linear(family):
    make = HOSTILE[family]
    seconds(make(2))
    assert growth(lambda size: lambda: (ListUrls.read(make(size)), ListId.read(make(size))), 256, 8) <= 1.1
    for _ in range(5):
        # What is over in the twentieth of a second has tried nothing again and again.
        if (most := seconds(make(32_000))) < 0.05 or log(most / seconds(make(4000))) / log(8) < 1.6:
            return
    pytest.fail("takes more than linear time")


@pytest.mark.parametrize("name", ["help", "unsubscribe", "subscribe", "post", "owner", "archive"])
def test_urls_of_the_corpus(name):
    if corpus_folder() is None:
        pytest.skip(MISSING)
    for text in fields_of(f"list-{name}"):
        found = ListUrls.parse(text, Tolerance(INTEROP))
        assert [url.url for url in found.urls] == re.findall(r"<(.*?)>", re.sub(r"[ \t]", "", text))


def test_ids_of_the_corpus():
    if corpus_folder() is None:
        pytest.skip(MISSING)
    texts = fields_of("list-id")
    assert len(texts) > 10
    for text in texts:
        found = ListId.parse(text, Tolerance(LAX))
        assert text.endswith(f"<{found.id}>")
        assert found.description in text
        # One is in Big5 with no word about it.
        assert not found.defects or not text.isascii()
