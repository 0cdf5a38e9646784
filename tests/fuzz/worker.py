"""One target in one process: started by the command of this package, and tells it by lines of JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fuzz.engines import Finding


def tell(**what: object) -> None:
    """One line for the process that waits."""
    print(json.dumps(what), flush=True)


def main() -> None:
    """Run the one target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("engine")
    parser.add_argument("runs", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("seed", type=int)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    if options.engine == "atheris":
        import atheris

        # The library is followed, the targets are not: what they do is no news.
        with atheris.instrument_imports(include=["smtpcore"], enable_loader_override=False):
            from tests.fuzz import engines
    else:
        from tests.fuzz import engines
    from tests.fuzz.targets import BY_NAME

    target = BY_NAME[options.target]
    counter = engines.Counter(target, options.runs, options.seconds, lambda done: tell(done=done))

    def leave(finding: Finding | None) -> None:
        tell(done=counter.done)
        if finding:
            path = options.folder / f"{target.name}-{options.seed}.bin"
            path.write_bytes(finding.data)
            tell(failure=str(finding.failure), file=str(path), data=finding.data.hex())
        sys.stdout.flush()
        os._exit(1 if finding else 0)  # libFuzzer would go on

    if options.engine == "atheris":
        engines.run_atheris(counter, options.seed, options.folder, leave)
        return
    try:
        engines.run_random(counter, options.seed)
    except engines.Finding as finding:
        leave(finding)
    leave(None)


if __name__ == "__main__":
    main()
