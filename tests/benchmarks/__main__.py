"""Measure smtpcore and its peers in one run, and print tables in Markdown.

A cost stands next to the cost of smtpcore in the same run, which is the only number to compare.
"""

from __future__ import annotations

import argparse

from . import composing, dates, envelopes, in_memory, large, over_sockets
from .report import Run, machine

PARTS = {
    "codec": in_memory.codec,
    "server": in_memory.server,
    "client": in_memory.client,
    "envelopes": envelopes.envelopes,
    "large": large.large,
    "compose": composing.composing,
    "dates": dates.dates,
    "receive": over_sockets.receive,
    "transmit": over_sockets.transmit,
    "pool": over_sockets.pool,
    "roundtrips": in_memory.roundtrips,
    "idle": over_sockets.idle,
    "import": over_sockets.imports,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between (%(default)s)")
    parser.add_argument("--rounds", type=int, help="how often to go over all peers (5; 1 with --quick)")
    parser.add_argument("--quick", action="store_true", help="see that it works, and believe no number")
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := set(names) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    run = Run(max(1, options.rounds or (1 if options.quick else 5)), options.quick)
    print(f"{machine()}; rounds: {run.rounds}", flush=True)
    for name in names:
        PARTS[name](run)


if __name__ == "__main__":
    main()
