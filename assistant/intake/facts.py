"""What intake takes from a message or from records by plain functions: its time, its fingerprint, the project's history."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from assistant.intake.project_book import Entry
from assistant.model.reading import ContextItem
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
    letters = "".join(filter(str.isalnum, message.reply[:4000]))
    names = "|".join(item.sha256 for item in message.attachments)
    writer = message.originator.addr_spec if message.originator else ""
    return hashlib.sha256(f"{writer}|{message.base_subject}|{letters}|{names}".encode("utf-8", "replace")).hexdigest()


def history(entries: Collection[Entry], before: datetime) -> tuple[ContextItem, ...]:
    """The last messages between people in the project, oldest first."""
    earlier = [
        entry
        for entry in entries
        if entry.facts.sent_at <= before and entry.facts.kind == "human" and not entry.facts.automatic
    ]
    earlier.sort(key=lambda entry: (entry.facts.sent_at, entry.facts.tie))
    return tuple(entry.item for entry in earlier[-_HISTORY:])
