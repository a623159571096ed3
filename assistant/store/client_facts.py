"""Facts about clients and their people, read for many clients at once: a fixed number of queries, however many they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import bindparam, literal_column, select
from sqlalchemy.orm import Session

from assistant.model.cadence import (
    Absence,
    AutomaticMail,
    ClientFacts,
    ContactFacts,
    OptOut,
    OptOutScope,
    PlannedMail,
    send_key,
)
from assistant.model.people import Directory
from assistant.model.process import STAGES
from assistant.store.confirmed import read_confirmed
from assistant.store.tables import CadenceRunRow, Client, Contact, OpenItem, OutboxMessage, Project, Record, Suppression

_SENT_MEMORY = timedelta(days=400)
_OPEN_OUTBOX = ("queued", "claimed", "sending", "deferred", "waiting_approval")
_LEFT = ("sent", "uncertain")
_AT_ONCE = 500


def _ids() -> Any:
    """The parameter `ids` of the statements below. They are built once: that costs more than to run them."""
    return bindparam("ids", expanding=True)


_CLIENTS = select(Client).where(Client.id.in_(_ids()))
_CONTACTS = select(Contact).where(Contact.client_id.in_(_ids())).order_by(Contact.id)
_PROJECTS = select(Project.client_id, Project.state, Project.stage, Project.last_at).where(
    Project.client_id.in_(_ids())
)
_COMPLAINTS = select(OpenItem.client_id).where(
    OpenItem.client_id.in_(_ids()), OpenItem.kind == "complaint", OpenItem.settled_at.is_(None)
)
_SUPPRESSIONS = select(Suppression).where(
    Suppression.addr_spec.in_(bindparam("addresses", expanding=True)), Suppression.scope != "lifted"
)
_OUTGOING = (
    select(
        OutboxMessage.contact_id,
        OutboxMessage.state,
        OutboxMessage.settled_at,
        OutboxMessage.due_at,
        OutboxMessage.rule,
        OutboxMessage.project_id,
        OutboxMessage.dedupe_key,
    )
    .where(
        OutboxMessage.contact_id.in_(_ids()),
        OutboxMessage.audience == "client",
    )
    .order_by(OutboxMessage.id)
)
"""Automatic mail to these people. What became of it is looked at here: where a statement names states and times as well,
SQLite goes through all the mail that was sent."""
_STEPS = (
    select(
        CadenceRunRow.contact_id,
        CadenceRunRow.due_at,
        CadenceRunRow.cadence,
        CadenceRunRow.project_id,
        CadenceRunRow.anchor_record_id,
        CadenceRunRow.step_index,
    )
    .where(CadenceRunRow.contact_id.in_(_ids()), CadenceRunRow.status == "active")
    .order_by(CadenceRunRow.id)
)
_AWAY = (
    select(Record.contact_id, Record.id, Record.sent_at)
    # Written out, because SQLite takes a partial index only for a condition it can read.
    .where(Record.contact_id.in_(_ids()), Record.kind == literal_column("'auto_reply'"), Record.direction == "inbound")
    .order_by(Record.sent_at, Record.id)
)


def in_parts(ids: Iterable[int]) -> Iterator[list[int]]:
    """The ids in parts that one statement can take."""
    wanted = list(ids)
    for start in range(0, len(wanted), _AT_ONCE):
        yield wanted[start : start + _AT_ONCE]


def read_clients(session: Session, directory: Directory, ids: Iterable[int], now: datetime) -> dict[int, ClientFacts]:
    """Facts of every client among `ids` that there is, as of `now`."""
    found: dict[int, ClientFacts] = {}
    for part in in_parts(ids):
        found.update(_read_part(session, directory, part, now))
    return found


def _read_part(session: Session, directory: Directory, ids: Sequence[int], now: datetime) -> dict[int, ClientFacts]:
    clients = {client.id: client for client in session.scalars(_CLIENTS, {"ids": ids})}
    contacts: dict[int, list[Contact]] = defaultdict(list)
    for contact in session.scalars(_CONTACTS, {"ids": ids}):
        contacts[contact.client_id].append(contact)
    projects = defaultdict(list)
    for row in session.execute(_PROJECTS, {"ids": ids}):
        projects[row.client_id].append(row)
    complaints = set(session.scalars(_COMPLAINTS, {"ids": ids}))
    people = _People.read(session, [contact for group in contacts.values() for contact in group], now)
    confirmed = read_confirmed(session, clients.values(), ids)
    return {
        client.id: ClientFacts(
            client_id=client.id,
            name=client.name,
            country=client.country.partition("-")[0] or "CN",
            subdivision=client.country.partition("-")[2],
            timezone=client.timezone or "Asia/Shanghai",
            language=client.language or "zh-Hans",
            tags=tuple(client.tags),
            owner=directory.person(client.owner) or (directory.staff[0] if directory.staff else None),
            contacts=tuple(
                people.facts(contact, client, confirmed=confirmed.includes(contact)) for contact in contacts[client.id]
            ),
            stages=_stages(projects[client.id]),
            open_complaint=client.id in complaints,
            lost_pitch_on=max((row.last_at.date() for row in projects[client.id] if row.state == "lost"), default=None),
            muted="muted" in client.tags,
        )
        for client in clients.values()
    }


def _stages(projects: Sequence[Any]) -> tuple[Any, ...]:
    open_ones = {row.stage for row in projects if row.state in {"running", "paused"}}
    return tuple(stage for stage in STAGES if stage in open_ones) or (("relationship",) if projects else ())


@dataclass(slots=True)
class _People:
    """What is known of some contacts beside their own rows, by contact or address."""

    now: datetime
    suppressions: Mapping[str, Sequence[Suppression]] = field(default_factory=dict)
    outgoing: Mapping[int, Sequence[Any]] = field(default_factory=dict)
    next_steps: Mapping[int, Sequence[PlannedMail]] = field(default_factory=dict)
    absences: Mapping[int, Absence] = field(default_factory=dict)

    @classmethod
    def read(cls, session: Session, contacts: Sequence[Contact], now: datetime) -> _People:
        people = cls(now, defaultdict(list), defaultdict(list), defaultdict(list), {})
        by_id = {contact.id: contact for contact in contacts}
        for part in in_parts(by_id):
            people._add(session, [by_id[number] for number in part], now)
        return people

    def _add(self, session: Session, contacts: Sequence[Contact], now: datetime) -> None:
        ids = [contact.id for contact in contacts]
        suppressions = cast("dict[str, list[Suppression]]", self.suppressions)
        wanted = [contact.addr_spec for contact in contacts]
        for item in session.scalars(_SUPPRESSIONS, {"addresses": wanted}):
            suppressions[item.addr_spec].append(item)
        outgoing = cast("dict[int, list[Any]]", self.outgoing)
        since = now - _SENT_MEMORY
        for row in session.execute(_OUTGOING, {"ids": ids}):
            left = row.state in _LEFT and row.settled_at is not None and row.settled_at >= since
            if left or row.state in _OPEN_OUTBOX:
                outgoing[row.contact_id].append(row)
        next_steps = cast("dict[int, list[PlannedMail]]", self.next_steps)
        for contact_id, planned in _next_steps(session, ids):
            next_steps[contact_id].append(planned)
        cast("dict[int, Absence]", self.absences).update(_absences(session, contacts))

    def facts(self, contact: Contact, client: Client, *, confirmed: bool) -> ContactFacts:
        suppressions = self.suppressions.get(contact.addr_spec, ())
        outgoing = self.outgoing.get(contact.id, ())
        return ContactFacts(
            contact_id=contact.id,
            name=contact.name,
            address=contact.addr_spec,
            language=contact.language or client.language,
            timezone=contact.timezone or client.timezone,
            country=contact.country.partition("-")[0],
            subdivision=contact.country.partition("-")[2],
            tags=tuple(contact.tags),
            birthday=_birthday(contact.birthday),
            cooperation_since=contact.since,
            bouncing=any(
                item.reason == "bounce" and (item.review_at is None or item.review_at > self.now)
                for item in suppressions
            ),
            absence=self.absences.get(contact.id),
            opt_outs=tuple(
                OptOut(cast("OptOutScope", item.scope), item.since, item.thread_id or None)
                for item in suppressions
                if item.reason != "bounce"
            ),
            sent=tuple(
                AutomaticMail(row.settled_at or row.due_at, row.rule, row.project_id, row.dedupe_key)
                for row in outgoing
                if row.state in _LEFT
            ),
            planned=(
                *(
                    PlannedMail(row.due_at, row.rule, row.dedupe_key, row.project_id)
                    for row in outgoing
                    if row.state in _OPEN_OUTBOX
                ),
                *self.next_steps.get(contact.id, ()),
            ),
            left="left" in contact.tags,
            confirmed=confirmed,
        )


def _next_steps(session: Session, contact_ids: Sequence[int]) -> Iterator[tuple[int, PlannedMail]]:
    """What the cadences under way with these people will do next, in whatever project."""
    for row in session.execute(_STEPS, {"ids": contact_ids}):
        key = send_key(row.project_id, row.cadence, row.anchor_record_id, row.step_index + 1)
        yield row.contact_id, PlannedMail(row.due_at, row.cadence, key, row.project_id)


def _absences(session: Session, contacts: Sequence[Contact]) -> Iterator[tuple[int, Absence]]:
    """The latest out-of-office answer of each person that nothing they wrote has followed."""
    by_id = {contact.id: contact for contact in contacts}
    rows = session.execute(_AWAY, {"ids": list(by_id)})
    latest = {row.contact_id: row for row in rows}
    for contact_id, row in latest.items():
        contact = by_id[contact_id]
        if contact.last_inbound_at is None or contact.last_inbound_at <= row.sent_at:
            yield contact_id, Absence(row.sent_at, contact.absent_until, row.id)


def _birthday(text: str) -> date | None:
    if not text:
        return None
    month, _, day = text.partition("-")
    return date(2000, int(month), int(day))
