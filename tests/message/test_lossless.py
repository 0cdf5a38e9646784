"""A header keeps every octet, whatever they are and however they come."""

from __future__ import annotations

import pickle
import re
from math import log
from operator import is_
from threading import Barrier, Thread
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message.event import Body, HeaderEnd
from smtpcore.message.field import Field, LineEnds
from smtpcore.message.header import Header, HeaderLimits
from smtpcore.message.parser import MessageParser
from tests.conftest import profile
from tests.corpus import MISSING, corpus_folder
from tests.wire.counting import growth

TOKENS = st.lists(
    st.sampled_from(
        [
            b"\r\n",
            b"\r",
            b"\n",
            b"A",
            b"Subject:",
            b"From: ",
            b" ",
            b"\t",
            b":",
            b"x",
            b"\0",
            b"\xff",
            b"\xc3\xa9",
            b"\r\n\r\n",
            b"\r\n ",
        ]
    ),
    max_size=24,
).map(b"".join)
SIZES = range(1, 65) if profile() == "ci" else (1, 2, 3, 7, 64)


def observed(data: bytes, step: int, line_ends: LineEnds) -> tuple[list[Field], list[HeaderEnd], bytes]:
    parser = MessageParser(line_ends, HeaderLimits(fields=100_000))
    events: list[object] = []
    for piece in [*[data[at : at + step] for at in range(0, len(data), step)], b""]:
        parser.receive_data(piece)
        while (event := parser.next_event()) is not None:
            events.append(event)
    body = b"".join([event.data for event in events if isinstance(event, Body)])
    return (
        [event for event in events if isinstance(event, Field)],
        [event for event in events if isinstance(event, HeaderEnd)],
        body,
    )


def naive(data: bytes) -> tuple[list[bytes], bytes, bytes]:
    """The fields, the empty line and the body, line by line, where CRLF ends lines."""
    fields: list[bytes] = []
    pos = 0
    while pos < len(data):
        end = data.find(b"\r\n", pos)
        line = data[pos : len(data) if end < 0 else end + 2]
        if line == b"\r\n":
            return fields, line, data[pos + 2 :]
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1] += line
        else:
            fields.append(line)
        pos += len(line)
    return fields, b"", b""


@given(TOKENS)
def test_against_one_line_at_a_time(data):
    fields, end, body = naive(data)
    header = Header.parse(data)
    assert [field.raw for field in header] == fields
    assert (header.end, bytes(header)) == (end, data[: len(data) - len(body)])
    assert [field.offset for field in header] == [sum(map(len, fields[:place])) for place in range(len(fields))]
    for step in (1, 2, 5, 1000):
        found, ends, rest = observed(data, step, LineEnds.CRLF)
        assert ([field.raw for field in found], ends, rest) == (fields, [HeaderEnd(end)], body)


@given(TOKENS, st.sampled_from(LineEnds))
def test_any_octets_and_any_line_ends(data, line_ends):
    header = Header.parse(data, line_ends)
    assert data.startswith(bytes(header))
    for step in (1, 3, 1000):
        fields, (end,), body = observed(data, step, line_ends)
        assert fields == list(header)
        assert (end.line, bytes(header) + body) == (header.end, data)
    # nothing that is asked of it raises
    for field in header:
        begins = re.escape(field.name) + rb"[ \t]*:" if field.name else b""
        assert re.fullmatch(begins + re.escape(field.body) + rb"(?:\r\n|\r|\n)?", field.raw)
        assert isinstance(field.text, str)
        assert all(0 <= defect.where <= len(field.raw) for defect in field.defects)
    assert isinstance(header.defects, tuple)
    sent = header.normalized()
    assert Header.parse(bytes(sent)) == sent
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0|\r\n[ \t]*(?=\r\n.)", bytes(sent))


NAMES = [b"A", b"From", b"from", b"SUBJECT", b"Subject", b"X-" + b"y" * 40, b"x-" + b"Y" * 40]
PLAIN = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.lists(
            st.sampled_from([b" ", b"x", b"\t", b":", b"\r\n ", b"\r\n\t", b"\xc3\xa9", b"\xff", b"\0"]), max_size=6
        ),
    ),
    max_size=6,
).map(lambda fields: b"".join([b"%b:%b\r\n" % (name, b"".join(body)) for name, body in fields]))
BODIES = st.sampled_from([b"", b"\r\n", b"A: b\r\n\r\n", b"text\r\n", b"text\r\n\r\n", b"\r", b"\n\r\n\r\n"])


@given(PLAIN, BODIES)
def test_header_of_nothing_but_fields(block, body):
    fields, end, rest = naive(block + b"\r\n" + body)
    header, behind = Header.split(block + b"\r\n" + body)
    assert (header.end, behind, len(header), header.size) == (end, rest, len(fields), len(block) + 2)
    for key in {name.lower() for name in NAMES}:
        named = [raw for raw in fields if raw.partition(b":")[0].lower() == key]
        assert [field.raw for field in header.all(key)] == named
        assert (key in header, header.get(key)) == (bool(named), header.all(key)[0] if named else None)
        if len(named) < 2:
            fresh = Header.parse(block + b"\r\n")
            field = header.get(key)
            assert fresh._text(key) == (field.text if field else None)
            assert fresh.only(key) == header.only(key)
        else:
            with pytest.raises(ParseError) as caught:
                Header.parse(block + b"\r\n").only(key)
            assert caught.value.where == header.all(key)[1].offset
    assert [field.raw for field in header] == fields
    assert bytes(header) == block + b"\r\n"
    assert header == Header(header.fields) == pickle.loads(pickle.dumps(header))
    assert all(map(is_, header.fields, header))


@pytest.mark.parametrize("size", [10, 65_536, 100_000])
def test_body_behind_a_header(size):
    for body in (
        b"x" * size,
        b"x: y\r\n" * (size // 6) + b"\r\n",
        b"x" * size + b"\r\n\r\n",
        b"\r" * size + b"\r\n\r\n",
    ):
        header, rest = Header.split(b"From: a@b\r\nTo: c@d,\r\n e@f\r\n\r\n" + body)
        assert rest == body
        assert [field.raw for field in header] == [b"From: a@b\r\n", b"To: c@d,\r\n e@f\r\n"]


def test_fields_are_made_once_whoever_asks():
    header = Header.parse(b"".join([b"A%d: b\r\n" % number for number in range(2000)]) + b"\r\n")
    found: list[tuple[Field, ...]] = []
    ready = Barrier(8)

    def ask() -> None:
        ready.wait()
        found.append(header.fields)

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(fields is header.fields for fields in found)


def corpus_files() -> list[object]:
    folder = corpus_folder()
    if folder is None:
        return [pytest.param(None, id="no-corpus", marks=pytest.mark.skip(reason=MISSING))]
    files = sorted(path for path in (folder / "corpus").glob("*/*") if path.is_file())
    return [pytest.param(path, id=f"{path.parent.name}-{number}") for number, path in enumerate(files)]


@pytest.mark.parametrize("path", corpus_files())
def test_real_messages(path):
    stored = path.read_bytes()
    sent = re.sub(rb"\r?\n", b"\r\n", stored)
    for data, line_ends in ((stored, LineEnds.LF), (stored, LineEnds.CRLF), (sent, LineEnds.CRLF)):
        header = Header.parse(data, line_ends)
        assert data.startswith(bytes(header))
        assert all(isinstance(field.text, str) for field in header)
    assert [field.text for field in Header.parse(stored, LineEnds.LF)] == [field.text for field in Header.parse(sent)]
    beginning = sent[: len(bytes(Header.parse(sent))) + 200]
    expected = observed(beginning, len(beginning), LineEnds.CRLF)
    for step in SIZES:
        assert observed(beginning, step, LineEnds.CRLF) == expected


def test_hdr_10_hdr_11_what_is_odd_is_kept_and_said():
    header = Header.parse(b" leading\r\nA b\r\n\0: x\r\nFrom : a@b\r\nfrom: c@d\r\nSubject: x\r\n\r\nbody")
    assert [field.name for field in header] == [b"", b"", b"", b"From", b"from", b"Subject"]
    assert [field.text for field in header.all("FROM")] == ["a@b", "c@d"]
    first, subject = header.get("from"), header.only("subject")
    assert first is header.fields[3]
    with pytest.raises(ParseError) as caught:
        header.only("From")
    assert caught.value.rule == "RFC 5322 s3.6"
    assert subject is header.fields[5]
    assert header.only("To") is None
    assert {"RFC 5322 s2.2.3", "RFC 5322 s2.2", "RFC 5322 s4.1", "RFC 5322 s4.5", "RFC 5322 s3.6"} == {
        defect.rule for defect in header.defects
    }


@pytest.mark.parametrize(
    ("limits", "data", "passes"),
    [
        (HeaderLimits(size=1000), b"A: " + b"x" * 993 + b"\r\n\r\n", True),
        (HeaderLimits(size=1000), b"A: " + b"x" * 994 + b"\r\n\r\n", False),
        (HeaderLimits(size=1000), b"A: b\r\n" * 400, False),
        (HeaderLimits(fields=2), b"A: b\r\nA: b\r\n\r\n", True),
        (HeaderLimits(fields=2), b"A: b\r\nA: b\r\nA: b\r\n\r\n", False),
        (HeaderLimits(line=1000), b"A: " + b"x" * 995 + b"\r\n\r\n", True),
        (HeaderLimits(line=1000), b"A: " + b"x" * 996 + b"\r\n\r\n", False),
    ],
)
@pytest.mark.parametrize("step", [1, 7, 5000])
def test_limits_are_exact_however_it_comes(limits, data, passes, step):
    parser = MessageParser(limits=limits)
    failed = False
    events = []
    for piece in [*[data[at : at + step] for at in range(0, len(data), step)], b""]:
        parser.receive_data(piece)
        try:
            while (event := parser.next_event()) is not None:
                events.append(event)
        except ParseError:
            failed = True
    assert failed is not passes
    assert bool(events) is passes
    if passes:
        assert bytes(Header.parse(data, limits=limits)) == data
    else:
        with pytest.raises(ParseError):
            Header.parse(data, limits=limits)


FAMILIES = {
    "no colon": lambda n: b"a" * n + b"\r\n\r\n",
    "folds": lambda n: b"a:" + b"x\r\n " * n + b"\r\n\r\n",
    "folds without an end": lambda n: b"a:" + b"x\r\n " * n,
    "CR": lambda n: b"a:" + b"\r" * n + b"\r\n\r\n",
    "CRLF": lambda n: b"a:b\r\n" + b"\r\n" * n,
    "fields": lambda n: b"a: b\r\n" * n + b"\r\n",
    "fields without a colon": lambda n: b"a\r\n" * n + b"\r\n",
    "spaces before the colon": lambda n: b"a" + b" " * n + b"\r\n\r\n",
    "colons": lambda n: b":" * n + b"\r\n\r\n",
    "blank lines": lambda n: b"a:" + b"\r\n " * n + b"\r\n\r\n",
}


def read_all(data: bytes, line_ends: LineEnds) -> None:
    header = Header.parse(data, line_ends)
    header.get("b")
    header.normalized()
    for field in header:
        len(field.text)
    len(header.defects)


def seconds(run) -> float:
    found = []
    for _ in range(3):
        begun = process_time()
        run()
        found.append(process_time() - begun)
    return min(found) + 20e-6


@pytest.mark.law(14)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("line_ends", LineEnds)
def test_work_grows_with_the_octets(family, line_ends):
    # A match of a pattern is one opcode: time tells whether it looks at the same again and again.
    small, large = FAMILIES[family](4000), FAMILIES[family](32_000)
    for _ in range(5):
        if (
            log(seconds(lambda: read_all(large, line_ends)) / seconds(lambda: read_all(small, line_ends))) / log(8)
            < 1.5
        ):
            return
    pytest.fail("takes more than linear time")


@pytest.mark.parametrize("family", FAMILIES)
def test_work_grows_with_the_octets_that_drip_in(family):
    def work(size):
        data = FAMILIES[family](size)

        def run():
            parser = MessageParser(limits=HeaderLimits(fields=100_000))
            for at in range(len(data)):
                parser.receive_data(data[at : at + 1])

        return run

    assert growth(work, 256) <= 1.1


@pytest.mark.parametrize("name", [b"from: x", b"from:", b":", b"", b"fro", b"from ", "from: x"])
def test_what_is_no_name_names_no_field(name):
    header = Header.parse(b"From: x: y\r\nTo: z\r\n\r\n")
    assert header.get(b"FROM")
    assert header.get(name) is None
    assert name not in header
