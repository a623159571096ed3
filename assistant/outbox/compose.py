"""From finished parts to the exact bytes of a mail (RFC 5322), with the headers that keep machines from answering."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import uuid
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from zoneinfo import ZoneInfo

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]+")
_DIRECTIONS = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]+")
"""Unicode's orders to turn text around (UAX #9), and letters that are not shown: they make a name or a link read as another."""
_MESSAGE_ID = re.compile(r"(?=.{3,900}\Z)[\x21-\x3b\x3d\x3f-\x7e]+@[\x21-\x3b\x3d\x3f-\x7e]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]*")
_POLICY = SMTP.clone(max_line_length=78)
_LINE = 78
_ENCODED_BYTES = 42
"""Of UTF-8 in one encoded word, which may have 75 characters in all (RFC 2047 §2)."""


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


def mint_message_id(domain: str, secret: str = "", *what: object) -> str:
    """A Message-ID on our own domain, unique for ever (RFC 5322 §3.6.4), that nobody outside can guess.

    The same mail, described by `what`, ordered anew after a restore gets the id it had, and is found among sent mail.
    `secret` is the installation's: whoever knew the id could answer into the conversation or report the mail as returned.
    """
    if not what:
        return f"{uuid.uuid4().hex}.cca@{domain}"
    described = json.dumps([domain, *map(str, what)]).encode()
    return f"{hmac.new(secret.encode(), described, hashlib.sha256).hexdigest()[:32]}.cca@{domain}"


def compose(letter: Letter) -> bytes:
    """The message as it will be stored and sent, CRLF line ends.

    Carries `Auto-Submitted: auto-generated` (RFC 3834 §5) and asks Exchange not to answer with absences; bounces stay
    welcome. Names and subjects lose control characters, so that nothing in them becomes a header.
    """
    body = EmailMessage(policy=_POLICY)
    text = _printable(letter.text)
    body.set_content(text, charset="utf-8", cte=_transfer_encoding(text))
    if letter.html is not None:
        html = _printable(letter.html)
        body.add_alternative(html, subtype="html", charset="utf-8", cte=_transfer_encoding(html))
    return b"".join(_field(name, tokens) for name, tokens in _fields(letter)) + body.as_bytes()


def _fields(letter: Letter) -> Iterator[tuple[str, list[str]]]:
    """Each header field with the words between which it may be folded.

    The standard library is not asked: it takes encoded words that stand in a subject apart, whatever they hide, and
    encodes ids that are longer than a line.
    """
    yield "From", _mailboxes([letter.originator])
    yield "To", _mailboxes(letter.to)
    if letter.cc:
        yield "Cc", _mailboxes(letter.cc)
    if letter.reply_to:
        yield "Reply-To", _mailboxes(letter.reply_to)
    yield "Subject", _words(letter.subject)
    yield "Date", [format_datetime(letter.date.astimezone(ZoneInfo(letter.timezone)))]
    yield "Message-ID", [f"<{letter.message_id}>"]
    answered = letter.in_reply_to if letter.in_reply_to and _MESSAGE_ID.fullmatch(letter.in_reply_to) else None
    if answered:
        yield "In-Reply-To", [f"<{answered}>"]
    if references := _ids((*letter.references, *((answered,) if answered else ()))):
        yield "References", [f"<{identifier}>" for identifier in references]
    yield "Auto-Submitted", ["auto-generated"]
    yield "X-Auto-Response-Suppress", ["OOF, AutoReply"]
    if letter.language:
        yield "Content-Language", [letter.language]
    if letter.unsubscribe_address:
        yield "List-Unsubscribe", [f"<mailto:{letter.unsubscribe_address}?subject=unsubscribe>"]


def _field(name: str, words: Iterable[str]) -> bytes:
    """One field, folded before words that would pass the 78th column (RFC 5322 §2.1.1)."""
    lines = [f"{name}:"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > _LINE and len(lines[-1]) > len(name) + 1:
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join([*lines, ""]).encode()


def _words(text: str) -> list[str]:
    """Plain words as they are; as soon as one could be misread, the whole in encoded words (RFC 2047)."""
    text = _clean(text)
    words = text.split(" ")
    if text.isascii() and "=?" not in text and all(0 < len(word) < _LINE - 12 for word in words):
        return words
    return [f"=?utf-8?b?{b64encode(part).decode('ascii')}?=" for part in _pieces(text)]


def _pieces(text: str) -> Iterator[bytes]:
    """UTF-8 in pieces that end between characters (RFC 2047 §5)."""
    piece = b""
    for character in text:
        encoded = character.encode()
        if len(piece) + len(encoded) > _ENCODED_BYTES:
            yield piece
            piece = b""
        piece += encoded
    if piece:
        yield piece


def _mailboxes(people: Sequence[Person]) -> list[str]:
    words = []
    for number, person in enumerate(people, 1):
        words.extend(
            [*_display_name(person.name), f"<{_addr_spec(person.addr_spec)}>" + ("," if number < len(people) else "")]
        )
    return words


def _display_name(name: str) -> list[str]:
    """A phrase (RFC 5322 §3.2.5): bare, quoted, or encoded."""
    name = _clean(name)[:200]
    if not name:
        return []
    words = _words(name)
    if words[0].startswith("=?") or _ATOMS.fullmatch(name):
        return words
    return ['"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"']


def _addr_spec(addr_spec: str) -> str:
    """Without anything that would end it; other scripts stay as they are (RFC 6532), the server says if it minds."""
    return re.sub(r"[\s<>,;]", "", _clean(addr_spec))


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


def _printable(text: str) -> str:
    return _DIRECTIONS.sub("", _NOT_IN_TEXT.sub("", text))


def _clean(text: str) -> str:
    return _DIRECTIONS.sub("", _CONTROL.sub(" ", text)).strip()
