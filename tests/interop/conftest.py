"""What the tests with other people's programs share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop import certificates
from tests.interop.certificates import Certificate


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificates.make(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the servers of one file of tests."""
    return tmp_path_factory.mktemp("peers")
