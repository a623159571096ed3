"""The rows above a quotation: which words each mail program puts before sender, time, recipients and subject."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final

from assistant.demo.letters import Letter, Person

WEEKDAYS: Final = "一二三四五六日"

Moment = Callable[[datetime], str]


@dataclass(frozen=True, slots=True)
class Labels:
    """The rows above a quotation."""

    sender: str
    sent: str
    to: str
    cc: str
    subject: str
    moment: Moment
    colon: str = ": "
    addresses: str = "{name} <{address}>"
    between: str = "; "


def zh_date(at: datetime) -> str:
    return f"{at.year}年{at.month}月{at.day}日"


def zh_half(at: datetime) -> str:
    return "上午" if at.hour < 12 else "下午"


def twelve(at: datetime) -> str:
    return f"{(at.hour - 1) % 12 + 1}:{at:%M}"


def weekday(at: datetime) -> str:
    return WEEKDAYS[at.weekday()]


OUTLOOK_ZH: Final = Labels(
    "发件人", "发送时间", "收件人", "抄送", "主题", lambda at: f"{zh_date(at)} {at.hour}:{at:%M}"
)
OUTLOOK_ZH_HANT: Final = Labels(
    "寄件者",
    "寄件日期",
    "收件者",
    "副本",
    "主旨",
    lambda at: f"{zh_date(at)} {zh_half(at)} {(at.hour - 1) % 12 + 1:02d}:{at:%M}",
)
OUTLOOK_EN: Final = Labels("From", "Sent", "To", "Cc", "Subject", lambda at: f"{at:%d %B %Y %H:%M}")
OUTLOOK_US: Final = Labels(
    "From", "Sent", "To", "Cc", "Subject", lambda at: f"{at:%A, %B} {at.day}, {at.year} {twelve(at)} {at:%p}"
)
FOXMAIL: Final = Labels(
    "发件人", "发送时间", "收件人", "抄送", "主题", lambda at: f"{at:%Y-%m-%d %H:%M}", colon="： ", addresses="{name}"
)
TENCENT: Final = Labels(
    "发件人",
    "发送时间",
    "收件人",
    "抄送",
    "主题",
    lambda at: f"{zh_date(at)}(星期{weekday(at)}) {zh_half(at)}{twelve(at)}",
    addresses='"{name}"<{address}>;',
    between=" ",
)
ALIYUN: Final = Labels(
    "发件人",
    "发送时间",
    "收件人",
    "抄　送",
    "主　题",
    lambda at: f"{zh_date(at)}(星期{weekday(at)}) {at:%H:%M}",
    colon="：",
)
LARK: Final = Labels(
    "发件人",
    "发送时间",
    "收件人",
    "抄送",
    "主题",
    lambda at: f"{zh_date(at)} (周{weekday(at)}) {at:%H:%M}",
    addresses='"{name}"<{address}>',
    between=", ",
)
MAIL_MASTER: Final = Labels(
    "发件人",
    "发送日期",
    "收件人",
    "抄送至",
    "主题",
    lambda at: f"{at:%Y年%m月%d日 %H:%M}",
    addresses="{name}<{address}>",
    between="、",
)


QQ_PHONE: Final = Labels(
    "From",
    "Date",
    "To",
    "Cc",
    "Subject",
    lambda at: f"{at:%a,%b} {at.day},{at.year} {twelve(at)} {at:%p}",
    addresses="{name} <{address}>",
)


def _people(people: Sequence[Person], labels: Labels) -> str:
    return labels.between.join(labels.addresses.format(name=person.name, address=person.address) for person in people)


def rows_of(letter: Letter, shown: Letter, labels: Labels) -> list[tuple[str, str]]:
    """Label and value; the time as the clock of the one who answers shows it."""
    found = [
        (labels.sender, _people((shown.writer,), labels)),
        (labels.sent, labels.moment(shown.at.astimezone(letter.at.tzinfo))),
        (labels.to, _people(shown.to, labels)),
    ]
    if shown.cc:
        found.append((labels.cc, _people(shown.cc, labels)))
    return [*found, (labels.subject, shown.subject)]


def plain_rows(letter: Letter, shown: Letter, labels: Labels) -> str:
    return "\n".join(f"{label}{labels.colon}{value}" for label, value in rows_of(letter, shown, labels))


def html_rows(letter: Letter, shown: Letter, labels: Labels, row: str) -> str:
    colon = labels.colon.strip()
    return "".join(
        row.format(label=label, colon=colon, value=escape(value, quote=False))
        for label, value in rows_of(letter, shown, labels)
    )
