"""After a restore nobody knows what left since the backup was taken: what may have left already is held."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.store.tables import AuditEntry, OutboxMessage, Setting

SETTING = "restored"
HELD = "held_since_restore"
"""Where an outbox row keeps in its `details` that it was held."""
PLANNED = "planned_at"
"""Where an outbox row keeps in its `details` for when the rule planned it, which a late decision does not change."""
_LOOKED_UP = "looked up"
REASON = "may have been sent before the backup was restored"


def note_restore(session: Session, backup_at: datetime, now: datetime) -> int:
    """Remembers the restore and holds every mail that waited when the backup was taken; returns how many."""
    session.merge(Setting(name=SETTING, value={"backup_at": backup_at.isoformat(), "at": now.isoformat()}))
    rows = session.scalars(
        select(OutboxMessage).where(OutboxMessage.state.in_(("queued", "deferred", "claimed", "sending")))
    ).all()
    for row in rows:
        _hold(row, now)
        row.claimed_by, row.claimed_until, row.fence = "", None, row.fence + 1
    session.add(
        AuditEntry(
            at=now,
            who="restore",
            event="restored",
            subject="database",
            details={"backup_at": backup_at.isoformat(), "held": len(rows)},
        )
    )
    return len(rows)


def hold_if_doubtful(session: Session, row: OutboxMessage) -> bool:
    """Holds a mail that is ordered now, after a restore, though the rule planned it for before: it may have left then."""
    setting = session.get(Setting, SETTING)
    if setting is None or row.state != "queued":
        return False
    restored_at = datetime.fromisoformat(setting.value["at"])
    planned = row.details.get(PLANNED) if row.details else None
    planned_at = datetime.fromisoformat(planned) if isinstance(planned, str) else row.due_at
    if planned_at > restored_at:
        return False
    _hold(row, row.created_at)
    return True


def _hold(row: OutboxMessage, now: datetime) -> None:
    row.state, row.reason = "waiting_approval", REASON
    row.details = {**(row.details or {}), HELD: now.isoformat()}


def anything_held(session: Session) -> bool:
    """Whether mail waits to be looked up among what was sent."""
    return session.get(Setting, SETTING) is not None and bool(_held(session))


def _held(session: Session) -> list[OutboxMessage]:
    rows = session.scalars(
        select(OutboxMessage).where(OutboxMessage.state == "waiting_approval", OutboxMessage.reason == REASON)
    )
    return [row for row in rows if row.details.get(HELD, _LOOKED_UP) != _LOOKED_UP]


def release_to_staff(session: Session) -> int:
    """Lets held mail to colleagues go where there is no mailbox to look it up in; better told twice than never."""
    rows = [row for row in _held(session) if row.audience == "staff"]
    for row in rows:
        _release(row)
    return len(rows)


def _release(row: OutboxMessage) -> None:
    row.state, row.reason, row.details = "queued", "", {**row.details, HELD: _LOOKED_UP}


def look_up_held(
    session: Session,
    was_sent: Callable[[str], bool | None],
    on_sent: Callable[[Session, OutboxMessage], None],
    now: datetime,
) -> int:
    """Held mail whose Message-ID is among the sent mail has left and is settled; the rest to clients waits for a person's yes.
    The rest to colleagues leaves now: they are rather reminded twice, by mail with one and the same Message-ID, than never.

    Each is looked up once: what left before the restore is among the sent mail by now, or never will be.
    """
    found = 0
    for row in _held(session):
        row.details = {**row.details, HELD: _LOOKED_UP}
        if was_sent(row.message_id):
            row.state, row.reason, row.settled_at = "sent", "found among sent mail after a restore", now
            session.add(
                AuditEntry(
                    at=now,
                    who="assistant",
                    event="mail-sent",
                    subject=f"outbox:{row.id}",
                    details={"reason": row.reason},
                )
            )
            on_sent(session, row)
            found += 1
        elif row.audience == "staff":
            _release(row)
    return found
