"""Addresses that get no automatic mail: adding one, and whether anything is known against one, asked at every message."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.store.erased import is_erased
from assistant.store.remembering import remembered
from assistant.store.tables import AuditEntry, Suppression

REVIEW_AFTER: Final = timedelta(days=180)
"""A bouncing address is looked at again after this: people return, servers are mended."""


class _Addresses:
    """Every address that has or had a suppression."""

    def __init__(self) -> None:
        self.known: set[str] | None = None
        self.added: set[str] = set()


def may_be_suppressed(session: Session, addr_spec: str) -> bool:
    """False where there is certainly no suppression of this address; True where it is worth asking for them."""
    addresses = remembered(session, _Addresses)
    if addresses is None:
        return True
    if addresses.known is None:
        with session.no_autoflush:
            addresses.known = set(session.scalars(select(Suppression.addr_spec).distinct()))
    return addr_spec in addresses.known or addr_spec in addresses.added


def note_suppressed(session: Session, addr_spec: str) -> None:
    """A suppression of this address was added."""
    addresses = remembered(session, _Addresses)
    if addresses is not None:
        addresses.added.add(addr_spec)


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
    """Adds a suppression once; returns whether it is new. One whose day of review has passed begins anew."""
    known = session.scalar(
        select(Suppression).where(
            Suppression.addr_spec == addr_spec.lower(), Suppression.scope == scope, Suppression.thread_id == thread_id
        )
    )
    if known is not None:
        due_again = known.review_at is not None and known.review_at <= now
        if due_again:
            known.since, known.review_at, known.evidence = now, review_at, evidence[:300]
        return due_again
    if is_erased(session, addr_spec):
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
