"""A run's next steps, as far as they are due: send, set a task, put off, skip, or ask the owner."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time

from assistant.cadence.greetings import coming
from assistant.cadence.matching import language_of, owner_of
from assistant.cadence.people import addresses_of, first_of
from assistant.cadence.restraint import Candidate, give_way
from assistant.cadence.rules import Cadence, Rulebook, Step
from assistant.cadence.timing import ONE_DAY, Timetable, timetable
from assistant.cadence.wording import fill_in
from assistant.calendar.business import Calendars
from assistant.model.cadence import (
    AskOwner,
    CadenceRun,
    CompleteRun,
    ContactFacts,
    CreateTask,
    Effect,
    MoveStep,
    PauseRun,
    PlannedMail,
    ProjectFacts,
    SendMail,
    SkipStep,
    TraceEntry,
    WaitedMessage,
    send_key,
)


@dataclass(frozen=True)
class RunWork:
    """An open run with what is needed to go on with it."""

    run: CadenceRun
    cadence: Cadence
    contact: ContactFacts | None
    anchor: WaitedMessage | None
    table: Timetable
    calendars: Calendars

    @property
    def step(self) -> Step:
        return self.cadence.steps[self.run.step_index]

    @property
    def number(self) -> int:
        """Of the next step, from 1."""
        return self.run.step_index + 1

    @property
    def subject(self) -> str:
        return self.anchor.subject if self.anchor is not None else ""

    @property
    def key(self) -> str:
        return send_key(self.run.project_id, self.cadence.name, self.run.anchor_record_id, self.number)

    def step_at(self) -> time | None:
        return self.step.at if self.run.step_index < len(self.cadence.steps) else None

    def planned(self) -> datetime:
        """When the next step is due by the rule, with what the run is behind; at once if an edit took the step away."""
        if self.run.step_index >= len(self.cadence.steps):
            return self.run.due_at
        return self.table.due(self.step, self.run.anchor_sent_at, self.run.delayed_business_days)


def perform_due(
    work: RunWork,
    facts: ProjectFacts,
    rulebook: Rulebook,
    now: datetime,
    effects: list[Effect],
    trace: list[TraceEntry],
) -> None:
    """Go on with the run until its next step is not due yet, it waits, or it is complete."""
    name = work.cadence.name
    if work.run.status != "active":
        return
    while True:
        if work.run.step_index >= len(work.cadence.steps):
            effects.append(CompleteRun(work.run.key))
            trace.append(TraceEntry(name, True, "completed", "all steps are done"))
            return
        if work.run.due_at > now:
            trace.append(TraceEntry(name, True, "waiting", f"step {work.number}", work.run.due_at))
            return
        moved = _perform(work, facts, rulebook, now, effects, trace)
        if moved is None:
            return
        work = moved


def _perform(
    work: RunWork,
    facts: ProjectFacts,
    rulebook: Rulebook,
    now: datetime,
    effects: list[Effect],
    trace: list[TraceEntry],
) -> RunWork | None:
    """One due step. Gives the run on its next step, or None when it waits or is complete."""
    if work.step.task:
        effects.append(_task(work, facts))
        trace.append(TraceEntry(work.cadence.name, True, "task", f"step {work.number}", work.run.due_at))
        return _next(work, now, 0, effects)
    if work.run.sent_count >= work.cadence.cap:
        return skip_step(work, "cap", f"{work.run.sent_count} mails were sent already", now, effects, trace)
    if work.table.is_late(work.run.due_at, now):
        _ask(work, facts, now, effects, trace)
        return None
    allowed = work.table.allowed(now, work.step.at)
    if allowed > now:
        _put_off(work, allowed, work.table.why_not(now), "nothing leaves now", effects, trace)
        return None
    yielding = _yielding(work, facts, rulebook, now, effects)
    if yielding is not None:
        when = work.table.at(yielding[0], work.step.at)
        _put_off(work, when, "restraint", yielding[1], effects, trace)
        return None
    mail = _mail(work, facts, now)
    effects.append(mail)
    trace.append(TraceEntry(work.cadence.name, True, "send", f"step {work.number}: {mail.template}", mail.not_before))
    return _next(work, max(mail.not_before, now), 1, effects)


def _yielding(
    work: RunWork, facts: ProjectFacts, rulebook: Rulebook, now: datetime, effects: list[Effect]
) -> tuple[date, str] | None:
    contact = work.contact
    assert contact is not None, "a run whose contact is gone was stopped before"
    ordered = tuple(
        PlannedMail(effect.not_before, effect.rule, effect.dedupe_key, effect.project_id)
        for effect in effects
        if isinstance(effect, SendMail) and effect.contact_id == contact.contact_id
    )
    greetings = coming(facts.client, contact, rulebook, _clients_own(work, facts, rulebook), now)
    crowded = replace(contact, planned=contact.planned + ordered + greetings)
    found = give_way(
        Candidate(work.key, work.cadence.importance, now, work.cadence.name), crowded, work.table, rulebook
    )
    return (found.day, found.detail) if found is not None else None


def _clients_own(work: RunWork, facts: ProjectFacts, rulebook: Rulebook) -> Timetable:
    return timetable(facts.client, work.contact, work.calendars, rulebook.restraint, days="client")


def _mail(work: RunWork, facts: ProjectFacts, now: datetime) -> SendMail:
    step, run = work.step, work.run
    owner = owner_of(facts)
    not_before = run.due_at
    if step.release.kind == "veto":
        not_before = work.table.allowed(now + step.release.wait, step.at)
    return SendMail(
        purpose="follow-up",
        rule=work.cadence.name,
        version=work.cadence.version,
        step=work.number,
        template=step.send,
        language=language_of(facts.client, work.contact),
        client_id=facts.client.client_id,
        contact_id=run.contact_id,
        release=step.release,
        not_before=not_before,
        dedupe_key=work.key,
        project_id=facts.project_id,
        run=run.key,
        anchor=work.anchor,
        cc=addresses_of(step.cc, owner, facts.staff),
        owner=owner.address if owner is not None else "",
        importance=work.cadence.importance,
        planned_at=work.planned(),
    )


def _task(work: RunWork, facts: ProjectFacts) -> CreateTask:
    assignee = first_of(work.step.to, owner_of(facts), facts.staff)
    return CreateTask(
        text=fill_in(work.step.task, facts, work.contact, work.anchor),
        assignee=assignee.address if assignee is not None else "",
        due_at=work.run.due_at,
        rule=work.cadence.name,
        version=work.cadence.version,
        step=work.number,
        dedupe_key=work.key.replace("send:", "task:", 1),
        project_id=facts.project_id,
        client_id=facts.client.client_id,
        contact_id=work.run.contact_id,
        run=work.run.key,
    )


def _ask(work: RunWork, facts: ProjectFacts, now: datetime, effects: list[Effect], trace: list[TraceEntry]) -> None:
    owner = owner_of(facts)
    effects.append(
        AskOwner(
            run=work.run.key,
            to=owner.address if owner is not None else "",
            rule=work.cadence.name,
            version=work.cadence.version,
            step=work.number,
            question=work.step.send,
            due_at=work.run.due_at,
            dedupe_key=work.key.replace("send:", "ask:", 1),
            project_id=facts.project_id,
        )
    )
    effects.append(PauseRun(work.run.key, "late", None, now + ONE_DAY))
    trace.append(
        TraceEntry(work.cadence.name, False, "late", f"step {work.number} waits for the owner", work.run.due_at)
    )


def _put_off(
    work: RunWork, due_at: datetime, reason: str, detail: str, effects: list[Effect], trace: list[TraceEntry]
) -> None:
    run = work.run
    effects.append(
        MoveStep(run.key, run.step_index, due_at, run.version, run.sent_count, run.delayed_business_days, reason)
    )
    trace.append(TraceEntry(work.cadence.name, False, reason, detail, due_at))


def skip_step(
    work: RunWork, reason: str, detail: str, now: datetime, effects: list[Effect], trace: list[TraceEntry]
) -> RunWork | None:
    """Leaves the next step out for good."""
    key = work.key.replace("send:", "skip:", 1)
    effects.append(SkipStep(work.run.key, work.cadence.name, work.cadence.version, work.number, reason, detail, key))
    trace.append(TraceEntry(work.cadence.name, False, reason, detail, work.run.due_at))
    return _next(work, now, 0, effects)


def _next(work: RunWork, done_at: datetime, sent: int, effects: list[Effect]) -> RunWork | None:
    """The run on its next step. Later steps keep their distance to one that came late."""
    run = work.run
    delayed = run.delayed_business_days + work.table.behind(work.planned(), done_at)
    moved = replace(
        run,
        step_index=run.step_index + 1,
        sent_count=run.sent_count + sent,
        delayed_business_days=delayed,
        last_sent_at=done_at if sent else run.last_sent_at,
    )
    if moved.step_index >= len(work.cadence.steps):
        effects.append(CompleteRun(run.key))
        return None
    onward = replace(work, run=moved)
    days = onward.step.days
    if days != work.step.days:
        leaving = work.table.client if days == "client" else work.calendars.together(work.table.client)
        onward = replace(onward, table=replace(work.table, leaving=leaving))
    onward = replace(onward, run=replace(moved, due_at=onward.planned()))
    effects.append(MoveStep(run.key, moved.step_index, onward.run.due_at, run.version, moved.sent_count, delayed))
    return onward
