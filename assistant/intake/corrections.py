"""What people set right: stored by Message-ID for ever, applied at once to the record and its project."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.errors import WrongUse
from assistant.intake.record import refresh_project
from assistant.model.process import APPROVALS, INTENTS, STAGE_LABELS, WAITING_ON
from assistant.store.tables import AuditEntry, Client, Correction, Project, Record, Thread

_VALUES = {"stage": STAGE_LABELS, "approval": ("", "none", *APPROVALS), "waiting_on": WAITING_ON}


def correct_record(session: Session, record: Record, field: str, value: str, by: str, now: datetime) -> str:
    """Applies one correction and stores it; returns a sentence. Raises WrongUse for values that do not exist."""
    previous = _apply(session, record, field, value)
    session.add(Correction(message_id=record.message_id, field=field, value=value, previous=previous, by=by, at=now))
    session.add(
        AuditEntry(
            at=now, who=by, event="corrected", subject=f"record:{record.id}", details={field: value, "was": previous}
        )
    )
    session.flush()
    project = session.get(Project, record.project_id) if record.project_id else None
    if project is not None:
        refresh_project(session, project)
    return f"record {record.id}: {field} is now {value or 'none'} (was {previous or 'none'})"


def _apply(session: Session, record: Record, field: str, value: str) -> str:
    if field in _VALUES:
        _known(field, value, _VALUES[field])
        previous = str(getattr(record, field))
        setattr(record, field, "" if value == "none" else value)
        if field == "stage":
            record.stage_confidence, record.stage_evidence = 1.0, "set by a person"
        return previous
    if field == "intents":
        wanted = [] if value == "none" else [item for item in value.split(",") if item]
        for item in wanted:
            _known("intent", item, INTENTS)
        previous = ",".join(item[0] for item in record.intents)
        record.intents = [[item, 1.0, "set by a person"] for item in wanted]
        return previous
    if field == "project":
        return _move_to_project(session, record, value)
    return _move_to_client(session, record, value)


def _known(field: str, value: str, values: tuple[str, ...]) -> None:
    if value not in values:
        words = ", ".join(item for item in values if item)
        raise WrongUse(f"{value!r} is no {field}; use one of {words}.")


def _move_to_project(session: Session, record: Record, value: str) -> str:
    """The whole thread moves: a conversation is about one thing. `new` opens a project of its own."""
    if record.client_id is None or record.thread_id is None:
        raise WrongUse(f"record {record.id} has no client yet: set --client first.")
    old = session.get(Project, record.project_id) if record.project_id else None
    if value == "new":
        target = Project(
            client_id=record.client_id,
            name=record.base_subject or "new project",
            stage_since=record.sent_at,
            opened_at=record.sent_at,
            last_at=record.sent_at,
            tags=[],
        )
        session.add(target)
        session.flush()
    else:
        found = (
            session.get(Project, int(value))
            if value.isdigit()
            else session.scalar(select(Project).where(Project.client_id == record.client_id, Project.name == value))
        )
        if found is None:
            raise WrongUse(
                f"there is no project {value!r} of this client; `assistant projects` lists them, `new` opens one."
            )
        target = found
    thread = session.get(Thread, record.thread_id)
    for row in session.scalars(select(Record).where(Record.thread_id == record.thread_id)):
        row.project_id = target.id
    if thread is not None:
        thread.project_id, thread.project_confidence, thread.project_evidence = target.id, 1.0, "set by a person"
    session.flush()
    refresh_project(session, target)
    if old is not None:
        refresh_project(session, old)
    return str(old.id) if old else ""


def _move_to_client(session: Session, record: Record, value: str) -> str:
    found = (
        session.get(Client, int(value))
        if value.isdigit()
        else session.scalar(select(Client).where(Client.name == value))
    )
    if found is None:
        raise WrongUse(f"there is no client {value!r}; `assistant clients` lists them.")
    previous = str(record.client_id or "")
    for row in session.scalars(select(Record).where(Record.thread_id == record.thread_id)):
        row.client_id = found.id
        row.project_id = None
    thread = session.get(Thread, record.thread_id) if record.thread_id else None
    if thread is not None:
        thread.client_id, thread.project_id = found.id, None
    return previous
