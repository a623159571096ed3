"""Leases with expiry and fencing: who of several workers does a thing that only one may do at a time.

A lease is a row with a holder, an end and a fence that grows with every holder. Whoever writes on the strength of a lease
renews it in the same transaction: one that slept through its end finds that the fence has moved on, and writes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from assistant.clock import Clock, monotonic
from assistant.errors import AssistantError
from assistant.store.database import Database
from assistant.store.tables import WorkLease
from assistant.store.workers import has_died, new_worker

_log = structlog.get_logger("assistant.store")
_ASK_AGAIN_SECONDS = 0.2


class LeaseBusy(AssistantError):  # noqa: N818  # named after what is the matter, as the others
    """Another worker does it, and did not finish in time."""


class LeaseLost(AssistantError):  # noqa: N818  # as above
    """The lease ended while its holder slept, and another worker has it now."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that was had when it was taken."""

    name: str
    holder: str
    fence: int


def take(session: Session, name: str, holder: str, now: datetime, length: timedelta) -> Lease | None:
    """The lease until `now + length`, or None while another worker that may live has it."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(WorkLease).values(name=name, holder="", until=now, fence=0).on_conflict_do_nothing())
    holding = session.scalar(select(WorkLease.holder).where(WorkLease.name == name)) or ""
    # One that ends later than any could that was taken by now is of a time when the clock was wrong.
    free = [WorkLease.holder == "", WorkLease.until < now, WorkLease.until > now + 2 * length]
    if holding and holding != holder and has_died(holding):
        free.append(WorkLease.holder == holding)
    row = session.execute(
        update(WorkLease)
        .where(WorkLease.name == name, or_(*free))
        .values(holder=holder, until=now + length, fence=WorkLease.fence + 1)
        .returning(WorkLease.fence)
    ).first()
    return Lease(name, holder, int(row[0])) if row else None


def renew(session: Session, lease: Lease, now: datetime, length: timedelta) -> bool:
    """Holds it longer, and keeps others from it until this transaction ends; False when another worker has it."""
    return _change(session, lease, holder=lease.holder, until=now + length)


def release(session: Session, lease: Lease, now: datetime) -> None:
    """Gives it up; nothing happens when it was lost before."""
    _change(session, lease, holder="", until=now)


def _change(session: Session, lease: Lease, **values: object) -> bool:
    row = session.execute(
        update(WorkLease)
        .where(WorkLease.name == lease.name, WorkLease.holder == lease.holder, WorkLease.fence == lease.fence)
        .values(**values)
        .returning(WorkLease.fence)
    ).first()
    return row is not None


class Leases:
    """Leases of one worker on one database."""

    def __init__(
        self, database: Database, clock: Clock, length: timedelta, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._database = database
        self._clock = clock
        self._length = length
        self._pause = pause
        self._holder = new_worker()

    @contextmanager
    def holding(self, name: str, patience: float) -> Iterator[Lease]:
        """Has the lease within; waits up to `patience` seconds for another worker. Raises LeaseBusy."""
        began = monotonic()
        while (lease := self._take(name)) is None:
            if monotonic() - began >= patience:
                raise LeaseBusy(f"Another worker is busy with {name} and did not finish within {patience:g} seconds.")
            self._pause(_ASK_AGAIN_SECONDS)
        try:
            yield lease
        finally:
            with self._database.session() as session:
                release(session, lease, self._clock.now())

    def _take(self, name: str) -> Lease | None:
        with self._database.session() as session:
            return take(session, name, self._holder, self._clock.now(), self._length)

    def renew(self, session: Session, lease: Lease) -> None:
        """In the transaction that writes. Raises LeaseLost, so that it is undone."""
        if not renew(session, lease, self._clock.now(), self._length):
            _log.warning("lease_lost", name=lease.name)
            raise LeaseLost(f"Another worker has taken over {lease.name} meanwhile; nothing was stored twice.")
