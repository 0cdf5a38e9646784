"""Which method of a handler answers which command, for a server's script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from ..extensions import Etrn, XClient, XForward
from ..wire.command import Command, Mail, Rcpt
from ..wire.reply import Reply

__all__ = ["FAILED", "Method", "methods_of"]

Method: TypeAlias = Callable[..., Any]

#: In place of what a handler raises.
FAILED: Final = Reply(451, "local error in processing", "4.3.0")
_NOT_IMPLEMENTED: Final = Reply(502, "command not implemented", "5.5.1")


def methods_of(handler: object) -> Mapping[type[Command], Method | None]:
    """The method for each command that does not go to ``command``; None is the standard positive reply.

    Verbs of extensions that ask a server to do something go to ``command`` where they have no method of their own,
    and are refused where a handler has neither: a positive reply would promise what nobody does.
    """
    command = getattr(handler, "command", None)
    return {
        Mail: getattr(handler, "mail", None),
        Rcpt: getattr(handler, "rcpt", None),
        Etrn: getattr(handler, "etrn", command or _refuse),
        XClient: getattr(handler, "xclient", command),  # which is for those only that the handler trusts
        XForward: getattr(handler, "xforward", command),
    }


def _refuse(session: object, command: Command) -> Reply:
    return _NOT_IMPLEMENTED
