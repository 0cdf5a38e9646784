"""How other projects' tests have command lines read."""

from __future__ import annotations

import re
from typing import Any

import pytest

from smtpcore import Command, Ehlo, Helo, ParseError, Rset, Vrfy
from smtpcore.extensions import SIZE, STANDARD, Bdat, BdatLast
from smtpcore.wire.command import UnknownCommand
from smtpcore.wire.parameters import UnknownParameter
from tests.corpus import load, vectors
from tests.strategies import VOCABULARY
from tests.wire.feeding import parsed, path_of
from tests.wire.records import check_list, judge

#: Parameters that extensions bring which are not here: the line is not understood, and 555 says so.
OTHER_PARAMETERS = {
    "MTRK": "RFC 3885", "state": "no RFC", "foo": "no RFC",
    "NoValueKey": "no RFC", "A": "no RFC",
}  # fmt: skip

DEVIATIONS = {
    "commands-00084": "RFC 2852 s4: no message is returned by a time that is over",
    "commands-00031": "RFC 4648 s3.5: base64 without its padding is none",
    "commands-00041": "RFC 2645 s5.2.1: the domains may be left out",
    "commands-00049": "RFC 5321 s3.3: no spaces beside the colon, and one behind the verb",
    "commands-00076": "RFC 5321 s4.1.1.11: a parameter occurs once",
    "commands-00106": "RFC 5321 s4.1.1.3: the null path is no forward-path",
    "commands-00178": "RFC 5321 s4.1.2: the name of a host has no @",
    "commands-00184": "RFC 5321 s4.1.3: an address that is none",
    "commands-00225": "RFC 5321 s3.3: no spaces beside the colon",
    "commands-00226": "RFC 5321 s3.3: no spaces beside the colon",
    "commands-00229": "RFC 5321 s3.3: no spaces beside the colon",
    "commands-00327": "RFC 5321 s4.1.1.2: the null reverse-path is written <>",
    "commands-00330": "RFC 5321 s4.1.2: a path stands between angle brackets, a mailbox has a domain",
    "commands-00341": "RFC 5321 s4.1.1.3: no recipient but Postmaster goes without a domain",
    "commands-00353": "RFC 5321 s4.1.2: a path stands between angle brackets",
    "commands-00372": "RFC 5321 s4.1.1: one space follows the verb",
    "commands-00374": "RFC 5321 s4.1.2: a String has no tabs",
    "commands-00395": "RFC 5321 s4.1.2: a path stands between angle brackets, and no spaces beside the colon",
}

BUILT: dict[str, Command] = {
    "commands-00403": Ehlo("test.foo.bar"),
    "commands-00405": Helo("test.example.org"),
    "commands-00416": Rset(),
    "commands-00418": Vrfy("postmaster"),
}


def line_of(row: dict[str, Any]) -> bytes:
    """The line that a record is about; some are of a part of one, and some show the next line too."""
    text = row["input"].partition("\r\n")[0]
    if row.get("kind") == "reverse-path":
        text = f"MAIL FROM:{text}"
    elif row.get("kind") == "esmtp-params":
        text = f"MAIL FROM:<>{text}"
    return text.encode()


def facts(row: dict[str, Any], command: Any) -> str:
    """What the source says of a line that it read, where it says so in a form that can be compared."""
    said = row.get("parsed") or {}
    if "addr_and_params" in said:
        address = said["addr_and_params"][0].strip("<>").lower()
        if str(path_of(command)).lower() != address:
            return f"path {path_of(command)}"
    if found := re.search(r'(?:from|to|address): \\?"([^"\\]*)\\?"', said.get("rust", "")):
        if str(path_of(command) or "") != found[1]:
            return f"path {path_of(command)}"
    if found := re.search(r"\b(?:chunk_)?size: ([0-9]+)", said.get("rust", "")):
        size = command.size if isinstance(command, (Bdat, BdatLast)) else command.parameters.get(SIZE)
        if size != int(found[1]):
            return "size"
    if found := re.search(r'(?:AsciiDomain \{ raw: |Domain\()"([^"]+)"', said.get("rust", "")):
        if getattr(command, "client", found[1]) != found[1]:
            return f"client {command.client}"
    return ""


def problem_of(row: dict[str, Any]) -> str:
    if row.get("kind") == "serialize":
        return "" if bytes(BUILT[row["id"]]) == row["parsed"]["wire"].encode() else "written otherwise"
    line = line_of(row)
    try:
        command = parsed(line)
    except UnknownCommand as error:
        return "" if not row["valid"] else str(error)
    except UnknownParameter as error:
        known = not row["valid"] or error.why.split(" ")[1] in map(str.upper, OTHER_PARAMETERS)
        return "" if known else str(error)
    except ParseError as error:
        return "" if not row["valid"] else str(error)
    if not row["valid"]:
        return f"read as {command}"
    return facts(row, command)


@pytest.mark.parametrize("row", vectors("commands"))
def test_commands(row):
    judge(row, problem_of(row), DEVIATIONS)


def test_the_list():
    check_list("commands", DEVIATIONS)
    assert set(BUILT) == {row["id"] for row in load("commands") if row.get("kind") == "serialize"}


def test_what_is_of_others_is_not_ours():
    """An extension that comes to know one of them takes it off the list."""
    known = {*VOCABULARY.mail_parameters, *VOCABULARY.rcpt_parameters, *(extension.keyword for extension in STANDARD)}
    assert not set(OTHER_PARAMETERS) & known
