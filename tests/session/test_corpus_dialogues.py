"""Dialogues from other projects' tests, against both machines; each passes, or is listed with what says otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import ClientConnection, ReplyReceived, parse_command
from smtpcore.extensions import AUTH
from tests.corpus import MISSING, corpus_folder, load, vectors
from tests.session.deviations import DIALOGUES
from tests.session.records import CUTS, EXTENSIONS, VOCABULARY, play_client, play_dialogue
from tests.wire.records import judge

#: What the owner of the recorded server had chosen.
OPTIONS: dict[str, dict[str, Any]] = {
    "dialogues-01744": {"allow_plaintext_auth": False},
    "dialogues-02042": {"lmtp": True},
    "dialogues-02043": {"lmtp": True},
    "dialogues-02366": {"require_auth": True},
    "dialogues-02369": {"require_auth": True},
    "dialogues-02370": {"require_auth": True},
    "dialogues-02423": {"lmtp": True},
    "dialogues-02426": {"lmtp": True},
    "dialogues-02447": {"require_tls": True},
    "dialogues-02448": {"require_tls": True},
    "dialogues-02449": {"require_tls": True},
    "dialogues-02496": {"lmtp": True},
}


def turns_of(record: dict[str, Any]) -> list[tuple[str, bytes]]:
    """Who says what; a record of everything that each side said is taken apart into commands and replies."""
    turns: list[tuple[str, bytes]] = []
    for step in record["steps"]:
        if "server_sends_all" in step:
            turns.append(("s", octets_of(step["server_sends_all"])))
        elif "client_sent_all" in step:
            return one_by_one(turns[0][1], octets_of(step["client_sent_all"] or ""))
        else:
            turns += [(key[0], octets_of(step[key])) for key in ("client_sends", "server_sends") if key in step]
            turns += [("tls", b"")] if step.get("tls_handshake") else []
    return turns


def octets_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def one_by_one(server: bytes, client: bytes) -> list[tuple[str, bytes]]:
    replies = [b""]
    for line in server.split(b"\r\n")[:-1]:
        replies[-1] += line + b"\r\n"
        if line[3:4] != b"-":
            replies.append(b"")
    turns = [("s", replies.pop(0))] if server.startswith(b"220") else []
    lines = client.split(b"\r\n")[:-1]
    while lines:
        unit = lines.pop(0) + b"\r\n"
        turns.append(("c", unit))
        turns.append(("s", replies.pop(0)))
        if unit == b"DATA\r\n":
            end = lines.index(b".")
            turns += [("c", b"".join([line + b"\r\n" for line in lines[: end + 1]])), ("s", replies.pop(0))]
            del lines[: end + 1]
    return [turn for turn in turns if turn[1]]


#: What a record that begins in the middle has behind it, by its first command.
BEFORE = (
    (b"EHLO", b""),
    (b"HELO", b""),
    (b"LHLO", b""),
    (b"RCPT", b"EHLO x\r\nMAIL FROM:<a@b>\r\n"),
    (b"DATA", b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\n"),
    (b"", b"EHLO x\r\n"),
)
VERBS = (b"EHLO", b"HELO", b"LHLO", b"MAIL", b"RCPT", b"DATA", b"RSET", b"NOOP", b"QUIT", b"VRFY", b"STAR", b"AUTH")


def begun(turns: list[tuple[str, bytes]], *, lmtp: bool = False) -> ClientConnection | None:
    """A client that stands where the record begins; None for one that begins with the greeting."""
    if not turns or turns[0][0] == "s":
        return None
    if turns[0][0] == "tls":
        del turns[0]
        return ClientConnection(extensions=EXTENSIONS, tls=True)
    first = turns[0][1][:4].upper()
    lines = next(before for verb, before in BEFORE if first.startswith(verb))
    if first not in VERBS:
        lines = b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n"
        if lmtp:  # as many recipients as verdicts
            lines = b"LHLO x\r\nMAIL FROM:<a@b>\r\n" + b"RCPT TO:<a@b>\r\n" * turns[1][1].count(b"\r\n") + b"DATA\r\n"
    lmtp = lmtp or first == b"LHLO"
    machine = ClientConnection(extensions=EXTENSIONS, allow_plaintext_auth=True, lmtp=lmtp)
    machine.receive_data(b"220 x\r\n")
    assert isinstance(machine.next_event(), ReplyReceived)
    for line in lines.split(b"\r\n")[:-1]:
        machine.send(parse_command(line, VOCABULARY))
        offer = b"250-x\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE\r\n"
        machine.receive_data({b"EHLO": offer, b"LHLO": offer, b"DATA": b"354 go\r\n"}.get(line[:4], b"250 ok\r\n"))
        assert isinstance(machine.next_event(), ReplyReceived)
        machine.data_to_send()
    return machine


@pytest.mark.parametrize("way", CUTS)
@pytest.mark.parametrize("record", vectors("dialogues"))
def test_dialogue(record, way):
    if record["mode"] == "server":
        faults = play_dialogue(record, CUTS[way], **OPTIONS.get(record["id"], {}))
    else:
        turns = turns_of(record)
        faults = play_client(turns, CUTS[way], begun(turns, **OPTIONS.get(record["id"], {})))
        if not turns:
            faults = ["nothing is said"]
    judge(record, "; ".join(faults), DIALOGUES)


def test_list():
    assert all(reason.startswith(("RFC ", "application policy of ", "the record")) for reason in DIALOGUES.values())
    if corpus_folder() is None:
        pytest.skip(MISSING)
    ids = {record["id"] for record in load("dialogues")}
    assert not set(DIALOGUES) - ids
    assert not set(OPTIONS) - ids
    assert AUTH in EXTENSIONS
