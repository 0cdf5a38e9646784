"""The command line: ``smtpcore`` and ``python -m smtpcore``; one subcommand, one file.

It is the outermost room: it may import all others, and nothing imports it.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from .. import __version__
from . import demo, explain, send, serve
from .failure import FAILED, USAGE, Failure

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; ``argv`` is what stands behind the program's name. Returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that has not all of Unicode is no reason to stop
    parser = _parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as done:  # --help, --version, or what is no usage
        return done.code if isinstance(done.code, int) else USAGE
    if arguments.run is None:
        parser.print_help()
        return 0
    try:
        status: int = arguments.run(arguments)
        print(end="", flush=True)
    except Failure as failure:
        print(f"smtpcore {arguments.command}: {failure}", file=sys.stderr)
        return failure.status
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # whoever read our output has gone, and knows it
            print(f"smtpcore {arguments.command}: {error.strerror or error}; check the output", file=sys.stderr)
        # What waits to be written is dropped, or the interpreter would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FAILED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="smtpcore", description="SMTP as pure values and state machines, put to work.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"smtpcore {__version__}")
    parser.set_defaults(run=None)
    subparsers = parser.add_subparsers(title="subcommands", dest="command", metavar="COMMAND")
    for subcommand in (demo, serve, send, explain):
        subcommand.add(subparsers)
    return parser
