"""SCRAM-*-PLUS: what is bound to, by whom, and who in between is found out (RFC 5802 s6, RFC 5929, RFC 9266)."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from smtpcore import ParseError
from smtpcore.adapters.tls import der
from smtpcore.sasl import Channel, Credentials, Scram, ScramServer, Unproven, choose
from tests.sasl.exchanges import EXPORTED, PASSWORD, USER, converse, keys

pytest.importorskip("scramp")

PLUS = pytest.mark.parametrize("name", ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"])
EXPORTER = Channel(bindings={"tls-exporter": EXPORTED})


def certificate(folder: Path, *how: str) -> bytes:
    """A certificate of its own, in DER."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is missing")
    command = ["openssl", "req", "-x509", "-nodes", "-subj", "/CN=hamburger.edu", "-days", "1", *how]
    command += ["-keyout", str(folder / "key"), "-out", str(folder / "pem")]
    subprocess.run(command, check=True, capture_output=True)
    found = der((folder / "pem").read_bytes())
    assert found is not None
    return found


@PLUS
def test_both_sides_see_the_same_channel(name):
    client = Scram(USER, PASSWORD, name, "z")
    result, said = converse(client, ScramServer(name), keys(), channel=EXPORTER, offered=(name,))
    assert result == Credentials(name, USER, b"", "z", proven=True)
    assert client.proven
    assert said[0].startswith(b"p=tls-exporter,a=z,n=alice,r=")
    bound = base64.b64encode(b"p=tls-exporter,a=z," + EXPORTED)
    assert said[2].startswith(b"c=" + bound + b",r=")


@PLUS
def test_somebody_in_between_is_found_out(name):
    """AU-14: the client's channel ends elsewhere."""
    other = Channel(bindings={"tls-exporter": EXPORTED[::-1]})
    result, _ = converse(
        Scram(USER, PASSWORD, name), ScramServer(name), keys(), channel=other, servers_channel=EXPORTER, offered=(name,)
    )
    assert isinstance(result, Unproven)


RSA, EC = ("-newkey", "rsa:2048"), ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


@pytest.mark.parametrize(
    ("how", "hash_name"),
    [
        ((*RSA, "-sha256"), "sha256"),
        ((*RSA, "-sha384"), "sha384"),
        ((*RSA, "-sha512"), "sha512"),
        ((*RSA, "-sha1"), "sha256"),
        ((*EC, "-sha256"), "sha256"),
        ((*EC, "-sha384"), "sha384"),
        (("-newkey", "ed25519"), "sha512"),
        ((*RSA, "-sha256", "-sigopt", "rsa_padding_mode:pss"), "sha256"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value[1::2]),
)
def test_the_end_point_is_the_hash_of_the_certificate(how, hash_name, tmp_path):
    """RFC 5929 s4.1: by the hash of its signature, SHA-256 in place of MD5 and SHA-1."""
    octets = certificate(tmp_path, *how)
    name = "SCRAM-SHA-256-PLUS"
    mine, theirs = Channel(peer_certificate=octets), Channel(own_certificate=octets)
    client = Scram(USER, PASSWORD, name)
    result, said = converse(client, ScramServer(name), keys(), channel=mine, servers_channel=theirs, offered=(name,))
    assert isinstance(result, Credentials)
    assert client.proven
    wanted = b"p=tls-server-end-point,," + hashlib.new(hash_name, octets).digest()
    assert said[2].startswith(b"c=" + base64.b64encode(wanted) + b",")


def test_a_certificate_without_a_hash_is_bound_to_by_nobody(tmp_path):
    """RFC 5929 s4.1: undefined, as for Ed448."""
    octets = certificate(tmp_path, "-newkey", "ed448")
    assert not Scram(USER, PASSWORD, "SCRAM-SHA-256-PLUS").suits(Channel(peer_certificate=octets))
    assert not Scram(USER, PASSWORD, "SCRAM-SHA-256-PLUS").suits(Channel(peer_certificate=b"\x30\x03no!"))


@pytest.mark.parametrize(
    "channel", [None, Channel(), Channel(own_certificate=b"x"), Channel(bindings={"tls-unique": b"x"})], ids=repr
)
@PLUS
def test_without_anything_to_bind_to(channel, name):
    client = Scram(USER, PASSWORD, name)
    assert not client.suits(channel)
    client.bind(channel, (name,))
    with pytest.raises(ParseError, match="no channel to bind to"):
        client.step(None)


@pytest.mark.parametrize(
    ("channel", "offered", "flag"),
    [
        pytest.param(None, ("SCRAM-SHA-256",), b"n,,", id="client-cannot"),
        pytest.param(None, ("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"), b"n,,", id="client-cannot-server-can"),
        pytest.param(EXPORTER, ("SCRAM-SHA-256",), b"y,,", id="server-did-not-offer"),
        pytest.param(EXPORTER, ("SCRAM-SHA-256", "SCRAM-SHA-1-PLUS"), b"y,,", id="server-offered-the-other-hash"),
        pytest.param(EXPORTER, ("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"), b"n,,", id="client-does-not-want"),
    ],
)
def test_the_flag_without_plus(channel, offered, flag):
    """RFC 5802 s6"""
    client = Scram(USER, PASSWORD)
    client.bind(channel, offered)
    assert client.step(None).startswith(flag + b"n=alice,r=")


def first(name: str, flag: bytes, offered: tuple[str, ...] = ("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS")) -> object:
    server = ScramServer(name)
    server.bind(EXPORTER, offered)
    return server.step(flag + b",,n=user,r=abc")


def test_a_server_that_offered_it_knows_that_it_was_hidden():
    """AU-14: "y" where -PLUS was offered means that somebody took it out of the offer."""
    assert isinstance(first("SCRAM-SHA-256", b"y"), Unproven)
    assert not isinstance(first("SCRAM-SHA-256", b"y", ("SCRAM-SHA-256",)), Unproven)
    assert not isinstance(first("SCRAM-SHA-256", b"n"), Unproven)


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("SCRAM-SHA-256", b"p=tls-exporter"),
        ("SCRAM-SHA-256-PLUS", b"n"),
        ("SCRAM-SHA-256-PLUS", b"y"),
        ("SCRAM-SHA-256-PLUS", b"p=tls-unique"),
        ("SCRAM-SHA-256-PLUS", b"p=tls-server-end-point"),
        ("SCRAM-SHA-256-PLUS", b"p=TLS-EXPORTER"),
        ("SCRAM-SHA-256-PLUS", b"p=x"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.decode(),
)
def test_flags_that_do_not_go_with_the_mechanism(name, flag):
    assert isinstance(first(name, flag), Unproven)


def test_the_exporter_comes_before_the_certificate(tmp_path):
    """RFC 9266 s3"""
    octets = certificate(tmp_path, *EC)
    client = Scram(USER, PASSWORD, "SCRAM-SHA-256-PLUS")
    client.bind(Channel(bindings={"tls-exporter": EXPORTED}, peer_certificate=octets), ("SCRAM-SHA-256-PLUS",))
    assert client.step(None).startswith(b"p=tls-exporter,")


def test_a_client_takes_plus_where_it_can():
    mechanisms = [Scram(USER, PASSWORD, name) for name in ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")]
    offered = ("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS")
    assert choose(mechanisms, offered, EXPORTER) is mechanisms[0]
    assert choose(mechanisms, offered, None) is mechanisms[1]
    assert choose(mechanisms, offered[:1], EXPORTER) is mechanisms[1]
    assert choose(mechanisms[:1], offered, None) is None
