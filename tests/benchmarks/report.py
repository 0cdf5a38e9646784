"""Rounds over all peers in turn, and tables of what they cost."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LINE = b"Hello, this is a line of the body of a message that is sent to measure.\r\n"

Case = Callable[[], float]


@dataclass(frozen=True)
class Run:
    """How thoroughly to measure."""

    rounds: int = 5
    quick: bool = False

    def amount(self, full: int, quick: int) -> int:
        """How much to do in one round."""
        return quick if self.quick else full


def machine() -> str:
    """Processor, system and Python."""
    model = platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    system = f"{platform.system()} {platform.release()}"
    return f"{model}, {os.cpu_count()} cores, {system}, {platform.python_implementation()} {platform.python_version()}"


def optional(name: str) -> Any:
    """A module, or None where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None


def cpu(work: Callable[[], object]) -> float:
    """Seconds of this process's CPU for the work."""
    before = time.process_time()
    work()
    return time.process_time() - before


def table(title: str, unit: str, cases: Mapping[str, Case | None], run: Run, value: Callable[[float], str]) -> None:
    """Measure and print what each case costs; the first is what the others are compared with.

    A round goes over every case before the next begins, so that a change of the machine's mood
    meets all of them. A case that is None is not installed.
    """
    present = {name: case for name, case in cases.items() if case is not None}
    costs: dict[str, list[float]] = {name: [] for name in present}
    for _ in range(run.rounds):
        for name, case in present.items():
            costs[name].append(case())
    show(title, unit, costs, value)
    if missing := [name for name, case in cases.items() if case is None]:
        print(f"\nNot installed, so left out: {', '.join(missing)}.")
    print(end="", flush=True)


def show(title: str, unit: str, costs: Mapping[str, list[float]], value: Callable[[float], str]) -> None:
    """Print what was measured in rounds; the first is what the others are compared with."""
    base = next(iter(costs.values()))
    print(f"\n### {title}\n\n| | {unit} | times the cost of the first |\n|---|--:|--:|")
    for name, measured in costs.items():
        ratio = statistics.median(each / ours for each, ours in zip(measured, base))
        print(f"| {name} | {value(statistics.median(measured))} | {ratio:.2f} |")
