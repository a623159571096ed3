"""`decide`: what follows for one project from its facts, its runs, the rules and the time. Pure; the same every time.

A tick asks it only for projects with a run whose `due_at` has come, and a new message only for its own project; so
nothing has to be looked at when nothing is due. After the rule files changed it is asked for every open run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from assistant.cadence.matching import contact_of, project_misses
from assistant.cadence.rules import Cadence, Rulebook
from assistant.cadence.steps import RunWork, perform_due
from assistant.cadence.stops import anchor_of, hold, resume_from, stop_reason
from assistant.cadence.timing import ONE_DAY, timetable
from assistant.calendar.business import Calendars
from assistant.model.cadence import (
    CadenceRun,
    CompleteRun,
    Decision,
    Effect,
    MoveStep,
    PauseReason,
    PauseRun,
    ProjectFacts,
    RunKey,
    StartRun,
    StopRun,
    TraceEntry,
    run_key,
)

BY_HAND: Final = ("late", "by-hand")
"""Reasons of a pause that only a person ends, by setting the run active and due."""


def decide(
    facts: ProjectFacts, runs: Sequence[CadenceRun], rulebook: Rulebook, calendars: Calendars, now: datetime
) -> Decision:
    """Effects and trace for one project at `now`.

    `runs` are all open runs of the project and the ended ones of its present anchor. Asked twice with the same facts it
    gives the same effects with the same keys.
    """
    effects: list[Effect] = []
    trace: list[TraceEntry] = []
    works: list[RunWork] = []
    open_runs = [run for run in runs if run.is_open]
    for run in sorted(open_runs, key=lambda run: (-rulebook.importance(run.cadence), run.cadence)):
        work = _continue(facts, run, rulebook, calendars, now, effects, trace)
        if work is not None:
            works.append(work)
    works += _start(facts, runs, rulebook, calendars, now, effects, trace)
    works.sort(key=lambda work: (-work.cadence.importance, work.cadence.name))
    for work in works:
        perform_due(work, facts, rulebook, now, effects, trace)
    return Decision(tuple(effects), tuple(trace), _look_again(open_runs, effects))


def may_start_any(rulebook: Rulebook, stage: str, waiting_on: str) -> bool:
    """False where no cadence could begin in a project that stands so, whatever else is true of it."""
    return any(
        (cadence.anchor == "last-contact" or waiting_on == "client")
        and (not cadence.when.waiting_on or waiting_on in cadence.when.waiting_on)
        for cadence in rulebook.by_stage.get(stage, ())
    )


def _continue(
    facts: ProjectFacts,
    run: CadenceRun,
    rulebook: Rulebook,
    calendars: Calendars,
    now: datetime,
    effects: list[Effect],
    trace: list[TraceEntry],
) -> RunWork | None:
    """Stop, pause or resume an open run; gives it back when its next step may be looked at."""
    cadence = rulebook.for_run(run.cadence, run.version)
    stop = stop_reason(facts, run, cadence)
    if stop is not None or cadence is None:
        reason, detail = stop or ("rule-removed", "")
        effects.append(StopRun(run.key, reason, detail))
        trace.append(TraceEntry(run.cadence, False, f"stopped-{reason}", detail))
        return None
    work = run_work(facts, run, cadence, calendars, rulebook)
    if run.status == "paused" and run.reason in BY_HAND:
        trace.append(TraceEntry(run.cadence, False, f"paused-{run.reason}", "waits for a colleague's decision"))
        if run.due_at <= now:
            effects.append(PauseRun(run.key, "late" if run.reason == "late" else "by-hand", None, now + ONE_DAY))
        return None
    held = hold(facts, work.contact, work.table, now)
    if held is not None:
        due_at = max(held.until, run.due_at) if held.until is not None else now + ONE_DAY
        pause = PauseRun(run.key, held.reason, held.until, due_at)
        unchanged = (run.status, run.reason, run.paused_until) == ("paused", held.reason, held.until)
        if not unchanged or run.due_at <= now:
            effects.append(pause)
        trace.append(TraceEntry(run.cadence, False, f"paused-{held.reason}", held.detail, held.until))
        return None
    if run.status == "paused":
        return _resume(facts, work, now, effects, trace)
    if run.version != cadence.version:
        return _to_new_version(work, effects, trace)
    return work


def run_work(
    facts: ProjectFacts, run: CadenceRun, cadence: Cadence, calendars: Calendars, rulebook: Rulebook
) -> RunWork:
    """The run with its contact's time, as its steps need it."""
    contact = contact_of(facts.client, run.contact_id)
    days = cadence.steps[run.step_index].days if run.step_index < len(cadence.steps) else "both"
    table = timetable(facts.client, contact, calendars, rulebook.restraint, days=days)
    anchor = anchor_of(facts, cadence)
    return RunWork(run, cadence, contact, anchor, table, calendars)


def _resume(
    facts: ProjectFacts, work: RunWork, now: datetime, effects: list[Effect], trace: list[TraceEntry]
) -> RunWork:
    """The next step is due as planned, or when the pause was over if that is later."""
    run, table = work.run, work.table
    start = resume_from(facts, work.contact, table, run.reason) or run.paused_until or now
    planned = work.planned()
    due = planned
    if planned < start:
        due = table.at(table.date_of(start), work.step_at())
        if due < start:
            due = table.at(table.date_of(start) + ONE_DAY, work.step_at())
    resumed = replace(run, status="active", due_at=due, paused_until=None, reason="", version=work.cadence.version)
    effects.append(_moved(resumed, "resumed", work))
    trace.append(TraceEntry(run.cadence, True, "resumed", f"after {run.reason}", due))
    return replace(work, run=resumed)


def _to_new_version(work: RunWork, effects: list[Effect], trace: list[TraceEntry]) -> RunWork:
    """`apply = "running"`: the run goes on with the edited rule, from the step it has come to."""
    due = work.planned()
    moved = replace(work.run, version=work.cadence.version, due_at=due)
    effects.append(_moved(moved, "rule-edited", work))
    trace.append(TraceEntry(work.cadence.name, True, "rule-edited", "goes on with the edited rule", due))
    return replace(work, run=moved)


def _moved(run: CadenceRun, reason: str, work: RunWork) -> MoveStep:
    """The run on the version of its rule that `work` has, which may be another than the one it was on."""
    definition = work.cadence.definition if work.run.version != run.version else ""
    return MoveStep(
        run.key, run.step_index, run.due_at, run.version, run.sent_count, run.delayed_business_days, reason, definition
    )


def _start(
    facts: ProjectFacts,
    runs: Sequence[CadenceRun],
    rulebook: Rulebook,
    calendars: Calendars,
    now: datetime,
    effects: list[Effect],
    trace: list[TraceEntry],
) -> list[RunWork]:
    """New runs for every cadence that fits the present anchor and has not been run on it."""
    known = {run.key: run for run in runs}
    started: list[RunWork] = []
    for cadence in rulebook.by_stage.get(facts.stage, ()):
        found = _try_start(facts, cadence, known, calendars, rulebook, now)
        if isinstance(found, TraceEntry):
            trace.append(found)
            continue
        if found is None:
            continue
        effects.append(StartRun(found.run, cadence.definition, run_key(*found.run.key)))
        trace.append(TraceEntry(cadence.name, True, "started", f'"{found.subject}"', found.run.due_at))
        started.append(found)
    trace.extend(rulebook.misses.get(facts.stage, ()))
    return started


def _try_start(
    facts: ProjectFacts,
    cadence: Cadence,
    known: dict[RunKey, CadenceRun],
    calendars: Calendars,
    rulebook: Rulebook,
    now: datetime,
) -> RunWork | TraceEntry | None:
    """A run to start, the reason why not, or None when one is open already."""
    anchor = anchor_of(facts, cadence)
    if anchor is None:
        return TraceEntry(cadence.name, False, "not-waiting", f"waiting on {facts.waiting_on}")
    contact = contact_of(facts.client, anchor.contact_id)
    reason = project_misses(cadence.when, cadence.unless, facts, contact)
    if reason:
        return TraceEntry(cadence.name, False, "no-match", reason)
    earlier = known.get(RunKey(facts.project_id, cadence.name, anchor.record_id))
    if earlier is not None:
        if earlier.is_open:
            return None
        return TraceEntry(cadence.name, False, f"ran-{earlier.status}", earlier.reason or "has done all its steps")
    if not anchor.may_start:
        return TraceEntry(cadence.name, False, "before-cut-off", "the message was too old when it was first read")
    # A message from a clock ahead of ours begins its run now: nothing would look at it again when its time has come.
    run = CadenceRun(
        project_id=facts.project_id,
        cadence=cadence.name,
        version=cadence.version,
        anchor_record_id=anchor.record_id,
        anchor_sent_at=anchor.sent_at,
        contact_id=anchor.contact_id,
        thread_id=anchor.thread_id,
        started_at=now,
        due_at=now,
    )
    stop = stop_reason(facts, run, cadence)
    if stop is not None:
        return TraceEntry(cadence.name, False, stop[0], stop[1])
    work = run_work(facts, run, cadence, calendars, rulebook)
    work = replace(work, run=replace(run, due_at=work.planned()))
    held = hold(facts, contact, work.table, now)
    return work if held is None else _started_paused(work, held.reason, held.until, now)


def _started_paused(work: RunWork, reason: PauseReason, until: datetime | None, now: datetime) -> RunWork:
    due_at = max(until, work.run.due_at) if until is not None else now + ONE_DAY
    return replace(work, run=replace(work.run, status="paused", reason=reason, paused_until=until, due_at=due_at))


def _look_again(open_runs: Sequence[CadenceRun], effects: Sequence[Effect]) -> datetime | None:
    """The earliest moment at which any run will be due after these effects."""
    due = {run.key: run.due_at for run in open_runs}
    for effect in effects:
        if isinstance(effect, StartRun):
            due[effect.run.key] = effect.run.due_at
        elif isinstance(effect, (MoveStep, PauseRun)):
            due[effect.run] = effect.due_at
        elif isinstance(effect, (StopRun, CompleteRun)):
            due.pop(effect.run, None)
    return min(due.values(), default=None)
