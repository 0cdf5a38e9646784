"""Verbs of extensions that ask a server to do something: who is asked, and what is said where nobody is there."""

from __future__ import annotations

import pytest

from smtpcore import Reply
from smtpcore.adapters.memory import Link
from smtpcore.extensions import ETRN, Etrn
from smtpcore.extensions.etrn import not_allowed, queue_started
from smtpcore.flows import Refusal
from tests.flows.serving import EHLO, WAYS, Hall, Scripted, codes

# -- ETRN -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_handler_starts_the_queue(way):
    handler = Scripted(way=WAYS[way], etrn=lambda session, command: queue_started(command, 3))
    hall = Hall(handler, capabilities=[ETRN]).ready()
    assert hall.say(b"ETRN crepes.fr\r\n") == "253 2.0.0 3 pending messages for node crepes.fr started\r\n"
    assert handler.args[-1] == (Etrn("crepes.fr"),)
    assert handler.count("command") == 1, "EHLO alone"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (None, 250),
        ("as you like", 250),
        (Refusal(not_allowed(Etrn("a"), "by policy")), 459),
        (ValueError("x"), 451),
        (Reply(354, "go"), 451),
    ],
)
def test_its_answers(answer, code):
    hall = Hall(Scripted(etrn=answer), capabilities=[ETRN]).ready()
    assert codes(hall.say(b"ETRN a\r\n")) == [code]


def test_without_a_method_of_its_own_it_is_a_command():
    handler = Scripted(command=lambda session, command: "so" if isinstance(command, Etrn) else None)
    hall = Hall(handler, capabilities=[ETRN]).ready()
    assert hall.say(b"ETRN a\r\n") == "250 2.0.0 so\r\n"


def test_nobody_starts_a_queue():
    """No positive reply for what nobody does."""
    assert codes(Hall(object(), capabilities=[ETRN]).ready().say(b"ETRN a\r\n")) == [502]


def test_it_is_not_offered_unless_said():
    hall = Hall(Scripted(etrn=None))
    assert "ETRN" not in hall.say(EHLO)
    assert codes(hall.say(b"ETRN a\r\n")) == [502]


def test_a_client_asks():
    link = Link(Scripted(etrn=lambda session, command: queue_started(command, 0)), capabilities=[ETRN])
    with link.connect() as client:
        assert client.command(Etrn("crepes.fr")).code == 251
