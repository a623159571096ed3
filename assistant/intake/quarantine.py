"""Messages that broke a phase: kept with phase and reason until a retry goes through."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session, aliased

from assistant.store.tables import Location, Quarantine

_log = structlog.get_logger("assistant.intake")


def put_in_quarantine(session: Session, location: Location, phase: str, error: str, reason: str, now: datetime) -> None:
    """Stores which phase broke and on what; a message that was there before counts one attempt more. `error` names its type."""
    location.outcome, location.outcome_reason = "quarantined", phase
    row = session.scalar(select(Quarantine).where(Quarantine.location_id == location.id))
    if row is None:
        session.add(Quarantine(location_id=location.id, raw_id=location.raw_id, phase=phase, reason=reason, since=now))
    else:
        row.phase, row.reason, row.attempts, row.settled_at = phase, reason, row.attempts + 1, None
    session.flush()
    _log.error("message_quarantined", location=location.id, phase=phase, error=error)


def in_quarantine(session: Session, pending: Sequence[Location]) -> frozenset[int]:
    """Which of these locations were in quarantine before: asked once for all."""
    rows = session.scalars(
        select(Quarantine.location_id).where(
            Quarantine.location_id.in_([location.id for location in pending]), Quarantine.settled_at.is_(None)
        )
    )
    return frozenset(rows)


def settle_quarantine(session: Session, location: Location, now: datetime) -> None:
    """A message that went through after a retry is in quarantine no more."""
    if location.outcome == "quarantined":
        return
    row = session.scalar(
        select(Quarantine).where(Quarantine.location_id == location.id, Quarantine.settled_at.is_(None))
    )
    if row is not None:
        row.settled_at = now


def gone_through_before(session: Session, locations: Collection[int]) -> frozenset[int]:
    """Those of these locations whose very bytes went through all phases at another place: they did no harm there."""
    other = aliased(Location)
    rows = session.scalars(
        select(Location.id)
        .join(other, other.raw_id == Location.raw_id)
        .where(Location.id.in_(locations), other.outcome.in_(("logged", "duplicate", "ignored")))
    )
    return frozenset(rows)


def release_copies(session: Session, raw_ids: Collection[int]) -> None:
    """The same bytes went through elsewhere: a place at which they lie in quarantine has its turn once more."""
    held = select(Quarantine.location_id).where(Quarantine.raw_id.in_(raw_ids), Quarantine.settled_at.is_(None))
    session.execute(
        update(Location)
        .where(Location.id.in_(held), Location.outcome == "quarantined")
        .values(outcome="pending", outcome_reason="")
    )
