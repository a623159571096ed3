"""The review of the process: what an agency looks at each month to improve, per client, colleague and rule.

Every figure is counted from stored rows; a month is a calendar month of the agency.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.calendar.localtime import midnight
from assistant.model.process import STAGES, stage_position
from assistant.reports.collect import client_week
from assistant.reports.collect_context import Surroundings
from assistant.reports.collect_records import Answer, ClientWeek, answers, intent, is_talk
from assistant.reports.period import Period
from assistant.store.tables import Client, OpenItem, OutboxMessage, Project, Record, StageChange

ANSWERED_WITHIN: Final = timedelta(days=14)
"""An answer later than this is not put down to the follow-up."""
PROBLEM_DAYS: Final = 5
"""A problem without a promised day is overdue after so many business days."""
_WANTS_ANSWER: Final = ("feedback", "question", "change_request", "complaint")


@dataclass(frozen=True, slots=True)
class StageTime:
    """How long projects stayed in a stage that they left in the month, or in which they were at its end."""

    stage: str
    projects: int
    median_days: float
    """Business days of the agency."""
    target_days: int | None
    over: int
    """How many stayed longer than the target with its buffer."""


@dataclass(frozen=True, slots=True)
class ClientReview:
    """One client's month. Hours are business hours, medians; None where nobody waited for an answer."""

    client_id: int
    client: str
    received: int
    sent: int
    us_hours: float | None
    us_answers: int
    client_hours: float | None
    client_answers: int
    stages: tuple[StageTime, ...]
    stages_back: int
    feedback_open: int
    """Messages of the month with a question, feedback, change or complaint that nobody of ours has answered."""
    problems_open: int
    problems_overdue: int
    satisfaction: int
    """Messages with praise or thanks for the work."""
    referrals: int


@dataclass(frozen=True, slots=True)
class PersonReview:
    """One colleague's month: what they wrote, and how quickly they answered."""

    person: str
    address: str
    sent: int
    hours: float | None
    answers: int


@dataclass(frozen=True, slots=True)
class RuleReview:
    """What became of the mail that one version of a rule ordered, by the month in which that was settled."""

    rule: str
    version: str
    sent: int
    answered: int
    vetoed: int
    cancelled: int
    """Not sent because of an answer or another guard."""
    refused: int


@dataclass(frozen=True, slots=True)
class Review:
    """One month of the whole agency."""

    month: date
    clients: tuple[ClientReview, ...]
    people: tuple[PersonReview, ...]
    rules: tuple[RuleReview, ...]


def month_period(first: date, zone: str) -> Period:
    """The calendar month that begins with `first`, in the agency's zone."""
    following = (first + timedelta(days=32)).replace(day=1)
    return Period(midnight(first, zone), midnight(following, zone), first, following - timedelta(days=1))


def collect_review(
    session: Session, around: Surroundings, month: date, now: datetime, client_ids: Sequence[int] | None = None
) -> Review:
    """The month that begins with `month`, up to `now` while it lasts. Clients without any mail in it are left out.

    `client_ids` restricts everything to these clients.
    """
    period = month_period(month.replace(day=1), around.timezone)
    query = select(Client.id).where(Client.merged_into.is_(None)).order_by(Client.name, Client.id)
    if client_ids is not None:
        query = query.where(Client.id.in_(client_ids))
    clients: list[ClientReview] = []
    by_person: dict[str, list[Answer]] = {}
    written: dict[str, int] = {}
    for client_id in session.scalars(query).all():
        week = client_week(session, around, client_id, around.language, period, now)
        found = list(_answers(week))
        for answer in found:
            if answer.by == "us" and answer.answered_at in period:
                by_person.setdefault(_staff(around, answer.writer), []).append(answer)
        for record in week.in_period:
            if is_talk(record) and record.direction == "outbound":
                address = _staff(around, record.originator)
                written[address] = written.get(address, 0) + 1
        review = _client_review(week, found)
        if review is not None:
            clients.append(review)
    return Review(
        period.first_day,
        tuple(clients),
        tuple(_people(around, written, by_person)),
        tuple(_rules(session, period, client_ids)),
    )


def _staff(around: Surroundings, address: str) -> str:
    person = around.directory.person(address)
    return person.address if person is not None else address.lower()


def _answers(week: ClientWeek) -> Iterator[Answer]:
    projects = dict.fromkeys(record.project_id for record in week.records)
    for project_id in projects:
        yield from answers(week, [record for record in week.records if record.project_id == project_id])


# --- clients --------------------------------------------------------------------------------------------------------


def _client_review(week: ClientWeek, found: Sequence[Answer]) -> ClientReview | None:
    talk = [record for record in week.in_period if is_talk(record)]
    projects = week.session.scalars(
        select(Project).where(Project.client_id == week.client.id, Project.opened_at < week.until).order_by(Project.id)
    ).all()
    stages, back = _stage_times(week, projects)
    problems, overdue = _problems(week)
    if not (talk or problems or back):
        return None
    ours, theirs = _hours(week, found, "us"), _hours(week, found, "client")
    inbound = [record for record in talk if record.direction == "inbound"]
    return ClientReview(
        client_id=week.client.id,
        client=week.client.name,
        received=len(inbound),
        sent=len(talk) - len(inbound),
        us_hours=_median(ours),
        us_answers=len(ours),
        client_hours=_median(theirs),
        client_answers=len(theirs),
        stages=stages,
        stages_back=back,
        feedback_open=_unanswered(week),
        problems_open=problems,
        problems_overdue=overdue,
        satisfaction=sum(intent(record, "satisfaction") is not None for record in inbound),
        referrals=sum(intent(record, "referral") is not None for record in inbound),
    )


def _hours(week: ClientWeek, found: Iterable[Answer], side: str) -> list[float]:
    return [answer.hours for answer in found if answer.by == side and answer.answered_at in week.period]


def _median(hours: Sequence[float]) -> float | None:
    return round(median(hours), 1) if hours else None


def _unanswered(week: ClientWeek) -> int:
    """Of the month's messages that want an answer, those after which nobody of ours wrote in the same project."""
    last: dict[int | None, datetime] = {
        record.project_id: record.sent_at
        for record in week.records
        if is_talk(record) and record.direction == "outbound"
    }
    return sum(
        record.direction == "inbound"
        and is_talk(record)
        and any(intent(record, label) is not None for label in _WANTS_ANSWER)
        and (record.project_id not in last or last[record.project_id] < record.sent_at)
        for record in week.in_period
    )


def _problems(week: ClientWeek) -> tuple[int, int]:
    """Complaints open at the end of the month, and how many of them are overdue."""
    items = week.session.scalars(
        select(OpenItem).where(
            OpenItem.client_id == week.client.id, OpenItem.kind == "complaint", OpenItem.opened_at < week.until
        )
    )
    unsolved = [item for item in items if item.settled_at is None or item.settled_at >= week.until]
    today = week.today
    overdue = [
        item
        for item in unsolved
        if (item.due < today if item.due else week.waited_days("us", item.opened_at) > PROBLEM_DAYS)
    ]
    return len(unsolved), len(overdue)


def _stage_times(week: ClientWeek, projects: Sequence[Project]) -> tuple[tuple[StageTime, ...], int]:
    """Time in each stage, and how often a project went back; a new enquiry of an old client is no step back."""
    changes: dict[int, list[StageChange]] = {project.id: [] for project in projects}
    rows = week.session.scalars(
        select(StageChange)
        .where(StageChange.project_id.in_(changes), StageChange.at < week.until)
        .order_by(StageChange.at, StageChange.id)
    )
    for row in rows:
        changes[row.project_id].append(row)
    spent: dict[str, list[int]] = {}
    back = 0
    for project in projects:
        for stage, since, until in _stays(project, changes[project.id], week.until):
            ended = until in week.period
            if ended or (until == week.until and project.state in {"running", "paused"}):
                last = week.today if until == week.until else week.around.day(until)
                days = week.around.agency_days(week.around.day(since), last)
                spent.setdefault(stage, []).append(days)
        back += sum(_goes_back(change) for change in changes[project.id] if change.at in week.period)
    return tuple(_stage_time(week, stage, spent[stage]) for stage in STAGES if stage in spent), back


def _stays(
    project: Project, changes: Sequence[StageChange], until: datetime
) -> Iterator[tuple[str, datetime, datetime]]:
    """Stage, from when, to when; the last one lasts until `until`."""
    if not changes:
        yield project.stage, project.stage_since, until
        return
    if changes[0].from_stage:
        yield changes[0].from_stage, project.opened_at, changes[0].at
    for change, following in zip(changes, [*changes[1:], None], strict=True):
        yield change.to_stage, change.at, following.at if following is not None else until


def _goes_back(change: StageChange) -> bool:
    if change.from_stage not in STAGES or change.to_stage not in STAGES:
        return False
    return stage_position(change.to_stage) < stage_position(change.from_stage) and change.from_stage != "relationship"


def _stage_time(week: ClientWeek, stage: str, days: Sequence[int]) -> StageTime:
    target, buffer = week.around.stage_target(stage)
    over = sum(one > target + buffer for one in days) if target is not None else 0
    return StageTime(stage, len(days), float(median(days)), target, over)


# --- people and rules -----------------------------------------------------------------------------------------------


def _people(
    around: Surroundings, written: dict[str, int], by_person: dict[str, list[Answer]]
) -> Iterator[PersonReview]:
    for address in sorted({*written, *by_person}, key=lambda one: (-written.get(one, 0), one)):
        hours = [answer.hours for answer in by_person.get(address, ())]
        yield PersonReview(around.name_of(address), address, written.get(address, 0), _median(hours), len(hours))


def _rules(session: Session, period: Period, client_ids: Sequence[int] | None) -> Iterator[RuleReview]:
    query = (
        select(OutboxMessage)
        .where(
            OutboxMessage.audience == "client",
            OutboxMessage.rule != "",
            OutboxMessage.settled_at >= period.start,
            OutboxMessage.settled_at < period.end,
        )
        .order_by(OutboxMessage.settled_at, OutboxMessage.id)
    )
    if client_ids is not None:
        query = query.where(OutboxMessage.client_id.in_(client_ids))
    groups: dict[tuple[str, str], list[OutboxMessage]] = {}
    for row in session.scalars(query):
        groups.setdefault((row.rule, row.rule_version), []).append(row)
    for (rule, version), rows in sorted(groups.items(), key=lambda group: (group[0][0], group[1][0].id)):
        sent = [row for row in rows if row.state in {"sent", "uncertain"}]
        yield RuleReview(
            rule=rule,
            version=version,
            sent=len(sent),
            answered=sum(_was_answered(session, row, sent) for row in sent),
            vetoed=sum(row.state == "vetoed" for row in rows),
            cancelled=sum(row.state == "cancelled" for row in rows),
            refused=sum(row.state == "refused" for row in rows),
        )


def _was_answered(session: Session, row: OutboxMessage, sent: Sequence[OutboxMessage]) -> bool:
    """Whether people of the client wrote after it: within two weeks, and before the same rule wrote again."""
    assert row.settled_at is not None, "rows are chosen by when they were settled"
    about = (row.client_id, row.project_id, row.contact_id if row.project_id is None else None)
    following = [
        other.settled_at
        for other in sent
        if other.settled_at is not None
        and other.settled_at > row.settled_at
        and (other.client_id, other.project_id, other.contact_id if other.project_id is None else None) == about
    ]
    until = min([row.settled_at + ANSWERED_WITHIN, *following])
    query = select(Record.id).where(
        Record.client_id == row.client_id,
        Record.direction == "inbound",
        Record.kind == "human",
        Record.sent_at > row.settled_at,
        Record.sent_at <= until,
    )
    if row.project_id is not None:
        query = query.where(Record.project_id == row.project_id)
    else:
        query = query.where(Record.contact_id == row.contact_id)
    return session.scalar(query.limit(1)) is not None
