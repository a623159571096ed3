"""Goes back to what was known at a time: what later mail made of earlier mail is taken back before history is thought over.

A client becomes known, a conversation is given to a project, a contact gets a name: each at the time of a mail. Whatever
was known only by mail from that time on is forgotten here, so that what follows is related as if it were heard for the
first time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import Session

from assistant.intake.project_book import ProjectBook
from assistant.intake.record import refresh_project
from assistant.model.doubt import SET_BY_A_PERSON
from assistant.store.hindsight import Late, NotKnownYet, not_known_yet
from assistant.store.remembering import parts_of
from assistant.store.tables import Client, Contact, Location, OpenItem, Project, RawMail, Record, Thread

UNHEARD = "unheard"
"""The kind of a record whose turn has not come yet: no look-up takes it for mail between people."""
_QUIET = {"synchronize_session": False}
_LOCATED = and_(Record.raw_id == Location.raw_id, Record.id == Location.record_id)
"""By its bytes a record finds its location: no index leads there by the record's number."""


# --- how far back ---------------------------------------------------------------------------------------------------


def beginning(session: Session, late: Late, *, whole: bool) -> datetime:
    """From when on history has to be thought over, so that nothing before it rests on anything after it.

    Mail of a stranger becomes a client's, and a conversation without a project is given to one, by mail that comes long
    after: whoever takes that back has to begin where the stranger wrote. Without `whole` of the clients concerned alone.
    Clients' mail whose bytes were erased cannot be read again: it stays as it is, and what is before it too.
    """
    since = late.since
    while (
        earlier := _earliest_changed(session, since, clients_since(session, since) if whole else late.clients)
    ) is not None:
        since = earlier
    concerned = Record.client_id.is_not(None) if whole else Record.client_id.in_(late.clients)
    erased = session.scalar(
        select(func.max(Location.order_at))
        .join(Record, _LOCATED)
        .join(RawMail, RawMail.id == Location.raw_id)
        # Of no other outcome is there a record: they are named so that the index is of use.
        .where(Location.outcome.in_(("logged", "duplicate")), Location.order_at >= since)
        .where(RawMail.erased_at.is_not(None), concerned)
    )
    return since if erased is None else max(since, _after(erased))


def clients_since(session: Session, since: datetime) -> set[int]:
    """Whose mail was written from then on."""
    query = (
        select(Record.client_id)
        .join(Location, _LOCATED)
        .where(Location.outcome == "logged", Location.order_at >= since, Record.client_id.is_not(None))
        .distinct()
    )
    return {number for number in session.scalars(query) if number is not None}


def _after(at: datetime) -> datetime:
    return at + at.resolution


def _earliest_changed(session: Session, since: datetime, clients: Collection[int]) -> datetime | None:
    """When the first mail before `since` was written that was given to one of the clients at that time or later."""
    threads = (
        Thread.decided_at >= since,
        Thread.started_at < since,
        Thread.merged_into.is_(None),
        Thread.project_evidence != SET_BY_A_PERSON,
    )
    known = (Client.known_since >= since, Client.merged_into.is_(None))
    begun = (Project.known_since >= since,)
    found: list[datetime] = []
    for column, wanted, owner in (
        (Record.thread_id, threads, Thread.client_id),
        (Record.client_id, known, Client.id),
        (Record.project_id, begun, Project.client_id),
    ):
        for part in parts_of(sorted(_ids(session, owner, clients, *wanted))):
            # A minimum would be looked for among all mail, in the order of its index.
            times = select(Location.order_at).join(Record, _LOCATED).where(column.in_(part), Record.sent_at < since)
            found.extend(at for at in session.scalars(times) if at < since)
    return min(found, default=None)


# --- forgetting -----------------------------------------------------------------------------------------------------


def concerned(session: Session, late: Late, turns: Sequence[Record]) -> set[int]:
    """Whose mail it is, and who else knows somebody on it: a client may have lost all its mail to another."""
    found = set(late.clients) | {record.client_id for record in turns if record.client_id is not None}
    contacts = {record.contact_id for record in turns if record.contact_id is not None}
    for part in parts_of(sorted(contacts)):
        found.update(session.scalars(select(Contact.client_id).where(Contact.id.in_(part)).distinct()))
    return found


def forget(
    session: Session, since: datetime, within: Collection[int], turns: Sequence[Record], given: Collection[int]
) -> set[int]:
    """Goes back to what was known at `since` of the clients `within`, before any of the records `turns`.

    `given` are clients to whom a person gave a conversation. Returns the projects that may change by it.
    """
    unknown = not_known_yet(session)
    unknown.clients = _ids(session, Client.id, within, Client.known_since >= since, Client.merged_into.is_(None))
    unknown.clients -= set(given)
    unknown.contacts = _ids(session, Contact.client_id, within, Contact.known_since >= since)
    unknown.projects = _ids(session, Project.client_id, within, Project.known_since >= since)
    by_hand = select(Thread.id).where(Thread.project_id == Project.id, Thread.project_evidence == SET_BY_A_PERSON)
    unknown.projects |= _ids(
        session,
        Project.client_id,
        within,
        Project.known_since.is_(None),
        Project.opened_at >= since,
        by_hand.exists(),
    )
    reset = _undecided(session, since, within, unknown)
    numbers = [record.id for record in turns]
    touched = {
        number
        for part in parts_of(numbers)
        for number in session.scalars(select(Record.project_id).where(Record.id.in_(part)).distinct())
        if number is not None
    }
    _forget_names(session, since, {record.contact_id for record in turns if record.contact_id is not None})
    _open_again(session, numbers, touched)
    _clear(session, turns, reset, unknown)
    affected = touched | unknown.projects
    book = ProjectBook()
    book.expect(session, affected - unknown.projects)
    for number in sorted(affected - unknown.projects):
        if (project := session.get(Project, number)) is not None:
            refresh_project(session, project, book)
    return affected


def _ids(session: Session, owner: Any, within: Collection[int], *wanted: ColumnElement[bool]) -> set[int]:
    """The numbers of such rows; `owner` is the column that names the client."""
    query = select(owner.class_.id).where(*wanted)
    return {number for part in parts_of(sorted(within)) for number in session.scalars(query.where(owner.in_(part)))}


def _undecided(session: Session, since: datetime, within: Collection[int], unknown: NotKnownYet) -> Sequence[Thread]:
    """The threads whose project was decided from then on; notes which project began with which of them."""
    numbers = _ids(session, Thread.client_id, within, Thread.merged_into.is_(None), Thread.decided_at >= since)
    threads = [
        thread
        for part in parts_of(sorted(numbers))
        for thread in session.scalars(select(Thread).where(Thread.id.in_(part)).order_by(Thread.id))
    ]
    begun = {thread.project_id for thread in threads if thread.project_id is not None}
    known = select(Project.id, Project.known_since)
    begins = {
        row[0]: row[1] for part in parts_of(sorted(begun)) for row in session.execute(known.where(Project.id.in_(part)))
    }
    reset = []
    for thread in threads:
        if thread.project_evidence == SET_BY_A_PERSON:
            unknown.clients.discard(thread.client_id or 0)
            continue
        if thread.project_id is not None and begins.get(thread.project_id) == thread.decided_at:
            unknown.begun_by.setdefault(thread.id, thread.project_id)
        reset.append(thread)
    return reset


def _clear(session: Session, turns: Sequence[Record], threads: Sequence[Thread], unknown: NotKnownYet) -> None:
    for record in turns:
        record.client_id = record.contact_id = record.project_id = None
        record.kind = UNHEARD
    for thread in threads:
        thread.project_id, thread.client_id, thread.decided_at = None, None, None
        thread.project_confidence, thread.project_evidence = 0.0, ""
    session.flush()
    for table, column, ids in (
        (Thread, Thread.client_id, unknown.clients),
        (Record, Record.client_id, unknown.clients),
        (Record, Record.project_id, unknown.projects),
    ):
        for part in parts_of(sorted(ids)):
            session.execute(update(table).where(column.in_(part)).values({column.name: None}), execution_options=_QUIET)
    for part in parts_of([thread.id for thread in threads]):
        session.execute(
            update(Record).where(Record.thread_id.in_(part)).values(project_id=None), execution_options=_QUIET
        )
    session.expire_all()


def _open_again(session: Session, record_ids: Iterable[int], projects: Collection[int]) -> None:
    """Complaints in these projects that were settled by mail whose turn comes again."""
    by = {f"record {number}" for number in record_ids}
    for part in parts_of(sorted(projects)):
        # By their project alone: of one kind there are far more than in some projects.
        for item in session.scalars(select(OpenItem).where(OpenItem.project_id.in_(part))):
            if item.kind == "complaint" and item.settled_by in by:
                item.settled_at, item.settled_by = None, ""


# --- names ----------------------------------------------------------------------------------------------------------


def _forget_names(session: Session, since: datetime, contact_ids: Collection[int]) -> None:
    """A contact may have been known for years before a mail said what they are called."""
    unnamed = unnamed_before(session, since, contact_ids)
    for part in parts_of(sorted(unnamed)):
        session.execute(update(Contact).where(Contact.id.in_(part)).values(name=""), execution_options=_QUIET)


def unnamed_before(session: Session, since: datetime, contact_ids: Collection[int]) -> set[int]:
    """Those of the contacts who were known before `since`, by mail, though none of it said their name."""
    found: dict[int, tuple[str, datetime]] = {}
    columns = select(Contact.id, Contact.addr_spec, Contact.known_since).where(Contact.known_since < since)
    for part in parts_of(sorted(contact_ids)):
        for number, addr_spec, known_since in session.execute(columns.where(Contact.id.in_(part), Contact.name != "")):
            found[number] = (addr_spec, known_since or since)
    # Nearly everybody is named by the mail that makes them known.
    said: set[str] = set()
    for times in parts_of(sorted({at for _, at in found.values()})):
        said |= _names_said(session, since, Location.outcome == "logged", Location.order_at.in_(times))
    left = {number for number, (addr_spec, _) in found.items() if addr_spec not in said}
    for part in parts_of(sorted(left)):
        said |= _names_said(session, since, Record.contact_id.in_(part), Record.sent_at < since)
    return {number for number in left if found[number][0] not in said}


def _names_said(session: Session, since: datetime, *wanted: ColumnElement[bool]) -> set[str]:
    """Whom such mail before `since` names, by their addresses."""
    columns = select(Location.order_at, Record.originator, Record.originator_name, Record.recipients)
    named: set[str] = set()
    for at, originator, name, recipients in session.execute(columns.join(Record, _LOCATED).where(*wanted)):
        people = ((name, originator), *((person[0], person[1]) for person in recipients))
        named.update(str(address).lower() for said, address in people if said and at < since)
    return named
