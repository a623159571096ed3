"""Mails with `release = "draft"`: laid into the mailbox's Drafts, taken out again when overtaken, settled when sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.model.cadence import Refusal
from assistant.store.remembering import remembered
from assistant.store.tables import AuditEntry, OutboxMessage, Record

_log = structlog.get_logger("assistant.outbox")
_REMEMBERED = timedelta(days=90)
PLACED = "placed"
_MISSED = "draft_missed_at"
_SENT_IS_SEEN_WITHIN = timedelta(hours=1)
"""A draft that a colleague sends leaves Drafts at once; the sent mail may take a while to show up."""


class DraftBox(Protocol):
    """The mailbox as far as drafts are concerned. Every method may raise AssistantError."""

    def is_placed(self, message_id: str) -> bool: ...

    def place(self, raw: bytes, at: datetime) -> None: ...

    def remove(self, message_id: str) -> None: ...

    def was_sent(self, message_id: str) -> bool: ...


def drafts_to_tend(session: Session, now: datetime) -> Sequence[OutboxMessage]:
    """Drafts that are due to be laid down, lie there, or have to be taken out again; oldest first."""
    rows = session.scalars(
        select(OutboxMessage)
        .where(OutboxMessage.release == "draft", OutboxMessage.created_at >= now - _REMEMBERED)
        .order_by(OutboxMessage.id)
    )
    return [
        row
        for row in rows
        if row.details.get("draft") == PLACED
        or (row.state == "waiting_approval" and row.due_at <= now and "draft" not in row.details)
    ]


def tend_draft(
    session: Session,
    row: OutboxMessage,
    box: DraftBox,
    guard: Callable[[Session, OutboxMessage], Refusal | None],
    on_sent: Callable[[Session, OutboxMessage], None],
    now: datetime,
) -> None:
    """One step for one draft. Safe to repeat: what lies there already is not laid down twice."""
    if row.details.get("draft") != PLACED:
        _place(session, row, box, guard, now)
    elif row.state != "waiting_approval":
        box.remove(row.message_id)
        _mark(row, "removed")
        _log.info("draft_removed", outbox=row.id, state=row.state, reason=row.reason)
    elif box.was_sent(row.message_id):
        _settle_as_sent(session, row, "found among sent mail", now)
        on_sent(session, row)
    elif box.is_placed(row.message_id):
        _mark(row, PLACED)
    else:
        _miss(session, row, now)


def _place(
    session: Session,
    row: OutboxMessage,
    box: DraftBox,
    guard: Callable[[Session, OutboxMessage], Refusal | None],
    now: datetime,
) -> None:
    refusal = guard(session, row)
    if refusal is not None and refusal.retry_at is not None and refusal.retry_at > now:
        row.due_at, row.reason = refusal.retry_at, refusal.reason
        return
    if refusal is not None:
        row.state, row.reason, row.settled_at = "cancelled", refusal.reason, now
        return
    if not box.is_placed(row.message_id):
        box.place(row.raw, now)
    _mark(row, PLACED)
    row.reason = "in Drafts"
    _audit(session, row, "draft-placed", now)
    _log.info("draft_placed", outbox=row.id, rule=row.rule)


def _miss(session: Session, row: OutboxMessage, now: datetime) -> None:
    """It lies there no more: sent just now and soon to be seen, or else a person threw it away or made it their own."""
    missed = row.details.get(_MISSED)
    if missed is None:
        row.details = {**row.details, _MISSED: now.isoformat()}
    elif now - datetime.fromisoformat(missed) >= _SENT_IS_SEEN_WITHIN:
        row.state, row.reason, row.settled_at = "vetoed", "withdrawn by a person: no longer in Drafts", now
        row.decided_by = "mailbox"
        _mark(row, "removed")
        _audit(session, row, "draft-withdrawn", now)
        _log.info("draft_withdrawn", outbox=row.id, rule=row.rule)


def settle_sent_draft(session: Session, record: Record, in_reply_to: str | None, now: datetime) -> bool:
    """A colleague sent a draft: its Message-ID shows up, or in its thread an answer of theirs to the same message."""
    if record.direction != "outbound" or record.thread_id is None or not _any_placed(session):
        return False
    rows = session.scalars(
        select(OutboxMessage).where(
            OutboxMessage.release == "draft",
            OutboxMessage.state == "waiting_approval",
            OutboxMessage.thread_id == record.thread_id,
        )
    ).all()
    for row in rows:
        anchor = session.get(Record, row.anchor_record_id) if row.anchor_record_id else None
        answered = anchor is not None and in_reply_to == anchor.message_id and record.sent_at >= row.created_at
        if row.details.get("draft") == PLACED and (record.message_id == row.message_id or answered):
            _settle_as_sent(session, row, f"sent by {record.originator}", now)
            return True
    return False


class _Placed:
    """Whether any draft lies in the mailbox."""

    def __init__(self) -> None:
        self.any: bool | None = None


def _any_placed(session: Session) -> bool:
    """Asked once in a transaction that remembers: drafts are laid down by others, between two of its kind."""
    remembers = remembered(session, _Placed)
    if remembers is not None and remembers.any is not None:
        return remembers.any
    waiting = select(OutboxMessage.id).where(
        OutboxMessage.release == "draft", OutboxMessage.state == "waiting_approval"
    )
    found = session.scalar(waiting.limit(1)) is not None
    if remembers is not None:
        remembers.any = found
    return found


def _settle_as_sent(session: Session, row: OutboxMessage, reason: str, now: datetime) -> None:
    row.state, row.reason, row.settled_at = "sent", reason, now
    _audit(session, row, "mail-sent", now)


def _mark(row: OutboxMessage, state: str) -> None:
    row.details = {key: value for key, value in row.details.items() if key != _MISSED} | {"draft": state}


def _audit(session: Session, row: OutboxMessage, event: str, now: datetime) -> None:
    session.add(
        AuditEntry(
            at=now, who=f"rule {row.rule}", event=event, subject=f"outbox:{row.id}", details={"reason": row.reason}
        )
    )
