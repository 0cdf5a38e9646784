"""How other projects' tests have addresses of the envelope read; those of header fields are another parser's."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from smtpcore import AddressLiteral, Domain, Mailbox, ParseError
from smtpcore.extensions.auth import decode_base64
from smtpcore.wire.host import parse_host
from smtpcore.wire.tolerance import Tolerance
from tests.corpus import MISSING, corpus_folder, load, vectors
from tests.vectors.wire_deviations import DEVIATIONS, HEADER_SYNTAXES, OTHER_SYNTAXES
from tests.wire.feeding import parsed, path_of
from tests.wire.records import check_list, judge


def host(text: str) -> object:
    found, end = parse_host(text, 0, Tolerance())
    if end != len(text):
        raise ParseError("text behind the host", end)
    return found


def command(text: str) -> Any:
    return parsed(text.encode("utf-8", "surrogateescape"))


def local_part(text: str) -> object:
    return Mailbox.parse(f"{text}@x.org").local_part


def recipient(text: str) -> object:
    return path_of(command(f"RCPT TO:{text}"))


READERS: dict[str, Callable[[str], Any]] = {
    "addr-spec": Mailbox.parse,
    "smtp-mailbox": Mailbox.parse,
    "grammar:CanMakeMailbox": Mailbox.parse,
    "grammar:CanMakePlusAddressMailBox": Mailbox.parse,
    "local-part": local_part,
    "dot-string": local_part,
    "grammar:CanMakeLocalPart": local_part,
    "grammar:CanMakeAtom": local_part,
    "local-part-unquote": lambda text: Mailbox.parse(text).local_part,
    "domain": host,
    "sub-domain": Domain,
    "domain-literal": AddressLiteral.parse,
    "ipv6-literal": lambda text: AddressLiteral("IPv6", text),
    "ipv4-literal": lambda text: AddressLiteral("IPv4", text),
    "grammar:CanMakeIPv6Address": lambda text: AddressLiteral("IPv6", text),
    "grammar:CanMakeIPv6AddressLiteral": lambda text: AddressLiteral.parse(f"[{text}]"),
    "grammar:CanNotMakeIPv6AddressLiteral": lambda text: AddressLiteral.parse(f"[IPv6:{text}]"),
    "grammar:CanMake16BitHexNumber": lambda text: AddressLiteral("IPv6", f"{text}::"),
    "grammar:CanNotMake16BitHex": lambda text: AddressLiteral("IPv6", f"{text}::"),
    "path": recipient,
    "forward-path": recipient,
    "rcpt-arg": recipient,
    "reverse-path": lambda text: path_of(command(f"MAIL FROM:{text}")),
    "a-d-l": lambda text: recipient(f"<{text}:a@b>"),
    "grammar:CanMakeAtDomainList": lambda text: recipient(f"<{text}:a@b>"),
    "command-arg": command,
    "grammar:Noop": command,
    "grammar:Helo": command,
    "grammar:Ehlo": command,
    "grammar:Auth": command,
    "grammar:Rcpt": command,
    "ehlo-arg": lambda text: command(f"EHLO{text}"),
    "helo-arg": lambda text: command(f"HELO{text}"),
    "grammar:CanMakeBase64": decode_base64,
}

#: Verdicts of isemail on what RFC 5322 has and RFC 5321 has not.
HEADER_ONLY = re.compile(r"(?i:ISEMAIL_)?(?i:RFC5322|DEPREC|CFWS)")


def text_of(row: dict[str, Any]) -> str:
    """The text that a record is about, without what follows it for a parser that stops there."""
    if "input_escaped" in row:
        return str(row["input_escaped"]).encode().decode("unicode_escape")
    text: str = row["input"]
    expected = row.get("expected") or {}
    if "may end with the terminator" in row.get("note", "") and text[-1] in "> @":
        return text[:-1]
    rest = expected.get("remainder") if isinstance(expected, dict) else None
    return text.removesuffix(rest) if rest else text


def is_valid(row: dict[str, Any]) -> bool:
    """Whether it is valid by RFC 5321, where the source tells that from what RFC 5322 says."""
    expected = row.get("expected") or {}
    if "rfc5321_ok" in expected:
        return bool(expected["rfc5321_ok"])
    if HEADER_ONLY.match(str(expected.get("diagnosis", ""))):
        return False
    return bool(row["valid"])


def facts(row: dict[str, Any], found: Any) -> str:
    """What the source says of the parts, where it says so in a form that can be compared."""
    expected = row.get("expected") or {}
    who = found if isinstance(found, Mailbox) else getattr(found, "recipient", None)
    if "row" in expected and who is not None and expected["row"]:
        return "" if [who.local_part, str(who.domain)] == expected["row"] else f"is {who!r}"
    if "addr" in expected:
        return "" if f"{found.local_part}@{found.domain}" == expected["addr"] else f"is {found!r}"
    if row["syntax"] == "local-part-unquote":
        said = re.search(r'Ascii\((?:r#)?"(.*)"#?\)', expected["rust"])
        return "" if said and said[1] == found else f"is {found!r}"
    return ""


def problem_of(row: dict[str, Any]) -> str:
    try:
        found = READERS[row["syntax"]](text_of(row))
    except ParseError as error:
        return str(error) if is_valid(row) else ""
    return facts(row, found) if is_valid(row) else f"read as {found!r}"


def of_the_envelope() -> list[Any]:
    rows = vectors("addresses")
    return [row for row in rows if row.values[0] is None or row.values[0]["syntax"] in READERS]


@pytest.mark.parametrize("row", of_the_envelope())
def test_addresses(row):
    judge(row, problem_of(row), DEVIATIONS)


def test_the_list():
    check_list("addresses", DEVIATIONS)


def test_every_syntax_is_somebodys():
    """No record is dropped without a word: what is not read here belongs to header fields, or to nobody."""
    if corpus_folder() is None:
        pytest.skip(MISSING)
    syntaxes = {row["syntax"] for row in load("addresses")}
    assert syntaxes == {*READERS, *HEADER_SYNTAXES, *OTHER_SYNTAXES}
    assert len(READERS) + len(HEADER_SYNTAXES) + len(OTHER_SYNTAXES) == len(syntaxes)
