"""DSN: other people's servers take what our client asks for, and our server reads what their clients ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smtpcore import Mailbox, Rcpt
from smtpcore.adapters.blocking import Client
from smtpcore.extensions import DSN, ENVID, NEVER, NOTIFY, ORCPT, RET, Notify, OriginalRecipient, Ret
from smtpcore.flows.outcome import Status
from tests.interop import messages
from tests.interop.certificates import Certificate
from tests.interop.clients import Job, msmtp
from tests.interop.mailservers import Exim, OpenSmtpd, Postfix
from tests.interop.peers import Peer
from tests.interop.receiving import Keeper, serving

pytestmark = pytest.mark.interop

SERVERS: dict[str, type[Peer]] = {each.name: each for each in (Postfix, Exim, OpenSmtpd)}
CONTENT = messages.message(messages.BODIES["dots"])
BOB = Mailbox.parse("bob@example.com")
ALWAYS = Notify(success=True, failure=True, delay=True)


@pytest.fixture(scope="module", params=SERVERS)
def peer(request: pytest.FixtureRequest, folder: Path, certificate: Certificate) -> Iterator[Peer]:
    with SERVERS[request.param](folder, certificate) as running:
        yield running


@pytest.mark.parametrize(
    ("mail", "rcpt"),
    [
        pytest.param([RET(Ret.HDRS), ENVID("QQ314159")], [NOTIFY(NEVER)], id="never"),
        pytest.param(
            [RET(Ret.FULL), ENVID("e=m c+2")], [NOTIFY(ALWAYS), ORCPT(OriginalRecipient.of(BOB))], id="always"
        ),
        pytest.param([], [ORCPT(OriginalRecipient("rfc822", "b=o+b@example.com"))], id="xtext"),
    ],
)
def test_servers_take_what_is_asked_for(peer: Peer, mail: list[Any], rcpt: list[Any]) -> None:
    peer.forget()
    with Client("127.0.0.1", peer.port, tls="none", hostname="crepes.fr") as client:
        if DSN not in client.capabilities:
            pytest.skip("it does not offer DSN")
        outcome = client.send("alice@crepes.fr", [Rcpt(BOB, *rcpt), BOB], CONTENT, mail_parameters=mail)
    assert [each.status for each in outcome.recipients] == [Status.ACCEPTED] * 2, outcome


class Asked(Keeper):
    """It keeps the commands too."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[Any] = []

    def message(self, session: Any) -> str:
        self.commands = [session.transaction.mail, *session.transaction.rcpts]
        return super().message(session)


@pytest.mark.parametrize(
    ("argv", "ret", "notify"),
    [
        (("--dsn-notify=never", "--dsn-return=headers"), Ret.HDRS, NEVER),
        (("--dsn-notify=failure,delay", "--dsn-return=full"), Ret.FULL, Notify(failure=True, delay=True)),
        (("--dsn-notify=success",), None, Notify(success=True)),
    ],
)
def test_what_msmtp_asks_for(argv: tuple[str, ...], ret: Ret | None, notify: Notify) -> None:
    keeper = Asked()
    with serving("asyncio", keeper, capabilities=[DSN]) as server:
        msmtp(Job(server.port, CONTENT), *argv).check()
        keeper.wait(1)
    mail, rcpt = keeper.commands
    assert mail.parameters.get(RET) is ret
    assert rcpt.parameters[NOTIFY] == notify
