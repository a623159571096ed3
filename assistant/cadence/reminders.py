"""What colleagues are reminded of: decided from open projects, clients and what waits in the outbox; nothing to clients.

Every reminder has a key of what it is about and how far it has come, so that it is given once. Those that are not urgent
carry the time of the person's next morning mail; `bundle` puts them together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from assistant.cadence.matching import client_misses, owner_of, project_misses
from assistant.cadence.people import first_of, next_of
from assistant.cadence.rules import Duration, Reminder, Rulebook
from assistant.cadence.timing import ONE_DAY, add_days
from assistant.calendar.business import Calendars, roll_forward
from assistant.calendar.festivals import personal_date
from assistant.calendar.localtime import local_date, local_moment, local_time
from assistant.model.cadence import (
    ClientFacts,
    Decision,
    ProjectFacts,
    ReminderFacts,
    ReminderKind,
    RemindStaff,
    StaffFacts,
    TraceEntry,
    WaitedMessage,
)
from assistant.model.process import STAGES, stage_position


@dataclass(frozen=True)
class Desk:
    """What every kind of reminder needs beside its own facts."""

    rulebook: Rulebook
    calendars: Calendars
    now: datetime
    staff: tuple[StaffFacts, ...]
    operator: str = ""
    later: list[datetime] = field(default_factory=list)
    """When something that is not due yet will be."""

    @property
    def zone(self) -> str:
        return self.calendars.agency_timezone

    @property
    def today(self) -> date:
        return local_date(self.now, self.zone)

    def has_come(self, moment: datetime) -> bool:
        """Whether it is time; if not, the moment is kept as one at which to look again."""
        if self.now >= moment:
            return True
        self.later.append(moment)
        return False

    @property
    def look_again_at(self) -> datetime:
        """Nothing can be due before: what goes by the day waits for the agency's midnight."""
        return min([*self.later, local_moment(self.today + ONE_DAY, time(0), self.zone)])

    def after(self, moment: datetime, duration: Duration) -> datetime:
        """The moment a duration later, in the agency's business time."""
        agency = self.calendars.agency
        if duration.is_days:
            day = add_days(agency, local_date(moment, self.zone), duration)
            return local_moment(day, local_time(moment, self.zone), self.zone)
        if duration.unit == "business hours":
            return agency.add_business_hours(moment, timedelta(hours=duration.amount), self.zone)
        return moment + duration.elapsed()

    def before(self, moment: datetime, start: datetime, duration: Duration) -> datetime:
        """`duration` of working time before `moment`, not before `start`."""
        agency = self.calendars.agency
        if duration.unit != "business hours":
            return max(start, moment - duration.elapsed())
        total = agency.business_hours_between(start, moment, self.zone)
        span = max(timedelta(0), total - timedelta(hours=duration.amount))
        return agency.add_business_hours(start, span, self.zone)

    def morning(self, rule: Reminder, person: StaffFacts | None) -> datetime:
        """The next morning mail of a colleague; this morning's while it has not been due for more than an hour."""
        zone = person.timezone if person is not None else self.zone
        day = local_date(self.now, zone)
        if local_moment(day, rule.at, zone) + timedelta(hours=1) < self.now:
            day += ONE_DAY
        return local_moment(roll_forward(self.calendars.agency, day), rule.at, zone)


def decide_reminders(facts: ReminderFacts, rulebook: Rulebook, calendars: Calendars, now: datetime) -> Decision:
    """Everything colleagues should be told at `now`, by every reminder rule."""
    desk = Desk(rulebook, calendars, now, facts.staff, facts.operator)
    effects: list[RemindStaff] = []
    trace: list[TraceEntry] = []
    for rule in rulebook.reminders:
        found = list(_by_rule(rule, facts, desk))
        effects += found
        trace.append(TraceEntry(rule.name, bool(found), "due" if found else "nothing", f"{len(found)} to tell"))
    return Decision(tuple(_once(effects)), tuple(trace), desk.look_again_at)


def _once(effects: Iterable[RemindStaff]) -> Iterator[RemindStaff]:
    seen: set[str] = set()
    for effect in effects:
        if effect.dedupe_key not in seen and effect.to:
            seen.add(effect.dedupe_key)
            yield effect


def _by_rule(rule: Reminder, facts: ReminderFacts, desk: Desk) -> Iterator[RemindStaff]:
    match rule.about:
        case "waiting":
            yield from _waiting(rule, facts, desk)
        case "birthday":
            for client in facts.clients:
                if not client_misses(rule.when, rule.unless, client, None):
                    yield from _birthdays(rule, client, desk)
        case "no-contact":
            yield from _no_contact(rule, facts, desk)
        case _:
            for project in facts.projects:
                if not project.closed and not _misses(rule, project):
                    yield from _BY_PROJECT[rule.about](rule, project, desk)


def _misses(rule: Reminder, project: ProjectFacts) -> str:
    return project_misses(rule.when, rule.unless, project, None)


def _questions(rule: Reminder, project: ProjectFacts, desk: Desk) -> Iterator[RemindStaff]:
    """Warn before the promised time, once; when it has passed long enough, tell the next role, once."""
    owner = owner_of(project)
    for question in project.questions:
        promised = question.promised_at or desk.after(question.asked_at, rule.promise)
        warn_at = desk.before(promised, question.asked_at, rule.before)
        text = question.summary or question.subject
        if desk.has_come(warn_at):
            person = first_of(rule.to, owner, desk.staff)
            key = f"remind:question:{question.record_id}"
            yield _remind(
                "question",
                rule,
                person,
                desk,
                text,
                key,
                project,
                urgent=rule.urgent,
                record_id=question.record_id,
                contact_id=question.contact_id,
                due_at=promised,
            )
        if rule.escalate_after is not None and desk.has_come(desk.after(promised, rule.escalate_after)):
            told = first_of(rule.to, owner, desk.staff)
            person = next_of(rule.escalate_to, told, owner, desk.staff, desk.operator)
            key = f"remind:escalation:{question.record_id}"
            yield _remind(
                "escalation",
                rule,
                person,
                desk,
                text,
                key,
                project,
                urgent=True,
                record_id=question.record_id,
                contact_id=question.contact_id,
                due_at=promised,
            )


def _commitments(rule: Reminder, project: ProjectFacts, desk: Desk) -> Iterator[RemindStaff]:
    for promise in project.commitments:
        if desk.today < promise.due_on - timedelta(days=rule.days_before):
            continue
        level = "overdue" if desk.today > promise.due_on else "due"
        person = next((one for one in desk.staff if one.address == promise.staff), None)
        if promise.by == "client" or person is None:
            person = first_of(rule.to, owner_of(project), desk.staff)
        key = f"remind:commitment:{promise.commitment_id}:{level}"
        due_at = local_moment(promise.due_on, rule.at, desk.zone)
        yield _remind(
            "commitment", rule, person, desk, promise.what, key, project, due_at=due_at, record_id=promise.record_id
        )


def _over_target(rule: Reminder, project: ProjectFacts, desk: Desk) -> Iterator[RemindStaff]:
    stage = desk.rulebook.stages.get(project.stage)
    if stage is None or stage.target is None:
        return
    allowed = stage.target.amount + stage.buffer.amount
    begun = local_date(project.stage_since, desk.zone)
    spent = desk.calendars.agency.business_days_between(begun, desk.today)
    if spent > allowed:
        person = first_of(rule.to, owner_of(project), desk.staff)
        key = f"remind:stage-over-target:{project.project_id}:{project.stage}:{begun}"
        text = f"{spent} / {stage.target.amount}"
        yield _remind("stage-over-target", rule, person, desk, text, key, project)


def _sign_offs(rule: Reminder, project: ProjectFacts, desk: Desk) -> Iterator[RemindStaff]:
    """What an earlier stage should have had approved, while the project is already beyond it."""
    for stage_id in STAGES[: stage_position(project.stage)]:
        stage = desk.rulebook.stages.get(stage_id)
        if stage is not None and stage.sign_off and stage.sign_off not in project.signed_off:
            person = first_of(rule.to, owner_of(project), desk.staff)
            key = f"remind:sign-off-missing:{project.project_id}:{stage.sign_off}"
            yield _remind("sign-off-missing", rule, person, desk, stage.sign_off, key, project)


_BY_PROJECT = {
    "question": _questions,
    "commitment": _commitments,
    "stage-over-target": _over_target,
    "sign-off-missing": _sign_offs,
}


def _waiting(rule: Reminder, facts: ReminderFacts, desk: Desk) -> Iterator[RemindStaff]:
    for item in facts.waiting:
        if desk.has_come(desk.after(item.since, rule.after)):
            person = next((one for one in desk.staff if one.address == item.to), None)
            key = f"remind:waiting:{item.outbox_id}:{desk.today}"
            person = person or StaffFacts(item.to, item.to, timezone=desk.zone)
            yield _remind("waiting", rule, person, desk, item.subject, key, None, project_id=item.project_id)


def _no_contact(rule: Reminder, facts: ReminderFacts, desk: Desk) -> Iterator[RemindStaff]:
    """Once for each silence: the key holds the message that it began with."""
    latest: dict[int, tuple[WaitedMessage, ProjectFacts]] = {}
    for project in facts.projects:
        last = project.last_contact
        if last is None or _misses(rule, project):
            continue
        known = latest.get(project.client.client_id)
        if known is None or known[0].sent_at < last.sent_at:
            latest[project.client.client_id] = (last, project)
    for client_id, (last, project) in sorted(latest.items()):
        if desk.has_come(desk.after(last.sent_at, rule.after)):
            person = first_of(rule.to, owner_of(project), desk.staff)
            key = f"remind:no-contact:{client_id}:{last.record_id}"
            text = f"{local_date(last.sent_at, desk.zone)}"
            yield _remind("no-contact", rule, person, desk, text, key, project, record_id=last.record_id)


def _birthdays(rule: Reminder, client: ClientFacts, desk: Desk) -> Iterator[RemindStaff]:
    for contact in client.contacts:
        if contact.birthday is None or contact.left:
            continue
        for year in (desk.today.year, desk.today.year + 1):
            day = personal_date(contact.birthday, year)
            if day - timedelta(days=rule.days_before) <= desk.today <= day:
                person = first_of(rule.to, client.owner, desk.staff)
                key = f"remind:birthday:{contact.contact_id}:{year}"
                text = f"{contact.name} {day}"
                yield _remind(
                    "birthday",
                    rule,
                    person,
                    desk,
                    text,
                    key,
                    None,
                    client_id=client.client_id,
                    contact_id=contact.contact_id,
                )


def _remind(
    kind: ReminderKind,
    rule: Reminder,
    person: StaffFacts | None,
    desk: Desk,
    text: str,
    key: str,
    project: ProjectFacts | None,
    *,
    urgent: bool | None = None,
    project_id: int | None = None,
    client_id: int | None = None,
    contact_id: int | None = None,
    record_id: int | None = None,
    due_at: datetime | None = None,
) -> RemindStaff:
    at_once = rule.urgent if urgent is None else urgent
    return RemindStaff(
        kind=kind,
        to=person.address if person is not None else "",
        urgent=at_once,
        not_before=_next_working_moment(desk) if at_once else desk.morning(rule, person),
        text=text,
        rule=rule.name,
        version=rule.version,
        dedupe_key=f"{key}:{person.address if person is not None else ''}",
        project_id=project.project_id if project is not None else project_id,
        client_id=project.client.client_id if project is not None else client_id,
        contact_id=contact_id,
        record_id=record_id,
        due_at=due_at,
    )


def _next_working_moment(desk: Desk) -> datetime:
    """Urgent ones leave at once, but in working hours."""
    return desk.calendars.agency.add_business_hours(desk.now, timedelta(0), desk.zone)


def bundle(reminders: Iterable[RemindStaff]) -> dict[tuple[str, datetime, bool], tuple[RemindStaff, ...]]:
    """(address, when, urgent) → what goes into one mail, in the order of how much it presses."""
    order = ("escalation", "question", "commitment", "sign-off-missing", "stage-over-target", "waiting", "no-contact")
    rank = {kind: number for number, kind in enumerate((*order, "birthday"))}
    mails: dict[tuple[str, datetime, bool], list[RemindStaff]] = defaultdict(list)
    for reminder in reminders:
        mails[(reminder.to, reminder.not_before, reminder.urgent)].append(reminder)
    return {
        key: tuple(sorted(items, key=lambda item: (rank[item.kind], item.due_at or item.not_before, item.dedupe_key)))
        for key, items in sorted(mails.items())
    }
