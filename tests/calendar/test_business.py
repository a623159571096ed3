"""Business days and hours: counted in calendars, zones and across clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.calendar import BusinessCalendar, CalendarRule, Calendars, Overrides
from assistant.calendar.business import add_business_days, business_days_between, roll_back, roll_forward
from assistant.calendar.localtime import is_zone, local_date, local_moment, local_time, zone

# country (with subdivision), date, business days, date reached
DAYS = [
    ("CN", "2026-02-12", 3, "2026-02-24"),  # 14 February is a working Saturday
    ("CN", "2026-09-30", 3, "2026-10-10"),  # a working Saturday after the National Day week
    ("CN", "2026-02-13", 1, "2026-02-14"),
    ("CN", "2026-02-14", 1, "2026-02-24"),
    ("CN", "2026-02-20", 1, "2026-02-24"),  # from within the holiday
    ("CN", "2026-01-01", 1, "2026-01-04"),  # a working Sunday
    ("CN", "2026-04-30", 2, "2026-05-07"),
    ("CN", "2026-05-08", 1, "2026-05-09"),
    ("CN", "2026-09-18", 1, "2026-09-20"),
    ("CN", "2025-01-24", 1, "2025-01-26"),
    ("CN", "2025-09-30", 1, "2025-10-09"),
    ("CN", "2025-10-09", 2, "2025-10-11"),
    ("CN", "2024-02-09", 1, "2024-02-18"),
    ("CN", "2026-02-24", -3, "2026-02-12"),
    ("CN", "2026-02-17", 0, "2026-02-24"),
    ("CN", "2026-02-16", -1, "2026-02-14"),
    ("HK", "2026-02-16", 1, "2026-02-20"),
    ("HK", "2026-04-02", 1, "2026-04-08"),
    ("TW", "2024-02-16", 1, "2024-02-17"),
    ("SG", "2026-02-16", 1, "2026-02-19"),
    ("US", "2026-07-02", 1, "2026-07-06"),  # Independence Day on a Saturday is observed on Friday
    ("US", "2026-11-25", 1, "2026-11-27"),
    ("GB", "2026-04-02", 1, "2026-04-07"),
    ("GB-SCT", "2026-04-02", 1, "2026-04-06"),  # Easter Monday is worked in Scotland
    ("DE", "2026-10-02", 1, "2026-10-05"),
    ("DE-BY", "2026-06-03", 1, "2026-06-05"),
    ("JP", "2026-05-01", 1, "2026-05-07"),
    ("JP", "2026-09-18", 1, "2026-09-24"),
]


def calendar_of(place: str) -> BusinessCalendar:
    country, _, part = place.partition("-")
    return Calendars().country(country, part)


@pytest.mark.parametrize(("place", "start", "count", "reached"), DAYS)
def test_business_days_are_counted(place: str, start: str, count: int, reached: str) -> None:
    found = calendar_of(place).add_business_days(date.fromisoformat(start), count)
    assert found.isoformat() == reached


# place, zone, from, to (both with offset), worked hours between
HOURS = [
    ("CN", "Asia/Shanghai", "2026-03-09T10:00+08:00", "2026-03-09T12:00+08:00", 2),
    ("CN", "Asia/Shanghai", "2026-03-09T11:00+08:00", "2026-03-09T14:00+08:00", 2),  # lunch is no work
    ("CN", "Asia/Shanghai", "2026-03-09T17:00+08:00", "2026-03-10T10:00+08:00", 2),
    ("CN", "Asia/Shanghai", "2026-02-13T17:00+08:00", "2026-02-14T10:00+08:00", 2),  # a working Saturday
    ("CN", "Asia/Shanghai", "2026-02-14T17:00+08:00", "2026-02-24T10:00+08:00", 2),  # over the Spring Festival
    ("CN", "Asia/Shanghai", "2026-02-16T08:00+08:00", "2026-02-20T20:00+08:00", 0),
    ("CN", "Asia/Shanghai", "2026-03-09T20:00+08:00", "2026-03-09T23:00+08:00", 0),
    ("CN", "Asia/Shanghai", "2026-03-09T00:00Z", "2026-03-09T04:00Z", 3),  # 08:00 to 12:00 in Shanghai
    ("CN", "Asia/Shanghai", "2026-03-09T09:00+08:00", "2026-03-13T18:00+08:00", 40),
    ("CN", "Asia/Urumqi", "2026-03-09T09:00+06:00", "2026-03-09T18:00+06:00", 8),
    ("US", "America/New_York", "2026-03-06T17:00-05:00", "2026-03-09T10:00-04:00", 2),  # clocks go forward between
    ("US", "America/New_York", "2026-10-30T17:00-04:00", "2026-11-02T10:00-05:00", 2),  # clocks go back between
    ("US", "America/Los_Angeles", "2026-07-02T17:00-07:00", "2026-07-06T10:00-07:00", 2),
    ("GB", "Europe/London", "2026-03-27T17:00+00:00", "2026-03-30T10:00+01:00", 2),
    ("GB", "Europe/London", "2026-12-24T17:00+00:00", "2026-12-29T10:00+00:00", 2),
    ("DE", "Europe/Berlin", "2026-10-23T17:00+02:00", "2026-10-26T10:00+01:00", 2),
    ("JP", "Asia/Tokyo", "2026-05-01T17:00+09:00", "2026-05-07T10:00+09:00", 2),
    ("HK", "Asia/Hong_Kong", "2026-02-16T17:00+08:00", "2026-02-20T10:00+08:00", 2),
]


@pytest.mark.parametrize(("place", "zone_name", "start", "end", "hours"), HOURS)
def test_business_hours_are_counted_both_ways(place: str, zone_name: str, start: str, end: str, hours: int) -> None:
    calendar = calendar_of(place)
    first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
    assert calendar.business_hours_between(first, last, zone_name) == timedelta(hours=hours)
    assert calendar.business_hours_between(last, first, zone_name) == -timedelta(hours=hours)


# zone, local date and time, the moment meant
WALL_TIMES = [
    ("Asia/Shanghai", "2026-02-24T10:00", "2026-02-24T02:00Z"),
    ("America/New_York", "2026-03-08T01:59", "2026-03-08T06:59Z"),
    ("America/New_York", "2026-03-08T02:30", "2026-03-08T07:30Z"),  # skipped: 03:30 is shown then
    ("America/New_York", "2026-03-08T03:30", "2026-03-08T07:30Z"),
    ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30Z"),  # comes twice: the first
    ("America/New_York", "2026-11-01T02:30", "2026-11-01T07:30Z"),
    ("Europe/London", "2026-03-29T01:30", "2026-03-29T01:30Z"),  # skipped: 02:30 is shown then
    ("Europe/London", "2026-10-25T01:30", "2026-10-25T00:30Z"),
    ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30Z"),
    ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30Z"),
    ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:45Z"),  # a gap of half an hour
    ("Asia/Kathmandu", "2026-05-05T10:00", "2026-05-05T04:15Z"),
    ("America/Sao_Paulo", "2018-11-04T00:00", "2018-11-04T03:00Z"),  # midnight itself was skipped
]


@pytest.mark.parametrize(("zone_name", "wall", "moment"), WALL_TIMES)
def test_a_wall_time_stands_for_one_moment(zone_name: str, wall: str, moment: str) -> None:
    shown = datetime.fromisoformat(wall)
    assert local_moment(shown.date(), shown.time(), zone_name) == datetime.fromisoformat(moment)


def test_a_zone_nobody_knows_is_named_in_the_error() -> None:
    assert not is_zone("Asia/Shangai")
    with pytest.raises(ValueError, match="Asia/Shangai"):
        zone("Asia/Shangai")


def test_overrides_of_a_country_change_days_and_end_the_forecast() -> None:
    rule = CalendarRule(
        country="CN", off=frozenset({date(2029, 2, 12)}), on=frozenset({date(2029, 2, 11)}), years=frozenset({2029})
    )
    calendar = Calendars(overrides=Overrides((rule,))).country("CN")
    assert not calendar.is_working(date(2029, 2, 12))
    assert calendar.day(date(2029, 2, 11)).kind == "make-up"
    assert not calendar.is_provisional(2029)
    assert not calendar.day(date(2029, 3, 1)).provisional


def test_the_agency_s_and_a_client_s_own_days_count_for_them_alone() -> None:
    day = date(2026, 3, 10)
    agency = CalendarRule(agency=True, off=frozenset({day}), why="年会")
    client = CalendarRule(client="云杉茶业", off=frozenset({day + timedelta(days=1)}))
    calendars = Calendars(overrides=Overrides((agency, client)))
    assert calendars.agency.day(day).kind == "closing"
    assert calendars.agency.day(day).name == "年会"
    assert calendars.client("CN", name="Somebody").is_working(day)
    assert not calendars.client("CN", name="云杉茶业").is_working(day + timedelta(days=1))


def test_a_client_s_closing_days_win_over_make_up_days() -> None:
    calendar = Calendars().client("CN", closing_days=[date(2026, 2, 14)])
    assert not calendar.is_working(date(2026, 2, 14))
    assert calendar.is_holiday(date(2026, 2, 14))


def test_both_work_only_when_each_does() -> None:
    calendars = Calendars("CN")
    both = calendars.together(calendars.client("US"))
    assert not both.is_working(date(2026, 2, 14))  # a Saturday in New York
    assert not both.is_working(date(2026, 2, 18))  # Spring Festival in China
    assert both.is_working(date(2026, 2, 25))


def test_a_weekend_inside_a_holiday_is_holiday_and_another_is_not() -> None:
    calendar = Calendars().country("CN")
    assert calendar.is_holiday(date(2026, 2, 21))
    assert not calendar.is_holiday(date(2026, 3, 7))
    assert not calendar.is_holiday(date(2026, 2, 14))


def test_office_hours_and_lunch_can_be_set() -> None:
    rule = CalendarRule(agency=True, opens=time(9, 30), closes=time(18, 30), lunch=(time(12, 0), time(13, 30)))
    agency = Calendars(overrides=Overrides((rule,))).agency
    start = datetime(2026, 3, 9, 1, 0, tzinfo=UTC)
    assert agency.business_hours_between(start, start + timedelta(hours=12), "Asia/Shanghai") == timedelta(hours=7.5)


def test_somebody_who_never_works_is_an_error_and_no_endless_loop() -> None:
    class Never:
        def is_working(self, day: date) -> bool:
            return False

    with pytest.raises(ValueError, match="closing days"):
        roll_forward(Never(), date(2026, 1, 1))
    with pytest.raises(ValueError, match="closing days"):
        roll_back(Never(), date(2026, 1, 1))


PLACES = st.sampled_from(["CN", "HK", "US", "GB", "DE-BY", "JP", "SG", "TW"])
DATES = st.dates(date(2024, 1, 1), date(2026, 12, 31))


@given(PLACES, DATES, st.integers(1, 40))
def test_counting_there_and_back_agrees(place: str, start: date, count: int) -> None:
    calendar = calendar_of(place)
    reached = add_business_days(calendar, start, count)
    assert calendar.is_working(reached)
    assert business_days_between(calendar, start, reached) == count
    assert business_days_between(calendar, reached, start) == -count


@given(PLACES, DATES, st.integers(1, 20), st.integers(1, 20))
def test_counting_in_two_parts_is_counting_once(place: str, start: date, first: int, second: int) -> None:
    calendar = calendar_of(place)
    assert add_business_days(calendar, add_business_days(calendar, start, first), second) == add_business_days(
        calendar, start, first + second
    )


ZONES = st.sampled_from(["Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Apia"])


@given(ZONES, DATES, st.times().map(lambda at: at.replace(microsecond=0)))
def test_a_wall_time_comes_back_or_was_skipped(zone_name: str, day: date, at: time) -> None:
    moment = local_moment(day, at, zone_name)
    shown = datetime.combine(local_date(moment, zone_name), local_time(moment, zone_name))
    assert timedelta(0) <= shown - datetime.combine(day, at) <= timedelta(hours=1)


@given(PLACES, DATES, st.integers(0, 23), st.integers(0, 100))
def test_hours_added_are_hours_between(place: str, day: date, hour: int, span: int) -> None:
    calendar = calendar_of(place)
    start = datetime.combine(day, time(hour), tzinfo=UTC)
    reached = calendar.add_business_hours(start, timedelta(hours=span), "Europe/London")
    assert calendar.business_hours_between(start, reached, "Europe/London") == timedelta(hours=span)
