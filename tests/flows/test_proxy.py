"""The script that reads the header of a proxy."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import RemoteProtocolError
from smtpcore.flows.effect import Read
from smtpcore.flows.proxy import read_proxy_header
from smtpcore.flows.server import Control, Drain
from smtpcore.wire.proxy import ProxyFamily, ProxyHeader
from tests.flows.driving import EOF, RESET, TIMEOUT, Stage

HEADERS = [ProxyHeader(version, ProxyFamily.TCP4, ("192.0.2.1", 4711), ("198.51.100.7", 25)) for version in (1, 2)]


def begun(**options: Any) -> tuple[Stage, list[BaseException]]:
    reported: list[BaseException] = []
    stage = Stage(read_proxy_header(Control(reported.append, **options)))
    stage.start()
    return stage, reported


@pytest.mark.parametrize("header", HEADERS)
def test_no_octet_is_read_behind_it(header: ProxyHeader) -> None:
    stage, reported = begun()
    stream = bytes(header) + b"\x16\x03\x01"
    pos = 0
    while not stage.played.ended:
        most = stage.played.reads[-1].most
        assert most
        stage.feed(stream[pos : pos + most])
        pos += most
    assert stage.played.value() == header
    assert pos == len(bytes(header))
    assert not reported


@pytest.mark.law(13)
def test_there_is_one_deadline_for_all_of_it() -> None:
    stage, _ = begun()
    for octet in b"PROXY TCP4":
        stage.feed(bytes((octet,)))
    first, *others = stage.played.reads
    assert first.seconds == 5
    assert {(each.seconds, each.extend) for each in others} == {(None, 0.0)}
    assert begun(timeout=77.0)[0].played.reads[0].seconds == 77.0


@pytest.mark.parametrize("turn", [EOF, TIMEOUT, RESET, Drain()])
def test_what_ends_before_it_ends_without_a_word(turn: Any) -> None:
    for before in (b"", b"PROXY "):
        stage, reported = begun()
        stage.feed(*([before] if before else []), turn)
        assert isinstance(stage.played.error, OSError)
        assert {type(effect) for effect in stage.played.effects} == {Read}
        assert not reported


def test_what_is_none_is_reported() -> None:
    stage, reported = begun()
    stage.feed(b"EHLO crepes.fr")
    assert isinstance(stage.played.error, OSError)
    assert [type(each) for each in reported] == [RemoteProtocolError]
    assert "no PROXY header" in str(reported[0])
