"""Which mechanism a client takes (AU-18), in the order of strength."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import Any

import pytest

from smtpcore.sasl import (
    SERVER_MECHANISMS,
    STRENGTH,
    Channel,
    ClientMechanism,
    CramMd5,
    External,
    Login,
    Plain,
    choose,
    scram_keys,
    with_password,
    with_token,
)
from tests.sasl.exchanges import EXPORTED, TOKEN

CHANNEL = Channel(bindings={"tls-exporter": EXPORTED})


def names(mechanisms: Any) -> list[str]:
    return [each.name for each in mechanisms]


def test_the_strongest_comes_first():
    pytest.importorskip("scramp")
    order = list(STRENGTH)
    for given in (with_password("u", "p"), with_token("u", TOKEN), SERVER_MECHANISMS):
        given_names = list(given) if isinstance(given, dict) else names(given)
        assert given_names == sorted(given_names, key=order.index)
    assert names(with_password("u", "p")) == [
        name for name in order if name not in ("EXTERNAL", "OAUTHBEARER", "XOAUTH2")
    ]
    assert names(make() for make in SERVER_MECHANISMS.values()) == list(SERVER_MECHANISMS)
    assert set(STRENGTH) == {*SERVER_MECHANISMS, "EXTERNAL", "CRAM-MD5"}


def test_without_scramp_a_password_has_the_others(monkeypatch):
    monkeypatch.setattr("smtpcore.sasl.choice.scramp_is_there", lambda: False)
    assert names(with_password("u", "p")) == ["PLAIN", "LOGIN", "CRAM-MD5"]


@pytest.mark.parametrize("tls", [True, False], ids=["tls", "clear"])
def test_every_offer_of_two_is_answered_by_the_stronger(tls):
    """AU-18, for all pairs, in both orders of the offer."""
    pytest.importorskip("scramp")
    mine = [*with_password("u", "p"), *with_token("u", TOKEN), External()]
    mine.sort(key=lambda each: STRENGTH.index(each.name))
    revealing = {"PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2"}
    for offered in itertools.permutations(STRENGTH, 2):
        chosen = choose(mine, offered, CHANNEL, tls=tls)
        wanted = sorted(offered, key=lambda name: (not tls and name in revealing, STRENGTH.index(name)))
        assert chosen is not None
        assert chosen.name == wanted[0]


def test_nothing_in_common():
    assert choose([Plain("u", "p")], ("LOGIN", "GSSAPI")) is None
    assert choose([], ("PLAIN",)) is None
    assert choose([Plain("u", "p")], ()) is None


def test_the_callers_order_counts():
    mechanisms: list[ClientMechanism] = [Login("u", "p"), Plain("u", "p"), CramMd5("u", "p")]
    offered = ("CRAM-MD5", "PLAIN", "LOGIN")
    assert choose(mechanisms, offered) is mechanisms[0]
    assert choose(mechanisms, offered, tls=False) is mechanisms[2], "outside TLS a secret is not said where it need not"


def test_a_password_that_scram_cannot_say():
    """RFC 4013 s2.3: PLAIN has no such rule (RFC 4616 s2 has it for servers)."""
    pytest.importorskip("scramp")
    chosen = choose(with_password("user", "p\x07"), ("SCRAM-SHA-256", "PLAIN"))
    assert chosen is not None
    assert chosen.name == "PLAIN"


def test_a_library_without_scramp_loads_none_of_it():
    """``import smtpcore.sasl``, and a client that does not come to SCRAM, need the standard library alone."""
    source = (
        "import sys; from smtpcore.sasl import *; mine = with_password('u', 'p');"
        "choose(mine, ('PLAIN', 'LOGIN')).step(None); choose(mine, ('CRAM-MD5',)).step(b'x');"
        "print([name for name in sys.modules if name.split('.')[0] in ('scramp', 'asn1crypto', 'ssl')])"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert scram_keys.scramp_is_there() in (True, False)
