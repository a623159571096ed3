"""Phases 3, 5 and 6 of one message: what it says, whose it is, and what it means among the mail before it.

The same for a message that is heard for the first time and for one that is thought over again, because mail that was
written before it came later (`assistant.intake.hindsight`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from assistant.clock import Clock
from assistant.intake.complaints import expect_no_complaints
from assistant.intake.facts import history
from assistant.intake.parsing import KeptMail, ParsedMail
from assistant.intake.project_book import ProjectBook
from assistant.intake.record import refresh_touched
from assistant.intake.relations import AgencySide, Parties, Settled, find_parties, settle_parties, settle_project
from assistant.intake.smoothing import smooth
from assistant.intake.suspicion import Suspicion, Watch, stands_apart
from assistant.model.people import Directory, Relation, relate
from assistant.model.projects import NewThread
from assistant.model.reading import LooksBack, MailToRead, Reader, Reading, Sign, TextToRead
from assistant.model.weak_threads import ThreadMail, WeakEdge, subject_key
from assistant.store.tables import Client, Location, Project, Record, Thread
from assistant.store.threads import living_thread
from assistant.store.weak_threads import edge_of, expect_subjects, note_subject, refresh_weak_edges
from assistant.store.writing import row_of
from parsers import Message

KEPT_IN_PART = "kept-in-part"
"""The defect of a record that was made from a part of its message."""

_NOBODY = Parties(None, None)
"""To whom mail belongs that pretends to be another's: it must not answer for a client or move a project."""


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
    fingerprint: str = ""
    prepared: object | None = None

    heard: Record | None = None
    """The record of a message that is thought over again: what was read of it stands while its context is the same."""
    unplaced: bool = False
    """Whether it was read outside any project then: in one it has to be read anew for what follows from it."""
    suspicions: tuple[Suspicion, ...] = ()

    @classmethod
    def of(cls, location: Location, mail: ParsedMail, heard: Record | None = None) -> Candidate:
        return cls(
            location,
            mail.message,
            mail.relation,
            mail.message_id,
            mail.sent_at,
            mail.text,
            mail.subject,
            mail.fingerprint,
            mail.prepared,
            heard,
        )


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
        self,
        reader: Reader,
        agency: AgencySide,
        clock: Clock,
        settings: IntakeSettings,
        parse: Callable[[KeptMail], ParsedMail],
    ) -> None:
        self._parse = parse
        self._reader = reader
        self._agency = agency
        self._clock = clock
        self._settings = settings
        self._watch = Watch(agency)
        self.phase = ""
        self.book = ProjectBook()

    @property
    def directory(self) -> Directory:
        """The agency's people and servers."""
        return self._agency.directory

    def kept(self, location: Location, raw: bytes) -> KeptMail:
        """A kept message as phase 3 takes it. Old mail is proved by no keys: they are gone."""
        now = self._clock.now()
        received = max(location.received_at, now) if self._settings.simulated else location.received_at
        recent = location.may_start and now - location.received_at <= self._settings.cutoff
        return KeptMail(location.id, raw, received, location.mailbox, recent)

    def parse(self, location: Location, raw: bytes) -> Candidate:
        """Phase 3."""
        self.phase = "parse"
        return Candidate.of(location, self._parse(self.kept(location, raw)))

    def parse_again(self, location: Location, raw: bytes, heard: Record, *, unplaced: bool) -> Candidate:
        """Phase 3 of a message that was heard before, in no project if `unplaced`: its proof and its time stay."""
        self.phase = "parse"
        mail = self._parse(KeptMail(location.id, raw, location.received_at, location.mailbox))
        relation = mail.relation
        if relation.trust != heard.trust:
            relation = relate(mail.message, self._agency.directory.at(location.mailbox), lambda: heard.trust)
        candidate = Candidate.of(location, replace(mail, relation=relation, sent_at=heard.sent_at), heard)
        candidate.unplaced = unplaced
        return candidate

    def look_back(self, session: Session) -> int:
        """Reads the labels of grown projects again in hindsight; returns how many became others."""
        return smooth(session, self._reader, self.book)

    def understand(
        self, session: Session, candidate: Candidate, thread: Thread, given: int | None = None
    ) -> Understood:
        """Phases 5 and 6: direction, client, contact, project and labels. `given`: the client that a person named."""
        self.phase = "relate"
        relation = candidate.relation
        candidate.suspicions = self._watch.suspicions(session, candidate.message, relation, candidate.location.order_at)
        apart = stands_apart(candidate.suspicions, in_conversation=thread.client_id is not None)
        if apart and given is None:
            self.phase = "understand"
            return Understood(_NOBODY, None, *self._read(session, candidate, _NOBODY, None))
        known = _from_thread(session, thread, find_parties(session, relation, self._agency))
        if given is not None:
            known = Parties(session.get(Client, given), known.contact)
        self.phase = "understand"
        known_project = thread.project_id
        words = self._words(candidate)
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
        settled = self._settle_project(session, candidate, thread, parties, words)
        project = settled.project if settled is not None else None
        joined = settled is not None and self._joined(session, settled, known_project)
        self.phase = "understand"
        if candidate.heard is not None and candidate.unplaced and project is not None:
            candidate.heard.context = ""
        # Whoever becomes a client with this very mail was a stranger when it was written.
        reading, context = self._read(
            session, candidate, parties if joined else known, project.id if project and joined else known_project
        )
        return Understood(parties, project, reading, context)

    def _words(self, candidate: Candidate) -> tuple[tuple[str, float], ...]:
        """What the words alone say of the stage; a machine's have no weight."""
        if candidate.message.kind != "human" or candidate.relation.counterpart is None:
            return ()
        if candidate.heard is not None and candidate.heard.text_probabilities:
            return _words_heard(candidate.heard)
        text = TextToRead(candidate.subject, candidate.text, candidate.message.language)
        if candidate.prepared is None:
            (candidate.prepared,) = self._reader.prepare([text])
        return _rounded(self._reader.words(text, candidate.prepared))

    def _joined(self, session: Session, settled: Settled, known_project: int | None) -> bool:
        """Whether the mail comes into a project that has mail already, and that it was not known to belong to."""
        if settled.project.id == known_project:
            return False
        if settled.adopted:
            self.book.forget(settled.project.id)
        elif settled.is_new:
            self.book.begin(settled.project.id)
            expect_no_complaints(session, settled.project.id)
        return bool(self.book.entries(session, settled.project.id))

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
            history=history(self.book.entries(session, project_id), candidate.sent_at) if project_id else (),
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
    ) -> Settled | None:
        client = parties.client
        if client is None:
            return None
        relation, message = candidate.relation, candidate.message
        own = row_of(session, Project, thread.project_id) if thread.project_id else None
        if message.kind != "human" or relation.direction == "internal":
            return Settled(own) if own is not None else None
        if own is not None and own.client_id == client.id:
            return Settled(own)
        # What a new thread is compared with must be as it stands by now.
        refresh_touched(session, self.book, client.id)
        people = (relation.writer, relation.counterpart, *relation.others, *message.to, *message.cc)
        goes_on = self._weak_edge(session, candidate, thread, client.id)
        before = living_thread(session, goes_on.continues) if goes_on is not None else None
        return settle_project(
            session,
            thread,
            client,
            NewThread(
                message.base_subject if not relation.forwarded else candidate.subject,
                candidate.text[:4000],
                frozenset(person.addr_spec.lower() for person in people if person),
                candidate.sent_at,
                words,
                relation.direction == "inbound",
                message.subject_is_reply and not relation.forwarded,
                message.quoted[:20_000],
                relation.writer.addr_spec.lower() if relation.writer else "",
                before.project_id if before is not None else None,
                goes_on.evidence if goes_on is not None else "",
            ),
            candidate.location.order_at,
            partial(self._standing, session),
        )

    def _standing(self, session: Session, project: Project) -> tuple[str, str]:
        """Stage and state as the mail was read when it came: what later mail said of it comes sooner or later by chance."""
        state = self.book.state_as_mail_came(session, project.id) if isinstance(self._reader, LooksBack) else None
        if state is None:
            return project.stage, project.state
        derived = "lost" if state.lost else "running"
        return state.stage, derived if project.state in {"running", "lost"} else project.state

    def _weak_edge(self, session: Session, candidate: Candidate, thread: Thread, client_id: int) -> WeakEdge | None:
        """Where a thread goes on from that begins with an answer to nothing that is known."""
        message = candidate.message
        if not _may_go_on(candidate):
            return None
        people = {person.addr_spec.lower() for person in (message.originator, *message.to, *message.cc) if person}
        assistant = self._agency.directory.assistant
        mail = ThreadMail(
            candidate.message_id,
            thread.id,
            client_id,
            subject_key(message.base_subject),
            candidate.sent_at,
            message.subject_is_reply,
            frozenset(people - set(assistant)),
            message.thread_index or "",
        )
        return edge_of(session, mail, assistant)

    def expect_subjects(self, session: Session, candidates: Sequence[Candidate]) -> None:
        """Asks at once for the mail with the subjects of those that may go on from a thread that they do not name."""
        keys = {subject_key(mail.message.base_subject) for mail in candidates if _may_go_on(mail)}
        expect_subjects(session, keys, self._agency.directory.assistant)

    def note_subject(self, session: Session, record: Record) -> None:
        """A record that is new: what follows may go on from it."""
        note_subject(session, record, self._agency.directory.assistant)

    def refresh_weak_edges(self, session: Session, subject_keys: Iterable[str], thread_ids: Iterable[int] = ()) -> None:
        """After records with these subjects were made or moved, in these threads too where they may count no more."""
        refresh_weak_edges(session, subject_keys, self._agency.directory.assistant, thread_ids)

    def blank_record(self, candidate: Candidate, thread: Thread | None) -> Record:
        """The record of a new message, as far as its bytes alone tell."""
        message, relation, location = candidate.message, candidate.relation, candidate.location
        now = self._clock.now()
        people = (*message.to, *message.cc)
        return Record(
            message_id=candidate.message_id,
            fingerprint=candidate.fingerprint,
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
                *([[KEPT_IN_PART, location.problem]] if location.problem else []),
                *([defect.code, defect.where] for defect in message.defects[:50]),
            ],
            evidence=[[sign.sign, sign.text[:200]] for sign in message.evidence[:20]],
            may_start=location.may_start
            and now - candidate.sent_at <= self._settings.cutoff
            and not (relation.spoofed or relation.automatic),  # our own mail begins nothing, whichever way it comes in
        )


def _may_go_on(candidate: Candidate) -> bool:
    message = candidate.message
    return not candidate.relation.forwarded and (message.subject_is_reply or bool(message.thread_index))


def _from_thread(session: Session, thread: Thread, parties: Parties) -> Parties:
    """Mail belongs to the client whose conversation it is in: internal mail, machines' answers, and that of people who
    are known from another client as well."""
    decided = thread.client_id is not None and thread.project_id is not None
    if thread.client_id is not None and (parties.client is None or decided):
        return Parties(row_of(session, Client, thread.client_id), parties.contact)
    return parties


def _digest(mail: MailToRead) -> str:
    context = (mail.direction, mail.automatic, mail.timezone, mail.known_client, mail.history)
    return hashlib.sha256(repr(context).encode("utf-8", "replace")).hexdigest()[:16]


def _rounded(probabilities: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
    """As they are stored, so that thinking it over again starts from the same."""
    return tuple((label, round(value, 4)) for label, value in probabilities)


def _words_heard(record: Record) -> tuple[tuple[str, float], ...]:
    """What the words alone said, which no context changes."""
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
