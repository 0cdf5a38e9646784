"""The textbook's dialogue, explained: all that is printed."""

from __future__ import annotations

from smtpcore.cli import main
from tests.cli.explaining import CLEAN, TEXTBOOK, explain

# fmt: off
GOLDEN = """\
{name}: dialogue

   1 S: 220 hamburger.edu                                                   connected -> greeted
        The greeting: the server is ready. [RFC 5321 s3.1]

   2 C: HELO crepes.fr                                                          greeted -> ready
        The client calls itself crepes.fr; it asks for no extensions. [RFC 5321 s4.1.1.1]

   3 S: 250 Hello crepes.fr, pleased to meet you                                greeted -> ready
        The server knows the client by this name now, and a transaction may begin.
          [RFC 5321 s4.1.1.1]

   4 C: MAIL FROM: <alice@crepes.fr>                                               ready -> mail
        A transaction begins; failures are reported to alice@crepes.fr. [RFC 5321 s4.1.1.2]
        ! client: space after FROM:, at offset 10 [RFC 5321 s3.3]

   5 S: 250 alice@crepes.fr ... Sender ok                                          ready -> mail
        The reverse-path is accepted: a transaction has begun. [RFC 5321 s3.3]

   6 C: RCPT TO: <bob@hamburger.edu>                                                mail -> rcpt
        One recipient: bob@hamburger.edu. [RFC 5321 s4.1.1.3]
        ! client: space after TO:, at offset 8 [RFC 5321 s3.3]

   7 S: 250 bob@hamburger.edu ... Recipient ok                                      mail -> rcpt
        This recipient is accepted. [RFC 5321 s3.3]

   8 C: DATA                                                                     rcpt -> content
        The client asks leave to send the content. [RFC 5321 s4.1.1.4]

   9 S: 354 Enter mail, end with "." on a line by itself                         rcpt -> content
        Go ahead with the content; end it with a line of one dot. [RFC 5321 s4.1.1.4]

  10 C: Do you like ketchup?                                                    content -> ready
     C: How about pickles?
     C: .
        The content: 42 octets in 2 lines. [RFC 5321 s2.3.9]
        ! client: the message does not begin with a header [RFC 5322 s2.1]

  13 S: 250 Message accepted for delivery                                       content -> ready
        The server has the message and is responsible for it: it delivers, relays or reports.
          [RFC 5321 s4.2.5]

  14 C: QUIT                                                                     ready -> closed
        The client wants to end the session. [RFC 5321 s4.1.1.10]

  15 S: 221 hamburger.edu closing connection                                     ready -> closed
        The server says goodbye and closes the connection. [RFC 5321 s4.1.1.10]

Message from alice@crepes.fr:
  bob@hamburger.edu  accepted  250 Message accepted for delivery

3 violations:
  line 4, client: space after FROM:, at offset 10 [RFC 5321 s3.3]
  line 6, client: space after TO:, at offset 8 [RFC 5321 s3.3]
  line 10, client: the message does not begin with a header [RFC 5322 s2.1]

"""
# fmt: on


def test_the_textbook_s_dialogue(tmp_path, capsys):
    assert explain(tmp_path, TEXTBOOK) == 1
    shown = capsys.readouterr()
    assert shown.out == GOLDEN.format(name=tmp_path / "transcript.txt")
    assert not shown.err


def test_nothing_is_wrong(tmp_path, capsys):
    assert explain(tmp_path, CLEAN) == 0
    shown = capsys.readouterr().out
    assert "No rule was broken." in shown
    assert "bob@hamburger.edu  accepted  250 2.0.0 queued as 4711" in shown
    assert "carol@hamburger.edu  refused  550 5.1.1 no such mailbox here" in shown
    assert "SIZE: the client may say how big a message is, up to 35,882,577 octets [RFC 1870 s3]" in shown
    assert "5.1.1: refused for good, bad destination mailbox address. [RFC 3463 s3.2]" in shown
    assert max(map(len, shown.split("\n"))) <= 96


def test_help(capsys):
    assert main(["explain", "--help"]) == 0
    assert "smtpcore explain" in capsys.readouterr().out
