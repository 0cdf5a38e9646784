"""The table against the sentences of RFC 5321 that it was made from, and the sum with the extensions."""

from __future__ import annotations

import itertools

import pytest

from smtpcore import Connect, EndOfContent, State
from smtpcore.extensions import (
    STANDARD,
    Atrn,
    Auth,
    AuthResponse,
    Bdat,
    BdatLast,
    Burl,
    BurlLast,
    Etrn,
    StartTls,
    XClient,
    XForward,
)
from smtpcore.table import TRANSITIONS, Transitions, may_answer, merge
from smtpcore.wire.command import (
    BASE_VERBS,
    Data,
    Ehlo,
    Expn,
    Helo,
    Help,
    Lhlo,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Rset,
    Vrfy,
)

OPEN = (State.GREETED, State.READY, State.MAIL, State.RCPT)
ANY_TIME = (Noop, Help, Vrfy, Expn)
PSEUDO = (Connect, EndOfContent)


def by_hand(state: State, command: type) -> dict[int, State] | None:
    """RFC 5321 s3.1, s3.3, s4.1.1.1 to s4.1.1.10 and s4.1.4, without looking at the table."""
    if command is Connect:
        return {2: State.GREETED, 4: State.REFUSED, 5: State.REFUSED} if state is State.CONNECTED else None
    if command is EndOfContent:
        return {2: State.READY, 4: State.READY, 5: State.READY} if state is State.CONTENT else None
    if command is Quit:
        return {2: State.CLOSED} if state in OPEN or state is State.REFUSED else None
    if state not in OPEN:
        return None
    if command in ANY_TIME:
        return {2: state}
    if command in {Ehlo, Helo, Lhlo}:
        return {2: State.READY}
    if command is Rset:
        return {2: State.GREETED if state is State.GREETED else State.READY}
    if command is Mail:
        return {2: State.MAIL} if state is State.READY else None
    if command is Rcpt:
        return {2: State.RCPT} if state in {State.MAIL, State.RCPT} else None
    return {3: State.CONTENT} if state is State.RCPT else None


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
@pytest.mark.parametrize("command", [*BASE_VERBS, Lhlo, *PSEUDO], ids=lambda command: command.__name__)
def test_base_table(state, command):
    assert TRANSITIONS[state].get(command) == by_hand(state, command)


def test_base_table_has_nothing_else():
    assert set(TRANSITIONS) == set(State)
    assert {command for rows in TRANSITIONS.values() for command in rows} == {*BASE_VERBS, Lhlo, *PSEUDO}


def test_what_standard_adds():
    added = {
        (state, command): row
        for state, rows in STANDARD.transitions.items()
        for command, row in rows.items()
        if command not in TRANSITIONS[state]
    }
    chunk = {2: State.CHUNKS, 4: State.SPOILT, 5: State.SPOILT}
    last = {2: State.READY, 4: State.READY, 5: State.READY}
    for state in (State.CHUNKS, State.SPOILT):
        # RFC 3030 s2: RSET (or another greeting) drops the segments; RFC 5321 s4.1.4: the others change nothing
        assert [added.pop((state, command)) for command in (Ehlo, Helo, Lhlo, Rset)] == [{2: State.READY}] * 4
        assert [added.pop((state, command)) for command in ANY_TIME] == [{2: state}] * 4
        assert added.pop((state, Quit)) == {2: State.CLOSED}
    for state in (State.RCPT, State.CHUNKS):
        assert added.pop((state, Bdat)) == chunk
        assert added.pop((state, BdatLast)) == last
        # RFC 4468 s3.2: BURL is where BDAT is
        assert added.pop((state, Burl)) == chunk
        assert added.pop((state, BurlLast)) == last
    # RFC 1985 s5: not within a transaction
    assert added.pop((State.READY, Etrn)) == {2: State.READY}
    # RFC 2645 s5.2.1, s5.3
    assert added.pop((State.READY, Atrn)) == {2: State.TURNED}
    # XCLIENT_README, XFORWARD_README: nor these; the one begins the session anew
    assert added.pop((State.READY, XClient)) == added.pop((State.GREETED, XClient)) == {2: State.GREETED}
    assert added.pop((State.READY, XForward)) == {2: State.READY}
    assert added == {
        (State.READY, StartTls): {2: State.UPGRADING},
        (State.READY, Auth): {2: State.READY, 3: State.AUTHENTICATING},
        (State.AUTHENTICATING, AuthResponse): {
            2: State.READY,
            3: State.AUTHENTICATING,
            4: State.READY,
            5: State.READY,
        },
    }
    for state, rows in TRANSITIONS.items():
        for command, row in rows.items():
            assert STANDARD.transitions[state][command] == row


@pytest.mark.parametrize("table", [TRANSITIONS, STANDARD.transitions], ids=["base", "standard"])
def test_every_row_says_something(table):
    for rows in table.values():
        for row in rows.values():
            assert row
            assert set(row) <= {2, 3, 4, 5}
            assert set(row) & {2, 3}, "there is a way to succeed"


def test_every_state_can_be_reached_and_left():
    reached = {State.CONNECTED}
    while True:
        further = reached | {
            after for state in reached for row in STANDARD.transitions[state].values() for after in row.values()
        }
        if further == reached:
            break
        reached = further
    assert reached == set(State)
    for state in set(State) - {State.CLOSED, State.UPGRADING, State.TURNED}:
        assert STANDARD.transitions[state], f"{state.name} would be a dead end"
    assert not STANDARD.transitions[State.CLOSED]
    assert not STANDARD.transitions[State.UPGRADING], "only a handshake leads out of it"
    assert not STANDARD.transitions[State.TURNED], "another machine goes on"


@pytest.mark.parametrize("row", [{2: State.READY}, {3: State.CONTENT}, {2: State.READY, 4: State.READY}, {}], ids=repr)
def test_what_a_server_may_answer(row):
    """RFC 5321 s4.2.1: a refusal is always possible; 2yz and 3yz where the row lists them."""
    for digit in (2, 3):
        assert may_answer(row, digit) is (digit in row)
    assert may_answer(row, 4)
    assert may_answer(row, 5)


def test_merge():
    mine: Transitions = {State.READY: {Noop: {2: State.MAIL}}, State.GREETED: {Data: {2: State.CLOSED}}}
    total = merge([TRANSITIONS, mine])
    assert total[State.READY][Noop] == {2: State.MAIL}, "the later row wins"
    assert total[State.READY][Mail] == {2: State.MAIL}
    assert total[State.GREETED][Data] == {2: State.CLOSED}
    assert TRANSITIONS[State.READY][Noop] == {2: State.READY}, "the parts are left alone"
    assert set(merge([])) == set(State)


def test_a_way_out_of_a_transaction_leads_to_no_part_of_one():
    inside = (State.MAIL, State.RCPT, State.CONTENT)
    for state, command in itertools.product(inside, (Rset, Ehlo, Helo, Lhlo, EndOfContent)):
        row = STANDARD.transitions[state].get(command)
        assert row is None or set(row.values()) == {State.READY}


def test_pseudo_commands_have_names_for_messages():
    assert Connect().verb == "(connect)"
    assert EndOfContent().verb == "(end of content)"
    assert repr(EndOfContent()) == "EndOfContent()"
