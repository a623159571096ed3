"""Phase 7: the communication record, and what it changes: project state, sign-offs, change requests, promises."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from assistant.intake.project_book import ProjectBook
from assistant.model.process import STAGES
from assistant.model.project_state import ProjectState, RecordFacts, derive
from assistant.model.reading import Reading
from assistant.store.tables import OpenItem, Project, Record, SignOff, StageChange

_ITEM_INTENTS = ("change_request", "complaint")
_SETTLED_BY_CLIENT = frozenset({"satisfaction", "approval"})


def record_facts(record: Record) -> RecordFacts:
    return RecordFacts(
        record.id,
        record.sent_at,
        record.direction,
        record.kind,
        record.automatic,
        record.stage,
        record.stage_confidence,
        record.stage_evidence,
        record.waiting_on,
        record.waiting_evidence,
        frozenset(item[0] for item in record.intents),
    )


def refresh_project(session: Session, project: Project, book: ProjectBook | None = None) -> ProjectState | None:
    """Derives the project's state anew from all its records and stores what changed; a `book` remembers them."""
    book = book or ProjectBook()
    records = book.records(session, project.id)
    state = derive(record_facts(record) for record in records)
    if state is None:
        return None
    project.stage, project.stage_since = state.stage, state.stage_since
    project.stage_confidence = state.stage_confidence
    project.waiting_on, project.waiting_since = state.waiting_on, state.waiting_since
    project.waiting_record_id, project.waiting_evidence = state.waiting_record_id, state.waiting_evidence
    project.last_at = state.last_at
    project.opened_at = min(record.sent_at for record in records)
    if project.state in {"running", "lost"}:
        project.state = "lost" if state.lost else "running"
    _store_steps(session, project, state, book)
    return state


def _store_steps(session: Session, project: Project, state: ProjectState, book: ProjectBook) -> None:
    stored = book.steps.get(project.id)
    if stored is None:
        changes = select(StageChange).where(StageChange.project_id == project.id)
        found = session.scalars(changes.order_by(StageChange.at, StageChange.id))
        stored = [(change.to_stage, change.record_id or 0) for change in found]
    wanted = [(step.to_stage, step.record_id) for step in state.steps]
    book.steps[project.id] = wanted
    if stored == wanted:
        return
    if wanted[: len(stored)] != stored:
        session.execute(delete(StageChange).where(StageChange.project_id == project.id))
        stored = []
    session.add_all(
        StageChange(
            project_id=project.id,
            from_stage=step.from_stage,
            to_stage=step.to_stage,
            at=step.at,
            record_id=step.record_id,
            confidence=step.confidence,
            evidence=step.evidence,
            asked=step.asked,
        )
        for step in state.steps[len(stored) :]
    )


def note_consequences(session: Session, record: Record, reading: Reading, owner: str) -> None:
    """Sign-off, change request, complaint, promises: each with the sentence that shows it."""
    if record.kind != "human" or record.automatic or record.client_id is None:
        return
    session.add_all(_items(record, reading, owner))
    if record.direction != "inbound":
        return
    if reading.approval:
        confidence = next((sign.confidence for sign in reading.intents if sign.label == "approval"), 0.5)
        session.add(
            SignOff(
                project_id=record.project_id,
                record_id=record.id,
                what=reading.approval,
                by=record.originator,
                at=record.sent_at,
                evidence=reading.approval_evidence,
                confidence=confidence,
            )
        )
    labels = {sign.label for sign in reading.intents}
    if record.project_id is not None and labels & _SETTLED_BY_CLIENT and "complaint" not in labels:
        _settle_complaints(session, record)


def _items(record: Record, reading: Reading, owner: str) -> Sequence[OpenItem]:
    items = [
        open_item(record, sign.label, "us", sign.evidence or record.summary, owner)
        for sign in reading.intents
        if sign.label in _ITEM_INTENTS and record.direction == "inbound" and sign.confidence >= 0.5
    ]
    for number, promise in enumerate(reading.commitments):
        item = open_item(record, "commitment", promise.by, promise.what, owner)
        item.due = promise.due
        item.dedupe_key = f"commitment:{record.id}:{number}"
        items.append(item)
    return items


def open_item(record: Record, kind: str, by: str, what: str, owner: str) -> OpenItem:
    """Something that `by` must settle because of this record; once for each kind."""
    return OpenItem(
        kind=kind,
        project_id=record.project_id,
        client_id=record.client_id,
        record_id=record.id,
        by=by,
        owner=owner,
        what=what[:500],
        opened_at=record.sent_at,
        dedupe_key=f"{kind}:{record.id}",
    )


def _settle_complaints(session: Session, record: Record) -> None:
    """A client who praises or approves after a complaint has been heard."""
    open_complaints = session.scalars(
        select(OpenItem).where(
            OpenItem.project_id == record.project_id,
            OpenItem.kind == "complaint",
            OpenItem.settled_at.is_(None),
            OpenItem.opened_at < record.sent_at,
        )
    )
    for item in open_complaints:
        item.settled_at, item.settled_by = record.sent_at, f"record {record.id}"


def apply_reading(record: Record, reading: Reading) -> None:
    """Writes the labels of a reading into the record."""
    record.stage, record.stage_confidence = reading.stage, round(reading.stage_confidence, 4)
    record.stage_evidence = reading.stage_evidence
    record.stage_probabilities = [[label, round(value, 4)] for label, value in reading.stage_probabilities]
    record.text_probabilities = [[label, round(value, 4)] for label, value in reading.text_probabilities]
    record.intents = [[sign.label, round(sign.confidence, 4), sign.evidence] for sign in reading.intents]
    record.approval = reading.approval
    record.waiting_on, record.waiting_evidence = reading.waiting_on, reading.waiting_evidence
    record.summary = reading.summary
    record.model = reading.model


def is_project_stage(stage: str) -> bool:
    return stage in STAGES
