"""What later mail says about earlier mail: the labels of touched projects are read again in hindsight.

A record's `stage_probabilities` stay what they were when the mail came, and `stage` becomes what is believed now. It is a
function of the project's records alone, whatever order they came in, and it sets nothing off: nobody is written to because
an old label was set right.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from assistant.intake.project_book import Entry, ProjectBook
from assistant.model.doubt import SET_BY_A_PERSON
from assistant.model.process import UNRELATED
from assistant.model.reading import LooksBack, MailToRead, Reader, ReadMail
from assistant.store.tables import Project, Record

_LEAST_CHANGE: Final = 0.02
"""A confidence that moved less is left alone: a write for every record of a long project would be waste."""


def smooth(session: Session, reader: Reader, book: ProjectBook) -> int:
    """Looks back at every project that was given records in this transaction; returns how many labels became others."""
    if not isinstance(reader, LooksBack):
        return 0
    return sum(_smooth_project(session, reader, book, number) for number in sorted(book.grown))


def _smooth_project(session: Session, reader: LooksBack, book: ProjectBook, project_id: int) -> int:
    entries = [entry for entry in book.entries(session, project_id) if _counts(entry)]
    entries.sort(key=lambda entry: (entry.facts.sent_at, entry.facts.tie))
    mails = [_as_read(entry) for entry in entries]
    changed = 0
    for entry, probabilities in zip(entries, reader.look_back(mails), strict=True):
        facts, (stage, confidence) = entry.facts, probabilities[0]
        same = stage == facts.stage and abs(confidence - facts.stage_confidence) < _LEAST_CHANGE
        if same or facts.stage_evidence == SET_BY_A_PERSON:
            continue
        record = session.get(Record, facts.record_id)
        if record is None:
            continue
        if facts.stage == UNRELATED and stage != UNRELATED:
            _read_as(record, reader, probabilities)
        changed += int(record.stage != stage)
        record.stage, record.stage_confidence = stage, round(confidence, 4)
        book.add(record)
    if changed and (project := session.get(Project, project_id)) is not None:
        book.touch(project)
    return changed


def _counts(entry: Entry) -> bool:
    facts = entry.facts
    talk = facts.kind == "human" and not facts.automatic and facts.direction != "internal"
    return talk and bool(entry.first_read)


def _as_read(entry: Entry) -> ReadMail:
    facts = entry.facts
    return ReadMail(entry.first_read, entry.item.stage_probabilities, facts.direction, facts.sent_at, facts.tie[0])


def _read_as(record: Record, reader: LooksBack, probabilities: tuple[tuple[str, float], ...]) -> None:
    """A mail that was taken for a stray has intents and a turn after all."""
    mail = MailToRead(
        record.base_subject or record.subject,
        record.reply_text,
        record.language,
        record.direction,
        record.sent_at,
        record.is_answer,
        tuple(item[0] for item in record.attachments if item[0]),
        known_client=True,
    )
    reading = reader.read_as(mail, probabilities)
    record.intents = [[sign.label, round(sign.confidence, 4), sign.evidence] for sign in reading.intents]
    record.waiting_on, record.waiting_evidence = reading.waiting_on, reading.waiting_evidence
    record.stage_evidence = reading.stage_evidence
