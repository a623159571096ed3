"""One stored note to a colleague, filled with what its kind needs to be told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.reports.collect_context import Surroundings
from assistant.reports.collect_words import LATE_STEP, SIGN_OFF_MISSING, position, word
from assistant.reports.facts import MessageLink, ReminderItem
from assistant.store.tables import CadenceRunRow, Client, Contact, OpenItem, OutboxMessage, Project, Record, StaffNote


class _Subject:
    """What a note is about, looked up once."""

    def __init__(self, session: Session, note: StaffNote, around: Surroundings, language: str, now: datetime) -> None:
        self.session, self.note, self.around, self.language, self.now = session, note, around, language, now
        self.project = session.get(Project, note.project_id) if note.project_id else None
        client_id = note.client_id or (self.project.client_id if self.project else None)
        self.client = session.get(Client, client_id) if client_id else None
        self.record = session.get(Record, note.record_id) if note.record_id else None

    @property
    def client_name(self) -> str:
        return self.client.name if self.client else ""

    @property
    def project_name(self) -> str:
        return self.project.name if self.project else ""

    @property
    def contact_name(self) -> str:
        contact_id = self.note.contact_id or (self.record.contact_id if self.record else None)
        contact = self.session.get(Contact, contact_id) if contact_id else None
        return (contact.name or contact.addr_spec) if contact else ""

    @property
    def owner_name(self) -> str:
        addresses = (self.project.owner if self.project else "", self.client.owner if self.client else "")
        return self.around.name_of(self.around.owner_of(*addresses))

    @property
    def due(self) -> datetime | None:
        return self.around.local(self.note.due_at) if self.note.due_at else None

    @property
    def message(self) -> MessageLink | None:
        return message_link(self.record, self.around) if self.record else None

    def days_since(self, day: date) -> int:
        return self.around.agency_days(day, self.around.day(self.now))


def message_link(record: Record, around: Surroundings) -> MessageLink:
    """The message behind a record, as readers may open it. What was no mail has no id that could be found."""
    identifier = record.message_id if record.channel == "email" else ""
    return MessageLink(identifier, record.base_subject or record.subject, around.day(record.sent_at))


def note_item(session: Session, note: StaffNote, around: Surroundings, language: str, now: datetime) -> ReminderItem:
    """The note as a line of a reminder, in the language of its reader."""
    subject = _Subject(session, note, around, language, now)
    return _ITEMS.get(note.kind, _plain)(subject)


def _question(subject: _Subject) -> ReminderItem:
    asked = subject.around.day(subject.record.sent_at) if subject.record else None
    return ReminderItem(
        kind="escalation" if subject.note.kind == "escalation" else "unanswered_question",
        client=subject.client_name,
        project=subject.project_name,
        text=subject.note.text,
        who=subject.contact_name,
        since=asked,
        due=subject.due,
        business_days=subject.days_since(asked) if asked else 0,
        message=subject.message,
    )


def _commitment(subject: _Subject) -> ReminderItem:
    number = subject.note.dedupe_key.split(":")[2]
    item = subject.session.get(OpenItem, int(number)) if number.isdigit() else None
    ours = item is None or item.by == "us"
    who = (
        (subject.around.name_of(item.owner) if item and item.owner else subject.owner_name)
        if ours
        else subject.contact_name
    )
    return ReminderItem(
        kind="commitment_ours" if ours else "commitment_theirs",
        client=subject.client_name,
        project=subject.project_name,
        text=subject.note.text,
        who=who,
        due=item.due if item else None,
        message=subject.message,
    )


def _over_target(subject: _Subject) -> ReminderItem:
    project = subject.project
    if project is None:
        return _plain(subject)
    target, _buffer = subject.around.stage_target(project.stage)
    since = subject.around.day(project.stage_since)
    return ReminderItem(
        kind="stage_over_target",
        client=subject.client_name,
        project=project.name,
        since=since,
        business_days=max(0, subject.days_since(since) - (target or 0)),
        stage_name=subject.around.stage_name(project.stage, subject.language),
    )


def _sign_off(subject: _Subject) -> ReminderItem:
    project = subject.project
    return ReminderItem(
        kind="sign_off_missing",
        client=subject.client_name,
        project=subject.project_name,
        text=word(SIGN_OFF_MISSING, subject.note.text, subject.language),
        stage_name=subject.around.stage_name(project.stage, subject.language) if project else "",
    )


def _waiting(subject: _Subject) -> ReminderItem:
    number = subject.note.dedupe_key.split(":")[2]
    row = subject.session.get(OutboxMessage, int(number)) if number.isdigit() else None
    if row is None:
        return _plain(subject)
    client = subject.session.get(Client, row.client_id) if row.client_id else None
    contact = subject.session.get(Contact, row.contact_id) if row.contact_id else None
    veto = row.state != "waiting_approval"
    draft = row.release == "draft"
    return ReminderItem(
        kind="veto_waiting" if veto else "draft_waiting" if draft else "approval_waiting",
        client=client.name if client else "",
        project=subject.project_name,
        text=row.subject,
        who=(contact.name or contact.addr_spec) if contact else "",
        since=subject.around.day(row.created_at),
        due=subject.around.local(row.due_at) if veto else None,
        command=f"assistant outbox {'veto' if veto else 'approve'} {row.id}",
    )


def _no_contact(subject: _Subject) -> ReminderItem:
    last = subject.record.sent_at if subject.record else subject.note.created_at
    return ReminderItem(
        kind="no_contact",
        client=subject.client_name,
        since=subject.around.day(last),
        business_days=(subject.now - last).days // 7,
        message=subject.message,
    )


def _birthday(subject: _Subject) -> ReminderItem:
    name, _, day = subject.note.text.rpartition(" ")
    return ReminderItem(
        kind="birthday",
        client=subject.client_name,
        text=subject.contact_name or name,
        due=_date_or_none(day),
    )


def _late_step(subject: _Subject) -> ReminderItem:
    sentence = LATE_STEP[position(subject.language)]
    return ReminderItem(
        kind="task",
        client=subject.client_name,
        project=subject.project_name,
        text=sentence.format(rule=subject.note.rule),
        who=subject.contact_name,
        due=subject.due,
        message=subject.message,
        command=_run_commands(subject),
    )


def _run_commands(subject: _Subject) -> str:
    """What lets the run go on, or leaves its step out; "" when it is not there any more."""
    _, project, *cadence, anchor, _ = subject.note.dedupe_key.split(":")
    run = subject.session.scalar(
        select(CadenceRunRow.id).where(
            CadenceRunRow.project_id == int(project),
            CadenceRunRow.cadence == ":".join(cadence),
            CadenceRunRow.anchor_record_id == int(anchor),
        )
    )
    return f"assistant runs resume {run} | assistant runs skip {run}" if run is not None else ""


def _plain(subject: _Subject) -> ReminderItem:
    return ReminderItem(
        kind="task",
        client=subject.client_name,
        project=subject.project_name,
        text=subject.note.text,
        who=subject.contact_name,
        due=subject.due.date() if subject.due else None,
        message=subject.message,
    )


def _date_or_none(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


_ITEMS: Final[dict[str, Callable[[_Subject], ReminderItem]]] = {
    "question": _question,
    "escalation": _question,
    "commitment": _commitment,
    "stage-over-target": _over_target,
    "sign-off-missing": _sign_off,
    "waiting": _waiting,
    "no-contact": _no_contact,
    "birthday": _birthday,
    "ask-owner": _late_step,
    "task": _plain,
}
