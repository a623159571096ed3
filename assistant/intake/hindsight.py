"""History thought over again, because something became known that belongs before what was interpreted already.

Whose mail it is, which project it belongs to and what it says depend on the mail before it. When mail arrives late, all
that was written after it is related and read again in the order in which it was written, as if nothing later were known:
the outcome is that of mail that arrived in order. Records, clients, contacts and projects keep their rows, corrections
stay, and nothing is sent, started or taken back: the deciding phase is not part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from assistant.intake.interpretation import Interpretation, Understood
from assistant.intake.project_book import ProjectBook
from assistant.intake.record import apply_reading, note_consequences, refresh_project
from assistant.model.doubt import SET_BY_A_PERSON
from assistant.store import Archive
from assistant.store.hindsight import Late, NotKnownYet, all_known, drop_unused, not_known_yet
from assistant.store.remembering import parts_of
from assistant.store.tables import (
    CadenceRunRow,
    Client,
    Contact,
    Correction,
    Location,
    OpenItem,
    OutboxMessage,
    Project,
    RawMail,
    Record,
    SignOff,
    Thread,
)
from assistant.store.threads import living_thread

_UNHEARD = "unheard"
"""The kind of a record whose turn has not come yet: no look-up takes it for mail between people."""
_LABELS = {
    "stage": ("stage", "stage_confidence", "stage_evidence", "stage_probabilities"),
    "intents": ("intents",),
    "approval": ("approval",),
    "waiting_on": ("waiting_on", "waiting_evidence"),
}
_QUIET = {"synchronize_session": False}


class Interrupted(Exception):  # noqa: N818  # a signal to roll back, and no error
    """The program is to end: what was begun is thrown away, and done again when it starts."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """One record whose turn comes, and the mail it was made from."""

    record: Record
    location: Location


@dataclass(frozen=True, slots=True)
class _Corrections:
    """What people set right, per Message-ID and per thread."""

    fields: dict[str, set[str]]
    clients: dict[int, int]
    """Thread → the client it was given to."""


def think_over(
    session: Session, late: Late, one: Interpretation, archive: Archive, stop: Callable[[], bool], *, whole: bool
) -> tuple[int, frozenset[int]]:
    """Everything from `late.since` on, or without `whole` only what is the clients' whom it concerns, and in their threads.

    Returns how many records, and the clients whose mail it was before or is now. Raises Interrupted after `stop` says
    so: the caller must roll back.
    """
    late = replace(late, since=_readable_since(session, late, whole=whole))
    turns = _turns(session, late, whole=whole)
    clients = {turn.record.client_id for turn in turns}
    within = {client for client in clients if client is not None} if whole else set(late.clients)
    one.book = ProjectBook()
    corrections = _corrections(session, turns)
    projects = _forget(session, late, within, turns, corrections)
    _refresh(session, turns)
    with session.no_autoflush:
        for turn in turns:
            if stop():
                raise Interrupted
            _again(session, turn, one, archive, corrections)
    one.refresh_weak_edges(session, {turn.record.subject_key for turn in turns})
    one.book.grown |= projects
    one.look_back(session)
    clients.update(turn.record.client_id for turn in turns)
    _settle(session, projects | {turn.record.project_id for turn in turns if turn.record.project_id}, turns)
    return len(turns), frozenset(client for client in clients if client is not None)


def _readable_since(session: Session, late: Late, *, whole: bool) -> datetime:
    """Clients' mail whose bytes were erased cannot be read again: it stays as it is, and what is before it too."""
    concerned = Record.client_id.is_not(None) if whole else Record.client_id.in_(late.clients)
    erased = session.scalar(
        select(func.max(Location.order_at))
        .join(Record, and_(Record.raw_id == Location.raw_id, Record.id == Location.record_id))
        .join(RawMail, RawMail.id == Location.raw_id)
        # Of no other outcome is there a record: they are named so that the index is of use.
        .where(Location.outcome.in_(("logged", "duplicate")), Location.order_at >= late.since)
        .where(RawMail.erased_at.is_not(None), concerned)
    )
    return late.since if erased is None else max(late.since, erased + timedelta(microseconds=1))


def _turns(session: Session, late: Late, *, whole: bool) -> list[_Turn]:
    """The records from then on in the order in which mail is interpreted."""
    query = (
        select(Record, Location)
        # By its bytes a record finds its location: no index leads there by the record's number.
        .join(Location, and_(Location.raw_id == Record.raw_id, Location.record_id == Record.id))
        .join(RawMail, RawMail.id == Location.raw_id)
        .where(Location.outcome == "logged", Location.order_at >= late.since, RawMail.erased_at.is_(None))
        # Mail to ourselves that only shows that we read (a canary) belongs to nothing.
        .where(Record.thread_id.is_not(None))
        .order_by(Location.order_at, RawMail.sha256, Location.id)
    )
    if not whole:
        threads = select(Thread.id).where(Thread.client_id.in_(late.clients))
        query = query.where(or_(Record.client_id.in_(late.clients), Record.thread_id.in_(threads)))
    return [_Turn(record, location) for record, location in session.execute(query)]


def _corrections(session: Session, turns: Sequence[_Turn]) -> _Corrections:
    fields: dict[str, set[str]] = {}
    corrected = select(Correction.message_id, Correction.field)
    for part in parts_of([turn.record.message_id for turn in turns]):
        for message_id, field in session.execute(corrected.where(Correction.message_id.in_(part))):
            fields.setdefault(message_id, set()).add(field)
    given = {turn.record for turn in turns if "client" in fields.get(turn.record.message_id, ())}
    clients = {record.thread_id: record.client_id for record in given if record.thread_id and record.client_id}
    return _Corrections(fields, clients)


# --- forgetting -----------------------------------------------------------------------------------------------------


def _forget(
    session: Session, late: Late, within: set[int], turns: Sequence[_Turn], corrections: _Corrections
) -> set[int]:
    """Goes back to what was known of the clients `within` at `late.since`; returns the projects that may change by it."""
    unknown = not_known_yet(session)
    clients = select(Client.id).where(Client.known_since >= late.since, Client.merged_into.is_(None))
    unknown.clients = set(session.scalars(clients.where(Client.id.in_(within)))) - set(corrections.clients.values())
    unknown.contacts = set(
        session.scalars(select(Contact.id).where(Contact.known_since >= late.since, Contact.client_id.in_(within)))
    )
    unknown.projects = set(
        session.scalars(select(Project.id).where(Project.known_since >= late.since, Project.client_id.in_(within)))
    )
    by_hand = select(Thread.id).where(Thread.project_id == Project.id, Thread.project_evidence == SET_BY_A_PERSON)
    unknown.projects.update(
        session.scalars(
            select(Project.id).where(
                Project.known_since.is_(None),
                Project.opened_at >= late.since,
                Project.client_id.in_(within),
                by_hand.exists(),
            )
        )
    )
    decided = (Thread.merged_into.is_(None), Thread.decided_at >= late.since)
    threads = [
        thread
        for part in parts_of(sorted(within))
        for thread in session.scalars(select(Thread).where(*decided, Thread.client_id.in_(part)))
    ]
    begun = {thread.project_id for thread in threads if thread.project_id is not None}
    known = select(Project.id, Project.known_since)
    since = {
        row[0]: row[1] for part in parts_of(sorted(begun)) for row in session.execute(known.where(Project.id.in_(part)))
    }
    reset = []
    for thread in threads:
        if thread.project_evidence == SET_BY_A_PERSON:
            unknown.clients.discard(thread.client_id or 0)
            continue
        if thread.project_id is not None and since.get(thread.project_id) == thread.decided_at:
            unknown.begun_by.setdefault(thread.id, thread.project_id)
        reset.append(thread)
    touched = set(session.scalars(select(Record.project_id).where(Record.id.in_([turn.record.id for turn in turns]))))
    _clear(session, turns, reset, unknown)
    affected = {number for number in touched if number is not None} | unknown.projects
    book = ProjectBook()
    book.expect(session, affected - unknown.projects)
    for number in sorted(affected - unknown.projects):
        if (project := session.get(Project, number)) is not None:
            refresh_project(session, project, book)
    return affected


def _clear(session: Session, turns: Sequence[_Turn], threads: Sequence[Thread], unknown: NotKnownYet) -> None:
    for turn in turns:
        record = turn.record
        record.client_id = record.contact_id = record.project_id = None
        record.kind = _UNHEARD
    for thread in threads:
        thread.project_id, thread.client_id, thread.decided_at = None, None, None
        thread.project_confidence, thread.project_evidence = 0.0, ""
    session.flush()
    numbers = [thread.id for thread in threads]
    for table, column, ids in (
        (Thread, Thread.client_id, unknown.clients),
        (Record, Record.client_id, unknown.clients),
        (Record, Record.project_id, unknown.projects),
    ):
        session.execute(update(table).where(column.in_(ids)).values({column.name: None}), execution_options=_QUIET)
    session.execute(
        update(Record).where(Record.thread_id.in_(numbers)).values(project_id=None), execution_options=_QUIET
    )
    session.expire_all()


def _refresh(session: Session, turns: Sequence[_Turn]) -> None:
    """All records in one question: one by one they would be asked for as each has its turn."""
    query = select(Record).where(Record.id.in_([turn.record.id for turn in turns]))
    session.scalars(query.execution_options(populate_existing=True)).all()


# --- one record -----------------------------------------------------------------------------------------------------


def _again(session: Session, turn: _Turn, one: Interpretation, archive: Archive, corrections: _Corrections) -> None:
    record, location = turn.record, turn.location
    candidate = one.parse_again(location, archive.get_many(session, [location.raw_id])[location.raw_id], record)
    thread = living_thread(session, record.thread_id or 0)
    assert thread is not None, "a record that was made from mail has a thread"
    if thread.project_evidence == SET_BY_A_PERSON:
        not_known_yet(session).projects.discard(thread.project_id or 0)
    if thread.id in corrections.clients:
        thread.client_id = corrections.clients[thread.id]
    understood = one.understand(session, candidate, thread, corrections.clients.get(thread.id))
    record.kind = candidate.message.kind
    record.client_id = understood.parties.client.id if understood.parties.client else None
    record.contact_id = understood.parties.contact.id if understood.parties.contact else None
    record.project_id = understood.project.id if understood.project else None
    record.context = understood.context
    if understood.fresh:
        fields = corrections.fields.get(record.message_id, set()) & _LABELS.keys()
        kept = {name: getattr(record, name) for field in fields for name in _LABELS[field]}
        apply_reading(record, understood.reading)
        for name, value in kept.items():
            setattr(record, name, value)
    session.flush()
    _renew(session, record, understood, corrected=bool(corrections.fields.get(record.message_id)))
    if understood.project is not None:
        one.book.add(record)
        one.book.touch(understood.project)
    session.flush()


def _renew(session: Session, record: Record, understood: Understood, *, corrected: bool) -> None:
    """Sign-off and items go with their record; read anew they are made anew, but what a person touched stays."""
    items = session.scalars(select(OpenItem).where(OpenItem.record_id == record.id)).all()
    if understood.fresh and not corrected and not any(item.settled_by and item.settled_at for item in items):
        for item in items:
            session.delete(item)
        session.execute(delete(SignOff).where(SignOff.record_id == record.id), execution_options=_QUIET)
        session.flush()
        if understood.project is not None:
            note_consequences(session, record, understood.reading, understood.project.owner)
        return
    for item in items:
        item.project_id, item.client_id = record.project_id, record.client_id
        if understood.project is not None and item.kind != "task":  # who does a task the rules said
            item.owner = understood.project.owner
    for signed in session.scalars(select(SignOff).where(SignOff.record_id == record.id)):
        signed.project_id = record.project_id


# --- afterwards -----------------------------------------------------------------------------------------------------


def _settle(session: Session, projects: set[int], turns: Sequence[_Turn]) -> None:
    """What hangs on the records follows them, and what nothing hangs on any more is gone."""
    unknown = not_known_yet(session)
    session.flush()
    home = {turn.record.id: turn.record.project_id for turn in turns}
    _move_runs(session, home)
    for row in session.scalars(select(OutboxMessage).where(OutboxMessage.anchor_record_id.in_(list(home)))):
        row.project_id = home[row.anchor_record_id or 0] or row.project_id
    session.flush()
    kept = drop_unused(session, "project", unknown.projects, frozenset({"stage_change"}))
    for number in sorted(projects - unknown.projects | kept):
        if (project := session.get(Project, number)) is None:
            continue
        if refresh_project(session, project) is None:
            project.state = "over"
    drop_unused(session, "contact", unknown.contacts, frozenset())
    drop_unused(session, "client", unknown.clients, frozenset({"client_domain"}))
    all_known(session)


def _move_runs(session: Session, home: dict[int, int | None]) -> None:
    """A cadence under way goes with the mail that began it, unless the project has the same one already."""
    for run in session.scalars(select(CadenceRunRow).where(CadenceRunRow.anchor_record_id.in_(list(home)))):
        project_id = home[run.anchor_record_id]
        if project_id is not None:
            run.project_id = project_id
