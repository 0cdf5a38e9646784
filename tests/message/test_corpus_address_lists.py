"""How other projects' tests have the addresses of header fields read."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest

from smtpcore.message.address import Address, Group
from smtpcore.message.address_list import AddressList
from smtpcore.wire.tolerance import LAX, Tolerance
from tests.corpus import vectors
from tests.vectors.message_deviations import ADDRESSES
from tests.wire.records import check_list, judge

LISTS = {"address", "address-list", "group", "mailbox", "mailbox-list"}


def text_of(row: dict[str, Any]) -> str:
    if "input_b64" in row:
        text = base64.b64decode(row["input_b64"]).decode("utf-8", "surrogateescape")
    elif "input_utf8_surrogatepass_hex" in row:
        text = bytes.fromhex(row["input_utf8_surrogatepass_hex"]).decode("utf-8", "surrogatepass")
    else:
        given = row["input"]
        text = given if isinstance(given, str) else given["str"] if isinstance(given, dict) else ", ".join(given)
    return re.sub(r"\r?\n(?=[ \t])", "", text).rstrip("\r\n")


def pairs(items: Any) -> list[tuple[str, str]]:
    """Name and address of each, whatever they are called there."""
    found = []
    for item in items or []:
        if isinstance(item, str):
            found.append(("", item))
        elif isinstance(item, list):
            found.append((item[0] or "", item[1]))
        elif "group" in item:
            found += pairs(item["group"] if isinstance(item["group"], list) else item["members"])
        elif "addresses" in item:
            found += pairs(item["addresses"])
        else:
            name = item.get("name") or item.get("display_name") or ""
            found.append((name, item.get("addr_spec") or item.get("address") or item.get("addr") or item.get("email")))
    return [(name, spec) for name, spec in found if spec]


def expected_pairs(row: dict[str, Any]) -> list[tuple[str, str]] | None:
    expected = row.get("expected") or {}
    if "name_addr" in expected:
        # The loose reading is the one that this library is there to replace; of parseaddr() only what is one address.
        given = expected["name_addr"]
        if not expected["strict"] or (given and isinstance(given[0], str)):
            return None
        return pairs(given)
    for key in ("addresses", "List", "Group"):
        if key in expected:
            return pairs(expected[key]) if row.get("source", "")[:9] != "golang/go" else None
    token = expected.get("token") or {}
    if "all_mailboxes" in token:
        return pairs(token["all_mailboxes"])
    if "addr" in expected:
        return [(expected.get("name") or "", expected["addr"])]
    return None


def seen(found: AddressList) -> list[tuple[str, str]]:
    return [(address.display_name, str(address.mailbox)) for address in found.addresses]


def same(one: list[tuple[str, str]], other: list[tuple[str, str]]) -> bool:
    """Whether the same is said; quotes that a mailbox need not have, and runs of white space, do not count."""
    return [(" ".join(name.split()), plain(spec)) for name, spec in one] == [
        (" ".join(name.split()), plain(spec)) for name, spec in other
    ]


def plain(spec: str | None) -> str:
    return re.sub(r"\\(.)", r"\1", spec or "").replace('"', "")


def problem_of(row: dict[str, Any]) -> str:
    found = AddressList.read(text_of(row))
    expected = expected_pairs(row)
    if row["syntax"] in ("address", "mailbox", "group") and not row.get("valid"):
        kind: Any = {"address": (Address, Group), "mailbox": Address, "group": Group}[row["syntax"]]
        one = len(found) == 1 and isinstance(found.items[0], kind) and not found.defects
        return f"read as {found}" if one else ""
    if row.get("valid") is False and not expected:
        # Nothing of it is taken without a word.
        return "" if found.defects else f"read without a defect as {seen(found)}"
    if expected is not None:
        return "" if same(seen(found), expected) else f"{seen(found)} and not {expected}: {found.defects}"
    if row.get("valid"):
        return "" if found.items else f"nothing read: {found.defects}"
    return ""


def of_header_fields() -> list[Any]:
    return [row for row in vectors("addresses") if row.values[0] is None or row.values[0]["syntax"] in LISTS]


@pytest.mark.parametrize("row", of_header_fields())
def test_address_lists(row):
    judge(row, problem_of(row), ADDRESSES)
    # and what was read, written down again, is read as the same, strictly
    found = AddressList.read(text_of(row))
    if found.items:
        assert AddressList.parse(str(found), Tolerance(LAX)) == found
        assert AddressList.parse(found.serialise(utf8=True), Tolerance(LAX)) == found


def test_the_list():
    check_list("addresses", ADDRESSES)
