"""The fields of a name in the real messages of the corpus, unfolded, found without the parser under test."""

from __future__ import annotations

import re
from functools import cache

from tests.corpus import corpus_folder


@cache
def _fields() -> dict[str, list[str]]:
    folder = corpus_folder()
    found: dict[str, list[str]] = {}
    if folder is None:
        return found
    for path in sorted((folder / "corpus").rglob("*")):
        if not path.is_file() or path.parent == folder / "corpus":
            continue
        header = path.read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")[0]
        for line in re.sub(rb"\n(?=[ \t])", b"", header).split(b"\n"):
            name, colon, body = line.partition(b":")
            if colon and re.fullmatch(rb"[!-9;-~]+[ \t]*", name):
                text = body.decode("utf-8", "surrogateescape").strip(" \t")
                found.setdefault(name.strip().lower().decode(), []).append(text)
    return found


def fields_of(name: str) -> list[str]:
    """The bodies of all fields of that name, in lower case; none without the corpus."""
    return _fields().get(name, [])
