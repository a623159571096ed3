"""Takes back what waits for a person who asked to be left alone, or whose address does not work any more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from assistant.store.outbox import STOPPABLE_STATES
from assistant.store.suppressions import may_be_suppressed
from assistant.store.tables import AuditEntry, Contact, OutboxMessage, Suppression
from assistant.store.writing import row_of

_PURPOSES = {
    "all": ("follow-up", "greeting"),
    "delivery": ("follow-up", "greeting"),
    "follow-ups": ("follow-up",),
    "thread": ("follow-up",),
    "greetings": ("greeting",),
}
"""Which mails a suppression of each scope stops."""


def withdraw_suppressed(session: Session, contact_id: int, now: datetime) -> int:
    """Cancels every mail to this contact that has not left and that a suppression forbids; returns how many.

    The reason is `opt-out` or `bounce`, whichever forbids it. Safe to repeat.
    """
    contact = row_of(session, Contact, contact_id)
    if contact is None or not may_be_suppressed(session, contact.addr_spec):
        return 0
    suppressions = session.scalars(
        select(Suppression).where(
            Suppression.addr_spec == contact.addr_spec,
            Suppression.scope != "lifted",
            or_(Suppression.review_at.is_(None), Suppression.review_at > now),
        )
    ).all()
    return sum(_withdraw(session, contact, suppression, now) for suppression in suppressions)


def _withdraw(session: Session, contact: Contact, suppression: Suppression, now: datetime) -> int:
    purposes = _PURPOSES.get(suppression.scope)
    if purposes is None:
        return 0
    reason = "bounce" if suppression.reason == "bounce" else "opt-out"
    statement = update(OutboxMessage).where(
        OutboxMessage.contact_id == contact.id,
        OutboxMessage.audience == "client",
        OutboxMessage.purpose.in_(purposes),
        OutboxMessage.state.in_(STOPPABLE_STATES),
    )
    if suppression.scope == "thread":
        statement = statement.where(OutboxMessage.thread_id == suppression.thread_id)
    cancelled = session.scalars(
        statement.values(state="cancelled", reason=reason, settled_at=now).returning(OutboxMessage.id)
    ).all()
    for outbox_id in cancelled:
        session.add(
            AuditEntry(
                at=now,
                who="assistant",
                event="mail-not-sent",
                subject=f"outbox:{outbox_id}",
                details={"reason": reason, "detail": f"{suppression.scope}: {suppression.evidence}"},
            )
        )
    return len(cancelled)


def contact_of_address(session: Session, addr_spec: str) -> Contact | None:
    """The contact with this address, whatever its case: contacts have theirs in lower case."""
    return session.scalar(select(Contact).where(Contact.addr_spec == addr_spec.lower()))
