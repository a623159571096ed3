"""Days named in Chinese and English text, reckoned from the day a mail was written."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from assistant.understanding.normal import normalise
from assistant.understanding.numbers import CHINESE, WORDS, read_number

_LOOK_BACK = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Day:
    """A day named by `text[start:end]`. `by`: the words say that something is due then ("前", "by")."""

    start: int
    end: int
    day: date
    by: bool


# Most sentences name no day: one look spares them all the rules.
_HINT = re.compile(
    r"[\d周月天日晚早节年底后前]|星期|礼拜|国庆|春节|元旦|day|week|month|year|to(?:night|morrow)|tmr|\b(?:mon|tue|wed|thu|fri|sat|sun|end|eod|cob|close|start|middle|overnight)"
)


def find_days(text: str, written: date) -> tuple[Day, ...]:
    """The days named in `text`, in order, without overlap. `written` is the writer's local date."""
    plain = normalise(text)[:20_000]
    found: list[Day] = []
    if not _HINT.search(plain):
        return ()
    for pattern, read in _RULES:
        for match in pattern.finditer(plain):
            if any(match.start() < other.end and other.start < match.end() for other in found):
                continue
            day = read(match, written)
            if day is not None:
                found.append(Day(match.start(), match.end(), day, _is_limit(plain, match)))
    return tuple(sorted(found, key=lambda item: item.start))


_BEFORE_LIMIT = re.compile(
    r"(?:\bby|\bbefore|\buntil|\btill|\bno later than|\bdue(?: on)?|\bdeadline:?|\blatest|最晚|最迟|赶在|截止(?:到)?|截至|\bwithin|\bin|\beod|\bcob|\bend of (?:the )?(?:day|play|business))\s*(?:on\s+|the\s+)?$"
)
_AFTER_LIMIT = re.compile(
    r"\s*(?:号|日)?(?:的)?(?:早上|上午|中午|下午|晚上|晚|下班|零点|eod|\d{1,2}[点:]\d{0,2})?\s*(?:之前|以前|前|内|之内|以内|截止|为止|at the latest|latest)"
)


def _is_limit(plain: str, match: re.Match[str]) -> bool:
    if match.group().startswith(("by ", "before ", "within ", "in ")) or match.group().endswith(("内", "前")):
        return True
    return bool(
        _BEFORE_LIMIT.search(plain, max(0, match.start() - 16), match.start()) or _AFTER_LIMIT.match(plain, match.end())
    )


# --- reckoning --------------------------------------------------------------------------------------------------------


def _weekday(written: date, weekday: int, weeks: int | None) -> date:
    """`weeks` after this one, counted from Monday; None: the next such day, today excluded."""
    if weeks is None:
        return written + timedelta(days=(weekday - written.weekday() - 1) % 7 + 1)
    return written + timedelta(days=weekday - written.weekday() + 7 * weeks)


def _month_end(written: date, months: int = 0) -> date:
    year, month = divmod(written.month - 1 + months, 12)
    year, month = written.year + year, month + 1
    return date(year, month, calendar.monthrange(year, month)[1])


def _calendar_day(written: date, year: int | None, month: int, day: int) -> date | None:
    """The day with that month and number that is nearest ahead; up to two months back it is taken as just past."""
    try:
        if year is not None:
            return date(year if year > 99 else 2000 + year, month, day)
        found = date(written.year, month, day)
    except ValueError:
        return None
    if found < written - _LOOK_BACK:
        try:
            return date(written.year + 1, month, day)
        except ValueError:
            return None
    if found > written + timedelta(days=330):
        return _calendar_day(written, written.year - 1, month, day)
    return found


def _month_day(written: date, day: int, months: int = 0) -> date | None:
    """Day `day` of this month, or of the next one if it has passed."""
    for step in (months, months + 1):
        end = _month_end(written, step)
        if day > end.day:
            continue
        found = end.replace(day=day)
        if found >= written or months:
            return found
    return None


def _business_days(written: date, count: int) -> date:
    found = written
    while count > 0:
        found += timedelta(days=1)
        count -= found.weekday() < 5
    return found


def _whole(text: str | None) -> int | None:
    value = read_number(text or "")
    return None if value is None else int(value)


# --- Chinese ----------------------------------------------------------------------------------------------------------

_DIGITS = rf"(?:\d{{1,4}}|[{CHINESE}]{{1,3}})"
_ZH_WEEKDAY: Final = {
    "一": 0,
    "二": 1,
    "三": 2,
    "四": 3,
    "五": 4,
    "六": 5,
    "日": 6,
    "天": 6,
    "末": 5,
    "1": 0,
    "2": 1,
    "3": 2,
    "4": 3,
    "5": 4,
    "6": 5,
    "7": 6,
}
_ZH_NEAR: Final = {"今": 0, "明": 1, "后": 2, "大后": 3, "当": 0, "次": 1, "翌": 1, "听": 1, "隔": 1}
_TIME_OF_DAY = r"(?:一?早|上午|中午|下午|晚上|晚|下班|早上|之内|内)?"


def _zh_weekday(match: re.Match[str], written: date) -> date | None:
    before, weekday = match["which"] or "", _ZH_WEEKDAY[match["weekday"]]
    if before.startswith("下下"):
        return _weekday(written, weekday, 2)
    if before.startswith("下"):
        return _weekday(written, weekday, 1)
    if before.startswith(("这", "本", "今")):
        return _weekday(written, weekday, 0)
    if before.startswith("上"):
        return _weekday(written, weekday, -1)
    return _weekday(written, weekday, None) if weekday != written.weekday() else written


def _zh_week(match: re.Match[str], written: date) -> date | None:
    weeks = {"下下": 2, "下": 1}.get(match["which"], 0)
    return _weekday(written, {"初": 0, "一开始": 0, "中": 2}.get(match["part"] or "", 4), weeks)


def _zh_month_end(match: re.Match[str], written: date) -> date | None:
    if match["month"]:
        month = _whole(match["month"]) or 0
        if not 1 <= month <= 12:
            return None
        first = _calendar_day(written, None, month, 1)
        return None if first is None else _part_of_month(first, match["part"])
    return _part_of_month(_month_end(written, 1 if (match["which"] or "").startswith("下") else 0), match["part"])


def _part_of_month(within: date, part: str) -> date:
    end = _month_end(within)
    return end.replace(day={"初": 5, "上旬": 10, "中旬": 20, "中": 15}.get(part, end.day))


def _zh_date(match: re.Match[str], written: date) -> date | None:
    month, day = _whole(match["month"]), _whole(match["day"])
    if month is None or day is None:
        return None
    year = {"今年": written.year, "明年": written.year + 1}.get(match["year"] or "") or _whole(
        (match["year"] or "").rstrip("年")
    )
    return _calendar_day(written, year, month, day)


def _zh_near(match: re.Match[str], written: date) -> date:
    return written + timedelta(days=_ZH_NEAR[match["near"]])


def _zh_span(match: re.Match[str], written: date) -> date | None:
    value = read_number(match["count"])
    if value is None or value > 400:
        return None
    return _after(written, value, match["unit"])


def _after(written: date, value: float, unit: str) -> date | None:
    if "工作日" in unit or unit.startswith(("working", "business")):
        return _business_days(written, int(value))
    if unit.startswith(("周", "星期", "礼拜", "个星期", "个礼拜", "week")):
        return written + timedelta(days=round(7 * value))
    if "月" in unit or unit.startswith("month"):
        if value < 1:
            return written + timedelta(days=15)
        end = _month_end(written, int(value))
        return end.replace(day=min(written.day, end.day))
    if unit.startswith(("小时", "个小时", "hour")):
        return written + timedelta(days=int(value) // 24 + (value % 24 > 12))
    return written + timedelta(days=round(value))


def _month_number(match: re.Match[str], written: date) -> date | None:
    day = _whole(match["day"])
    if day is None or not 1 <= day <= 31:
        return None
    return _month_day(written, day, 1 if (match["which"] or "").startswith("下") else 0)


_HOLIDAYS: Final = ("元旦", "春节", "五一", "端午", "中秋", "国庆")


def _festival(match: re.Match[str], written: date) -> date | None:
    after = match["side"] in {"后", "之后", "过后", "节后", "假期后"}
    names = _HOLIDAYS if match["name"] == "节" else (match["name"],)
    days = [day for name in names if (day := _around(name, written, after=after)) is not None]
    return min(days, default=None)


def _around(name: str, written: date, *, after: bool) -> date | None:
    """The first business day after the holiday, or the day before it."""
    from lunar_python import Lunar

    for year in (written.year, written.year + 1):
        if name in {"国庆", "国庆节", "十一"}:
            first, last = date(year, 10, 1), date(year, 10, 7)
        elif name in {"五一", "劳动节"}:
            first, last = date(year, 5, 1), date(year, 5, 5)
        elif name == "元旦":
            first, last = date(year, 1, 1), date(year, 1, 1)
        elif name in {"圣诞", "圣诞节"}:
            first, last = date(year, 12, 25), date(year, 12, 25)
        else:
            month, day, length = {"端午": (5, 5, 1), "中秋": (8, 15, 1), "元宵": (1, 15, 1), "七夕": (7, 7, 1)}.get(
                name.removesuffix("节"), (1, 1, 7)
            )
            solar = Lunar.fromYmd(year, month, day).getSolar()
            first = date(solar.getYear(), solar.getMonth(), solar.getDay())
            last = first + timedelta(days=length - 1)
        found = _business_days(last, 1) if after else first - timedelta(days=1)
        if found >= written:
            return found
    return None


# --- English ----------------------------------------------------------------------------------------------------------

_EN_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EN_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EN_WEEKDAY = r"(?P<weekday>mon(?:day)?|tue(?:s(?:day)?)?|wed(?:s|nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)\b"
_EN_MONTH = r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"


_AMBIGUOUS: Final = frozenset({"sat", "sun", "wed"})
_LEADS_TO_DAY: Final = re.compile(
    r"(?:\b(?:on|by|before|until|till|from|for|or|and|to|eod|cob|latest|of|day)|^|[,(:;/-])\s*$"
)


def _en_weekday(match: re.Match[str], written: date) -> date | None:
    which, weekday = (match["which"] or "").strip(), _EN_WEEKDAYS.index(match["weekday"][:3])
    # "sun", "sat" and "wed" are words of their own: as days they follow a preposition or stand before a time or an end.
    if match["weekday"] in _AMBIGUOUS and not which and not _LEADS_TO_DAY.search(match.string, 0, match.start()):
        return None
    if which.startswith("next"):
        return _weekday(written, weekday, 1)
    if which.startswith("last"):
        return _weekday(written, weekday, None) - timedelta(days=7)
    if "week on" in which or match["later"]:
        return _weekday(written, weekday, None) + timedelta(days=7)
    return _weekday(written, weekday, None)


def _en_date(match: re.Match[str], written: date) -> date | None:
    month = _EN_MONTHS.index(match["month"][:3]) + 1
    year = match["year"]
    return _calendar_day(written, int(year) if year else None, month, int(match["day"]))


def _en_near(match: re.Match[str], written: date) -> date:
    word = match["near"]
    if word.startswith("the day after"):
        return written + timedelta(days=2)
    return written + timedelta(days=1 if word.startswith(("tomorrow", "tmr", "tmrw", "overnight")) else 0)


def _en_end(match: re.Match[str], written: date) -> date | None:
    which, unit = match["which"] or "", match["unit"]
    later = 1 if which.strip() == "next" else 0
    if unit == "week":
        return _weekday(written, 0 if match["part"] in {"start", "beginning"} else 4, later)
    if unit == "month":
        return _part_of_month(
            _month_end(written, later), {"start": "初", "beginning": "初", "middle": "中"}.get(match["part"], "底")
        )
    if unit == "year":
        return date(written.year + later, 12, 31)
    if unit in {"day", "play", "business"}:
        return written
    month = _EN_MONTHS.index(unit[:3]) + 1
    first = _calendar_day(written, None, month, 1)
    return None if first is None else _month_end(first)


def _en_week(match: re.Match[str], written: date) -> date | None:
    return _weekday(written, 4, {"next": 1, "this": 0}[match["which"]])


def _en_span(match: re.Match[str], written: date) -> date | None:
    value = read_number(match["count"])
    if value is None or value > 400:
        return None
    return _after(written, value, match["unit"])


def _en_ordinal(match: re.Match[str], written: date) -> date | None:
    return _month_day(written, int(match["day"]))


def _iso(match: re.Match[str], written: date) -> date | None:
    return _calendar_day(written, int(match["year"]), int(match["month"]), int(match["day"]))


def _slashed(match: re.Match[str], written: date) -> date | None:
    """Month first, as Chinese writers do, unless that cannot be."""
    first, second = int(match["month"]), int(match["day"])
    if first > 12 >= second:
        first, second = second, first
    return _calendar_day(written, None, first, second)


_Rule = tuple[re.Pattern[str], Callable[[re.Match[str], date], date | None]]


def _rule(pattern: str, read: Callable[[re.Match[str], date], date | None]) -> _Rule:
    return re.compile(pattern), read


_RULES: Final[tuple[_Rule, ...]] = (
    _rule(r"(?<!\d)(?P<year>20\d\d)[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})(?!\d)日?", _iso),
    _rule(r"(?P<year>今年|明年|\d{2,4}年)?(?P<month>\d{1,2}|[一二三四五六七八九十]{1,2})月(?P<day>\d{1,2}|[一二三四五六七八九十]{1,3})(?:日|号|(?!\d|个|天))", _zh_date),
    _rule(r"(?P<which>下个?|本|这个?|当)?(?P<month>(?:1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九])(?=月))?月(?P<part>底|末|初|上旬|中旬|下旬|中)", _zh_month_end),
    _rule(r"(?P<which>下下个?|下个?|这个?|本|上个?|今)?(?:周|星期|礼拜|拜)(?P<weekday>[一二三四五六日天末1-7])(?![年月万\d])", _zh_weekday),
    _rule(r"(?P<which>下下|下|本|这)(?:一)?个?(?:周|星期|礼拜)(?P<part>初|一开始|中|内|之内|底|尾)?(?![一二三四五六日天末1-7年])", _zh_week),
    _rule(rf"(?P<near>大后|今|明|后|当|次|翌|听|隔)(?:天|日|晚|早(?!期)|儿)(?!使|津|空|台){_TIME_OF_DAY}", _zh_near),
    _rule(rf"(?P<count>{_DIGITS}(?:\.\d)?)(?P<unit>个工作日|工作日|天|日(?!期)|周|个?星期|个?礼拜|个月|个?小时)(?=之?内|以内|后|之后|左右给|给)", _zh_span),
    _rule(r"(?P<name>国庆节?|十一|春节|过年|五一|劳动节|元旦|端午节?|中秋节?|元宵节?|圣诞节?|年|(?<![一-龥])节|(?<=[，。、 ,等到])节)(?P<side>后|之后|过后|假期后|节后|前|之前|节前)(?!期|天|景|台|端|提|面|卫)", _festival),
    _rule(r"(?<![\d月.:/])(?P<which>下个?月|本月|这个?月)?(?P<day>[12]?\d|3[01])(?:号(?!线|楼|店|机|厅|门|馆|院)|日(?=前|之前|下|上|晚|给|交))", _month_number),
    _rule(rf"\b(?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?:\s+of)?\s+{_EN_MONTH}(?:,?\s+(?P<year>20\d\d))?", _en_date),
    _rule(rf"\b{_EN_MONTH}\s+(?P<day>[0-3]?\d)(?:st|nd|rd|th)?\b(?!\s*(?:%|k\b|people|:\d))(?:,?\s+(?P<year>20\d\d))?", _en_date),
    _rule(rf"\b(?P<part>end|start|beginning|middle|close|cob|eod)\s+(?:of\s+)?(?:the\s+)?(?P<which>next |this )?(?P<unit>week|month|year|play|business|day(?!\s+(?:{'|'.join(_EN_WEEKDAYS)}|tomorrow))|{'|'.join(_EN_MONTHS)})\w*", _en_end),
    _rule(rf"\b(?P<which>next |this |coming |last |a week on )?{_EN_WEEKDAY}(?P<later> week\b)?", _en_weekday),
    _rule(r"\b(?P<which>next|this) week\b", _en_week),
    _rule(r"\b(?P<near>the day after tomorrow|tomorrow|tmrw|tmr|tonight|today|overnight)\b", _en_near),
    _rule(rf"\b(?:within|in)\s+(?:the\s+next\s+)?(?P<count>\d{{1,3}}|{WORDS})\s+(?P<unit>(?:working|business)\s+days?|days?|weeks?|months?|hours?)\b", _en_span),
    _rule(r"\b(?:by|on|before|until|till) the (?P<day>[0-3]?\d)(?:st|nd|rd|th)\b", _en_ordinal),
    _rule(r"(?<![\d/.:v-])(?P<month>\d{1,2})/(?P<day>\d{1,2})(?![\d/%:]|\.\d)", _slashed),
)  # fmt: skip
