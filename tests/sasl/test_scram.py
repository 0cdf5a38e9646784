"""SCRAM (RFC 5802, RFC 7677), both halves: the RFCs' examples, an oracle, and what must not be believed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.sasl import (
    SCRAM_MECHANISMS,
    Channel,
    Credentials,
    Question,
    Scram,
    ScramKeys,
    ScramServer,
    Unproven,
)
from tests.sasl.exchanges import EXPORTED, PASSWORD, USER, converse, keys, nobody

scramp: Any = pytest.importorskip("scramp.core")

# RFC 5802 s5, RFC 7677 s3: the same user, "user" with the password "pencil"
EXAMPLES = {
    "SCRAM-SHA-1": (
        "fyko+d2lbbFgONRv9qkxdawL",
        "3rfcNHYJY1ZVvWVs7j",
        "QSXCR+Q6sek8bf92",
        b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
        b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ),
    "SCRAM-SHA-256": (
        "rOprNGfwEbeRWgbNEkqO",
        "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        "W22ZaJ0SNY7soEsUEjb6gQ==",
        b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
}
EXAMPLE = pytest.mark.parametrize("name", EXAMPLES)


def fix_nonces(monkeypatch: pytest.MonkeyPatch, client: str, server: str) -> None:
    """scramp draws a nonce for the client first, and two for the server, of which the second counts."""
    monkeypatch.setattr(scramp.Nonce, "create", classmethod(lambda cls: cls(client)))
    make = scramp.ScramMechanism.make_server
    monkeypatch.setattr(scramp.ScramMechanism, "make_server", lambda self, keys_of: make(self, keys_of, s_nonce=server))


@EXAMPLE
def test_the_example_of_the_rfc(name, monkeypatch):
    cnonce, snonce, salt, *messages = EXAMPLES[name]
    fix_nonces(monkeypatch, cnonce, snonce)
    stored = ScramKeys.derive("pencil", name, salt=base64.b64decode(salt))
    client = Scram("user", "pencil", name)
    result, said = converse(client, ScramServer(name), lambda question: stored)
    assert said == [*messages, b""]
    assert result == Credentials(name, "user", proven=True)
    assert client.proven


def begun(name: str = "SCRAM-SHA-256", password: str = "pencil", **options: Any) -> tuple[Scram, bytes]:
    """A client that has said its first message, and its nonce."""
    client = Scram("user", password, name, **options)
    return client, client.step(None).rpartition(b"r=")[2]


SALT = b"W22ZaJ0SNY7soEsUEjb6gQ=="


@pytest.mark.parametrize(
    "challenge",
    [
        pytest.param(b"r=%(nonce)b,s=%(salt)b,i=4096", id="AU-13-nonce-is-ours"),
        pytest.param(b"r=x%(nonce)bx,s=%(salt)b,i=4096", id="AU-13-nonce-not-prefixed"),
        pytest.param(b"r=xxxxxxxx,s=%(salt)b,i=4096", id="AU-13-nonce-another"),
        pytest.param(b"r=,s=%(salt)b,i=4096", id="AU-13-nonce-empty"),
        pytest.param(b"r=%(nonce)bx\x01,s=%(salt)b,i=4096", id="AU-13-nonce-control"),
        pytest.param(b"r=%(nonce)b x,s=%(salt)b,i=4096", id="AU-13-nonce-space"),
        pytest.param(b"r=%(nonce)b\xc3\xa9,s=%(salt)b,i=4096", id="AU-13-nonce-beyond-ascii"),
        pytest.param(b"m=x,r=%(nonce)bx,s=%(salt)b,i=4096", id="AU-13-mandatory-extension"),
        pytest.param(b"r=%(nonce)bx,s=%(salt)b,i=4096,m=x", id="AU-13-mandatory-extension-last"),
        pytest.param(b"s=%(salt)b,r=%(nonce)bx,i=4096", id="AU-13-order"),
        pytest.param(b"r=%(nonce)bx,i=4096,s=%(salt)b", id="AU-13-order-2"),
        pytest.param(b"r=%(nonce)bx,s=%(salt)b", id="AU-13-no-iterations"),
        pytest.param(b"r=%(nonce)bx,i=4096", id="AU-14-no-salt"),
        pytest.param(b"r=%(nonce)bx,s=,i=4096", id="AU-14-empty-salt"),
        pytest.param(b"r=%(nonce)bx,s=!!!!,i=4096", id="AU-13-salt-not-base64"),
        pytest.param(b"r=%(nonce)bx,s=%(salt)b,i=4095", id="iterations-4095"),
        pytest.param(b"r=%(nonce)bx,s=%(salt)b,i=600001", id="iterations-600001"),
        pytest.param(b"r=%(nonce)bx,s=%(salt)b,i=99999999999999999999", id="iterations-huge"),
        pytest.param(b"r=%(nonce)bx,s=%(salt)b,i=04096", id="iterations-zero-first"),
        pytest.param(b"r=%(nonce)bx,s=%(salt)b,i=+4096", id="iterations-plus"),
        pytest.param("r=%(nonce)bx,s=%(salt)b,i=٤٠٩٦".encode(), id="iterations-other-digits"),
        pytest.param(b"e=other-error", id="AU-13-error"),
        pytest.param(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", id="AU-13-signature-at-once"),
        pytest.param(b"r=%(nonce)bx,s=%(salt)b,i=4096\xff", id="not-utf8"),
        pytest.param(b"", id="empty"),
    ],
)
def test_a_first_message_that_the_client_does_not_answer(challenge, monkeypatch):
    client, nonce = begun()
    # bytes.__mod__ knows no digits beyond ASCII, and leaves them alone
    with pytest.raises(ParseError) as caught:
        client.step(challenge % {b"nonce": nonce, b"salt": SALT} if challenge else challenge)
    assert caught.value.text == ""
    assert not client.proven


@pytest.mark.parametrize("iterations", [4096, 600_000])
def test_as_many_iterations_as_are_allowed(iterations):
    client, nonce = begun()
    assert client.step(b"r=%bx,s=%b,i=%d" % (nonce, SALT, iterations)).startswith(b"c=biws,r=")


def test_fewer_iterations_may_be_allowed():
    client, nonce = begun(max_iterations=5000)
    with pytest.raises(ParseError, match="5000"):
        client.step(b"r=%bx,s=%b,i=5001" % (nonce, SALT))


@pytest.mark.parametrize(
    "final",
    [
        pytest.param(b"", id="AU-13-missing"),
        pytest.param(b"v=", id="AU-13-empty"),
        pytest.param(b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", id="AU-13-incorrect"),
        pytest.param(b"v=rmF9", id="AU-13-short"),
        pytest.param(b"e=invalid-proof", id="AU-13-error"),
        pytest.param(b"e=whatever", id="AU-13-unknown-error"),
        pytest.param(b"m=x,v=AAAA", id="AU-13-mandatory-extension"),
        pytest.param(b"\xff", id="not-utf8"),
    ],
)
def test_a_server_that_does_not_know_the_password_is_not_believed(final):
    client, nonce = begun()
    client.step(b"r=%bx,s=%b,i=4096" % (nonce, SALT))
    with pytest.raises(ParseError):
        client.step(final)
    assert not client.proven
    with pytest.raises(ParseError):
        client.step(b"v=again")


def test_the_client_begins():
    client = Scram("user", "pencil")
    with pytest.raises(ParseError):
        client.step(b"who are you?")
    # Asked for by an empty challenge, as where the message was too long to go with AUTH.
    assert Scram("user", "pencil").step(b"").startswith(b"n,,n=user,r=")


# --- the server's half, against an oracle that is not scramp -----------------------------------------


class Oracle:
    """A client written from RFC 5802 s3 alone, with every part of it in the test's hand."""

    def __init__(
        self, name: str = "SCRAM-SHA-256", password: str = "pencil", header: bytes = b"n,,", bare: bytes = b""
    ):
        self.hash = "sha1" if "SHA-1" in name.removesuffix("-PLUS")[-5:] else "sha256"
        self.password = password.encode()
        self.header = header
        self.bare = bare or b"n=user,r=abcdef"

    @property
    def first(self) -> bytes:
        return self.header + self.bare

    def final(self, server_first: bytes, *, binding: bytes = b"", nonce: bytes | None = None, c: bytes | None = None):
        fields = dict(part.split(b"=", 1) for part in server_first.split(b","))
        salted = hashlib.pbkdf2_hmac(self.hash, self.password, base64.b64decode(fields[b"s"]), int(fields[b"i"]))
        client_key = hmac.digest(salted, b"Client Key", self.hash)
        stored = hashlib.new(self.hash, client_key).digest()
        c = base64.b64encode(self.header + binding) if c is None else c
        bare = b"c=%b,r=%b" % (c, fields[b"r"] if nonce is None else nonce)
        message = b",".join((self.bare, server_first, bare))
        signature = hmac.digest(stored, message, self.hash)
        proof = bytes(one ^ other for one, other in zip(client_key, signature, strict=True))
        self.expected = b"v=" + base64.b64encode(
            hmac.digest(hmac.digest(salted, b"Server Key", self.hash), message, self.hash)
        )
        return bare + b",p=" + base64.b64encode(proof)


def welcomed(oracle: Oracle, server: ScramServer, stored: Any = "derive") -> bytes:
    """The server's first message."""
    question = server.step(oracle.first)
    assert isinstance(question, Question), question
    if stored == "derive":
        stored = ScramKeys.derive("pencil", question.arguments[1])
    return server.answer(stored)


@EXAMPLE
def test_the_server_agrees_with_the_oracle(name):
    oracle, server = Oracle(name), ScramServer(name)
    first = welcomed(oracle, server)
    assert server.step(oracle.final(first)) == oracle.expected
    assert server.step(b"") == Credentials(name, "user", proven=True)


@EXAMPLE
@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20),
)
def test_the_client_agrees_with_the_oracle(name, user, password):
    client = Scram(user, password, name)
    first = client.step(None)
    header, bare = first[:3], first[3:]
    assert header == b"n,,"
    assert bare.rpartition(b",r=")[0] == b"n=" + user.replace("=", "=3D").replace(",", "=2C").encode()
    oracle = Oracle(name, password, bare=bare)
    nonce = bare.rpartition(b",r=")[2]
    server_first = b"r=%bserver,s=%b,i=4096" % (nonce, SALT)
    assert client.step(server_first) == oracle.final(server_first)
    assert client.step(oracle.expected) == b""
    assert client.proven


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"n=user,r=abc", id="no-header"),
        pytest.param(b"n,n=user,r=abc", id="half-a-header"),
        pytest.param(b"x,,n=user,r=abc", id="unknown-flag"),
        pytest.param(b"p,,n=user,r=abc", id="binding-without-type"),
        pytest.param(b"p=,,n=user,r=abc", id="binding-with-empty-type"),
        pytest.param(b"n,a=,n=user,r=abc", id="empty-authzid"),
        pytest.param(b"n,user,n=user,r=abc", id="authzid-without-a"),
        pytest.param(b"n,a=x=y,n=user,r=abc", id="authzid-with-equals"),
        pytest.param(b"n,a=x\x01,n=user,r=abc", id="AU-10-authzid-control"),
        pytest.param(b"n,,n=us\x00er,r=abc", id="nul"),
        pytest.param(b"n,,n=us\ner,r=abc", id="AU-10-control"),
        pytest.param(b"n,,n=us=er,r=abc", id="name-with-equals"),
        pytest.param(b"n,,n=,r=abc", id="no-name"),
        pytest.param(b"n,,n=user,r=", id="no-nonce"),
        pytest.param(b"n,,n=user", id="nonce-missing"),
        pytest.param(b"n,,r=abc,n=user", id="order"),
        pytest.param(b"n,,m=x,n=user,r=abc", id="AU-13-mandatory-extension"),
        pytest.param(b"n,,n=user,r=a\x7fc", id="nonce-control"),
        pytest.param(b"n,,n=\xff,r=abc", id="not-utf8"),
        pytest.param(b"n,,n=" + b"u" * 256 + b",r=abc", id="AU-09-256"),
    ],
)
@EXAMPLE
def test_a_first_message_that_the_server_does_not_take(first, name):
    with pytest.raises(ParseError) as caught:
        ScramServer(name).step(first)
    assert caught.value.text == ""


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"nonce": b"abcdef"}, id="AU-14-nonce-of-the-client-alone"),
        pytest.param({"nonce": b"another"}, id="AU-14-another-nonce"),
        pytest.param({"c": base64.b64encode(b"y,,")}, id="AU-14-another-flag"),
        pytest.param({"c": base64.b64encode(b"n,a=admin,")}, id="AU-14-another-authzid"),
        pytest.param({"c": base64.b64encode(b"p=tls-exporter,,x")}, id="AU-14-a-binding-from-nowhere"),
        pytest.param({"c": b"!!!!"}, id="AU-14-not-base64"),
        pytest.param({"c": b"biw"}, id="AU-14-cut"),
    ],
)
@EXAMPLE
def test_a_final_message_that_proves_nothing(wrong, name):
    oracle, server = Oracle(name), ScramServer(name)
    first = welcomed(oracle, server)
    assert isinstance(server.step(oracle.final(first, **wrong)), Unproven)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda final: final[:-6] + b"AAAAA=", id="wrong-proof"),
        pytest.param(lambda final: final.rpartition(b",p=")[0] + b",p=AAAA", id="short-proof"),
        pytest.param(lambda final: final.rpartition(b",p=")[0], id="no-proof"),
        pytest.param(lambda final: b"m=x," + final, id="mandatory-extension"),
        pytest.param(lambda final: final + b",m=x", id="mandatory-extension-behind"),
        pytest.param(lambda final: b"", id="nothing"),
        pytest.param(lambda final: b"\xff" + final, id="not-utf8"),
    ],
)
def test_a_final_message_that_is_none(spoil):
    oracle, server = Oracle(), ScramServer()
    first = welcomed(oracle, server)
    assert isinstance(server.step(spoil(oracle.final(first))), Unproven)


def test_a_wrong_password():
    result, _ = converse(Scram(USER, "wrong"), ScramServer(), keys())
    assert isinstance(result, Unproven)


def test_the_last_response_is_empty():
    oracle, server = Oracle(), ScramServer()
    server.step(oracle.final(welcomed(oracle, server)))
    with pytest.raises(ParseError):
        server.step(b"x")


# --- unknown users --------------------------------------------------------------------------------


def salt_of(message: bytes) -> tuple[bytes, bytes]:
    fields = message.split(b",")
    return fields[1], fields[2]


@EXAMPLE
def test_an_unknown_user_is_asked_like_any_other(name):
    """AU-15: the same steps, of the same lengths, and the same salt at every try."""
    seen = []
    for _ in range(2):
        oracle, server = Oracle(name), ScramServer(name)
        first = welcomed(oracle, server, None)
        assert isinstance(server.step(oracle.final(first)), Unproven)
        seen.append(salt_of(first))
    assert seen[0] == seen[1]
    other = Oracle(name, bare=b"n=other,r=abcdef")
    assert salt_of(welcomed(other, ScramServer(name), None)) != seen[0]
    known = salt_of(welcomed(Oracle(name), ScramServer(name)))
    assert [len(part) for part in known] == [len(part) for part in seen[0]]


def test_a_seed_makes_the_salts_of_several_processes_the_same():
    one, two, three = (
        salt_of(welcomed(Oracle(), ScramServer(seed=seed, iterations=5000), None)) for seed in (b"x", b"x", b"y")
    )
    assert one == two != three
    assert one[1] == b"i=5000"


@pytest.mark.parametrize("answer", [True, "keys", b"", (), 4711])
def test_keys_that_are_none(answer):
    server = ScramServer()
    server.step(b"n,,n=user,r=abc")
    with pytest.raises(TypeError):
        server.answer(answer)


def test_keys_of_the_other_hash():
    server = ScramServer("SCRAM-SHA-1")
    server.step(b"n,,n=user,r=abc")
    with pytest.raises(ValueError, match="SCRAM-SHA-1"):
        server.answer(ScramKeys.derive("pencil", "SCRAM-SHA-256"))


@pytest.mark.parametrize("name", ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"])
def test_nonces_come_from_the_secrets_module(name, monkeypatch):
    """AU-16"""
    drawn = []

    def token_hex(count: int = 32) -> str:
        drawn.append(count)
        return "0" * (2 * count)

    monkeypatch.setattr(scramp, "token_hex", token_hex)
    channel = Channel(bindings={"tls-exporter": EXPORTED})
    result, _ = converse(Scram(USER, PASSWORD, name), ScramServer(name), keys(), channel=channel, offered=(name,))
    assert isinstance(result, Credentials)
    assert drawn
    assert min(drawn) >= 18


# --- names and passwords --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "password", "as_it_is"),
    [
        ("us,er=", "pen,cil=", "us,er="),
        ("I\u00adX", "pencil", "IX"),  # RFC 4013 s3
        ("user", "p\u2168ncil", "user"),
        ("\u00aa", "pencil", "a"),
        ("übung", "pässwörd", "übung"),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("authzid", ["", "ad,min=", "ädmin"], ids=ascii)
def test_names_are_prepared_and_escaped(user, password, as_it_is, authzid):
    result, _ = converse(Scram(user, password, authzid=authzid), ScramServer(), keys(password, as_it_is))
    assert result == Credentials("SCRAM-SHA-256", as_it_is, b"", authzid, proven=True)


@pytest.mark.parametrize(
    ("user", "password"), [("us\x07er", "x"), ("user", "x\x07"), ("user", "\u0627\u0031")], ids=ascii
)
def test_what_saslprep_does_not_allow(user, password):
    """RFC 4013 s2.3, s2.4: it does not suit, and a client goes on to a mechanism that has no such rule."""
    client = Scram(user, password)
    assert not client.suits(None)
    with pytest.raises(ParseError):
        client.step(None)


@pytest.mark.parametrize(
    "arguments", [("", "x"), ("u", ""), ("u\0", "x"), ("u", "x\ud800"), ("u", "x", "SCRAM-SHA-256", "\0")], ids=ascii
)
def test_what_cannot_be_said(arguments):
    with pytest.raises(ParseError):
        Scram(*arguments)


@pytest.mark.parametrize("name", ["SCRAM-SHA-512", "scram-sha-256", "PLAIN", ""])
def test_names_of_mechanisms(name):
    for make in (lambda: Scram("u", "p", name), lambda: ScramServer(name)):
        with pytest.raises(ValueError, match="SCRAM-SHA-256-PLUS"):
            make()


@pytest.mark.parametrize("password", ["", "x\x07"], ids=ascii)
def test_a_password_without_keys(password):
    with pytest.raises(ParseError):
        ScramKeys.derive(password)


@pytest.mark.parametrize(
    "arguments",
    [
        (b"x" * 11, 4096, b"k" * 32, b"k" * 32),
        (b"x" * 12, 4095, b"k" * 32, b"k" * 32),
        (b"x" * 12, 600_001, b"k" * 32, b"k" * 32),
        (b"x" * 12, 4096, b"k" * 31, b"k" * 31),
        (b"x" * 12, 4096, b"k" * 32, b"k" * 20),
    ],
    ids=["salt", "few-iterations", "many-iterations", "length", "lengths"],
)
def test_keys_that_cannot_be(arguments):
    with pytest.raises(ValueError):
        ScramKeys(*arguments)


def test_keys_are_derived_within_the_same_bounds():
    for options in ({"iterations": 4095}, {"iterations": 600_001}, {"salt": b"x" * 11}, {"mechanism": "SCRAM-SHA-512"}):
        with pytest.raises(ValueError):
            ScramKeys.derive("pencil", **options)
    one, two = ScramKeys.derive("pencil"), ScramKeys.derive("pencil")
    assert one.salt != two.salt
    assert ScramKeys.derive("pencil", salt=one.salt) == one
    assert ScramKeys.derive("pencil", "SCRAM-SHA-256-PLUS", salt=one.salt) == one


def test_without_scramp(monkeypatch):
    from smtpcore.sasl import scram_keys, with_password

    monkeypatch.setattr(scram_keys, "scramp_is_there", lambda: False)
    with pytest.raises(ModuleNotFoundError, match=r"smtpcore\[scram\]"):
        Scram("user", "pencil").step(None)
    with pytest.raises(ModuleNotFoundError):
        ScramKeys.derive("pencil")
    assert with_password("u", "p")


# --- whatever comes -------------------------------------------------------------------------------

pieces = st.lists(
    st.sampled_from(
        [
            b"n",
            b"y",
            b"p=",
            b"tls-exporter",
            b",",
            b"a=",
            b"n=",
            b"r=",
            b"user",
            b"abc",
            b"m=x",
            b"=2C",
            b"=",
            b"\xff",
            b"\0",
            b"c=",
            b"biws",
            b"s=",
            b"i=",
            b"4096",
            b"v=",
            b"e=",
            b"other-error",
            b"\xc3\xa9",
            b"\n",
            SALT,
            b"p=AAAA",
        ]
    ),
    max_size=14,
).map(b"".join)


@given(st.lists(st.one_of(pieces, st.binary(max_size=30)), min_size=1, max_size=4), st.sampled_from(SCRAM_MECHANISMS))
def test_the_server_raises_nothing_but_parse_errors(messages, name):
    """I9"""
    server = ScramServer(name)
    server.bind(Channel(bindings={"tls-exporter": EXPORTED}), (name,))
    try:
        for message in messages:
            result: Any = server.step(message)
            if isinstance(result, Question):
                result = server.answer(nobody(result))
            if not isinstance(result, bytes):
                assert isinstance(result, Unproven), "nobody has proved anything"
                return
    except ParseError:
        pass


@given(st.lists(st.one_of(pieces, st.binary(max_size=30)), min_size=1, max_size=4), st.booleans())
def test_the_client_raises_nothing_but_parse_errors(messages, with_nonce):
    """I9"""
    client, nonce = begun()
    try:
        for message in messages:
            client.step((b"r=" + nonce if with_nonce else b"") + message)
    except ParseError:
        pass
    assert not client.proven


@pytest.mark.parametrize("name", SCRAM_MECHANISMS[2:])
def test_proofs_and_signatures_are_compared_as_octets_in_constant_time(name, monkeypatch):
    """AU-12: what ``c=`` says, the proof, and the server's signature."""
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((type(one), type(other)))
        return one == other

    monkeypatch.setattr(scramp, "compare_digest", compare)
    result, _ = converse(Scram(USER, PASSWORD, name), ScramServer(name), keys())
    assert isinstance(result, Credentials)
    assert compared == [(bytes, bytes)] * 3


def test_an_unknown_user_proves_nothing_whatever_it_says(monkeypatch):
    """AU-15: even if the keys that were made up could be met."""
    monkeypatch.setattr(ScramServer, "_invent", lambda self: ScramKeys.derive("pencil"))
    oracle, server = Oracle(), ScramServer()
    first = welcomed(oracle, server, None)
    assert isinstance(server.step(oracle.final(first)), Unproven)
