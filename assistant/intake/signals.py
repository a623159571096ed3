"""What automatic mail and short wishes change: absences, bounces, opt-outs. Facts for the cadence, no answers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from assistant.model.opt_out import read_opt_out
from assistant.store.suppressions import REVIEW_AFTER, may_be_suppressed, suppress
from assistant.store.tables import AuditEntry, Contact, OutboxMessage, Record, Suppression
from parsers import Message


def note_signals(session: Session, message: Message, record: Record, contact: Contact | None, now: datetime) -> None:
    """Stores what this message says about reaching its sender."""
    if message.kind == "bounce":
        _note_bounce(session, message, now)
    elif message.kind == "auto_reply" and contact is not None:
        if message.absent_until is not None:
            contact.absent_until = message.absent_until
    elif record.direction == "inbound" and message.kind == "human" and contact is not None:
        if contact.last_inbound_at is None or record.sent_at > contact.last_inbound_at:
            contact.last_inbound_at = record.sent_at
        _lift_bounce(session, contact.addr_spec)
        if wish := read_opt_out(message.reply):
            scope, evidence = wish
            suppress(
                session,
                contact.addr_spec,
                scope,
                "opt-out",
                evidence,
                now,
                thread_id=(record.thread_id or 0) if scope == "thread" else 0,
            )


def _note_bounce(session: Session, message: Message, now: datetime) -> None:
    """Settles the outbox row the report speaks of, and stops writing to addresses that are gone for good."""
    row = None
    if message.bounced_message_id:
        row = session.scalar(select(OutboxMessage).where(OutboxMessage.message_id == message.bounced_message_id))
    for failed in message.bounced:
        if failed.permanent:
            evidence = f"{failed.status} {failed.action}".strip()
            suppress(session, failed.addr_spec, "delivery", "bounce", evidence, now, review_at=now + REVIEW_AFTER)
    if row is not None and any(failed.permanent for failed in message.bounced):
        row.reason = "bounced"
        session.add(AuditEntry(at=now, who="assistant", event="bounced", subject=f"outbox:{row.id}", details={}))


def _lift_bounce(session: Session, addr_spec: str) -> None:
    """Somebody who writes can be reached again; of several bounces over the years the last one is remembered."""
    if not may_be_suppressed(session, addr_spec):
        return
    bounced = (Suppression.addr_spec == addr_spec, Suppression.reason == "bounce")
    latest = session.scalar(select(Suppression.id).where(*bounced, Suppression.scope != "lifted"))
    if latest is None:
        return
    session.execute(delete(Suppression).where(*bounced, Suppression.scope == "lifted"))
    session.execute(update(Suppression).where(Suppression.id == latest).values(scope="lifted"))
