"""Runs the phases 3 to 9 over kept mail: each message in its own savepoint, failures into quarantine, the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from assistant.clock import Clock
from assistant.intake.careful import CarefulReading
from assistant.intake.facts import fingerprint
from assistant.intake.interpretation import Candidate, IntakeSettings, Interpretation
from assistant.intake.ledger import is_canary
from assistant.intake.pending import pending_batch
from assistant.intake.project_book import ProjectBook
from assistant.intake.quarantine import in_quarantine, put_in_quarantine, settle_quarantine
from assistant.intake.reading_process import ReadingProcess
from assistant.intake.record import apply_reading, note_consequences, refresh_project
from assistant.intake.relations import AgencySide
from assistant.intake.signals import note_signals
from assistant.model.reading import Reader, TextToRead
from assistant.model.threading import ids_of
from assistant.store import Archive, Database
from assistant.store.clients import remember_contacts
from assistant.store.database import is_broken
from assistant.store.tables import Location, Quarantine, Record
from assistant.store.threads import place_in_thread
from parsers import Message

_log = structlog.get_logger("assistant.intake")

_DEFAULT_BATCH = 128
_PREPARED_AT_ONCE = 32
_LONG_RUN = 300
"""From so many messages on a second process pays for its start."""

AfterRecord = Callable[[Session, Record, Message], None]
"""Called in the message's own transaction after it was recorded: deciding, settling, receipts."""


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
        careful: CarefulReading | None = None,
    ) -> None:
        """`make_reader` builds another reader of the same kind for a process of its own; without it runs are single."""
        self._database = database
        self._archive = archive
        self._reader = reader
        self._clock = clock
        self._after_record = after_record
        self._careful = careful or CarefulReading()
        self._one = Interpretation(reader, agency, clock, settings or IntakeSettings(), self._careful)
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
            self._careful.close()

    def _waiting(self) -> int:
        with self._database.session() as session:
            return session.scalar(select(func.count()).select_from(Location).where(Location.outcome == "pending")) or 0

    def _run_batches(
        self, counts: IntakeCounts, limit: int | None, progress: Callable[[int], None] | None
    ) -> IntakeCounts:
        for suspect in self._careful.suspects():
            counts = counts + self._run_batch(1, suspect)
            self._careful.settled(suspect)
        while (limit is None or counts.total < limit) and not self._stop():
            size = _DEFAULT_BATCH if limit is None else min(_DEFAULT_BATCH, limit - counts.total)
            batch = self._run_batch(size)
            if batch.total == 0:
                break
            counts = counts + batch
            if progress is not None:
                progress(batch.total)
        return counts

    def _run_batch(self, size: int, only: int | None = None) -> IntakeCounts:
        counts = IntakeCounts()
        self._one.book = ProjectBook()
        with self._database.session() as session:
            pending = pending_batch(session, size, only)
            remember_contacts(session)
            raws = self._archive.get_many(session, [location.raw_id for location in pending])
            self._retried = in_quarantine(session, pending)
            candidates = [
                found
                for location in pending
                if (found := self._parse(session, location, raws[location.raw_id], counts)) is not None
            ]
            for candidate in self._prepared(candidates):
                if self._stop():
                    break
                self._interpret(session, candidate, counts)
        self._careful.under_way(())
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

    def _parse(self, session: Session, location: Location, raw: bytes, counts: IntakeCounts) -> Candidate | None:
        try:
            return self._one.parse(location, raw)
        except Exception as error:  # noqa: BLE001  # whatever a message breaks, the others go on
            self._quarantine(session, location, error, counts)
            return None

    def _prepared(self, candidates: Sequence[Candidate]) -> Iterator[Candidate]:
        """The candidates in order, each after its text was read; in a long run the next few are read meanwhile."""
        self._one.phase = "understand"
        groups = [
            candidates[start : start + _PREPARED_AT_ONCE] for start in range(0, len(candidates), _PREPARED_AT_ONCE)
        ]
        ready = [self._begin_reading(group) for group in groups]
        for group, prepare in zip(groups, ready, strict=True):
            self._careful.under_way([candidate.location.id for candidate in group])
            wanted = [candidate for candidate in group if candidate.message.kind == "human"]
            try:
                for candidate, prepared in zip(wanted, prepare(), strict=True):
                    candidate.prepared = prepared
            except Exception:  # noqa: BLE001  # one text may break the group: each is then read alone, in its own savepoint
                _log.warning("batch_reading_failed", messages=len(wanted))
            yield from group

    def _begin_reading(self, group: Sequence[Candidate]) -> Callable[[], Sequence[object]]:
        """Begins the costly part of understanding for several texts; what comes back waits for it."""
        human = [candidate for candidate in group if candidate.message.kind == "human"]
        texts = [TextToRead(item.subject, item.text, item.message.language) for item in human]
        if self._beside is not None:
            return self._beside.prepare(texts).result
        return lambda: self._reader.prepare(texts)

    # --- one message ------------------------------------------------------------------------------------------------

    def _interpret(self, session: Session, candidate: Candidate, counts: IntakeCounts) -> None:
        location = candidate.location
        self._careful.under_way([location.id])
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
            self._one.book = ProjectBook()
            remember_contacts(session)
            self._quarantine(session, location, error, counts)
            return
        self._careful.settled(location.id)
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

    def _phases(self, session: Session, candidate: Candidate) -> tuple[str, str, Record | None]:
        message, relation = candidate.message, candidate.relation
        self._one.phase = "thread"
        to_ourselves = relation.automatic and relation.counterpart is None
        if to_ourselves and not is_canary(session, candidate.message_id):
            return "ignored", "our own mail to staff", None
        same = self._known(session, candidate)
        if same is not None:
            return "duplicate", f"same as record {same.id}", same
        if to_ourselves:  # a record outside every thread, client and project
            session.add(record := self._one.blank_record(candidate, None))
            session.flush()
            return "logged", "canary", record
        thread = place_in_thread(
            session, ids_of(candidate.message_id, message), message.base_subject, candidate.sent_at
        )
        record = self._one.blank_record(candidate, thread)
        understood = self._one.understand(session, candidate, thread)
        parties, project = understood.parties, understood.project
        record.client_id = parties.client.id if parties.client else None
        record.contact_id = parties.contact.id if parties.contact else None
        self._one.phase = "record"
        record.project_id = project.id if project else None
        self._one.book.hold(thread, project, parties.client, parties.contact)
        record.context = understood.context
        apply_reading(record, understood.reading)
        session.add(record)
        session.flush()
        note_signals(session, message, record, parties.contact, self._clock.now())
        if project is not None:
            self._one.book.add(record)
            note_consequences(session, record, understood.reading, project.owner)
            refresh_project(session, project, self._one.book)
        self._one.phase = "decide"
        if self._after_record is not None:
            session.flush()
            self._after_record(session, record, message)
        return "logged", "spoofed sender" if relation.spoofed else "", record

    def _known(self, session: Session, candidate: Candidate) -> Record | None:
        """The record of the same message: same Message-ID and, beyond doubt, the same content."""
        print_ = fingerprint(candidate.message)
        for record in session.scalars(select(Record).where(Record.message_id == candidate.message_id)):
            if record.raw_id == candidate.location.raw_id or record.fingerprint == print_:
                return record
        return None

    def _quarantine(self, session: Session, location: Location, error: Exception, counts: IntakeCounts) -> None:
        put_in_quarantine(session, location, self._one.phase, error, self._clock.now())
        counts.quarantined += 1
