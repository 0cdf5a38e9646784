"""The two engines that make inputs: atheris, which follows the coverage, and Python's own seeded generator."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.fuzz.oracle import OracleFailure
from tests.fuzz.targets import Target

#: How often a run says how far it is, in seconds.
PULSE = 1.0

Tell = Callable[[int], None]


class Finding(Exception):
    """An input that broke a promise, made as small as it easily gets."""

    def __init__(self, data: bytes, failure: OracleFailure) -> None:
        super().__init__(data, failure)
        self.data = data
        self.failure = failure


class Counter:
    """Tries inputs and counts them; knows when it is enough."""

    def __init__(self, target: Target, runs: int, seconds: float, tell: Tell) -> None:
        self.target = target
        self.runs = runs
        self.done = 0
        self.tell = tell
        now = time.monotonic()
        self._end = now + seconds if seconds else None
        self._pulse = now + PULSE

    def take(self, data: bytes) -> bool:
        """Try one input; false when it was the last one. Raises Finding."""
        try:
            self.target.run(data)
        except OracleFailure as failure:
            raise smallest(self.target, data, failure) from failure
        self.done += 1
        if self.done & 63 == 0 or self.done >= self.runs:
            now = time.monotonic()
            if now >= self._pulse:
                self.tell(self.done)
                self._pulse = now + PULSE
            if self._end is not None and now >= self._end:
                return False
        return self.done < self.runs


def smallest(target: Target, data: bytes, failure: OracleFailure, tries: int = 2000) -> Finding:
    """The same failure by a smaller input: pieces are left out, and bytes become zero, as long as that keeps it."""
    step = max(1, len(data) // 2)
    while step:
        pos = 0
        while pos < len(data) and tries > 0:
            ahead = step
            for between in (b"", bytes(step)):
                smaller = data[:pos] + between + data[pos + step :]
                tries -= 1
                found = fails(target, smaller) if smaller != data and len(smaller) <= len(data) else None
                if found and found.oracle is failure.oracle:
                    data, failure, ahead = smaller, found, len(between)
                    break
            pos += ahead
        step //= 2
    return Finding(data, failure)


def fails(target: Target, data: bytes) -> OracleFailure | None:
    """What an input breaks."""
    try:
        target.run(data)
    except OracleFailure as failure:
        return failure
    return None


def inputs(target: Target, seed: int) -> Iterator[bytes]:
    """Endless inputs, the same for the same seed: the target's own, fresh ones, and changed ones of both."""
    yield from target.seeds
    generator = random.Random(f"{target.name}/{seed}")
    pool = list(target.seeds)
    while True:
        choice = generator.random()
        if choice < 0.4 or not pool:
            data = generator.randbytes(generator.randint(1, target.longest))
        else:
            data = _changed(generator, generator.choice(pool), target)
            if choice < 0.45:
                pool[generator.randrange(len(pool))] = data
        yield data


def _changed(generator: random.Random, data: bytes, target: Target) -> bytes:
    for _ in range(generator.randint(1, 4)):
        pos = generator.randint(0, len(data))
        end = min(len(data), pos + generator.randint(0, 8))
        match generator.randrange(4):
            case 0:
                piece = generator.randbytes(generator.randint(1, 4))
            case 1 if target.alphabet:
                piece = generator.choice(target.alphabet)
            case 2:
                piece = data[end : end + 8] + data[pos:end]
            case _:
                piece = b""
        data = data[:pos] + piece + data[end:]
    return data


def run_random(counter: Counter, seed: int) -> None:
    """Try inputs of the generator until it is enough. Raises Finding."""
    for data in inputs(counter.target, seed):
        if not counter.take(data):
            return


def run_atheris(counter: Counter, seed: int, folder: Path, leave: Callable[[Finding | None], None]) -> None:
    """Let atheris try inputs; it never comes back, so ``leave`` ends the process.

    ``folder`` gets ``corpus``, which a later run goes on with, and what libFuzzer has to say.
    """
    import atheris

    target = counter.target
    corpus = folder / "corpus" / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(target.seeds):
        (corpus / f"seed-{number:02}").write_bytes(data)
    words = folder / f"{target.name}.dict"
    entries = dict.fromkeys(token for token in target.alphabet if 1 < len(token) < 40)
    words.write_text("".join(['"' + "".join([f"\\x{octet:02x}" for octet in token]) + '"\n' for token in entries]))

    def try_one(data: bytes) -> None:
        try:
            more = counter.take(data)
        except Finding as finding:
            leave(finding)
        else:
            if not more:
                leave(None)

    options = [
        f"-max_len={target.longest}",
        f"-seed={seed or 1}",
        "-timeout=60",
        "-rss_limit_mb=2048",
        "-len_control=20",
    ]
    options += [f"-artifact_prefix={folder}/{target.name}-", "-print_final_stats=0", "-verbosity=0"]
    if entries:
        options.append(f"-dict={words}")
    atheris.Setup([sys.argv[0], *options, str(corpus)], try_one)
    atheris.Fuzz()
