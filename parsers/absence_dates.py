"""The day that an out-of-office text says its writer is back, resolved relative to the day it was sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from parsers.written_dates import make_date

_MONTH_NAMES: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTH: Final = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAYS_ZH: Final = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}
_NUMERALS: Final = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
_PAST_STILL_THIS_YEAR: Final = timedelta(days=60)

_TOKEN: Final = re.compile(
    rf"""
    (?P<iso>(?<!\d)(?:(?P<iy>20\d\d)\s?[-/.年]\s?)(?P<im>\d{{1,2}})\s?[-/.月]\s?(?P<id>\d{{1,2}})\s?[日号號]?(?!\d))
  | (?P<zh>(?<!\d)(?P<zm>\d{{1,2}}|[一二三四五六七八九十]{{1,2}})\s?月\s?(?P<zd>\d{{1,2}}|[一二三四五六七八九十]{{1,3}})\s?[日号號]?)
  | (?P<zhday>(?<![\d月])(?P<dd>\d{{1,2}})\s?[日号號](?!楼|线|館))
  | (?P<ym>(?<!\d)(?P<ymy>20\d\d)\s?年\s?(?P<ymm>\d{{1,2}})\s?月(?:初|份)?(?!\s?[\d一二三四五六七八九十中下底末]))
  | (?P<dm>(?<!\d)(?:(?P<first>\d{{1,2}}(?:st|nd|rd|th)?)\s?(?:[-–~]|to|until|till|through)\s?)?(?P<dmd>\d{{1,2}})(?:st|nd|rd|th|\.)?\s?(?:of\s)?(?P<dmm>{_MONTH})\b\.?(?:,?\s(?P<dmy>20\d\d))?)
  | (?P<md>\b(?P<mdm>{_MONTH})\b\.?\s(?:the\s)?(?P<mdd>\d{{1,2}})(?:st|nd|rd|th)?(?!\d|:)(?:\s?[-–~]\s?(?P<last>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:/]|[.-]\d))?(?:,?\s(?P<mdy>20\d\d))?)
  | (?P<num>(?<![\d/.:-])(?P<na>\d{{1,2}})(?P<sep>[/.-])(?P<nb>\d{{1,2}})(?:(?P=sep)(?P<ny>20\d\d|\d\d))?(?![\d:/]|\.\d|\s?%))
  | (?P<rel>\btomorrow\b|明天|明日|后天|後天)
  | (?P<wd>\b(?:(?P<next>next|this|coming)\s)?(?P<wdn>monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b)
  | (?P<wz>(?P<nz>下|本|这|這)?(?:个|個)?(?:周|週|星期|礼拜|禮拜)(?P<wzn>[一二三四五六日天]))
    """,
    re.VERBOSE | re.IGNORECASE,
)
_GAP: Final = r"(?:\s*[（(][^（）()]{1,12}[)）])?\s*(?:(?:上午|下午|晚|早)\S{0,6}\s*)?,?\s*"
_RANGE_BETWEEN: Final = re.compile(
    _GAP
    + r"(?:[-–—~～]{1,2}|至|到|起?至|to|till|until|through|thru|up to|and)\s*(?:and including\s|including\s)?(?:the\s)?(?:\w{3,9}day,?\s)?",
    re.IGNORECASE,
)
_BACK_BEFORE: Final = re.compile(
    r"(?:\b(?:back|return(?:ing|s)?|resum(?:e|ing)|available(?: again)?|reach(?:able|ed)|in the office(?: again)?|re-?open(?:s|ing)?)\b[^.!?\n]{0,40}?\b(?:on|from|by|at|of|the|again|next|this|is|:|as of|starting)?\s*(?:\w{3,9}day,?\s*)?(?:the\s)?"
    r"|return(?: date)?\s*(?:is|:)\s*|(?:返回|回来|回來|恢复|恢復|上班|复工|復工|返岗|返崗|归来|回到?公司|回到?办公室)(?:的)?(?:时间|時間|日期|日)?(?:为|為|是|在|于|:|：)?\s*(?:为|是)?\s*)$",
    re.IGNORECASE,
)
_BACK_AFTER: Final = re.compile(
    r"\s*(?:[（(][^（）()]{1,12}[)）])?\s*(?:\(?(?:周|週|星期)[一二三四五六日天]\)?)?\s*(?:上午|下午|早上|晚上|晚|早|起|后|後|才|再|正式|开始|開始|前后|左右|会|會|将|將|能|可以?|重新|,|，)*\s*"
    r"(?:返回|回来|回來|回到|回公司|回办公|回辦公|回国|回國|返岗|返崗|返工|返程|上班|复工|復工|恢复|恢復|归来|归队|正常(?:办公|上班|工作|回复)|开工|開工|收假|回复您|回覆您|处理|處理)",
)
_UNTIL_BEFORE: Final = re.compile(
    r"(?:\b(?:un)?till?\b|\bthrough\b|\bthru\b|\bup to\b|截至|截止到?|直到|直至|至|到)\s*(?:and including\s|including\s)?(?:the\s)?(?:\w{3,9}day,?\s)?$",
    re.IGNORECASE,
)
_INCLUSIVE: Final = re.compile(
    r"(?:\bthrough|\bthru|including|inclusive|截至|截止到?|至|到)\s*(?:the\s)?(?:\w{3,9}day,?\s)?$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Day:
    start: int
    end: int
    day: date


def read_return_date(text: str, sent_on: date | None) -> date | None:
    """The day the writer is back, or None if the text names none that can be resolved.

    A day of return counts first ("back on 5 March", "2月24日返回"), then the day after the end of a span ("2月10日至2月18日"),
    then "until". Days without a year are the next such day seen from `sent_on`, and cannot be read without it.
    """
    days = _days(text, sent_on)
    spans = [
        (first, second) for first, second in pairwise(days) if _RANGE_BETWEEN.fullmatch(text[first.end : second.start])
    ]
    ends = {second.start for _, second in spans}
    starts = {first.start for first, _ in spans}
    returns = [day for day in days if day.start not in starts and day.start not in ends and _says_back(text, day)]
    if returns:
        return returns[-1].day if len(returns) == 1 else max(day.day for day in returns)
    if spans:
        return max(second.day for _, second in spans) + timedelta(days=1)
    for day in days:
        before = text[max(0, day.start - 40) : day.start]
        if _UNTIL_BEFORE.search(before):
            return (
                day.day + timedelta(days=1)
                if _INCLUSIVE.search(before) or text[day.end : day.end + 12].strip(" (").startswith("inclusive")
                else day.day
            )
    return None


def _says_back(text: str, day: _Day) -> bool:
    before, after = text[max(0, day.start - 70) : day.start], text[day.end : day.end + 40]
    return bool(_BACK_AFTER.match(after) or _BACK_BEFORE.search(before)) and not re.search(
        r"(?:无法|不能|前无法|之前)$", before
    )


def _days(text: str, sent_on: date | None) -> list[_Day]:
    found: list[_Day] = []
    for match in _TOKEN.finditer(text):
        day = _resolve(match, sent_on, found[-1].day if found else None)
        if day is not None:
            found += _span_within_month(match, day) or [_Day(match.start(), match.end(), day)]
        if len(found) >= 40:
            break
    return found


def _span_within_month(match: re.Match[str], day: date) -> list[_Day]:
    """Both days of "3-14 March" and of "March 3-14"; [] for a single day, which `day` is."""
    if match["first"]:
        first = make_date(day.year, day.month, int(match["first"].rstrip("stndrhSTNDRH")))
        return [_Day(*match.span("first"), first), _Day(match.start("dmd"), match.end(), day)] if first else []
    if match["last"]:
        last = make_date(day.year, day.month, int(match["last"]))
        return (
            [_Day(match.start(), match.end("mdd"), day), _Day(match.start("last"), match.end(), last)] if last else []
        )
    return []


def _resolve(match: re.Match[str], sent_on: date | None, before: date | None) -> date | None:
    group = match.groupdict()
    if group["iso"]:
        return make_date(int(group["iy"]), int(group["im"]), int(group["id"]))
    if group["ym"]:
        return make_date(int(group["ymy"]), int(group["ymm"]), 1)
    if group["dm"] or group["md"]:
        month = _month_number(group["dmm"] or group["mdm"])
        day, year = int(group["dmd"] or group["mdd"]), group["dmy"] or group["mdy"]
        return make_date(int(year), month, day) if year else _next(sent_on, month, day, before)
    if group["zh"]:
        return _next(sent_on, _numeral(group["zm"]), _numeral(group["zd"]), before)
    if group["zhday"]:
        return _day_of_month(before or sent_on, int(group["dd"]))
    if group["num"]:
        return _numeric(group, sent_on, before)
    return _relative(group, sent_on) if sent_on else None


def _month_number(name: str) -> int:
    return next(number for number, month in enumerate(_MONTH_NAMES, 1) if month.startswith(name.lower()[:3]))


def _numeral(text: str) -> int:
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.partition("十")
    if not ten:
        return _NUMERALS.get(text, 0)
    return (_NUMERALS.get(tens, 1) if tens else 1) * 10 + _NUMERALS.get(ones, 0)


def _next(sent_on: date | None, month: int, day: int, before: date | None = None) -> date | None:
    anchor = before or sent_on
    if anchor is None:
        return None
    made = make_date(anchor.year, month, day)
    floor = anchor if before else anchor - _PAST_STILL_THIS_YEAR
    return make_date(anchor.year + 1, month, day) if made is not None and made < floor else made


def _day_of_month(anchor: date | None, day: int) -> date | None:
    if anchor is None:
        return None
    made = make_date(anchor.year, anchor.month, day)
    if made is not None and made >= anchor:
        return made
    following = (anchor.replace(day=1) + timedelta(days=32)).replace(day=1)
    return make_date(following.year, following.month, day)


def _numeric(group: dict[str, str | None], sent_on: date | None, before: date | None) -> date | None:
    """2/10: of both readings the one that lies next after the day of sending; with a year the possible one, month first."""
    first, second, year = int(group["na"] or 0), int(group["nb"] or 0), group["ny"]
    orders = [(first, second), (second, first)]
    if group["sep"] == "." and year:
        orders.reverse()
    if year:
        made = [make_date(int(year), month, day) for month, day in orders]
        both = [day for day in made if day is not None]
        if sent_on is not None and len(both) == 2:
            return min(both, key=lambda day: (day < sent_on, abs(day - sent_on)))
        return both[0] if both else None
    if sent_on is None:
        return None
    readings = [day for month, day_ in orders if (day := _next(sent_on, month, day_, before)) is not None]
    return min(readings, key=lambda day: (day < sent_on, abs(day - sent_on)), default=None)


def _relative(group: dict[str, str | None], sent_on: date) -> date | None:
    if group["rel"]:
        return sent_on + timedelta(days=2 if group["rel"] in ("后天", "後天") else 1)
    if group["wd"]:
        wanted = _WEEKDAYS.index(str(group["wdn"]).lower())
        return sent_on + timedelta(days=(wanted - sent_on.weekday() - 1) % 7 + 1)
    wanted = _WEEKDAYS_ZH[str(group["wzn"])]
    if group["nz"] == "下":
        return sent_on + timedelta(days=7 - sent_on.weekday() + wanted)
    return sent_on + timedelta(days=(wanted - sent_on.weekday() - 1) % 7 + 1)
