"""RFC 7504: a host, or a domain, that takes no mail, seen from both sides."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import Ehlo, Quit, Reply
from smtpcore.adapters.memory import Link
from smtpcore.flows.error import Refused
from smtpcore.flows.outcome import Status
from smtpcore.wire.status import DOMAIN_TAKES_NO_MAIL, HOST_TAKES_NO_MAIL
from tests.session.helpers import Pair


class NoHost:
    def connected(self, session: Any) -> Any:
        return HOST_TAKES_NO_MAIL


class NoDomain:
    def rcpt(self, session: Any, command: Any) -> Any:
        return DOMAIN_TAKES_NO_MAIL if command.recipient.domain == "nomail.example" else None


def test_a_host_that_takes_no_mail():
    with pytest.raises(Refused) as refused, Link(NoHost(), hostname="hamburger.edu").connect(hostname="crepes.fr"):
        pass
    assert refused.value.reply == Reply(521, "host does not accept mail"), "RFC 2034 s4: no enhanced code in a greeting"


def test_behind_such_a_greeting_nothing_is_done():
    """RFC 7504 s3, RFC 5321 s3.1: 503 to everything but QUIT."""
    both = Pair(greeting=HOST_TAKES_NO_MAIL)
    assert both.client_events[0].reply.code == 521
    both.client.abandon()
    both.server.receive_data(bytes(Ehlo("crepes.fr")) + bytes(Quit()))
    both.server.next_event()
    both.server.next_event()
    both.server.accept()
    assert [line[:3] for line in both.server.data_to_send().split(b"\r\n")] == [b"503", b"221", b""]


def test_a_domain_that_takes_no_mail():
    with Link(NoDomain(), hostname="hamburger.edu").connect(hostname="crepes.fr") as client:
        outcome = client.send("alice@crepes.fr", ["bob@nomail.example", "bob@hamburger.edu"], b"Hello\r\n")
    assert [each.status for each in outcome.recipients] == [Status.REFUSED, Status.ACCEPTED]
    assert outcome.recipients[0].reply == DOMAIN_TAKES_NO_MAIL
