"""Phase 7: the communication record, and what it changes: project state, sign-offs, change requests, promises."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.orm import Session

from assistant.intake.complaints import note_complaints, settle_complaints
from assistant.intake.project_book import ProjectBook
from assistant.model.item_due import item_due
from assistant.model.process import STAGES
from assistant.model.project_state import ProjectState, derive
from assistant.model.reading import Reading
from assistant.store.tables import OpenItem, Project, Record, SignOff, StageChange

_ITEM_INTENTS = ("change_request", "complaint")


def refresh_project(session: Session, project: Project, book: ProjectBook | None = None) -> ProjectState | None:
    """Derives the project's state anew from all its records and stores what changed; a `book` remembers them."""
    book = book or ProjectBook()
    book.touched.pop(project.id, None)
    facts = [entry.facts for entry in book.entries(session, project.id)]
    state = derive(facts)
    if state is None:
        return None
    _set(project, "stage", state.stage)
    _set(project, "stage_since", state.stage_since)
    _set(project, "stage_confidence", state.stage_confidence)
    _set(project, "waiting_on", state.waiting_on)
    _set(project, "waiting_since", state.waiting_since)
    _set(project, "waiting_record_id", state.waiting_record_id)
    _set(project, "waiting_evidence", state.waiting_evidence)
    _set(project, "last_at", state.last_at)
    _set(project, "opened_at", min(fact.sent_at for fact in facts))
    if project.state in {"running", "lost"}:
        _set(project, "state", "lost" if state.lost else "running")
    _store_steps(session, project, state, book)
    return state


def refresh_touched(session: Session, book: ProjectBook, client_id: int | None = None) -> None:
    """The same for every project that was given records since; for those of one client where one is named."""
    for project in list(book.touched.values()):
        if client_id is None or project.client_id == client_id:
            refresh_project(session, project, book)


def _set(project: Project, name: str, value: object) -> None:
    """Only what is another value is written."""
    if getattr(project, name) != value:
        setattr(project, name, value)


def _store_steps(session: Session, project: Project, state: ProjectState, book: ProjectBook) -> None:
    stored = book.steps(session, project.id)
    wanted = [(step.to_stage, step.record_id, round(step.confidence, 4), step.asked) for step in state.steps]
    if stored == wanted:
        return
    if wanted[: len(stored)] != stored:
        _forget_steps(session, project.id, book, len(stored))
        stored = []
    added = [
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
    ]
    session.add_all(added)
    book.store_steps(project.id, wanted, added)


def _forget_steps(session: Session, project_id: int, book: ProjectBook, stored: int) -> None:
    """Those that are written, and those that would be with the next flush; `stored` are both together."""
    waiting = [change for change in book.added_steps(project_id) if change in session.new]
    for change in waiting:
        session.expunge(change)
    if len(waiting) == stored:
        return
    with session.no_autoflush:
        session.execute(
            delete(StageChange).where(StageChange.project_id == project_id),
            execution_options={"synchronize_session": False},
        )


def note_consequences(session: Session, record: Record, reading: Reading, owner: str) -> None:
    """Sign-off, change request, complaint, promises: each with the sentence that shows it."""
    if record.kind != "human" or record.automatic or record.client_id is None:
        return
    items = _items(record, reading, owner)
    session.add_all(items)
    note_complaints(session, items)
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
    settle_complaints(session, record, {sign.label for sign in reading.intents})


def _items(record: Record, reading: Reading, owner: str) -> Sequence[OpenItem]:
    items = [
        open_item(record, sign.label, "us", sign.evidence or record.summary, owner)
        for sign in reading.intents
        if sign.label in _ITEM_INTENTS and record.direction == "inbound" and sign.confidence >= 0.5
    ]
    for item in items:
        item.due = item_due(item.kind, record.sent_at, reading.commitments)
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
        due=item_due(kind, record.sent_at),
        dedupe_key=f"{kind}:{record.id}",
    )


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
