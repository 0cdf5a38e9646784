"""All targets: their names, their shares of a run, and the inputs that they start from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from tests.fuzz import client, fields, fronts, pair, server, streams, texts, tokens, values
from tests.fuzz.oracle import Oracle, OracleFailure
from tests.fuzz.seeds import SEEDS


class Target(NamedTuple):
    """Something that takes any bytes and complains when a promise is broken."""

    name: str
    function: Callable[..., None]
    share: int  #: Of the executions of a run over all targets, in relation to the others; one of a machine takes long.
    longest: int  #: Bytes of an input.
    alphabet: Sequence[bytes]

    @property
    def seeds(self) -> tuple[bytes, ...]:
        """The inputs to start from."""
        return SEEDS[self.name]

    def run(self, data: bytes, *stand_ins: Any) -> None:
        """Try one input, on the library or on stand-ins for it. Raises OracleFailure."""
        try:
            self.function(data, *stand_ins)
        except OracleFailure:
            raise
        except Exception as error:
            raise OracleFailure(Oracle.EXCEPTION, f"{self.name}: {type(error).__name__}", error) from error


TARGETS: Final[tuple[Target, ...]] = (
    Target("command", values.command, 10, 64, tokens.COMMANDS),
    Target("mailbox", values.mailbox, 8, 48, tokens.ADDRESSES),
    Target("path", values.path, 8, 48, tokens.ADDRESSES),
    Target("literal", values.literal, 9, 40, tokens.DOMAINS),
    Target("domain", values.domain, 8, 40, tokens.DOMAINS),
    Target("parameters", texts.parameters, 10, 40, tokens.PARAMETERS),
    Target("xtext", texts.xtext, 6, 40, tokens.PARAMETERS),
    Target("number", texts.number, 4, 30, tokens.PARAMETERS),
    Target("base64", texts.secret_text, 10, 40, tokens.BASE64),
    Target("capabilities", texts.capabilities, 3, 48, tokens.REPLIES),
    Target("enhanced-code", texts.enhanced_code, 4, 20, tokens.REPLIES),
    Target("reply", texts.reply, 3, 40, tokens.REPLIES),
    Target("reply-reader", streams.replies, 4, 64, tokens.REPLIES),
    Target("receive-buffer", streams.buffer, 5, 64, ()),
    Target("dot-unstuffer", streams.unstuffer, 7, 40, tokens.NEWLINES),
    Target("dot-stuffer", streams.stuffer, 7, 40, tokens.NEWLINES),
    Target("chunk-reader", streams.chunks, 7, 40, tokens.NEWLINES),
    Target("newline-filter", streams.newlines, 7, 40, tokens.NEWLINES),
    Target("content-meter", streams.meter, 2, 40, tokens.NEWLINES),
    Target("fields", fields.fields, 6, 48, fields.FIELDS),
    Target("words", fields.words, 4, 40, fields.FIELDS),
    Target("header", fields.header, 2, 64, fields.HEADERS),
    Target("message-parser", fields.message_parser, 4, 64, fields.HEADERS),
    Target("proxy-header", fronts.proxy, 3, 48, fronts.TOKENS),
    Target("server", server.server, 2, 96, tokens.DIALOGUE),
    Target("client", client.client, 3, 96, tokens.REPLIES),
    Target("pair", pair.pair, 3, 96, ()),
)

BY_NAME: Final = {target.name: target for target in TARGETS}
