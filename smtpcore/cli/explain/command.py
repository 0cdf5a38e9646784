"""The subcommand: a file in, the telling of it out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from ..arguments import Subparsers, read_file
from ..failure import FAILED, Failure
from ..terminal import styled
from ..transcript_turn import FORMATS

__all__ = ["add", "run"]

#: Octets of the largest file that is read: the telling of it takes several times as much memory.
SIZE_LIMIT: Final = 100_000_000
_EPILOG: Final = (
    "FILE is a dialogue of 'C: ' and 'S: ' lines, the output of swaks, a log of Postfix with -v, the output of "
    "'tshark -q -z follow,tcp,ascii,0', or a capture of packets (.pcap, .pcapng), which tshark is asked to read. "
    "Exit status: 0 nothing was wrong, 1 somebody broke a rule, 2 the command line or the file is wrong."
)


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "explain",
        help="what was said in a recorded conversation, and which rules were broken",
        description="Tell a recorded SMTP conversation step by step: what each line means, the state of the session, "
        "the section of the RFC, and who broke which rule.",
        epilog=_EPILOG,
    )
    parser.add_argument("file", metavar="FILE", help="the transcript; - is the standard input")
    parser.add_argument("--html", metavar="OUT", help="write a page that stands alone to OUT; - is the standard output")
    parser.add_argument("--format", choices=FORMATS, default="auto", help="what FILE is; found out unless given")
    parser.add_argument("--show-secrets", action="store_true", help="show credentials, which are hidden otherwise")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Tell it; 1 where a rule was broken."""
    # The other subcommands start sooner without these.
    from ..transcript import read_transcript  # noqa: PLC0415 - as above
    from .page import write_page  # noqa: PLC0415 - as above
    from .replay import replay  # noqa: PLC0415 - as above
    from .report import tell, tell_summary  # noqa: PLC0415 - as above

    name = "standard input" if arguments.file == "-" else arguments.file
    data = sys.stdin.buffer.read(SIZE_LIMIT + 1) if arguments.file == "-" else read_file(Path(arguments.file))
    if len(data) > SIZE_LIMIT:
        raise Failure(f"{name} has more than {SIZE_LIMIT:,} octets; cut the conversation out of it")
    if not data.strip(b" \t\r\n"):
        raise Failure(f"{name} is empty; expected a transcript of SMTP")
    conversations = read_transcript(data, name, arguments.format)
    stories = [replay(each, name, show_secrets=arguments.show_secrets) for each in conversations]
    if arguments.html == "-":
        sys.stdout.write(write_page(stories))
    elif arguments.html is not None:
        _write(Path(arguments.html), write_page(stories))
        styled(line for story in stories for line in tell_summary(story))
    else:
        styled(line for story in stories for line in tell(story))
    return FAILED if any(True for story in stories for _ in story.findings()) else 0


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, "utf-8")
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}; check the folder and its permissions") from None
