"""What people set right: stored by Message-ID for ever, applied at once to the record, its project and what followed from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from assistant.errors import WrongUse
from assistant.intake.consequences import renew_consequences
from assistant.intake.moves import client_key, find_client, find_project, move_to_client, move_to_project, project_key
from assistant.intake.record import refresh_project
from assistant.model.doubt import SET_BY_A_PERSON
from assistant.model.process import APPROVALS, INTENTS, STAGE_LABELS, UNRELATED, WAITING_ON
from assistant.store.runs import look_again
from assistant.store.tables import AuditEntry, Correction, Project, Record

FIELDS: Final = ("client", "project", "stage", "intents", "approval", "waiting_on")
"""What can be set right, in the order in which several at once are applied: the client decides which projects there are."""

_SURELY = 0.94
_VALUES: Final[Mapping[str, Sequence[str]]] = {
    "stage": STAGE_LABELS,
    "approval": ("", "none", *APPROVALS),
    "waiting_on": WAITING_ON,
}


def correct_record(session: Session, record: Record, field: str, value: str, by: str, now: datetime) -> str:
    """Applies one correction and stores it; returns a sentence. Raises WrongUse, having changed nothing, for what cannot be.

    A correction that confirms what was read is stored as well: it settles the question.
    """
    touched = {record.project_id}
    kept, previous, shown = _apply(session, record, field, value)
    session.add(Correction(message_id=record.message_id, field=field, value=kept, previous=previous, by=by, at=now))
    details = {field: shown, "was": previous}
    session.add(AuditEntry(at=now, who=by, event="corrected", subject=f"record:{record.id}", details=details))
    session.flush()
    _refresh(session, touched | {record.project_id})
    look_again(session, projects={number for number in (*touched, record.project_id) if number is not None})
    if shown == previous:
        return f"record {record.id}: {field} is {shown or 'none'}, as it was read; that is settled now"
    return f"record {record.id}: {field} is now {shown or 'none'} (was {previous or 'none'})"


def reapply_corrections(session: Session, records: Sequence[Record] | None = None) -> tuple[str, ...]:
    """Applies every stored correction again, the oldest first, without storing anything: after records were made anew.

    With `records` only theirs. Returns a sentence for each that could not be applied, because what it names is gone.
    """
    wanted = select(Correction).order_by(Correction.at, Correction.id)
    by_id: dict[str, Record] = {}
    if records is not None:
        by_id = {record.message_id: record for record in reversed(records)}
        wanted = wanted.where(Correction.message_id.in_(list(by_id)))
    problems: list[str] = []
    touched: set[int | None] = set()
    for row in session.scalars(wanted).all():
        record = by_id.get(row.message_id) or session.scalar(
            select(Record).where(Record.message_id == row.message_id).order_by(Record.id).limit(1)
        )
        if record is None:
            problems.append(f"correction {row.id}: its message is not there")
            continue
        touched.add(record.project_id)
        try:
            _apply(session, record, row.field, row.value)
        except WrongUse as error:
            problems.append(f"correction {row.id}: {error}")
        touched.add(record.project_id)
    session.flush()
    _refresh(session, touched)
    return tuple(problems)


def forget_corrections(session: Session, message_ids: Sequence[str]) -> None:
    """Takes back what was said of messages that are erased; models refitted from now on know nothing of it."""
    session.execute(delete(Correction).where(Correction.message_id.in_(message_ids)))


def _refresh(session: Session, projects: set[int | None]) -> None:
    for number in sorted(number for number in projects if number is not None):
        if (project := session.get(Project, number)) is not None:
            refresh_project(session, project)


def _apply(session: Session, record: Record, field: str, value: str) -> tuple[str, str, str]:
    """Changes the record. Returns the value as it is kept for ever, what was there before, and the value as people say it."""
    if field == "project":
        return _apply_project(session, record, value)
    if field == "client":
        return _apply_client(session, record, value)
    if field in {"intents", "intent"}:
        return _apply_intents(session, record, value)
    if field not in _VALUES:
        raise WrongUse(f"{field!r} cannot be set right; only {', '.join(FIELDS)}.")
    _known(field, value, _VALUES[field])
    previous, value = str(getattr(record, field)), "" if value == "none" else value
    setattr(record, field, value)
    if field == "stage":
        # Later mail of the project is read in the light of this one, which nobody doubts any more.
        rest = (1 - _SURELY) / (len(STAGE_LABELS) - 1)
        others = [[label, round(rest, 4)] for label in STAGE_LABELS if label != value]
        record.stage_confidence, record.stage_evidence = 1.0, SET_BY_A_PERSON
        record.stage_probabilities = [[value, _SURELY], *others]
        if value == UNRELATED:
            record.waiting_on = "nobody"
    elif field == "waiting_on":
        record.waiting_evidence = SET_BY_A_PERSON
    elif field == "approval":
        _agree_with_approval(record, value)
        renew_consequences(session, record)
    return value, previous, value


def _agree_with_approval(record: Record, approval: str) -> None:
    """The intent follows what was said of the sign-off."""
    others = [item for item in record.intents if item[0] != "approval"]
    record.intents = [*others, ["approval", 1.0, SET_BY_A_PERSON]] if approval else others


def _apply_intents(session: Session, record: Record, value: str) -> tuple[str, str, str]:
    wanted = [] if value in {"none", ""} else list(dict.fromkeys(item for item in value.split(",") if item))
    for item in wanted:
        _known("intent", item, INTENTS)
    previous = ",".join(item[0] for item in record.intents)
    read = {item[0]: item[2] for item in record.intents if len(item) > 2}
    record.intents = [[item, 1.0, read.get(item) or SET_BY_A_PERSON] for item in wanted]
    if "approval" not in wanted:
        record.approval = ""
    renew_consequences(session, record)
    shown = ",".join(wanted)
    return shown or "none", previous, shown


def _apply_project(session: Session, record: Record, value: str) -> tuple[str, str, str]:
    old = session.get(Project, record.project_id) if record.project_id else None
    if record.client_id is None or record.thread_id is None:
        raise WrongUse(f"record {record.id} has no client yet: say whose it is with --client first.")
    target = None if value == "new" else find_project(session, record, value)
    kept = value if target is None else project_key(session, target, record)
    moved = move_to_project(session, record, target)
    return kept, old.name if old else "", moved.name


def _apply_client(session: Session, record: Record, value: str) -> tuple[str, str, str]:
    client = find_client(session, value)
    old = move_to_client(session, record, client)
    return client_key(session, client), old.name if old else "", client.name


def _known(field: str, value: str, values: Sequence[str]) -> None:
    if value not in values:
        words = ", ".join(dict.fromkeys(item for item in values if item))
        raise WrongUse(f"{value!r} is no {field.replace('_', ' ')}; use one of {words}.")
