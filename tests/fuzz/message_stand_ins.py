"""Things of the message room that are broken on purpose, to show that the targets over it notice."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Final

from smtpcore.message.date import DateTime
from smtpcore.message.header import Header
from smtpcore.message.parser import MessageParser
from smtpcore.message.unstructured import Unstructured
from smtpcore.message.words import decode_words
from tests.fuzz.oracle import Oracle
from tests.fuzz.stand_ins import Around, StandIn


class _Fails:
    """Does where a tolerant reader must not."""

    parse = staticmethod(DateTime.parse)

    @staticmethod
    def read(text: str) -> DateTime:
        if "?" in text:
            raise TypeError
        return DateTime.read(text)


class _ReadsAlways:
    """Strict by name only."""

    parse = staticmethod(lambda text, tolerance: Unstructured.read(text))
    read = staticmethod(Unstructured.read)


def _one_word(text: str) -> str:
    return f"=?utf-8?b?{base64.b64encode(text.encode()).decode()}?="


class _LosesLf(Around):
    def receive_data(self, data: bytes) -> None:
        self.real.receive_data(data[1:] if len(data) > 1 and data[:1] == b"\n" else data)


def _ends(data: bytes, **options: object) -> Header:
    return Header.parse(data.rstrip(b"\r\n") + b"\r\n", **options)  # type: ignore[arg-type]  # as they come


def _made() -> Iterator[StandIn]:
    yield StandIn("a TypeError", "fields", Oracle.EXCEPTION, ((_Fails,),))
    yield StandIn("nothing is refused", "fields", Oracle.STRICTNESS, ((_ReadsAlways,),))
    yield StandIn("words are as long as they are", "words", Oracle.CLEAN_LINES, ((decode_words, _one_word),))
    yield StandIn("the end is put in", "header", Oracle.REFERENCE, (_ends,))
    yield StandIn(
        "LF at the start is lost", "message-parser", Oracle.SPLIT, (lambda *options: _LosesLf(MessageParser(*options)),)
    )


MESSAGE_STAND_INS: Final = tuple(_made())
