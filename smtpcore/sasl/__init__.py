"""SASL mechanisms (RFC 4422), one file each, both halves: pure, and without any knowledge of SMTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from .login import Login, LoginServer
from .mechanism import ClientMechanism, Credentials, ServerMechanism
from .plain import Plain, PlainServer

__all__ = [
    "SERVER_MECHANISMS",
    "ClientMechanism",
    "Credentials",
    "Login",
    "LoginServer",
    "Plain",
    "PlainServer",
    "ServerMechanism",
    "with_password",
]

#: How a server begins an exchange, by the name of the mechanism; strongest first.
SERVER_MECHANISMS: Final[Mapping[str, Callable[[], ServerMechanism]]] = {"PLAIN": PlainServer, "LOGIN": LoginServer}


def with_password(username: str, password: str) -> list[ClientMechanism]:
    """The mechanisms that a client with a name and a password can use, strongest first."""
    return [Plain(username, password), Login(username, password)]
