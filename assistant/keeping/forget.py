"""`assistant forget`: erases a client or a person, from mail to summaries; what remains is a salted hash and a line in the audit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import String, cast, delete, select, text, update
from sqlalchemy.orm import Session

from assistant.intake.record import refresh_project
from assistant.keeping.traces import Person, Traces, find_person, find_traces, locations_of, names_person
from assistant.store import Archive, Database
from assistant.store.audit import erasing_from_audit
from assistant.store.erased import REASON, erase_raw, erased_memory, is_erased, put_erased_memory, remember_erased
from assistant.store.snapshot import plain_sqlite
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
    Record,
    SignOff,
    StaffNote,
    StageChange,
    Suppression,
    Thread,
    ThreadKey,
)

_log = structlog.get_logger("assistant.keeping")
_ERASED = "[erased]"
_AT_ONCE = 400
_TEXTS = ("subject", "base_subject", "summary", "reply_text", "stage_evidence", "waiting_evidence", "originator_name")


@dataclass(slots=True)
class Forgotten:
    """How much was (or would be) erased."""

    messages: int = 0
    """Raw mails whose bytes are taken away."""
    records: int = 0
    records_changed: int = 0
    """Records of others that stay, without the person."""
    mails_of_ours: int = 0
    mails_emptied: int = 0
    """Digests and summaries that named them: they stay as rows, without words."""
    notes: int = 0
    items: int = 0
    projects: int = 0
    contacts: int = 0
    audit_entries: int = 0
    """Lines of the audit that lost their words; that something was decided, when and by whom, stays."""
    other_clients_mail: int = 0
    """Mail of other clients that names them too and stays: it is not theirs alone."""


def forget(
    database: Database,
    archive: Archive,
    which: str,
    staff: Sequence[str],
    by: str,
    now: datetime,
    *,
    dry_run: bool = False,
) -> Forgotten:
    """Erases CLIENT or CONTACT in one transaction, then gives the freed space back overwritten.

    Raises WrongUse when there is no such client. With `dry_run` everything is done and taken back.
    """
    counts = Forgotten()
    session_of = database.reading if dry_run else database.session
    with session_of() as session:
        if database.is_sqlite:
            session.connection().exec_driver_sql("PRAGMA secure_delete=ON")
        person = find_person(session, which)
        erase(session, archive, person, staff, by, now, counts)
        told = AuditEntry(at=now, who=by, event="forgotten", subject=subject_of(person), details=asdict(counts))
        session.add(told)
        session.flush()
    if not dry_run:
        scrub(database)
        _log.info("forgotten", records=counts.records, messages=counts.messages)
    return counts


def subject_of(person: Person) -> str:
    """How the audit calls them: by a number that means nothing any more."""
    return f"client:{min(person.client_ids)}" if person.client_ids else f"contact:{min(person.contact_ids, default=0)}"


def erase(
    session: Session,
    archive: Archive,
    person: Person,
    staff: Sequence[str],
    by: str,
    now: datetime,
    counts: Forgotten,
) -> None:
    """The same in the caller's transaction."""
    traces = find_traces(session, person, archive, staff)
    counts.other_clients_mail = traces.others
    _our_mail(session, person, traces, counts)
    counts.projects = _derived(session, person, traces, counts)
    for location in locations_of(session, traces):
        location.outcome, location.outcome_reason, location.record_id = "ignored", REASON, None
    session.flush()
    for part in _parts(traces.raw_ids):
        session.execute(delete(Quarantine).where(Quarantine.raw_id.in_(part)))
    counts.messages = erase_raw(session, traces.raw_ids, now)
    _records(session, person, traces, counts)
    _people(session, person, counts)
    with erasing_from_audit(session, by, subject_of(person), now):
        counts.audit_entries = _audit(session, person, traces)
    remember_erased(session, person.keys, now)


def _parts(numbers: Iterable[int]) -> Iterable[list[int]]:
    ordered = sorted(numbers)
    return (ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE))


# --- our own mail ---------------------------------------------------------------------------------------------------


def _our_mail(session: Session, person: Person, traces: Traces, counts: Forgotten) -> None:
    gone: list[int] = []
    for row in session.scalars(select(OutboxMessage).execution_options(yield_per=50)):
        to_them = any(person.is_address(str(address)) for address in row.recipients)
        about_them = row.client_id in person.client_ids or row.contact_id in person.contact_ids
        if about_them or to_them or (row.anchor_record_id or 0) in traces.records:
            gone.append(row.id)
        elif row.raw and (
            names_person(row.raw, person, ours=row.audience == "staff")
            or person.is_named_in(json.dumps(row.details, ensure_ascii=False))
        ):
            row.raw, row.subject, row.details, row.answer_text = b"", _ERASED, {}, ""
            counts.mails_emptied += 1
    session.flush()
    notes = [
        note.id
        for note in session.scalars(select(StaffNote))
        if note.client_id in person.client_ids
        or note.contact_id in person.contact_ids
        or (note.record_id or 0) in traces.records
        or person.is_named_in(note.text)
    ]
    for part in _parts(notes):
        session.execute(delete(StaffNote).where(StaffNote.id.in_(part)))
    for part in _parts(gone):
        session.execute(update(StaffNote).where(StaffNote.outbox_id.in_(part)).values(outbox_id=None))
        session.execute(delete(OutboxMessage).where(OutboxMessage.id.in_(part)))
        own = (Location.mailbox == "outbox", Location.uid.in_(part))
        session.execute(update(Location).where(*own).values(uid=-Location.id))  # numbers of the outbox may come again
    runs = list(session.scalars(select(CadenceRunRow.id).where(CadenceRunRow.contact_id.in_(person.contact_ids))))
    for part in _parts(traces.records):
        runs += session.scalars(select(CadenceRunRow.id).where(CadenceRunRow.anchor_record_id.in_(part)))
    for part in _parts(set(runs)):
        session.execute(update(OutboxMessage).where(OutboxMessage.run_id.in_(part)).values(run_id=None))
        session.execute(delete(CadenceRunRow).where(CadenceRunRow.id.in_(part)))
    counts.mails_of_ours, counts.notes = len(gone), len(notes)


# --- what was made of their mail ------------------------------------------------------------------------------------


def _derived(session: Session, person: Person, traces: Traces, counts: Forgotten) -> int:
    """Items, sign-offs and steps that hang on their records, and their projects."""
    projects = set(session.scalars(select(Project.id).where(Project.client_id.in_(person.client_ids))))
    for part in _parts(traces.records):
        for table in (OpenItem, SignOff, StageChange):
            done = session.execute(delete(table).where(table.record_id.in_(part)))
            counts.items += done.rowcount if table is OpenItem else 0  # type: ignore[attr-defined]  # a cursor's result has it
    for part in _parts(projects):
        for hanging in (OpenItem, SignOff, StageChange, StaffNote, CadenceRunRow):
            session.execute(delete(hanging).where(hanging.project_id.in_(part)))
    items = session.scalars(select(OpenItem).where(OpenItem.client_id.in_(person.client_ids)))
    for item in items:
        session.delete(item)
    for item in session.scalars(select(OpenItem)):
        item.what = _without(item.what, person)
    for step in session.scalars(select(SignOff)):
        step.evidence, step.by = _without(step.evidence, person), _without(step.by, person)
    session.flush()
    return len(projects)


def _records(session: Session, person: Person, traces: Traces, counts: Forgotten) -> None:
    touched = _cleaned(session, person, traces)
    threads: set[int] = set()
    for part in _parts(traces.records):
        rows = session.execute(
            select(Record.thread_id, Record.project_id, Record.message_id).where(Record.id.in_(part))
        )
        for thread_id, project_id, message_id in rows.all():
            threads.update(() if thread_id is None else (thread_id,))
            touched.update(() if project_id is None else (project_id,))
            session.execute(delete(Correction).where(Correction.message_id == message_id))
            session.execute(delete(ThreadKey).where(ThreadKey.message_id == message_id))
        session.execute(update(Location).where(Location.record_id.in_(part)).values(record_id=None))
        session.execute(delete(Record).where(Record.id.in_(part)))
    session.flush()
    session.expire_all()
    threads.update(session.scalars(select(Thread.id).where(Thread.client_id.in_(person.client_ids))))
    for number in sorted(threads):
        _drop_empty_thread(session, number)
    _drop_projects(session, person, touched)
    counts.records, counts.records_changed = len(traces.records), len(traces.shared)


def _cleaned(session: Session, person: Person, traces: Traces) -> set[int]:
    """Records that stay, without the person; returns their projects."""
    touched: set[int] = set()
    for part in _parts(traces.shared):
        for record in session.scalars(select(Record).where(Record.id.in_(part))):
            record.recipients = [item for item in record.recipients if not person.is_address(str(item[1]))]
            record.evidence = []
            record.intents = [[item[0], item[1], _without(str(item[2]), person)] for item in record.intents]
            for name in _TEXTS:
                setattr(record, name, _without(getattr(record, name), person))
            if record.contact_id in person.contact_ids:
                record.contact_id = None
            touched.update(() if record.project_id is None else (record.project_id,))
            if record.thread_id is not None and (thread := session.get(Thread, record.thread_id)) is not None:
                thread.subject = _without(thread.subject, person)
    _imitators(session, person)
    session.flush()
    return touched


def _imitators(session: Session, person: Person) -> None:
    """Records of mail by others that imitated them say whom."""
    suspected = cast(Record.evidence, String).contains("suspicious:")
    for record in session.scalars(select(Record).where(suspected)):
        record.evidence = [item for item in record.evidence if not person.is_named_in(str(item))]


def _without(words: str, person: Person) -> str:
    for needle in person.needles:
        words = re.sub(re.escape(needle), _ERASED, words, flags=re.IGNORECASE)
    return words


def _drop_empty_thread(session: Session, number: int) -> None:
    """A conversation of which nothing is left, with the ids that it was known by."""
    if session.scalar(select(Record.id).where(Record.thread_id == number).limit(1)) is not None:
        return
    session.execute(delete(ThreadKey).where(ThreadKey.thread_id == number))
    session.execute(delete(CadenceRunRow).where(CadenceRunRow.thread_id == number))
    session.execute(update(OutboxMessage).where(OutboxMessage.thread_id == number).values(thread_id=None))
    for column in (Thread.merged_into, Thread.continues_id):
        for other in session.scalars(select(Thread).where(column == number)):
            setattr(other, column.key, None)
    session.flush()
    session.execute(delete(Thread).where(Thread.id == number))


def _drop_projects(session: Session, person: Person, touched: set[int]) -> None:
    theirs = set(session.scalars(select(Project.id).where(Project.client_id.in_(person.client_ids))))
    for part in _parts(theirs):
        for table in (Record, Thread, OutboxMessage):
            session.execute(update(table).where(table.project_id.in_(part)).values(project_id=None))
        session.execute(delete(Project).where(Project.id.in_(part)))
    session.expire_all()
    for number in sorted(touched - theirs):
        if (project := session.get(Project, number)) is not None:
            project.name = _without(project.name, person)
            project.waiting_evidence = _without(project.waiting_evidence, person)
            refresh_project(session, project)
    session.flush()


# --- who they were --------------------------------------------------------------------------------------------------


def _people(session: Session, person: Person, counts: Forgotten) -> None:
    for row in session.scalars(select(Suppression)):
        if not row.addr_spec.startswith("sha256:") and person.is_address(row.addr_spec):
            session.delete(row)
    session.flush()
    contacts = person.contact_ids
    session.execute(update(Contact).where(Contact.formerly_id.in_(contacts)).values(formerly_id=None))
    session.execute(update(Record).where(Record.contact_id.in_(contacts)).values(contact_id=None))
    session.execute(delete(Contact).where(Contact.id.in_(contacts)))
    counts.contacts = len(contacts)
    clients = person.client_ids
    if clients:
        for table in (Record, Thread, OutboxMessage, StaffNote):
            session.execute(update(table).where(table.client_id.in_(clients)).values(client_id=None))
        session.execute(delete(ClientDomain).where(ClientDomain.client_id.in_(clients)))
        session.execute(update(Client).where(Client.id.in_(clients)).values(merged_into=None))
        session.execute(delete(Client).where(Client.id.in_(clients)))
    session.expire_all()


def _audit(session: Session, person: Person, traces: Traces) -> int:
    """The audit is append-only but for this: entries about them lose their words, not their existence."""
    about = {f"record:{number}" for number in traces.records} | {f"client:{number}" for number in person.client_ids}
    about |= {f"contact:{number}" for number in person.contact_ids}
    changed = 0
    for entry in session.scalars(select(AuditEntry)):
        said = f"{entry.subject} {json.dumps(entry.details, ensure_ascii=False)} {entry.who}"
        if entry.subject in about or person.is_named_in(said):
            entry.details = {REASON: True}
            if person.is_named_in(entry.subject):
                entry.subject = REASON
            if person.is_named_in(entry.who):
                entry.who = REASON
            changed += 1
    session.flush()
    return changed


# --- bytes ----------------------------------------------------------------------------------------------------------


def scrub(database: Database) -> None:
    """Writes the database anew, so that nothing of what was deleted is left in its files."""
    if database.is_sqlite:
        database.close()
        with plain_sqlite(Path(database.engine.url.database or "")) as connection:
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (FULL)"))


def forget_again(fresh: Database, old: Database | None, archive: Archive, staff: Sequence[str], now: datetime) -> int:
    """Whoever was forgotten in `old` since the backup was made is forgotten in `fresh`, too; returns how many clients
    and people that were."""
    if old is None:
        return 0
    with old.reading() as session:
        salt, hashes = erased_memory(session)
    if not hashes:
        return 0
    count = 0
    with fresh.session() as session:
        put_erased_memory(session, salt, hashes, now)
        known = (*session.scalars(select(ClientDomain.domain)), *session.scalars(select(Contact.addr_spec)))
        for which in known:
            probe = which if "@" in which else f"anybody@{which}"
            if is_erased(session, probe) and _is_known(session, which):
                erase(session, archive, find_person(session, which), staff, "restore", now, Forgotten())
                count += 1
    scrub(fresh)
    return count


def _is_known(session: Session, which: str) -> bool:
    """Not gone already with the client."""
    column = Contact.addr_spec if "@" in which else ClientDomain.domain
    return session.scalar(select(column).where(column == which)) is not None
