"""The audit log: who or which rule decided what, when. Written once; only the erasure of a person may touch it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.store.erased import REASON
from assistant.store.tables import AuditEntry, Setting

_ERASING: Final = "audit-erasure"
"""The database lets entries be changed only while a setting of this name stands in the same transaction."""


def note_decision(session: Session, now: datetime, who: str, event: str, subject: str, **details: object) -> None:
    """Writes down that `who` decided something about `subject` (`client:3`, `record:5` …)."""
    session.add(AuditEntry(at=now, who=who, event=event, subject=subject, details=details))


@contextmanager
def erasing_from_audit(session: Session, who: str, subject: str, now: datetime) -> Iterator[None]:
    """Inside, entries may be changed or deleted, because the law demands it; afterwards the log says that it was done.

    `subject` names whom it was done for without naming him, such as a hash.
    """
    session.add(Setting(name=_ERASING, value={}))
    session.flush()
    yield
    session.flush()
    session.delete(session.get_one(Setting, _ERASING))
    session.add(AuditEntry(at=now, who=who, event="audit-erased", subject=subject, details={}))
    session.flush()


def says_something(entry: AuditEntry) -> bool:
    """Whether its words still stand: those that named somebody who is forgotten were taken out."""
    return REASON not in entry.details


def audit_rows(
    session: Session, *, last: int, who: str = "", event: str = "", about: str = ""
) -> Iterator[dict[str, Any]]:
    """The latest entries that fit, oldest first; `who` and `about` are the beginning of what stands there."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(last)
    if who:
        query = query.where(AuditEntry.who.startswith(who, autoescape=True))
    if event:
        query = query.where(AuditEntry.event == event)
    if about:
        query = query.where(AuditEntry.subject.startswith(about, autoescape=True))
    for entry in reversed(session.scalars(query).all()):
        yield {
            "id": entry.id,
            "at": entry.at,
            "who": entry.who,
            "event": entry.event,
            "subject": entry.subject,
            "details": entry.details,
        }
