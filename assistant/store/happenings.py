"""What happened, told in order: stored records as rules rehearse them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.model.cadence import Happening, HappeningKind
from assistant.model.process import STAGES, Stage, WaitingOn
from assistant.store.tables import Record


def happenings(session: Session, since: datetime, until: datetime) -> Iterable[Happening]:
    """Every contact in a project within the time, oldest first."""
    rows = session.scalars(
        select(Record)
        .where(Record.sent_at >= since, Record.sent_at < until, Record.project_id.is_not(None))
        .order_by(Record.sent_at, Record.id)
    )
    for row in rows:
        kind = _happening_kind(row)
        if kind is None or row.project_id is None:
            continue
        yield Happening(
            at=row.sent_at,
            kind=kind,
            project_id=row.project_id,
            record_id=row.id,
            message_id=row.message_id,
            thread_id=row.thread_id,
            contact_id=row.contact_id,
            staff=row.originator if row.direction == "outbound" else "",
            subject=row.base_subject,
            stage=stage_of(row.stage),
            waiting_on=cast("WaitingOn", row.waiting_on),
            intents=tuple(item[0] for item in row.intents),
        )


def stage_of(word: str) -> Stage | None:
    """The stage that a record's label names; None for `unrelated` and for nothing."""
    return next((stage for stage in STAGES if stage == word), None)


def _happening_kind(row: Record) -> HappeningKind | None:
    if row.automatic:
        return "automatic"
    if row.kind == "auto_reply":
        return "absence"
    if row.kind == "bounce":
        return "bounce"
    if row.kind != "human":
        return None
    return "received" if row.direction == "inbound" else "sent" if row.direction == "outbound" else None
