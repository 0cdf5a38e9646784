"""How the tests start other people's programs, and how they end them: on loopback, for a bounded time, whole.

Where a program is missing the test skips and says how to install it; where ``CI`` is set it fails, because a run that
quietly met nobody proves nothing.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn, TypeVar

import pytest

T = TypeVar("T")

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("SMTPCORE_PEERS") or Path.home() / ".cache" / "smtpcore-peers")
HOW = "run `.ci/peers install` as root on Debian 12"

NO_ROOT = 97
"""The exit status of root.sh where it cannot do its work."""

LIFETIME = 900
"""Seconds after which a program ends whatever the tests do."""


def missing(what: str) -> NoReturn:
    """Skip the test, or fail it under continuous integration."""
    reason = f"{what} is missing: {HOW}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def program(name: str) -> str:
    """The path of a program of this machine."""
    return shutil.which(name) or missing(name)


def peer_python() -> str:
    """The Python that has other people's SMTP libraries."""
    path = CACHE / "venv" / "bin" / "python"
    return str(path) if path.exists() else missing("a Python with aiosmtpd and aiosmtplib")


def node_modules(name: str) -> Path:
    """Where npm put that package, and others."""
    path = CACHE / "npm" / "node_modules"
    return path if (path / name).is_dir() else missing(name)


def in_root(root: str, share: Path, *command: str, seconds: int = LIFETIME) -> list[str]:
    """The command line that runs a command in a root of its own, where ``share`` is ``/peer``."""
    layer = CACHE / "roots" / root
    if not (layer / "files").is_dir():
        missing(f"the root of {root}")
    if os.geteuid() != 0:
        missing("the right (root) to mount a root for a mail server")
    return ["bash", str(HERE / "root.sh"), "run", str(layer), str(share), str(seconds), *command]


#: Below those that Linux gives to whoever asks for any: nobody else gets one of these before its server listens.
_PORTS = range(12_000, 32_000)
_given: set[int] = set()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on, another one each time."""
    for port in random.sample(_PORTS, 1000):
        if port in _given:
            continue
        try:
            with socket.create_server(("127.0.0.1", port)):
                _given.add(port)
                return port
        except OSError:
            continue
    raise OSError("no free port")


def wait_for(what: str, check: Callable[[], T | None], seconds: float = 30.0) -> T:
    """What ``check`` returns, once that is true."""
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} seconds")
        time.sleep(0.03)


def listens(port: int) -> bool:
    """Whether something accepts connections on a port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


class Daemon:
    """A program that runs until it is stopped; it dies with us, and what it started dies with it."""

    def __init__(self, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.log = log
        self._file: IO[bytes] = log.open("ab")
        self._process = subprocess.Popen(
            [program("setpriv"), "--pdeathsig", "KILL", *command],
            stdin=subprocess.DEVNULL,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=None if env is None else {**os.environ, **env},
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_port(self, *ports: int, seconds: float = 30.0) -> None:
        """Until these ports accept connections."""

        def check() -> bool:
            status = self._process.poll()
            if status == NO_ROOT:
                missing("an overlay file system on this machine")
            if status is not None:
                raise RuntimeError(f"ended with status {status}: {self.tail()}")
            return all(listens(port) for port in ports)

        try:
            wait_for(f"ports {ports}", check, seconds)
        except TimeoutError as error:
            raise RuntimeError(f"{error}: {self.tail()}") from None

    def tail(self) -> str:
        """The end of what the program said."""
        return self.log.read_bytes()[-3000:].decode("utf-8", "replace")

    def stop(self) -> None:
        """End it and all it started; returns when they are gone."""
        if self._process.poll() is None:
            for pid in self._children():
                # In a root: process 1 of its namespace. When it is gone, so is everything in there, and its parent
                # ends by itself.
                _kill(pid, signal.SIGKILL)
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(5)
        self._file.close()

    def _children(self) -> list[int]:
        if not self._rooted():
            os.killpg(self._process.pid, signal.SIGTERM)
            return []
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in listed.read_text().split()] if listed.exists() else []

    def _rooted(self) -> bool:
        return Path(f"/proc/{self.pid}/comm").read_text().strip() == "unshare"


def _kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


@dataclass(frozen=True)
class Ran:
    """What a program that has ended did."""

    status: int
    output: str

    def check(self) -> Ran:
        """Itself, if the program was content."""
        assert self.status == 0, f"exit status {self.status}\n{self.output[-6000:]}"
        return self


def run(
    command: Sequence[str], data: bytes | None = None, seconds: float = 60.0, env: Mapping[str, str] | None = None
) -> Ran:
    """Run a program to its end."""
    with subprocess.Popen(
        [program("setpriv"), "--pdeathsig", "KILL", *command],
        stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=None if env is None else {**os.environ, **env},
    ) as process:
        try:
            output, _ = process.communicate(data, seconds)
        except BaseException:
            # unshare's children die with it; everything else is in its process group.
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode == NO_ROOT:
        missing("an overlay file system on this machine")
    return Ran(process.returncode, output.decode("utf-8", "replace"))
