"""Messages that a server could give only in part: when each is asked for again, and the whole in its place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update
from sqlalchemy.orm import Session

from assistant.mail.completing import Part
from assistant.store.tables import KeptInPart, Location, Quarantine

DELAYS: Final = tuple(timedelta(hours=hours) for hours in (1, 6, 24, 72, 168))
"""How long a message is left alone before each further attempt; after the last of them a person is told."""
_AT_ONCE: Final = 100


def note_parts(session: Session, where: ColumnElement[bool], uids: Sequence[int], now: datetime) -> None:
    """These messages of a folder are to be asked for again."""
    ids = session.scalars(select(Location.id).where(where, Location.uid.in_(uids))).all()
    if ids:
        session.execute(insert(KeptInPart), [{"location_id": each, "again_at": now + DELAYS[0]} for each in ids])


def parts_of(session: Session, mailbox: str, now: datetime, *, every: bool) -> list[Part]:
    """Those of a mailbox that are due, by folder and UID; with `every` all. What was passed over for good is not."""
    query = (
        select(Location.folder, Location.uidvalidity, Location.uid)
        .join(KeptInPart, KeptInPart.location_id == Location.id)
        .where(Location.mailbox == mailbox, Location.outcome != "ignored")
        .order_by(Location.folder, Location.uid)
        .limit(_AT_ONCE)
    )
    if not every:
        query = query.where(KeptInPart.again_at <= now)
    return [Part(*row) for row in session.execute(query)]


def count_attempt(session: Session, mailbox: str, part: Part, now: datetime, *, every: bool) -> bool:
    """Notes an attempt and when the next may be made; False when it is not its time any more."""
    location = _location(session, mailbox, part)
    row = session.get(KeptInPart, location.id, with_for_update=True) if location is not None else None
    if row is None or (not every and (row.again_at is None or row.again_at > now)):
        return False
    row.attempts += 1
    row.again_at = now + DELAYS[row.attempts] if row.attempts < len(DELAYS) else None
    return True


def give_up(session: Session, mailbox: str, part: Part, why: str) -> None:
    """It can be had no more; what is kept of it stays, and says so. Without a `why` nobody need be told."""
    location = _location(session, mailbox, part)
    row = session.get(KeptInPart, location.id) if location is not None else None
    if location is None or row is None:
        return
    if not why:
        session.delete(row)
        return
    row.again_at = None
    if why not in location.problem:
        location.problem = f"{location.problem}; {why}"[:500]


def replace_part(session: Session, mailbox: str, part: Part, raw_id: int, order_at: datetime) -> bool:
    """The whole message in the place of the part; it is interpreted next, into the same record. False when somebody
    did that before, or it is to be forgotten."""
    location = _location(session, mailbox, part)
    row = session.get(KeptInPart, location.id) if location is not None else None
    if location is None or row is None or location.outcome == "ignored":
        return False
    session.execute(delete(KeptInPart).where(KeptInPart.location_id == location.id))
    session.execute(update(Quarantine).where(Quarantine.location_id == location.id).values(raw_id=raw_id))
    location.raw_id, location.order_at, location.problem = raw_id, order_at, ""
    location.outcome, location.outcome_reason = "pending", ""
    return True


def given_up(session: Session) -> Sequence[Location]:
    """Messages that stay in part, the latest first."""
    query = (
        select(Location)
        .join(KeptInPart, KeptInPart.location_id == Location.id)
        .where(KeptInPart.again_at.is_(None), Location.outcome != "ignored")
        .order_by(KeptInPart.location_id.desc())
    )
    return session.scalars(query.limit(_AT_ONCE)).all()


def left_in_part(session: Session) -> int:
    """How many messages could be had only in part so far."""
    return session.scalar(select(func.count()).select_from(KeptInPart)) or 0


def _location(session: Session, mailbox: str, part: Part) -> Location | None:
    there = and_(
        Location.mailbox == mailbox,
        Location.folder == part.folder,
        Location.uidvalidity == part.uidvalidity,
        Location.uid == part.uid,
    )
    return session.scalar(select(Location).where(there))
