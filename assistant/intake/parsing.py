"""Phase 3 and the costly part of phase 6: from raw bytes to facts, without a database, here or in a process beside."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from assistant.intake.facts import fingerprint, plausible_time
from assistant.mail.sources import is_empty
from assistant.model.authentication import ProveSender
from assistant.model.people import Directory, Relation, relate
from assistant.model.reading import Reader, TextToRead
from parsers import Message

_log = structlog.get_logger("assistant.intake")

EMPTY = "the message is empty: whoever gave it gave no word and no header of it"


@dataclass(frozen=True, slots=True)
class KeptMail:
    """One message as it was kept, and when it was received."""

    location_id: int
    raw: bytes
    received_at: datetime
    mailbox: str
    """Where it was found, and so whose verdict on its sender counts."""
    recent: bool = False
    """Whether its sender may still be proved by keys in the DNS, and something may begin with it."""


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """One message between parsing and recording. `text` and `subject` are the writer's own: of a forward the inner ones."""

    location_id: int
    message: Message
    relation: Relation
    message_id: str
    fingerprint: str
    sent_at: datetime
    text: str
    subject: str
    prepared: object | None = None
    """What the reader prepared of the text; None where that is left to the phase itself."""

    @property
    def to_read(self) -> TextToRead:
        return TextToRead(self.subject, self.text, self.message.language)


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A message that broke the parser."""

    location_id: int
    phase: str
    error: str
    reason: str


def facts_of(mail: KeptMail, message: Message, directory: Directory, prove: ProveSender | None = None) -> ParsedMail:
    """What a parsed message says of itself."""
    relation = relate(message, directory.at(mail.mailbox), prove)
    forwarded = message.forwarded if relation.forwarded else None
    return ParsedMail(
        mail.location_id,
        message,
        relation,
        message.message_id or f"{hashlib.sha256(mail.raw).hexdigest()[:32]}@missing.invalid",
        fingerprint(message),
        plausible_time(forwarded.date if forwarded and forwarded.date else message.date, mail.received_at),
        forwarded.text if forwarded else message.reply,
        forwarded.subject if forwarded and forwarded.subject else message.subject,
    )


def parse_and_prepare(
    mails: Sequence[KeptMail],
    parse: Callable[[KeptMail], ParsedMail],
    reader: Reader,
    before_reading: Callable[[], None] = lambda: None,
) -> list[ParsedMail | Unparsed]:
    """Facts of each message, in order; the texts of people are prepared together, which is where the reader is quick.

    `before_reading` is called between the two.
    """
    found = [_parsed(mail, parse) for mail in mails]
    human = [mail for mail in found if isinstance(mail, ParsedMail) and mail.message.kind == "human"]
    before_reading()
    try:
        prepared = reader.prepare([mail.to_read for mail in human]) if human else ()
    except Exception:  # noqa: BLE001  # one text may break them all: each is then read alone, where it breaks only itself
        _log.warning("batch_reading_failed", messages=len(human))
        return found
    ready = {mail.location_id: item for mail, item in zip(human, prepared, strict=True)}
    return [
        replace(mail, prepared=ready.get(mail.location_id)) if isinstance(mail, ParsedMail) else mail for mail in found
    ]


def _parsed(mail: KeptMail, parse: Callable[[KeptMail], ParsedMail]) -> ParsedMail | Unparsed:
    if is_empty(mail.raw):
        return Unparsed(mail.location_id, "parse", "EmptyMessage", EMPTY)
    try:
        return parse(mail)
    except Exception as error:  # noqa: BLE001  # whatever a message breaks, the others go on
        return Unparsed(mail.location_id, "parse", type(error).__name__, reason_of(error))


def reason_of(error: Exception) -> str:
    """What broke and where, in one line."""
    frame = traceback.extract_tb(error.__traceback__)[-1] if error.__traceback__ else None
    place = f" ({frame.name}:{frame.lineno})" if frame else ""
    return f"{type(error).__name__}: {error}"[:500] + place
