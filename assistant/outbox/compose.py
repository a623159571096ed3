"""From finished parts to the exact bytes of a mail (RFC 5322), with the headers that keep machines from answering."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from zoneinfo import ZoneInfo

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_MESSAGE_ID = re.compile(r"[^\s<>\x00-\x1f]+@[^\s<>\x00-\x1f]+")
_POLICY = SMTP.clone(max_line_length=78)


@dataclass(frozen=True, slots=True)
class Person:
    """A name and an addr-spec for a header."""

    name: str
    addr_spec: str


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything that a mail of ours says in its headers and parts. `date` is aware; ids are without brackets."""

    originator: Person
    to: tuple[Person, ...]
    subject: str
    text: str
    date: datetime
    timezone: str
    message_id: str
    html: str | None = None
    cc: tuple[Person, ...] = ()
    reply_to: tuple[Person, ...] = ()
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    unsubscribe_address: str = ""
    """Where a mailto List-Unsubscribe (RFC 2369) points; for greetings and summaries."""
    language: str = ""


def mint_message_id(domain: str) -> str:
    """A Message-ID on our own domain, unique for ever (RFC 5322 §3.6.4)."""
    return f"{uuid.uuid4().hex}.cca@{domain}"


def compose(letter: Letter) -> bytes:
    """The message as it will be stored and sent, CRLF line ends.

    Carries `Auto-Submitted: auto-generated` (RFC 3834 §5) and asks Exchange not to answer with absences; bounces stay
    welcome. Names and subjects lose control characters, so that nothing in them becomes a header.
    """
    message = EmailMessage(policy=_POLICY)
    message["From"] = _address(letter.originator)
    message["To"] = [_address(person) for person in letter.to]
    if letter.cc:
        message["Cc"] = [_address(person) for person in letter.cc]
    if letter.reply_to:
        message["Reply-To"] = [_address(person) for person in letter.reply_to]
    message["Subject"] = _clean(letter.subject)
    message["Date"] = format_datetime(letter.date.astimezone(ZoneInfo(letter.timezone)))
    message["Message-ID"] = f"<{letter.message_id}>"
    references = _ids((*letter.references, *((letter.in_reply_to,) if letter.in_reply_to else ())))
    if letter.in_reply_to and _MESSAGE_ID.fullmatch(letter.in_reply_to):
        message["In-Reply-To"] = f"<{letter.in_reply_to}>"
    if references:
        message["References"] = " ".join(f"<{identifier}>" for identifier in references)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    if letter.language:
        message["Content-Language"] = letter.language
    if letter.unsubscribe_address:
        message["List-Unsubscribe"] = f"<mailto:{letter.unsubscribe_address}?subject=unsubscribe>"
    message.set_content(letter.text, charset="utf-8", cte=_transfer_encoding(letter.text))
    if letter.html is not None:
        message.add_alternative(letter.html, subtype="html", charset="utf-8", cte=_transfer_encoding(letter.html))
    return message.as_bytes()


def _transfer_encoding(text: str) -> str:
    """Chinese is shorter in base64, English readable in quoted-printable; 7bit only where no line is too long."""
    if text.isascii():
        return "7bit" if all(len(line) < 900 for line in text.splitlines()) else "quoted-printable"
    foreign = sum(1 for character in text if not character.isascii())
    return "base64" if foreign * 3 > len(text) else "quoted-printable"


def _ids(identifiers: Sequence[str]) -> tuple[str, ...]:
    """Valid ids once each; of a very long conversation its beginning and its end (RFC 5322 lets us drop between)."""
    valid = tuple(dict.fromkeys(identifier for identifier in identifiers if _MESSAGE_ID.fullmatch(identifier)))
    return valid if len(valid) <= 60 else (valid[0], *valid[-59:])


def _address(person: Person) -> HeaderAddress:
    return HeaderAddress(display_name=_clean(person.name), addr_spec=_clean(person.addr_spec))


def _clean(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()
