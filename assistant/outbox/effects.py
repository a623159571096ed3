"""Stores what was decided: runs, tasks, and mails composed to the last byte, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.errors import ProblemsFound
from assistant.model.cadence import (
    AskOwner,
    CompleteRun,
    CreateTask,
    Decision,
    MoveStep,
    PauseRun,
    ProjectFacts,
    RemindStaff,
    SendMail,
    SendSummary,
    SkipStep,
    StartRun,
    StopRun,
)
from assistant.outbox.confidence import REASON, told_of_others
from assistant.outbox.letters import Sender, outbox_row
from assistant.rendering import Templates
from assistant.store import Archive, DatabaseArchive
from assistant.store.facts import DatabaseFacts
from assistant.store.outbox import cancel_of_run, enqueue
from assistant.store.runs import find_run, store_run
from assistant.store.secret import installation_secret
from assistant.store.tables import AuditEntry, OpenItem, StaffNote

_log = structlog.get_logger("assistant.outbox")
_KEYS_AT_ONCE = 500


@dataclass(frozen=True)
class EffectContext:
    """What storing effects needs. `templates` is asked each time, so that edits of the files are seen."""

    sender: Sender
    templates: Callable[[], Templates]
    facts: DatabaseFacts
    now: datetime
    archive: Archive = field(default_factory=DatabaseArchive)


@dataclass(slots=True)
class Stored:
    """Counts of what was new, and what other rooms have to deliver to staff."""

    runs_started: int = 0
    runs_stopped: int = 0
    mails_queued: int = 0
    mails_cancelled: int = 0
    tasks: int = 0
    notes: int = 0
    summaries: tuple[SendSummary, ...] = ()


def store_decision(session: Session, decision: Decision, context: EffectContext) -> Stored:
    """Applies every effect in order. Safe to repeat: what is there already stays as it is."""
    stored = Stored()
    for effect in decision.effects:
        match effect:
            case StartRun():
                stored.runs_started += _start(session, effect, context)
            case MoveStep():
                _move(session, effect, context)
            case PauseRun():
                _pause(session, effect, context)
            case StopRun():
                _stop(session, effect, context, stored)
            case CompleteRun():
                _complete(session, effect, context)
            case SendMail():
                stored.mails_queued += _send(session, effect, context)
            case CreateTask():
                stored.tasks += _task(session, effect, context)
            case SkipStep():
                _audit(session, context, effect.rule, "step-skipped", effect.dedupe_key, effect.reason, effect.detail)
            case SendSummary():
                stored.summaries = (*stored.summaries, effect)
    stored.notes = _tell(session, decision, context)
    return stored


def _tell(session: Session, decision: Decision, context: EffectContext) -> int:
    """Stores what colleagues are to be told and have not been; returns how many matters those are."""
    told = _told_already(session, decision)
    fresh: dict[str, StaffNote] = {}
    for effect in decision.effects:
        if isinstance(effect, (RemindStaff, AskOwner)) and effect.dedupe_key not in told:
            fresh.setdefault(effect.dedupe_key, _note(effect, context))
    session.add_all(fresh.values())
    session.flush()
    return len(fresh)


def _told_already(session: Session, decision: Decision) -> set[str]:
    """The keys of this decision's notes that are stored already."""
    keys = [effect.dedupe_key for effect in decision.effects if isinstance(effect, (RemindStaff, AskOwner))]
    found: set[str] = set()
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        part = keys[start : start + _KEYS_AT_ONCE]
        found.update(session.scalars(select(StaffNote.dedupe_key).where(StaffNote.dedupe_key.in_(part))))
    return found


def _start(session: Session, effect: StartRun, context: EffectContext) -> int:
    row = store_run(session, effect.run, effect.definition)
    if row is None:
        return 0
    _audit(session, context, row.cadence, "cadence-started", f"run:{row.id}", "", row.version)
    _log.info("cadence_started", cadence=row.cadence, project=row.project_id, due_at=row.due_at.isoformat())
    return 1


def _move(session: Session, effect: MoveStep, context: EffectContext) -> None:
    row = find_run(session, effect.run)
    if row is None:
        return
    row.status, row.paused_until, row.reason = "active", None, effect.reason
    row.version, row.definition = effect.version, effect.definition or row.definition
    if effect.sent_count > row.sent_count:
        row.last_sent_at = context.now
    row.step_index, row.due_at, row.sent_count = effect.step_index, effect.due_at, effect.sent_count
    row.delayed_business_days = effect.delayed_business_days


def _pause(session: Session, effect: PauseRun, context: EffectContext) -> None:
    row = find_run(session, effect.run)
    if row is None:
        return
    if row.status != "paused" or row.reason != effect.reason:
        _log.info("cadence_paused", cadence=row.cadence, project=row.project_id, reason=effect.reason)
        _audit(session, context, row.cadence, "cadence-paused", f"run:{row.id}", effect.reason, "")
    row.status, row.reason = "paused", effect.reason
    row.paused_until, row.due_at = effect.paused_until, effect.due_at


def _stop(session: Session, effect: StopRun, context: EffectContext, stored: Stored) -> None:
    row = find_run(session, effect.run)
    if row is None or row.status in {"stopped", "completed"}:
        return
    row.status, row.reason, row.detail, row.ended_at = "stopped", effect.reason, effect.detail, context.now
    cancelled = cancel_of_run(session, row.id, effect.reason, context.now)
    stored.runs_stopped += 1
    stored.mails_cancelled += cancelled
    _audit(session, context, row.cadence, "cadence-stopped", f"run:{row.id}", effect.reason, effect.detail)
    _log.info("cadence_stopped", cadence=row.cadence, project=row.project_id, reason=effect.reason, cancelled=cancelled)


def _complete(session: Session, effect: CompleteRun, context: EffectContext) -> None:
    row = find_run(session, effect.run)
    if row is None or row.status == "completed":
        return
    row.status, row.reason, row.ended_at = "completed", "", context.now
    _audit(session, context, row.cadence, "cadence-completed", f"run:{row.id}", "", "")


def _send(session: Session, effect: SendMail, context: EffectContext) -> int:
    run = find_run(session, effect.run) if effect.run else None
    client = context.facts.client(effect.client_id)
    project = context.facts.project(effect.project_id) if effect.project_id else None
    if effect.anchor is not None:
        effect = replace(effect, anchor=replace(effect.anchor, references=context.facts.references(effect.anchor)))
    try:
        secret = installation_secret(session)
        row = outbox_row(
            effect, client, project, context.sender, context.templates(), context.now, run.id if run else None, secret
        )
    except ProblemsFound as error:
        _log.error("template_broken", template=effect.template, rule=effect.rule, problems=len(error.problems))
        _audit(session, context, effect.rule, "template-broken", effect.dedupe_key, effect.template, str(error)[:300])
        return 0
    why = told_of_others(session, context.archive, row)
    if why:
        row.state, row.reason, row.settled_at = "refused", REASON, context.now
    stored = enqueue(session, row)
    if stored is None:
        return 0
    if stored.state == "refused":
        words = why or effect.template
        _audit(session, context, effect.rule, "mail-not-sent", f"outbox:{stored.id}", stored.reason, words)
        if why:
            _ask_a_colleague(session, effect, project, context)
        _log.warning("mail_refused", outbox=stored.id, rule=effect.rule, reason=stored.reason)
        return 0
    _audit(session, context, effect.rule, "mail-ordered", f"outbox:{stored.id}", effect.template, effect.version)
    _log.info(
        "mail_ordered",
        outbox=stored.id,
        rule=effect.rule,
        step=effect.step,
        to=stored.recipients,
        due_at=stored.due_at.isoformat(),
        release=stored.release,
    )
    return 1


_BY_HAND: Final = {
    "zh-Hans": "请人工跟进{name}：自动邮件可能会带出其他客户的内容，没有发送。",
    "zh-Hant": "請人工跟進{name}：自動郵件可能會帶出其他客戶的內容，沒有寄出。",
    "en": "Follow up with {name} by hand: an automatic mail might have told something of another client and was not sent.",
}


def _ask_a_colleague(session: Session, effect: SendMail, project: ProjectFacts | None, context: EffectContext) -> None:
    """What may not be sent by itself is left to the owner as a task; once for a message that is waited on."""
    if effect.anchor is None:
        return
    client = context.facts.client(effect.client_id)
    contact = next((one for one in client.contacts if one.contact_id == effect.contact_id), None)
    owner = next((one for one in project.staff if one.address == effect.owner), None) if project else None
    words = _BY_HAND.get(owner.language if owner else "zh-Hans", _BY_HAND["en"])
    task = CreateTask(
        rule=effect.rule,
        version=effect.version,
        step=effect.step,
        client_id=effect.client_id,
        project_id=effect.project_id,
        assignee=effect.owner,
        text=words.format(name=(contact.name or contact.address) if contact else client.name),
        due_at=context.now,
        dedupe_key=f"{REASON}:{effect.anchor.record_id}:{effect.contact_id}",
    )
    _task(session, task, context)


def _task(session: Session, effect: CreateTask, context: EffectContext) -> int:
    if session.scalar(select(OpenItem.id).where(OpenItem.dedupe_key == effect.dedupe_key)) is not None:
        return 0
    session.add(
        OpenItem(
            kind="task",
            project_id=effect.project_id,
            client_id=effect.client_id,
            by="us",
            owner=effect.assignee,
            what=effect.text,
            opened_at=context.now,
            due=effect.due_at.date(),
            dedupe_key=effect.dedupe_key,
        )
    )
    _audit(session, context, effect.rule, "task-created", effect.dedupe_key, effect.assignee, "")
    return 1


def _note(effect: RemindStaff | AskOwner, context: EffectContext) -> StaffNote:
    """What a colleague is to be told once; the reports room makes mails of it when its time has come."""
    reminder = effect if isinstance(effect, RemindStaff) else None
    return StaffNote(
        dedupe_key=effect.dedupe_key,
        kind=reminder.kind if reminder else "ask-owner",
        to_address=effect.to,
        urgent=reminder.urgent if reminder else True,
        not_before=reminder.not_before if reminder else context.now,
        text=reminder.text if reminder else effect.question,  # type: ignore[union-attr]  # the other kind has a question
        rule=effect.rule,
        rule_version=effect.version,
        project_id=effect.project_id,
        client_id=reminder.client_id if reminder else None,
        contact_id=reminder.contact_id if reminder else None,
        record_id=reminder.record_id if reminder else None,
        due_at=effect.due_at,
        created_at=context.now,
    )


def _audit(
    session: Session, context: EffectContext, who: str, event: str, subject: str, reason: str, detail: str
) -> None:
    session.add(
        AuditEntry(
            at=context.now,
            who=f"rule {who}",
            event=event,
            subject=subject[:120],
            details={"reason": reason, "detail": detail},
        )
    )
