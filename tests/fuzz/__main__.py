"""Fuzz every parser and both machines::

    pip install -e '.[fuzz]'
    python -m tests.fuzz --runs 1000000 [--target NAME] [--seconds N] [--workers N]

The executions are shared out over the targets. A promise that is broken is shown with the input
that broke it, made small and kept in a file for ``--replay FILE``, and makes the command fail.
``--engine random`` needs nothing installed: Python's seeded generator makes the inputs.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.fuzz.oracle import OracleFailure
from tests.fuzz.targets import BY_NAME, TARGETS

_NO_ATHERIS: Final = (
    "atheris is not installed. Install it with: pip install '.[fuzz]'\n"
    "or do without it: python -m tests.fuzz --engine random"
)
#: Executions of one process: a fresh one now and then keeps memory small and takes up a library that has changed.
_STRETCH: Final = 250_000
#: Seconds between two lines that say how far it is.
_PULSE: Final = 10.0


class Job(NamedTuple):
    """What one process does."""

    target: str
    runs: int
    seconds: float
    seed: int


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The options of the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the parsers and both machines.")
    parser.add_argument(
        "--runs", type=int, default=1_000_000, help="executions over all the targets (default: %(default)s)"
    )
    parser.add_argument("--target", action="append", choices=sorted(BY_NAME), help="only this one; may be given again")
    parser.add_argument("--seconds", type=float, default=0, help="no longer than this, over all")
    parser.add_argument("--workers", type=int, default=1, help="processes at a time (default: 1)")
    parser.add_argument("--engine", choices=("atheris", "random"), default="atheris", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="another one gives other inputs (default: 1)")
    parser.add_argument(
        "--folder", type=Path, help="where the corpus and what was found is kept (default: a temporary one)"
    )
    parser.add_argument(
        "--replay", type=Path, metavar="FILE", help="try one input again, of the target that its name begins with"
    )
    parser.add_argument("--list", action="store_true", help="name the targets and leave")
    return parser.parse_args(given)


def jobs_of(options: argparse.Namespace) -> list[Job]:
    """The shares of the targets, cut into stretches; the targets take turns."""
    chosen = [BY_NAME[name] for name in options.target] if options.target else list(TARGETS)
    shares = sum(target.share for target in chosen)
    made: list[list[Job]] = []
    for target in chosen:
        runs = max(1, -(-options.runs * target.share // shares))
        parts = -(-runs // _STRETCH)
        # Workers share the time as well as the work.
        seconds = options.seconds * options.workers * target.share / shares / parts
        sizes = [runs // parts + (number < runs % parts) for number in range(parts)]
        made.append(
            [Job(target.name, size, seconds, options.seed * 1000 + number) for number, size in enumerate(sizes)]
        )
    longest = max(map(len, made))
    return [jobs[turn] for turn in range(longest) for jobs in made if turn < len(jobs)]


def replay(options: argparse.Namespace) -> int:
    """Try one input again."""
    names = options.target or [name for name in sorted(BY_NAME, key=len) if options.replay.name.startswith(name)][-1:]
    if not names:
        print("which target? name it with --target")
        return 2
    try:
        BY_NAME[names[0]].run(options.replay.read_bytes())
    except OracleFailure as failure:
        print(failure)
        return 1
    print(f"{names[0]}: all is well with {options.replay}")
    return 0


class Run:
    """All the processes of one run, and what they tell."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.waiting = deque(jobs_of(options))
        self.goals: dict[str, int] = {}
        for job in self.waiting:
            self.goals[job.target] = self.goals.get(job.target, 0) + job.runs
        self.told: queue.Queue[tuple[Job, dict[str, Any]]] = queue.Queue()
        self.done: dict[str, int] = dict.fromkeys(self.goals, 0)
        self.failed: set[str] = set()

    def start(self, job: Job) -> None:
        """A process for a job, with a thread that hands on what it says."""
        command = [sys.executable, "-m", "tests.fuzz.worker", job.target, self.options.engine]
        command += [str(job.runs), str(job.seconds), str(job.seed), str(self.folder)]
        log = (self.folder / f"{job.target}.log").open("wb")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)

        def listen() -> None:
            with log, process:
                assert process.stdout is not None
                for line in process.stdout:
                    if line.startswith("{"):
                        self.told.put((job, json.loads(line)))
            self.told.put((job, {"exit": process.returncode}))

        threading.Thread(target=listen, daemon=True).start()

    def run(self) -> int:
        """All jobs; the exit code of the command."""
        began = pulse = time.monotonic()
        busy: dict[Job, int] = {}
        while self.waiting or busy:
            while self.waiting and len(busy) < self.options.workers:
                job = self.waiting.popleft()
                if job.target not in self.failed:
                    busy[job] = 0
                    self.start(job)
            try:
                job, what = self.told.get(timeout=1)
            except queue.Empty:
                what = {}
            if "done" in what:
                busy[job] = what["done"]
            elif "failure" in what:
                self.failed.add(job.target)
                print(f"\nFAILED {what['failure']}\n  input: bytes.fromhex({what['data']!r})", flush=True)
                print(f"  again: python -m tests.fuzz --target {job.target} --replay {what['file']}\n", flush=True)
            elif "exit" in what:
                self.done[job.target] += busy.pop(job)
                if what["exit"] and job.target not in self.failed:
                    self.failed.add(job.target)
                    log = self.folder / f"{job.target}.log"
                    print(
                        f"\nFAILED {job.target}: the process ended with {what['exit']}; see {log}\n{_tail(log)}",
                        flush=True,
                    )
            now = time.monotonic()
            if now - pulse >= _PULSE:
                pulse = now
                self._say(now - began, busy)
        return self._summary(time.monotonic() - began)

    def _say(self, seconds: float, busy: dict[Job, int]) -> None:
        total = sum(self.done.values()) + sum(busy.values())
        at = ", ".join(
            [f"{job.target} {self.done[job.target] + done:,}/{self.goals[job.target]:,}" for job, done in busy.items()]
        )
        print(
            f"{seconds:7.0f} s  {total:>12,} of {sum(self.goals.values()):,}  {total / seconds:>8,.0f}/s  {at}",
            flush=True,
        )

    def _summary(self, seconds: float) -> int:
        print(f"\n{'target':<16}{'executions':>12}")
        for name, done in self.done.items():
            print(f"{name:<16}{done:>12,}{'   FAILED' if name in self.failed else ''}")
        total = sum(self.done.values())
        print(f"{'total':<16}{total:>12,}   in {seconds:,.0f} s by {self.options.engine}, seed {self.options.seed}")
        print("clean" if not self.failed else f"{len(self.failed)} targets failed; what broke them is in {self.folder}")
        return 1 if self.failed else 0


def _tail(path: Path) -> str:
    return path.read_bytes()[-1500:].decode("utf-8", "replace")


def main(given: list[str] | None = None) -> int:
    """The command."""
    options = arguments(given)
    if options.list:
        print("\n".join([f"{target.name:<16}{(target.function.__doc__ or '').splitlines()[0]}" for target in TARGETS]))
        return 0
    if options.replay:
        return replay(options)
    if options.engine == "atheris" and importlib.util.find_spec("atheris") is None:
        print(_NO_ATHERIS, file=sys.stderr)
        return 2
    folder = options.folder or Path(tempfile.mkdtemp(prefix="smtpcore-fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    return Run(options, folder).run()


if __name__ == "__main__":
    sys.exit(main())
