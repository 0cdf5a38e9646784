"""CONPERM and CONNEG (RFC 4141): whether a content may be converted on its way, and to what.

``Mail(alice, CONPERM(True))`` lets servers on the way convert the content into a form that its recipients can show,
such as a fax in black and white. ``Rcpt(bob, CONNEG(True))`` asks what that recipient can show; a server says so in
the lines of its reply to RCPT, which are for its application to write.

These are two extensions, either of which may be there without the other. They change content, which nothing in this
package does, and so are not offered unless they are among the capabilities.
"""

from __future__ import annotations

from typing import Final

from ..wire.parameter import ParameterType
from .extension import Extension

__all__ = ["CONNEG", "CONPERM"]

_CONPERM: Final[ParameterType[bool]] = ParameterType("CONPERM")
_CONNEG: Final[ParameterType[bool]] = ParameterType("CONNEG")

#: ``CONPERM`` on MAIL: the content may be converted. ``CONPERM(True)``.
CONPERM: Final[Extension[bool]] = Extension("CONPERM", "RFC 4141", mail_parameters=[_CONPERM])

#: ``CONNEG`` on RCPT: what can this recipient show? ``CONNEG(True)``.
CONNEG: Final[Extension[bool]] = Extension("CONNEG", "RFC 4141", rcpt_parameters=[_CONNEG])
