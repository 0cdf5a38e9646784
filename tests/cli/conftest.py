"""A certificate and a password for the tests of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.certificates import Certificate, make


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file with a password on its first line."""
    path = tmp_path / "password"
    path.write_text("gehëim w1th spaces\nnot this\n", "utf-8")
    return path
