"""MTA-STS (RFC 8461): what a domain publishes about TLS to its hosts, and what that means for one of them.

Two things are published: a TXT record at ``_mta-sts.DOMAIN``, which says that there is a policy and which, and the
policy itself, at ``https://mta-sts.DOMAIN/.well-known/mta-sts.txt``. Who looks them up is the caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Final, final

from ..errors import ParseError
from ..wire.value import Value, assign
from .names import host_name, matches, mx_pattern
from .verdict import Decision, Security, Verdict

__all__ = ["CachedPolicy", "Mode", "StsPolicy", "StsRecord", "find_record", "sts_verdict"]

#: Octets of a policy; RFC 8461 s3.3 suggests 64 KiB as the most to take.
POLICY_LIMIT: Final = 65_536
#: RFC 8461 s3.2: seconds; about a year.
MOST_AGE: Final = 31_557_600


# --- the record ----------------------------------------------------------------------------------

# RFC 8461 s3.1
#   sts-text-record = sts-version 1*(sts-field-delim sts-field) [sts-field-delim]
#   sts-field       = sts-id / sts-extension
#   sts-field-delim = *WSP ";" *WSP
#   sts-version     = %s"v=STSv1"
#   sts-id          = %s"id=" 1*32(ALPHA / DIGIT)
#   sts-extension   = sts-ext-name "=" sts-ext-value
#   sts-ext-name    = (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".")
#   sts-ext-value   = 1*(%x21-3A / %x3C / %x3E-7E)
_EXT_NAME: Final = r"[0-9A-Za-z][0-9A-Za-z_\-.]{0,31}"
_BEGINNING: Final = re.compile(r"v=STSv1[ \t]*+;")
_FIELD: Final = re.compile(r"(" + _EXT_NAME + r")=([!-:<>-~]++)")
_DELIMITER: Final = re.compile(r"[ \t]*+;[ \t]*+")
_ID: Final = re.compile(r"[0-9A-Za-z]{1,32}")


@final
class StsRecord(Value):
    """What ``_mta-sts.DOMAIN`` says: that there is a policy, and by which name it can be told from another."""

    __slots__ = ("extensions", "id")
    __match_args__ = ("id", "extensions")

    id: str  #: Another one means another policy.
    extensions: tuple[tuple[str, str], ...]  #: The fields that nobody knows, in their order.

    def __init__(self, id: str, extensions: Iterable[tuple[str, str]] = ()) -> None:
        if not _ID.fullmatch(id):
            raise ParseError("not an id: 1 to 32 letters and digits", 0, "RFC 8461 s3.1", id)
        assign(self, "id", id)
        assign(self, "extensions", tuple(extensions))

    @classmethod
    def parse(cls, text: str) -> StsRecord:
        """Read one TXT record, its strings joined. Raises ParseError."""
        begun = _BEGINNING.match(text)
        if not begun:
            raise ParseError("not v=STSv1;", 0, "RFC 8461 s3.1", text)
        found: str | None = None
        extensions: list[tuple[str, str]] = []
        pos = begun.end() - 1
        while pos < len(text):
            delimiter = _DELIMITER.match(text, pos)
            if not delimiter:
                raise ParseError("expected a semicolon", pos, "RFC 8461 s3.1", text)
            pos = delimiter.end()
            if pos == len(text):
                break
            field = _FIELD.match(text, pos)
            if not field:
                raise ParseError("expected name=value", pos, "RFC 8461 s3.1", text)
            if field[1] != "id":
                extensions.append((field[1], field[2]))
            elif not _ID.fullmatch(field[2]):
                raise ParseError("not an id: 1 to 32 letters and digits", field.start(2), "RFC 8461 s3.1", text)
            elif found is None:
                found = field[2]
            pos = field.end()
        if found is None:
            raise ParseError("no id", len(text), "RFC 8461 s3.1", text)
        return cls(found, extensions)


def find_record(records: Iterable[bytes | Iterable[bytes]]) -> StsRecord | None:
    """What the TXT records at ``_mta-sts.DOMAIN`` say, each given as one text or as its strings.

    None where the domain has to be taken for one without a policy: no record begins with ``v=STSv1;``, several do, or
    the one that does is not well-formed. A policy fetched before is in force all the same (RFC 8461 s3.1, s5.1).
    """
    found: list[str] = []
    for record in records:
        # RFC 8461 s3.1: several strings are "concatenated without adding spaces"
        octets = bytes(record) if isinstance(record, (bytes, bytearray)) else b"".join(record)
        text = octets.decode("latin-1")
        if _BEGINNING.match(text):
            found.append(text)
    if len(found) != 1:
        return None
    try:
        return StsRecord.parse(found[0])
    except ParseError:
        return None


# --- the policy ----------------------------------------------------------------------------------


@final
class Mode(Enum):
    """What a policy asks of who sends (RFC 8461 s5)."""

    ENFORCE = "enforce"  #: No message to a host that fails.
    TESTING = "testing"  #: A failure is reported, and the message delivered all the same.
    NONE = "none"  #: As though there were no policy.


# RFC 8461 s3.2
#   sts-policy-record      = sts-policy-field *WSP *(sts-policy-term sts-policy-field *WSP) [sts-policy-term]
#   sts-policy-field-delim = ":" *WSP
#   sts-policy-term        = LF / CRLF
#   sts-policy-max-age     = "max_age" sts-policy-field-delim 1*10(DIGIT)
_LINE: Final = re.compile(r"(" + _EXT_NAME + r"):[ \t]*+(.*)", re.DOTALL)
_SECONDS: Final = re.compile(r"[0-9]{1,10}")
_MODES: Final = {mode.value: mode for mode in Mode}


@final
class StsPolicy(Value):
    """A policy (RFC 8461 s3.2).

    Raises ParseError for a pattern that is none, a ``max_age`` out of range, and for no pattern
    where the mode needs one.
    """

    __slots__ = ("max_age", "mode", "mx")
    __match_args__ = ("mode", "max_age", "mx")

    mode: Mode
    max_age: int  #: Seconds that it holds from when it was fetched, 0 to 31,557,600.
    mx: tuple[str, ...]  #: Names of hosts, and patterns with ``*.`` before a name, in lower case.

    def __init__(self, mode: Mode, max_age: int, mx: Iterable[str] = ()) -> None:
        if not 0 <= max_age <= MOST_AGE:
            raise ParseError(f"max_age is 0 to {MOST_AGE} seconds", 0, "RFC 8461 s3.2", str(max_age))
        patterns = tuple([mx_pattern(each) for each in mx])
        if not patterns and mode is not Mode.NONE:
            raise ParseError(f"mode {mode.value} needs an mx", 0, "RFC 8461 s3.2")
        assign(self, "mode", mode)
        assign(self, "max_age", max_age)
        assign(self, "mx", patterns)

    @classmethod
    def parse(cls, data: bytes) -> StsPolicy:
        """Read the body of the HTTPS response. Lines end with LF or CRLF; keys that nobody knows are passed over.

        A ``max_age`` beyond the most that is allowed counts as that. Raises ParseError for what is no policy; then
        one that was fetched before holds on, or there is none (RFC 8461 s3.3).
        """
        if len(data) > POLICY_LIMIT:
            raise ParseError(f"policy longer than {POLICY_LIMIT} octets", POLICY_LIMIT, "RFC 8461 s3.3")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ParseError("policy is not UTF-8", error.start, "RFC 8461 s3.2") from None
        single: dict[str, tuple[str, int]] = {}
        patterns: list[str] = []
        pos = 0
        for line in text.split("\n"):
            value = line.removesuffix("\r").rstrip(" \t")
            if value:
                found = _LINE.fullmatch(value)
                if not found:
                    raise ParseError("expected key: value", pos, "RFC 8461 s3.2", value)
                if found[1] == "mx":
                    patterns.append(_pattern_at(pos + found.start(2), found[2]))
                else:
                    # RFC 8461 s3.2: of a field that is there again "all entries except for the first SHALL be ignored"
                    single.setdefault(found[1], (found[2], pos + found.start(2)))
            pos += len(line) + 1
        version, where = single.get("version", ("", 0))
        if version != "STSv1":
            raise ParseError("version is not STSv1", where, "RFC 8461 s3.2", version)
        named, where = single.get("mode", ("", 0))
        mode = _MODES.get(named)
        if mode is None:
            raise ParseError("mode is not enforce, testing or none", where, "RFC 8461 s3.2", named)
        seconds, where = single.get("max_age", ("", 0))
        if not _SECONDS.fullmatch(seconds):
            raise ParseError("max_age is not a number of 1 to 10 digits", where, "RFC 8461 s3.2", seconds)
        return cls(mode, min(int(seconds), MOST_AGE), patterns)

    def matches(self, host: str) -> bool:
        """Whether a host of the domain's MX records may get its mail (RFC 8461 s4.1).

        Raises ParseError for what is no name of a host.
        """
        name = host_name(host)
        return any(matches(pattern, name) for pattern in self.mx)


def _pattern_at(where: int, text: str) -> str:
    try:
        return mx_pattern(text)
    except ParseError as error:
        raise ParseError(error.why, where, error.rule, text) from None


@final
class CachedPolicy(Value):
    """A policy, when it was fetched, and by which record (RFC 8461 s5.1); times are seconds of any one clock."""

    __slots__ = ("fetched_at", "id", "policy")
    __match_args__ = ("policy", "fetched_at", "id")

    policy: StsPolicy
    fetched_at: float
    id: str  #: What the TXT record said when it was fetched.

    def __init__(self, policy: StsPolicy, fetched_at: float, id: str) -> None:
        assign(self, "policy", policy)
        assign(self, "fetched_at", fetched_at)
        assign(self, "id", id)

    def is_fresh(self, now: float) -> bool:
        """Whether it is in force: its time "has not exceeded" max_age (RFC 8461 s5.1)."""
        return now - self.fetched_at <= self.policy.max_age

    def needs_refresh(self, now: float, record: StsRecord | None) -> bool:
        """Whether to fetch the policy again: its time is over, or the record names another.

        Where there is no record now, one that is fresh holds on: its absence "is not by itself sufficient to remove a
        sender's previously cached policy" (RFC 8461 s3.1), or who can hide a record could undo the policy.
        """
        return not self.is_fresh(now) or (record is not None and record.id != self.id)


# --- what it means -------------------------------------------------------------------------------


def sts_verdict(policy: StsPolicy | None, host: str) -> Verdict:
    """What a policy in force, or none, asks of a delivery to one host of the domain (RFC 8461 s5).

    ``host`` is the name in the MX record (RFC 8461 s4.1), or the domain itself where it has none.
    """
    if policy is None or policy.mode is Mode.NONE:
        why = "no MTA-STS policy" if policy is None else "the MTA-STS policy is switched off"
        return Verdict(Security.OPPORTUNISTIC, rule="RFC 8461 s5", why=why)
    if policy.matches(host):
        # RFC 8461 s4.2: a certificate that a trusted root stands behind, for the name in the MX record
        strict = Verdict(Security.WEBPKI, [host], rule="RFC 8461 s4.2", why="the MTA-STS policy names this host")
    else:
        why = f"the MTA-STS policy does not name {host_name(host)}"
        strict = Verdict(Security.WEBPKI, [host], decision=Decision.DEFER, rule="RFC 8461 s4.1", why=why)
    if policy.mode is Mode.ENFORCE:
        return strict
    # RFC 8461 s5: "messages may be delivered as though there were no MTA-STS validation failure"
    return Verdict(Security.OPPORTUNISTIC, rule="RFC 8461 s5", why="the MTA-STS policy is being tested", tested=strict)
