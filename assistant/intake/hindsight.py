"""History thought over again, because something became known that belongs before what was interpreted already.

Whose mail it is, which project it belongs to and what it says depend on the mail before it. When mail arrives late, all
that was written after it is related and read again in the order in which it was written, as if nothing later were known:
the outcome is that of mail that arrived in order. Records, clients, contacts and projects keep their rows, corrections
stay, and nothing is sent, started or taken back: the deciding phase is not part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from assistant.intake.complaints import settle_anew, settle_complaints
from assistant.intake.forgetting import beginning, concerned, forget
from assistant.intake.interpretation import Interpretation, Understood
from assistant.intake.project_book import ProjectBook
from assistant.intake.record import apply_reading, note_consequences, refresh_project
from assistant.model.doubt import SET_BY_A_PERSON
from assistant.model.process import UNRELATED
from assistant.store import Archive
from assistant.store.hindsight import Late, all_known, drop_unused, not_known_yet
from assistant.store.remembering import parts_of
from assistant.store.tables import (
    CadenceRunRow,
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
    unplaced: bool
    """Whether it was read outside any project, so that it has neither sign-off nor items."""

    @classmethod
    def of(cls, record: Record, location: Location) -> _Turn:
        # Who was a stranger when they wrote is no contact of the mail, though it was given to a project later.
        adopted = record.contact_id is None and record.direction != "internal"
        return cls(record, location, record.project_id is None or adopted)


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
    late = replace(late, since=beginning(session, late, whole=whole))
    turns = _turns(session, late, whole=whole)
    clients = {turn.record.client_id for turn in turns}
    one.book = ProjectBook()
    corrections = _corrections(session, turns)
    records = [turn.record for turn in turns]
    within = concerned(session, late, records) if whole else set(late.clients)
    projects = forget(session, late.since, within, records, set(corrections.clients.values()))
    _refresh(session, turns)
    with session.no_autoflush:
        for turn in turns:
            if stop():
                raise Interrupted
            _again(session, turn, one, archive, corrections)
    threads = {turn.record.thread_id for turn in turns if turn.record.thread_id is not None}
    one.refresh_weak_edges(session, {turn.record.subject_key for turn in turns}, threads)
    one.book.grown |= projects
    one.look_back(session)
    clients.update(turn.record.client_id for turn in turns)
    _settle(session, projects | {turn.record.project_id for turn in turns if turn.record.project_id}, turns)
    return len(turns), frozenset(client for client in clients if client is not None)


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
    return [_Turn.of(record, location) for record, location in session.execute(query)]


def _corrections(session: Session, turns: Sequence[_Turn]) -> _Corrections:
    fields: dict[str, set[str]] = {}
    corrected = select(Correction.message_id, Correction.field)
    for part in parts_of([turn.record.message_id for turn in turns]):
        for message_id, field in session.execute(corrected.where(Correction.message_id.in_(part))):
            fields.setdefault(message_id, set()).add(field)
    given = {turn.record for turn in turns if "client" in fields.get(turn.record.message_id, ())}
    clients = {record.thread_id: record.client_id for record in given if record.thread_id and record.client_id}
    return _Corrections(fields, clients)


# --- one record -----------------------------------------------------------------------------------------------------


def _refresh(session: Session, turns: Sequence[_Turn]) -> None:
    """All records in one question: one by one they would be asked for as each has its turn."""
    query = select(Record).where(Record.id.in_([turn.record.id for turn in turns]))
    session.scalars(query.execution_options(populate_existing=True)).all()


def _again(session: Session, turn: _Turn, one: Interpretation, archive: Archive, corrections: _Corrections) -> None:
    record, location = turn.record, turn.location
    _as_first_read(record)
    raw = archive.get_many(session, [location.raw_id])[location.raw_id]
    candidate = one.parse_again(location, raw, record, unplaced=turn.unplaced)
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


def _as_first_read(record: Record) -> None:
    """What later mail made of its label is forgotten with that mail; where it was no stray after all, it is read anew."""
    if not record.stage_probabilities or record.stage_evidence == SET_BY_A_PERSON:
        return
    stage, confidence = record.stage_probabilities[0]
    if stage == UNRELATED != record.stage:
        record.context = ""
    record.stage, record.stage_confidence = stage, confidence


def _renew(session: Session, record: Record, understood: Understood, *, corrected: bool) -> None:
    """Sign-off and items go with their record; read anew they are made anew, but what a person touched stays.

    Mail outside any project has none.
    """
    items = session.scalars(select(OpenItem).where(OpenItem.record_id == record.id)).all()
    read = [item for item in items if item.kind != "task"]  # a task the rules gave
    anew = understood.fresh or understood.project is None
    if anew and not corrected and not any(item.settled_by and item.settled_at for item in read):
        for item in read:
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
        settle_anew(session, item)
    for signed in session.scalars(select(SignOff).where(SignOff.record_id == record.id)):
        signed.project_id = record.project_id
    settle_complaints(session, record, {item[0] for item in record.intents})


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
