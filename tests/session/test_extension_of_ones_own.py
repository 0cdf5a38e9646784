"""An extension that the package has never heard of: keyword, parameters with types, verbs with their rows, checks.

It is written as anybody outside would write it, from public names only.
"""

from __future__ import annotations

from typing import Any, ClassVar, final

import pytest

from smtpcore import (
    Capabilities,
    ClientConnection,
    Command,
    CommandReceived,
    CommandSkipped,
    Data,
    Ehlo,
    LocalProtocolError,
    Mail,
    Noop,
    ParameterType,
    ParseError,
    Quit,
    Rcpt,
    Reply,
    Rset,
    ServerConnection,
    State,
)
from smtpcore import extensions as ext
from smtpcore.extensions import STANDARD, Extension, ExtensionSet
from tests.session.helpers import ALICE, BOB, EHLO, FULL, Pair, answer, run_server, run_server_cut

pytestmark = pytest.mark.law(1)


@final
class Hold(Command):
    """XHOLD minutes: the server is to keep the transaction for a while."""

    __slots__ = ("minutes",)
    __match_args__ = ("minutes",)
    verb: ClassVar[str] = "XHOLD"
    pipelines: ClassVar[bool] = True
    minutes: int

    def __init__(self, minutes: int) -> None:
        super().__init__()
        object.__setattr__(self, "minutes", minutes)

    def arguments(self) -> str:
        return f" {self.minutes}"

    @classmethod
    def parse_arguments(cls, text, vocabulary, tolerance):
        if text is None or not text.isascii() or not text.isdecimal() or len(text) > 4:
            raise ParseError("expected a number of minutes", 0, "XHOLD s1", text or "")
        return cls(int(text))


@final
class Wake(Command):
    """XWAKE: the way back."""

    __slots__ = ()
    verb: ClassVar[str] = "XWAKE"


def read_level(text: str) -> int:
    if text not in {"1", "2", "3", "4", "5"}:
        raise ParseError("expected a level of 1 to 5", 0, "XPRIO s2", text)
    return int(text)


def check_level(session, command):
    wanted = command.parameters.get(XPRIO)
    most = session.capabilities.get(XPRIO)
    if wanted is not None and most is not None and wanted > most:
        return Reply(550, "no message is that important", "5.7.0")
    return None


def check_hold(session, command):
    if not session.authenticated:
        return Reply(530, "who are you", "5.7.0")
    if len(session.recipients) > 2 or session.sender is None:
        return Reply(450, "too much to hold", "4.5.3")
    return None


_LEVEL = ParameterType("XPRIO", read_level, str)
TAG: ParameterType[bool] = ParameterType("XTAG")
XPRIO: Extension[int] = Extension(
    "XPRIO",
    "XPRIO",
    argument=_LEVEL,
    mail_parameters=[_LEVEL],
    rcpt_parameters=[TAG],
    parameter_checks={_LEVEL: check_level},
)
XHOLD: Extension[Any] = Extension(
    "XHOLD",
    "XHOLD",
    verbs=[Hold, Wake],
    transitions={State.RCPT: {Hold: {2: State.GREETED}}, State.GREETED: {Wake: {2: State.READY, 5: State.CLOSED}}},
    checks={Hold: check_hold},
    announced=lambda session: session.tls or session.authenticated,
)
MINE = STANDARD.with_extensions(XPRIO, XHOLD)
OFFERED = Capabilities(*FULL, XPRIO(3), XHOLD)


def pair(**options: Any) -> Pair:
    options.setdefault("extensions", MINE)
    return Pair(
        client=ClientConnection(extensions=MINE, allow_plaintext_auth=True),
        server=ServerConnection("hamburger.edu", OFFERED, allow_plaintext_auth=True, **options),
    )


def test_keyword_is_offered_and_read():
    both = pair()
    both.exchange(Ehlo("crepes.fr"))
    assert both.client.capabilities.get(XPRIO) == 3
    assert XPRIO in both.client.capabilities
    assert XHOLD not in both.client.capabilities, "it is announced behind AUTH only"
    both.exchange(ext.Auth("PLAIN", b"\0alice\0sesame"))
    both.exchange(Ehlo("crepes.fr"))
    assert XHOLD in both.client.capabilities


def test_parameters_have_their_types():
    both = pair()
    both.exchange(Ehlo("crepes.fr"))
    mail, rcpt = Mail(ALICE, XPRIO(2), ext.SIZE(5)), Rcpt(BOB, TAG(True))
    assert bytes(mail) == b"MAIL FROM:<alice@crepes.fr> XPRIO=2 SIZE=5\r\n"
    assert [reply.code for reply in both.exchange(mail, rcpt)] == [250, 250]
    held = both.server.transaction
    assert held.mail.parameters[XPRIO] == 2
    assert TAG in held.rcpts[0].parameters
    with pytest.raises(ParseError):
        XPRIO(6)
    with pytest.raises(ParseError):
        TAG(False)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"MAIL FROM:<a@b> XPRIO=3", 250),
        (b"MAIL FROM:<a@b> xprio=1", 250),
        (b"MAIL FROM:<a@b> XPRIO=4", 550),
        (b"MAIL FROM:<a@b> XPRIO=0", 501),
        (b"MAIL FROM:<a@b> XPRIO", 501),
        (b"MAIL FROM:<a@b> XTAG", 555),
        (b"MAIL FROM:<a@b> XPRIO=1 XPRIO=1", 501),
    ],
    ids=lambda value: value.decode() if isinstance(value, bytes) else None,
)
def test_server_reads_and_checks_parameters(line, code):
    trace = run_server_cut(line + b"\r\nNOOP\r\n", before=EHLO, capabilities=OFFERED, extensions=MINE)
    assert trace.codes == [code, 250]


def test_parameters_are_for_those_who_were_offered_them():
    plain = ServerConnection("hamburger.edu", FULL, extensions=MINE)
    assert run_server([EHLO + b"MAIL FROM:<a@b> XPRIO=1\r\n"], machine=plain).codes == [250, 555]
    stranger = ServerConnection("hamburger.edu", OFFERED)
    assert run_server([EHLO + b"MAIL FROM:<a@b> XPRIO=1\r\nXHOLD 5\r\n"], machine=stranger).codes == [250, 555, 500]
    client = ClientConnection(extensions=MINE)
    client.send(Ehlo("crepes.fr"))
    mail = Mail(ALICE, XPRIO(1))
    client.send(mail)
    answer(client, b"220 x\r\n")
    events = answer(client, b"250-x\r\n250 SIZE\r\n")
    assert CommandSkipped(mail, "the server does not offer what XPRIO=1 belongs to") in events
    with pytest.raises(LocalProtocolError, match="XPRIO"):
        client.send(Mail(ALICE, XPRIO(1)))
    unaware = ClientConnection()
    unaware.send(Ehlo("crepes.fr"))
    answer(unaware, b"220 x\r\n")
    answer(unaware, b"250-x\r\n250 XPRIO 3\r\n")
    with pytest.raises(LocalProtocolError, match="XPRIO"):
        unaware.send(Mail(ALICE, XPRIO(1)))


def ready_to_hold() -> Pair:
    both = pair()
    both.exchange(Ehlo("crepes.fr"), ext.Auth("PLAIN", b"\0alice\0sesame"))
    both.exchange(Ehlo("crepes.fr"))
    both.exchange(Mail(ALICE), Rcpt(BOB))
    assert both.client.state is both.server.state is State.RCPT
    return both


def test_verbs_take_the_steps_of_their_rows():
    both = ready_to_hold()
    hold = Hold(10)
    assert both.exchange(hold) == [Reply(250, "ok", "2.0.0")]
    assert both.server_events[-1] == CommandReceived(Hold(10))
    assert both.client_events[-1].command is hold
    assert both.client.state is both.server.state is State.GREETED
    assert not both.server.transaction, "a way out of a transaction, like any other"
    for command in (Mail(ALICE), Hold(1)):
        with pytest.raises(LocalProtocolError):
            both.client.send(command)
    assert both.exchange(Wake())[0].code == 250
    assert {both.client.state, both.server.state} == {State.READY}


def test_rows_list_what_a_refusal_changes():
    both = ready_to_hold()
    both.exchange(Hold(10))
    both.application = lambda machine, command: machine.reply(Reply(550, "never again"))
    both.exchange(Wake())
    assert both.client.state is both.server.state is State.CLOSED


def test_verbs_out_of_sequence():
    both = pair()
    both.exchange(Ehlo("crepes.fr"))
    with pytest.raises(LocalProtocolError, match="XHOLD has no place"):
        both.client.send(Hold(1))
    trace = run_server([b"XHOLD 1\r\nXWAKE\r\nXHOLD x\r\nXHOLD\r\n"], machine=both.server)
    assert trace.codes == [503, 503, 501, 501]


def test_verbs_behind_helo():
    trace = run_server([b"XWAKE\r\nHELO x\r\nXWAKE\r\n"], capabilities=OFFERED, extensions=MINE)
    assert trace.codes == [503, 250, 503]


def test_checks_see_the_session():
    def held(before, rcpts):
        data = EHLO + before + b"MAIL FROM:<alice@crepes.fr>\r\n" + b"RCPT TO:<bob@x>\r\n" * rcpts + b"XHOLD 5\r\n"
        return run_server([data], capabilities=OFFERED, extensions=MINE).codes[-1]

    assert held(b"", 1) == 530
    assert held(b"AUTH PLAIN AGEAYg==\r\n" + EHLO, 1) == 250
    assert held(b"AUTH PLAIN AGEAYg==\r\n" + EHLO, 3) == 450


def test_verbs_may_travel_in_groups():
    both = ready_to_hold()
    both.exchange(Rset())
    commands = [Mail(ALICE), Rcpt(BOB), Hold(7)]
    for command in commands:
        both.client.send(command)
    assert both.client.data_to_send().count(b"\r\n") == 3, "XHOLD says that it pipelines"
    assert both.client.in_flight == tuple(commands)
    with pytest.raises(LocalProtocolError):
        both.client.send(Data())


def test_an_extension_takes_the_place_of_one_with_its_keyword():
    strict = Extension(
        "SIZE",
        "mine",
        argument=ext.SIZE.argument,
        mail_parameters=ext.SIZE.mail_parameters,
        checks={Mail: lambda session, command: Reply(552, "always too big")},
    )
    held = STANDARD.with_extensions(strict)
    assert len(held) == len(STANDARD)
    assert [each for each in held if each.keyword == "SIZE"] == [strict]
    trace = run_server([EHLO + b"MAIL FROM:<a@b>\r\n"], capabilities=FULL, extensions=held)
    assert trace.codes == [250, 552]


def test_parts_of_an_extension():
    assert repr(XPRIO) == "Extension('XPRIO')"
    assert XPRIO in MINE
    assert "xprio" in MINE
    assert XPRIO not in STANDARD
    assert 5 not in MINE
    assert XPRIO.offer(2) == XPRIO.offer(2)
    assert str(XPRIO.offer(2)) == "XPRIO 2"
    with pytest.raises(TypeError, match="no parameter with a value"):
        XHOLD(5)
    with pytest.raises(TypeError, match="takes no value"):
        XHOLD.offer(5)
    with pytest.raises(ParseError):
        XHOLD.decode("5")
    with pytest.raises(ParseError, match="not an EHLO keyword"):
        Extension("not a keyword", "RFC 0")
    with pytest.raises(ParseError):
        Extension("", "RFC 0")
    with pytest.raises(TypeError):
        ext.AUTH(("PLAIN",))
    assert [each.keyword for each in ExtensionSet(XPRIO, XHOLD)] == ["XPRIO", "XHOLD"]


def test_nothing_is_registered_globally():
    """The machines that were not given it know nothing of it."""
    assert b"XPRIO" not in str(STANDARD.vocabulary.mail_parameters).encode()
    assert run_server([EHLO + b"XWAKE\r\nNOOP\r\n"]).codes == [250, 500, 250]
    both = Pair()
    both.exchange(Ehlo("crepes.fr"))
    with pytest.raises(LocalProtocolError):
        both.client.send(Wake())
    assert [reply.code for reply in both.exchange(Noop(), Quit())] == [250, 221]
