"""Values: what is written is read back as the same value; they cannot change, and equal ones are alike in every way."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import (
    POSTMASTER,
    STRICT,
    AddressLiteral,
    AuthResponse,
    Capabilities,
    Capability,
    Data,
    Defect,
    Domain,
    EnhancedCode,
    Mail,
    Mailbox,
    Parameters,
    Rcpt,
    Reply,
    ReplyReader,
    parse_command,
)
from smtpcore.extensions import BODY, SIZE, SUBMITTER, UTF8, Body
from smtpcore.wire.tolerance import Tolerance
from smtpcore.wire.value import Value
from tests.strategies import (
    VOCABULARY,
    auth_responses,
    capability_lines,
    capability_sets,
    commands,
    domains,
    literals,
    mail_parameters,
    mailboxes,
    replies,
    sizes,
)
from tests.wire.feeding import parsed

pytestmark = pytest.mark.law(2)

#: A pattern that every line of a reply may begin with although the reply has no enhanced status code.
CODE = re.compile(r"[245]\.[0-9]+\.[0-9]+(?: |$)")

values: st.SearchStrategy[Value] = st.one_of(
    commands,
    auth_responses,
    replies(),
    mailboxes,
    domains,
    literals,
    capability_lines,
    capability_sets,
    mail_parameters().map(Parameters),
    st.builds(Defect, st.just("RFC 5321 s4.1.2"), st.text(max_size=5), st.integers(0, 9)),
)


# --- round trips -----------------------------------------------------------------------------------


@given(commands)
def test_commands(command):
    line = bytes(command)
    assert line.endswith(b"\r\n")
    tolerance = Tolerance(STRICT)
    again = parse_command(line[:-2], VOCABULARY, tolerance)
    assert again == command
    assert hash(again) == hash(command)
    assert bytes(again) == line
    assert not tolerance.defects
    assert again.raw in {line[:-2], None}
    assert command.raw is None


@given(commands, st.sampled_from([b" ", b"\t", b"   ", b" \t "]))
def test_blanks_behind_a_command(command, blanks):
    """RFC 5321 s4.1.1: receivers tolerate white space before the line end, whatever the strictness."""
    line = bytes(command)[:-2] + blanks
    again = parse_command(line, VOCABULARY)
    assert again == command
    assert again.raw in {line, None}


@given(commands)
def test_verbs_have_no_case(command):
    verb, space, rest = bytes(command)[:-2].partition(b" ")
    assert parse_command(verb.lower() + space + rest, VOCABULARY) == command
    assert parse_command(verb.title() + space + rest, VOCABULARY) == command


@given(auth_responses)
def test_lines_of_an_exchange(response):
    assert AuthResponse.parse_line(bytes(response)[:-2]) == response


@given(replies())
def test_replies(reply):
    reader = ReplyReader()
    reader.receive(bytes(reply))
    again = reader.next_reply()
    assert again
    assert again.raw == bytes(reply)
    assert (again.code, len(again.lines)) == (reply.code, len(reply.lines))
    if reply.enhanced or not all(CODE.match(line) for line in reply.lines):
        assert again == reply
        assert hash(again) == hash(reply)
        assert bytes(again) == bytes(reply)
    assert Reply(again.code, again.lines, again.enhanced) == again


@given(replies())
def test_replies_without_enhanced_codes(reply):
    assert reply.encode(with_enhanced=False) == bytes(Reply(reply.code, reply.lines))


@given(mailboxes)
def test_mailboxes(mailbox):
    again = Mailbox.parse(str(mailbox))
    assert again == mailbox
    assert hash(again) == hash(mailbox)
    assert str(again) == str(mailbox) == again.raw
    assert str(mailbox).rpartition("@")[2] == str(mailbox.domain)
    assert mailbox.is_ascii == str(mailbox).isascii()


@given(mailboxes)
def test_every_quoted_form_is_one_mailbox(mailbox):
    """RFC 5321 s4.1.2: all quoted forms are equivalent, and the one with the least quotes is written."""
    characters = [f"\\{char}" if char.isascii() else char for char in mailbox.local_part]
    text = f'"{"".join(characters)}"@{mailbox.domain}'
    again = Mailbox.parse(text)
    assert again == mailbox
    assert str(again) == str(mailbox)
    assert again.raw == text
    assert len(str(again)) <= len(text)


@given(domains, st.booleans())
def test_domains_have_no_case(domain, upper):
    other = Domain("".join([char.upper() if char.isascii() else char for char in domain.text]))
    assert domain == other == domain.text
    assert hash(domain) == hash(other)
    assert domain != Domain(domain.text + "x")
    assert Mailbox("a", domain) == Mailbox("a", other)
    assert Mailbox("a", domain) != Mailbox("A", domain)
    assert str(other) == other.text


@given(literals)
def test_literals(literal):
    assert AddressLiteral.parse(str(literal)) == literal == str(literal)
    assert AddressLiteral(literal.tag, literal.address) == literal
    assert hash(AddressLiteral.parse(str(literal))) == hash(literal)
    assert Mailbox.parse(f"a@{literal}").domain == literal


@given(mail_parameters())
def test_parameters(held):
    command = parsed(bytes(Mail(None, *held))[:-2])
    assert command.parameters == Parameters(held)
    assert command.parameters.items == tuple(held)
    for kind in (SIZE, BODY, UTF8, SUBMITTER):
        given_values = [item.value for item in held if item.keyword == kind.keyword]
        assert [command.parameters.get(kind)] == (given_values or [None])
        assert (kind in command.parameters) == bool(given_values)


@given(sizes, st.sampled_from(Body), st.none() | mailboxes)
def test_values_of_parameters(size, body, submitter):
    pairs: list[tuple[Any, Any]] = [(SIZE, size), (BODY, body), (UTF8, True), (SUBMITTER, submitter)]
    for kind, value in pairs:
        parameter = kind(value)
        assert parameter.value == value
        assert kind.decode(parameter.text) == value
        assert str(parameter).partition("=")[2] == (parameter.text or "")


@given(capability_sets, st.text("abc .", max_size=8))
def test_capabilities(offered, greeting):
    reply = Reply(250, [greeting, *[str(line) for line in offered]])
    reader = ReplyReader()
    reader.receive(bytes(reply))
    received = reader.next_reply()
    assert received
    assert Capabilities.parse(received.lines[1:]) == offered
    assert Capabilities(*offered) == offered
    for line in offered:
        assert line.keyword in offered
        assert line.keyword.lower() in offered
        assert offered.argument(line.keyword) == line.argument
        assert line.keyword not in offered.without(line.keyword)


# --- laws of every value ---------------------------------------------------------------------------


def rebuilt(value: Value) -> Value:
    """Another object with the same fields."""
    other = object.__new__(type(value))
    other.__setstate__(value.__getstate__())
    return other


@given(values)
def test_equal_values_are_alike(value):
    other = rebuilt(value)
    assert other is not value
    assert other == value
    assert hash(other) == hash(value)
    assert repr(other) == repr(value)
    assert str(other) == str(value)
    assert len({value, other}) == 1


@given(values, values)
def test_values_of_two_kinds_are_two(one, other):
    if type(one) is not type(other):
        assert one != other
    elif one == other:
        assert hash(one) == hash(other)
    assert one != 5
    assert one != object()


@given(values)
def test_values_cannot_change(value):
    for name in (*type(value).__match_args__, "raw", "_text", "_items", "anything"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(value, name, 1)
        with pytest.raises(AttributeError, match="immutable"):
            delattr(value, name)
    assert not hasattr(value, "__dict__")


@given(values)
def test_copies(value):
    assert copy.copy(value) is value
    assert copy.deepcopy(value) is value
    assert copy.deepcopy([value]) == [value]


@given(values)
def test_pickles(value):
    if "[secret]" in repr(value):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(value)
        return
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(value, protocol))
        assert again == value
        assert hash(again) == hash(value)
        assert again.__getstate__() == value.__getstate__()
        with pytest.raises(AttributeError):
            again.anything = 1


@given(values)
def test_representations_name_the_fields(value):
    shown = repr(value)
    assert shown.startswith(f"{type(value).__name__}(")
    for name in type(value).__match_args__:
        assert f"{name}=" in shown


def test_match_args():
    match parsed(b"MAIL FROM:<alice@crepes.fr> SIZE=5"):
        case Mail(Mailbox("alice", Domain("crepes.fr")), parameters):
            assert parameters[SIZE] == 5
        case other:
            pytest.fail(repr(other))
    match parsed(b"RCPT TO:<Postmaster>"):
        case Rcpt(recipient):
            assert recipient is POSTMASTER
    match Reply(550, ["a", "b"], "5.1.1"):
        case Reply(550, (first, *_), EnhancedCode(5, 1, 1)):
            assert first == "a"
        case other:
            pytest.fail(repr(other))
    match AddressLiteral.parse("[192.0.2.1]"), Capability("size", "5"), Data():
        case AddressLiteral("IPv4", "192.0.2.1"), Capability("SIZE", "5"), Data():
            pass
        case other:
            pytest.fail(repr(other))


@pytest.mark.parametrize("kind", Value.__subclasses__(), ids=lambda kind: kind.__name__)
def test_fields_are_documented(kind):
    assert kind.__doc__
    for name in kind.__match_args__:
        assert hasattr(kind, name), name
