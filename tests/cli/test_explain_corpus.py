"""Other people's conversations: each is explained, and who is blamed agrees with what is known of it."""

from __future__ import annotations

import re

import pytest

from smtpcore.cli.explain.page import write_page
from smtpcore.cli.explain.report import tell
from smtpcore.cli.transcript import read_transcript
from tests.cli.explaining import explain, rules_of, story_of
from tests.corpus import MISSING, corpus_folder, load, vectors

#: Findings in what real clients sent: id, then who and which rule, then why that is so.
#: Whatever is not listed broke none.
DEVIATIONS = {
    **{
        f"client_transcripts-{number:05}": (
            "client",
            "RFC 6152 s3",  # nodemailer sends UTF-8 as 8bit and says BODY=8BITMIME only where an address needs SMTPUTF8
        )
        for number in (54, 55, 56, 57, 58, 59, 60, 61, 84, 85, 122)
    },
    "client_transcripts-00315": ("client", "RFC 5321 s4.5.3.1.6"),  # dovecot relays the long line that it was given
}
#: Codes by which a server says that the client broke a rule that the machine knows, too.
BLAMES = frozenset((500, 501, 503, 555))
#: Where a server blamed its client and there is nothing to blame, or the record does not hold it: id and reason.
BLAMELESS: dict[str, str] = {
    "dialogues-02154": "the record holds an expression in place of octets",
    "dialogues-02425": "application policy of aiosmtpd: EHLO taken away by a test",
    "dialogues-02496": "RFC 2033 s4.1: a server of LMTP knows no EHLO",
    "dialogues-02537": "application policy of the recorded server: EHLO not right behind HELO",
}


def recorded(record):
    """The turns of a recorded client."""
    names = {"c": "C", "s": "S", "tls": "tls"}
    for kind, *data in record["events"]:
        if kind in names:
            yield names[kind], b"" if kind == "tls" else data[0].encode("latin-1")


def scripted(record):
    """The turns of each connection in a test of somebody's."""
    turns: list[tuple[str, bytes]] = []
    for step in record["steps"]:
        if step.get("connect") and turns:
            yield turns
            turns = []
        for key in ("send", "client_sends", "client_sent_all"):
            said = step.get(key)
            if said and not said.startswith("<<"):
                turns.append(("C", said.encode("utf-8", "surrogateescape")))
        replies = "".join(replies_of(step.get("expect") or []))
        for said in (replies, step.get("server_sends"), step.get("server_sends_all")):
            if said:
                turns.append(("S", said.encode("utf-8", "surrogateescape")))
        if step.get("tls_after") and not step.get("connect"):
            turns.append(("tls", b""))
    yield turns


def replies_of(expected):
    """Replies with the codes that a test expects."""
    for place, entry in enumerate(expected):
        code = entry.get("code") or entry.get("class", 0) * 100 + 50
        if code < 200:
            continue
        behind = expected[place + 1] if place + 1 < len(expected) else {}
        goes_on = behind.get("code") == code and (entry.get("continued") or behind.get("continued"))
        lines = entry.get("lines") or [entry.get("text") or entry.get("text_prefix") or "ok"]
        for number, line in enumerate(lines, 1):
            yield f"{code}{'-' if goes_on or number < len(lines) else ' '}{line}\r\n"


def blamed(turns):
    """The replies by which the server blames its client, in the order of the commands, where each has one."""
    codes = [int(line[:3]) for who, data in turns if who == "S" for line in data.split(b"\r\n") if line[3:4] == b" "]
    return [code for code in codes if code in BLAMES]


@pytest.mark.parametrize("record", vectors("client_transcripts"))
def test_real_clients(record):
    story = story_of(recorded(record))
    listed = DEVIATIONS.get(record["id"])
    assert rules_of(story) == ([listed] if listed else [])
    turns = list(recorded(record))
    said = b"".join(data for who, data in turns if who == "C")
    assert len(story.messages) == said.count(b"MAIL FROM:")
    # Only recipients and contents are refused with these codes.
    verdicts = [recipient.verdict for message in story.messages for recipient in message.recipients]
    refused = re.findall(rb"^55[04] ", b"".join(data for who, data in turns if who == "S"), re.MULTILINE)
    assert ("refused" in verdicts) == bool(refused)
    assert len(verdicts) == said.count(b"RCPT TO:")


@pytest.mark.parametrize("record", vectors("dialogues"))
def test_dialogues(record):
    for turns in scripted(record):
        story = story_of(turns)
        assert len([line for line, _ in tell(story)]) >= len(story.steps)
        assert write_page([story]).count("<article ") == len(story.steps)
        told = [step for step in story.steps if step.who in "CS"]
        assert all(step.remarks or step.findings for step in told)
        if blamed(turns) and record["mode"] == "server" and record["id"] not in BLAMELESS:
            assert any(finding.by == "client" for _, finding in story.findings()), blamed(turns)


@pytest.mark.parametrize("record", vectors("client_transcripts"))
def test_as_a_file(record, tmp_path, capsys):
    """The same as hexadecimal of tshark, which keeps all octets: the same is found."""
    turns = [turn for turn in recorded(record) if turn[0] != "tls"]
    rows = "".join(f"{'	' if who == 'S' else ''}{data.hex()}\n" for who, data in turns if data)
    text = f"\n{'=' * 67}\nFollow: tcp,raw\nFilter: tcp.stream eq 0\nNode 0: a:1\nNode 1: b:25\n{rows}{'=' * 67}\n"
    (conversation,) = read_transcript(text.encode(), "test")
    assert [(turn.who, turn.data) for turn in conversation.turns] == [turn for turn in turns if turn[1]]
    status = explain(tmp_path, text)
    assert status == (record["id"] in DEVIATIONS)
    assert capsys.readouterr().out.startswith(str(tmp_path))


def test_lists():
    if corpus_folder() is None:
        pytest.skip(MISSING)
    assert not set(DEVIATIONS) - {record["id"] for record in load("client_transcripts")}
    assert not set(BLAMELESS) - {record["id"] for record in load("dialogues")}
