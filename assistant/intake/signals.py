"""What automatic mail and short wishes change: absences, bounces, opt-outs. Facts for the cadence, no answers."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from assistant.model.opt_out import read_opt_out
from assistant.store.erased import is_erased
from assistant.store.suppressions import may_be_suppressed, note_suppressed
from assistant.store.tables import AuditEntry, Contact, OutboxMessage, Record, Suppression
from parsers import Message

REVIEW_AFTER = timedelta(days=180)
"""A bouncing address is looked at again after this: people return, servers are mended."""


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


def suppress(
    session: Session,
    addr_spec: str,
    scope: str,
    reason: str,
    evidence: str,
    now: datetime,
    *,
    thread_id: int = 0,
    review_at: datetime | None = None,
) -> bool:
    """Adds a suppression once; returns whether it is new."""
    known = session.scalar(
        select(Suppression.id).where(
            Suppression.addr_spec == addr_spec.lower(), Suppression.scope == scope, Suppression.thread_id == thread_id
        )
    )
    if known is not None or is_erased(session, addr_spec):
        return False
    note_suppressed(session, addr_spec.lower())
    session.add(
        Suppression(
            addr_spec=addr_spec.lower(),
            scope=scope,
            thread_id=thread_id,
            reason=reason,
            evidence=evidence[:300],
            since=now,
            review_at=review_at,
        )
    )
    session.add(
        AuditEntry(
            at=now,
            who="assistant",
            event="suppressed",
            subject=addr_spec.lower(),
            details={"scope": scope, "reason": reason},
        )
    )
    return True


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
