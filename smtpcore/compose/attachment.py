"""Attachment: a file that goes with a message (RFC 2183), in base64 (RFC 2045 s6.8)."""

from __future__ import annotations

from base64 import encodebytes
from collections.abc import Callable, Iterable, Iterator
from typing import Final, final

from ..errors import ParseError
from ..message.content_type import ContentType
from ..message.disposition import ContentDisposition
from ..wire.value import Value, assign

__all__ = ["Attachment"]

# RFC 2045 s6.8: lines of at most 76 characters, which are 57 octets
_GROUP: Final = 57
#: Octets that are encoded at once, a whole number of lines.
_PIECE: Final = _GROUP * 1600

_OCTETS: Final = ContentType("application", "octet-stream")


@final
class Attachment(Value):
    """A file: its octets, its name, what it is.

    ``content`` is the octets, or a function that gives them in pieces, anew each time it is called; then ``size`` must
    say how many there are, so that the size of a message is known before it is sent, and nothing of it is in memory.

    Raises ParseError for a name with control characters, and for a type that is no token; ValueError for ``multipart``
    and ``message`` types, which may not be in base64 (RFC 2046 s5.1, s5.2.1), and for a size that is not that of
    ``content``.
    """

    __slots__ = ("content", "content_type", "disposition", "size")
    __match_args__ = ("content", "content_type", "disposition", "size")

    content: bytes | Callable[[], Iterable[bytes]]
    content_type: ContentType
    disposition: ContentDisposition
    size: int  #: Octets of the file itself.

    def __init__(
        self,
        content: bytes | Callable[[], Iterable[bytes]],
        filename: str | None = None,
        content_type: ContentType | str = _OCTETS,
        *,
        size: int | None = None,
        inline: bool = False,
    ) -> None:
        if isinstance(content_type, str):
            content_type = ContentType.parse(content_type)
        elif not isinstance(content_type, ContentType):
            raise TypeError(f"content_type must be a ContentType or a str, not {type(content_type).__name__}")
        if content_type.type in ("multipart", "message"):
            raise ValueError(f"{content_type.essence} cannot be base64: attach it as application/octet-stream")
        if isinstance(content, bytes):
            if size not in (None, len(content)):
                raise ValueError(f"the content has {len(content)} octets, not {size}")
            size = len(content)
        elif not callable(content):
            raise TypeError(f"content must be bytes or a function that gives pieces, not {type(content).__name__}")
        elif size is None or size < 0:
            raise ValueError("give the size of content that comes in pieces")
        if filename == "":
            raise ParseError("empty file name", 0, "RFC 2183 s2.3", "")
        parameters = {} if filename is None else {"filename": filename}
        assign(self, "content", content)
        assign(self, "content_type", content_type)
        assign(self, "disposition", ContentDisposition("inline" if inline else "attachment", parameters))
        assign(self, "size", size)

    @property
    def filename(self) -> str | None:
        """The name of the file; None where it has none."""
        return self.disposition.filename

    @property
    def encoded_size(self) -> int:
        """Octets of it in base64, line ends included."""
        groups, rest = divmod(self.size, _GROUP)
        return groups * (_GROUP // 3 * 4 + 2) + (-(-rest // 3) * 4 + 2 if rest else 0)

    def encoded(self) -> Iterator[bytes]:
        """Its octets in base64, in pieces. Raises ValueError where they are not as many as was said."""
        left = self.size
        held = bytearray()
        for piece in self._pieces():
            left -= len(piece)
            if left < 0:
                raise ValueError(f"{self._shown()} has more than the {self.size} octets it was said to have")
            held += piece
            whole = len(held) - len(held) % _GROUP
            if whole >= _PIECE:
                yield _encode(held[:whole])
                del held[:whole]
        if left:
            raise ValueError(f"{self._shown()} has {left} octets less than it was said to have")
        if held:
            yield _encode(held)

    def _pieces(self) -> Iterable[bytes]:
        content = self.content
        if not isinstance(content, bytes):
            return content()
        return (content[start : start + _PIECE] for start in range(0, len(content), _PIECE))

    def _shown(self) -> str:
        return "an attachment" if self.filename is None else f"the attachment {self.filename!a}"


def _encode(octets: bytearray) -> bytes:
    return encodebytes(octets).replace(b"\n", b"\r\n")
