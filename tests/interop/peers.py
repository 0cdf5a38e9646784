"""Mail servers of other people that smtpcore's client half delivers into, one class each; more in mailservers.py.

All listen on 127.0.0.1, take mail for ``example.com`` and keep it where :meth:`Peer.delivered` reads it back.
``refuse...@example.com`` is refused for good and ``defer...@example.com`` for now, by every server that can be told so.
With a ``relay`` they pass mail for any other domain on to that port of 127.0.0.1.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from tests.interop import machinery
from tests.interop.certificates import Certificate

TRACE = frozenset(
    b"return-path received delivered-to x-original-to envelope-to delivery-date x-client-addr x-client-proto "
    b"x-helo-args x-mail-args x-rcpt-args".split()
)
"""The fields that a server puts above what it got."""


@dataclass(frozen=True)
class Delivery:
    """One message as a server kept it."""

    content: bytes
    """What was sent, without the server's own fields on top, its lines ending in CRLF."""
    trace: bytes
    """The server's own fields, as written."""
    sender: str | None = None
    """The reverse-path, where the server keeps it; "" is the null one."""
    recipients: tuple[str, ...] = ()
    tls: bool | None = None
    user: str | None = None


def split_trace(raw: bytes) -> tuple[bytes, bytes]:
    """The server's own fields, which lie on top, and the rest."""
    at = 0
    inside = False
    for line in raw.splitlines(keepends=True):
        if line[:1] in (b" ", b"\t"):
            if not inside:
                break
        else:
            inside = line.partition(b":")[0].lower() in TRACE
            if not inside:
                break
        at += len(line)
    return raw[:at], raw[at:]


def trace_values(trace: bytes, name: bytes) -> list[str]:
    """The values of a one-line trace field, without angle brackets."""
    values = []
    for line in trace.splitlines():
        key, colon, value = line.partition(b":")
        if colon and key.lower() == name.lower():
            values.append(value.strip().partition(b">")[0].removeprefix(b"<").decode("utf-8"))
    return values


class Peer:
    """A server: ``with Postfix(folder, certificate) as peer: ... peer.port ... peer.delivered(1)``."""

    name: ClassVar[str]
    offers: ClassVar[frozenset[str]] = frozenset()
    """What works, of starttls, implicit, auth, utf8, and refusals, which is refuse... and defer..."""
    user = ("user", "secret")

    def __init__(self, folder: Path, certificate: Certificate, relay: int | None = None) -> None:
        self.folder = folder / self.name
        self.certificate = certificate
        self.relay = relay
        self.port = machinery.free_port()
        self.implicit_port = machinery.free_port()
        self._daemon: machinery.Daemon | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server; returns when it accepts connections."""
        shutil.rmtree(self.folder, ignore_errors=True)
        mail = self.folder / "mail"
        mail.mkdir(parents=True)
        # Servers drop their rights before they write here. Only they see it: the folders above are ours alone.
        self.folder.chmod(0o755)
        mail.chmod(0o777)
        shutil.copy(self.certificate.chain, self.folder / "chain.pem")
        shutil.copy(self.certificate.key, self.folder / "key.pem")
        (self.folder / "key.pem").chmod(0o600)
        self._daemon = machinery.Daemon(self._command(), self.folder / "log")
        try:
            self._daemon.wait_port(*self._ports())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server and whatever it started."""
        if self._daemon is not None:
            self._daemon.stop()
            self._daemon = None

    def log(self) -> str:
        """The end of the server's log."""
        return (self.folder / "log").read_bytes()[-3000:].decode("utf-8", "replace")

    def forget(self) -> None:
        """Drop what was delivered so far."""
        for path in self._kept():
            path.unlink()

    def delivered(self, count: int, seconds: float = 30.0) -> list[Delivery]:
        """What was delivered, once it is ``count`` messages or more; a message to several recipients may count for
        each."""

        def check() -> list[Path] | None:
            kept = self._kept()
            return kept if len(kept) >= count else None

        try:
            paths = machinery.wait_for(f"{count} messages", check, seconds) if count else self._kept()
        except TimeoutError as error:
            raise AssertionError(f"{error}, but {len(self._kept())}; {self.name} says: {self.log()}") from None
        return [self._read(path) for path in sorted(paths)]

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _ports(self) -> tuple[int, ...]:
        return (self.port, self.implicit_port) if "implicit" in self.offers else (self.port,)

    def _kept(self) -> list[Path]:
        """The files of complete messages: by default those of a Maildir."""
        return list((self.folder / "mail").glob("**/new/*"))

    def _read(self, path: Path) -> Delivery:
        trace, content = split_trace(path.read_bytes())
        sender = trace_values(trace, b"Return-Path")
        recipients = next((r for name in self._recipient_fields if (r := trace_values(trace, name))), [])
        return Delivery(content.replace(b"\n", b"\r\n"), trace, sender[0] if sender else None, tuple(recipients))

    _recipient_fields: ClassVar[tuple[bytes, ...]] = (b"X-Original-To", b"Envelope-To", b"Delivered-To")

    def _rooted(self, script: str, **files: str) -> list[str]:
        """The command that runs a script in the server's own root, with these files at /peer."""
        for name, text in files.items():
            (self.folder / name).write_text(text)
        return machinery.in_root(self.name, self.folder, "bash", "-c", script)


class Aiosmtpd(Peer):
    """aiosmtpd, which keeps the octets and the envelope exactly."""

    name = "aiosmtpd"
    offers = frozenset({"starttls", "auth", "utf8", "refusals"})
    mode = "plain"

    def _command(self) -> list[str]:
        folder = self.folder
        files = (str(self.port), str(folder / "mail"), self.mode, str(folder / "chain.pem"), str(folder / "key.pem"))
        return [machinery.peer_python(), str(machinery.HERE / "aiosmtpd_server.py"), *files]

    def _kept(self) -> list[Path]:
        return list((self.folder / "mail").glob("*.json"))

    def _read(self, path: Path) -> Delivery:
        data = json.loads(path.read_text())
        content = path.with_suffix(".eml").read_bytes()
        return Delivery(content, b"", data["sender"], tuple(data["recipients"]), data["tls"], data["user"])


class SmtpSink(Peer):
    """Postfix's smtp-sink, which does what its switches say, however wrong."""

    name = "smtp-sink"

    def __init__(self, folder: Path, certificate: Certificate, *switches: str) -> None:
        super().__init__(folder, certificate)
        self.switches = switches

    def _command(self) -> list[str]:
        command = ("smtp-sink", "-u", "nobody", "-h", "sink.peer.test", "-d", "/peer/mail/m.")
        return machinery.in_root("postfix", self.folder, *command, *self.switches, f"inet:127.0.0.1:{self.port}", "100")

    def _kept(self) -> list[Path]:
        return list((self.folder / "mail").glob("m.*"))

    def _read(self, path: Path) -> Delivery:
        trace, content = split_trace(path.read_bytes())
        # The sink puts an empty line below each message.
        content = content.removesuffix(b"\n").replace(b"\n", b"\r\n")
        sender = trace_values(trace, b"X-Mail-Args")
        return Delivery(content, trace, sender[0] if sender else None, tuple(trace_values(trace, b"X-Rcpt-Args")))
