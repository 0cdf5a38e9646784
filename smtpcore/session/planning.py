"""What a client may say, judged before it is said: by the table, and by what the server offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ..extensions import SMTPUTF8, ExtensionSet, ServerView
from ..table import State, after_success
from ..wire.command import Command, Mail, Rcpt

__all__ = ["NO_ROW", "find_plan", "why_misplaced", "why_not_offered"]

NO_ROW: Final[Mapping[int, State]] = {}


def find_plan(extensions: ExtensionSet, state: State, commands: Iterable[Command]) -> State:
    """Where a conversation that stands at ``state`` will stand when all of ``commands`` have succeeded."""
    for command in commands:
        row = extensions.transitions[state].get(type(command))
        state = after_success(row, state) if row else state
    return state


def why_misplaced(extensions: ExtensionSet, state: State, command: Command) -> str:
    """Why ``command`` cannot be sent at ``state``; empty when it can."""
    if type(command) in extensions.transitions[state]:
        return ""
    return f"{command.verb} has no place in state {state.name} (RFC 5321 s4.1.4)"


def why_not_offered(
    extensions: ExtensionSet, server: ServerView, command: Command, free: frozenset[str] = frozenset()
) -> str:
    """Which offer of the server ``command`` lacks, or what else is against saying it there; empty when nothing is.

    ``free`` are keywords of parameters that are known to be good with any value.
    """
    capabilities = server.capabilities
    if isinstance(command, (Mail, Rcpt)):
        path = command.sender if isinstance(command, Mail) else command.recipient
        if path is not None and not path.is_ascii and SMTPUTF8 not in capabilities:
            return "the server does not offer SMTPUTF8"  # RFC 6531 s3.2
        parameters = command.parameters
        if parameters.written.isascii():
            if parameters.all_among(free):
                return ""
        elif SMTPUTF8 not in capabilities:
            return "the server does not offer SMTPUTF8"  # RFC 6533 s3
        for parameter in parameters.items:
            if not extensions.is_offered(parameter, capabilities):
                where = _where(extensions, parameter.keyword)
                return f"the server does not offer what {parameter} belongs to{where}"
        return extensions.objection(command, server)
    owner = extensions.verb_owner.get(type(command))
    if owner is not None and owner.keyword not in capabilities:
        return f"the server does not offer {owner.keyword}"
    return ""


def _where(extensions: ExtensionSet, keyword: str) -> str:
    owners = extensions.parameter_owners.get(keyword, ())
    return ", which counts within TLS only" if any(owner.needs_tls for owner in owners) else ""
