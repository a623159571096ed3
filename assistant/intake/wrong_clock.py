"""After the machine's clock ran ahead: what seemed too old then may begin follow-ups after all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.store.tables import Location, Record

_SURELY_AHEAD: Final = timedelta(hours=1)


def forgive_wrong_clock(session: Session, now: datetime, cutoff: timedelta) -> int:
    """Messages that were logged later than it is now, and are no older than `cutoff`, may start; returns how many.

    What else forbids it stays: history that was imported, our own mail, senders who are not who they say.
    """
    ahead = (
        select(Record)
        .join(Location, Location.raw_id == Record.raw_id)
        .where(
            Record.logged_at > now + _SURELY_AHEAD,
            Record.sent_at >= now - cutoff,
            Record.may_start.is_(False),
            Record.automatic.is_(False),
            Record.trust != "fail",
            Location.record_id == Record.id,
            Location.outcome == "logged",
            Location.may_start.is_(True),
        )
    )
    records = session.scalars(ahead).unique().all()
    for record in records:
        record.may_start = True
    return len(records)
