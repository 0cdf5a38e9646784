"""The mail clients of other people that drive smtpcore's server half, one function each.

Each sends one :class:`Job` and returns what the program said; ``.check()`` on that fails the test when the program was
not content. Certificates are verified by all of them.
"""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.interop import machinery
from tests.interop.certificates import Certificate
from tests.interop.machinery import Ran


@dataclass(frozen=True)
class Job:
    """What a client is to send, and how."""

    port: int
    content: bytes
    """Lines end in CRLF."""
    sender: str = "alice@crepes.fr"
    recipients: tuple[str, ...] = ("bob@hamburger.edu",)
    tls: str = "plain"
    """Or "starttls" or "implicit"."""
    auth: str | None = None
    """PLAIN or LOGIN."""
    user: str = "user"
    password: str = "secret"
    hostname: str = "crepes.fr"
    times: int = 1
    """How often, on one connection, where the client can."""
    certificate: Certificate | None = None
    utf8: bool = False
    socket: str = ""
    """The path of a unix socket in place of the port, where the client can."""

    @property
    def authority(self) -> str:
        return str(self.certificate.authority) if self.certificate else "/dev/null"


def swaks(job: Job, *more: str) -> Ran:
    """The Swiss army knife for SMTP, in Perl."""
    where = ["--socket", job.socket] if job.socket else ["--server", f"127.0.0.1:{job.port}"]
    command = [machinery.program("swaks"), *where, "--helo", job.hostname]
    command += ["--from", job.sender, "--to", ",".join(job.recipients), "--timeout", "20"]
    if job.tls != "plain":
        command += ["--tls" if job.tls == "starttls" else "--tls-on-connect"]
        command += ["--tls-verify", "--tls-ca-path", job.authority]
    if job.auth:
        command += ["--auth", job.auth, "--auth-user", job.user, "--auth-password", job.password]
    if job.content.endswith((b"\r\n.\r\n", b"\r\n\r\n")):
        # swaks would take an ending like these for something the user typed: it gets the octets for the wire instead.
        wire = job.content.replace(b"\r\n.", b"\r\n..") + b"."
        command += ["--no-data-fixup"]
    else:
        wire = job.content.removesuffix(b"\r\n")
    with tempfile.NamedTemporaryFile(suffix=".eml") as file:
        file.write(wire)
        file.flush()
        return machinery.run([*command, "--data", f"@{file.name}", "--suppress-data", *more])


def curl(job: Job, *more: str) -> Ran:
    """curl."""
    scheme = "smtps" if job.tls == "implicit" else "smtp"
    command = [machinery.program("curl"), "-sSv", "--max-time", "50", f"{scheme}://127.0.0.1:{job.port}/{job.hostname}"]
    command += ["--mail-from", job.sender]
    for recipient in job.recipients:
        command += ["--mail-rcpt", recipient]
    if job.tls != "plain":
        command += ["--ssl-reqd", "--cacert", job.authority]
    if job.auth:
        command += ["--user", f"{job.user}:{job.password}", "--login-options", f"AUTH={job.auth}"]
    with tempfile.NamedTemporaryFile(suffix=".eml") as file:
        file.write(job.content)
        file.flush()
        return machinery.run([*command, "--upload-file", file.name, *more])


def msmtp(job: Job, *more: str) -> Ran:
    """msmtp, a sendmail-like client; it reads LF lines and drops a Bcc field."""
    command = [machinery.program("msmtp"), "-C", "/dev/null", "--debug", "--host=127.0.0.1", f"--port={job.port}"]
    command += [f"--from={job.sender}", f"--domain={job.hostname}", "--timeout=20", "--set-date-header=off"]
    if job.tls == "plain":
        command += ["--tls=off"]
    else:
        command += ["--tls=on", f"--tls-starttls={'on' if job.tls == 'starttls' else 'off'}"]
        command += [f"--tls-trust-file={job.authority}"]
    if job.auth:
        command += [f"--auth={job.auth.lower()}", f"--user={job.user}"]
        command += [f"--passwordeval=echo {shlex.quote(job.password)}"]
    return machinery.run([*command, *more, "--", *job.recipients], job.content.replace(b"\r\n", b"\n"))


def smtplib(job: Job) -> Ran:
    """The standard library's client, of the Python that runs the tests."""
    return _python(sys.executable, "smtplib", job)


def aiosmtplib(job: Job) -> Ran:
    """aiosmtplib."""
    return _python(machinery.peer_python(), "aiosmtplib", job)


def nodemailer(job: Job) -> Ran:
    """Nodemailer, on Node.js."""
    modules = machinery.node_modules("nodemailer")
    with _job_file(job) as file:
        script = str(machinery.HERE / "nodemailer_send.js")
        return machinery.run([machinery.program("node"), script, file.name], env={"NODE_PATH": str(modules)})


def smtp_source(
    job: Job, folder: Path, *switches: str, messages: int = 1, sessions: int = 1, length: int | None = None
) -> Ran:
    """Postfix's load generator: writes its own messages of ``length`` octets, or takes the job's content.

    It puts an empty line below the content of a job.
    """
    command = ["smtp-source", "-f", job.sender, "-t", job.recipients[0], "-M", job.hostname]
    command += ["-m", str(messages), "-s", str(sessions), *switches]
    if length is None:
        (folder / "content").write_bytes(job.content.replace(b"\r\n", b"\n"))
        command += ["-F", "/peer/content"]
    else:
        command += ["-l", str(length)]
    command += [f"inet:127.0.0.1:{job.port}"]
    return machinery.run(machinery.in_root("postfix", folder, *command, seconds=280), seconds=290)


def _python(python: str, library: str, job: Job) -> Ran:
    with _job_file(job) as file:
        return machinery.run([python, str(machinery.HERE / "python_send.py"), library, file.name])


class _job_file:
    """A job as a file of JSON, and its content as another beside it."""

    def __init__(self, job: Job) -> None:
        self._folder = tempfile.TemporaryDirectory()
        content = Path(self._folder.name) / "message.eml"
        content.write_bytes(job.content)
        values = asdict(job) | {
            "file": str(content),
            "authority": job.authority,
            "eight_bit": not job.content.isascii(),
        }
        del values["content"], values["certificate"]
        self.name = str(Path(self._folder.name) / "job.json")
        Path(self.name).write_text(json.dumps(values))

    def __enter__(self) -> _job_file:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


Client = Callable[[Job], Ran]

EXACT: dict[str, Client] = {
    "swaks": swaks,
    "curl": curl,
    "msmtp": msmtp,
    "smtplib": smtplib,
    "aiosmtplib": aiosmtplib,
    "nodemailer": nodemailer,
}
"""Those that send any content octet for octet, over STARTTLS and implicit TLS, with AUTH."""
