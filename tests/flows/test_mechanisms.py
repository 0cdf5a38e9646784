"""Every mechanism through both scripts: what is chosen, what is asked of the handler, who is believed."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import pytest

from smtpcore import ClientConnection, ParseError, Reply, ServerConnection, State
from smtpcore.extensions import Auth, AuthResponse
from smtpcore.extensions.auth import AUTH_LINE_LIMIT
from smtpcore.flows.authentication import MOST_ROUNDS
from smtpcore.flows.client import MOST_ROUNDS as MOST_ANSWERS
from smtpcore.flows.client import authenticate, open_session
from smtpcore.flows.effect import Close, Handshake, Read, Write
from smtpcore.flows.error import NoMechanism, NotProven, Refused
from smtpcore.sasl import (
    SCRAM_MECHANISMS,
    SERVER_MECHANISMS,
    STRENGTH,
    Channel,
    CramMd5Server,
    Credentials,
    External,
    ExternalServer,
    Question,
    Scram,
    ScramKeys,
    TokenRefused,
    Unproven,
    with_password,
    with_token,
)
from tests.flows.driving import play
from tests.flows.serving import EHLO, MAIL, NOOP, WAYS, Hall, codes
from tests.sasl.exchanges import EXPORTED, PASSWORD, TOKEN
from tests.sasl.exposure import assert_hidden, forms, views

pytest.importorskip("scramp")

EVERY_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
CHANNEL = Channel(bindings={"tls-exporter": EXPORTED}, own_certificate=b"\x30", identity="alice")
ALL: dict[str, Any] = {**SERVER_MECHANISMS, "EXTERNAL": ExternalServer, "CRAM-MD5": CramMd5Server}


class Keeper:
    """A handler that knows alice, by her password, her keys and her token; each answer may be replaced."""

    def __init__(self, way: Any = WAYS["plain"], **answers: Any) -> None:
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        for name in ("authenticate", "scram_keys", "verify_token"):
            setattr(self, name, way(self._method(name, answers.get(name, getattr(self, f"_{name}")))))

    def _method(self, name: str, answer: Any) -> Any:
        def method(session: Any, *args: Any) -> Any:
            self.asked.append((name, args))
            if isinstance(answer, BaseException):
                raise answer
            return answer(*args) if callable(answer) else answer

        return method

    def _authenticate(self, claim: Credentials) -> bool:
        if claim.authcid != "alice" or claim.authzid not in ("", "alice"):
            return False
        return claim.proven or claim.verify(PASSWORD)

    def _scram_keys(self, username: str, mechanism: str) -> ScramKeys | None:
        return ScramKeys.derive(PASSWORD, mechanism) if username == "alice" else None

    def _verify_token(self, token: Any) -> Any:
        return "alice" if token.token.reveal() == TOKEN.encode() else TokenRefused("invalid_token", "mail")


class Session:
    """A client's script and a server's, with all that goes between them."""

    def __init__(
        self,
        handler: object,
        mechanisms: Sequence[Any],
        offered: Sequence[str] = tuple(ALL),
        *,
        clients: Channel | None = CHANNEL,
        servers: Channel | None = CHANNEL,
        tls: bool = True,
    ) -> None:
        chosen = {name: ALL[name] for name in offered}
        self.hall = Hall(
            handler,
            tls="implicit" if tls else "none",
            allow_plaintext_auth=not tls,
            mechanisms=chosen,
            certificate=b"\x30",
        )
        self.hall.session.channel = servers
        self.machine = ClientConnection(allow_plaintext_auth=not tls)
        self.machine.tls = tls
        self.lines: list[bytes] = []
        self.error: BaseException | None = None
        said = self.hall.said().encode()
        flow = open_session(self.machine, "crepes.fr", "implicit" if tls else "none", mechanisms)
        value: Any = None
        try:
            while True:
                effect = flow.send(value)
                value = None
                if isinstance(effect, Handshake):
                    value = clients
                elif isinstance(effect, Write):
                    self.lines.append(effect.data)
                    if not self.hall.ended:
                        said += self.hall.say(effect.data).encode()
                elif isinstance(effect, Read):
                    value, said = said, b""
                elif isinstance(effect, Close):
                    pass
        except StopIteration:
            pass
        except Exception as error:
            self.error = error

    @property
    def mechanism(self) -> str:
        return next(line.split()[1].decode() for line in self.lines if line.startswith(b"AUTH "))

    @property
    def believed(self) -> bool:
        assert self.machine.authenticated == (self.error is None)
        return self.hall.session.authenticated


def clients() -> list[Any]:
    found = [*with_password("alice", PASSWORD), *with_token("alice", TOKEN), External()]
    return sorted(found, key=lambda each: STRENGTH.index(each.name))


def client_of(name: str) -> Any:
    return next(each for each in clients() if each.name == name)


@EVERY_WAY
@pytest.mark.parametrize("name", STRENGTH)
def test_good_credentials(name, way):
    handler = Keeper(way)
    session = Session(handler, [client_of(name)])
    assert session.error is None
    assert session.mechanism == name
    assert session.believed
    assert session.hall.session.identity == "alice"
    assert session.hall.reported == []
    claim = handler.asked[-1][1][0]
    assert claim.mechanism == name
    assert claim.proven == (name not in ("PLAIN", "LOGIN", "CRAM-MD5"))
    assert codes(session.hall.say(MAIL)) == [250]


@pytest.mark.parametrize("name", STRENGTH)
def test_bad_credentials(name):
    """AU-11: one reply, whatever the mechanism, and the state is that before AUTH."""
    bad = [*with_password("alice", "wrong"), *with_token("alice", "wrong"), External("bob")]
    session = Session(Keeper(), [each for each in bad if each.name == name])
    assert isinstance(session.error, Refused)
    assert str(session.error.reply) == "535 5.7.8 authentication credentials invalid"
    assert not session.believed
    assert session.hall.session.identity is None


@pytest.mark.parametrize("name", ["SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "CRAM-MD5", "PLAIN"])
def test_an_unknown_user(name):
    """AU-15: the same reply, behind the same number of steps."""
    unknown = [each for each in with_password("mallory", PASSWORD) if each.name == name]
    wrong = [each for each in with_password("alice", "wrong") if each.name == name]
    one, two = Session(Keeper(), unknown), Session(Keeper(), wrong)
    assert isinstance(one.error, Refused)
    assert isinstance(two.error, Refused)
    assert one.error.reply == two.error.reply
    assert len(one.lines) == len(two.lines)


@pytest.mark.parametrize("tls", [True, False], ids=["tls", "clear"])
def test_the_strongest_that_both_share(tls):
    """AU-18"""
    left = list(ALL)
    taken = []
    while left:
        session = Session(Keeper(), clients(), left, tls=tls)
        if session.error is not None:
            break
        taken.append(session.mechanism)
        left.remove(session.mechanism)
    if tls:
        assert taken == list(STRENGTH)
    else:  # what speaks of TLS is not offered, and what says the secret comes last
        assert taken == ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN"]
        assert isinstance(session.error, NoMechanism)
        assert b"PLUS" not in session.hall.stage.played.written
        assert left == [name for name in ALL if name.endswith("-PLUS") or name == "EXTERNAL"]


@pytest.mark.parametrize("name", STRENGTH)
def test_no_second_mechanism_behind_a_refusal(name):
    """AU-18: all are offered, all are at hand, one is tried."""
    handler = Keeper(authenticate=False, scram_keys=None, verify_token=None)
    rest = [each for each in clients() if STRENGTH.index(each.name) >= STRENGTH.index(name)]
    session = Session(handler, rest)
    assert isinstance(session.error, Refused)
    assert sum(line.startswith(b"AUTH ") for line in session.lines) == 1
    assert session.mechanism == name
    assert session.lines[-1] == b"QUIT\r\n"


def test_what_speaks_of_tls_is_refused_without_it():
    hall = Hall(Keeper(), allow_plaintext_auth=True, mechanisms=ALL, certificate=b"\x30")
    hall.said()
    assert "AUTH SCRAM-SHA-256 SCRAM-SHA-1 OAUTHBEARER XOAUTH2 PLAIN LOGIN CRAM-MD5\r\n" in hall.say(EHLO)
    for name in ("EXTERNAL", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"):
        assert codes(hall.say(f"AUTH {name}\r\n".encode())) == [504]


def test_nothing_to_offer_without_tls():
    hall = Hall(Keeper(), allow_plaintext_auth=True, mechanisms={"EXTERNAL": ExternalServer})
    hall.said()
    assert "AUTH" not in hall.say(EHLO)
    assert codes(hall.say(b"AUTH EXTERNAL =\r\n")) == [504]


# --- channel binding ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCRAM_MECHANISMS[:2])
def test_somebody_between_the_two(name):
    """AU-14"""
    other = Channel(bindings={"tls-exporter": b"another connection"})
    session = Session(Keeper(), [client_of(name)], clients=other)
    assert isinstance(session.error, Refused)
    assert not session.believed


def test_an_offer_that_somebody_has_cut_down():
    """AU-14: the client sees no -PLUS, says so, and the server knows better."""
    hall = Hall(Keeper(), tls="implicit", certificate=b"\x30")
    hall.session.channel = CHANNEL
    hall.ready()
    client = Scram("alice", PASSWORD)
    client.bind(CHANNEL, ("SCRAM-SHA-256", "PLAIN"))
    first = client.step(None)
    assert first.startswith(b"y,,")
    assert codes(hall.say(b"AUTH SCRAM-SHA-256 " + base64.b64encode(first) + b"\r\n")) == [535]


def test_a_client_that_cannot_bind_takes_the_next():
    session = Session(Keeper(), clients(), clients=None)
    assert session.error is None
    assert session.mechanism == "SCRAM-SHA-256"


# --- the server has to prove it too ---------------------------------------------------------------


def impostor(*turns: bytes, name: str = "SCRAM-SHA-256") -> tuple[Any, ClientConnection]:
    machine = ClientConnection(allow_plaintext_auth=True)
    flow = open_session(machine, "crepes.fr", "none", [Scram("alice", PASSWORD, name)])
    return play(flow, b"220 hi\r\n", f"250-h\r\n250 AUTH {name}\r\n".encode(), *turns), machine


def test_success_without_proof_is_none():
    """AU-13: 235 before the server has shown that it knows the password, and no mail for it."""
    played, machine = impostor(b"235 welcome\r\n")
    assert isinstance(played.error, NotProven)
    assert machine.state is State.CLOSED
    assert b"QUIT" not in played.written
    assert played.closed


@pytest.mark.parametrize("final", ["v=AAAA", "v=", "e=invalid-proof", "x", ""])
def test_a_proof_that_is_none(final):
    """AU-13: the client gives up."""

    class Reader:
        nonce = b""

    machine = ClientConnection(allow_plaintext_auth=True)
    play(open_session(machine, "c", "none"), b"220 hi\r\n", b"250-h\r\n250 AUTH SCRAM-SHA-256\r\n").value()
    flow = authenticate(machine, [Scram("alice", PASSWORD)])
    effect: Any = flow.send(None)
    assert isinstance(effect, Write)
    nonce = base64.b64decode(effect.data.split()[2]).rpartition(b"r=")[2]
    assert isinstance(flow.send(None), Read)
    challenge = base64.b64encode(b"r=%bx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096" % nonce)
    assert isinstance(flow.send(b"334 " + challenge + b"\r\n"), Write)
    assert isinstance(flow.send(None), Read)
    effect = flow.send(b"334 " + base64.b64encode(final.encode()) + b"\r\n")
    assert effect.data == b"*\r\n"
    assert isinstance(flow.send(None), Read)
    with pytest.raises(Refused):
        flow.send(b"501 cancelled\r\n")
    assert not machine.authenticated


def test_success_in_place_of_the_cancelled_is_no_success():
    played, machine = impostor(
        b"334 " + base64.b64encode(b"r=x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096") + b"\r\n", b"235 ok\r\n", b"221 bye\r\n"
    )
    assert isinstance(played.error, Refused)
    assert not machine.authenticated


# --- OAuth ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "dummy"), [("XOAUTH2", b"\r\n"), ("OAUTHBEARER", b"AQ==\r\n")])
def test_the_error_step(name, dummy):
    """RFC 7628 s3.2.3: a JSON error in a challenge, an answer that says nothing, and then the refusal."""
    client: Any = next(each for each in with_token("alice", "wrong") if each.name == name)
    session = Session(Keeper(), [client])
    assert isinstance(session.error, Refused)
    assert session.error.reply.code == 535
    assert session.lines[2:] == [dummy, b"QUIT\r\n"]
    assert client.error == '{"status": "invalid_token", "scope": "mail"}'
    assert_hidden(views(session.error), forms(b"Bearer wrong"))


@pytest.mark.parametrize("name", ["XOAUTH2", "OAUTHBEARER"])
def test_a_long_token_waits_for_the_question(name):
    """RFC 4954 s4: no initial response that makes the command too long."""
    token = "t" * 3000
    client = next(each for each in with_token("alice", token) if each.name == name)
    session = Session(Keeper(verify_token="alice"), [client])
    assert session.believed
    assert session.lines[1] == f"AUTH {name}\r\n".encode()
    assert len(session.lines[2]) > 4000


# --- questions ------------------------------------------------------------------------------------


@EVERY_WAY
@pytest.mark.parametrize(("method", "name"), [("scram_keys", "SCRAM-SHA-256"), ("verify_token", "OAUTHBEARER")])
@pytest.mark.parametrize("error", [RuntimeError("boom"), OSError("away")], ids=repr)
def test_a_handler_that_cannot_tell(method, name, error, way):
    """AU-11: 454"""
    handler = Keeper(way, **{method: error})
    session = Session(handler, [client_of(name)])
    assert isinstance(session.error, Refused)
    assert session.error.reply.code == 454
    assert session.hall.reported == [error]
    assert not session.believed


@pytest.mark.parametrize(("method", "name"), [("scram_keys", "SCRAM-SHA-256"), ("verify_token", "OAUTHBEARER")])
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Reply(454, "not now", "4.7.0"), 454),
        (Reply(432, "change your password", "4.7.12"), 432),
        (Reply(534, "too weak", "5.7.9"), 534),
        (Reply(235, "come in"), 454),
        (Reply(334, "eA=="), 454),
        (4711, 454),
        (True, 454),
        (b"alice", 454),
    ],
    ids=repr,
)
def test_answers_to_questions(method, name, answer, code):
    """AU-11; what is no answer lets nobody in."""
    session = Session(Keeper(**{method: answer}), [client_of(name)])
    assert isinstance(session.error, Refused)
    assert session.error.reply.code == code
    assert len(session.hall.reported) == (code == 454 and not (isinstance(answer, Reply) and answer.code == 454))
    assert not session.believed


class KeysAlone:
    """A handler without ``authenticate``."""

    def scram_keys(self, session: Any, username: str, mechanism: str) -> ScramKeys:
        return ScramKeys.derive(PASSWORD, mechanism)

    def verify_token(self, session: Any, token: Any) -> str:
        return "alice"


@pytest.mark.parametrize(("authzid", "believed"), [("", True), ("alice", True), ("bob", False)])
def test_what_is_proven_is_believed_where_nobody_says_otherwise(authzid, believed):
    """RFC 4422 s3.4.1: to be somebody else takes a permission."""
    session = Session(KeysAlone(), [Scram("alice", PASSWORD, authzid=authzid)], ("SCRAM-SHA-256",))
    assert session.believed == believed
    session = Session(KeysAlone(), with_token(authzid or "alice", TOKEN), ("XOAUTH2",))
    assert session.believed == believed
    session = Session(object(), [External(authzid)], ("EXTERNAL",))
    assert session.believed == believed


def test_nobody_without_a_certificate():
    session = Session(object(), [External("alice")], ("EXTERNAL",), servers=Channel())
    assert isinstance(session.error, Refused)
    assert session.error.reply.code == 535


# --- a mechanism of one's own ---------------------------------------------------------------------


class Riddle:
    """Both halves: the server asks the application for a riddle, and the client knows the answer."""

    name: str = "X-RIDDLE"
    client_first: bool = False
    needs: tuple[str, ...] = ("riddle",)

    def __init__(self, answer: bytes = b"") -> None:
        self._answer = answer
        self.bound: Any = None

    def bind(self, channel: Channel | None, offered: Sequence[str]) -> None:
        self.bound = channel, tuple(offered)

    def step(self, given: bytes | None) -> Any:
        if self._answer:
            return self._answer
        if given is None:
            return Question("riddle", "hard")
        return Credentials(self.name, "alice", proven=True) if given == b"an egg" else Unproven("wrong")

    def answer(self, riddle: str) -> bytes:
        return riddle.encode()


class Riddler:
    def riddle(self, session: Any, kind: str) -> str:
        return f"a {kind} one"


@pytest.mark.parametrize(("answer", "believed"), [(b"an egg", True), (b"a stone", False)])
def test_a_mechanism_of_ones_own(answer, believed, monkeypatch):
    monkeypatch.setitem(ALL, "X-RIDDLE", Riddle)
    client = Riddle(answer)
    session = Session(Riddler(), [client], ("X-RIDDLE",))
    assert session.believed == believed
    assert client.bound == (CHANNEL, ("X-RIDDLE",))
    assert session.lines[1:3] == [b"AUTH X-RIDDLE\r\n", base64.b64encode(answer) + b"\r\n"]
    assert session.hall.session.identity == ("alice" if believed else None)


def test_one_that_asks_for_ever_has_an_end():
    """RES-13, on the server's side."""

    class Endless:
        name: str = "X-ENDLESS"
        needs: tuple[str, ...] = ()

        def step(self, response: bytes | None) -> bytes:
            return b"more"

    hall = Hall(object(), allow_plaintext_auth=True, mechanisms={"X-ENDLESS": Endless}).ready()
    said = hall.say(b"AUTH X-ENDLESS\r\n", *[b"eA==\r\n"] * MOST_ROUNDS)
    assert codes(said) == [334] * MOST_ROUNDS + [501]
    assert codes(hall.say(b"AUTH X-ENDLESS\r\n", b"*\r\n", NOOP)) == [334, 501, 250]


def test_one_that_answers_for_ever_has_an_end():
    """RES-13, on the client's side."""

    class Endless:
        name: str = "X-ENDLESS"
        client_first: bool = False

        def step(self, challenge: bytes | None) -> bytes:
            return b"more"

    machine = ClientConnection(allow_plaintext_auth=True)
    play(open_session(machine, "c", "none"), b"220 hi\r\n", b"250-h\r\n250 AUTH X-ENDLESS\r\n").value()
    played = play(authenticate(machine, [Endless()]), *[b"334 eA==\r\n"] * MOST_ANSWERS, b"501 cancelled\r\n")
    assert isinstance(played.error, Refused)
    assert played.writes[-1] == b"*\r\n"
    assert len(played.writes) == MOST_ANSWERS + 1


# --- cancelling, limits, secrets ------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in STRENGTH if name != "EXTERNAL"])
def test_cancelled_by_the_client(name):
    """AU-03: at every step of every mechanism."""
    steps = {"LOGIN": 2, "CRAM-MD5": 1, "PLAIN": 1, "XOAUTH2": 1, "OAUTHBEARER": 1}.get(name, 3)
    for step in range(steps):
        hall = Hall(Keeper(), tls="implicit", mechanisms=ALL, certificate=b"\x30")
        hall.session.channel = CHANNEL
        hall.ready()
        client = client_of(name)
        if hasattr(client, "bind"):
            client.bind(CHANNEL, tuple(ALL))
        said = hall.say(f"AUTH {name}\r\n".encode())
        for _ in range(step):
            said = hall.say(base64.b64encode(client.step(base64.b64decode(said[4:]))) + b"\r\n")
        assert said.startswith("334 ")
        assert hall.say(b"*\r\n") == "501 5.7.0 authentication cancelled\r\n"
        assert hall.machine.state is State.READY
        good = base64.b64encode(f"\0alice\0{PASSWORD}".encode())
        assert codes(hall.say(b"AUTH PLAIN " + good + b"\r\n")) == [235], "and nothing of it stays"


def test_a_response_of_the_length_that_a_line_may_have():
    """RFC 4954 s4: 12,288 octets with CRLF, and not one more, on both sides."""
    most = (AUTH_LINE_LIMIT - 2) // 4 * 3
    assert len(AuthResponse(b"x" * most).encode()) <= AUTH_LINE_LIMIT < len(AuthResponse(b"x" * most).encode()) + 4
    with pytest.raises(ParseError, match="12288"):
        AuthResponse(b"x" * (most + 1))
    longest = (AUTH_LINE_LIMIT - len("AUTH PLAIN \r\n")) // 4 * 3
    assert len(bytes(Auth("PLAIN", b"x" * longest))) <= AUTH_LINE_LIMIT
    with pytest.raises(ParseError, match="12288"):
        Auth("PLAIN", b"x" * (longest + 1))
    for octets, code in ((AUTH_LINE_LIMIT, 501), (AUTH_LINE_LIMIT + 1, 500)):
        hall = Hall(Keeper(), allow_plaintext_auth=True).ready()
        said = hall.say(b"AUTH PLAIN\r\n", b"A" * (octets - 2) + b"\r\n", NOOP)
        assert codes(said) == [334, code, 250]


@pytest.mark.parametrize("name", ["XOAUTH2", "OAUTHBEARER", "PLAIN"])
def test_a_client_gives_up_what_no_line_can_hold(name):
    mechanisms = [*with_token("alice", "t" * 9300), *with_password("alice", "t" * 9300)]
    machine = ClientConnection(allow_plaintext_auth=True)
    play(open_session(machine, "c", "none"), b"220 hi\r\n", f"250-h\r\n250 AUTH {name}\r\n".encode()).value()
    played = play(authenticate(machine, mechanisms), b"334 \r\n", b"501 cancelled\r\n")
    assert isinstance(played.error, Refused)
    assert played.writes == [f"AUTH {name}\r\n".encode(), b"*\r\n"]


@pytest.mark.parametrize("name", STRENGTH)
def test_nothing_of_a_session_shows_a_secret(name):
    """AU-17, I12"""
    session = Session(Keeper(authenticate=RuntimeError("the directory is away")), [client_of(name)])
    assert isinstance(session.error, Refused)
    assert session.error.reply.code == 454
    secrets = forms(PASSWORD.encode(), TOKEN.encode(), EXPORTED)
    machine: ServerConnection = session.hall.machine
    for thing in (
        session.error,
        *session.hall.reported,
        session.hall.session,
        machine,
        machine.session,
        session.hall.control,
    ):
        assert_hidden(views(thing), secrets)


def test_cram_md5_is_not_among_the_usual():
    hall = Hall(Keeper(), allow_plaintext_auth=True)
    hall.said()
    said = hall.say(EHLO)
    assert "AUTH SCRAM-SHA-256 SCRAM-SHA-1 OAUTHBEARER XOAUTH2 PLAIN LOGIN\r\n" in said
    assert codes(hall.say(b"AUTH CRAM-MD5\r\n")) == [504]


@pytest.mark.parametrize("name", ["XOAUTH2", "OAUTHBEARER"])
@pytest.mark.parametrize(
    "echo", ["got {token}", "got {start}", "got {blob}", "token {b64}", "no such user, auth=Bearer {token}"]
)
def test_a_server_that_repeats_the_token_does_not_make_it_show(name, echo):
    """AU-17"""
    client = next(each for each in with_token("alice", TOKEN) if each.name == name)
    message = client_of(name).step(None)
    said = echo.format(
        token=TOKEN,
        start=TOKEN[:12],
        blob=base64.b64encode(message).decode(),
        b64=base64.b64encode(TOKEN.encode()).decode(),
    )
    machine = ClientConnection(allow_plaintext_auth=True)
    play(open_session(machine, "c", "none"), b"220 hi\r\n", f"250-h\r\n250 AUTH {name}\r\n".encode()).value()
    played = play(authenticate(machine, [client]), f"535 {said}\r\n".encode())
    assert isinstance(played.error, Refused)
    shown = str(played.error.reply)
    for secret in (
        TOKEN,
        TOKEN[:12],
        base64.b64encode(message).decode()[:20],
        base64.b64encode(TOKEN.encode()).decode(),
    ):
        assert secret not in shown
    assert shown.startswith(f"535 {said.partition(' ')[0]} ")


def test_a_claim_that_nobody_judges_is_not_believed(monkeypatch):
    """A mechanism of one's own that proves nothing, and a handler that has no say."""

    class Claim:
        name: str = "X-CLAIM"
        needs: tuple[str, ...] = ()

        def step(self, response: bytes | None) -> bytes | Credentials:
            return b"" if response is None else Credentials(self.name, "alice", response)

    hall = Hall(object(), allow_plaintext_auth=True, mechanisms={"X-CLAIM": Claim}).ready()
    assert codes(hall.say(b"AUTH X-CLAIM eA==\r\n")) == [535]
    assert hall.session.identity is None
