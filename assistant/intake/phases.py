"""The phases 4 to 9 of one message after another, in one transaction that asks once for what all of them need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.intake.client_mail import expect_nothing_of, expect_orphans, join_threads, note_record
from assistant.intake.complaints import expect_complaints
from assistant.intake.completion import complete_record, shows_a_part
from assistant.intake.interpretation import Candidate, Interpretation, Understood
from assistant.intake.ledger import is_canary
from assistant.intake.project_book import ProjectBook
from assistant.intake.record import apply_reading, note_consequences, refresh_touched
from assistant.intake.signals import note_signals
from assistant.intake.suspicion import note_suspicions, summary_of
from assistant.model.people import client_key
from assistant.model.threading import ids_of
from assistant.store.clients import expect_clients, expect_names, expect_people, expected_clients
from assistant.store.erased import REASON as ERASED
from assistant.store.erased import erase_raw, is_erased
from assistant.store.remembering import parts_of, remember
from assistant.store.runs import nothing_under_way
from assistant.store.tables import Contact, Record, Thread
from assistant.store.threads import ThreadBook, ThreadedMail
from assistant.store.weak_threads import changed_subjects, forget_subjects
from assistant.store.writing import row_of
from parsers import Address, Message

AfterRecord = Callable[[Session, Record, Message], None]
"""Called in the message's own transaction after it was recorded: deciding, settling, receipts."""


@dataclass(frozen=True, slots=True)
class Interpreted:
    """What became of a message: logged, duplicate or ignored, why, and its record."""

    outcome: str
    reason: str = ""
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """A record that has the Message-ID of a message of the batch."""

    record_id: int
    raw_id: int | None
    fingerprint: str
    writer: str
    base_subject: str
    in_part: bool

    def may_be(self, mail: Candidate) -> bool:
        """Whether a message of the same id is the same as far as a part of it shows."""
        writer = mail.relation.writer
        return self.writer == (writer.addr_spec if writer else "") and self.base_subject == mail.message.base_subject


class Phases:
    """Interprets the messages of one batch in one transaction. After a rollback a new one is needed."""

    def __init__(
        self,
        session: Session,
        one: Interpretation,
        after_record: AfterRecord | None,
        free_mail: frozenset[str],
        mails: Sequence[Candidate],
    ) -> None:
        self._session = session
        self._one = one
        self._after_record = after_record
        one.phase = "thread"
        one.book = ProjectBook()
        remember(session)
        self._ids = {mail.location.id: ids_of(mail.message_id, mail.message) for mail in mails}
        self._threads = ThreadBook(session, (identifier for group in self._ids.values() for identifier in group))
        self._subjects: set[str] = set()
        self._records = _records_with(session, [mail.message_id for mail in mails])
        self._expect(mails, free_mail)

    def interpret(self, mail: Candidate) -> Interpreted:
        """One message through all phases. What it wrote is flushed with the next question to the database."""
        self._one.phase = "thread"
        relation = mail.relation
        to_ourselves = relation.automatic and relation.counterpart is None
        canary = relation.automatic and is_canary(self._session, mail.message_id)
        if to_ourselves and not canary:
            return Interpreted("ignored", "our own mail to staff")
        if self._of_erased(mail):
            erase_raw(self._session, [mail.location.raw_id], mail.location.kept_at)
            return Interpreted("ignored", ERASED)
        part = self._part_of(mail)
        if part is not None:
            return Interpreted("logged", "", self._completed(mail, part))
        same = self._same(mail)
        if same is not None:
            return Interpreted("duplicate", f"same as record {same}", row_of(self._session, Record, same))
        if canary:
            return Interpreted("logged", "canary", self._outside(mail))
        thread = self._place(mail)
        understood = self._one.understand(self._session, mail, thread)
        self._one.phase = "record"
        record = self._recorded(mail, thread, understood)
        self._consequences(mail, record, understood)
        self._one.phase = "decide"
        self._decide(record, mail.message)
        return Interpreted("logged", summary_of(mail.suspicions), record)

    def finish(self) -> None:
        """What the messages changed together: the state of their projects. Everything is written."""
        self._one.phase = "record"
        self._one.look_back(self._session)
        refresh_touched(self._session, self._one.book)
        self._threads.write()
        changed = changed_subjects(self._session, self._threads.begun_anew)
        self._one.refresh_weak_edges(self._session, self._subjects | changed)

    def _expect(self, mails: Sequence[Candidate], free_mail: frozenset[str]) -> None:
        """Asks at once for everybody and everything that the messages speak of."""
        session, threads = self._session, list(self._threads.threads())
        people = {person.addr_spec for mail in mails for person in _outsiders(mail)}
        expect_people(session, people, {client_key(address, free_mail) for address in people})
        expect_names(session, {person.name for mail in mails for person in _outsiders(mail)})
        self._one.expect_subjects(session, mails)
        expect_clients(session, {thread.client_id for thread in threads if thread.client_id is not None})
        expect_orphans(session, expected_clients(session), {thread.id for thread in threads})
        projects = {thread.project_id for thread in threads if thread.project_id is not None}
        self._one.book.expect(session, projects)
        expect_complaints(session, projects)

    def _of_erased(self, mail: Candidate) -> bool:
        """Written by somebody who is to be forgotten, or to nobody else outside."""
        writer, outsiders = mail.relation.writer, _outsiders(mail)
        if writer is not None and is_erased(self._session, writer.addr_spec):
            return True
        return bool(outsiders) and all(is_erased(self._session, person.addr_spec) for person in outsiders)

    def _same(self, mail: Candidate) -> int | None:
        """The record of the same message: same Message-ID and, beyond doubt, the same content."""
        for known in self._records.get(mail.message_id, ()):
            if known.raw_id == mail.location.raw_id or known.fingerprint == mail.fingerprint:
                return known.record_id
            if mail.location.problem and known.may_be(mail):
                return known.record_id
        return None

    def _part_of(self, mail: Candidate) -> Record | None:
        """The record that was made from a part of this message, which is there as a whole now."""
        if mail.location.problem:
            return None
        own = self._session.get(Record, mail.location.record_id) if mail.location.record_id else None
        if own is not None and shows_a_part(own.defects):
            return own
        for known in self._records.get(mail.message_id, ()):
            if known.in_part and known.raw_id != mail.location.raw_id and known.may_be(mail):
                return row_of(self._session, Record, known.record_id)
        return None

    def _completed(self, mail: Candidate, record: Record) -> Record:
        thread = self._place(mail)
        self._one.phase = "record"
        self._subjects.add(record.subject_key)
        complete_record(self._session, self._one, mail, record, thread)
        forget_subjects(self._session, [record.id])
        contact = self._session.get(Contact, record.contact_id) if record.contact_id else None
        note_signals(
            self._session,
            mail.message,
            record,
            contact,
            self._one.directory.at(mail.location.mailbox),
            record.logged_at,
        )
        self._records[mail.message_id] = [
            known for known in self._records.get(mail.message_id, ()) if known.record_id != record.id
        ]
        self._remember(mail, record)
        return record

    def _place(self, mail: Candidate) -> Thread:
        ids = self._ids[mail.location.id]
        placed = self._threads.place(ThreadedMail(ids, mail.message.base_subject, mail.sent_at))
        if placed.merged:
            join_threads(self._session, placed.merged, placed.thread.id)
            forget_subjects(self._session)
        if placed.new:
            expect_nothing_of(self._session, thread_id=placed.thread.id)
        return placed.thread

    def _outside(self, mail: Candidate) -> Record:
        """A record outside every thread, client and project."""
        record = self._one.blank_record(mail, None)
        self._session.add(record)
        self._remember(mail, record)
        return record

    def _recorded(self, mail: Candidate, thread: Thread, understood: Understood) -> Record:
        parties, project = understood.parties, understood.project
        record = self._one.blank_record(mail, thread)
        record.client_id = parties.client.id if parties.client else None
        record.contact_id = parties.contact.id if parties.contact else None
        record.project_id = project.id if project else None
        record.context = understood.context
        apply_reading(record, understood.reading)
        self._session.add(record)
        self._remember(mail, record)
        self._subjects.add(record.subject_key)
        note_record(self._session, record)
        self._one.note_subject(self._session, record)
        return record

    def _remember(self, mail: Candidate, record: Record) -> None:
        """What the next message of the batch may be the same as."""
        known = _Known(
            record.id,
            record.raw_id,
            record.fingerprint,
            record.originator,
            record.base_subject,
            shows_a_part(record.defects),
        )
        self._records.setdefault(mail.message_id, []).append(known)

    def _consequences(self, mail: Candidate, record: Record, understood: Understood) -> None:
        note_suspicions(self._session, record, mail.suspicions, record.logged_at)
        note_signals(
            self._session,
            mail.message,
            record,
            understood.parties.contact,
            self._one.directory.at(mail.location.mailbox),
            record.logged_at,
        )
        project = understood.project
        if project is not None:
            self._one.book.add(record)
            self._one.book.touch(project)
            note_consequences(self._session, record, understood.reading, project.owner)

    def _decide(self, record: Record, message: Message) -> None:
        if self._after_record is None:
            return
        if record.may_start or not nothing_under_way(self._session):
            # Rules see the projects as they stand with this message.
            refresh_touched(self._session, self._one.book)
            self._threads.write()
        self._after_record(self._session, record, message)


def _outsiders(mail: Candidate) -> list[Address]:
    relation = mail.relation
    return [person for person in (relation.counterpart, *relation.others) if person is not None]


def _records_with(session: Session, message_ids: Sequence[str]) -> dict[str, list[_Known]]:
    """Records that have one of these Message-IDs, the oldest first."""
    found: dict[str, list[_Known]] = {}
    columns = select(
        Record.message_id,
        Record.id,
        Record.raw_id,
        Record.fingerprint,
        Record.originator,
        Record.base_subject,
        Record.defects,
    ).order_by(Record.id)
    for part in parts_of(message_ids):
        for row in session.execute(columns.where(Record.message_id.in_(part))):
            in_part = shows_a_part(row.defects)
            known = _Known(row.id, row.raw_id, row.fingerprint, row.originator, row.base_subject, in_part)
            found.setdefault(row.message_id, []).append(known)
    return found
