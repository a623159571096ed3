"""Date fields: RFC 5322 first, then every other shape that mail carries, English and Chinese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from parsers.limits import Defects

_STANDARD = re.compile(
    r"\s*(?:[A-Za-z]{3},\s*)?(\d{1,2})\s+(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s+(\d{4})\s+(\d\d):(\d\d)(?::(\d\d))?\s+([+-])(\d\d)([0-5]\d)(?!\d)"
)
_MONTH_WORDS = (
    "jan january janv janvier januar januari ene enero gen gennaio janeiro 一月 元月",
    "feb february févr fevr février februar februari febrero febbraio fev fevereiro 二月",
    "mar march mars mär märz maart marzo março 三月",
    "apr april avr avril abr abril aprile 四月",
    "may mai mei mayo mag maggio maio maj 五月",
    "jun june juin juni junio giu giugno junho 六月",
    "jul july juil juillet juli julio lug luglio julho 七月",
    "aug august août aout augustus ago agosto 八月",
    "sep sept september septembre septiembre set settembre setembro 九月",
    "oct october octobre okt oktober octubre ott ottobre out outubro 十月",
    "nov november novembre noviembre novembro 十一月",
    "dec december déc décembre dez dezember dic diciembre dicembre dezembro 十二月",
)
_MONTHS = {word: number for number, words in enumerate(_MONTH_WORDS, start=1) for word in words.split()}
_MONTH_NAMES = {
    word: number for word, number in _MONTHS.items() if word.isascii() or word[0] not in "一二三四五六七八九十元"
}
_ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 60, "bst": 60, "cet": 60, "met": 60, "mez": 60, "cest": 120, "mest": 120, "mesz": 120,
    "eet": 120, "eest": 180, "msk": 180, "ist": 330, "hkt": 480, "sgt": 480, "awst": 480, "jst": 540, "kst": 540, "aest": 600, "aedt": 660,
    "nzst": 720, "nzdt": 780, "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420,
    "akst": -540, "akdt": -480, "hst": -600, "brt": -180, "北京时间": 480, "中国标准时间": 480, "中國標準時間": 480, "台北標準時間": 480,
    "china standard time": 480, "beijing time": 480,
}  # fmt: skip
_CHINA = 480
_COMMENT = re.compile(r"\(([^()]*)\)")
_TIME = re.compile(
    r"(?P<before>上午|下午|晚上|凌晨|中午|早上|傍晚|[ap]\.?m\.?\s)?\s*"
    r"(?P<hour>\d{1,2})\s*(?:[:.点點時时h])\s*(?P<minute>\d{1,2})(?:\s*分)?(?:\s*[:.]?\s*(?P<second>\d{1,2}))?(?:秒)?(?:[.,]\d{1,9})?"
    r"\s*(?P<after>[ap]\.?m\b\.?|上午|下午)?"
)
_COLON_TIME = re.compile(r"\d{1,2}\s*[:点點時时]\s*\d{1,2}")
_OFFSET = re.compile(r"(?:(?:gmt|utc|ut)\s*)?([+-])\s?(\d{1,2}):?(\d{2})?(?![\d:])")
_UNSIGNED_OFFSET = re.compile(r"\s*(0\d|1[0-4])(00|30|45)\b(?!:)")
_ZONE_WORD = re.compile(r"[a-z]{1,5}\b")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?!\d)\s*日?")
_NAMED_DAY_FIRST = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|\.)?(?:\s+de\s+|[-\s./]*)([^\W\d_]{3,10})\.?(?:\s+de\s+|[-\s,./]+)(\d{4}|\d{2,3})(?![\d:])"
)
_NAMED_MONTH_FIRST = re.compile(r"([^\W\d_]{3,10})\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?![\d:])\b")
_YEAR_ALONE = re.compile(r"(?<![\d:+-])(\d{4})(?![\d:])")
_CHINESE_MONTH = re.compile(
    r"(?<!\d)(\d{1,2})\s*[-\s]?\s*(?:(1[0-2]|0?[1-9])月|(十[一二]?|[一二三四五六七八九元])月)\s*[-,\s]?\s*(\d{4})"
)
_SLASHED = re.compile(r"(?<!\d)(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?!\d)")
_COMPACT = re.compile(r"(?<!\d)(\d{4})(\d\d)(\d\d)[t\s]?(\d\d)(\d\d)(\d\d)?(?!\d)")
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?$|\d{13}$")
_LONGEST = 200


def read_date(value: str, defects: Defects, received: Callable[[], datetime | None] | None = None) -> datetime | None:
    """An aware time, or None with a defect. `received` tells when a server saw the mail: it settles what CST means.

    A date without a zone is taken as UTC with the defect `date-without-zone`.
    """
    standard = _STANDARD.match(value)
    if standard is not None:
        day, month, year, hour, minute, second, sign, zone_hour, zone_minute = standard.groups()
        offset = int(zone_hour) * 60 + int(zone_minute)
        moment = _build(
            int(year),
            _MONTHS[month.lower()],
            int(day),
            int(hour),
            int(minute),
            int(second or 0),
            -offset if sign == "-" else offset,
            defects,
        )
    elif not value.strip():
        return None
    else:
        moment = _read_otherwise(value[:_LONGEST], defects, received)
    if moment is None:
        defects.add("date-unreadable", "date", value)
    return moment


@lru_cache(maxsize=128)
def _zone(minutes: int) -> timezone:
    return timezone(timedelta(minutes=minutes)) if minutes else UTC


def _build(
    year: int, month: int, day: int, hour: int, minute: int, second: int, offset: int, defects: Defects
) -> datetime | None:
    if year < 100:
        year += 2000 if year < 50 else 1900  # RFC 5322 §4.3
    elif year < 1000:
        year += 1900
    if not -1439 < offset < 1439:
        defects.add("date-zone-impossible", "date", f"{offset} minutes")
        offset = 0
    extra = timedelta()
    if hour == 24 and minute == 0:
        hour, extra = 0, timedelta(days=1)
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=_zone(offset)) + extra
        moment.astimezone(UTC)  # at both ends of the calendar the offset leaves it
    except (ValueError, OverflowError):
        return None
    return moment if year >= 1900 else None


def _read_otherwise(value: str, defects: Defects, received: Callable[[], datetime | None] | None) -> datetime | None:
    text = unicodedata.normalize("NFKC", value).lower().replace("−", "-").strip().strip("\"'<>")
    if _EPOCH.match(text):
        seconds = float(text) / (1000 if len(text) == 13 and "." not in text else 1)
        defects.add("date-not-standard", "date", value)
        return datetime.fromtimestamp(seconds, UTC)
    comments = _COMMENT.findall(text)
    text = _COMMENT.sub(" ", text)
    compact = _COMPACT.search(text)
    if compact is not None:
        year, month, day, hour, minute, second = (int(group or 0) for group in compact.groups())
        rest = text[compact.end() :]
        date_parts: tuple[int, int, int] | None = (year, month, day)
        clock = (hour, minute, second)
    else:
        time_match = _find_time(text)
        clock = _clock(time_match) if time_match is not None else (0, 0, 0)
        rest = text[time_match.end() :] if time_match is not None else ""
        before = text[: time_match.start()] if time_match is not None else text
        date_parts = _find_day(before) or _find_day(before + " " + rest)
    if date_parts is None:
        return None
    offset = _find_offset(rest, comments)
    if offset is None:
        defects.add("date-without-zone", "date", value)
        offset = 0
    elif offset == _ZONES["cst"] and "cst" in text + "".join(comments) and received is not None:
        offset = _settle_cst(date_parts, clock, received())
    defects.add("date-not-standard", "date", value)
    return _build(*date_parts, *clock, offset, defects)


def _find_time(text: str) -> re.Match[str] | None:
    colon = _COLON_TIME.search(text)
    if colon is not None:
        start = colon.start()
        for meridiem in ("上午", "下午", "晚上", "凌晨", "中午", "早上", "傍晚"):
            if text[:start].rstrip().endswith(meridiem):
                start = text[:start].rstrip().rindex(meridiem)
        return _TIME.search(text, start)
    # Dots as in 15.04.05 only after a date, so that 02.01.2024 is not a time.
    for match in _TIME.finditer(text):
        if _find_day(text[: match.start()]) is not None:
            return match
    return None


def _clock(match: re.Match[str]) -> tuple[int, int, int]:
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    meridiem = (match["before"] or "") + (match["after"] or "")
    if (meridiem.startswith(("p", "下午", "晚上", "傍晚")) and hour < 12) or (meridiem.startswith("中午") and hour < 3):
        hour += 12
    elif meridiem.startswith(("a", "上午", "凌晨")) and hour == 12:
        hour = 0
    return hour, minute, second


def _find_day(text: str) -> tuple[int, int, int] | None:
    if match := _YEAR_FIRST.search(text):
        return int(match[1]), int(match[2]), int(match[3])
    if match := _CHINESE_MONTH.search(text):
        month = int(match[2]) if match[2] else _MONTHS[match[3] + "月"]
        return int(match[4]), month, int(match[1])
    for match in _NAMED_DAY_FIRST.finditer(text):
        if match[2] in _MONTH_NAMES:
            return int(match[3]), _MONTH_NAMES[match[2]], int(match[1])
    for match in _NAMED_MONTH_FIRST.finditer(text):
        year = _YEAR_ALONE.search(text, match.end())
        if match[1] in _MONTH_NAMES and year is not None:
            return int(year[1]), _MONTH_NAMES[match[1]], int(match[2])
    if match := _SLASHED.search(text):
        first, second, year_number = int(match[1]), int(match[2]), int(match[3])
        day_first = first > 12 or "." in match[0]
        return (year_number, second, first) if day_first else (year_number, first, second)
    return None


def _find_offset(rest: str, comments: list[str]) -> int | None:
    for text in (rest, *comments):
        if match := _OFFSET.search(text):
            minutes = int(match[2]) * 60 + int(match[3] or 0)
            return -minutes if match[1] == "-" else minutes
        for phrase, minutes in _ZONES.items():
            if len(phrase) > 3 and phrase in text:
                return minutes
        for word in _ZONE_WORD.findall(text):
            if word in _ZONES:
                return _ZONES[word]
    unsigned = _UNSIGNED_OFFSET.match(rest)
    return int(unsigned[1]) * 60 + int(unsigned[2]) if unsigned else None


def _settle_cst(day: tuple[int, int, int], clock: tuple[int, int, int], received: datetime | None) -> int:
    """CST is Central Standard Time by RFC 5322 and China's to many programs: the server's time stamp decides."""
    if received is None:
        return _ZONES["cst"]
    try:
        wall = datetime(*day, *clock, tzinfo=UTC)
    except ValueError:
        return _ZONES["cst"]
    return min((_ZONES["cst"], _CHINA), key=lambda offset: abs(wall - timedelta(minutes=offset) - received))
