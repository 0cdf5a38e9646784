"""Every way out of a transaction clears the whole of it: the vectors below TLS-13 of the state of sessions."""

from __future__ import annotations

import pytest

from smtpcore import CommandReceived, ConnectionClosed, Data, EndOfContent, LocalProtocolError, Reply, State
from smtpcore.session.transaction import NO_TRANSACTION
from tests.session.helpers import EHLO, ENVELOPE, answering, obliging, reach, run_server, run_server_cut

pytestmark = pytest.mark.law(12)

_REFUSE_CONTENT = answering({EndOfContent: Reply(554, "policy", "5.7.1")})
ENDS = [
    pytest.param(b"DATA\r\nx\r\n.\r\n", _REFUSE_CONTENT, [354, 554], id="content-refused"),
    pytest.param(
        b"DATA\r\nx\r\n.\r\n", answering({EndOfContent: Reply(451, "later")}), [354, 451], id="content-put-off"
    ),
    pytest.param(b"DATA\r\nx\r\n.\r\n", obliging, [354, 250], id="content-accepted"),
    pytest.param(b"DATA\r\nx\ny\r\n.\r\n", obliging, [354, 550], id="bare-newline"),
    pytest.param(b"DATA\r\n" + b"x" * 70_000 + b"\r\n.\r\n", obliging, [354, 554], id="line-too-long"),
    pytest.param(b"EHLO crepes.fr\r\n", obliging, [250], id="ehlo"),
    pytest.param(b"HELO crepes.fr\r\n", obliging, [250], id="helo"),
    pytest.param(b"RSET\r\n", obliging, [250], id="rset"),
]


@pytest.mark.parametrize(("end", "application", "expected"), ENDS)
@pytest.mark.parametrize("after", [b"DATA\r\n", b"RCPT TO:<a@b>\r\n"], ids=["DATA", "RCPT"])
def test_every_way_out_clears_the_whole_transaction(end, application, expected, after):
    data = end + after + b"NOOP\r\n"
    if len(data) > 1000:
        trace = run_server([data], before=EHLO + ENVELOPE, application=application)
    else:
        trace = run_server_cut(data, before=EHLO + ENVELOPE, application=application)
    assert trace.codes == [*expected, 503, 250]
    assert trace.transaction is NO_TRANSACTION
    assert trace.state is State.READY
    asked = [type(event.command).__name__ for event in trace.events if isinstance(event, CommandReceived)]
    assert asked[-1] == "Noop"
    assert after[:4].decode().capitalize() not in asked[1 if expected[0] == 354 else 0 :]


@pytest.mark.parametrize("after", [b"DATA\r\n", b"RCPT TO:<a@b>\r\n"], ids=["DATA", "RCPT"])
def test_auth_leaves_no_transaction(after):
    trace = run_server_cut(b"AUTH PLAIN AGEAYg==\r\n" + after, before=EHLO)
    assert trace.codes == [235, 503]
    assert trace.transaction is NO_TRANSACTION


@pytest.mark.parametrize("after", [b"DATA\r\n", b"RCPT TO:<a@b>\r\n"], ids=["DATA", "RCPT"])
def test_nothing_happens_behind_421(after):
    machine = reach(State.RCPT)
    machine.receive_data(after)
    machine.close()
    assert machine.transaction is NO_TRANSACTION
    trace = run_server([after], machine=machine)
    assert trace.events == [ConnectionClosed()]
    assert trace.output == b""
    with pytest.raises(LocalProtocolError):
        machine.accept()


def test_nothing_happens_behind_421_to_a_command():
    trace = run_server_cut(
        b"RCPT TO:<bob@x>\r\nRCPT TO:<bob@x>\r\nDATA\r\nx\r\n.\r\n",
        before=EHLO + b"MAIL FROM:<>\r\n",
        application=answering({Data: Reply(421, "going down", "4.3.2")}),
    )
    assert trace.codes == [250, 250, 421]
    assert trace.kinds == ["CommandReceived"] * 3 + ["ConnectionClosed"]
    assert trace.transaction is NO_TRANSACTION


def test_a_refused_vrfy_changes_nothing():
    data = b"VRFY \xc3\xa9@x\r\nRCPT TO:<carol@x>\r\nDATA\r\n"
    trace = run_server_cut(data, before=EHLO + ENVELOPE)
    assert trace.codes == [553, 250, 354]
    assert [str(path) for path in trace.transaction.recipients] == ["bob@hamburger.edu", "carol@x"]


def test_the_error_of_one_message_is_not_that_of_the_next():
    bad = b"DATA\r\nx\ny\r\n.\r\n"
    trace = run_server_cut(bad + ENVELOPE + b"DATA\r\nclean\r\n.\r\n", before=EHLO + ENVELOPE)
    assert trace.codes == [354, 550, 250, 250, 354, 250]
    assert trace.kinds[-2:] == ["ContentReceived", "ContentEnded"]
    assert trace.events[-2].data == b"clean\r\n"
