"""What intake takes from a message or from records by plain functions: its time, its fingerprint, the project's history."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from assistant.model.reading import ContextItem
from assistant.store.tables import Record
from parsers import Message

_HISTORY = 12
_TEN_YEARS = timedelta(days=3653)
_CLOCK_SLACK = timedelta(minutes=15)


def plausible_time(written: datetime | None, received: datetime) -> datetime:
    """The Date header where it can be true: not after the mail was received, not ten years before."""
    if written is None or written > received + _CLOCK_SLACK or written < received - _TEN_YEARS:
        return received.astimezone(UTC)
    return written.astimezone(UTC)


def fingerprint(message: Message) -> str:
    """The same for copies of one message that took different ways, different for a reused Message-ID."""
    letters = "".join(character for character in message.reply[:4000] if character.isalnum())
    names = "|".join(item.sha256 for item in message.attachments)
    writer = message.originator.addr_spec if message.originator else ""
    return hashlib.sha256(f"{writer}|{message.base_subject}|{letters}|{names}".encode("utf-8", "replace")).hexdigest()


def history(records: Sequence[Record], before: datetime) -> tuple[ContextItem, ...]:
    """The last messages between people in the project, oldest first."""
    earlier = [row for row in records if row.sent_at <= before and row.kind == "human" and not row.automatic]
    earlier.sort(key=lambda row: (row.sent_at, row.id))
    return tuple(
        ContextItem(
            row.stage,
            tuple((item[0], item[1]) for item in _probabilities(row)),
            row.direction,
            row.sent_at,
            tuple(item[0] for item in row.attachments),
        )
        for row in earlier[-_HISTORY:]
    )


def _probabilities(row: Record) -> Sequence[Sequence[Any]]:
    """What the words alone said of an earlier mail; where a person said it, that."""
    if row.stage_confidence >= 1.0 or not row.text_probabilities:
        return row.stage_probabilities
    return row.text_probabilities
