"""What it costs to write a header, and a whole new message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8

from smtpcore.compose import Attachment, compose
from smtpcore.message.accessors import READERS
from smtpcore.message.build import build_header
from smtpcore.message.header import Header
from smtpcore.message.unstructured import Unstructured

from .report import Case, Run, cpu, table

Fields = Sequence[tuple[str, str]]

#: Twenty fields of a message of a mailing list.
ASCII: Fields = [
    ("Date", "Tue, 24 Nov 2026 09:33:40 +0000"),
    ("From", "Alice Crepe <alice@crepes.fr>"),
    ("Sender", "list-owner@lists.hamburger.edu"),
    ("Reply-To", '"The List, for everybody" <list@lists.hamburger.edu>'),
    ("To", "Bob <bob@hamburger.edu>, Carol <carol@hamburger.edu>, Dave Long Name <dave@a-longer-name.hamburger.edu>"),
    ("Cc", "friends: erin@hamburger.edu, Frank <frank@hamburger.edu>;, grace@crepes.fr"),
    ("Subject", "[list] Picture for you, as promised, of what we had for lunch on the day before yesterday in town"),
    ("Message-ID", "<20261124093340.1A2B3C4D5E@mail.crepes.fr>"),
    ("In-Reply-To", "<20261123093340.5E4D3C2B1A@mail.hamburger.edu>"),
    ("References", " ".join([f"<2026112{day}093340.5E4D3C2B1A@mail.hamburger.edu>" for day in range(4)])),
    ("MIME-Version", "1.0"),
    ("Content-Type", 'multipart/mixed; boundary="=_0000000000000000"'),
    ("Content-Transfer-Encoding", "7bit"),
    ("List-Id", "The List <list.lists.hamburger.edu>"),
    ("List-Post", "<mailto:list@lists.hamburger.edu>"),
    ("List-Unsubscribe", "<https://lists.hamburger.edu/unsubscribe/list>, <mailto:list-leave@lists.hamburger.edu>"),
    ("Auto-Submitted", "no"),
    ("X-Mailer", "A mailer of some name, version 1.2.3"),
    ("X-Priority", "3"),
    ("Comments", "It was written in a hurry, and is longer than a line has room for, so that it has to be folded."),
]
_BEYOND = {
    "From": "Zo\u00eb Cr\u00eape <zoe@crepes.fr>",
    "To": "B\u00f6b <bob@hamburger.edu>, Carol <carol@hamburger.edu>, D\u00e0ve L\u00f6ng <dave@hamburger.edu>",
    "Subject": "[list] Cr\u00eapes \u00e0 la cr\u00e8me, and na\u00efve caf\u00e9s: what we had for lunch yesterday",
}
BEYOND: Fields = [(name, _BEYOND.get(name, text)) for name, text in ASCII]


def _checked(octets: bytes, fields: Fields) -> bytes:
    """A header, if it is one of these fields."""
    if [field.name.decode() for field in Header.parse(octets)] != [name for name, _ in fields]:
        raise ValueError("a header of other fields")
    return octets


def header(fields: Fields, run: Run, *, utf8: bool = False) -> dict[str, Case | None]:
    """A header whose values are there already: serialising and folding is what is counted."""
    count = run.amount(200, 5)
    values = []
    for name, text in fields:
        reader = READERS.get(name.lower().encode())
        values.append((name, reader(text) if reader else Unstructured(text)))
    message = EmailMessage(policy=SMTPUTF8 if utf8 else SMTP)
    for name, text in fields:
        message[name] = text
    _checked(bytes(build_header(values, utf8=utf8)), fields)
    _checked(message.as_bytes(), fields)

    def ours() -> float:
        return cpu(lambda: [bytes(build_header(values, utf8=utf8)) for _ in range(count)]) / count

    def theirs() -> float:
        return cpu(lambda: [message.as_bytes() for _ in range(count)]) / count

    return {"smtpcore": ours, "EmailMessage.as_bytes": theirs}


def letter(run: Run) -> dict[str, Case | None]:
    """A new message from text to octets: five fields, a text, the same as HTML, a file."""
    count = run.amount(100, 5)
    to, subject = _BEYOND["To"], _BEYOND["Subject"]
    text, file = "Voil\u00e0, a line of text that says something.\n" * 20, bytes(range(256)) * 40
    date = datetime(2026, 11, 24, 9, 33, 40, tzinfo=UTC)

    def ours() -> float:
        def make() -> bytes:
            return bytes(
                compose(
                    from_="alice@crepes.fr",
                    to=to,
                    subject=subject,
                    date=date,
                    message_id="1@crepes.fr",
                    text=text,
                    html=text,
                    attachments=[Attachment(file, "a.jpg", "image/jpeg")],
                )
            )

        return cpu(lambda: [make() for _ in range(count)]) / count

    def theirs() -> float:
        def make() -> bytes:
            message = EmailMessage(policy=SMTP)
            message["Date"] = date
            message["From"] = "alice@crepes.fr"
            message["To"] = to
            message["Subject"] = subject
            message["Message-ID"] = "<1@crepes.fr>"
            message.set_content(text)
            message.add_alternative(text, subtype="html")
            message.add_attachment(file, "image", "jpeg", filename="a.jpg")
            return message.as_bytes()

        return cpu(lambda: [make() for _ in range(count)]) / count

    return {"smtpcore": ours, "EmailMessage": theirs}


def composing(run: Run) -> None:
    """Headers, and whole messages."""

    def per_second(cost: float) -> str:
        return f"{1 / cost:,.0f}"

    unit = "per CPU second"
    table("Writing a header of 20 fields, ASCII", f"headers {unit}", header(ASCII, run), run, per_second)
    table("Writing a header of 20 fields, names beyond ASCII", f"headers {unit}", header(BEYOND, run), run, per_second)
    cases = header(BEYOND, run, utf8=True)
    table("Writing a header of 20 fields, SMTPUTF8", f"headers {unit}", cases, run, per_second)
    table("Composing a message with text, HTML and a file", f"messages {unit}", letter(run), run, per_second)
