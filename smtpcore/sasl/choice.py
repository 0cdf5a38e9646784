"""Which mechanisms there are, in the order of strength, and which of them a client takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from .channel import Channel
from .cram_md5 import CramMd5
from .login import Login, LoginServer
from .mechanism import ClientMechanism, ServerMechanism
from .oauthbearer import OAuthBearer, OAuthBearerServer
from .plain import Plain, PlainServer
from .scram import SCRAM_MECHANISMS, Scram, ScramServer
from .scram_keys import scramp_is_there
from .xoauth2 import XOAuth2, XOAuth2Server

__all__ = ["SERVER_MECHANISMS", "STRENGTH", "choose", "with_password", "with_token"]

#: All mechanisms of this package, strongest first. CRAM-MD5 stands below PLAIN inside TLS, because a server that has it
#: keeps the password itself; outside TLS, those that say the secret come last.
STRENGTH: Final = (*SCRAM_MECHANISMS, "EXTERNAL", "OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN", "CRAM-MD5")

#: How a server begins an exchange, by the name of the mechanism; strongest first. CRAM-MD5 and EXTERNAL are not among
#: them: a server has to want them.
SERVER_MECHANISMS: Final[Mapping[str, Callable[[], ServerMechanism]]] = {
    **{name: partial(ScramServer, name) for name in SCRAM_MECHANISMS},
    "OAUTHBEARER": OAuthBearerServer,
    "XOAUTH2": XOAuth2Server,
    "PLAIN": PlainServer,
    "LOGIN": LoginServer,
}


def with_password(username: str, password: str) -> list[ClientMechanism]:
    """The mechanisms that a client with a name and a password can use, strongest first.

    SCRAM is among them where the extra ``scram`` is installed.
    Raises ParseError for a name or a password that cannot be sent.
    """
    others: list[ClientMechanism] = [
        Plain(username, password),
        Login(username, password),
        CramMd5(username, password),
    ]
    if not scramp_is_there():
        return others
    return [*[Scram(username, password, name) for name in SCRAM_MECHANISMS], *others]


def with_token(username: str, token: str, *, host: str = "", port: int | None = None) -> list[ClientMechanism]:
    """The mechanisms that a client with an OAuth token can use, OAUTHBEARER first.

    ``host`` and ``port`` are those of the server, for OAUTHBEARER to say. Raises ParseError for what cannot be sent.
    """
    return [OAuthBearer(username, token, host=host, port=port), XOAuth2(username, token)]


def choose(
    mechanisms: Sequence[ClientMechanism], offered: Sequence[str], channel: Channel | None = None, *, tls: bool = True
) -> ClientMechanism | None:
    """The first of ``mechanisms`` that is offered and suits the channel; outside TLS, those that reveal come last."""
    usable = [each for each in mechanisms if each.name in offered and _suits(each, channel)]
    if not tls:
        usable.sort(key=lambda each: bool(getattr(each, "reveals", False)))
    return usable[0] if usable else None


def _suits(mechanism: ClientMechanism, channel: Channel | None) -> bool:
    suits: Callable[[Channel | None], bool] | None = getattr(mechanism, "suits", None)
    return suits is None or suits(channel)
