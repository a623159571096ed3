"""Which days and hours people work: of a country, with what the agency and the client know better, and of both together.

A `BusinessCalendar` answers for local dates; moments come in and go out aware (out: UTC), with the zone named by whoever
asks. All answers are cached by year, so that asking a hundred thousand times costs little.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Literal, Protocol

from assistant.calendar.localtime import local_date, local_moment
from assistant.calendar.overrides import CalendarRule, Overrides
from assistant.calendar.published import MAKE_UP_DAY, published_year

DayKind = Literal["working", "weekend", "holiday", "make-up", "closing"]
ONE_DAY: Final = timedelta(days=1)
NO_OVERRIDES: Final = Overrides()
FURTHEST: Final = 400
"""Days to look ahead for a working day before giving up; no arrangement closes longer than a year."""


@dataclass(frozen=True, slots=True)
class Day:
    """One date: is it worked, what kind of day is it, its name if it has one, and is that only a forecast."""

    date: date
    working: bool
    kind: DayKind
    name: str = ""
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Hours:
    """Office hours of a working day by the wall clock, without the lunch break."""

    opens: time = time(9, 0)
    closes: time = time(18, 0)
    lunch: tuple[time, time] | None = (time(12, 0), time(13, 0))

    def spans(self) -> tuple[tuple[time, time], ...]:
        if self.lunch is None:
            return ((self.opens, self.closes),)
        return ((self.opens, self.lunch[0]), (self.lunch[1], self.closes))


class WorkingDays(Protocol):
    """Anything that knows which dates are worked."""

    def is_working(self, day: date) -> bool: ...


@dataclass(frozen=True)
class BusinessCalendar:
    """The working days of a country (and subdivision), changed by `rules` and by somebody's own closing days.

    `closing_days` win over `rules`, rules over what is published; of the rules the first that names the date.
    """

    country: str
    subdivision: str = ""
    rules: tuple[CalendarRule, ...] = ()
    closing_days: frozenset[date] = frozenset()

    def day(self, day: date) -> Day:
        """Everything known about one date."""
        return _year_of(self, day.year)[(day - date(day.year, 1, 1)).days]

    def year(self, year: int) -> tuple[Day, ...]:
        """All days of a year, in order."""
        return _year_of(self, year)

    def is_working(self, day: date) -> bool:
        return self.day(day).working

    def is_holiday(self, day: date) -> bool:
        """A day off that is more than a weekend: a public holiday, a day in lieu, a closing day, or a weekend inside
        one of these. A make-up day is not.
        """
        if self.day(day).working:
            return False
        if self.day(day).kind in ("holiday", "closing"):
            return True
        before, after = day - ONE_DAY, day + ONE_DAY
        while self.day(before).kind == "weekend":
            before -= ONE_DAY
        while self.day(after).kind == "weekend":
            after += ONE_DAY
        return self.day(before).kind in ("holiday", "closing") and self.day(after).kind in ("holiday", "closing")

    def is_provisional(self, year: int) -> bool:
        """The year's make-up arrangement is not published; some of its days may still move."""
        if any(year in rule.years for rule in self.rules):
            return False
        return published_year(self.country, self.subdivision, year).provisional

    @property
    def hours(self) -> Hours:
        hours = Hours()
        for rule in reversed(self.rules):
            hours = replace(
                hours,
                opens=rule.opens or hours.opens,
                closes=rule.closes or hours.closes,
                lunch=rule.lunch or hours.lunch,
            )
        return hours

    def add_business_days(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`; 0 is `day` itself if worked, else the next working day."""
        return add_business_days(self, day, count)

    def business_days_between(self, first: date, last: date) -> int:
        """How many working days lie after `first` up to and including `last`; negative when `last` is earlier."""
        return business_days_between(self, first, last)

    def working_spans(self, day: date, zone: str) -> Iterator[tuple[datetime, datetime]]:
        """The moments (UTC) between which a working day is worked, morning and afternoon; nothing on a day off."""
        if not self.is_working(day):
            return
        for opens, closes in self.hours.spans():
            start, end = local_moment(day, opens, zone), local_moment(day, closes, zone)
            if start < end:
                yield start, end

    def business_hours_between(self, start: datetime, end: datetime, zone: str) -> timedelta:
        """Worked time from `start` to `end` (aware); negative when `end` is earlier."""
        if end < start:
            return -self.business_hours_between(end, start, zone)
        total = timedelta(0)
        day, last = local_date(start, zone), local_date(end, zone)
        while day <= last:
            for opens, closes in self.working_spans(day, zone):
                total += max(timedelta(0), min(closes, end) - max(opens, start))
            day += ONE_DAY
        return total

    def add_business_hours(self, start: datetime, span: timedelta, zone: str) -> datetime:
        """The moment (UTC) at which `span` of worked time has passed since `start`. `span` is not negative."""
        day, left = local_date(start, zone), span
        for _ in range(FURTHEST * 10):
            for opens, closes in self.working_spans(day, zone):
                begin = max(opens, start)
                if begin >= closes:
                    continue
                if left <= closes - begin:
                    return begin + left
                left -= closes - begin
            day += ONE_DAY
        raise ValueError("there are not enough working hours within ten years")


@dataclass(frozen=True)
class JointCalendar:
    """Days on which everybody works."""

    calendars: tuple[BusinessCalendar, ...]

    def is_working(self, day: date) -> bool:
        return all(calendar.is_working(day) for calendar in self.calendars)


def roll_forward(calendar: WorkingDays, day: date) -> date:
    """`day` if it is worked, else the next day that is. Raises ValueError after more than a year without one."""
    for _ in range(FURTHEST):
        if calendar.is_working(day):
            return day
        day += ONE_DAY
    raise ValueError("no working day within a year; look at the closing days in rules/calendar.toml")


def roll_back(calendar: WorkingDays, day: date) -> date:
    """`day` if it is worked, else the last day before that is. Raises ValueError after more than a year."""
    for _ in range(FURTHEST):
        if calendar.is_working(day):
            return day
        day -= ONE_DAY
    raise ValueError("no working day within a year; look at the closing days in rules/calendar.toml")


def add_business_days(calendar: WorkingDays, day: date, count: int) -> date:
    """The `count`-th working day after (before, when negative) `day`; 0 rolls forward to a working day."""
    if count == 0:
        return roll_forward(calendar, day)
    step = ONE_DAY if count > 0 else -ONE_DAY
    roll = roll_forward if count > 0 else roll_back
    for _ in range(abs(count)):
        day = roll(calendar, day + step)
    return day


def business_days_between(calendar: WorkingDays, first: date, last: date) -> int:
    """How many working days lie after `first` up to and including `last`; negative when `last` is earlier."""
    if last < first:
        return -business_days_between(calendar, last, first)
    return sum(calendar.is_working(first + timedelta(days=offset)) for offset in range(1, (last - first).days + 1))


@lru_cache(maxsize=4096)
def _year_of(calendar: BusinessCalendar, year: int) -> tuple[Day, ...]:
    start = date(year, 1, 1)
    return tuple(_look_up(calendar, start + timedelta(days=n)) for n in range((date(year + 1, 1, 1) - start).days))


def _look_up(calendar: BusinessCalendar, day: date) -> Day:
    table = published_year(calendar.country, calendar.subdivision, day.year)
    name = table.off.get(day, "")
    provisional = calendar.is_provisional(day.year) or day in table.estimated
    if day in calendar.closing_days:
        return Day(day, working=False, kind="closing", name=name)
    weekend = day.weekday() in table.weekend
    for rule in calendar.rules:
        if day in rule.off:
            kind: DayKind = "holiday" if rule.country else "closing"
            return Day(day, working=False, kind=kind, name=rule.why or name)
        if day in rule.on:
            kind = "make-up" if weekend else "working"
            return Day(day, working=True, kind=kind, name=rule.why or (MAKE_UP_DAY if weekend else ""))
    if day in table.on:
        return Day(day, working=True, kind="make-up", name=table.on[day])
    if name:
        return Day(day, working=False, kind="holiday", name=name, provisional=provisional)
    return Day(day, not weekend, "weekend" if weekend else "working", provisional=provisional)


@dataclass(frozen=True)
class Calendars:
    """The calendars of the agency and of its clients, with the overrides of `rules/calendar.toml`."""

    agency_country: str = "CN"
    agency_subdivision: str = ""
    agency_timezone: str = "Asia/Shanghai"
    overrides: Overrides = NO_OVERRIDES

    @property
    def agency(self) -> BusinessCalendar:
        return _agency(self)

    def country(self, country: str, subdivision: str = "") -> BusinessCalendar:
        return BusinessCalendar(country, subdivision, self.overrides.for_country(country))

    def client(
        self, country: str, subdivision: str = "", name: str = "", closing_days: Iterable[date] = ()
    ) -> BusinessCalendar:
        """The calendar of a client by its country, its name in `[[calendar]] client = …`, and its own closing days."""
        return _client(self, country, subdivision, name, tuple(closing_days))

    def together(self, client: BusinessCalendar) -> JointCalendar:
        """Days on which the client and the agency work."""
        return JointCalendar((client, self.agency))


@lru_cache(maxsize=64)
def _agency(calendars: Calendars) -> BusinessCalendar:
    overrides = calendars.overrides
    rules = overrides.for_agency() + overrides.for_country(calendars.agency_country)
    return BusinessCalendar(calendars.agency_country, calendars.agency_subdivision, rules)


@lru_cache(maxsize=4096)
def _client(
    calendars: Calendars, country: str, subdivision: str, name: str, closing_days: tuple[date, ...]
) -> BusinessCalendar:
    overrides = calendars.overrides
    rules = overrides.for_client(name) + overrides.for_country(country)
    return BusinessCalendar(country, subdivision, rules, frozenset(closing_days))
