"""Forwards: who wrote what was forwarded, when, under which subject, whether attached or inline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from parsers.subjects import SubjectFacts
from parsers.types import Address, Forwarded


@dataclass(frozen=True, slots=True)
class NestedMessage:
    """The facts of an attached message/rfc822 part that a forward is read from."""

    originator: Address | None
    date: datetime | None
    subject: str
    text: str


def read_forward(text: str, subject: SubjectFacts, nested: NestedMessage | None) -> Forwarded | None:
    """Returns what `text` (a whole body) or the attached mail forwards, or None if nothing was forwarded."""
    if nested is not None and subject.is_forward:
        return Forwarded(nested.originator, nested.date, nested.subject, nested.text)
    return None
