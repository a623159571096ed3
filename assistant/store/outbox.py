"""The outbox in the database: stored once by key, claimed by one worker, settled once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from assistant.store.restored import hold_if_doubtful
from assistant.store.tables import OutboxMessage

OPEN_STATES = ("waiting_approval", "queued", "claimed", "sending", "deferred")
SENDABLE_STATES = ("queued", "deferred")
LONGEST_DELAY = timedelta(hours=12)
"""How long a server that defers a mail is left alone at most. What is deferred for longer was so by a clock that was wrong."""
STOPPABLE_STATES = ("waiting_approval", "queued", "deferred")
"""Not yet in a worker's hands."""


def enqueue(session: Session, row: OutboxMessage) -> OutboxMessage | None:
    """Stores `row` unless its key is there already; then returns None. What was decided twice is stored once."""
    known = session.scalar(select(OutboxMessage.id).where(OutboxMessage.dedupe_key == row.dedupe_key))
    if known is not None:
        return None
    hold_if_doubtful(session, row)
    session.add(row)
    session.flush()
    return row


def keys_beginning(session: Session, prefix: str) -> ColumnElement[bool]:
    """Rows whose `dedupe_key` begins so; the prefix ends in a colon."""
    begins = OutboxMessage.dedupe_key.startswith(prefix, autoescape=True)
    if session.get_bind().dialect.name != "sqlite":
        return begins
    # SQLite takes an index for an interval of bytes alone; in others keys have the order of a language.
    return and_(begins, OutboxMessage.dedupe_key >= prefix, OutboxMessage.dedupe_key < f"{prefix[:-1]};")


def due_ids(
    session: Session, now: datetime, limit: int = 200, *, staff_only: bool = False, but_clients: Sequence[int] = ()
) -> Sequence[int]:
    """Rows that may be claimed now, oldest due first: staff's mail and clients' alike, unless one is stopped."""
    query = select(OutboxMessage.id).where(OutboxMessage.state.in_(SENDABLE_STATES), _is_due(now))
    if staff_only:
        query = query.where(OutboxMessage.audience == "staff")
    elif but_clients:
        query = query.where(or_(OutboxMessage.audience == "staff", OutboxMessage.client_id.not_in(but_clients)))
    return session.scalars(query.order_by(OutboxMessage.due_at, OutboxMessage.id).limit(limit)).all()


def _is_due(now: datetime) -> ColumnElement[bool]:
    too_far = and_(OutboxMessage.state == "deferred", OutboxMessage.due_at > now + LONGEST_DELAY)
    return or_(OutboxMessage.due_at <= now, too_far)


def claim(session: Session, outbox_id: int, worker: str, now: datetime, lease: timedelta) -> int | None:
    """Takes one row for this worker by compare-and-swap; returns its fence, or None when somebody else was quicker."""
    row = session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == outbox_id, OutboxMessage.state.in_(SENDABLE_STATES), _is_due(now))
        .values(state="claimed", claimed_by=worker, claimed_until=now + lease, fence=OutboxMessage.fence + 1)
        .returning(OutboxMessage.fence)
    ).first()
    return int(row[0]) if row else None


def begin_sending(session: Session, outbox_id: int, fence: int, now: datetime) -> bool:
    """Marks that the bytes are about to go out: from here on a crash leaves the outcome uncertain.

    False when the claim is another's by now, or has run out: what was checked when it was made may hold no more.
    """
    row = session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.id == outbox_id,
            OutboxMessage.fence == fence,
            OutboxMessage.state == "claimed",
            OutboxMessage.claimed_until >= now,
        )
        .values(state="sending", attempts=OutboxMessage.attempts + 1)
        .returning(OutboxMessage.id)
    ).first()
    return row is not None


def settle(session: Session, outbox_id: int, fence: int, **values: object) -> bool:
    """Writes the outcome if the claim is still ours; a worker that slept through its lease changes nothing."""
    row = session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.id == outbox_id, OutboxMessage.fence == fence, OutboxMessage.state.in_(("claimed", "sending"))
        )
        .values(claimed_by="", claimed_until=None, **values)
        .returning(OutboxMessage.id)
    ).first()
    return row is not None


def settle_late(session: Session, outbox_id: int, fence: int, **values: object) -> bool:
    """The outcome of a mail whose claim ran out while the server was being given it, when its worker knows it after all.

    Only as long as nobody has done anything about it: the fence has moved on by one, and it is uncertain.
    """
    row = session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == outbox_id, OutboxMessage.fence == fence + 1, OutboxMessage.state == "uncertain")
        .values(**values)
        .returning(OutboxMessage.id)
    ).first()
    return row is not None


def claimants(session: Session) -> Sequence[str]:
    """Who holds claims at present."""
    return session.scalars(
        select(OutboxMessage.claimed_by).where(OutboxMessage.state.in_(("claimed", "sending"))).distinct()
    ).all()


def release_expired(
    session: Session, now: datetime, dead: Sequence[str] = (), longest: timedelta = timedelta(days=1)
) -> tuple[int, int]:
    """After a crash: claims that never began to send go back into the queue, the others are uncertain.

    Frees claims whose lease is over, and at once those of workers that are known to be `dead`. One that ends later than
    the `longest` that could be taken by now is of a time when the clock was wrong: it would be waited for as long.
    """
    over = or_(OutboxMessage.claimed_until < now, OutboxMessage.claimed_until > now + longest)
    expired = and_(OutboxMessage.claimed_until.is_not(None), over)
    lost = or_(expired, OutboxMessage.claimed_by.in_(dead)) if dead else expired
    requeued = session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.state == "claimed", lost)
        .values(state="queued", claimed_by="", claimed_until=None, fence=OutboxMessage.fence + 1)
        .returning(OutboxMessage.id)
    ).all()
    uncertain = session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.state == "sending", lost)
        .values(
            state="uncertain",
            reason="stopped while the server was being given the mail",
            settled_at=now,
            claimed_by="",
            claimed_until=None,
            fence=OutboxMessage.fence + 1,
        )
        .returning(OutboxMessage.id)
    ).all()
    return len(requeued), len(uncertain)


def cancel_of_run(session: Session, run_id: int, reason: str, now: datetime) -> int:
    """Refuses every mail of a cadence run that has not left, with the reason."""
    rows = session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.run_id == run_id, OutboxMessage.state.in_(STOPPABLE_STATES))
        .values(state="cancelled", reason=reason, settled_at=now)
        .returning(OutboxMessage.id)
    ).all()
    return len(rows)


def in_hand(session: Session, but_id: int) -> Sequence[datetime]:
    """Until when the claims hold of mail that other workers are about to give to the server, or are giving."""
    found = session.scalars(
        select(OutboxMessage.claimed_until).where(
            OutboxMessage.state.in_(("claimed", "sending")), OutboxMessage.id != but_id
        )
    )
    return [until for until in found if until is not None]


def last_left(session: Session, since: datetime) -> datetime | None:
    """When the last mail was settled that the server was given after `since`, whoever it was for."""
    given = OutboxMessage.state.in_(("sent", "uncertain", "refused"))
    return session.scalar(select(func.max(OutboxMessage.settled_at)).where(_settled_since(since), given))


def left_since(session: Session, since: datetime) -> int:
    """How many mails the server took since then, to clients and to colleagues."""
    taken = OutboxMessage.state.in_(("sent", "uncertain"))
    return session.scalar(select(func.count()).select_from(OutboxMessage).where(_settled_since(since), taken)) or 0


def _settled_since(since: datetime) -> ColumnElement[bool]:
    return OutboxMessage.settled_at >= since


def sent_since(session: Session, since: datetime, client_id: int | None = None, *, returned: bool = False) -> int:
    """How many automatic mails left to clients since then, in all or to one client; `returned`: or were refused."""
    settled = OutboxMessage.state.in_(("sent", "uncertain", "refused") if returned else ("sent", "uncertain"))
    query = _to_clients(since).where(
        or_(settled & (OutboxMessage.settled_at >= since), OutboxMessage.state == "sending")
    )
    if client_id is not None:
        query = query.where(OutboxMessage.client_id == client_id)
    return int(session.scalar(query) or 0)


BOUNCED = "bounced"
"""The reason of a mail whose delivery failed for good after the server had taken it."""


def returned_since(session: Session, since: datetime) -> int:
    """How many automatic mails to clients of this time came back, or were refused by the server for good (5xx)."""
    refused = (OutboxMessage.state == "refused") & (OutboxMessage.answer_code >= 500)
    query = _to_clients(since).where(OutboxMessage.settled_at >= since, or_(OutboxMessage.reason == BOUNCED, refused))
    return int(session.scalar(query) or 0)


def _to_clients(since: datetime) -> Select[Any]:
    # A mail that is being given to the server has no time yet at which it was settled.
    recent = or_(OutboxMessage.settled_at >= since, OutboxMessage.state == "sending")
    return select(func.count()).select_from(OutboxMessage).where(OutboxMessage.audience == "client", recent)
