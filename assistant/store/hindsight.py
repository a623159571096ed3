"""What a transaction that thinks history over does not know yet, and from when on history has to be thought over at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from assistant.store.tables import Base, Location, RawMail, Record, Setting

_UNKNOWN = "not known yet"
_LATE = "late_mail"


@dataclass(slots=True)
class NotKnownYet:
    """Ids of clients, contacts and projects that only later mail makes known: whoever looks for them finds nothing."""

    clients: set[int] = field(default_factory=set)
    contacts: set[int] = field(default_factory=set)
    projects: set[int] = field(default_factory=set)
    begun_by: dict[int, int] = field(default_factory=dict)
    """Thread → the project that began with it."""


def not_known_yet(session: Session) -> NotKnownYet:
    """What this session does not know yet; nothing, unless it thinks history over."""
    found: NotKnownYet = session.info.setdefault(_UNKNOWN, NotKnownYet())
    return found


def all_known(session: Session) -> None:
    """The session knows everything again."""
    session.info.pop(_UNKNOWN, None)


@dataclass(frozen=True, slots=True)
class Late:
    """From `since` on (`Location.order_at`) history has to be thought over; `clients` are those whom late mail concerns,
    each with the time of the earliest that does."""

    since: datetime
    clients: Mapping[int, datetime]

    def of(self, client_id: int) -> Late:
        """What concerns one of the clients."""
        since = self.clients[client_id]
        return Late(since, {client_id: since})


def note_late(session: Session, since: datetime, clients: Mapping[int, datetime]) -> None:
    """Something became known that belongs before what was interpreted already: at `since`, for each client at its time."""
    known = late(session)
    concerned = dict(known.clients) if known else {}
    for client, at in clients.items():
        concerned[client] = min(at, concerned.get(client, at))
    _put_late(session, Late(min(since, known.since) if known else since, concerned))


def _put_late(session: Session, found: Late) -> None:
    row = session.get(Setting, _LATE)
    clients = {str(client): since.isoformat() for client, since in sorted(found.clients.items())}
    value: dict[str, Any] = {"since": found.since.isoformat(), "clients": clients}
    if row is None:
        session.add(Setting(name=_LATE, value=value))
        session.flush()
    else:
        row.value = value


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a message stands in the order in which mail is interpreted: by the time it was written, then by its bytes."""

    order_at: datetime
    sha256: str


def places_of(session: Session, locations: Sequence[Location]) -> list[Place]:
    """The places of some messages, in their order."""
    ids = {location.raw_id for location in locations}
    rows = session.execute(select(RawMail.id, RawMail.sha256).where(RawMail.id.in_(ids)))
    digests: dict[int, str] = {row[0]: row[1] for row in rows}
    return [Place(location.order_at, digests[location.raw_id]) for location in locations]


def last_heard(session: Session) -> Place | None:
    """The place of the latest message that became a record."""
    query = (
        select(Location.order_at, RawMail.sha256)
        .join(RawMail, RawMail.id == Location.raw_id)
        .where(Location.outcome == "logged")
        .order_by(Location.order_at.desc(), RawMail.sha256.desc())
        .limit(1)
    )
    row = session.execute(query).first()
    return Place(row[0], row[1]) if row else None


def recorded_since(session: Session, since: datetime, most: int) -> int:
    """How many messages from then on became records; counts no further than one more than `most`."""
    within = select(Location.id).where(Location.outcome == "logged", Location.order_at >= since).limit(most + 1)
    return session.scalar(select(func.count()).select_from(within.subquery())) or 0


@dataclass(frozen=True, slots=True)
class Recent:
    """What a record near the end of history may have in common with late mail."""

    place: Place
    record_id: int
    client_id: int | None
    contact_id: int | None
    thread_id: int | None
    base_subject: str


def latest_records(session: Session, most: int) -> list[Recent]:
    """The latest `most` records, the latest first."""
    columns = (Record.id, Record.client_id, Record.contact_id, Record.thread_id, Record.base_subject)
    query = (
        select(Location.order_at, RawMail.sha256, *columns)
        .join(RawMail, RawMail.id == Location.raw_id)
        .join(Record, Record.id == Location.record_id)
        .where(Location.outcome == "logged")
        .order_by(Location.order_at.desc(), RawMail.sha256.desc())
        .limit(most)
    )
    return [Recent(Place(row[0], row[1]), *row[2:]) for row in session.execute(query)]


def late(session: Session) -> Late | None:
    """What has to be thought over, if anything."""
    row = session.get(Setting, _LATE)
    if row is None:
        return None
    since = datetime.fromisoformat(row.value["since"])
    clients = row.value["clients"]
    if isinstance(clients, list):  # as it was kept at first: no times of their own
        return Late(since, dict.fromkeys(clients, since))
    return Late(since, {int(client): datetime.fromisoformat(at) for client, at in clients.items()})


def settle_late(session: Session, client_id: int | None = None) -> None:
    """Everything has been thought over, or what concerns one client has."""
    known = late(session) if client_id is not None else None
    if known is not None:
        _put_late(session, Late(known.since, {one: at for one, at in known.clients.items() if one != client_id}))
        return
    row = session.get(Setting, _LATE)
    if row is not None:
        session.delete(row)
        session.flush()


def drop_unused(session: Session, table: str, ids: Iterable[int], along: frozenset[str]) -> frozenset[int]:
    """Deletes those rows of `table` that only tables in `along` refer to, and these with them; returns those that stay."""
    wanted = set(ids)
    target = Base.metadata.tables[table]
    referring = [
        (other, key.parent)
        for other in Base.metadata.tables.values()
        for key in other.foreign_keys
        if key.column.table is target
    ]
    used: set[int] = set()
    for other, column in referring:
        if other.name not in along and wanted:
            used.update(session.scalars(select(column).where(column.in_(wanted))))
    free = wanted - used
    if free:
        for other, column in referring:
            if other.name in along:
                session.execute(delete(other).where(column.in_(free)))
        session.execute(delete(target).where(target.c.id.in_(free)))
        for row in [row for row in session.identity_map.values() if isinstance(row, Base)]:
            if row.__table__ is target and row.__dict__.get("id") in free:
                session.expunge(row)
    return frozenset(used)
