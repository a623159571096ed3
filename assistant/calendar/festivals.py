"""Festivals by date, not by days off: lunar ones from the lunar calendar, the others by rule or by country.

Names are zh-Hans, zh-Hant and en. `birthday` and `anniversary` are personal: their date comes from the contact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

ANYWHERE: Final = frozenset({"*"})
CHINESE: Final = frozenset({"CN", "HK", "MO", "TW"})
PERSONAL: Final = ("birthday", "anniversary")
LATER_TERMS: Final = {"冬至": "DONG_ZHI"}
DateRule = Callable[[int, str], date | None]


@dataclass(frozen=True, slots=True)
class Festival:
    """One festival: what it is called, when it is in a year for a country, and where it is kept."""

    id: str
    zh: str
    zh_hant: str
    en: str
    rule: DateRule
    countries: frozenset[str]

    def is_kept_in(self, country: str) -> bool:
        return country in self.countries or "*" in self.countries

    def name(self, language: str) -> str:
        if language == "zh-Hant":
            return self.zh_hant
        return self.zh if language.startswith("zh") else self.en


@lru_cache(maxsize=4096)
def lunar_date(year: int, month: int, day: int) -> date:
    """The solar date of a day of the Chinese lunar year that begins in solar `year` (leap months are passed over)."""
    from lunar_python import Lunar

    solar = Lunar.fromYmd(year, month, day).getSolar()
    return date(solar.getYear(), solar.getMonth(), solar.getDay())


@lru_cache(maxsize=1024)
def solar_term(year: int, name: str) -> date:
    """The day of a solar term (节气) in a year, by its Chinese name."""
    from lunar_python import Solar

    # A table runs from one winter solstice to past the next; the second one goes by its Latin name.
    table = Solar.fromYmd(year, 7, 15).getLunar().getJieQiTable()
    for key in (name, LATER_TERMS.get(name, name)):
        term = table[key]
        if term.getYear() == year:
            return date(year, term.getMonth(), term.getDay())
    raise ValueError(f"no solar term {name} in {year}")


def _lunar(month: int, day: int, offset: int = 0) -> DateRule:
    return lambda year, _country: lunar_date(year, month, day) + timedelta(days=offset)


def _fixed(month: int, day: int) -> DateRule:
    return lambda year, _country: date(year, month, day)


def _term(name: str) -> DateRule:
    return lambda year, _country: solar_term(year, name)


def _by_country(days: dict[str, tuple[int, int]]) -> DateRule:
    def rule(year: int, country: str) -> date | None:
        found = days.get(country)
        return None if found is None else date(year, *found)

    return rule


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    """The `nth` (from 1) given weekday (Monday is 0) of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _thanksgiving(year: int, country: str) -> date | None:
    return nth_weekday(year, 10, 0, 2) if country == "CA" else nth_weekday(year, 11, 3, 4)


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar, by the method of Meeus, Jones and Butcher."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (a + 11 * h) // 319
    r = (2 * e + 2 * i - k - h + m + 32) % 7
    month = (h - m + r + 90) // 25
    return date(year, month, (h - m + r + month + 19) % 32)


NATIONAL_DAYS: Final = {
    **dict.fromkeys(("CN", "HK", "MO"), (10, 1)),
    "TW": (10, 10),
    "SG": (8, 9),
    "MY": (8, 31),
    "US": (7, 4),
    "CA": (7, 1),
    "DE": (10, 3),
    "FR": (7, 14),
    "CH": (8, 1),
    "IT": (6, 2),
    "ES": (10, 12),
    "AU": (1, 26),
}
CHRISTIAN: Final = frozenset(
    (
        "AT",
        "AU",
        "BE",
        "BR",
        "CA",
        "CH",
        "CZ",
        "DE",
        "DK",
        "ES",
        "FI",
        "FR",
        "GB",
        "GR",
        "HK",
        "HU",
        "IE",
        "IT",
        "LU",
        "MO",
        "MX",
        "MY",
        "NL",
        "NO",
        "NZ",
        "PH",
        "PL",
        "PT",
        "SE",
        "SG",
        "US",
        "ZA",
    )
)

_NEW_YEAR = ("元旦", "元旦", "New Year's Day")
FESTIVALS: Final[dict[str, Festival]] = {
    festival.id: festival
    for festival in (
        Festival("new-year", *_NEW_YEAR, _fixed(1, 1), ANYWHERE),
        Festival(
            "spring-festival-eve",
            "除夕",
            "除夕",
            "Chinese New Year's Eve",
            _lunar(1, 1, -1),
            CHINESE | {"SG", "MY"},
        ),
        Festival(
            "spring-festival", "春节", "農曆新年", "Spring Festival", _lunar(1, 1), CHINESE | {"SG", "MY", "ID", "PH"}
        ),
        Festival("lantern", "元宵节", "元宵節", "Lantern Festival", _lunar(1, 15), CHINESE),
        Festival("qingming", "清明节", "清明節", "Tomb-Sweeping Day", _term("清明"), CHINESE),
        Festival("labour-day", "劳动节", "勞動節", "Labour Day", _fixed(5, 1), CHINESE | {"SG", "MY", "DE", "FR"}),
        Festival("dragon-boat", "端午节", "端午節", "Dragon Boat Festival", _lunar(5, 5), CHINESE),
        Festival("qixi", "七夕", "七夕", "Qixi Festival", _lunar(7, 7), CHINESE),
        Festival("mid-autumn", "中秋节", "中秋節", "Mid-Autumn Festival", _lunar(8, 15), CHINESE | {"SG", "MY"}),
        Festival("double-ninth", "重阳节", "重陽節", "Double Ninth Festival", _lunar(9, 9), CHINESE),
        Festival("winter-solstice", "冬至", "冬至", "Winter Solstice", _term("冬至"), CHINESE),
        Festival(
            "national-day", "国庆节", "國慶日", "National Day", _by_country(NATIONAL_DAYS), frozenset(NATIONAL_DAYS)
        ),
        Festival("easter", "复活节", "復活節", "Easter", lambda year, _country: easter(year), CHRISTIAN - {"GR", "MY"}),
        Festival("thanksgiving", "感恩节", "感恩節", "Thanksgiving", _thanksgiving, frozenset({"US", "CA"})),
        Festival("christmas", "圣诞节", "聖誕節", "Christmas", _fixed(12, 25), CHRISTIAN),
        Festival("birthday", "生日", "生日", "Birthday", lambda _year, _country: None, ANYWHERE),
        Festival("anniversary", "合作周年", "合作週年", "Anniversary", lambda _year, _country: None, ANYWHERE),
    )
}


def festival_date(festival_id: str, year: int, country: str) -> date | None:
    """The date of a festival in a solar year for a country; None for personal ones and where there is no such day.

    Raises KeyError for an unknown festival.
    """
    return FESTIVALS[festival_id].rule(year, country)


def personal_date(day: date, year: int) -> date:
    """A birthday or anniversary in a year; 29 February is kept on the 28th in common years."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


@lru_cache(maxsize=512)
def festivals_of_year(country: str, year: int) -> dict[date, tuple[str, ...]]:
    """Date → ids of the festivals that a country keeps, in the order of the year."""
    found: dict[date, tuple[str, ...]] = {}
    for festival in FESTIVALS.values():
        if festival.id in PERSONAL or not festival.is_kept_in(country):
            continue
        day = festival.rule(year, country)
        if day is not None:
            found[day] = (*found.get(day, ()), festival.id)
    return dict(sorted(found.items()))
