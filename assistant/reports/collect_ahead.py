"""What comes next: steps of cadences, tasks, greetings, and the festivals and closing days of the client's country."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final, cast

from sqlalchemy import select

from assistant.calendar.business import ONE_DAY, BusinessCalendar
from assistant.calendar.festivals import FESTIVALS, festivals_of_year
from assistant.calendar.localtime import local_date, local_moment
from assistant.rendering.filters import reply_subject
from assistant.reports.collect_records import ClientWeek
from assistant.reports.facts import FestivalAhead, PlannedStep, Release
from assistant.store.tables import CadenceRunRow, OpenItem, OutboxMessage, Project, Record

DAYS_AHEAD: Final = 14
LONGEST_CLOSING: Final = 30
_WAITING: Final = ("queued", "deferred", "claimed", "waiting_approval")
_STALE: Final = timedelta(days=1)
"""For a week that ended longer ago than this, what the rules plan now is not what they planned then."""
_TASK_TIME: Final = time(9, 0)
_PLACEHOLDER: Final = re.compile(r"\{\{\s*(contact\.name|project\.name|client\.name)\s*\}\}")


def is_current(week: ClientWeek, now: datetime) -> bool:
    """Whether the end of the week is close enough to `now` that today's plans belong into its summary."""
    return now - week.until < _STALE


# --- planned --------------------------------------------------------------------------------------------------------


def next_steps(week: ClientWeek, project: Project, items: Sequence[OpenItem]) -> tuple[PlannedStep, ...]:
    """Mails that wait in the outbox, the next step of each cadence under way, and open tasks; by time."""
    rows = _waiting_rows(week, OutboxMessage.project_id == project.id)
    steps = [_of_mail(week, row) for row in rows]
    if project.state == "running":
        under_way = {(row.run_id, row.step) for row in rows}
        runs = week.session.scalars(
            select(CadenceRunRow)
            .where(
                CadenceRunRow.project_id == project.id,
                CadenceRunRow.status == "active",
                CadenceRunRow.started_at < week.until,
            )
            .order_by(CadenceRunRow.due_at, CadenceRunRow.id)
        )
        steps += [_of_run(week, project, run) for run in runs if (run.id, run.step_index + 1) not in under_way]
    steps += [_of_task(week, item) for item in items if item.kind == "task"]
    return tuple(sorted(steps, key=lambda step: step.at))


def greetings_next(week: ClientWeek) -> tuple[PlannedStep, ...]:
    """Mail to this client that waits and belongs to no project."""
    return tuple(_of_mail(week, row) for row in _waiting_rows(week, OutboxMessage.project_id.is_(None)))


def _waiting_rows(week: ClientWeek, which: Any) -> list[OutboxMessage]:
    return list(
        week.session.scalars(
            select(OutboxMessage)
            .where(
                OutboxMessage.client_id == week.client.id,
                OutboxMessage.audience == "client",
                OutboxMessage.state.in_(_WAITING),
                OutboxMessage.created_at < week.until + _STALE,
                which,
            )
            .order_by(OutboxMessage.due_at, OutboxMessage.id)
        )
    )


def _of_mail(week: ClientWeek, row: OutboxMessage) -> PlannedStep:
    festival = FESTIVALS.get(str(row.details.get("festival", "")))
    greeting = row.purpose == "greeting"
    return PlannedStep(
        at=week.around.local(row.due_at),
        kind="greeting" if greeting else "follow_up",
        what=festival.name(week.language) if greeting and festival else row.subject,
        to=week.contact_name(row.contact_id) or str(row.details.get("to_name", "")),
        release=_release(row.release),
        rule=row.rule,
    )


def _of_run(week: ClientWeek, project: Project, run: CadenceRunRow) -> PlannedStep:
    step = _step_of(run)
    anchor = next((record for record in week.records if record.id == run.anchor_record_id), None)
    task = str(step.get("task", ""))
    owner = week.around.name_of(week.around.owner_of(project.owner, week.client.owner))
    return PlannedStep(
        at=week.around.local(run.due_at),
        kind="task" if task else "follow_up",
        what=_filled(task, week, project, run) if task else _answer_subject(anchor, project),
        to=owner if task else week.contact_name(run.contact_id),
        release="now" if task else _release(str(step.get("release", "now"))),
        rule=run.cadence,
    )


def _answer_subject(anchor: Record | None, project: Project) -> str:
    return reply_subject(anchor.base_subject or anchor.subject) if anchor is not None else project.name


def _step_of(run: CadenceRunRow) -> dict[str, Any]:
    """The next step as the rule that the run began with has it; empty where that cannot be read."""
    try:
        steps = json.loads(run.definition)["step"]
        step = steps[run.step_index]
    except (ValueError, KeyError, IndexError, TypeError):
        return {}
    return step if isinstance(step, dict) else {}


def _filled(task: str, week: ClientWeek, project: Project, run: CadenceRunRow) -> str:
    names = {
        "contact.name": week.contact_name(run.contact_id),
        "project.name": project.name,
        "client.name": week.client.name,
    }
    text = _PLACEHOLDER.sub(lambda match: names[match[1]], task)
    return text if "{{" not in text and "{%" not in text else project.name


def _of_task(week: ClientWeek, item: OpenItem) -> PlannedStep:
    day = item.due or week.around.day(item.opened_at)
    return PlannedStep(
        at=week.around.local(local_moment(day, _TASK_TIME, week.around.timezone)),
        kind="task",
        what=item.what,
        to=week.around.name_of(week.around.owner_of(item.owner, week.client.owner)),
    )


def _release(text: str) -> Release:
    kind = text.partition(" ")[0]
    return cast("Release", kind) if kind in {"veto", "approval", "draft"} else "now"


# --- festivals ------------------------------------------------------------------------------------------------------


def festivals_next(week: ClientWeek) -> tuple[FestivalAhead, ...]:
    """Festivals and closings of the client's country in the fourteen days after the week, by day."""
    calendar = week.calendar
    first = local_date(week.until - timedelta(microseconds=1), week.zone)
    last = first + timedelta(days=DAYS_AHEAD)
    closings = _closings(calendar, first, last)
    named = _named(calendar.country, first, last)
    greeted = _greeted(week)
    found = []
    closed: set[date] = set()
    for day, festival_id in named:
        stretch = next((closing for closing in closings if closing[0] <= day <= closing[1]), None)
        fresh = stretch is not None and stretch[0] not in closed
        if stretch is not None:
            closed.add(stretch[0])
        rows = greeted.get(festival_id, ())
        found.append(
            FestivalAhead(
                name=FESTIVALS[festival_id].name(week.language),
                day=day,
                greeting_at=min((week.around.local(row.due_at) for row in rows), default=None),
                greeted=tuple(dict.fromkeys(filter(None, (week.contact_name(row.contact_id) for row in rows)))),
                closed_from=stretch[0] if stretch and fresh else None,
                closed_to=stretch[1] if stretch and fresh else None,
                provisional=calendar.is_provisional(day.year),
            )
        )
    for start, end in closings:
        if start not in closed:
            found.append(_closing(calendar, start, end))
    return tuple(sorted(found, key=lambda festival: festival.day))


def _named(country: str, first: date, last: date) -> list[tuple[date, str]]:
    """Days and ids of festivals; the eve is part of its festival."""
    found = [
        (day, festival_id)
        for year in range(first.year, last.year + 1)
        for day, ids in festivals_of_year(country, year).items()
        for festival_id in ids
        if first < day <= last
    ]
    ids = {festival_id for _, festival_id in found}
    return [(day, name) for day, name in found if not (name == "spring-festival-eve" and "spring-festival" in ids)]


def _closings(calendar: BusinessCalendar, first: date, last: date) -> list[tuple[date, date]]:
    """Runs of days off that are more than a weekend and touch the days after `first` up to `last`."""
    found: list[tuple[date, date]] = []
    day = first + ONE_DAY
    while day <= last:
        if calendar.is_working(day):
            day += ONE_DAY
            continue
        start, end = day, day
        while not calendar.is_working(start - ONE_DAY) and (day - start).days < LONGEST_CLOSING:
            start -= ONE_DAY
        while not calendar.is_working(end + ONE_DAY) and (end - day).days < LONGEST_CLOSING:
            end += ONE_DAY
        days = [calendar.day(start + timedelta(days=n)) for n in range((end - start).days + 1)]
        if any(one.kind in {"holiday", "closing"} for one in days):
            found.append((start, end))
        day = end + ONE_DAY
    return found


def _closing(calendar: BusinessCalendar, start: date, end: date) -> FestivalAhead:
    days = [calendar.day(start + timedelta(days=n)) for n in range((end - start).days + 1)]
    off = next(one for one in days if one.kind in {"holiday", "closing"})
    return FestivalAhead(
        name=off.name,
        day=off.date,
        closed_from=start,
        closed_to=end,
        provisional=calendar.is_provisional(off.date.year),
    )


def _greeted(week: ClientWeek) -> dict[str, list[OutboxMessage]]:
    """Greetings that wait, by festival."""
    found: dict[str, list[OutboxMessage]] = {}
    rows: Iterable[OutboxMessage] = _waiting_rows(week, OutboxMessage.purpose == "greeting")
    for row in rows:
        found.setdefault(str(row.details.get("festival", "")), []).append(row)
    return found
