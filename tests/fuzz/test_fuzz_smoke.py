"""A short run of every fuzz target, and the proof that each of their oracles can fail."""

from __future__ import annotations

import importlib.util
import itertools
import queue
import subprocess
import sys

import pytest

from tests.fuzz import __main__ as command
from tests.fuzz import tokens
from tests.fuzz.engines import Counter, Finding, inputs, run_random
from tests.fuzz.message_stand_ins import MESSAGE_STAND_INS
from tests.fuzz.oracle import Oracle, OracleFailure, end_of_data, octet_by_octet, scattered, stuffed, unstuffed
from tests.fuzz.stand_ins import STAND_INS
from tests.fuzz.targets import BY_NAME, TARGETS, Target
from tests.fuzz.tokens import Source


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_few_hundred_inputs_break_no_promise(target):
    told: list[int] = []
    counter = Counter(target, len(target.seeds) + 300, 0, told.append)
    run_random(counter, seed=7)
    assert counter.done == len(target.seeds) + 300


ALL_STAND_INS = (*STAND_INS, *MESSAGE_STAND_INS)


@pytest.mark.parametrize("stand_in", ALL_STAND_INS, ids=lambda stand_in: f"{stand_in.target}: {stand_in.what}")
def test_what_is_broken_is_caught(stand_in):
    target = BY_NAME[stand_in.target]
    for data in itertools.islice(inputs(target, seed=7), 4000):
        try:
            target.run(data, *stand_in.arguments)
        except OracleFailure as failure:
            if failure.oracle is stand_in.oracle:
                return
    pytest.fail(f"nothing noticed that {stand_in.oracle.value!r} is broken: {stand_in.what}")


def test_every_oracle_and_every_target_has_a_stand_in_that_breaks_it():
    assert {stand_in.oracle for stand_in in ALL_STAND_INS} == set(Oracle)
    assert {stand_in.target for stand_in in ALL_STAND_INS} == set(BY_NAME)


# --- what the oracles are made of ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "end"),
    [
        (b".\r\n", 3),
        (b"a\r\n.\r\nb", 6),
        (b"\n.\n", -1),
        (b"a\n.\r\n", -1),
        (b"a.\r\n", -1),
        (b"..\r\n.\r\n", 7),
        (b"", -1),
    ],
)
def test_the_end_of_data_is_found_in_the_plainest_way(octets, end):
    assert end_of_data(octets) == end


def test_dots_are_put_on_and_taken_off():
    assert stuffed(b".a\r\n..\r\nb") == b"..a\r\n...\r\nb\r\n.\r\n"
    assert unstuffed(b"..a\r\n...\r\nb\r\n.\r\n") == b".a\r\n..\r\nb\r\n"
    assert (stuffed(b""), unstuffed(b".\r\n")) == (b".\r\n", b"")


@pytest.mark.parametrize("seed", range(20))
def test_a_split_keeps_every_octet(seed):
    octets = bytes(range(256)) * 5
    assert b"".join(scattered(octets, seed)) == b"".join(octet_by_octet(octets)) == octets
    assert len(octet_by_octet(b"\r\n.\r\n")) == 5


def test_tokens_reach_what_raw_octets_hardly_do():
    some = itertools.islice(inputs(BY_NAME["dot-unstuffer"], 1), 500)
    made = [tokens.octets(Source(b"\1" + data[1:]), tokens.NEWLINES) for data in some]
    assert sum(end_of_data(octets) >= 0 for octets in made) > 100
    assert tokens.octets(Source(b"\0QUIT"), tokens.NEWLINES) == b"QUIT"
    assert all(
        len(alphabet) <= 224 for alphabet in (tokens.COMMANDS, tokens.ADDRESSES, tokens.DIALOGUE, tokens.REPLIES)
    )


# --- the command ---------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_inputs():
    target = BY_NAME["server"]
    first, again, other = (list(itertools.islice(inputs(target, seed), 200)) for seed in (1, 1, 2))
    assert first == again != other


def test_a_finding_is_made_small():
    def no_q(data: bytes) -> None:
        if b"q" in data:
            raise OracleFailure(Oracle.REFERENCE, "q")

    target = Target("number", no_q, 1, 30, ())
    counter = Counter(target, 10, 0, print)
    with pytest.raises(Finding) as caught:
        counter.take(b"abcdefghijklmnopqrstuvwxyz")
    assert caught.value.data.strip(b"\0") == b"q"


def test_runs_are_shared_out():
    jobs = command.jobs_of(command.arguments(["--runs", "3000000"]))
    assert {job.target for job in jobs} == set(BY_NAME)
    assert 3_000_000 <= sum(job.runs for job in jobs) < 3_000_000 + len(TARGETS)
    assert len({(job.target, job.seed) for job in jobs}) == len(jobs)
    [only] = command.jobs_of(command.arguments(["--runs", "500", "--target", "pair"]))
    assert (only.target, only.runs) == ("pair", 500)


def test_the_command_counts(tmp_path):
    options = [
        "--engine",
        "random",
        "--runs",
        "300",
        "--target",
        "number",
        "--target",
        "path",
        "--folder",
        str(tmp_path),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *options], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "clean" in done.stdout
    assert "total" in done.stdout


def test_a_failure_is_shown_and_makes_the_command_fail(tmp_path, capsys, monkeypatch):
    run = command.Run(command.arguments(["--runs", "10", "--target", "path", "--engine", "random"]), tmp_path)
    told: queue.Queue = run.told

    def start(job):
        for what in ({"done": 3}, {"failure": "it broke", "file": "path-1.bin", "data": "00ff"}, {"exit": 1}):
            told.put((job, what))

    monkeypatch.setattr(run, "start", start)
    assert run.run() == 1
    shown = capsys.readouterr().out
    assert "it broke" in shown
    assert "bytes.fromhex('00ff')" in shown
    assert "--target path --replay path-1.bin" in shown


def test_replay(tmp_path, capsys, monkeypatch):
    path = tmp_path / "dot-unstuffer-1.bin"
    path.write_bytes(b"\0\7\0a\r\n.\r\n")
    assert command.main(["--replay", str(path)]) == 0

    def broken(data: bytes) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(command.BY_NAME, "dot-unstuffer", BY_NAME["dot-unstuffer"]._replace(function=broken))
    assert command.main(["--replay", str(path)]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().out
    assert command.main(["--replay", str(tmp_path / "nameless")]) == 2


def test_without_atheris_the_command_says_what_to_do(capsys, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert command.main(["--runs", "1"]) == 2
    assert "pip install '.[fuzz]'" in capsys.readouterr().err


def test_the_targets_are_listed(capsys):
    assert command.main(["--list"]) == 0
    shown = capsys.readouterr().out
    assert all(target.name in shown for target in TARGETS)
