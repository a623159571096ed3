"""Stored notes to colleagues become mails: urgent ones each at once, the others one mail a morning per person.

Before a note is told it is looked at again; what is no longer true is removed with an audit entry that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import String, cast, exists, literal, or_, select
from sqlalchemy.orm import Session

from assistant.calendar.localtime import local_date, local_moment, local_time
from assistant.rendering import Rendered, Templates
from assistant.rendering.staff_mail import StaffMail
from assistant.reports.collect_context import Colleague, Surroundings
from assistant.reports.collect_notes import note_item
from assistant.reports.facts import MorningReminder, UrgentReminder
from assistant.reports.staff import render_morning, render_urgent
from assistant.store.tables import (
    AuditEntry,
    CadenceRunRow,
    Contact,
    OpenItem,
    OutboxMessage,
    Project,
    Record,
    SignOff,
    StaffNote,
)

Render = Callable[[Callable[[Templates], Rendered]], Rendered | None]
"""Renders with the agency's templates; None where that is not possible, which has then been said in the log."""

TASK_TIME: Final = time(9, 0)
"""When a morning's mail with nothing but tasks leaves, on the colleague's clock."""


def note_mails(session: Session, around: Surroundings, render: Render, now: datetime) -> list[StaffMail]:
    """The mails of all notes whose time has come. Each carries the ids of the notes that it tells."""
    _note_tasks(session, around, now)
    due = session.scalars(
        select(StaffNote)
        .where(StaffNote.outbox_id.is_(None), StaffNote.not_before <= now)
        .order_by(StaffNote.not_before, StaffNote.id)
    ).all()
    mails: list[StaffMail] = []
    mornings: dict[str, list[StaffNote]] = {}
    for note in due:
        address = around.owner_of(note.to_address)
        if not address:
            continue
        if note.urgent:
            mails += _urgent(session, note, address, around, render, now)
        else:
            mornings.setdefault(address, []).append(note)
    for address, notes in mornings.items():
        mails += _morning(session, address, notes, around, render, now)
    return mails


def _urgent(
    session: Session, note: StaffNote, address: str, around: Surroundings, render: Render, now: datetime
) -> Iterable[StaffMail]:
    if _drop_if_untrue(session, note, around, now):
        return
    colleague = around.colleague(address)
    item = note_item(session, note, around, colleague.language, now)
    before = _told_before(session, note, around) if note.kind == "escalation" else ""
    reminder = UrgentReminder(colleague.person, around.agency_name, colleague.language, around.local(now), item, before)
    rendered = render(lambda templates: render_urgent(reminder, templates))
    if rendered is not None:
        yield StaffMail(
            to_name=colleague.person.name,
            to_address=address,
            purpose="reminder",
            dedupe_key=f"urgent:{note.dedupe_key}"[:300],
            due_at=now,
            rendered=rendered,
            client_id=note.client_id,
            project_id=note.project_id,
            rule=note.rule,
            rule_version=note.rule_version,
            note_ids=(note.id,),
            planned_at=note.not_before,
        )


def _morning(
    session: Session, address: str, notes: list[StaffNote], around: Surroundings, render: Render, now: datetime
) -> Iterable[StaffMail]:
    """One mail a morning: what comes after it waits for the next."""
    colleague = around.colleague(address)
    today = local_date(now, colleague.timezone)
    key = f"morning:{address}:{today}"
    ripe = [note for note in notes if _is_morning(note, colleague, today, around, now)]
    if not ripe or session.scalar(select(exists().where(OutboxMessage.dedupe_key == key))):
        return
    told = [note for note in ripe if not _drop_if_untrue(session, note, around, now)]
    items = [note_item(session, note, around, colleague.language, now) for note in told]
    if not items:
        return
    reminder = MorningReminder(
        colleague.person, around.agency_name, colleague.language, today, tuple(dict.fromkeys(items))
    )
    rendered = render(lambda templates: render_morning(reminder, templates))
    if rendered is not None:
        yield StaffMail(
            to_name=colleague.person.name,
            to_address=address,
            purpose="reminder",
            dedupe_key=key,
            due_at=now,
            rendered=rendered,
            note_ids=tuple(note.id for note in told),
            planned_at=max(note.not_before for note in told),
        )


def _is_morning(note: StaffNote, colleague: Colleague, today: date, around: Surroundings, now: datetime) -> bool:
    """A note that could not be told on its own day waits for the same hour of a working day."""
    if local_date(note.not_before, colleague.timezone) == today:
        return True
    wall = local_time(note.not_before, colleague.timezone)
    return around.calendars.agency.is_working(today) and now >= local_moment(today, wall, colleague.timezone)


def _told_before(session: Session, note: StaffNote, around: Surroundings) -> str:
    """Who was reminded of the same message before it went to the next role."""
    first = session.scalar(
        select(StaffNote.to_address)
        .where(
            StaffNote.record_id == note.record_id, StaffNote.kind == "question", StaffNote.to_address != note.to_address
        )
        .order_by(StaffNote.id)
        .limit(1)
    )
    return around.name_of(first) if first else ""


def _note_tasks(session: Session, around: Surroundings, now: datetime) -> None:
    """A task that a cadence ended in is told to its owner on the morning of its day."""
    tasks = session.scalars(
        select(OpenItem).where(
            OpenItem.kind == "task",
            OpenItem.settled_at.is_(None),
            OpenItem.owner != "",
            or_(OpenItem.due.is_(None), OpenItem.due <= around.day(now) + timedelta(days=1)),
            ~exists().where(StaffNote.dedupe_key == literal("remind:task:") + cast(OpenItem.id, String)),
        )
    ).all()
    for item in tasks:
        zone = around.colleague(item.owner).timezone
        day = max(item.due or local_date(now, zone), local_date(item.opened_at, zone))
        session.add(
            StaffNote(
                dedupe_key=f"remind:task:{item.id}",
                kind="task",
                to_address=item.owner,
                urgent=False,
                not_before=local_moment(day, TASK_TIME, zone),
                text=item.what,
                project_id=item.project_id,
                client_id=item.client_id,
                record_id=item.record_id,
                due_at=local_moment(item.due, TASK_TIME, zone) if item.due else None,
                created_at=now,
            )
        )
    if tasks:
        session.flush()


# --- is it still true? ----------------------------------------------------------------------------------------------


def _drop_if_untrue(session: Session, note: StaffNote, around: Surroundings, now: datetime) -> bool:
    reason = _untrue(session, note, around, now)
    if not reason:
        return False
    session.add(
        AuditEntry(
            at=now,
            who=f"rule {note.rule}" if note.rule else "assistant",
            event="note-dropped",
            subject=note.dedupe_key[:120],
            details={"reason": reason, "to": note.to_address, "kind": note.kind},
        )
    )
    session.delete(note)
    session.flush()
    return True


def _untrue(session: Session, note: StaffNote, around: Surroundings, now: datetime) -> str:
    """Why a note need not be told any more; "" while it holds. Never stricter than the rule that ordered it, which
    would order it again."""
    project = session.get(Project, note.project_id) if note.project_id else None
    if project is not None and project.state == "over" and note.kind != "task":
        return "project-over"
    check = _CHECKS.get(note.kind)
    return check(session, note, project, around.day(now)) if check else ""


def _question_answered(session: Session, note: StaffNote, project: Project | None, _today: date) -> str:
    if project is None or note.record_id is None:
        return ""
    if project.waiting_on != "us":
        return "answered"
    asked = session.get(Record, note.record_id)
    if asked is None:
        return "answered"
    answered = exists().where(
        Record.project_id == project.id,
        Record.direction == "outbound",
        Record.kind == "human",
        Record.automatic.is_(False),
        Record.sent_at >= asked.sent_at,
    )
    return "answered" if session.scalar(select(answered)) else ""


def _item_settled(session: Session, note: StaffNote, _project: Project | None, _today: date) -> str:
    number = _key_part(note, 2)
    item = session.get(OpenItem, int(number)) if number.isdigit() else None
    return "settled" if item is None or item.settled_at is not None else ""


def _stage_left(_session: Session, note: StaffNote, project: Project | None, _today: date) -> str:
    return "stage-left" if project is not None and project.stage != _key_part(note, 3) else ""


def _signed_off(session: Session, note: StaffNote, _project: Project | None, _today: date) -> str:
    found = exists().where(SignOff.project_id == note.project_id, SignOff.what == _key_part(note, 3))
    return "signed-off" if session.scalar(select(found)) else ""


def _no_longer_waiting(session: Session, note: StaffNote, _project: Project | None, _today: date) -> str:
    number = _key_part(note, 2)
    row = session.get(OutboxMessage, int(number)) if number.isdigit() else None
    waits = row is not None and (
        row.state == "waiting_approval" or (row.state == "queued" and row.release.startswith("veto"))
    )
    return "" if waits else "decided"


def _was_in_contact(session: Session, note: StaffNote, _project: Project | None, _today: date) -> str:
    last = session.get(Record, note.record_id) if note.record_id else None
    if last is None:
        return ""
    newer = exists().where(
        Record.client_id == last.client_id,
        Record.direction.in_(("inbound", "outbound")),
        Record.kind == "human",
        Record.automatic.is_(False),
        Record.sent_at > last.sent_at,
    )
    return "in-contact" if session.scalar(select(newer)) else ""


def _birthday_over(session: Session, note: StaffNote, _project: Project | None, today: date) -> str:
    contact = session.get(Contact, note.contact_id) if note.contact_id else None
    if contact is None or "left" in contact.tags:
        return "left"
    day = note.text.rpartition(" ")[2]
    return "over" if day and day < today.isoformat() else ""


def _owner_decided(session: Session, note: StaffNote, _project: Project | None, _today: date) -> str:
    late = exists().where(
        CadenceRunRow.project_id == note.project_id,
        CadenceRunRow.cadence == note.rule,
        CadenceRunRow.status == "paused",
        CadenceRunRow.reason == "late",
    )
    return "" if session.scalar(select(late)) else "decided"


def _key_part(note: StaffNote, number: int) -> str:
    """A part of `remind:commitment:12:due:lilei@agency.example`, counted from 0; "" where there are fewer."""
    parts = note.dedupe_key.split(":")
    return parts[number] if number < len(parts) else ""


_CHECKS: Final[dict[str, Callable[[Session, StaffNote, Project | None, date], str]]] = {
    "question": _question_answered,
    "escalation": _question_answered,
    "commitment": _item_settled,
    "task": _item_settled,
    "stage-over-target": _stage_left,
    "sign-off-missing": _signed_off,
    "waiting": _no_longer_waiting,
    "no-contact": _was_in_contact,
    "birthday": _birthday_over,
    "ask-owner": _owner_decided,
}
