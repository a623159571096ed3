"""One client's week, collected from the database for one reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.reports.collect_ahead import festivals_next, greetings_next, is_current
from assistant.reports.collect_context import Colleague, Surroundings
from assistant.reports.collect_happenings import happenings
from assistant.reports.collect_projects import project_summaries
from assistant.reports.collect_records import ClientWeek, answers, client_records, is_talk, response_times
from assistant.reports.collect_unsure import unsure_labels
from assistant.reports.facts import DayCount, ResponseTimes, WeeklySummary
from assistant.reports.period import Period
from assistant.store.tables import Client, Contact, Project


def collect_weekly(
    session: Session, around: Surroundings, client_id: int, reader: Colleague, period: Period, now: datetime
) -> WeeklySummary:
    """What `reader` is told about this client's week, in their language, as things stood at the end of `period`.

    Nothing of any other client is looked at. Raises LookupError when there is no such client.
    """
    week = client_week(session, around, client_id, reader.language, period, now)
    projects = {
        project.id: project
        for project in session.scalars(
            select(Project).where(Project.client_id == client_id, Project.opened_at < week.until).order_by(Project.id)
        )
    }
    days = _message_days(week)
    live = is_current(week, now)
    return WeeklySummary(
        client=week.client.name,
        agency=around.agency_name,
        owner=reader.person,
        language=reader.language,
        period_from=period.first_day,
        period_to=period.last_day,
        generated_at=around.local(now),
        happened=happenings(week, projects),
        projects=project_summaries(week, projects, with_plans=live),
        unsure=unsure_labels(week, projects),
        festivals_next=festivals_next(week),
        response_times=_response_times(week, projects, period),
        response_times_before=_response_times(week, projects, _before(period)),
        messages_by_day=days,
        greetings_next=greetings_next(week) if live else (),
    )


def client_week(
    session: Session, around: Surroundings, client_id: int, language: str, period: Period, now: datetime
) -> ClientWeek:
    """The rows that everything else is read from. Raises LookupError when there is no such client."""
    client = session.get(Client, client_id)
    if client is None:
        raise LookupError(f"there is no client {client_id}")
    until = min(now, period.end)
    contacts = session.scalars(select(Contact).where(Contact.client_id == client_id))
    return ClientWeek(
        session=session,
        around=around,
        client=client,
        language=language,
        period=period,
        until=until,
        records=client_records(session, client_id, until),
        contacts={contact.id: contact for contact in contacts},
    )


def is_empty(summary: WeeklySummary) -> bool:
    """Whether a week had nothing to tell: nothing came, went or happened, nothing is planned, nobody waits for us."""
    if summary.happened or summary.unsure or summary.greetings_next:
        return False
    return not any(
        project.waiting_on == "us" or project.problems or project.commitments or project.next_steps
        for project in summary.projects
    )


def _response_times(week: ClientWeek, projects: Mapping[int, Project], period: Period) -> ResponseTimes:
    """Over all projects together, and over what belongs to none."""
    groups: Sequence[int | None] = (*projects, None)
    found = [
        answer
        for project_id in groups
        for answer in answers(week, [record for record in week.records if record.project_id == project_id])
    ]
    return response_times(found, period, week.around.promised_hours)


def _before(period: Period) -> Period:
    span = period.end - period.start
    days = (period.last_day - period.first_day).days + 1
    return Period(
        start=period.start - span,
        end=period.start,
        first_day=period.first_day - timedelta(days=days),
        last_day=period.first_day - timedelta(days=1),
    )


def _message_days(week: ClientWeek) -> tuple[DayCount, ...]:
    counts: dict[date, list[int]] = {}
    for record in week.in_period:
        if is_talk(record):
            counts.setdefault(week.around.day(record.sent_at), [0, 0])[record.direction == "outbound"] += 1
    first, last = week.period.first_day, week.period.last_day
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    # A week that begins in an afternoon has a part of the day before in it; that part is counted with the first.
    for day in [day for day in counts if day < first]:
        both = counts.setdefault(first, [0, 0])
        both[0], both[1] = both[0] + counts[day][0], both[1] + counts[day][1]
    return tuple(DayCount(day, *counts.get(day, (0, 0))) for day in days)
