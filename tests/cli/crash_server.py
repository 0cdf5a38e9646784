"""A ``smtpcore serve`` that dies at a given moment, as if the machine's plug were pulled on the process.

Each line of standard input is ``FOLDER STEP NTH before|after``; a child serves that folder and kills itself with
SIGKILL at the nth call of that function of ``os`` for a message. It prints ``listening on HOST:PORT``, and when it has
died ``died STATUS``. Importing once and forking makes it quick.
"""

import os
import signal
import sys

from smtpcore.cli import main

#: What making the Maildir calls before the first message.
BEFORE = {"open": 2, "fsync": 2, "close": 2}


def die_at(name: str, nth: int, when: str) -> None:
    real = getattr(os, name)
    calls = -BEFORE.get(name, 0)

    def call(*args, **options):
        nonlocal calls
        calls += 1
        if calls == nth and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **options)
        if calls == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(os, name, call)


for line in sys.stdin:
    folder, step, nth, when = line.split()
    child = os.fork()
    if not child:
        die_at(step, int(nth), when)
        os._exit(main(["serve", "127.0.0.1:0", "--maildir", folder]))
    _, status = os.waitpid(child, 0)
    print(f"died {status}", flush=True)
