"""SASL mechanisms (RFC 4422), one file each, both halves: pure, and without any knowledge of SMTP.

SCRAM stands on the package ``scramp``, the extra ``scram``, which is imported when it is used.
"""

from __future__ import annotations

from .bearer import BearerToken, TokenRefused
from .channel import Channel
from .choice import SERVER_MECHANISMS, STRENGTH, choose, with_password, with_token
from .cram_md5 import CramMd5, CramMd5Server
from .external import External, ExternalServer
from .login import Login, LoginServer
from .mechanism import ClientMechanism, Credentials, Question, ServerMechanism, Unproven
from .oauthbearer import OAuthBearer, OAuthBearerServer
from .plain import Plain, PlainServer
from .scram import SCRAM_MECHANISMS, Scram, ScramServer
from .scram_keys import ScramKeys
from .xoauth2 import XOAuth2, XOAuth2Server

__all__ = [
    "SCRAM_MECHANISMS",
    "SERVER_MECHANISMS",
    "STRENGTH",
    "BearerToken",
    "Channel",
    "ClientMechanism",
    "CramMd5",
    "CramMd5Server",
    "Credentials",
    "External",
    "ExternalServer",
    "Login",
    "LoginServer",
    "OAuthBearer",
    "OAuthBearerServer",
    "Plain",
    "PlainServer",
    "Question",
    "Scram",
    "ScramKeys",
    "ScramServer",
    "ServerMechanism",
    "TokenRefused",
    "Unproven",
    "XOAuth2",
    "XOAuth2Server",
    "choose",
    "with_password",
    "with_token",
]
