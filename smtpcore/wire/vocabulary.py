"""Command, which all commands are made of, and Vocabulary: the verbs and parameters that a parser knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, final

from ..errors import ParseError
from .line import encode_line
from .parameter import Keyed
from .parameters import ParameterTypes
from .tolerance import Tolerance
from .value import Value, setter

__all__ = ["Command", "Vocabulary"]


class Command(Value):
    """What every command has: a verb, its line as octets, and the line it was parsed from.

    A subclass sets :attr:`verb`, writes its arguments with :meth:`arguments` (or the whole line with
    :meth:`encode`) and reads them with :meth:`parse_arguments`.
    """

    __slots__ = ("_raw",)

    verb: ClassVar[str]  #: In upper case, as it goes on the wire.

    #: Whether another command may follow in the same group before this one is answered (RFC 2920 s3.1).
    pipelines: ClassVar[bool] = False

    #: Whether its line may hold a secret, so that ``raw`` is not kept.
    confidential: ClassVar[bool] = False

    #: Whether octets of a message follow its line, so that a client does not send it by itself.
    carries: ClassVar[bool] = False

    _line: ClassVar[bytes | None] = None  # of a verb without arguments, whose line is always the same

    def __init_subclass__(cls) -> None:
        if cls.arguments is Command.arguments and cls.encode is Command.encode and "verb" in vars(cls):
            cls._line = encode_line(cls.verb)

    @property
    def raw(self) -> bytes | None:
        """The line this was parsed from, without CRLF; None when it was built."""
        return getattr(self, "_raw", None)

    def arguments(self) -> str:
        """What follows the verb on the wire, with the space that separates it; empty when nothing does."""
        return ""

    @classmethod
    def parse_arguments(cls, text: str | None, vocabulary: Vocabulary, tolerance: Tolerance) -> Command:
        """A command from what follows the verb and one space; ``text`` is None when nothing does.

        Raises ParseError with offsets into ``text``. Here, for a verb without arguments.
        """
        if text is not None:
            raise ParseError(f"{cls.verb} takes no argument", 0, "RFC 5321 s4.1.1", text)
        return cls()

    def encode(self) -> bytes:
        """The line as octets, with CRLF; so does ``bytes()``."""
        line = self._line
        return encode_line(self.verb + self.arguments()) if line is None else line

    def __bytes__(self) -> bytes:
        return self.encode()


set_raw = setter(Command, "_raw")


@final
class Vocabulary:
    """Which verbs a parser knows, and which parameters on MAIL and RCPT; keywords in upper case."""

    __slots__ = ("mail_parameters", "rcpt_parameters", "ready", "verbs")

    def __init__(
        self,
        verbs: Iterable[type[Command]],
        mail_parameters: Iterable[Keyed[Any]] = (),
        rcpt_parameters: Iterable[Keyed[Any]] = (),
    ) -> None:
        self.verbs: Mapping[bytes, type[Command]] = {verb.verb.encode(): verb for verb in verbs}
        #: The verbs that stand alone, by their lines as nearly everybody writes them.
        self.ready: Mapping[bytes, Command] = {
            line: verb.parse_arguments(None, self, Tolerance())
            for line, verb in self.verbs.items()
            if verb.parse_arguments.__func__ is Command.parse_arguments.__func__  # type: ignore[attr-defined]  # a bound method
        }
        for line, command in self.ready.items():
            set_raw(command, None if command.confidential else line)
        self.mail_parameters = ParameterTypes(mail_parameters)
        self.rcpt_parameters = ParameterTypes(rcpt_parameters)
