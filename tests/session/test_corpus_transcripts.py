"""Connections of real clients: what they sent into our server, what they were told into our client."""

from __future__ import annotations

import pytest

from tests.corpus import MISSING, corpus_folder, load, vectors
from tests.session.deviations import TRANSCRIPTS, TRANSCRIPTS_OF_CLIENTS
from tests.session.records import CUTS, play_client, play_transcript
from tests.wire.records import judge


def turns_of(record):
    """Who said what; what one side said in several writes is one turn."""
    turns: list[tuple[str, bytes]] = []
    for who, *data in record["events"]:
        if turns and who == turns[-1][0]:
            turns[-1] = (who, turns[-1][1] + data[0].encode("latin-1"))
        elif who in {"c", "s", "tls"}:
            turns.append((who, data[0].encode("latin-1") if data else b""))
    return turns


@pytest.mark.parametrize("way", ["as-recorded", "octets", "at-once"])
@pytest.mark.parametrize("record", vectors("client_transcripts"))
def test_client_against_our_server(record, way):
    judge(record, "; ".join(play_transcript(record, way)), TRANSCRIPTS)


@pytest.mark.parametrize("way", CUTS)
@pytest.mark.parametrize("record", vectors("client_transcripts"))
def test_our_client_in_its_place(record, way):
    """Sending what that client sent: the same octets leave, in the same turns, and each reply finds its command."""
    judge(record, "; ".join(play_client(turns_of(record), CUTS[way])), TRANSCRIPTS_OF_CLIENTS)


def test_list():
    for listed in (TRANSCRIPTS, TRANSCRIPTS_OF_CLIENTS):
        assert all(reason.startswith(("RFC ", "application policy of ", "the record")) for reason in listed.values())
    if corpus_folder() is None:
        pytest.skip(MISSING)
    ids = {record["id"] for record in load("client_transcripts")}
    assert not {*TRANSCRIPTS, *TRANSCRIPTS_OF_CLIENTS} - ids
