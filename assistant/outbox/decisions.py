"""What a person says about a mail before it leaves: yes, or no. Each is stored with who said it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from assistant.store.tables import AuditEntry, OutboxMessage


@dataclass(frozen=True, slots=True)
class DecisionOutcome:
    """Whether something changed, and a sentence for the person."""

    done: bool
    sentence: str


def approve_mail(session: Session, number: int, by: str, now: datetime) -> DecisionOutcome:
    """Lets a waiting mail leave at the next turn; guards are still asked then."""
    row = session.get(OutboxMessage, number)
    if row is None:
        return DecisionOutcome(False, "there is no such mail")
    if row.state not in {"waiting_approval", "queued", "uncertain"}:
        return DecisionOutcome(False, f"it is {row.state} already")
    row.state, row.due_at, row.decided_by = "queued", max(now, _earliest(row, now)), by
    _audit(session, row, "approved", by, now)
    return DecisionOutcome(True, "approved; it leaves at the next turn")


def veto_mail(session: Session, number: int, by: str, now: datetime) -> DecisionOutcome:
    """Stops a mail that has not left."""
    row = session.get(OutboxMessage, number)
    if row is None:
        return DecisionOutcome(False, "there is no such mail")
    if row.state not in {"waiting_approval", "queued", "deferred", "uncertain"}:
        return DecisionOutcome(False, f"it is {row.state} already")
    row.state, row.reason, row.settled_at, row.decided_by = "vetoed", f"vetoed by {by}", now, by
    _audit(session, row, "vetoed", by, now)
    return DecisionOutcome(True, "stopped")


def _earliest(row: OutboxMessage, now: datetime) -> datetime:
    """A veto period ends with a yes; a mail that waits for its hour keeps waiting for it."""
    return now if row.release.startswith("veto") or row.state in {"waiting_approval", "uncertain"} else row.due_at


def _audit(session: Session, row: OutboxMessage, event: str, by: str, now: datetime) -> None:
    session.add(
        AuditEntry(at=now, who=by, event=f"mail-{event}", subject=f"outbox:{row.id}", details={"rule": row.rule})
    )
