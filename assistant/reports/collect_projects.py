"""Each project of a client as it stood at the end of a week: stage, who waits for whom, what is open, what is next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, cast

from sqlalchemy import or_, select

from assistant.calendar.localtime import local_date
from assistant.model.process import STAGES, Stage, WaitingOn
from assistant.model.project_state import RecordFacts, derive
from assistant.reports.collect_ahead import next_steps
from assistant.reports.collect_notes import message_link
from assistant.reports.collect_records import ClientWeek, answers, is_talk, message_id, open_questions, response_times
from assistant.reports.facts import DueCommitment, OpenProblem, ProjectSummary, Side
from assistant.store.tables import OpenItem, Project, Record

FAR: Final = 10
"""Commitments due in more business days than this are not told yet."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a project stood at a moment."""

    stage: str
    stage_since: datetime
    waiting_on: str
    waiting_since: datetime | None
    record: Record | None
    evidence: str


def standing(week: ClientWeek, project: Project, records: Sequence[Record]) -> Standing:
    """As stored; for a week that is over and after which mail came, derived anew from the records until then."""
    by_id = {record.id: record for record in records}
    if project.last_at < week.until:
        record = by_id.get(project.waiting_record_id) if project.waiting_record_id is not None else None
        return Standing(
            project.stage,
            project.stage_since,
            project.waiting_on,
            project.waiting_since,
            record,
            project.waiting_evidence,
        )
    state = derive(_facts(record) for record in records)
    if state is None:
        return Standing(project.stage, project.stage_since, "nobody", None, None, "")
    record = by_id.get(state.waiting_record_id) if state.waiting_record_id is not None else None
    return Standing(
        state.stage, state.stage_since, state.waiting_on, state.waiting_since, record, state.waiting_evidence
    )


def _facts(record: Record) -> RecordFacts:
    return RecordFacts(
        record.id,
        record.sent_at,
        record.direction,
        record.kind,
        record.automatic,
        record.stage,
        record.stage_confidence,
        record.stage_evidence,
        record.waiting_on,
        record.waiting_evidence,
        frozenset(item[0] for item in record.intents),
    )


def project_summaries(
    week: ClientWeek, projects: Mapping[int, Project], *, with_plans: bool = True
) -> tuple[ProjectSummary, ...]:
    """The projects that are under way or were in this week, those that need somebody first.

    `with_plans` False leaves out what the rules will do next: for weeks long past that is not known any more.
    """
    items = open_items(week)
    found = []
    for project in projects.values():
        if project.opened_at >= week.until:
            continue
        summary = _summary(week, project, [item for item in items if item.project_id == project.id], with_plans)
        if _is_told(project, summary):
            found.append(summary)
    return tuple(sorted(found, key=_order))


def open_items(week: ClientWeek) -> list[OpenItem]:
    """What of this client somebody had to settle at the end of the week."""
    return list(
        week.session.scalars(
            select(OpenItem)
            .where(
                OpenItem.client_id == week.client.id,
                OpenItem.opened_at < week.until,
                or_(OpenItem.settled_at.is_(None), OpenItem.settled_at >= week.until),
            )
            .order_by(OpenItem.opened_at, OpenItem.id)
        )
    )


def _is_told(project: Project, summary: ProjectSummary) -> bool:
    """Closed projects only in the week of their last mail; a quiet relationship is no project that needs reading."""
    active = bool(summary.messages_received or summary.messages_sent)
    if project.state in {"lost", "over"}:
        return active
    busy = summary.next_steps or summary.problems or summary.commitments or summary.waiting_on != "nobody"
    return active or bool(busy) or project.stage != "relationship"


def _order(summary: ProjectSummary) -> tuple[int, int, int, str]:
    rank = {"us": 0, "client": 1}.get(summary.waiting_on, 2)
    return (0 if summary.problems else 1, rank, -summary.waiting_business_days, summary.name)


def _summary(week: ClientWeek, project: Project, items: Sequence[OpenItem], with_plans: bool) -> ProjectSummary:
    records = week.of_project(project.id)
    now = standing(week, project, records)
    stage: Stage = now.stage if now.stage in STAGES else "discovery"
    target, buffer = week.around.stage_target(stage)
    since = week.around.day(now.stage_since)
    talk = [record for record in records if record.sent_at in week.period and is_talk(record)]
    waits = now.waiting_on if project.state in {"running", "paused"} else "nobody"
    side: Side = "us" if waits == "us" else "client"
    open_since = now.waiting_since if waits != "nobody" else None
    return ProjectSummary(
        name=project.name,
        stage=stage,
        stage_name=week.around.stage_name(stage, week.language),
        business_days_in_stage=week.around.agency_days(since, week.today),
        target_days=target,
        buffer_days=buffer,
        stage_since=since,
        waiting_on=cast("WaitingOn", waits),
        waiting_who=_who(week, project, now.record, waits),
        waiting_for=(now.evidence or (now.record.summary if now.record else "")) if waits != "nobody" else "",
        waiting_since=week.around.day(open_since) if open_since else None,
        waiting_business_days=week.waited_days(side, open_since) if open_since else 0,
        waiting_message=message_link(now.record, week.around) if now.record and waits != "nobody" else None,
        paused=project.state == "paused",
        new=project.opened_at in week.period,
        messages_received=sum(record.direction == "inbound" for record in talk),
        messages_sent=sum(record.direction == "outbound" for record in talk),
        open_questions=open_questions(week, records, items) if waits != "nobody" or items else (),
        commitments=_commitments(week, project, items),
        problems=_problems(week, project, items),
        next_steps=next_steps(week, project, items) if with_plans else (),
        response_times=response_times(answers(week, records), week.period, week.around.promised_hours),
    )


def _who(week: ClientWeek, project: Project, record: Record | None, waits: str) -> str:
    if waits == "us":
        return week.around.name_of(week.around.owner_of(project.owner, week.client.owner))
    if waits == "client":
        return week.contact_name(record.contact_id) if record is not None else ""
    return ""


def _record(week: ClientWeek, item: OpenItem) -> Record | None:
    return next((record for record in week.records if record.id == item.record_id), None)


def _commitments(week: ClientWeek, project: Project, items: Sequence[OpenItem]) -> tuple[DueCommitment, ...]:
    found = []
    for item in items:
        if item.kind != "commitment" or item.due is None:
            continue
        side: Side = "us" if item.by == "us" else "client"
        record = _record(week, item)
        if side == "us":
            who = week.around.name_of(week.around.owner_of(item.owner, project.owner, week.client.owner))
        else:
            who = week.contact_name(record.contact_id) if record is not None else ""
        left = _days_left(week, side, item.due)
        if left <= FAR:
            link = message_id(record) if record is not None else ""
            found.append(DueCommitment(item.what, side, who, item.due, left, link))
    return tuple(sorted(found, key=lambda promise: promise.due))


def _days_left(week: ClientWeek, side: Side, due: date) -> int:
    """Business days of the side that promised; a day that is over is at least one day late, also over a weekend."""
    zone = week.around.timezone if side == "us" else week.zone
    calendar = week.around.calendars.agency if side == "us" else week.calendar
    today = local_date(week.until - timedelta(microseconds=1), zone)
    left = calendar.business_days_between(today, due)
    return min(left, -1) if due < today else left


def _problems(week: ClientWeek, project: Project, items: Sequence[OpenItem]) -> tuple[OpenProblem, ...]:
    found = []
    for item in items:
        if item.kind != "complaint":
            continue
        record = _record(week, item)
        owner = week.around.name_of(week.around.owner_of(item.owner, project.owner, week.client.owner))
        found.append(
            OpenProblem(
                text=item.what,
                opened_on=week.around.day(item.opened_at),
                business_days=week.waited_days("us", item.opened_at),
                owner=owner,
                message_id=message_id(record) if record is not None else "",
            )
        )
    return tuple(found)
