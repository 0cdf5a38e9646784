"""What all tests share: how hard Hypothesis looks, and where other people's data is.

Profiles: ``dev`` (the default) is quick, ``ci`` is thorough and is taken where ``CI`` is set, ``brief`` is for a second
and third Python behind a thorough one; ``HYPOTHESIS_PROFILE`` names one outright.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.corpus import MISSING, VARIABLE, corpus_folder

# No deadline: a loaded machine is no defect. The growth of work is counted elsewhere.
settings.register_profile("dev", deadline=None, max_examples=60)
settings.register_profile("brief", deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "ci", deadline=None, max_examples=200, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)


def profile() -> str:
    """The name of the Hypothesis profile to use."""
    return os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")


settings.load_profile(profile())


def pytest_report_header() -> list[str]:
    folder = corpus_folder()
    where = str(folder) if folder else f"none ({MISSING}), tests over it skip"
    return [f"{VARIABLE}: {where}", f"hypothesis profile in use: {profile()}"]


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder that holds ``vectors/`` and ``corpus/``; the test skips without it."""
    folder = corpus_folder()
    if folder is None:
        pytest.skip(MISSING)
    return folder


@pytest.fixture(autouse=True, scope="module")
def _no_thread_stays() -> Iterator[None]:
    """A thread that outlives its test would keep the interpreter from ending: it is waited for, for good."""
    yield
    staying = [
        thread for thread in threading.enumerate() if not thread.daemon and thread is not threading.main_thread()
    ]
    for thread in staying:
        thread.join(1)
    assert not [thread.name for thread in staying if thread.is_alive()]


@pytest.fixture(autouse=True)
def _nothing_is_swept(request: pytest.FixtureRequest) -> Iterator[None]:
    """How long the collector of cycles takes depends on all that lives, not on what a test of growth measures."""
    if not any(14 in mark.args for mark in request.node.iter_markers("law")):
        yield
        return
    _set_aside()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def pytest_sessionstart() -> None:
    """While tests are collected nothing is lost that would have to be looked for."""
    gc.disable()


def pytest_collection_finish() -> None:
    """The tests themselves are so many objects that going over them takes seconds, each time that all is swept."""
    _set_aside()
    gc.enable()


def _set_aside() -> None:
    """What lives now is looked at no more by the collector of cycles, after one look for what was lost."""
    gc.collect()
    gc.freeze()


#: Modules whose tests count work or memory; elsewhere their names say so.
COUNTING = ("test_wire_work", "test_wire_memory", "test_session_growth", "test_chunks_growth")


def pytest_collection_modifyitems(items):
    """What is counted is the same on every Python: one of them is enough to try it on."""
    for item in items:
        if item.name.startswith(("test_work_", "test_no_pattern_")) or item.path.stem in COUNTING:
            item.add_marker(pytest.mark.growth)
