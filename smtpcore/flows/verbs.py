"""Which method of a handler answers which command, and what its answers stand for, for a server's script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final, TypeAlias, TypeGuard

from ..errors import LocalProtocolError
from ..extensions import Etrn, XClient, XForward
from ..wire.command import Command, Mail, Rcpt
from ..wire.reply import Reply
from .content import Source, octets_of
from .effect import Await, Flow
from .handler import Refusal

__all__ = [
    "NOT_IMPLEMENTED",
    "Method",
    "fetched",
    "is_awaitable",
    "methods_of",
    "replies_to_recipients",
    "result_of",
]

Method: TypeAlias = Callable[..., Any]

#: Where a handler has no method for what it is asked to do.
NOT_IMPLEMENTED: Final = Reply(502, "command not implemented", "5.5.1")


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


def fetched(answer: Any) -> Source | Reply:
    """What a handler's ``burl`` has returned: a content, or the reply that refuses it.

    Raises TypeError for anything else, and LocalProtocolError for a reply that is no refusal: only the machine says
    that octets have come.
    """
    if isinstance(answer, Reply):
        if answer.code < 400:
            raise LocalProtocolError(f"{answer.code} to BURL, which takes octets or a refusal (RFC 4468 s3.2)")
        return answer
    return NOT_IMPLEMENTED if answer is None else octets_of(answer)


def _refuse(session: object, command: Command) -> Reply:
    return NOT_IMPLEMENTED


def replies_to_recipients(answers: Any) -> list[Reply]:
    """The replies in LMTP that a handler's answers, one for each recipient, stand for (RFC 2033 s4.2)."""
    return [_reply_to_recipient(answer) for answer in answers]


def _reply_to_recipient(answer: Any) -> Reply:
    if answer is None or isinstance(answer, str):
        return Reply(250, answer or "message accepted", "2.0.0")
    reply: Reply = answer.reply if isinstance(answer, Refusal) else answer
    return reply


def is_awaitable(result: object) -> TypeGuard[Awaitable[Any]]:
    """Whether it has to be waited for."""
    return isinstance(result, Awaitable)


def result_of(awaitable: Awaitable[Any]) -> Flow[Any]:
    """What comes of it."""
    try:
        return (yield Await(awaitable))
    except GeneratorExit:
        if isinstance(awaitable, Coroutine):
            awaitable.close()  # it may never have begun
        raise
