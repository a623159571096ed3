"""Cadence runs in the database: what is due is a row with a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, exists, or_, select, update
from sqlalchemy.orm import Session

from assistant.model.cadence import OPEN_STATUSES, CadenceRun, RunKey
from assistant.store.happenings import stage_of
from assistant.store.tables import CadenceRunRow, Project

_NO_OPEN_RUNS = "no cadence is under way"
# Built once: that costs more than to run them.
_DEFINITIONS = select(
    CadenceRunRow.project_id,
    CadenceRunRow.cadence,
    CadenceRunRow.anchor_record_id,
    CadenceRunRow.version,
    CadenceRunRow.definition,
).where(CadenceRunRow.project_id.in_(bindparam("ids", expanding=True)), CadenceRunRow.status.in_(OPEN_STATUSES))
_OPEN_RUNS_OF_CLIENT = (
    select(CadenceRunRow.project_id)
    .join(Project, Project.id == CadenceRunRow.project_id)
    .where(Project.client_id == bindparam("client"), CadenceRunRow.status.in_(OPEN_STATUSES))
    .distinct()
)
_STANDING = select(
    Project.stage,
    Project.waiting_on,
    exists()
    .where(CadenceRunRow.project_id == Project.id, CadenceRunRow.status.in_(OPEN_STATUSES))
    .correlate(Project)
    .label("under_way"),
).where(Project.id == bindparam("project"))


def find_run(session: Session, key: RunKey) -> CadenceRunRow | None:
    return session.scalar(
        select(CadenceRunRow).where(
            CadenceRunRow.project_id == key.project_id,
            CadenceRunRow.cadence == key.cadence,
            CadenceRunRow.anchor_record_id == key.anchor_record_id,
        )
    )


def store_run(session: Session, run: CadenceRun, definition: str) -> CadenceRunRow | None:
    """Stores a new run; None when the same was stored before."""
    if find_run(session, run.key) is not None:
        return None
    row = CadenceRunRow(
        project_id=run.project_id,
        cadence=run.cadence,
        version=run.version,
        definition=definition,
        anchor_record_id=run.anchor_record_id,
        anchor_sent_at=run.anchor_sent_at,
        contact_id=run.contact_id,
        thread_id=run.thread_id,
        step_index=run.step_index,
        due_at=run.due_at,
        paused_until=run.paused_until,
        status=run.status,
        reason=run.reason,
        started_at=run.started_at,
        sent_count=run.sent_count,
        delayed_business_days=run.delayed_business_days,
    )
    session.add(row)
    session.flush()
    session.info.pop(_NO_OPEN_RUNS, None)
    return row


def due_projects(session: Session, now: datetime) -> Sequence[int]:
    """Projects in which the next step of an open run is due, and those of which a person changed something."""
    due = select(CadenceRunRow.project_id).where(CadenceRunRow.status.in_(OPEN_STATUSES), CadenceRunRow.due_at <= now)
    changed = select(Project.id).where(Project.look_again)
    return sorted({*session.scalars(due.distinct()), *session.scalars(changed)})


def look_again(session: Session, *, clients: Iterable[int] = (), projects: Iterable[int] = ()) -> None:
    """The daemon's next turn decides these projects, and those of these clients, anew."""
    wanted = or_(Project.client_id.in_(list(clients)), Project.id.in_(list(projects)))
    session.execute(update(Project).where(wanted, Project.state != "over").values(look_again=True))


def looked_again(session: Session, project_id: int) -> None:
    """To be said before the facts are read: what a person changes after that waits for this transaction's end."""
    session.execute(update(Project).where(Project.id == project_id, Project.look_again).values(look_again=False))


def definitions(session: Session, project_ids: Sequence[int]) -> dict[RunKey, tuple[str, str]]:
    """Of each open run of these projects the version it is on and the canonical rule text it began with."""
    rows = session.execute(_DEFINITIONS, {"ids": list(project_ids)})
    return {
        RunKey(row.project_id, row.cadence, row.anchor_record_id): (row.version, row.definition)
        for row in rows
        if row.definition
    }


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a project stands, as far as it takes to see whether the rules have anything to decide."""

    stage: str
    waiting_on: str
    under_way: bool


def standing(session: Session, project_id: int) -> Standing | None:
    """None where there is no such project."""
    row = session.execute(_STANDING, {"project": project_id}).first()
    return Standing(stage_of(row.stage) or "discovery", row.waiting_on, bool(row.under_way)) if row else None


def nothing_under_way(session: Session) -> bool:
    """Whether there is no open run at all: asked once a session."""
    if _NO_OPEN_RUNS not in session.info:
        open_run = select(CadenceRunRow.id).where(CadenceRunRow.status.in_(OPEN_STATUSES)).limit(1)
        session.info[_NO_OPEN_RUNS] = session.scalar(open_run) is None
    return bool(session.info[_NO_OPEN_RUNS])


def open_run_projects(session: Session, client_id: int) -> Sequence[int]:
    """Projects of a client in which a cadence is under way; where there is none at all that is asked once a session."""
    if nothing_under_way(session):
        return ()
    return session.scalars(_OPEN_RUNS_OF_CLIENT, {"client": client_id}).all()


def run_facts(row: CadenceRunRow) -> CadenceRun:
    """One stored run as the rules see it."""
    return CadenceRun(
        project_id=row.project_id,
        cadence=row.cadence,
        version=row.version,
        anchor_record_id=row.anchor_record_id,
        anchor_sent_at=row.anchor_sent_at,
        contact_id=row.contact_id,
        thread_id=row.thread_id,
        started_at=row.started_at,
        due_at=row.due_at,
        step_index=row.step_index,
        status=row.status,  # type: ignore[arg-type]  # the column holds nothing else
        paused_until=row.paused_until,
        reason=row.reason,
        sent_count=row.sent_count,
        delayed_business_days=row.delayed_business_days,
        last_sent_at=row.last_sent_at,
        run_id=row.id,
    )
