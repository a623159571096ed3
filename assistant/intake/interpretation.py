"""Phases 3, 5 and 6 of one message: what it says, whose it is, and what it means among the mail before it.

The same for a message that is heard for the first time and for one that is thought over again, because mail that was
written before it came later (`assistant.intake.hindsight`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from assistant.clock import Clock
from assistant.intake.careful import CarefulReading
from assistant.intake.facts import fingerprint, history, plausible_time
from assistant.intake.project_book import ProjectBook
from assistant.intake.relations import AgencySide, Parties, find_parties, settle_parties, settle_project
from assistant.model.authentication import ProveSender
from assistant.model.people import Relation, relate
from assistant.model.process import STAGES
from assistant.model.projects import NewThread
from assistant.model.reading import MailToRead, Reader, Reading, Sign
from assistant.model.weak_threads import subject_key
from assistant.store.tables import Client, Location, Project, Record, Thread
from parsers import Message


@dataclass(frozen=True, slots=True)
class IntakeSettings:
    """`cutoff`: mail older than this when first read starts nothing. `simulated`: the clock is not the machine's."""

    cutoff: timedelta = timedelta(days=14)
    simulated: bool = False


@dataclass(slots=True)
class Candidate:
    """One message between parsing and recording."""

    location: Location
    message: Message
    relation: Relation
    message_id: str
    sent_at: datetime
    text: str
    subject: str
    prepared: object | None = None
    heard: Record | None = None
    """The record of a message that is thought over again: what was read of it stands while its context is the same."""


@dataclass(frozen=True, slots=True)
class Understood:
    """Whose mail it is and what it says. `context`: a digest of what its reading depended on beside its own words."""

    parties: Parties
    project: Project | None
    reading: Reading
    context: str

    @property
    def fresh(self) -> bool:
        """Whether it was read, and not taken from what had been read before."""
        return self.reading.model != ""


class Interpretation:
    """What phases 3, 5 and 6 need. `phase` names the one under way; `book` lives as long as one transaction."""

    def __init__(
        self, reader: Reader, agency: AgencySide, clock: Clock, settings: IntakeSettings, careful: CarefulReading
    ) -> None:
        self._careful = careful
        self._reader = reader
        self._agency = agency
        self._clock = clock
        self._settings = settings
        self.phase = ""
        self.book = ProjectBook()

    def parse(self, location: Location, raw: bytes) -> Candidate:
        """Phase 3."""
        self.phase = "parse"
        message = self._careful.parse(location.id, raw)
        relation = relate(message, self._agency.directory, self._proof(raw, message, location))
        forwarded = message.forwarded if relation.forwarded else None
        received = location.received_at
        if self._settings.simulated:
            received = max(received, self._clock.now())
        sent_at = plausible_time(forwarded.date if forwarded and forwarded.date else message.date, received)
        return Candidate(
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

    def understand(self, session: Session, candidate: Candidate, thread: Thread) -> Understood:
        """Phases 5 and 6: direction, client, contact, project and labels."""
        self.phase = "relate"
        relation = candidate.relation
        known = _from_thread(session, thread, relation, find_parties(session, relation, self._agency))
        self.phase = "understand"
        known_project = thread.project_id
        words = _words_heard(candidate.heard)
        reading, context = (None, "") if words else self._read(session, candidate, known, known_project)
        if reading is not None:
            words = _rounded(reading.text_probabilities or reading.stage_probabilities)
        self.phase = "relate"
        parties = settle_parties(
            session,
            candidate.message,
            relation,
            known,
            dict(words).get("unrelated", 0.0),
            self._agency,
            candidate.location.order_at,
            self._clock.now(),
        )
        stage = reading.stage if reading is not None and reading.stage in STAGES else "discovery"
        project = self._settle_project(session, candidate, thread, parties, words, stage)
        joined = project is not None and project.id != known_project
        if joined and project is not None:
            self.book.forget(project.id)
            joined = bool(self.book.records(session, project.id))
        if reading is None or joined:
            self.phase = "understand"
            seen = (parties, project.id) if joined and project is not None else (known, known_project)
            reading, context = self._read(session, candidate, *seen)
        return Understood(parties, project, reading, context)

    def _read(
        self, session: Session, candidate: Candidate, parties: Parties, project_id: int | None
    ) -> tuple[Reading, str]:
        """Labels with the history of the project, as far as it is known by now, and a digest of this context."""
        message, relation = candidate.message, candidate.relation
        mail = MailToRead(
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
            history=history(self.book.records(session, project_id), candidate.sent_at) if project_id else (),
        )
        context = _digest(mail)
        if candidate.heard is not None and candidate.heard.context == context:
            return _reading_of(candidate.heard), context
        return self._reader.read(mail, candidate.prepared), context

    def _settle_project(
        self,
        session: Session,
        candidate: Candidate,
        thread: Thread,
        parties: Parties,
        words: tuple[tuple[str, float], ...],
        stage: str,
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
                words,
                relation.direction == "inbound",
                message.subject_is_reply and not relation.forwarded,
                message.quoted[:20_000],
                relation.writer.addr_spec.lower() if relation.writer else "",
            ),
            candidate.location.order_at,
            stage,
        )
        return project

    def blank_record(self, candidate: Candidate, thread: Thread | None) -> Record:
        """The record of a new message, as far as its bytes alone tell."""
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
            thread_id=thread.id if thread is not None else None,
            trust=relation.trust,
            subject=message.subject,
            base_subject=message.base_subject,
            subject_key=subject_key(message.base_subject),
            thread_index=message.thread_index or "",
            is_answer=message.subject_is_reply or bool(message.in_reply_to),
            language=message.language,
            reply_text=candidate.text[:20_000],
            attachments=[
                [item.filename, item.content_type, item.size] for item in message.attachments if not item.inline
            ],
            defects=[
                *([["kept-in-part", location.problem]] if location.problem else []),
                *([defect.code, defect.where] for defect in message.defects[:50]),
            ],
            evidence=[[sign.sign, sign.text[:200]] for sign in message.evidence[:20]],
            may_start=location.may_start and now - candidate.sent_at <= self._settings.cutoff and not relation.spoofed,
        )


def _from_thread(session: Session, thread: Thread, relation: Relation, parties: Parties) -> Parties:
    """Internal mail and machines' answers belong to the client whose conversation they are in.

    Mail that pretends to be ours belongs to nobody: it must not answer for a client or move a project.
    """
    if relation.spoofed:
        return Parties(None, None)
    if parties.client is None and thread.client_id is not None:
        return Parties(session.get(Client, thread.client_id), parties.contact)
    return parties


def _digest(mail: MailToRead) -> str:
    context = (mail.direction, mail.automatic, mail.timezone, mail.known_client, mail.history)
    return hashlib.sha256(repr(context).encode("utf-8", "replace")).hexdigest()[:16]


def _rounded(probabilities: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
    """As they are stored, so that thinking it over again starts from the same."""
    return tuple((label, round(value, 4)) for label, value in probabilities)


def _words_heard(record: Record | None) -> tuple[tuple[str, float], ...]:
    """What the words alone said, which no context changes."""
    if record is None:
        return ()
    return tuple((label, value) for label, value in record.text_probabilities)


def _reading_of(record: Record) -> Reading:
    """What a record holds of a reading. Without `model`: it is nothing new."""
    return Reading(
        record.stage,
        record.stage_confidence,
        record.stage_evidence,
        tuple((label, value) for label, value in record.stage_probabilities),
        tuple(Sign(*item) for item in record.intents),
        record.approval,
        "",
        record.waiting_on,
        record.waiting_evidence,
        (),
        (),
        record.summary,
        _words_heard(record),
    )
