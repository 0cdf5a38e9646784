"""Hypothesis strategies over what travels in SMTP, made from tokens: random octets hardly ever meet a boundary.

What an octet stream is made of comes as ``bytes``, with :func:`partitions` to cut it anywhere. Values come valid;
:func:`hostile_text` is what a caller should never pass and some caller will.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from smtpcore.extensions import (
    BODY,
    BY,
    CONNEG,
    CONPERM,
    ENVID,
    HOLDFOR,
    HOLDUNTIL,
    NOTIFY,
    ORCPT,
    PRIORITY,
    REQUIRETLS,
    RET,
    RRVS,
    SIZE,
    SOLICIT,
    STANDARD,
    SUBMITTER,
    UTF8,
    Atrn,
    Auth,
    AuthResponse,
    Body,
    Burl,
    BurlLast,
    ByMode,
    DeliverBy,
    Etrn,
    IfUnsupported,
    MessageSource,
    Notify,
    OriginalRecipient,
    Ret,
    StartTls,
    Timestamp,
    Unavailable,
    ValidSince,
    XClient,
    XForward,
)
from smtpcore.wire.address import POSTMASTER, Mailbox
from smtpcore.wire.capabilities import Capabilities, Capability
from smtpcore.wire.command import (
    Command,
    Data,
    Ehlo,
    Expn,
    Helo,
    Help,
    Lhlo,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Rset,
    Vrfy,
)
from smtpcore.wire.host import AddressLiteral, Domain
from smtpcore.wire.parameter import Parameter
from smtpcore.wire.reply import EnhancedCode, Reply
from smtpcore.wire.vocabulary import Vocabulary

#: What the end of the content is made of, and what was ever taken for it.
CONTENT_TOKENS = (
    b"\r",
    b"\n",
    b"\r\n",
    b".",
    b"a",
    b"\0",
    b"\r\n.",
    b"\r\n..",
    b"\r\n.\r\n",
    b"\n.\n",
    b"\r.\r",
    b"x" * 7,
)
CLEAN_TOKENS = (b"\r\n", b".", b"a", b"\0", b"\r\n.", b"\r\n..", b"\xff", b"MAIL FROM:<>\r\n", b"x" * 999)
VERBS = (b"HELO", b"EHLO", b"MAIL", b"RCPT", b"DATA", b"RSET", b"VRFY", b"EXPN", b"HELP", b"NOOP", b"QUIT")
#: What command lines are made of, and what was ever hidden in them.
LINE_TOKENS = (
    *VERBS, b"STARTTLS", b"AUTH", b"BDAT", b"PLAIN", b"mail", b" FROM:", b" TO:", b" ", b"\t", b":", b"<", b">", b"<>",
    b"@", b"a", b"b.c", b"..", b'"', b"\\", b"[", b"]", b"[192.0.2.1]", b"[IPv6:::1]", b",", b"SIZE=", b"=", b"+0D+0A",
    b"BODY=8BITMIME", b"SMTPUTF8", b"12", b"\0", b"\r", b"\n", b"\x7f", b"\xc3\xa9", b"\xe2\x80\x8b", b"\xff",
    b"x" * 64,
)  # fmt: skip
REPLY_TOKENS = (
    b"250", b"-", b" ", b"ok", b"\r\n", b"\r", b"\n", b"550", b"354", b"600", b"2", b"2.1.0 ", b"5.1.1", b"\0", b"\xff",
    b"\t", b"\x1b", b"250-a\r\n", b"250 b\r\n",
)  # fmt: skip


def joined(tokens: Sequence[bytes], *, max_size: int = 12) -> SearchStrategy[bytes]:
    """Octets put together from tokens."""
    return st.lists(st.sampled_from(tokens), max_size=max_size).map(b"".join)


contents = joined(CONTENT_TOKENS)  #: Content as a peer may send it, with anything in it.
clean_contents = joined(CLEAN_TOKENS)  #: Content without a bare CR or LF.
command_lines = joined(LINE_TOKENS)  #: What stands where a command should.
reply_streams = joined(REPLY_TOKENS)  #: What comes where replies should.
octets = st.binary(max_size=60)


@st.composite
def partitions(draw: DrawFn, data: bytes, max_cuts: int = 6) -> list[bytes]:
    """The same octets in pieces, some of them empty."""
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=max_cuts)))
    return [data[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(data)])]


_HOSTILE = (
    "\r\n", "\r", "\n", "\0", "\x7f", "\x1b", " ", "\t", "<", ">", "=", "@", '"', "\\", ".", "a", "250 ok", "QUIT",
    "\r\nRCPT TO:<x@y>", "\u760d\u760a", "\u010d\u010a", "\ud800", "\udc0a", "\udcff", "\u0085", "\u2028",
)  # fmt: skip
#: Any text at all, lone surrogates and controls too, with what ends lines and arguments more often than chance has it.
hostile_text = st.lists(
    st.one_of(
        st.sampled_from(_HOSTILE),
        st.text(st.characters(), max_size=4),
        st.text(st.characters(codec="ascii"), max_size=4),
    ),
    max_size=6,
).map("".join)

_ATEXT = "abcXYZ019!#$%&'*+-/=?^_`{|}~"
_QTEXT = _ATEXT + ' ".\\@()<>[],;:'
_atoms = st.text(_ATEXT + "\u00e9\u0436\u65e5", min_size=1, max_size=8)
_labels = st.from_regex(r"[a-z0-9](-?[a-zA-Z0-9]){0,8}", fullmatch=True) | st.sampled_from(
    ["b\u00fccher", "\u65e5\u672c"]
)

local_parts = st.one_of(st.lists(_atoms, min_size=1, max_size=3).map(".".join), st.text(_QTEXT, max_size=12))
domains = st.lists(_labels, min_size=1, max_size=4).map(".".join).map(Domain)
literals = st.one_of(
    st.ip_addresses(v=4).map(lambda address: AddressLiteral("IPv4", str(address))),
    st.ip_addresses(v=6).map(lambda address: AddressLiteral("IPv6", str(address))),
    st.builds(AddressLiteral, st.just("x-tag"), st.text("abc:.-!", min_size=1, max_size=8)),
)
mailboxes = st.builds(Mailbox, local_parts, st.one_of(domains, literals))

sizes = st.integers(0, 10**20 - 1)
timestamps = st.builds(
    lambda when, fraction, offset: Timestamp(f"{when.isoformat()}{fraction}{offset}"),
    st.datetimes().map(lambda when: when.replace(microsecond=0)),
    st.just("") | st.integers(0, 999_999_999).map(lambda digits: f".{digits}"),
    st.sampled_from(["Z", "+00:00", "-00:00", "+23:59", "-11:30"]),
)
solicitations = st.from_regex(r"[a-z][a-zA-Z0-9.:_\-]{0,9}", fullmatch=True)
valid_sinces = st.builds(
    ValidSince, timestamps.filter(lambda when: "." not in when.text), st.none() | st.sampled_from(IfUnsupported)
)
deliver_bys = st.one_of(
    st.builds(DeliverBy, st.integers(-999_999_999, 999_999_999), st.just(ByMode.NOTIFY), trace=st.booleans()),
    st.builds(DeliverBy, st.integers(1, 999_999_999), st.just(ByMode.RETURN), trace=st.booleans()),
)


def printable(max_size: int) -> SearchStrategy[str]:
    """Printable ASCII, with what xtext has to encode more often than chance has it."""
    characters = st.one_of(st.sampled_from("+= ;\\"), st.characters(min_codepoint=32, max_codepoint=126))
    return st.text(characters, min_size=1, max_size=max_size)


_mail_parameters: tuple[SearchStrategy[Parameter], ...] = (
    sizes.map(SIZE),
    st.sampled_from(Body).map(BODY),
    st.just(UTF8(True)),
    st.one_of(st.none(), mailboxes).map(SUBMITTER),
    st.sampled_from(Ret).map(RET),
    printable(30).map(ENVID),
    st.just(REQUIRETLS(True)),
    st.just(CONPERM(True)),
    st.integers(-9, 9).map(PRIORITY),
    st.integers(1, 999_999_999).map(HOLDFOR),
    timestamps.map(HOLDUNTIL),
    deliver_bys.map(BY),
    st.lists(st.from_regex(r"[a-z][a-zA-Z0-9.:_\-]{0,9}", fullmatch=True), min_size=1, max_size=4)
    .map(tuple)
    .map(SOLICIT),
)
notifies = st.builds(Notify, success=st.booleans(), failure=st.booleans(), delay=st.booleans())
original_recipients = st.one_of(
    st.builds(OriginalRecipient, st.sampled_from(["rfc822", "X400", "x-y"]), printable(40)),
    st.builds(
        OriginalRecipient,
        st.just("utf-8"),
        st.text("ab.@+=\\ {}x\u00e9\u0436\U0001f600", min_size=1, max_size=20),
        unitext=st.booleans(),
    ),
)
_rcpt_parameters: tuple[SearchStrategy[Parameter], ...] = (
    notifies.map(NOTIFY),
    original_recipients.map(ORCPT),
    valid_sinces.map(RRVS),
    st.just(CONNEG(True)),
)


@st.composite
def _some_of(draw: DrawFn, parameters: tuple[SearchStrategy[Parameter], ...]) -> list[Parameter]:
    chosen = draw(st.permutations(parameters))[: draw(st.integers(0, len(parameters)))]
    return [draw(parameter) for parameter in chosen]


def mail_parameters() -> SearchStrategy[list[Parameter]]:
    """Parameters of MAIL, none of them twice."""
    return _some_of(_mail_parameters)


def rcpt_parameters() -> SearchStrategy[list[Parameter]]:
    """Parameters of RCPT, none of them twice."""
    return _some_of(_rcpt_parameters)


_texts = st.text("abc xyz.:@<>\u00e9\U0001f600", max_size=20).map(str.strip)
_words = _texts.filter(bool)

mails = st.builds(lambda sender, parameters: Mail(sender, *parameters), st.none() | mailboxes, mail_parameters())
rcpts = st.builds(
    lambda recipient, parameters: Rcpt(recipient, *parameters), st.just(POSTMASTER) | mailboxes, rcpt_parameters()
)
greetings = st.builds(lambda kind, name: kind(name), st.sampled_from([Helo, Ehlo, Lhlo]), domains | literals)
auths = st.builds(Auth, st.sampled_from(["PLAIN", "LOGIN", "SCRAM-SHA-256"]), st.none() | octets)
etrns = st.one_of(
    st.builds(Etrn, domains.filter(lambda domain: domain.text.isascii()), st.sampled_from(["", "@"])),
    st.builds(Etrn, st.text("!#@az~", min_size=1, max_size=8), st.just("#")),
)
_nobody = st.just(Unavailable.UNAVAILABLE)
_tokens = st.text("abcXYZ019[]-_.:=+*", min_size=1, max_size=8).filter(
    lambda text: text.upper() not in {"[UNAVAILABLE]", "[TEMPUNAVAIL]"}
)
_hosts = domains.filter(lambda domain: domain.text.isascii()).map(str)
_addresses = st.ip_addresses().map(str)
_ports = st.integers(1, 65_535) | _nobody
xclients = st.builds(
    XClient,
    name=_hosts | st.sampled_from(Unavailable),
    address=st.none() | _addresses | _nobody,
    port=st.none() | _ports,
    protocol=st.sampled_from([None, "SMTP", "ESMTP"]),
    helo=st.none() | _tokens | _nobody,
    login=st.none() | st.text("abc @+=é\U0001f600", min_size=1, max_size=8) | _nobody,
    destination_address=st.none() | _addresses | _nobody,
    destination_port=st.none() | _ports,
)
xforwards = st.builds(
    XForward,
    name=_tokens | _nobody,
    address=st.none() | _addresses | _nobody,
    port=st.none() | _ports,
    protocol=st.none() | _tokens | _nobody,
    helo=st.none() | _tokens | _nobody,
    identifier=st.none() | _tokens | _nobody,
    source=st.sampled_from([None, *MessageSource, Unavailable.UNAVAILABLE]),
)
burls = st.builds(
    lambda kind, rest: kind(f"imap:{rest}"),
    st.sampled_from([Burl, BurlLast]),
    st.from_regex(r"([a-z/;:=?@.+-]|%4a){1,20}", fullmatch=True),
)
atrns = st.lists(domains.filter(lambda domain: domain.text.isascii()), max_size=3).map(lambda found: Atrn(*found))
#: Commands of every verb, without the lines of an AUTH exchange, which are no commands on the wire.
commands: SearchStrategy[Command] = st.one_of(
    mails,
    rcpts,
    greetings,
    auths,
    etrns,
    xclients,
    xforwards,
    burls,
    atrns,
    st.sampled_from([Data(), Rset(), Quit(), StartTls()]),
    st.builds(lambda kind, text: kind(text), st.sampled_from([Vrfy, Expn]), _words),
    st.builds(lambda kind, text: kind(text), st.sampled_from([Help, Noop]), _texts),
)
auth_responses = st.builds(AuthResponse, st.none() | octets)

codes = st.integers(200, 599)


@st.composite
def enhanced_codes(draw: DrawFn, code: int) -> EnhancedCode | None:
    """An enhanced status code that goes with a reply code, or none."""
    if code // 100 == 3 or draw(st.booleans()):
        return None
    return EnhancedCode(code // 100, draw(st.integers(0, 999)), draw(st.integers(0, 999)))


@st.composite
def replies(draw: DrawFn) -> Reply:
    """Replies, of one line or of many, with and without an enhanced status code."""
    code = draw(codes)
    lines = draw(st.lists(st.text("abc 0129.-:\t\u00e9\U0001f600", max_size=12), min_size=1, max_size=4))
    return Reply(code, lines, draw(enhanced_codes(code)))


capability_lines = st.builds(
    Capability,
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9\-]{0,8}", fullmatch=True),
    st.text("abc =09:.", max_size=10).map(str.strip),
)
capability_sets = st.lists(capability_lines, max_size=5).map(lambda lines: Capabilities(*lines))

#: Every verb and parameter there is, with the one of LMTP.
VOCABULARY = Vocabulary(
    [*STANDARD.vocabulary.verbs.values(), Lhlo],
    STANDARD.vocabulary.mail_parameters.values(),
    STANDARD.vocabulary.rcpt_parameters.values(),
)
