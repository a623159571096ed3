"""The filters that templates may use. Dates, counts and money read as people of the mail's language write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from assistant.rendering.languages import TRADITIONAL, is_chinese, normalise

_ZH_WEEKDAYS: Final = "一二三四五六日"
_EN_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_EN_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CURRENCIES: Final = {
    "CNY": "¥",
    "USD": "US$",
    "HKD": "HK$",
    "TWD": "NT$",
    "SGD": "S$",
    "EUR": "€",
    "GBP": "£",
    "JPY": "JP¥",
}
_ENGLISH_CURRENCIES: Final = {**_CURRENCIES, "CNY": "CNY "}
_BIDIRECTIONAL_CONTROLS: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
_REPLY_PREFIX: Final = re.compile(r"\s*(?:re|回复|回覆|答复|答覆)\s*(?:\[\d+\])?\s*[:：]", re.IGNORECASE)
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


def one_line(text: str) -> str:
    """`text` without control and direction characters or line ends, spaces run together (RFC 5322, section 2.2)."""
    kept = []
    for character in text:
        category = unicodedata.category(character)
        if category in {"Cc", "Zl", "Zp", "Zs"}:
            kept.append(" ")
        elif character not in _BIDIRECTIONAL_CONTROLS and category not in {"Cs", "Co"}:
            kept.append(character)
    return " ".join("".join(kept).split())


def shorten(text: str, length: int = 80) -> str:
    """`text` on one line, cut to at most `length` characters with an ellipsis, at a space where one is near."""
    line = one_line(text)
    if len(line) <= length:
        return line
    cut = line[: max(length - 1, 0)]
    space = cut.rfind(" ")
    # A word is not torn; Chinese has no spaces and is cut where the room ends.
    if space > length * 0.7 and not is_wide(cut[-1]):
        cut = cut[:space]
    return cut.rstrip(" ，,、；;：:") + "…"


def is_wide(character: str) -> bool:
    """Whether it takes the width of a Chinese character."""
    return unicodedata.east_asian_width(character) in {"W", "F"}


def written_day(day: date, language: str, *, weekday: bool = True, today: date | None = None) -> str:
    """2月24日（周二）, 2月24日（週二）, Tue 24 Feb; with the year where it is not this one."""
    with_year = today is not None and today.year != day.year
    if is_chinese(language):
        week = "週" if normalise(language) == TRADITIONAL else "周"
        year = f"{day.year}年" if with_year else ""
        end = f"（{week}{_ZH_WEEKDAYS[day.weekday()]}）" if weekday else ""
        return f"{year}{day.month}月{day.day}日{end}"
    start = f"{_EN_WEEKDAYS[day.weekday()]} " if weekday else ""
    return f"{start}{day.day} {_EN_MONTHS[day.month - 1]}" + (f" {day.year}" if with_year else "")


def written_moment(moment: datetime, language: str, *, today: date | None = None) -> str:
    """2月24日（周二）10:00, Tue 24 Feb 10:00; on the wall clock that `moment` carries."""
    space = "" if is_chinese(language) else " "
    return f"{written_day(moment, language, today=today)}{space}{clock(moment)}"


def written_weekday(day: date, language: str) -> str:
    """周二, 週二, Tue."""
    if is_chinese(language):
        return ("週" if normalise(language) == TRADITIONAL else "周") + _ZH_WEEKDAYS[day.weekday()]
    return _EN_WEEKDAYS[day.weekday()]


def written_number(number: float) -> str:
    """At most one decimal, none where it is whole: 1.6, 3, 1,200."""
    rounded = Decimal(str(number)).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{rounded:,.0f}" if rounded == rounded.to_integral_value() else f"{rounded:,.1f}"


def written_business_days(days: float, language: str) -> str:
    """3 个工作日, 3 個工作天, 3 business days."""
    number = written_number(days)
    if is_chinese(language):
        return f"{number} 個工作天" if normalise(language) == TRADITIONAL else f"{number} 个工作日"
    return f"{number} business day" if number == "1" else f"{number} business days"


def written_hours(hours: float, language: str) -> str:
    """1.6 小时, 1.6 小時, 1.6 h."""
    if is_chinese(language):
        return written_number(hours) + (" 小時" if normalise(language) == TRADITIONAL else " 小时")
    return f"{written_number(hours)} h"


def written_money(amount: float | Decimal, currency: str, language: str) -> str:
    """¥86,420, CNY 86,420, US$1,200.50; cents only where there are some."""
    value = Decimal(str(amount)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    digits = f"{abs(value):,.0f}" if value == value.to_integral_value() else f"{abs(value):,.2f}"
    signs = _CURRENCIES if is_chinese(language) else _ENGLISH_CURRENCIES
    return ("-" if value < 0 else "") + signs.get(currency, f"{currency} ") + digits


def reply_subject(subject: str) -> str:
    """The subject of an answer in the thread of `subject`: one "Re: ", never two."""
    line = one_line(subject)
    return line if _REPLY_PREFIX.match(line) else f"Re: {line}"


def paragraphs(text: str, style: str = "") -> Markup:
    """Plain text as html paragraphs: blank lines part them, line ends are kept, everything is escaped."""
    opening = Markup('<p style="{}">').format(style) if style else Markup("<p>")
    blocks = [block for block in re.split(r"\n[ \t]*\n", text.strip("\n")) if block.strip()]
    lines = (Markup("<br>\n").join(escape(line) for line in block.split("\n")) for block in blocks)
    return Markup("\n").join(opening + block + Markup("</p>") for block in lines)


def fill(words: str, **values: object) -> str:
    """`words` with every {name} replaced by its value. A name without a value raises KeyError."""
    return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), words)


def fill_strong(words: str, **values: object) -> Markup:
    """The same for html, each value in bold; words and values are escaped."""
    replaced = _PLACEHOLDER.sub(lambda match: f"<strong>{escape(str(values[match[1]]))}</strong>", str(escape(words)))
    return Markup(replaced)  # noqa: S704  # both words and values were escaped above


def form(words: str, number: float) -> str:
    """The singular of "singular | plural" for exactly 1, else the plural; words without a bar serve both."""
    forms = [part.strip() for part in words.split("|")]
    return forms[0] if number == 1 else forms[-1]


def plural(words: str, number: float, **values: object) -> str:
    """ "1 question | {n} questions": the form that fits, with {n} replaced by the number."""
    return fill(form(words, number), n=written_number(number), **values)


def clock(moment: datetime) -> str:
    """14:30."""
    return f"{moment:%H:%M}"


def _today(context: Context) -> date | None:
    today = context.get("today")
    return today if isinstance(today, date) else None


def _language(context: Context) -> str:
    return str(context.get("language", "en"))


@pass_context
def _day(context: Context, day: date) -> str:
    return written_day(day, _language(context), today=_today(context))


@pass_context
def _short_day(context: Context, day: date) -> str:
    return written_day(day, _language(context), weekday=False, today=_today(context))


@pass_context
def _moment(context: Context, moment: datetime) -> str:
    return written_moment(moment, _language(context), today=_today(context))


@pass_context
def _weekday(context: Context, day: date) -> str:
    return written_weekday(day, _language(context))


@pass_context
def _business_days(context: Context, days: float) -> str:
    return written_business_days(days, _language(context))


@pass_context
def _hours(context: Context, hours: float) -> str:
    return written_hours(hours, _language(context))


@pass_context
def _money(context: Context, amount: float | Decimal, currency: str = "CNY") -> str:
    return written_money(amount, currency, _language(context))


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "day": _day,
    "short_day": _short_day,
    "moment": _moment,
    "weekday": _weekday,
    "clock": clock,
    "business_days": _business_days,
    "business_hours": _hours,
    "number": written_number,
    "money": _money,
    "one_line": one_line,
    "shorten": shorten,
    "reply_subject": reply_subject,
    "paragraphs": paragraphs,
    "fill": fill,
    "fill_strong": fill_strong,
    "form": form,
    "plural": plural,
}
"""By the names under which templates use them."""
