"""When a step is due, and when a mail may leave: the client's calendar, joint working days, quiet hours.

All moments are in UTC. A step counted in days is due at its wall time of a working day; one counted in hours when they
have passed, moved to the next moment at which a mail may leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from assistant.cadence.matching import country_of, zone_of
from assistant.cadence.rules import DEFAULT_AT, Duration, Restraint, Step
from assistant.calendar.business import BusinessCalendar, Calendars, WorkingDays, add_business_days, roll_forward
from assistant.calendar.localtime import local_date, local_moment, local_time
from assistant.model.cadence import ClientFacts, ContactFacts

ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Timetable:
    """The time of one contact: zone, the client's calendar (for counting) and the days on which mail may leave."""

    zone: str
    client: BusinessCalendar
    leaving: WorkingDays
    restraint: Restraint

    def date_of(self, moment: datetime) -> date:
        return local_date(moment, self.zone)

    def after(self, moment: datetime, duration: Duration) -> date:
        """The client's date that lies a day-counted duration after a moment."""
        return add_days(self.client, self.date_of(moment), duration)

    def at(self, day: date, at: time | None) -> datetime:
        """The wall time on the first day from `day` on that mail may leave, outside the quiet hours."""
        return self.allowed(local_moment(roll_forward(self.leaving, day), at or DEFAULT_AT, self.zone), at)

    def allowed(self, moment: datetime, at: time | None = None) -> datetime:
        """The first moment from `moment` on at which mail may leave; on another day it leaves at `at`."""
        day = self.date_of(moment)
        clock = local_time(moment, self.zone)
        if self.leaving.is_working(day) and not self.restraint.is_quiet(clock):
            return moment
        preferred = at or DEFAULT_AT
        if self.restraint.is_quiet(preferred):
            preferred = self.restraint.quiet_until
        if not self.leaving.is_working(day) or clock >= preferred:
            day = roll_forward(self.leaving, day + ONE_DAY)
        return local_moment(day, preferred, self.zone)

    def why_not(self, moment: datetime) -> str:
        """The reason why mail may not leave at this moment: holiday, day-off, agency-day-off, quiet-hours or nothing."""
        day = self.date_of(moment)
        if not self.client.is_working(day):
            return "holiday" if self.client.is_holiday(day) else "day-off"
        if not self.leaving.is_working(day):
            return "agency-day-off"
        return "quiet-hours" if self.restraint.is_quiet(local_time(moment, self.zone)) else ""

    def due(self, step: Step, anchor: datetime, delayed: int) -> datetime:
        """When a step is due that counts from `anchor`, in a run that is `delayed` business days behind."""
        if step.after.is_days:
            day = self.after(anchor, step.after)
            if delayed:
                day = add_business_days(self.client, day, delayed)
            moment = self.at(day, step.at)
            return moment if moment > anchor else self.at(day + ONE_DAY, step.at)
        if step.after.unit == "business hours":
            moment = self.client.add_business_hours(anchor, timedelta(hours=step.after.amount), self.zone)
        else:
            moment = anchor + step.after.elapsed()
        if delayed:
            day = add_business_days(self.client, self.date_of(moment), delayed)
            moment = local_moment(day, local_time(moment, self.zone), self.zone)
        return self.allowed(moment)

    def behind(self, planned: datetime, actual: datetime) -> int:
        """By how many of the client's business days something happened later than planned."""
        return max(0, self.client.business_days_between(self.date_of(planned), self.date_of(actual)))

    def is_late(self, due: datetime, now: datetime) -> bool:
        """Later than the restraint's limit: better ask than send."""
        limit = add_days(self.client, self.date_of(due), self.restraint.late)
        return now > local_moment(limit, local_time(due, self.zone), self.zone)


def add_days(calendar: WorkingDays, day: date, duration: Duration) -> date:
    """`day` plus a duration counted in days, weeks or business days."""
    match duration.unit:
        case "business days":
            return add_business_days(calendar, day, duration.amount)
        case "days":
            return day + timedelta(days=duration.amount)
        case "weeks":
            return day + timedelta(weeks=duration.amount)
    raise ValueError(f"{duration} is not counted in days")


def timetable(
    client: ClientFacts,
    contact: ContactFacts | None,
    calendars: Calendars,
    restraint: Restraint,
    *,
    days: str = "both",
) -> Timetable:
    """The time of a contact. `days` is `both` (client and agency work) or `client`."""
    country, subdivision = country_of(client, contact)
    calendar = calendars.client(country, subdivision, client.name, client.closing_days)
    leaving: WorkingDays = calendar if days == "client" else calendars.together(calendar)
    return Timetable(zone_of(client, contact), calendar, leaving, restraint)
