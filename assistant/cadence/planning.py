"""For which clients greetings, reminders and summaries have to be looked at now; for all others nothing can be due.

A decision says when to look again if nothing happens. What does happen is seen by its rows: a new record concerns its own
client; a new set of rules, a restart, a clock that went back, or a person who changed something concern everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from assistant.store.tables import AuditEntry, Client, Record

_AT_ONCE = datetime.min.replace(tzinfo=UTC)
_BY_ITSELF = ("rule %", "assistant")
_SMALL_MATTERS = ("outbox:%", "record:%", "quarantine:%")
"""Subjects of people's decisions that make no other greeting, reminder or summary due."""


class PlannedMoments:
    """Remembers for each client when it is worth looking again. One per process; forgets everything with it."""

    def __init__(self) -> None:
        self._moments: dict[int, datetime] = {}
        self._rules: str | None = None
        self._seen_at = _AT_ONCE
        self._last_record = 0
        self._last_entry = 0
        self.behind = False
        """Whether a turn ended before everybody who was due had been looked at."""

    def due(self, session: Session, rules_version: str, now: datetime) -> Sequence[int]:
        """The clients to look at, those that wait longest first. Costs milliseconds when there are none."""
        self.behind = False
        record = session.scalar(select(func.max(Record.id))) or 0
        entry = session.scalar(select(func.max(AuditEntry.id))) or 0
        if rules_version != self._rules or now < self._seen_at or self._changed_by_hand(session):
            ids = session.scalars(select(Client.id).where(Client.merged_into.is_(None)))
            self._moments = dict.fromkeys(ids, _AT_ONCE)
        elif record > self._last_record:
            # Without DISTINCT, for which SQLite would go through the index of all clients' records.
            touched = session.scalars(select(Record.client_id).where(Record.id > self._last_record))
            self._moments.update(dict.fromkeys(filter(None, touched), _AT_ONCE))
        self._rules, self._seen_at, self._last_record, self._last_entry = rules_version, now, record, entry
        found = [(moment, client_id) for client_id, moment in self._moments.items() if moment <= now]
        return [client_id for _, client_id in sorted(found)]

    def looked_at(self, client_id: int, again_at: datetime | None) -> None:
        """The client was decided; nothing can be due before `again_at` unless something happens."""
        self._moments[client_id] = again_at if again_at is not None else datetime.max.replace(tzinfo=UTC)

    def _changed_by_hand(self, session: Session) -> bool:
        query = select(AuditEntry.id).where(
            AuditEntry.id > self._last_entry,
            ~or_(*(AuditEntry.who.like(pattern) for pattern in _BY_ITSELF)),
            ~or_(*(AuditEntry.subject.like(pattern) for pattern in _SMALL_MATTERS)),
        )
        return session.scalar(query.limit(1)) is not None
