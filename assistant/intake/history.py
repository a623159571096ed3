"""Importing history: mail that was written before the assistant came, logged without anything being sent for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from assistant.clock import Clock
from assistant.intake.keep import header_date, order_time
from assistant.store import Archive, Database
from assistant.store.erased import REASON, erased_among
from assistant.store.tables import Location

IMPORT_MAILBOX = "import"
_BATCH_MESSAGES = 200
_BATCH_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class HistoricMail:
    """One message from a file: its bytes, and when it was received as far as the file says."""

    raw: bytes
    received_at: datetime | None


@dataclass(slots=True)
class KeptHistory:
    """How many messages were read from the files, and how many of them were new."""

    read: int = 0
    new: int = 0


def keep_history(
    database: Database,
    archive: Archive,
    clock: Clock,
    mails: Iterable[HistoricMail],
    may_start_since: datetime | None,
    progress: Callable[[int], None] | None = None,
) -> KeptHistory:
    """Keeps each content once, in batches of one transaction; may be stopped and begun again at any point.

    A message written at or after `may_start_since` may start a cadence; with None, none may.
    """
    kept = KeptHistory()
    batch: list[HistoricMail] = []
    size = 0
    for mail in mails:
        batch.append(mail)
        size += len(mail.raw)
        if len(batch) >= _BATCH_MESSAGES or size >= _BATCH_BYTES:
            _keep(database, archive, clock, batch, may_start_since, kept, progress)
            batch, size = [], 0
    _keep(database, archive, clock, batch, may_start_since, kept, progress)
    return kept


def _keep(
    database: Database,
    archive: Archive,
    clock: Clock,
    batch: Sequence[HistoricMail],
    may_start_since: datetime | None,
    kept: KeptHistory,
    progress: Callable[[int], None] | None,
) -> None:
    if not batch:
        return
    with database.session() as session:
        kept.new += _store(session, archive, clock.now(), batch, may_start_since)
    kept.read += len(batch)
    if progress is not None:
        progress(len(batch))


def _store(
    session: Session, archive: Archive, now: datetime, batch: Sequence[HistoricMail], may_start_since: datetime | None
) -> int:
    by_raw_id = dict(zip(archive.put_many(session, [mail.raw for mail in batch]), batch, strict=True))
    known = set(
        session.scalars(
            select(Location.uid).where(Location.mailbox == IMPORT_MAILBOX, Location.uid.in_(list(by_raw_id)))
        )
    )
    erased = erased_among(session, list(by_raw_id))
    rows = []
    for raw_id, mail in by_raw_id.items():
        if raw_id in known:
            continue
        written = header_date(mail.raw)
        received = mail.received_at or written or now
        rows.append(
            {
                "mailbox": IMPORT_MAILBOX,
                "folder": "",
                "uidvalidity": 1,
                "uid": raw_id,
                "raw_id": raw_id,
                "received_at": min(received, now) if written is None else received,
                "order_at": order_time(mail.raw, received),
                "kept_at": now,
                "may_start": may_start_since is not None and (written or received) >= may_start_since,
                "outcome": "ignored" if raw_id in erased else "pending",
                "outcome_reason": REASON if raw_id in erased else "",
            }
        )
    if rows:
        session.execute(insert(Location), rows)
    return len(rows)
