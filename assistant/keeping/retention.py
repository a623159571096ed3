"""Retention periods: what is older loses its bytes and words, every day by itself; records and what was decided stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from assistant.store import Database
from assistant.store.erased import erase_raw
from assistant.store.tables import AuditEntry, Location, OutboxMessage, RawMail, Record, Setting, StaffNote

_log = structlog.get_logger("assistant.keeping")
SETTING: Final = "retention"
_SETTLED: Final = ("sent", "refused", "cancelled", "vetoed")
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Periods:
    """How long things are kept; None is for ever."""

    raw_mail: timedelta | None = None
    """Messages as they came, with their attachments. Records of them stay."""
    unrelated_mail: timedelta | None = None
    """Messages that are no client's, and the words in their records."""
    our_mail: timedelta | None = None
    """Copies of mail that left, or was stopped."""
    notes: timedelta | None = None
    """What colleagues were told."""

    @property
    def any(self) -> bool:
        return any(value is not None for value in asdict(self).values())


@dataclass(frozen=True, slots=True)
class Retired:
    """How much lost its bytes or words."""

    raw_mail: int = 0
    unrelated_mail: int = 0
    our_mail: int = 0
    notes: int = 0

    @property
    def total(self) -> int:
        return self.raw_mail + self.unrelated_mail + self.our_mail + self.notes


def retire_daily(database: Database, periods: Periods, now: datetime) -> Retired | None:
    """Applies the periods if that was not done today already; then returns what was done."""
    if not periods.any:
        return None
    today = now.date().isoformat()
    with database.session() as session:
        done = session.get(Setting, SETTING)
        if done is not None and done.value.get("on") == today:
            return None
        retired = retire(session, periods, now)
        session.merge(Setting(name=SETTING, value={"on": today, "last": asdict(retired)}))
    return retired


def retire(session: Session, periods: Periods, now: datetime) -> Retired:
    """Takes away what is older than its period, in the caller's transaction; noted in the audit when it was anything."""
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql("PRAGMA secure_delete=ON")
    unrelated = _erase(session, _older(periods.unrelated_mail, now), now, unrelated=True)
    raw = _erase(session, _older(periods.raw_mail, now), now)
    retired = Retired(
        raw, unrelated, _empty_our_mail(session, periods.our_mail, now), _notes(session, periods.notes, now)
    )
    if retired.total:
        session.add(AuditEntry(at=now, who="retention", event="retired", subject="database", details=asdict(retired)))
        _log.info("retired", **asdict(retired))
    session.flush()
    return retired


def _older(period: timedelta | None, now: datetime) -> datetime | None:
    return now - period if period is not None else None


def _erase(session: Session, before: datetime | None, now: datetime, *, unrelated: bool = False) -> int:
    """Messages all of whose copies are old and none of which still waits for anything."""
    if before is None:
        return 0
    copy = aliased(Location)
    waits = exists().where(copy.raw_id == RawMail.id, copy.outcome.in_(("pending", "quarantined")))
    conditions: list[ColumnElement[bool]] = [RawMail.erased_at.is_(None), ~waits]
    if unrelated:
        conditions.append(~exists().where(Record.raw_id == RawMail.id, Record.client_id.is_not(None)))
    query = (
        select(RawMail.id)
        .join(Location, Location.raw_id == RawMail.id)
        .where(*conditions)
        .group_by(RawMail.id)
        .having(func.max(Location.order_at) < before)
    )
    numbers = list(session.scalars(query))
    if unrelated:
        _unsay(session, numbers)
    return erase_raw(session, numbers, now)


def _unsay(session: Session, raw_ids: Sequence[int]) -> None:
    nothing = dict.fromkeys(("reply_text", "summary", "stage_evidence", "waiting_evidence"), "")
    for start in range(0, len(raw_ids), _AT_ONCE):
        part = raw_ids[start : start + _AT_ONCE]
        session.execute(update(Record).where(Record.raw_id.in_(part)).values(**nothing, evidence=[]))


def _empty_our_mail(session: Session, period: timedelta | None, now: datetime) -> int:
    """Who was written to when, by which rule, stays: no mail may be sent a second time."""
    before = _older(period, now)
    if before is None:
        return 0
    rows = session.scalars(
        select(OutboxMessage).where(
            OutboxMessage.state.in_(_SETTLED),
            func.coalesce(OutboxMessage.settled_at, OutboxMessage.created_at) < before,
            func.length(OutboxMessage.raw) > 0,
        )
    ).all()
    for row in rows:
        row.raw = b""
        row.details = {name: value for name, value in row.details.items() if name != "text"}
    return len(rows)


def _notes(session: Session, period: timedelta | None, now: datetime) -> int:
    before = _older(period, now)
    if before is None:
        return 0
    told = update(StaffNote).where(
        StaffNote.outbox_id.is_not(None), StaffNote.created_at < before, StaffNote.text != ""
    )
    return len(session.execute(told.values(text="").returning(StaffNote.id)).all())
