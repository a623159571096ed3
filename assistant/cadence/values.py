"""How single values of a rule file are written: durations, times, releases, comparisons, dates.

Each reader takes what TOML gave and returns the meaning, or raises `Fault` with a code of the reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from assistant.cadence.rules import Comparison, Duration, Unit
from assistant.model.cadence import Release


class Fault(Exception):  # noqa: N818  (it is about a value, and is always caught and reported)
    """One value that cannot be read. `inside` leads to the part of it that is at fault; with `key` its key is wrong."""

    def __init__(
        self, code: str, message: str, hint: str = "", inside: tuple[str | int, ...] = (), *, key: bool = False
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.inside, self.key = code, message, hint, inside, key

    def within(self, part: str | int) -> Fault:
        """The same fault, seen from the list or table that holds the value."""
        return Fault(self.code, self.message, self.hint, (part, *self.inside), key=self.key)


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or the empty string."""
    from difflib import SequenceMatcher, get_close_matches

    wanted = word.lower().strip()
    folded: dict[str, str] = {}
    for candidate in known:
        folded.setdefault(candidate.lower(), candidate)
    near = get_close_matches(wanted, list(folded), n=4, cutoff=0.55)
    # Of equally near ones the first in the order of the alphabet: nudge-1 rather than nudge-2.
    best = min(near, key=lambda one: (-SequenceMatcher(None, one, wanted).ratio(), one), default="")
    return folded.get(best, "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence: what was probably meant, or what there is to choose from (when that is not too much)."""
    choices = list(known)
    found = closest(word, choices)
    if found:
        return f'Did you mean "{found}"?'
    if not choices or len(choices) > 20:
        return ""
    return "Known: " + ", ".join(f'"{choice}"' for choice in choices) + "."


_UNITS: Final[dict[str, Unit]] = {
    "business day": "business days",
    "business days": "business days",
    "working day": "business days",
    "working days": "business days",
    "工作日": "business days",
    "个工作日": "business days",
    "business hour": "business hours",
    "business hours": "business hours",
    "working hour": "business hours",
    "working hours": "business hours",
    "个工作小时": "business hours",
    "工作小时": "business hours",
    "day": "days",
    "days": "days",
    "d": "days",
    "天": "days",
    "week": "weeks",
    "weeks": "weeks",
    "w": "weeks",
    "周": "weeks",
    "hour": "hours",
    "hours": "hours",
    "h": "hours",
    "小时": "hours",
    "个小时": "hours",
    "minute": "minutes",
    "minutes": "minutes",
    "min": "minutes",
    "m": "minutes",
    "分钟": "minutes",
}
_DURATION: Final = re.compile(r"\s*(\d{1,6})\s*([^\d\s].*?)\s*")
_DURATION_HINT: Final = 'Write it like "3 business days", "2 business hours", "10 days", "2 weeks", "4h" or "30m".'
_TIME: Final = re.compile(r"([0-9]{1,2})[:：]([0-9]{2})")


def read_duration(value: object) -> Duration:
    if isinstance(value, str):
        found = _DURATION.fullmatch(value)
        if found is not None:
            unit = _UNITS.get(" ".join(found.group(2).lower().split()))
            if unit is not None:
                return Duration(int(found.group(1)), unit)
            meant = closest(found.group(2), [name for name in _UNITS if name.isascii() and len(name) > 2])
            hint = f'Did you mean "{found.group(1)} {meant}"? ' if meant else ""
            raise Fault("R016", f'unknown unit of time in "{value}"', hint + _DURATION_HINT)
    raise Fault("R016", f"{_shown(value)} is not a duration", _DURATION_HINT)


def read_time(value: object) -> time:
    if isinstance(value, time):
        return value.replace(tzinfo=None)
    if isinstance(value, str):
        found = _TIME.fullmatch(value.strip())
        if found is not None and int(found.group(1)) < 24 and int(found.group(2)) < 60:
            return time(int(found.group(1)), int(found.group(2)))
    raise Fault("R017", f"{_shown(value)} is not a time of day", 'Write it like "09:30", in 24 hours.')


def read_time_span(value: object) -> tuple[time, time]:
    """`09:00-18:00`."""
    if isinstance(value, str):
        parts = re.split(r"\s*[-–—~至]\s*", value.strip())
        if len(parts) == 2:
            return read_time(parts[0]), read_time(parts[1])
    raise Fault("R017", f"{_shown(value)} is not a span of time", 'Write it like "20:00-08:30".')


def read_release(value: object) -> Release:
    hint = 'Write "now", "veto 4h" (the owner is told and may stop it), "approval" or "draft".'
    if isinstance(value, str):
        words = value.split(maxsplit=1)
        if words and words[0] in ("now", "approval", "draft") and len(words) == 1:
            return Release(words[0])  # type: ignore[arg-type]  # it is one of the three, as just asked
        if words and words[0] == "veto":
            if len(words) == 1:
                raise Fault("R018", "a veto needs the time the owner has to stop the mail", hint)
            try:
                wait = read_duration(words[1])
            except Fault as fault:
                raise Fault("R018", f'"{words[1]}" is no time the owner has for a veto', hint) from fault
            if wait.unit not in ("hours", "minutes", "days"):
                raise Fault("R018", "the time for a veto is counted in hours, minutes or days", hint)
            return Release("veto", wait.elapsed())
        meant = closest(words[0], ("now", "veto 4h", "approval", "draft")) if words else ""
        hint = (f'Did you mean "{meant}"? ' if meant else "") + hint
    raise Fault("R018", f"{_shown(value)} is not a way to release a mail", hint)


def read_comparison(value: object) -> Comparison:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Comparison(">=", float(value))
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(>=|<=|>|<|=|==)?\s*(\d[\d_,]*(?:\.\d+)?)\s*(万|k|K)?\s*", value)
        if found is not None:
            factor = {"万": 10_000, "k": 1_000, "K": 1_000}.get(found.group(3) or "", 1)
            number = float(found.group(2).replace(",", "").replace("_", "")) * factor
            return Comparison((found.group(1) or ">=").replace("==", "="), number)
    raise Fault("R024", f"{_shown(value)} is not a comparison", 'Write it like ">= 100000" or "< 20000".')


def read_dates(value: object) -> frozenset[date]:
    """A date, or `first..last` as text."""
    if isinstance(value, datetime):
        raise Fault("R029", f"{value} has a time; only a date is needed", f"Write {value.date()}.")
    if isinstance(value, date):
        return frozenset({value})
    if isinstance(value, str):
        parts = value.split("..")
        try:
            days = [date.fromisoformat(part.strip()) for part in parts]
        except ValueError:
            days = []
        if len(days) == 1:
            return frozenset(days)
        if len(days) == 2:
            if days[1] < days[0]:
                raise Fault("R029", f'"{value}" ends before it begins', "Write the earlier date first.")
            if (days[1] - days[0]).days > 366:
                raise Fault("R029", f'"{value}" is longer than a year', "Split it if it is really meant.")
            return frozenset(days[0] + timedelta(days=n) for n in range((days[1] - days[0]).days + 1))
    raise Fault("R029", f"{_shown(value)} is not a date", 'Write 2027-02-05, or "2027-02-05..2027-02-11" for several.')


WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAYS_ZH: Final = "一二三四五六日"


def read_weekday(value: object) -> int:
    """Monday is 0. English names and 周一 / 星期一 are understood."""
    if isinstance(value, str):
        word = value.strip().lower()
        if word in WEEKDAYS:
            return WEEKDAYS.index(word)
        zh = re.fullmatch(r"(?:周|星期|礼拜)([一二三四五六日天])", word)
        if zh is not None:
            return _WEEKDAYS_ZH.index(zh.group(1).replace("天", "日"))
        raise Fault("R027", f'unknown weekday "{value}"', did_you_mean(value, WEEKDAYS))
    raise Fault("R027", f"{_shown(value)} is not a weekday", 'Write it like "friday" or "周五".')


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


Reader = Callable[[Any], object]
