"""Public holidays and make-up working days as published, one country, subdivision and year at a time.

Behind it is the `holidays` library. What it does not say by itself is decided here: which categories count as days off,
which subdivision stands for a country when none is given, and when a year is only a forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

MAKE_UP_COUNTRIES: Final = frozenset({"CN"})
"""Where every year's arrangement moves working days to weekends; a year without any is not published yet."""

CATEGORIES: Final[dict[str, tuple[str, ...]]] = {"HK": ("public", "optional")}
"""Hong Kong's offices close on all 17 general holidays, not only on the 14 statutory ones."""

OFFICE_WEEKEND: Final[dict[str, frozenset[int]]] = {"HK": frozenset({5, 6})}
"""Where the law's weekend is not the offices'. Hong Kong's rest day by law is Sunday alone, and banks open on Saturday
mornings; but the government, agencies and the marketing departments they write to keep a five-day week, Monday to Friday.
Whoever works on Saturdays says so in `rules/calendar.toml`."""

DEFAULT_SUBDIVISION: Final = {"GB": "ENG"}
"""Without a subdivision the library knows no Easter Monday for Britain."""

NEEDS_SUBDIVISION: Final = frozenset({"DE", "AU", "CA", "CH", "ES", "IN", "MY", "US"})
"""Where the rest differs by state, and only what all share is assumed without one."""

NATIVE_LANGUAGES: Final = {"CN": "zh_CN", "TW": "zh_TW", "HK": "zh_HK", "MO": "zh_MO"}
DAY_OFF_IN_LIEU: Final = "调休放假"
MAKE_UP_DAY: Final = "调休上班"


@dataclass(frozen=True, slots=True)
class PublishedYear:
    """Days off with their names, weekend days worked, and whether any of it is a forecast."""

    off: dict[date, str]
    on: dict[date, str]
    weekend: frozenset[int]
    """Weekdays as `date.weekday()` counts them, Monday is 0."""
    provisional: bool
    estimated: frozenset[date]


@lru_cache(maxsize=1)
def supported() -> dict[str, list[str]]:
    """ISO 3166-1 alpha-2 codes → subdivisions that are known."""
    import holidays

    return {code: list(parts) for code, parts in holidays.list_supported_countries().items()}


def is_country(code: str) -> bool:
    return code in supported()


def is_subdivision(country: str, subdivision: str) -> bool:
    return subdivision in supported().get(country, ())


@lru_cache(maxsize=512)
def published_year(country: str, subdivision: str, year: int) -> PublishedYear:
    """The published year of a country. A country nobody knows has weekends only and is provisional."""
    import holidays

    if not is_country(country):
        return PublishedYear({}, {}, frozenset({5, 6}), provisional=True, estimated=frozenset())
    part = subdivision or DEFAULT_SUBDIVISION.get(country)
    if part is not None and not is_subdivision(country, part):
        part = DEFAULT_SUBDIVISION.get(country)
    categories = CATEGORIES.get(country)
    table = (
        holidays.country_holidays(country, subdiv=part, years=year, language=_language(country), categories=categories)
        if categories
        else holidays.country_holidays(country, subdiv=part, years=year, language=_language(country))
    )
    off = {day: _name(country, name) for day, name in sorted(table.items()) if day.year == year}
    on = {day: MAKE_UP_DAY for day in sorted(table.weekend_workdays) if day.year == year}
    estimated = frozenset(day for day, name in table.items() if "estimated" in name or "估计" in name)
    return PublishedYear(
        off=off,
        on=on,
        weekend=OFFICE_WEEKEND.get(country, frozenset(table.weekend)),
        provisional=country in MAKE_UP_COUNTRIES and not on,
        estimated=estimated,
    )


@lru_cache(maxsize=256)
def _language(country: str) -> str | None:
    """Names in the country's own Chinese, else in English, else as the library has them."""
    import holidays

    if country in NATIVE_LANGUAGES:
        return NATIVE_LANGUAGES[country]
    known = holidays.country_holidays(country).supported_languages
    return next((language for language in ("en_US", "en_GB") if language in known), None)


def _name(country: str, name: str) -> str:
    if country == "CN" and "调休" in name:
        return DAY_OFF_IN_LIEU
    return name
