"""Everything that was kept is interpreted anew in a scratch database: the same order, the same hours, the same words of people."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from assistant.clock import FrozenClock
from assistant.errors import WrongUse
from assistant.intake.corrections import correct_record
from assistant.intake.interpretation import IntakeSettings
from assistant.intake.introduction import introduce_client
from assistant.intake.moves import find_client
from assistant.intake.pipeline import Intake
from assistant.intake.record import refresh_project
from assistant.intake.relations import AgencySide
from assistant.model.reading import Follower, Reader
from assistant.store import Archive, Database
from assistant.store.audit import says_something
from assistant.store.clients import give_domain, merge_clients
from assistant.store.tables import (
    AuditEntry,
    CadenceRunRow,
    Client,
    ClientDomain,
    Contact,
    Correction,
    Location,
    OpenItem,
    OutboxMessage,
    Project,
    Quarantine,
    RawMail,
    Record,
    SignOff,
    StaffNote,
    StageChange,
    Suppression,
    Thread,
    ThreadKey,
)
from assistant.store.threads import place_in_thread
from parsers import Message

MERGED = "clients-merged"
"""The audit event of `assistant clients merge`; its details name a key of each."""
CHANGED = "client-changed"
"""The audit event of `assistant clients set`; where it gave the client a domain, its details name that and a key."""
ADDED = "client-added"
"""The audit event of `assistant clients add`; its details name the client's key and name."""
WAITS = "waits for its turn"
"""What a location of the scratch database is until then."""
_TOGETHER = timedelta(seconds=2)
_MOST_TOGETHER = 64
_LAST = 1 << 60


@dataclass(frozen=True)
class Interpreting:
    """What phases 3 to 7 need. `reader` is one that nobody has taught yet; it learns as the corrections come."""

    reader: Reader
    agency: AgencySide
    cutoff: timedelta
    archive: Archive


@dataclass(frozen=True, slots=True)
class _Step:
    """Something that happened: locations that were interpreted together, or one thing that a person said."""

    at: datetime
    locations: tuple[Location, ...] = ()
    fixed: Record | None = None
    """A record without a message that could be read again: of a call, or of mail whose bytes are erased."""
    correction: Correction | None = None
    merge: tuple[str, str] | None = None
    domain: tuple[str, str] | None = None
    """A key of a client, and a domain that somebody said is its own too."""
    added: tuple[str, str] | None = None
    """The key of a client that somebody named, and what it is called."""


def empty_of_derived(scratch: Database) -> None:
    """Takes everything out of a copy of the database that interpretation makes, and all that refers to it."""
    with scratch.session() as session:
        for table in (StaffNote, OpenItem, SignOff, StageChange, Quarantine):
            session.execute(delete(table))
        nothing = dict.fromkeys(
            ("client_id", "project_id", "contact_id", "thread_id", "anchor_record_id", "run_id"), None
        )
        session.execute(delete(OutboxMessage).where(OutboxMessage.purpose != "canary"))
        session.execute(update(OutboxMessage).values(**nothing))
        session.execute(delete(CadenceRunRow))
        session.execute(update(Location).values(record_id=None, outcome=WAITS, outcome_reason=""))
        session.execute(update(Thread).values(merged_into=None, continues_id=None))
        session.execute(update(Client).values(merged_into=None))
        session.execute(update(Contact).values(formerly_id=None))
        for derived in (Record, ThreadKey, Thread, Project, Contact, ClientDomain, Client, Correction, Suppression):
            session.execute(delete(derived))


class Replay:
    """Goes through what happened. `scratch` is a copy that was emptied; `original` is only read."""

    def __init__(self, original: Session, scratch: Database, interpreting: Interpreting) -> None:
        self._original = original
        self._scratch = scratch
        self._reader = interpreting.reader
        self._agency = interpreting.agency
        self._clock = FrozenClock(datetime.fromisoformat("2000-01-01T00:00:00+00:00"))
        self._trust = _trust_by_content(original)
        self.problems: list[str] = []
        self.copied: dict[int, int] = {}
        """Records that were copied as they are: number here → number in the original."""
        self._intake = Intake(
            scratch,
            interpreting.archive,
            interpreting.reader,
            replace(interpreting.agency, prove=self._proved_then, proved_in=None),
            self._clock,
            IntakeSettings(interpreting.cutoff),
        )

    def run(self, progress: Callable[[int], None]) -> None:
        """`progress` is told how many messages were done."""
        for step in _in_order(list(self._steps())):
            self._clock.move_to(step.at)
            if step.locations:
                with self._scratch.session() as session:
                    numbers = [location.id for location in step.locations]
                    session.execute(update(Location).where(Location.id.in_(numbers)).values(outcome="pending"))
                self._intake.run(limit=len(numbers))
                progress(len(numbers))
            elif step.fixed is not None:
                with self._scratch.session() as session:
                    self._copy(session, step.fixed)
                progress(1)
            else:
                # People spoke of what they saw: late mail had found its place by then.
                self._intake.look_back()
                with self._scratch.session() as session:
                    self._say_again(session, step)
        self._intake.look_back()

    def _proved_then(self, raw: bytes, _message: Message) -> str:
        """What the proof of the sender was when the message came: keys are gone from the DNS after a while."""
        return self._trust.get(hashlib.sha256(raw).hexdigest(), "none")

    # --- what happened, and when ------------------------------------------------------------------------------------

    def _steps(self) -> Iterator[_Step]:
        original = self._original
        records = {record.id: record for record in original.scalars(select(Record))}
        read_again: set[int] = set()
        whole = select(Location).join(RawMail, RawMail.id == Location.raw_id).where(RawMail.erased_at.is_(None))
        for location in original.scalars(whole.where(Location.outcome != "pending")):
            record = records.get(location.record_id or 0)
            if record is not None and location.outcome == "logged":
                read_again.add(record.id)
            # A second copy comes after the one that became the record, whenever it was kept.
            at = max(location.kept_at, record.logged_at) if record is not None else location.kept_at
            yield _Step(at, (location,))
        for record in records.values():
            if record.id not in read_again:
                yield _Step(record.logged_at, fixed=record)
        for correction in original.scalars(select(Correction)):
            yield _Step(correction.at, correction=correction)
        yield from self._said_on_the_command_line()

    def _said_on_the_command_line(self) -> Iterator[_Step]:
        """What people said of clients; of whom was forgotten since, nothing is left to say again."""
        wanted = select(AuditEntry).where(AuditEntry.event.in_((MERGED, ADDED, CHANGED)))
        for entry in filter(says_something, self._original.scalars(wanted)):
            said = {name: str(value) for name, value in entry.details.items()}
            if entry.event == MERGED:
                yield _Step(entry.at, merge=(said["source"], said["target"]))
            elif entry.event == ADDED:
                yield _Step(entry.at, added=(said["client"], said["name"]))
            elif "domain" in said:
                yield _Step(entry.at, domain=(said["client"], said["domain"]))

    # --- people ------------------------------------------------------------------------------------------------------

    def _say_again(self, session: Session, step: _Step) -> None:
        try:
            if step.merge is not None:
                source, target = (find_client(session, key) for key in step.merge)
                if source.id != target.id:
                    merge_clients(session, source, target)
            elif step.added is not None:
                introduce_client(session, *step.added, self._agency, step.at)
            elif step.domain is not None:
                give_domain(session, find_client(session, step.domain[0]), step.domain[1])
            elif step.correction is not None:
                self._correct(session, step.correction)
        except WrongUse as error:
            self.problems.append(str(error))

    def _correct(self, session: Session, said: Correction) -> None:
        found = select(Record).where(Record.message_id == said.message_id).order_by(Record.id).limit(1)
        record = session.scalar(found)
        if record is None:
            self.problems.append(f"correction {said.id}: its message is not there")
            return
        correct_record(session, record, said.field, said.value, said.by, said.at)
        session.flush()
        if isinstance(self._reader, Follower):
            self._reader.follow(session)

    # --- records that stay as they are -------------------------------------------------------------------------------

    def _copy(self, session: Session, record: Record) -> None:
        original = self._original
        client = _client_like(session, original, record.client_id)
        contact = _contact_like(session, original, record.contact_id, client)
        project = _project_like(session, original, record, client)
        keys = original.scalars(select(ThreadKey.message_id).where(ThreadKey.thread_id == record.thread_id)).all()
        ids = [record.message_id, *(key for key in keys if key != record.message_id)]
        thread = place_in_thread(session, ids, record.base_subject, record.sent_at) if record.thread_id else None
        if thread is not None and project is not None and thread.project_id is None:
            thread.project_id, thread.client_id = project.id, project.client_id
        values = {column.name: getattr(record, column.key) for column in Record.__table__.columns}
        values |= {
            "id": None,
            "client_id": client.id if client else None,
            "contact_id": contact.id if contact else None,
            "project_id": project.id if project else None,
            "thread_id": thread.id if thread else None,
        }
        copy = Record(**values)
        session.add(copy)
        session.flush()
        self.copied[copy.id] = record.id
        for table in (SignOff, OpenItem):
            for row in original.scalars(select(table).where(table.record_id == record.id)):
                hung = {column.name: getattr(row, column.key) for column in table.__table__.columns}
                hung |= {"id": None, "record_id": copy.id, "project_id": copy.project_id}
                if table is OpenItem:
                    hung |= {"client_id": copy.client_id, "dedupe_key": None}
                session.add(table(**hung))
        session.flush()
        if project is not None:
            refresh_project(session, project)


def _trust_by_content(original: Session) -> dict[str, str]:
    """SHA-256 of a message → what proved its sender, for those that were proved."""
    rows = original.execute(
        select(RawMail.sha256, Record.trust).join(Record, Record.raw_id == RawMail.id).where(Record.trust != "none")
    )
    return {row[0]: row[1] for row in rows}


def _in_order(steps: Sequence[_Step]) -> Iterator[_Step]:
    """By time; what was read in one go and in the order of writing is read in one go again."""
    gathered: list[Location] = []
    since: datetime | None = None
    for step in sorted(steps, key=_order):
        together = (
            step.locations
            and gathered
            and since is not None
            and step.at - since <= _TOGETHER
            and _reading_order(step.locations[0]) > _reading_order(gathered[-1])
            and len(gathered) < _MOST_TOGETHER
        )
        if gathered and not together:
            assert since is not None, "whatever was gathered has a time"
            yield _Step(since, tuple(gathered))
            gathered, since = [], None
        if step.locations:
            since = since or step.at
            gathered.append(step.locations[0])
        else:
            yield step
    if gathered and since is not None:
        yield _Step(since, tuple(gathered))


def _reading_order(location: Location) -> tuple[datetime, int]:
    """As `assistant.intake.pending` takes what waits."""
    return location.order_at, location.id


def _order(step: _Step) -> tuple[datetime, int, bool, int]:
    """Mail before what people said of it; mail in the order in which it became records."""
    if step.locations:
        location = step.locations[0]
        return step.at, location.record_id or 0, location.outcome != "logged", location.id
    said = step.fixed or step.correction
    return step.at, step.fixed.id if step.fixed else _LAST, True, said.id if said else 0


# --- the same people and projects in the scratch database ------------------------------------------------------------


def _client_like(session: Session, original: Session, client_id: int | None) -> Client | None:
    was = original.get(Client, client_id) if client_id is not None else None
    if was is None:
        return None
    keys = list(original.scalars(select(ClientDomain.domain).where(ClientDomain.client_id == was.id)))
    number = session.scalar(select(ClientDomain.client_id).where(ClientDomain.domain.in_(keys)).limit(1))
    found = session.get(Client, number) if number is not None else None
    if found is None:
        found = session.scalar(select(Client).where(Client.name == was.name, Client.merged_into.is_(None)))
    if found is None:
        found = Client(**_values_of(was, id=None, merged_into=None))
        session.add(found)
        session.flush()
        session.add_all(ClientDomain(domain=key, client_id=found.id) for key in keys)
    return found


def _contact_like(session: Session, original: Session, contact_id: int | None, client: Client | None) -> Contact | None:
    was = original.get(Contact, contact_id) if contact_id is not None else None
    if was is None or client is None:
        return None
    found = session.scalar(select(Contact).where(Contact.addr_spec == was.addr_spec))
    if found is None:
        found = Contact(**_values_of(was, id=None, client_id=client.id, formerly_id=None))
        session.add(found)
        session.flush()
    return found


def _project_like(session: Session, original: Session, record: Record, client: Client | None) -> Project | None:
    """The project that holds mail of the same one, or has its name; else a copy of it."""
    was = original.get(Project, record.project_id) if record.project_id is not None else None
    if was is None or client is None:
        return None
    ids = list(original.scalars(select(Record.message_id).where(Record.project_id == was.id)))
    number = session.scalar(
        select(Record.project_id)
        .where(Record.message_id.in_(ids[:500]), Record.client_id == client.id, Record.project_id.is_not(None))
        .limit(1)
    )
    found = session.get(Project, number) if number is not None else None
    if found is None:
        found = session.scalar(select(Project).where(Project.client_id == client.id, Project.name == was.name))
    if found is None:
        found = Project(**_values_of(was, id=None, client_id=client.id, waiting_record_id=None))
        session.add(found)
        session.flush()
    return found


def _values_of(row: Client | Contact | Project, **other: object) -> dict[str, object]:
    values = {column.name: getattr(row, column.key) for column in row.__table__.columns}
    return values | other
