"""Runs the phases 3 to 9 over kept mail: each message in its own savepoint, failures into quarantine, the rest goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from assistant.clock import Clock
from assistant.intake.facts import fingerprint, history, plausible_time
from assistant.intake.project_book import ProjectBook
from assistant.intake.quarantine import in_quarantine, put_in_quarantine, settle_quarantine
from assistant.intake.reading_process import ReadingProcess
from assistant.intake.record import apply_reading, note_consequences, refresh_project
from assistant.intake.relations import AgencySide, Parties, find_parties, settle_parties, settle_project
from assistant.intake.signals import note_signals
from assistant.model.authentication import ProveSender
from assistant.model.people import Relation, relate
from assistant.model.process import STAGES
from assistant.model.projects import NewThread
from assistant.model.reading import MailToRead, Reader, Reading, TextToRead
from assistant.model.threading import ids_of
from assistant.store import Archive, Database
from assistant.store.clients import remember_contacts
from assistant.store.database import is_broken
from assistant.store.tables import Client, Location, Project, Quarantine, Record, Thread
from assistant.store.threads import place_in_thread
from parsers import Message, parse

_log = structlog.get_logger("assistant.intake")

_DEFAULT_BATCH = 128
_PREPARED_AT_ONCE = 32
_LONG_RUN = 300
"""From so many messages on a second process pays for its start."""

AfterRecord = Callable[[Session, Record, Message], None]
"""Called in the message's own transaction after it was recorded: deciding, settling, receipts."""


@dataclass(frozen=True, slots=True)
class IntakeSettings:
    """`cutoff`: mail older than this when first read starts nothing. `simulated`: the clock is not the machine's."""

    cutoff: timedelta = timedelta(days=14)
    simulated: bool = False


@dataclass(slots=True)
class IntakeCounts:
    """What became of a pass over pending mail."""

    logged: int = 0
    duplicate: int = 0
    ignored: int = 0
    quarantined: int = 0
    projects: set[int] = field(default_factory=set)
    """Projects that something happened in."""

    def __add__(self, other: IntakeCounts) -> IntakeCounts:
        return IntakeCounts(
            self.logged + other.logged,
            self.duplicate + other.duplicate,
            self.ignored + other.ignored,
            self.quarantined + other.quarantined,
            self.projects | other.projects,
        )

    @property
    def total(self) -> int:
        return self.logged + self.duplicate + self.ignored + self.quarantined


@dataclass(slots=True)
class _Candidate:
    """One message between parsing and recording."""

    location: Location
    message: Message
    relation: Relation
    message_id: str
    sent_at: datetime
    text: str
    subject: str
    prepared: object | None = None


class Intake:
    """Interprets kept mail. One instance per thread; everything it needs is given to it."""

    def __init__(
        self,
        database: Database,
        archive: Archive,
        reader: Reader,
        agency: AgencySide,
        clock: Clock,
        settings: IntakeSettings | None = None,
        after_record: AfterRecord | None = None,
        make_reader: Callable[[], Reader] | None = None,
    ) -> None:
        """`make_reader` builds another reader of the same kind for a process of its own; without it runs are single."""
        self._database = database
        self._archive = archive
        self._reader = reader
        self._agency = agency
        self._clock = clock
        self._settings = settings or IntakeSettings()
        self._after_record = after_record
        self._phase = ""
        self._book = ProjectBook()
        self._retried: frozenset[int] = frozenset()
        self._make_reader = make_reader
        self._stop: Callable[[], bool] = lambda: False
        self._beside: ReadingProcess | None = None

    def run(
        self,
        limit: int | None = None,
        progress: Callable[[int], None] | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> IntakeCounts:
        """Interprets what is pending, oldest first, up to `limit` messages; returns what became of it.

        After `stop` says so the message under way is finished, and the rest stays pending.
        """
        self._stop = stop
        counts = IntakeCounts()
        if self._make_reader is not None and limit is None and self._waiting() >= _LONG_RUN:
            self._beside = ReadingProcess(self._make_reader)
        try:
            return self._run_batches(counts, limit, progress)
        finally:
            if self._beside is not None:
                self._beside.close()
                self._beside = None

    def _waiting(self) -> int:
        with self._database.session() as session:
            return session.scalar(select(func.count()).select_from(Location).where(Location.outcome == "pending")) or 0

    def _run_batches(
        self, counts: IntakeCounts, limit: int | None, progress: Callable[[int], None] | None
    ) -> IntakeCounts:
        while (limit is None or counts.total < limit) and not self._stop():
            size = _DEFAULT_BATCH if limit is None else min(_DEFAULT_BATCH, limit - counts.total)
            batch = self._run_batch(size)
            if batch.total == 0:
                break
            counts = counts + batch
            if progress is not None:
                progress(batch.total)
        return counts

    def _run_batch(self, size: int) -> IntakeCounts:
        counts = IntakeCounts()
        self._book = ProjectBook()
        with self._database.session() as session:
            pending = session.scalars(
                select(Location)
                .where(Location.outcome == "pending")
                .order_by(Location.order_at, Location.id)
                .limit(size)
            ).all()
            remember_contacts(session)
            raws = self._archive.get_many(session, [location.raw_id for location in pending])
            self._retried = in_quarantine(session, pending)
            candidates = [
                found
                for location in pending
                if (found := self._parse(session, location, raws[location.raw_id], counts)) is not None
            ]
            candidates.sort(key=lambda candidate: (candidate.sent_at, candidate.location.id))
            for candidate in self._prepared(candidates):
                if self._stop():
                    break
                self._interpret(session, candidate, counts)
        return counts

    def retry(self, quarantine_id: int) -> IntakeCounts:
        """Takes one message out of quarantine and interprets it again from the kept bytes."""
        with self._database.session() as session:
            row = session.get(Quarantine, quarantine_id)
            if row is None:
                raise LookupError(f"there is no message {quarantine_id} in quarantine")
            location = session.get(Location, row.location_id)
            assert location is not None, "quarantine refers to a location"
            location.outcome = "pending"
        return self.run()

    # --- phase 3: parse ---------------------------------------------------------------------------------------------

    def _parse(self, session: Session, location: Location, raw: bytes, counts: IntakeCounts) -> _Candidate | None:
        self._phase = "parse"
        try:
            message = parse(raw)
            relation = relate(message, self._agency.directory, self._proof(raw, message, location))
        except Exception as error:  # noqa: BLE001  # whatever a message breaks, the others go on
            self._quarantine(session, location, error, counts)
            return None
        forwarded = message.forwarded if relation.forwarded else None
        received = location.received_at
        if self._settings.simulated:
            received = max(received, self._clock.now())
        sent_at = plausible_time(forwarded.date if forwarded and forwarded.date else message.date, received)
        return _Candidate(
            location,
            message,
            relation,
            message.message_id or f"{hashlib.sha256(raw).hexdigest()[:32]}@missing.invalid",
            sent_at,
            forwarded.text if forwarded else message.reply,
            forwarded.subject if forwarded and forwarded.subject else message.subject,
        )

    def _proof(self, raw: bytes, message: Message, location: Location) -> ProveSender | None:
        """How to prove a sender beside the server's verdict; old mail is not asked for, its keys are gone."""
        prove = self._agency.prove
        if prove is None or not location.may_start or self._clock.now() - location.received_at > self._settings.cutoff:
            return None
        return lambda: prove(raw, message)

    def _prepared(self, candidates: Sequence[_Candidate]) -> Iterator[_Candidate]:
        """The candidates in order, each after its text was read; in a long run the next few are read meanwhile."""
        self._phase = "understand"
        groups = [
            candidates[start : start + _PREPARED_AT_ONCE] for start in range(0, len(candidates), _PREPARED_AT_ONCE)
        ]
        ready = [self._begin_reading(group) for group in groups]
        for group, prepare in zip(groups, ready, strict=True):
            wanted = [candidate for candidate in group if candidate.message.kind == "human"]
            try:
                for candidate, prepared in zip(wanted, prepare(), strict=True):
                    candidate.prepared = prepared
            except Exception:  # noqa: BLE001  # one text may break the group: each is then read alone, in its own savepoint
                _log.warning("batch_reading_failed", messages=len(wanted))
            yield from group

    def _begin_reading(self, group: Sequence[_Candidate]) -> Callable[[], Sequence[object]]:
        """Begins the costly part of understanding for several texts; what comes back waits for it."""
        human = [candidate for candidate in group if candidate.message.kind == "human"]
        texts = [TextToRead(item.subject, item.text, item.message.language) for item in human]
        if self._beside is not None:
            return self._beside.prepare(texts).result
        return lambda: self._reader.prepare(texts)

    # --- one message ------------------------------------------------------------------------------------------------

    def _interpret(self, session: Session, candidate: _Candidate, counts: IntakeCounts) -> None:
        location = candidate.location
        try:
            # What a phase has to see of an earlier one it flushes itself: asking before every query costs a tenth.
            with session.begin_nested(), session.no_autoflush:
                outcome, reason, record = self._phases(session, candidate)
                location.outcome, location.outcome_reason = outcome, reason
                location.record_id = record.id if record else None
                session.flush()
        except Exception as error:
            if isinstance(error, DatabaseError) and is_broken(error):
                raise  # a full disk is no fault of the message: the whole batch waits for space
            # Phase and reason are kept; a person looks, the rest goes on.
            session.expire_all()
            self._book = ProjectBook()
            remember_contacts(session)
            self._quarantine(session, location, error, counts)
            return
        if location.id in self._retried:
            settle_quarantine(session, location, self._clock.now())
        setattr(counts, outcome, getattr(counts, outcome) + 1)
        if record is not None and record.project_id is not None:
            counts.projects.add(record.project_id)
        _log.info(
            "message",
            outcome=outcome,
            reason=reason,
            record=record.id if record else None,
            direction=candidate.relation.direction,
            kind=candidate.message.kind,
            sender=candidate.relation.writer.addr_spec if candidate.relation.writer else "",
            stage=record.stage if record else "",
            stage_confidence=record.stage_confidence if record else None,
            defects=len(candidate.message.defects),
        )

    def _phases(self, session: Session, candidate: _Candidate) -> tuple[str, str, Record | None]:
        message, relation = candidate.message, candidate.relation
        self._phase = "thread"
        if relation.automatic and relation.counterpart is None:
            return "ignored", "our own mail to staff", None
        same = self._known(session, candidate)
        if same is not None:
            return "duplicate", f"same as record {same.id}", same
        thread = place_in_thread(
            session, ids_of(candidate.message_id, message), message.base_subject, candidate.sent_at
        )
        self._phase = "relate"
        parties = self._from_thread(session, thread, relation, find_parties(session, relation, self._agency))
        record = self._blank_record(candidate, thread)
        self._phase = "understand"
        known_project = thread.project_id
        reading = self._read(session, candidate, parties, known_project)
        self._phase = "relate"
        parties = settle_parties(
            session,
            message,
            relation,
            parties,
            dict(reading.text_probabilities or reading.stage_probabilities).get("unrelated", 0.0),
            self._agency,
            self._clock.now(),
        )
        record.client_id = parties.client.id if parties.client else None
        record.contact_id = parties.contact.id if parties.contact else None
        project = self._settle_project(session, candidate, thread, parties, reading)
        if project is not None and project.id != known_project:
            self._book.forget(project.id)
        if project is not None and project.id != known_project and self._book.records(session, project.id):
            self._phase = "understand"
            reading = self._read(session, candidate, parties, project.id)
        self._phase = "record"
        record.project_id = project.id if project else None
        self._book.hold(thread, project, parties.client, parties.contact)
        apply_reading(record, reading)
        session.add(record)
        session.flush()
        note_signals(session, message, record, parties.contact, self._clock.now())
        if project is not None:
            self._book.add(record)
            note_consequences(session, record, reading, project.owner)
            refresh_project(session, project, self._book)
        self._phase = "decide"
        if self._after_record is not None:
            session.flush()
            self._after_record(session, record, message)
        return "logged", "spoofed sender" if relation.spoofed else "", record

    def _known(self, session: Session, candidate: _Candidate) -> Record | None:
        """The record of the same message: same Message-ID and, beyond doubt, the same content."""
        print_ = fingerprint(candidate.message)
        for record in session.scalars(select(Record).where(Record.message_id == candidate.message_id)):
            if record.raw_id == candidate.location.raw_id or record.fingerprint == print_:
                return record
        return None

    def _from_thread(self, session: Session, thread: Thread, relation: Relation, parties: Parties) -> Parties:
        """Internal mail and machines' answers belong to the client whose conversation they are in.

        Mail that pretends to be ours belongs to nobody: it must not answer for a client or move a project.
        """
        if relation.spoofed:
            return Parties(None, None)
        if parties.client is None and thread.client_id is not None:
            return Parties(session.get(Client, thread.client_id), parties.contact)
        return parties

    def _read(self, session: Session, candidate: _Candidate, parties: Parties, project_id: int | None) -> Reading:
        """Labels with the history of the project, as far as it is known by now."""
        message, relation = candidate.message, candidate.relation
        return self._reader.read(
            MailToRead(
                subject=candidate.subject,
                text=candidate.text,
                language=message.language,
                direction=relation.direction,
                sent_at=candidate.sent_at,
                is_answer=message.subject_is_reply or bool(message.in_reply_to or message.references),
                attachments=tuple(item.filename for item in message.attachments if item.filename and not item.inline),
                automatic=message.kind != "human" or relation.automatic,
                timezone=parties.client.timezone
                if parties.client and parties.client.timezone
                else self._agency.locality.timezone,
                known_client=parties.client is not None,
                history=history(self._book.records(session, project_id), candidate.sent_at) if project_id else (),
            ),
            candidate.prepared,
        )

    def _settle_project(
        self, session: Session, candidate: _Candidate, thread: Thread, parties: Parties, reading: Reading
    ) -> Project | None:
        if parties.client is None:
            return None
        relation = candidate.relation
        if candidate.message.kind != "human" or relation.direction == "internal":
            return session.get(Project, thread.project_id) if thread.project_id else None
        message = candidate.message
        people = (relation.writer, relation.counterpart, *relation.others, *message.to, *message.cc)
        project, _ = settle_project(
            session,
            thread,
            parties.client,
            NewThread(
                candidate.message.base_subject if not relation.forwarded else candidate.subject,
                candidate.text[:4000],
                frozenset(person.addr_spec.lower() for person in people if person),
                candidate.sent_at,
                reading.text_probabilities or reading.stage_probabilities,
                relation.direction == "inbound",
                message.subject_is_reply and not relation.forwarded,
                message.quoted[:20_000],
                relation.writer.addr_spec.lower() if relation.writer else "",
            ),
            candidate.sent_at,
            reading.stage if reading.stage in STAGES else "discovery",
        )
        return project

    def _blank_record(self, candidate: _Candidate, thread: Thread) -> Record:
        message, relation, location = candidate.message, candidate.relation, candidate.location
        now = self._clock.now()
        people = (*message.to, *message.cc)
        return Record(
            message_id=candidate.message_id,
            fingerprint=fingerprint(message),
            raw_id=location.raw_id,
            sent_at=candidate.sent_at,
            received_at=location.received_at,
            logged_at=now,
            channel="email",
            direction=relation.direction,
            kind=message.kind,
            automatic=relation.automatic,
            originator=relation.writer.addr_spec if relation.writer else "",
            originator_name=relation.writer.name if relation.writer else "",
            recipients=[[person.name, person.addr_spec] for person in people[:200]],
            thread_id=thread.id,
            trust=relation.trust,
            subject=message.subject,
            base_subject=message.base_subject,
            is_answer=message.subject_is_reply or bool(message.in_reply_to),
            language=message.language,
            reply_text=candidate.text[:20_000],
            attachments=[
                [item.filename, item.content_type, item.size] for item in message.attachments if not item.inline
            ],
            defects=[[defect.code, defect.where] for defect in message.defects[:50]],
            evidence=[[sign.sign, sign.text[:200]] for sign in message.evidence[:20]],
            may_start=location.may_start and now - candidate.sent_at <= self._settings.cutoff and not relation.spoofed,
        )

    def _quarantine(self, session: Session, location: Location, error: Exception, counts: IntakeCounts) -> None:
        put_in_quarantine(session, location, self._phase, error, self._clock.now())
        counts.quarantined += 1
