"""Where a secret may show, and the forms it may show in."""

from __future__ import annotations

import base64
import copy
import pickle
import pprint
import traceback
from collections.abc import Iterator
from typing import Any


def forms(*secrets: bytes) -> list[str]:
    """What must not be seen: each secret and its base64, alone and behind anything that shifts the alphabet."""
    found = []
    for secret in secrets:
        found.append(secret.decode("utf-8", "surrogateescape"))
        found.append(repr(secret)[2:-1])
        for shift in range(3):
            encoded = base64.b64encode(b"\0" * shift + secret)
            # Only the characters that the secret alone decides.
            found.append(encoded[(shift * 8 + 5) // 6 : len(secret) * 8 // 6].decode())
    return [form for form in found if len(form) >= 4]


def views(thing: Any) -> Iterator[str]:
    """All that is shown of an object by what people print, log and store."""
    yield repr(thing)
    yield str(thing)
    yield f"{thing}"
    yield pprint.pformat(thing)
    if hasattr(thing, "__dict__"):
        yield repr(vars(thing))
    for name in getattr(type(thing), "__slots__", ()):
        if not name.startswith("_"):
            yield repr(getattr(thing, name, None))
    for store in (pickle.dumps, copy.copy, copy.deepcopy):
        try:
            yield repr(store(thing))
        except (TypeError, AttributeError, pickle.PicklingError) as error:
            yield repr(error)


def views_of_error(error: BaseException) -> Iterator[str]:
    """All that is shown of an exception, its causes and contexts included, and the frames of this package."""
    seen: BaseException | None = error
    while seen is not None:
        yield repr(seen)
        yield str(seen)
        yield repr(seen.args)
        yield repr(vars(seen))
        seen = seen.__cause__ or seen.__context__
    yield "".join(traceback.format_exception(error))


def assert_hidden(shown: Iterator[str], secrets: list[str]) -> None:
    for text in shown:
        for secret in secrets:
            assert secret not in text, "a secret shows"
