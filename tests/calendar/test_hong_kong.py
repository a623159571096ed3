"""Hong Kong's offices work Monday to Friday, whatever the law's day of rest is."""

from __future__ import annotations

from datetime import date

from assistant.calendar import CalendarRule, Calendars, Overrides

SATURDAY = date(2026, 3, 7)


def test_a_saturday_is_no_business_day() -> None:
    hong_kong = Calendars().country("HK", "")
    assert not hong_kong.is_working(SATURDAY)
    assert hong_kong.day(SATURDAY).kind == "weekend"
    assert hong_kong.add_business_days(date(2026, 3, 6), 1) == date(2026, 3, 9)


def test_an_agency_that_works_on_a_saturday_says_so() -> None:
    rule = CalendarRule(country="HK", on=frozenset({SATURDAY}))
    assert Calendars(overrides=Overrides((rule,))).country("HK", "").is_working(SATURDAY)
