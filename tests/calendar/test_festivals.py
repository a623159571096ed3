"""Festivals by the lunar calendar and by country."""

from __future__ import annotations

from datetime import date

import pytest

from assistant.calendar.festivals import (
    FESTIVALS,
    easter,
    festival_date,
    festivals_of_year,
    lunar_date,
    nth_weekday,
    personal_date,
)

DATES = [
    ("spring-festival", "CN", "2024-02-10"),
    ("spring-festival", "CN", "2025-01-29"),
    ("spring-festival", "HK", "2026-02-17"),
    ("spring-festival", "SG", "2027-02-06"),
    ("spring-festival-eve", "CN", "2026-02-16"),
    ("lantern", "CN", "2026-03-03"),
    ("lantern", "CN", "2025-02-12"),
    ("qingming", "CN", "2026-04-05"),
    ("qingming", "CN", "2025-04-04"),
    ("dragon-boat", "CN", "2024-06-10"),
    ("dragon-boat", "TW", "2025-05-31"),
    ("dragon-boat", "CN", "2026-06-19"),
    ("qixi", "CN", "2025-08-29"),  # a leap sixth month came before
    ("qixi", "CN", "2026-08-19"),
    ("mid-autumn", "CN", "2024-09-17"),
    ("mid-autumn", "CN", "2025-10-06"),
    ("mid-autumn", "HK", "2026-09-25"),
    ("double-ninth", "CN", "2026-10-18"),
    ("winter-solstice", "CN", "2026-12-22"),
    ("winter-solstice", "CN", "2025-12-21"),
    ("national-day", "CN", "2026-10-01"),
    ("national-day", "TW", "2026-10-10"),
    ("national-day", "SG", "2026-08-09"),
    ("national-day", "US", "2026-07-04"),
    ("thanksgiving", "US", "2026-11-26"),
    ("thanksgiving", "US", "2024-11-28"),
    ("thanksgiving", "CA", "2026-10-12"),
    ("christmas", "GB", "2026-12-25"),
    ("new-year", "CN", "2027-01-01"),
    ("easter", "GB", "2026-04-05"),
    ("easter", "DE", "2024-03-31"),
]


@pytest.mark.parametrize(("festival", "country", "day"), DATES)
def test_a_festival_is_on_its_day(festival: str, country: str, day: str) -> None:
    expected = date.fromisoformat(day)
    assert festival_date(festival, expected.year, country) == expected


def test_a_country_without_the_day_has_none() -> None:
    assert festival_date("national-day", 2026, "GB") is None
    assert festival_date("birthday", 2026, "CN") is None


def test_a_year_lists_what_the_country_keeps() -> None:
    chinese = festivals_of_year("CN", 2026)
    american = festivals_of_year("US", 2026)
    assert chinese[date(2026, 2, 17)] == ("spring-festival",)
    assert date(2026, 12, 25) not in chinese
    assert american[date(2026, 11, 26)] == ("thanksgiving",)
    assert list(chinese) == sorted(chinese)


def test_everything_has_a_name_in_three_languages() -> None:
    for festival in FESTIVALS.values():
        assert festival.name("zh-Hans")
        assert festival.name("zh-Hant")
        assert festival.name("en").isascii()
    assert FESTIVALS["mid-autumn"].name("zh-Hant") == "中秋節"


def test_a_leap_day_is_kept_on_the_28th_in_common_years() -> None:
    assert personal_date(date(1992, 2, 29), 2026) == date(2026, 2, 28)
    assert personal_date(date(1992, 2, 29), 2028) == date(2028, 2, 29)


def test_weekdays_lunar_days_and_easter_are_computed() -> None:
    assert nth_weekday(2026, 11, 3, 4) == date(2026, 11, 26)
    assert lunar_date(2025, 6, 1) == date(2025, 6, 25)
    assert [easter(year) for year in (2000, 2038)] == [date(2000, 4, 23), date(2038, 4, 25)]
