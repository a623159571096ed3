"""Days off and make-up days as they were announced, day by day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from assistant.calendar import Calendars
from assistant.calendar.published import is_country, is_subdivision

# The State Council's notices: (first day off, last day off), weekends within included, and the weekend days worked.
ANNOUNCED: dict[int, tuple[tuple[tuple[str, str], ...], tuple[str, ...]]] = {
    2024: (
        (
            ("01-01", "01-01"),
            ("02-10", "02-17"),
            ("04-04", "04-06"),
            ("05-01", "05-05"),
            ("06-10", "06-10"),
            ("09-15", "09-17"),
            ("10-01", "10-07"),
        ),
        ("02-04", "02-18", "04-07", "04-28", "05-11", "09-14", "09-29", "10-12"),
    ),
    2025: (
        (
            ("01-01", "01-01"),
            ("01-28", "02-04"),
            ("04-04", "04-06"),
            ("05-01", "05-05"),
            ("05-31", "06-02"),
            ("10-01", "10-08"),
        ),
        ("01-26", "02-08", "04-27", "09-28", "10-11"),
    ),
    2026: (
        (
            ("01-01", "01-03"),
            ("02-15", "02-23"),
            ("04-04", "04-06"),
            ("05-01", "05-05"),
            ("06-19", "06-21"),
            ("09-25", "09-27"),
            ("10-01", "10-07"),
        ),
        ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10"),
    ),
}


def working_days_of(year: int) -> set[date]:
    """The working days of a year by the notice alone."""
    spans, made_up = ANNOUNCED[year]
    days = {date(year, 1, 1) + timedelta(days=number) for number in range(366)}
    working = {day for day in days if day.year == year and day.weekday() < 5}
    for first, last in spans:
        start, end = date.fromisoformat(f"{year}-{first}"), date.fromisoformat(f"{year}-{last}")
        working -= {start + timedelta(days=number) for number in range((end - start).days + 1)}
    return working | {date.fromisoformat(f"{year}-{day}") for day in made_up}


@pytest.mark.parametrize("year", sorted(ANNOUNCED))
def test_mainland_china_works_on_exactly_the_days_of_the_notice(year: int) -> None:
    calendar = Calendars().country("CN")
    assert {day.date for day in calendar.year(year) if day.working} == working_days_of(year)


@pytest.mark.parametrize("year", sorted(ANNOUNCED))
def test_make_up_days_are_named_and_certain(year: int) -> None:
    calendar = Calendars().country("CN")
    made_up = [day for day in calendar.year(year) if day.kind == "make-up"]
    assert [f"{day.date:%m-%d}" for day in made_up] == list(ANNOUNCED[year][1])
    assert {day.name for day in made_up} == {"调休上班"}
    assert not any(day.provisional for day in calendar.year(year))


def test_a_year_without_an_announcement_is_provisional() -> None:
    calendar = Calendars().country("CN")
    assert calendar.is_provisional(2029)
    assert all(day.provisional for day in calendar.year(2029))
    assert not calendar.is_provisional(2026)
    assert not Calendars().country("US").is_provisional(2029)


# Public holidays on which offices are closed, those on weekends left out.
CLOSED = {
    ("HK", "", 2026): "01-01 02-17 02-18 02-19 04-03 04-06 04-07 05-01 05-25 06-19 07-01 10-01 10-19 12-25",
    ("SG", "", 2026): "01-01 02-17 02-18 04-03 05-01 05-27 06-01 08-10 11-09 12-25",
    ("US", "", 2026): "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25",
    ("US", "", 2025): "01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25",
    ("GB", "", 2026): "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
    ("GB", "SCT", 2026): "01-01 01-02 04-03 05-04 05-25 06-15 08-03 11-30 12-25 12-28",
    ("DE", "", 2026): "01-01 04-03 04-06 05-01 05-14 05-25 12-25",
    ("DE", "BY", 2026): "01-01 01-06 04-03 04-06 05-01 05-14 05-25 06-04 12-25",
    ("JP", "", 2026): "01-01 01-12 02-11 02-23 03-20 04-29 05-04 05-05 05-06 07-20 08-11 09-21 09-22 09-23 10-12 11-03 11-23",
    ("TW", "", 2024): "01-01 02-08 02-09 02-12 02-13 02-14 02-28 04-04 04-05 06-10 09-17 10-10",
}  # fmt: skip


@pytest.mark.parametrize(("country", "subdivision", "year"), sorted(CLOSED))
def test_offices_are_closed_on_public_holidays(country: str, subdivision: str, year: int) -> None:
    calendar = Calendars().country(country, subdivision)
    closed = [f"{day.date:%m-%d}" for day in calendar.year(year) if day.date.weekday() < 5 and not day.working]
    assert closed == CLOSED[(country, subdivision, year)].split()


def test_taiwan_worked_on_a_saturday_in_2024() -> None:
    assert Calendars().country("TW").day(date(2024, 2, 17)).kind == "make-up"


def test_a_country_nobody_knows_has_weekends_and_is_provisional() -> None:
    calendar = Calendars().country("XX")
    assert not calendar.is_working(date(2026, 5, 9))
    assert calendar.is_working(date(2026, 5, 8))
    assert calendar.is_provisional(2026)


def test_countries_and_subdivisions_are_known_by_their_codes() -> None:
    assert is_country("CN")
    assert not is_country("China")
    assert is_subdivision("DE", "BY")
    assert not is_subdivision("DE", "XX")


def test_the_weekend_is_the_country_s_own() -> None:
    friday, sunday = date(2026, 5, 8), date(2026, 5, 10)
    calendar = Calendars().country("SA")
    assert not calendar.is_working(friday)
    assert calendar.is_working(sunday)
