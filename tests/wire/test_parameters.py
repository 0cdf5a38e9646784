"""Parameters and capabilities: typed, in order, looked up without regard to case."""

from __future__ import annotations

import pickle
from typing import Any, final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import Capabilities, Capability, Parameter, Parameters, ParameterType, ParseError
from smtpcore.extensions import AUTH, BODY, EIGHTBITMIME, PIPELINING, SIZE, STANDARD, STARTTLS, SUBMITTER, UTF8, Body
from smtpcore.wire.parameter import parse_number
from smtpcore.wire.parameters import ParameterTypes, parse_parameters
from smtpcore.wire.value import Value, draft

BOTH = Parameters([SIZE(5), UTF8(True)])


@pytest.mark.parametrize("held", [BOTH, parse_parameters(" SIZE=5 SMTPUTF8", 0, STANDARD.vocabulary.mail_parameters)])
def test_a_parameter_that_is_not_there(held):
    assert held.parameter("SIZE") == SIZE(5)
    with pytest.raises(KeyError, match="BODY"):
        held.parameter("BODY")


def test_looked_up():
    assert BOTH[SIZE] == 5
    assert BOTH[UTF8] is True
    assert BOTH.get(BODY) is None
    with pytest.raises(KeyError, match="BODY"):
        BOTH[BODY]
    assert SIZE in BOTH
    assert "size" in BOTH
    assert "BODY" not in BOTH
    assert "\u017fize" not in BOTH
    assert 5 not in BOTH
    assert [item.keyword for item in BOTH] == ["SIZE", "SMTPUTF8"]
    assert len(BOTH) == 2
    assert str(BOTH) == " SIZE=5 SMTPUTF8"
    assert str(Parameters()) == ""


def test_a_value_may_be_none():
    held = Parameters([SUBMITTER(None)])
    assert held[SUBMITTER] is None
    assert SUBMITTER in held
    assert str(held) == " AUTH=<>"


def test_only_parameters():
    with pytest.raises(TypeError, match="SIZE"):
        Parameters([SIZE])  # type: ignore[list-item]  # what is tried


@pytest.mark.parametrize("keyword", ["", "-A", "A B", "A=", "A=B", "\u00c4", "A\n", " A"])
def test_no_keywords(keyword):
    kinds: list[tuple[Any, ...]] = [(ParameterType,), (Parameter, 1, "1"), (Capability,)]
    for kind, *more in kinds:
        with pytest.raises(ParseError, match="keyword"):
            kind(keyword, *more)


@pytest.mark.parametrize("text", ["", " ", "a b", "a=b", "\x7f", "\u200b", "\udcff"])
def test_no_values(text):
    with pytest.raises(ParseError):
        Parameter("X", text, text)


def test_a_type_reads_what_it_writes():
    hexadecimal: ParameterType[int] = ParameterType("x-hex", lambda text: int(text, 16), lambda value: f"{value:x}")
    assert hexadecimal(255) == Parameter("X-HEX", 255, "ff")
    assert hexadecimal.decode("ff") == 255
    assert repr(hexadecimal) == "ParameterType('X-HEX')"


def test_a_type_whose_two_sides_differ_writes_nothing():
    wrong: ParameterType[int] = ParameterType("X", parse_number, lambda value: str(value + 1))
    with pytest.raises(ParseError, match="not a value"):
        wrong(1)


def test_a_flag_takes_no_value():
    with pytest.raises(ParseError, match="no value"):
        UTF8(False)
    with pytest.raises(ParseError, match="no value"):
        UTF8.decode("1")
    with pytest.raises(ParseError, match="needs a value"):
        SIZE.decode(None)
    assert UTF8.decode(None) is True


@final
class _Sound(Value):
    """A value of somebody's own, which may be written as no parameter can."""

    __slots__ = ("text",)
    __match_args__ = ("text",)
    text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "text", text)

    def __str__(self) -> str:
        return self.text


@pytest.mark.parametrize("text", ["", "a b", "a=b", "a\r\nb", "a\0b", "a\x7fb", "\u200b", "\u3164", "\udcff"])
def test_what_is_sound_is_written_as_a_parameter_can_be_or_not_at_all(text):
    kind = ParameterType("X", _Sound, str, kind=_Sound, usual=[_Sound("usual")])
    assert str(kind(_Sound("usual"))) == "X=usual"
    assert kind(_Sound("usual")) is kind(_Sound("usual"))
    assert str(kind(_Sound("b\u00f6b"))) == "X=b\u00f6b"
    with pytest.raises(ParseError, match="not the value"):
        kind(_Sound(text))
    with pytest.raises(ParseError, match="not the value"):
        ParameterType("X", _Sound, str, kind=_Sound, usual=[_Sound(text)])


@pytest.mark.parametrize("wrong", [-1, 10**20, True, 1.5, "x", "1 BODY=7BIT"])
def test_no_count(wrong):
    with pytest.raises(ParseError):
        SIZE(wrong)
    assert str(SIZE(10**20 - 1)) == f"SIZE={10**20 - 1}"
    assert str(SIZE(0)) == "SIZE=0"


def test_twice():
    tried: list[list[Parameter[Any]]] = [[SIZE(1), UTF8(True), SIZE(2)], [UTF8(True), SIZE(1), SIZE(1)]]
    for twice in tried:
        with pytest.raises(ParseError, match="SIZE occurs twice"):
            Parameters(twice)


@pytest.mark.parametrize(
    "text", ["xSIZE=1", "\tSIZE=1", " SIZE=", " SMTPUTF8=", " SIZE", "  SIZE=1", " SIZE=1 ", " SIZE=1  X=", " X="]
)
def test_what_only_looks_plain(text):
    """One space before each, a value where one belongs and none where none does; and SIZE read as any other."""
    known = ParameterTypes([*STANDARD.vocabulary.mail_parameters.values(), ParameterType("X", str, plain="[a-z]*")])
    with pytest.raises(ParseError):
        parse_parameters(text, 0, known)
    assert parse_parameters(" SIZE=1 SMTPUTF8 X=x", 0, known).get(SIZE) == 1


def test_under_construction():
    """A draft is open until it has its class, and nothing that has it is."""
    made = draft(_Sound)()
    made.text = "a"
    assert isinstance(made, _Sound)
    made.__class__ = _Sound
    assert made == _Sound("a")
    assert type(made) is _Sound
    with pytest.raises(AttributeError, match="immutable"):
        made.text = "b"
    with pytest.raises(AttributeError, match="immutable"):
        del made.text


def test_none_to_read():
    assert parse_parameters("", 0, ParameterTypes()).items == ()
    assert parse_parameters("x", 1, ParameterTypes()).items == ()


# --- capabilities ----------------------------------------------------------------------------------

OFFERED = Capabilities(
    PIPELINING, SIZE(1000), EIGHTBITMIME, AUTH.offer(("PLAIN", "LOGIN")), Capability("X-one", "a  b")
)


def test_offered():
    assert [str(line) for line in OFFERED] == ["PIPELINING", "SIZE 1000", "8BITMIME", "AUTH PLAIN LOGIN", "X-ONE a  b"]
    assert len(OFFERED) == 5
    assert OFFERED.get(SIZE) == 1000
    assert OFFERED.get(AUTH) == ("PLAIN", "LOGIN")
    assert OFFERED.get(PIPELINING) is None
    assert OFFERED.argument("x-ONE") == "a  b"
    assert OFFERED.argument("pipelining") == ""
    assert OFFERED.argument("STARTTLS") is None
    assert PIPELINING in OFFERED
    assert STARTTLS not in OFFERED
    assert "size" in OFFERED
    assert 5 not in OFFERED
    assert Capabilities() != OFFERED


def test_letters_that_only_look_alike_in_upper_case():
    offered = Capabilities(STARTTLS)
    assert "\u017ftarttls" not in offered
    assert offered.argument("\u017ftarttls") is None
    assert offered.without("\u017ftarttls") == offered
    assert Capabilities.parse(["AUTH pla\u0131n LOGIN"]).get(AUTH) == ("LOGIN",)


def test_without():
    assert OFFERED.without("x-one", PIPELINING, SIZE, AUTH) == Capabilities(EIGHTBITMIME)
    assert OFFERED.without("nothing") == OFFERED


def test_of_a_keyword_twice_the_last_counts():
    assert Capabilities(SIZE(1), SIZE(2)).get(SIZE) == 2
    assert Capabilities.parse(["SIZE 1", "size 2"]).get(SIZE) == 2


@pytest.mark.parametrize(
    ("lines", "mechanisms"),
    [
        (["AUTH PLAIN LOGIN"], ("PLAIN", "LOGIN")),
        (["auth plain"], ("PLAIN",)),
        (["AUTH=PLAIN LOGIN"], ("PLAIN", "LOGIN")),
        (["AUTH=PLAIN", "AUTH CRAM-MD5"], ("CRAM-MD5",)),
        (["AUTH CRAM-MD5", "AUTH=PLAIN"], ("CRAM-MD5",)),
        (["AUTH=LOGIN"], ("LOGIN",)),
        (["AUTH PLAIN  not/one LOGIN"], ("PLAIN", "LOGIN")),
        (["AUTH"], None),
        (["AUTH="], None),
        (["SIZE 5"], None),
    ],
)
def test_au_18_mechanisms(lines, mechanisms):
    assert Capabilities.parse(lines).get(AUTH) == mechanisms


@pytest.mark.parametrize("line", ["", " ", "-X", "X\tY", "\u00c4", "X=Y", "X \x01", "\udcff"])
def test_what_is_no_capability_is_left_out(line):
    assert Capabilities.parse(["SIZE 1", line, "HELP"]) == Capabilities(SIZE(1), Capability("HELP"))


@pytest.mark.parametrize("line", ["SIZE x", "SIZE", "SIZE 1 2", "SIZE -1", "SIZE " + "1" * 21])
def test_a_value_that_cannot_be_read_is_none(line):
    offered = Capabilities.parse([line])
    assert SIZE in offered
    assert offered.get(SIZE) is None


@pytest.mark.parametrize("argument", [" a", "a ", "\n", "a\0", "\ud800"])
def test_no_arguments(argument):
    with pytest.raises(ParseError):
        Capability("X", argument)


def test_mechanisms_offered_are_names():
    for names in (("PLAIN", "not/one"), ("plain",), ("",)):
        with pytest.raises(ParseError):
            AUTH.offer(names)


def test_body():
    assert BODY.decode("8bitmime") is Body.EIGHTBITMIME
    assert BODY.decode("7Bit") is Body.SEVENBIT
    assert str(BODY(Body.SEVENBIT)) == "BODY=7BIT"


# --- texts that are read when somebody asks --------------------------------------------------------

KNOWN = ParameterTypes([*STANDARD.vocabulary.mail_parameters.values(), *STANDARD.vocabulary.rcpt_parameters.values()])
PLAIN = [each for each in KNOWN.values() if isinstance(each, ParameterType) and each.plain is not None]


def at_once(text: str) -> Parameters | None:
    """What parsing gives where every value is read while it is parsed; None where it raises."""
    eager = ParameterTypes(KNOWN.values())
    eager.plain = {}
    eager.alone = frozenset()
    try:
        return parse_parameters(text, 0, eager)
    except ParseError:
        return None


@pytest.mark.parametrize("each", PLAIN, ids=lambda each: each.keyword)
@given(st.data())
def test_a_plain_text_is_sure_to_be_read(each, data):
    text = data.draw(st.from_regex(each.plain, fullmatch=True))
    value = each.decode(text)
    assert each.decode(each.encode(value)) == value
    if type(value) is str:
        assert value == text
        assert each(value).text == text


PIECES = (
    "SIZE=12 SIZE= SIZE size=3 SIZE=123456789012345678901 BODY=8BITMIME BODY=7bit RET=FULL ENVID=QQ ENVID=+41 SMTPUTF8 "
    "SMTPUTF8=1 NOTIFY=NEVER NOTIFY=SUCCESS,DELAY NOTIFY=SUCCESS,NEVER ORCPT=rfc822;a@b ORCPT=utf-8;x ORCPT=rfc822; "
    f"AUTH=<> HOLDFOR=5 X=1 ENVID={101 * 'x'} "
).split(" ")


@given(st.lists(st.sampled_from(PIECES), max_size=5))
def test_when_a_value_is_read_makes_no_difference(pieces):
    text = "".join([f" {piece}" for piece in pieces])
    expected = at_once(text)
    if expected is None:
        with pytest.raises(ParseError):
            parse_parameters(text, 0, KNOWN)
        return
    found = parse_parameters(text, 0, KNOWN)
    assert found == expected
    assert found.keywords == expected.keywords
    for each in expected:
        assert parse_parameters(text, 0, KNOWN).parameter(each.keyword) == expected.parameter(each.keyword) == each
    assert str(found) == str(expected)
    for key in KNOWN.values():
        assert parse_parameters(text, 0, KNOWN).get(key) == expected.get(key)
    assert pickle.loads(pickle.dumps(parse_parameters(text, 0, KNOWN))) == expected
