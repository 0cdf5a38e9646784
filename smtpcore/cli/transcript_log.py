"""What Postfix logs of a conversation with ``-v``: smtpd of its clients, smtp and lmtp of the servers they talk to."""

from __future__ import annotations

import re
from typing import Final

from .transcript_text import split_lines
from .transcript_turn import CLIENT, SERVER, TLS, Conversation, Speaker, Turn, octets

__all__ = ["is_log", "read_log"]

# "Nov 24 09:00:00 mx postfix/smtpd[4711]: < client[192.0.2.1]: EHLO crepes.fr"; the part up to "]: " may be missing.
_PREFIX: Final = r"(?:(?P<before>[^\[\]\n]*+)\[(?P<pid>[0-9]{1,10})\]: )?+"
_PEER: Final = r"(?P<host>[^ \t\n\[\]]*+\[[^\[\] \t\n]{1,255}\](?::[0-9]{1,5})?+)"
_LINE: Final = re.compile(rf"{_PREFIX}(?P<way>[<>]) {_PEER}: ?+(?P<text>.*)")
_SIGN: Final = re.compile(rf"^{_PREFIX}[<>] {_PEER}: ?+", re.M)
_HANDSHAKE: Final = re.compile(
    r"[^\[\]\n]*+\[(?P<pid>[0-9]{1,10})\]: (?:Anonymous|Untrusted|Trusted|Verified) TLS connection established "
)
#: The daemons that talk to other servers; the others are servers themselves.
_CLIENTS: Final = frozenset(("smtp", "lmtp", "relay"))
_CODE: Final = re.compile(r"[2-5][0-9][0-9](?:[ \-]|\Z)")


def is_log(text: str) -> bool:
    """Whether a line looks so."""
    return _SIGN.search(text) is not None


class _Process:
    """What one process logs: a connection after the other."""

    def __init__(self, name: str, pid: str) -> None:
        self._pid = pid
        daemon = name.rpartition(" ")[2].rpartition("/")[2]
        # "<" is what the process gets: from a server, if it is a client.
        self._server_way = "" if not daemon else "<" if daemon in _CLIENTS else ">"
        self._turns: list[Turn] = []
        self._answers_tls = False

    def read(self, found: re.Match[str], number: int, conversations: list[Conversation]) -> None:
        text = found["text"]
        if not self._server_way:
            other = "<" if found["way"] == ">" else ">"
            self._server_way = found["way"] if _CODE.match(text) else other
        who: Speaker = SERVER if found["way"] == self._server_way else CLIENT
        # Another greeting belongs to the next connection.
        greets = who == SERVER and text.startswith("220") and not self._answers_tls
        if not self._turns or (greets and not self._turns[-1].data.startswith(b"220-")):
            self._turns = []
            title = f"{found['host']}, process {self._pid}" if self._pid else found["host"]
            conversations.append(Conversation(title, "postfix", self._turns, exact=False, whole=False))
        if who == CLIENT:
            self._answers_tls = text[:8].upper() == "STARTTLS"
        self._turns.append(Turn(who, octets(text) + b"\r\n", number))

    def handshake(self, number: int) -> None:
        self._turns.append(Turn(TLS, b"", number))


def read_log(text: str) -> list[Conversation]:
    """The conversations in a log, one for each process and connection, in the order of their beginnings."""
    conversations: list[Conversation] = []
    processes: dict[str, _Process] = {}
    for number, line in enumerate(split_lines(text), 1):
        if found := _LINE.fullmatch(line):
            pid = found["pid"] or ""
            if pid not in processes:
                processes[pid] = _Process(found["before"] or "", pid)
            processes[pid].read(found, number, conversations)
        elif (handshake := _HANDSHAKE.match(line)) and handshake["pid"] in processes:
            processes[handshake["pid"]].handshake(number)
    return conversations
