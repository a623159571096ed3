"""Dates as people and mail clients write them within a text, in Chinese, English and the languages of the quote headers."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from parsers.quotation_lines import fold

CHINA: Final = timezone(timedelta(hours=8))
_MONTHS: Final = (
    ("jan", "gen", "ene", "янв", "oca", "led", "sty"),
    ("feb", "fév", "fev", "фев", "şub", "úno", "lut", "helm"),
    ("mar", "mär", "mrt", "maa", "мар", "břez", "már"),
    ("apr", "avr", "abr", "апр", "nis", "dub", "kwi", "huh", "ápr"),
    ("may", "mai", "mag", "mei", "maj", "мая", "май", "kvě", "tou", "máj"),
    ("jun", "juin", "giu", "июн", "haz", "čvn", "cze", "kes", "jún"),
    ("jul", "juil", "lug", "июл", "tem", "lip", "hei", "júl"),
    ("aug", "aoû", "aou", "ago", "авг", "ağu", "srp", "sie", "elo"),
    ("sep", "set", "сен", "eyl", "zář", "wrz", "syy", "sze"),
    ("oct", "okt", "out", "ott", "окт", "eki", "říj", "paź", "lok"),
    ("nov", "ноя", "kas", "lis"),
    ("dec", "dez", "déc", "dic", "дек", "ara", "pro", "gru", "jou"),
)
_MONTH_OF: Final = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
_NUMERIC: Final = re.compile(r"(?<!\d)(\d{4})\s?[-/.年년]\s?(\d{1,2})\s?[-/.月월]\s?(\d{1,2})(?!\d)")
_SHORT: Final = re.compile(r"(?<![\d.])(\d{1,2})\s?[-/.]\s?(\d{1,2})\s?[-/.]\s?(\d{4}|\d{2})(?![\d:])")
_DAY_MONTH: Final = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|\.|º)?[\s-](?:de\s|of\s)?([^\W\d_]{3,12})[.,]{0,2}[\s-](?:de\s|del\s)?(\d{4}|\d{2}(?!\d|:))",
    re.IGNORECASE,
)
_MONTH_DAY: Final = re.compile(r"([^\W\d_]{3,12})\.?\s(\d{1,2})(?:st|nd|rd|th)?[,.]?\s(\d{4})", re.IGNORECASE)
_TIME: Final = re.compile(
    r"(?:(上午|下午|早上|中午|晚上|凌晨|오전|오후|午前|午後|AM|PM)\s?)?(\d{1,2})(?:\s?[:.h時点點时시]\s?(\d{2}))(?:\s?[:.分분]\s?(\d{2}))?(?:\s?([ap])\.?m\b)?",
    re.IGNORECASE,
)
_ZONE: Final = re.compile(r"(?:GMT|UTC)?\s?([+-])(\d{1,2}):?(\d{2})?(?!\d)|\b(?:GMT|UTC|Z)\b")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")


def make_date(year: int, month: int, day: int) -> date | None:
    """The date, two-digit years in this century; None for a day that no calendar has."""
    year = year + 2000 if year < 100 else year
    try:
        return date(year, month, day) if 1970 <= year <= 2100 else None
    except ValueError:
        return None


def _month(name: str) -> int | None:
    lowered = name.lower()
    return _MONTH_OF.get(lowered[:4]) or _MONTH_OF.get(lowered[:3])


def find_full_date(text: str) -> tuple[date, int] | None:
    """The first date with a year in `text` and the index behind it."""
    folded = text
    if found := _NUMERIC.search(folded):
        day = make_date(int(found[1]), int(found[2]), int(found[3]))
        if day:
            return day, found.end()
    for found in _DAY_MONTH.finditer(folded):
        month = _month(found[2])
        day = make_date(int(found[3]), month, int(found[1])) if month else None
        if day:
            return day, found.end()
    for found in _MONTH_DAY.finditer(folded):
        month = _month(found[1])
        day = make_date(int(found[3]), month, int(found[2])) if month else None
        if day:
            return day, found.end()
    if found := _SHORT.search(folded):
        return _short_date(folded, found)
    return None


def _short_date(text: str, found: re.Match[str]) -> tuple[date, int] | None:
    """05/03/2024: the month first where the day would be impossible or a.m./p.m. or Chinese shows an American setting."""
    first, second, year = int(found[1]), int(found[2]), int(found[3])
    american = "/" in found[0] and bool(re.search(r"\d\s?[ap]\.?m\b", text, re.IGNORECASE) or _HAN.search(text))
    order = [(first, second), (second, first)] if american else [(second, first), (first, second)]
    for month, day in order:
        made = make_date(year, month, day)
        if made:
            return made, found.end()
    return None


def read_written_datetime(text: str, *, chinese: bool = False) -> datetime | None:
    """The moment that a quote header's date value speaks of, aware; None if there is no date with a year.

    Without a zone in the text a value written in Chinese (or under Chinese labels, `chinese`) is taken as China's time, any other as UTC: the wall time is
    what was written in either case. Without a time of day it is midnight.
    """
    folded = fold(text[:300])
    found = find_full_date(folded)
    if found is None:
        return None
    day, behind = found
    rest = folded[behind:]
    moment = _TIME.search(rest) or _TIME.search(folded[:behind].split(str(day.year))[0])
    hour, minute, second = _hour(moment) if moment else (0, 0, 0)
    zone = _zone(rest[moment.end() :] if moment else rest) or (CHINA if chinese or _HAN.search(folded) else UTC)
    try:
        return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None


def _hour(found: re.Match[str]) -> tuple[int, int, int]:
    before, hour, minute, second, after = (
        found[1] or "",
        int(found[2]),
        int(found[3]),
        int(found[4] or 0),
        found[5] or "",
    )
    afternoon = before.lower() in ("下午", "晚上", "오후", "午後", "pm") or after.lower() == "p"
    morning = before.lower() in ("上午", "早上", "凌晨", "오전", "午前", "am") or after.lower() == "a"
    if (afternoon and hour < 12) or (before == "中午" and hour < 3):
        hour += 12
    elif morning and hour == 12:
        hour = 0
    return (hour, minute, second) if hour < 24 and minute < 60 and second < 60 else (0, 0, 0)


def _zone(text: str) -> timezone | None:
    found = _ZONE.search(text[:40])
    if not found:
        return None
    if not found[1]:
        return UTC
    hours, minutes = int(found[2]), int(found[3] or 0)
    if hours > 14 or minutes > 59:
        return None
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if found[1] == "-" else offset)
