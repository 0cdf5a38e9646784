"""What is measured between processes, over the loopback interface: servers, clients, memory, imports."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from .load import Load
from .report import ROOT, Case, Run, optional, show, table

HERE = Path(__file__).parent
Command = Callable[[int], list[str]]


def _environment() -> dict[str, str]:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


def _script(name: str, *arguments: str) -> list[str]:
    return [sys.executable, str(HERE / name), *arguments]


def _sink(port: int) -> list[str]:
    program = shutil.which("smtp-sink") or "/usr/sbin/smtp-sink"
    unprivileged = ["-u", "nobody"] if os.getuid() == 0 else []
    return [program, "-4", "-m", "5000", *unprivileged, f"127.0.0.1:{port}", "1000"]


def servers() -> dict[str, Command | None]:
    """What starts a server on a port."""
    found: dict[str, Command | None] = {"smtpcore, asyncio": lambda port: _script("receive.py", str(port), "asyncio")}
    uvloop, aiosmtpd = optional("uvloop"), optional("aiosmtpd.smtp")
    found["smtpcore, uvloop"] = (lambda port: _script("receive.py", str(port), "uvloop")) if uvloop else None
    found["aiosmtpd, asyncio"] = (lambda port: _script("peers.py", "serve", str(port))) if aiosmtpd else None
    both = uvloop and aiosmtpd
    found["aiosmtpd, uvloop"] = (lambda port: _script("peers.py", "serve", str(port), "uvloop")) if both else None
    sink = shutil.which("smtp-sink") or Path("/usr/sbin/smtp-sink").exists()
    found[_SINK] = _sink if sink else None
    return found


_SINK: Final = "Postfix smtp-sink (C)"


@contextmanager
def running(command: Command) -> Iterator[tuple[int, int]]:
    """A server, as its process and port; it ends with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(
        command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment()
    ) as process:
        try:
            until = time.monotonic() + 15
            while True:
                try:
                    Load(port, 1).close()
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > until:
                        raise RuntimeError(f"{command(port)} does not serve") from None
                    time.sleep(0.05)
            yield process.pid, port
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def cpu_of(pid: int) -> float:
    """Seconds of CPU, user and system, that a process has used: in ns where the kernel tells, else in its ticks."""
    try:
        each = [int(task.read_text().split()[0]) for task in Path(f"/proc/{pid}/task").glob("*/schedstat")]
        if sum(each):
            return sum(each) / 1e9
    except (OSError, ValueError, IndexError):
        pass
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_of(pid: int) -> int:
    """KiB of memory that a process has resident."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise ValueError("no VmRSS")


def _microseconds(cost: float) -> str:
    return f"{cost * 1e6:,.0f}"


def receive(run: Run) -> None:
    """Servers under load."""
    for title, size, full in ("4 KiB", 4096, 1600), ("1 MiB", 1 << 20, 48):
        count = run.amount(full, full // 8)

        def measured(command: Command, size: int = size, count: int = count) -> float:
            with running(command) as (pid, port):
                load = Load(port, 8)
                load.send(max(8, count // 10), size)
                before = cpu_of(pid)
                load.send(count, size)
                spent = cpu_of(pid) - before
                load.close()
            return spent / count

        _over_servers(f"Receiving messages of {title}", "µs of CPU per message", measured, run, _microseconds)


def idle(run: Run) -> None:
    """Memory of connections that wait."""
    connections = run.amount(200, 50)

    def measured(command: Command) -> float:
        with running(command) as (pid, port):
            # What starting up has left free in the process is used first.
            first = Load(port, connections)
            time.sleep(0.2)
            before = rss_of(pid)
            second = Load(port, connections)
            time.sleep(0.2)
            used = rss_of(pid) - before
            first.close()
            second.close()
        return max(used, 1) / connections

    title = f"Memory of an idle connection: {connections} after EHLO, beside {connections} that are there already"
    _over_servers(title, "KiB of RSS per connection", measured, run, lambda cost: f"{cost:.1f}")


def _over_servers(
    title: str, unit: str, measured: Callable[[Command], float], run: Run, value: Callable[[float], str]
) -> None:
    def case(command: Command) -> Case:
        return lambda: measured(command)

    cases = {name: command and case(command) for name, command in servers().items()}
    table(title, unit, cases, run, value)


def transmit(run: Run) -> None:
    """Clients that send to one sink."""
    count = run.amount(600, 60)
    available = servers()
    name = _SINK if available[_SINK] else "smtpcore, asyncio"
    commands = {
        "smtpcore, blocking": _script("transmit.py"),
        "smtpcore, chained": _script("transmit.py"),
        "smtpcore, asyncio": _script("transmit.py"),
        "smtplib": _script("peers.py", "smtplib"),
        "aiosmtplib": _script("peers.py", "aiosmtplib"),
    }
    with running(available[name] or _sink) as (_, port):
        for recipients in (1, 10):
            elapsed: dict[str, list[float]] = {}

            def case(
                peer: str,
                command: list[str],
                recipients: int = recipients,
                elapsed: dict[str, list[float]] = elapsed,
            ) -> Case:
                def measured() -> float:
                    where = ["127.0.0.1", str(port), str(count), "4096", str(recipients), "1"]
                    kind = [peer.partition(", ")[2]] if ", " in peer else []
                    done = subprocess.run(
                        [*command, *where, *kind], capture_output=True, timeout=60, check=True, env=_environment()
                    )
                    found = json.loads(done.stdout)
                    elapsed.setdefault(peer, []).append(float(found["wall"]) / count)
                    return float(found["cpu"]) / count

                return measured

            cases: dict[str, Case | None] = {peer: case(peer, command) for peer, command in commands.items()}
            if not optional("aiosmtplib"):
                cases["aiosmtplib"] = None
            noun = "recipient" if recipients == 1 else "recipients"
            title = f"Sending messages of 4 KiB to {name}, {recipients} {noun}"
            table(title, "µs of CPU per message", cases, run, _microseconds)
            show(f"The same on the wall, {recipients} {noun}", "µs per message", elapsed, _microseconds)


def pool(run: Run) -> None:
    """Clients that send over four connections, by hand and by a pool, and over a new one for each message."""
    count = run.amount(2000, 100)

    def case(kind: str) -> Case:
        def measured() -> float:
            where = ["127.0.0.1", str(port), str(count), "4096", "1", "4", kind]
            done = subprocess.run(
                [*_script("transmit.py"), *where], capture_output=True, timeout=60, check=True, env=_environment()
            )
            return float(json.loads(done.stdout)["cpu"]) / count

        return measured

    rows = {"four connections": "asyncio", "a pool of four": "pool", "a new one for each": "anew"}
    with running(lambda port: _script("receive.py", str(port), "asyncio")) as (_, port):
        cases: dict[str, Case | None] = {f"smtpcore, {name}": case(kind) for name, kind in rows.items()}
        table("Sending messages of 4 KiB to smtpcore, asyncio", "µs of CPU per message", cases, run, _microseconds)


def imports(run: Run) -> None:
    """Fresh interpreters that import."""

    # What has been compiled must be kept, or compiling is what is measured.
    environment = {name: value for name, value in _environment().items() if name != "PYTHONDONTWRITEBYTECODE"}

    def case(module: str) -> Case:
        code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"

        def measured() -> float:
            done = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, timeout=30, check=True, cwd=ROOT, env=environment
            )
            return float(done.stdout)

        return measured

    modules = ["smtpcore", "smtplib", "aiosmtplib", "aiosmtpd.smtp", "smtpproto.protocol"]
    for module in modules:
        if optional(module):
            case(module)()  # so that no round has to compile
    cases = {module: case(module) if optional(module) else None for module in modules}
    thorough = Run(run.rounds if run.quick else 3 * run.rounds, run.quick)
    table("Import in a fresh interpreter", "ms", cases, thorough, lambda cost: f"{cost * 1e3:.1f}")
