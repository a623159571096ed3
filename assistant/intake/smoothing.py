"""What later mail says about earlier mail: the labels of touched projects are read again in hindsight.

A record's `stage_probabilities` stay what they were when the mail came, and `stage` becomes what is believed now. It is a
function of the project's records alone, whatever order they came in, and it sets nothing off: nobody is written to because
an old label was set right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from assistant.intake.project_book import Entry, ProjectBook
from assistant.model.doubt import SET_BY_A_PERSON
from assistant.model.process import STAGE_LABELS, UNRELATED
from assistant.model.reading import LooksBack, MailToRead, Reader, ReadMail
from assistant.store.tables import Project, Record
from assistant.store.writing import row_of, rows_of

_LEAST_CHANGE: Final = 0.02
"""A confidence that moved less than that from the first reading's is the first reading's: with two digits for the others
that saves a write for every record of a long project, whichever way its labels came to be what they are."""


def smooth(session: Session, reader: Reader, book: ProjectBook) -> int:
    """Looks back at every project that was given records in this transaction; returns how many labels became others."""
    if not isinstance(reader, LooksBack):
        return 0
    projects = sorted(book.grown)
    book.expect(session, projects)
    found = {project_id: _second_thoughts(session, reader, book, project_id) for project_id in projects}
    changing = [thought.record_id for thoughts in found.values() for thought in thoughts]
    records = {record.id: record for record in rows_of(session, Record, changing)}
    return sum(_apply(session, reader, book, number, thoughts, records) for number, thoughts in found.items())


@dataclass(frozen=True, slots=True)
class _SecondThought:
    """What a record that was first read as one of the stage `first` is taken for now."""

    record_id: int
    first: str
    stage: str
    confidence: float


def _second_thoughts(
    session: Session, reader: LooksBack, book: ProjectBook, project_id: int
) -> Sequence[_SecondThought]:
    entries = [entry for entry in book.entries(session, project_id) if _counts(entry)]
    entries.sort(key=lambda entry: (entry.facts.sent_at, entry.facts.tie))
    found = []
    for entry, probabilities in zip(entries, reader.look_back([_as_read(entry) for entry in entries]), strict=True):
        facts, first = entry.facts, entry.first_read[0]
        stage, confidence = _believed(first, probabilities[0])
        if (stage, confidence) != (facts.stage, facts.stage_confidence) and facts.stage_evidence != SET_BY_A_PERSON:
            found.append(_SecondThought(facts.record_id, first[0], stage, confidence))
    return found


def _believed(first: tuple[str, float], now: tuple[str, float]) -> tuple[str, float]:
    """Stage and confidence by the first reading and by looking back: nothing that was believed in between counts."""
    if first[0] == now[0] and abs(first[1] - now[1]) < _LEAST_CHANGE:
        return first
    return now[0], round(now[1], 2)


def _apply(
    session: Session,
    reader: LooksBack,
    book: ProjectBook,
    project_id: int,
    thoughts: Sequence[_SecondThought],
    records: Mapping[int, Record],
) -> int:
    changed, renewed = 0, False
    for thought in thoughts:
        record = records.get(thought.record_id)
        if record is None:
            continue
        if thought.first == UNRELATED:
            _read_as(record, reader, thought)
        changed += int(record.stage != thought.stage)
        record.stage, record.stage_confidence = thought.stage, thought.confidence
        book.add(record)
        renewed = True
    # A step of the project rests on how sure its record is, too.
    if renewed and (project := row_of(session, Project, project_id)) is not None:
        book.touch(project)
    return changed


def _counts(entry: Entry) -> bool:
    facts = entry.facts
    talk = facts.kind == "human" and not facts.automatic and facts.direction != "internal"
    return talk and bool(entry.first_read)


def _as_read(entry: Entry) -> ReadMail:
    facts = entry.facts
    return ReadMail(entry.first_read, entry.item.stage_probabilities, facts.direction, facts.sent_at, facts.tie[0])


def _read_as(record: Record, reader: LooksBack, thought: _SecondThought) -> None:
    """A mail that was taken for a stray has intents and a turn after all, or has none again."""
    rest = (1 - thought.confidence) / (len(STAGE_LABELS) - 1)
    others = ((label, rest) for label in STAGE_LABELS if label != thought.stage)
    probabilities = ((thought.stage, thought.confidence), *others)
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
