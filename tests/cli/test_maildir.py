"""What 250 means: whatever fails on the way to the disk, nothing is accepted that is not there and whole."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable

import pytest

from smtpcore.cli.maildir import STALE, Maildir
from tests.cli.commandline import CONTENT, Talk, files, messages, serving, stuffed, untraced

EMPTY = {"tmp": 0, "new": 0, "cur": 0}
STEPS = ["open", "write", "fstat", "fsync", "close", "rename"]


def deliver(maildir: Maildir, content: bytes) -> None:
    delivery = maildir.begin()
    try:
        delivery.write(content)
    except OSError:
        delivery.abandon()
        raise
    delivery.commit()


# --- a Maildir -----------------------------------------------------------------------------------


def test_layout(tmp_path):
    maildir = Maildir(tmp_path / "a" / "b")
    deliver(maildir, CONTENT)
    (path,) = maildir.messages()
    assert path.parent == tmp_path / "a" / "b" / "new"
    assert path.read_bytes() == CONTENT
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) & 0o077 == 0
    # nothing that a Maildir's readers give a meaning to
    assert not set(path.name) & set(":/, \n")
    assert not path.name.startswith(".")


def test_one_that_is_there_is_taken_as_it_is(tmp_path):
    for name in ("tmp", "new", "cur"):
        (tmp_path / name).mkdir()
    (tmp_path / "cur" / "old:2,S").write_bytes(b"x")
    deliver(Maildir(tmp_path), CONTENT)
    assert files(tmp_path) == {"tmp": 0, "new": 1, "cur": 1}


def test_names_never_meet(tmp_path, monkeypatch):
    """Nor when the clock stands still or goes back."""
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000)
    maildir = Maildir(tmp_path)
    for number in range(40):
        deliver(maildir, b"%d" % number)
    assert sorted(messages(tmp_path)) == sorted([b"%d" % number for number in range(40)])


def test_the_host_in_the_name(tmp_path, monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "a/b:c")
    deliver(Maildir(tmp_path), CONTENT)
    (path,) = Maildir(tmp_path).messages()
    assert path.name.endswith(r".a\057b\072c")


def test_short_writes_are_written_on(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, bytes(data[:7])))
    deliver(Maildir(tmp_path), CONTENT)
    assert messages(tmp_path) == [CONTENT]


def test_what_is_left_behind_is_reaped_when_it_is_old(tmp_path):
    maildir = Maildir(tmp_path)
    now = time.time()
    for name, age in (("old", STALE + 60), ("young", STALE - 60)):
        path = tmp_path / "tmp" / name
        path.write_bytes(b"half")
        os.utime(path, (now - age, now - age))
    (tmp_path / "tmp" / "folder").mkdir()
    (tmp_path / "tmp" / "link").symlink_to("/nonexistent")
    assert maildir.reap(now + 1) == 1
    assert sorted(path.name for path in (tmp_path / "tmp").iterdir()) == ["folder", "link", "young"]
    assert maildir.reap() == 0


def test_the_server_reaps_at_its_start(tmp_path):
    Maildir(tmp_path)
    path = tmp_path / "tmp" / "old"
    path.write_bytes(b"half")
    os.utime(path, (1, 1))
    with serving("--maildir", tmp_path):
        assert files(tmp_path) == EMPTY


# --- the order of steps --------------------------------------------------------------------------


def test_the_steps_and_their_order(tmp_path, monkeypatch):
    """Write, check, fsync, close, rename, fsync of the folder - and only then anybody may say 250."""
    maildir = Maildir(tmp_path)
    trace: list[str] = []

    def spy(name: str) -> None:
        real: Callable[..., object] = getattr(os, name)

        def call(*args, **options):
            folder = name in {"fsync", "close"} and stat.S_ISDIR(os.stat(args[0]).st_mode)
            trace.append(f"{name} folder" if folder else name)
            return real(*args, **options)

        monkeypatch.setattr(os, name, call)

    for name in STEPS:
        spy(name)
    deliver(maildir, CONTENT)
    monkeypatch.undo()
    assert trace == [
        *["open", "write", "fstat", "fsync", "close"],
        *["open", "rename", "fsync folder", "close folder"],
    ]


class Fault:
    """Makes the nth call of a function of ``os`` fail, once the message has begun."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, nth: int, number: int, *, after: bool) -> None:
        self.calls = 0
        real = getattr(os, name)

        def call(*args, **options):
            mine = name != "open" or "/tmp/" in str(args[0]) or str(args[0]).endswith("/new")
            self.calls += mine
            if not mine or self.calls != nth:
                return real(*args, **options)
            if after:
                done = real(*args, **options)
                if name == "open":
                    os.close(done)
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, name, call)


CALLS = [("open", 1), ("open", 2), ("write", 1), ("write", 2), ("fstat", 1), ("fsync", 1), ("fsync", 2), ("rename", 1)]
FAULTS = [
    (name, nth, after)
    for name, nth in CALLS
    for after in (False, True)
    # A file that was opened and is not known stays in tmp, to be reaped.
    if not (name == "open" and after)
]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE], ids=errno.errorcode.get)
@pytest.mark.parametrize(("name", "nth", "after"), FAULTS)
def test_a_fault_anywhere(tmp_path, name, nth, number, after):
    """The call fails, whether or not it has had its effect: 452 or 451, nothing delivered, and the next message is."""
    with serving("--maildir", tmp_path) as address, Talk(address) as talk:
        with pytest.MonkeyPatch.context() as patch:
            replies = talk.say("EHLO crepes.fr", "MAIL FROM:<a@b>", "RCPT TO:<c@d>")
            assert {reply[:3] for reply in replies} == {"250"}
            Fault(patch, name, nth, number, after=after)
            (reply,) = talk.say("DATA")
            if reply.startswith("354"):
                talk.write(stuffed(CONTENT))
                reply = talk.reply()
        full = number in {errno.ENOSPC, errno.EDQUOT}
        assert reply == ("452 4.3.1 insufficient system storage" if full else "451 4.3.0 local error in processing")
        assert files(tmp_path) == EMPTY
        assert talk.say("RSET")[0].startswith("250")
        talk.envelope()
        talk.write(stuffed(CONTENT))
        assert talk.reply().startswith("250")
    (message,) = messages(tmp_path)
    assert untraced(message) == CONTENT


@pytest.mark.parametrize("nth", [1, 2], ids=["file", "folder"])
def test_a_close_that_fails(tmp_path, monkeypatch, nth):
    """Postfix has seen close() fail behind an fsync that did not."""
    delivery = Maildir(tmp_path).begin()
    delivery.write(CONTENT)
    real, calls = os.close, []

    def close(file):
        real(file)
        calls.append(file)
        if len(calls) == nth:
            raise OSError(errno.EIO, "late")

    with monkeypatch.context() as patch:
        patch.setattr(os, "close", close)
        with pytest.raises(OSError, match="late"):
            delivery.commit()
    assert files(tmp_path) == EMPTY


def test_a_file_that_is_not_as_long_as_what_was_written(tmp_path):
    delivery = Maildir(tmp_path).begin()
    delivery.write(CONTENT)
    os.truncate(next((tmp_path / "tmp").iterdir()), 5)
    with pytest.raises(OSError, match="not as long"):
        delivery.commit()
    assert files(tmp_path) == EMPTY


def test_a_write_of_nothing(tmp_path, monkeypatch):
    delivery = Maildir(tmp_path).begin()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: 0)
        with pytest.raises(OSError, match="nothing was written"):
            delivery.write(CONTENT)
    delivery.abandon()
    delivery.abandon()  # twice is no mistake
    assert files(tmp_path) == EMPTY


def test_a_full_disk_in_the_middle_of_a_long_message(tmp_path, monkeypatch):
    """The rest is read and dropped, the client hears 452 at the end, and the session goes on in step."""
    real, written = os.write, [0]

    def write(file, data):
        if len(data) > 1000 or written[0]:
            written[0] += len(data)
            if written[0] > 300_000:
                raise OSError(errno.ENOSPC, "full")
        return real(file, data)

    with serving("--maildir", tmp_path) as address, Talk(address) as talk:
        talk.envelope()
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", write)
            talk.write(b"0123456789abcde\r\n" * 100_000 + b".\r\n")
            assert talk.reply().startswith("452 4.3.1")
        assert talk.say("NOOP")[0].startswith("250")
    assert files(tmp_path) == EMPTY


def test_a_folder_that_goes_away(tmp_path):
    with serving("--maildir", tmp_path / "m") as address, Talk(address) as talk:
        (tmp_path / "m").rename(tmp_path / "n")
        assert talk.envelope()[-1].startswith("451 4.3.0")
        (tmp_path / "n").rename(tmp_path / "m")
        assert talk.say("DATA")[0].startswith("354")
        (tmp_path / "m" / "new").rmdir()
        talk.write(stuffed(CONTENT))
        assert talk.reply().startswith("451 4.3.0")
    assert not list((tmp_path / "m" / "tmp").iterdir())
