"""The page: it stands alone, says what the text says, and nothing in a transcript gets out of its place in it."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore.cli.explain.page import write_page
from tests.cli.explaining import CLEAN, TEXTBOOK, explain, found_in, story_of, story_of_text
from tests.interop.machinery import program

_BLOCKS = "main header footer section article div p span ol ul li table h1 h2 pre code em strong".split(" ")
#: What each element may have; whatever else is there came from the transcript.
ELEMENTS = {
    "html": {"lang"},
    "meta": {"charset", "http-equiv", "content", "name"},
    "a": {"class", "rel", "href"},
    **{name: set() for name in ("head", "title", "style", "body")},
    **{name: {"class", "id", "aria-hidden"} for name in _BLOCKS},
    **{name: {"class"} for name in ("thead", "tbody", "tr", "th", "td")},
}
LINK = re.compile(r"#s\d+-\d+|https://www\.rfc-editor\.org/rfc/rfc\d+(#(section|appendix)-[0-9A-Z.]+)?")
EVIL = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</pre></article></style><svg onload=alert(1)>",
    "\"'><a href=javascript:alert(1)>",
    "&lt;b&gt;&#60;i&#62;",
    "<!-- --><![CDATA[ ]]>",
    "{{7*7}}${7*7}",
    "\x1b[31m\x00\u202e\u2028",
]


class Tags(HTMLParser):
    """All that is markup, and all that is text."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.strange = []
        self.links = []
        self.words = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag not in ELEMENTS or {name for name, _ in attrs} - ELEMENTS[tag]:
            self.strange.append((tag, attrs))
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data):
        self.words.append(data)

    def handle_comment(self, data):
        self.strange.append(data)

    def handle_pi(self, data):
        self.strange.append(data)

    def unknown_decl(self, data):
        self.strange.append(data)


def check(page):
    tags = Tags(page)
    assert not tags.strange
    for link in tags.links:
        assert LINK.fullmatch(link), link
    assert not re.search(r"<(script|link|img|iframe|object|embed|form|input|base)\b", page, re.I)
    assert "@import" not in page
    assert "url(" not in page
    return " ".join(tags.words)


def hostile(word):
    """A transcript with that word wherever there is room for one."""
    line = word.encode("utf-8", "surrogatepass") + b"\r\n"
    return [
        ("S", b"220 " + line),
        ("C", b"EHLO " + line),
        ("S", b"250-" + line + b"250-SIZE " + line + b"250 X-" + line),
        ("C", b"MAIL FROM:<a@b> SIZE=" + line),
        ("S", b"250 2.1.0 " + line),
        ("C", b"MAIL FROM:<" + line[:-2] + b"@b>\r\n"),
        ("S", b"250 " + line),
        ("C", b'RCPT TO:<"' + line[:-2] + b'"@b>\r\n'),
        ("S", b"250 " + line),
        ("C", line),
        ("S", line),
        ("S", b"500 " + line),
        ("C", b"DATA\r\n"),
        ("S", b"354 " + line),
        ("C", b"Subject: " + line + b"X-" + line + line + b"From: " + line + b"\r\n" + line + b".\r\n"),
        ("S", b"550 5.7.1 " + line),
        ("C", line),
    ]


@pytest.mark.parametrize("word", EVIL)
def test_hostile_words(word):
    story = story_of(hostile(word))
    story.name = story.title = word
    page = write_page([story, story])
    check(page)
    assert "<" not in word or word not in page


WORDS = st.sampled_from([*EVIL, "<", ">", "&", '"', "'", "\\", "a", " ", "\ud800", "\udcff"])


@given(st.lists(WORDS, max_size=8).map("".join))
def test_any_words(word):
    check(write_page([story_of(hostile(word))]))


def test_what_is_on_it():
    page = write_page([story_of_text(TEXTBOOK)])
    words = check(page)
    assert page.startswith("<!DOCTYPE html>")
    for expected in (
        "3 violations",
        "by the client.",
        "Message from",
        "alice@crepes.fr",
        "bob@hamburger.edu",
        "accepted",
        "250 Message accepted for delivery",
        "space after FROM:, at offset 10",
        "220 hamburger.edu",
        '354 Enter mail, end with "." on a line by itself',
        "the message does not begin with a header",
        "RFC 5321\xa0§4.1.1.1",
    ):
        assert expected in words, expected
    assert '<a class=rule rel="noreferrer noopener" href="https://www.rfc-editor.org/rfc/rfc5321#section-3.3">' in page


def test_each_finding_leads_to_its_step():
    story = story_of_text(TEXTBOOK)
    page = write_page([story])
    for line, _, _, why in found_in(story):
        (name,) = re.findall(rf"{re.escape(why)} .*?<a href=#(s1-\d+)>line {line}</a>", page)
        assert f"id={name}>" in page


def test_nothing_is_wrong():
    words = check(write_page([story_of_text(CLEAN)]))
    assert "No rule was broken." in words
    assert "refused" in words
    for field in ("From", "Date", "Subject"):
        assert field in words
    assert "when the author put the message under way" in words


def test_both_sides_are_wrong():
    story = story_of([("S", b"220 a\r\n"), ("C", b"NOOP\n"), ("S", b"250 ok\r\n")])
    assert "by both sides." in check(write_page([story]))


def test_several_conversations():
    stories = [story_of_text(CLEAN), story_of_text(TEXTBOOK)]
    page = write_page(stories)
    check(page)
    ids = re.findall(r" id=(\S+?)>", page)
    assert len(set(ids)) == len(ids) == sum(len(story.steps) for story in stories)


def test_no_story_is_a_page_too():
    check(write_page([]))


def test_no_recipient():
    turns = [("S", b"220 a\r\n"), ("C", b"HELO b\r\n"), ("S", b"250 a\r\n")]
    turns += [("C", b"MAIL FROM:<>\r\n"), ("S", b"250 ok\r\n")]
    assert "No recipient was named." in check(write_page([story_of(turns)]))


def test_long_contents_are_cut():
    content = b"From: a@b\r\nDate: Mon, 23 Nov 2026 15:54:20 +0000\r\n\r\n" + b"x\r\n" * 1000 + b".\r\n"
    turns = [*[(who, data) for who, data in hostile("word")[:1]], ("C", b"HELO b\r\n"), ("S", b"250 a\r\n")]
    turns += [("C", b"MAIL FROM:<>\r\n"), ("S", b"250 ok\r\n"), ("C", b"RCPT TO:<a@b>\r\n"), ("S", b"250 ok\r\n")]
    turns += [("C", b"DATA\r\n"), ("S", b"354 ok\r\n"), ("C", content), ("S", b"250 ok\r\n")]
    assert "944 lines more" in check(write_page([story_of(turns)]))


# -- as a command --------------------------------------------------------------------------------------


def test_into_a_file(tmp_path, capsys):
    out = tmp_path / "page.html"
    assert explain(tmp_path, TEXTBOOK, "--html", out) == 1
    shown = capsys.readouterr().out
    assert "3 violations:" in shown
    assert "220 hamburger.edu" not in shown
    check(out.read_text("utf-8"))


def test_to_the_standard_output(tmp_path, capsys):
    assert explain(tmp_path, CLEAN, "--html", "-") == 0
    check(capsys.readouterr().out)


def test_where_nothing_can_be_written(tmp_path, capsys):
    assert explain(tmp_path, CLEAN, "--html", tmp_path / "missing" / "page.html") == 2
    error = capsys.readouterr().err
    assert error.startswith("smtpcore explain: cannot write")
    assert error.count("\n") == 1


# -- in a browser --------------------------------------------------------------------------------------


def browser() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    return program("chromium")


def browse(tmp_path, page, *options):
    path = tmp_path / "page.html"
    path.write_text(page, "utf-8")
    command = [browser(), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--enable-logging=stderr", "--hide-scrollbars", *options, path.as_uri()]
    return subprocess.run(command, capture_output=True, timeout=120, check=True)


@pytest.mark.interop
def test_the_textbook_s_in_chromium(tmp_path):
    page = write_page([story_of_text(TEXTBOOK), story_of_text(CLEAN)])
    done = browse(tmp_path, page, "--dump-dom")
    assert b"CONSOLE" not in done.stderr
    dom = done.stdout.decode()
    shown = unescape(re.sub(r"<[^>]*>", "", dom))
    for expected in (
        "3 violations by the client.",
        "How about pickles?",
        "No rule was broken.",
        "Message accepted for delivery",
    ):
        assert expected in shown
    assert dom.count("<article ") == page.count("<article ")


@pytest.mark.interop
def test_a_hostile_one_in_chromium(tmp_path):
    """Nothing runs, nothing is loaded, and the page has the elements that it was written with."""
    stories = [story_of(hostile(word)) for word in EVIL]
    page = write_page(stories)
    done = browse(tmp_path, page, "--dump-dom")
    assert b"CONSOLE" not in done.stderr
    dom = done.stdout.decode()
    check(dom)
    assert dom.count("<article ") == page.count("<article ")


@pytest.mark.interop
@pytest.mark.parametrize("size", ["1280,1600", "420,1600"])
def test_a_picture(size, tmp_path):
    picture = tmp_path / "page.png"
    browse(tmp_path, write_page([story_of_text(CLEAN)]), f"--window-size={size}", f"--screenshot={picture}")
    assert picture.read_bytes().startswith(b"\x89PNG")
