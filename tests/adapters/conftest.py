"""What the tests of the adapters share: certificates, and nothing left behind."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import trustme


@dataclass(frozen=True)
class Certificates:
    """An authority, a server that it vouches for, and one that only a stranger vouches for."""

    server: ssl.SSLContext
    trusting: ssl.SSLContext
    strange_server: ssl.SSLContext
    other_name: ssl.SSLContext


def _server(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    authority, stranger = trustme.CA(), trustme.CA()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return Certificates(
        server=_server(authority, "127.0.0.1", "::1", "localhost"),
        trusting=trusting,
        strange_server=_server(stranger, "127.0.0.1", "localhost"),
        other_name=_server(authority, "mx.elsewhere.example"),
    )


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    stayed = [thread for thread in threading.enumerate() if thread not in before]
    for thread in stayed:
        thread.join(5.0)
    assert not [thread for thread in stayed if thread.is_alive()]
