"""Runs the phases 3 to 9 over kept mail, a batch in one transaction; what breaks goes into quarantine, the rest goes on.

A batch is read (phase 3 and the costly part of 6) outside any transaction, in a long run by a process beside while the batch
before it is written. When one of its messages breaks, nothing of the batch is stored, and it is written again message by
message, each in a savepoint of its own: so exactly that message is quarantined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.clock import Clock, monotonic
from assistant.heap import collecting_rarely
from assistant.intake.careful import CarefulReading
from assistant.intake.interpretation import Candidate, IntakeSettings, Interpretation
from assistant.intake.late_mail import LateMail, is_trouble, look_back, with_followers
from assistant.intake.parsing import ParsedMail, Unparsed, reason_of
from assistant.intake.pending import pending_batch, still_pending
from assistant.intake.phases import AfterRecord, Interpreted, Phases
from assistant.intake.quarantine import (
    gone_through_before,
    in_quarantine,
    put_in_quarantine,
    release_copies,
    settle_quarantine,
)
from assistant.intake.reading_ahead import Part, ReadingAhead
from assistant.intake.relations import AgencySide
from assistant.model.reading import Reader
from assistant.store import Archive, Database
from assistant.store.hindsight import last_heard, note_late, places_of
from assistant.store.tables import Location, Quarantine, Record

_log = structlog.get_logger("assistant.intake")

_BATCH = 64
_BATCH_OF_A_LONG_RUN = 256
_LONG_RUN = 500
"""From so many messages on a second process pays for its start."""

_REST = 9
"""While mail comes, history is not thought over again for so many times as long as that took."""


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


@dataclass(frozen=True, slots=True)
class _Batch:
    """Messages that are being read."""

    location_ids: tuple[int, ...]
    parts: Sequence[Part]


class _BrokenMessageError(Exception):
    """One message of a batch broke a phase: the batch is undone and written message by message."""


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
        self._clock = clock
        self._after_record = after_record
        self._careful = careful or CarefulReading()
        self._free_mail = agency.free_mail
        self._ahead = ReadingAhead(agency, reader, self._careful)
        self._one = Interpretation(reader, agency, clock, settings or IntakeSettings(), self._ahead.parse)
        self._make_reader = make_reader
        self._not_looked_before = float("-inf")
        self.backlog = 0
        """How many messages still wait after a run that ended because its time was over."""

    def expect(self, count: int) -> None:
        """A run over about so many messages follows: what helps with a long one loads its model meanwhile.

        Nothing happens while none waits, so that what is known already costs nothing. Every run ends what this began.
        """
        if self._make_reader is not None and count >= _LONG_RUN and self._waiting():
            self._ahead.start_process(self._make_reader)

    @collecting_rarely()
    def run(
        self,
        limit: int | None = None,
        progress: Callable[[int], None] | None = None,
        stop: Callable[[], bool] = lambda: False,
        seconds: float | None = None,
    ) -> IntakeCounts:
        """Interprets what is pending, oldest first, up to `limit` messages; returns what became of it.

        After `stop` says so the message under way is finished, and the rest stays pending. After `seconds` the batch
        under way is, and `backlog` says what is left for the next run.
        """
        until = monotonic() + seconds if seconds is not None else None
        if self._make_reader is not None and limit is None and self._waiting() >= _LONG_RUN:
            self._ahead.start_process(self._make_reader)
        counts = IntakeCounts()
        try:
            for batch in self._batches(limit, stop):
                done = self._write(batch, stop)
                self._careful.under_way(())
                counts = counts + done
                if progress is not None:
                    progress(done.total)
                if until is not None and monotonic() > until:
                    break
            self.backlog = self._waiting() if until is not None and monotonic() > until and not stop() else 0
        finally:
            if not self.backlog:
                self._ahead.stop_process()
            self._careful.close()
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

    @collecting_rarely()
    def look_back(self, stop: Callable[[], bool] = lambda: False, *, calm: bool = True) -> frozenset[int]:
        """Thinks over what was written after mail that came late; returns the clients concerned. Sends and starts nothing.

        Without `calm` it is brief, for mail comes: it takes a tenth of the time. After `stop` says so it gives up, and the
        next call begins anew.
        """
        began = monotonic()
        if not calm and began < self._not_looked_before:
            return frozenset()
        try:
            return look_back(self._database, self._one, self._archive, stop, calm=calm)
        finally:
            self._not_looked_before = monotonic() + _REST * (monotonic() - began)
            self._careful.close()

    # --- what is pending --------------------------------------------------------------------------------------------

    def _waiting(self) -> int:
        with self._database.reading() as session:
            return session.scalar(select(func.count()).select_from(Location).where(Location.outcome == "pending")) or 0

    def _batches(self, limit: int | None, stop: Callable[[], bool]) -> Iterator[_Batch]:
        """Batch after batch; with a process beside the next is begun before one is handed out."""
        if suspects := self._careful.suspects():
            with self._database.reading() as session:
                self._careful.name_suspects(session)
                innocent = gone_through_before(session, suspects)
        for suspect in suspects:
            if suspect not in innocent and (alone := self._begin_batch(1, only=suspect)) is not None:
                yield alone
            self._careful.settled(suspect)
        left = limit
        ready = self._begin_batch(left)
        while ready is not None and not stop():
            left = None if left is None else left - len(ready.location_ids)
            following = self._begin_batch(left, but=ready.location_ids) if self._ahead.beside else None
            yield ready
            ready = following or self._begin_batch(left)

    def _begin_batch(self, limit: int | None, *, only: int | None = None, but: Sequence[int] = ()) -> _Batch | None:
        """The oldest pending messages but those that are at hand already; None when there are none."""
        most = _BATCH_OF_A_LONG_RUN if self._ahead.beside else _BATCH
        size = most if limit is None else min(most, limit)
        with self._database.reading() as session:
            pending = pending_batch(session, size, only, but)
            raws = self._archive.get_many(session, [location.raw_id for location in pending])
            mails = [self._one.kept(location, raws[location.raw_id]) for location in pending]
        if not mails:
            return None
        return _Batch(tuple(mail.location_id for mail in mails), self._ahead.begin(mails))

    # --- writing a batch --------------------------------------------------------------------------------------------

    def _write(self, batch: _Batch, stop: Callable[[], bool]) -> IntakeCounts:
        found = self._ahead.collect(batch.parts, stop)
        if not found:
            return IntakeCounts()
        try:
            with self._database.alone() as session:
                counts = self._in_one_go(session, found, stop)
        except _BrokenMessageError:
            _log.warning("batch_undone", messages=len(found), then="each is interpreted on its own")
            with self._database.alone() as session:
                counts = self._one_by_one(session, found, stop)
        return counts

    def _in_one_go(
        self, session: Session, found: Sequence[ParsedMail | Unparsed], stop: Callable[[], bool]
    ) -> IntakeCounts:
        """Raises _BrokenMessageError where a message breaks, and what the database says when that is in trouble."""
        desk = _Desk(session, self._clock, found)
        done: list[tuple[Candidate, Interpreted]] = []
        try:
            phases = Phases(session, self._one, self._after_record, self._free_mail, desk.candidates)
            for mail in desk.candidates:
                if stop():
                    break
                self._careful.under_way([mail.location.id])
                done.append((mail, _interpreted(phases, mail)))
            phases.finish()
        except Exception as error:
            if is_trouble(error):
                raise
            raise _BrokenMessageError from error
        for mail, result in done:
            self._careful.settled(mail.location.id)
            desk.note(mail, result)
        desk.note_late()
        desk.put_aside_unparsed()
        return desk.counts

    def _one_by_one(
        self, session: Session, found: Sequence[ParsedMail | Unparsed], stop: Callable[[], bool]
    ) -> IntakeCounts:
        """The same, each message in a savepoint of its own: what breaks one leaves nothing, and is kept in quarantine."""
        desk = _Desk(session, self._clock, found)
        for mail in desk.candidates:
            if stop():
                break
            self._careful.under_way([mail.location.id])
            try:
                with session.begin_nested():
                    phases = Phases(session, self._one, self._after_record, self._free_mail, [mail])
                    result = _interpreted(phases, mail)
                    phases.finish()
            except Exception as error:
                if is_trouble(error):
                    raise
                session.expire_all()
                desk.quarantine(mail.location, self._one.phase, type(error).__name__, reason_of(error))
                continue
            self._careful.settled(mail.location.id)
            desk.note(mail, result)
        desk.note_late()
        desk.put_aside_unparsed()
        return desk.counts


def _interpreted(phases: Phases, mail: Candidate) -> Interpreted:
    result = phases.interpret(mail)
    location = mail.location
    location.outcome, location.outcome_reason = result.outcome, result.reason
    location.record_id = result.record.id if result.record else None
    return result


class _Desk:
    """The messages of a batch in one transaction: which are still to be interpreted, and what became of each."""

    def __init__(self, session: Session, clock: Clock, found: Sequence[ParsedMail | Unparsed]) -> None:
        self._session = session
        self._clock = clock
        self._pending = still_pending(session, [item.location_id for item in found])
        self._retried = in_quarantine(session, list(self._pending.values()))
        self._unparsed = [item for item in found if isinstance(item, Unparsed)]
        self.candidates = [
            Candidate.of(self._pending[item.location_id], item)
            for item in found
            if isinstance(item, ParsedMail) and item.location_id in self._pending
        ]
        self.counts = IntakeCounts()
        self._before = last_heard(session)
        self._heard: list[tuple[Location, Record]] = []
        self._through: list[Location] = []

    def note(self, mail: Candidate, result: Interpreted) -> None:
        """Counts and logs a message that went through."""
        if mail.location.id in self._retried:
            settle_quarantine(self._session, mail.location, self._clock.now())
        counts, record = self.counts, result.record
        setattr(counts, result.outcome, getattr(counts, result.outcome) + 1)
        self._through.append(mail.location)
        if result.outcome == "logged" and record is not None and (record.kind == "human" or record.client_id):
            self._heard.append((mail.location, record))
        if record is not None and record.project_id is not None:
            counts.projects.add(record.project_id)
        _log.info(
            "message",
            outcome=result.outcome,
            reason=result.reason,
            record=record.id if record else None,
            direction=mail.relation.direction,
            kind=mail.message.kind,
            sender=mail.relation.writer.addr_spec if mail.relation.writer else "",
            stage=record.stage if record else "",
            stage_confidence=record.stage_confidence if record else None,
            defects=len(mail.message.defects),
        )

    def note_late(self) -> None:
        """Mail that belongs before some that was interpreted already: what was written after it is to be thought over."""
        release_copies(self._session, [location.raw_id for location in self._through])
        if self._before is None or not self._heard:
            return
        places = places_of(self._session, [location for location, _ in self._heard])
        heard = [
            LateMail(place, record)
            for place, (_, record) in zip(places, self._heard, strict=True)
            if place < self._before
        ]
        late = with_followers(self._session, heard, {record.id for _, record in self._heard})
        clients: dict[int, datetime] = {}
        for mail in late:
            if (client_id := mail.record.client_id) is not None:
                clients[client_id] = min(mail.place.order_at, clients.get(client_id, mail.place.order_at))
        if late:
            note_late(self._session, min(mail.place.order_at for mail in late), clients)

    def quarantine(self, location: Location, phase: str, error: str, reason: str) -> None:
        put_in_quarantine(self._session, location, phase, error, reason, self._clock.now())
        self.counts.quarantined += 1

    def put_aside_unparsed(self) -> None:
        """What could not even be parsed."""
        for item in self._unparsed:
            if (location := self._pending.get(item.location_id)) is not None:
                self.quarantine(location, item.phase, item.error, item.reason)
