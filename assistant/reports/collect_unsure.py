"""Labels of a week that a person should confirm: two candidates and the command that settles it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select

from assistant.model.process import STAGES, UNRELATED
from assistant.model.project_state import APPLIED
from assistant.model.projects import JOINED, NewThread, ProjectCandidate, choose_project
from assistant.reports.collect_notes import message_link
from assistant.reports.collect_records import ClientWeek, is_talk
from assistant.reports.collect_words import UNRELATED_WORDS, position
from assistant.reports.facts import Candidate, UnsureLabel
from assistant.store.tables import Correction, Project, Record, StageChange, Thread

CANDIDATES: Final = 2


def unsure_labels(week: ClientWeek, projects: Mapping[int, Project]) -> tuple[UnsureLabel, ...]:
    """Mail of this week whose stage or project is doubtful, the latest first; what a person set right is settled."""
    talk = [record for record in week.in_period if is_talk(record)]
    corrected = _corrected(week, talk)
    asked = _asked(week, projects)
    threads = _doubtful_threads(week, talk)
    found: list[UnsureLabel] = []
    told: set[int | None] = set()
    for record in reversed(talk):
        thread = threads.get(record.thread_id) if record.thread_id is not None else None
        if thread is not None and thread.id not in told and ("project" not in corrected.get(record.message_id, ())):
            told.add(thread.id)
            found.append(_project_label(week, projects, record, thread))
        doubtful = bool(record.stage) and record.stage_confidence < APPLIED
        if (doubtful or record.id in asked) and "stage" not in corrected.get(record.message_id, ()):
            found.append(_stage_label(week, record, asked.get(record.id)))
    return tuple(found)


def _corrected(week: ClientWeek, records: list[Record]) -> dict[str, set[str]]:
    ids = [record.message_id for record in records]
    fields: dict[str, set[str]] = {}
    rows = week.session.execute(select(Correction.message_id, Correction.field).where(Correction.message_id.in_(ids)))
    for identifier, field in rows:
        fields.setdefault(identifier, set()).add(field)
    return fields


def _asked(week: ClientWeek, projects: Mapping[int, Project]) -> dict[int, StageChange]:
    """Steps back or over a stage: the project took them, and a person is asked whether that is right."""
    changes = week.session.scalars(
        select(StageChange).where(
            StageChange.project_id.in_(projects),
            StageChange.asked.is_(True),
            StageChange.at >= week.period.start,
            StageChange.at < week.period.end,
        )
    )
    return {change.record_id: change for change in changes if change.record_id is not None}


def _doubtful_threads(week: ClientWeek, records: list[Record]) -> dict[int, Thread]:
    ids = {record.thread_id for record in records if record.thread_id is not None}
    rows = week.session.scalars(
        select(Thread).where(
            Thread.id.in_(ids),
            Thread.client_id == week.client.id,
            Thread.project_id.is_not(None),
            Thread.project_confidence < JOINED,
        )
    )
    return {thread.id: thread for thread in rows}


def _stage_label(week: ClientWeek, record: Record, change: StageChange | None) -> UnsureLabel:
    ranked = {str(item[0]): float(item[1]) for item in record.stage_probabilities if len(item) > 1}
    ranked[record.stage] = record.stage_confidence
    if change is not None and change.from_stage:
        ranked.setdefault(change.from_stage, 0.0)
    stages = sorted((name for name in ranked if name in STAGES or name == UNRELATED), key=lambda name: -ranked[name])
    wanted = stages[:CANDIDATES]
    if change is not None and change.from_stage in STAGES and change.from_stage not in wanted:
        wanted = [*stages[: CANDIDATES - 1], change.from_stage]
    return UnsureLabel(
        message=message_link(record, week.around),
        who=week.writer(record),
        about="stage",
        candidates=tuple(Candidate(name, _stage_name(week, name), ranked[name]) for name in wanted),
        correct_with=f"assistant message correct {record.id} --stage",
    )


def _stage_name(week: ClientWeek, stage: str) -> str:
    if stage == UNRELATED:
        return UNRELATED_WORDS[position(week.language)]
    return week.around.stage_name(stage, week.language)


def _project_label(week: ClientWeek, projects: Mapping[int, Project], record: Record, thread: Thread) -> UnsureLabel:
    chosen = projects.get(thread.project_id) if thread.project_id is not None else None
    candidates = [Candidate(str(chosen.id), chosen.name, thread.project_confidence)] if chosen is not None else []
    second = _second_project(week, projects, thread)
    if second is not None:
        candidates.append(second)
    return UnsureLabel(
        message=message_link(record, week.around),
        who=week.writer(record),
        about="project",
        candidates=tuple(candidates),
        correct_with=f"assistant message correct {record.id} --project",
    )


def _second_project(week: ClientWeek, projects: Mapping[int, Project], thread: Thread) -> Candidate | None:
    """The likeliest of the client's other projects, found as the first was; never surer than the first."""
    records = [record for record in week.records if record.thread_id == thread.id]
    others = [project for project in projects.values() if project.id != thread.project_id]
    if not records or not others:
        return None
    first = records[0]
    mail = NewThread(
        first.base_subject,
        first.reply_text,
        frozenset(record.originator for record in records),
        first.sent_at,
        (),
        first.direction == "inbound",
    )
    choice = choose_project(mail, [_candidate(week, project) for project in others])
    found = projects.get(choice.project_id) if choice.project_id is not None else None
    if found is None:
        return None
    return Candidate(str(found.id), found.name, min(choice.confidence, thread.project_confidence))


def _candidate(week: ClientWeek, project: Project) -> ProjectCandidate:
    records = week.of_project(project.id)
    names = dict.fromkeys((project.name, *(record.base_subject for record in records if record.base_subject)))
    return ProjectCandidate(
        project.id,
        tuple(names)[:41],
        frozenset(record.originator for record in records),
        project.stage,
        project.state,
        project.last_at,
    )
