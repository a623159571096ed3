"""Promises with a due day: who owes what by when, from a sentence that names a day and speaks of handing over or doing."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from assistant.model.reading import Commitment
from assistant.understanding.dates import Day, find_days
from assistant.understanding.normal import normalise
from assistant.understanding.sentences import Sentence, shorten

_LONGEST = 200

# What may be promised or asked for: something is handed over, done or decided. A day alone ("launch is 5 March") is no promise.
_DOING: Final = re.compile(
    r"给|发|交|出|提交|提供|完成|回复|答复|回您|回你|答|确认|定稿|安排|寄|送|付|打款|汇|转|盖|签|改好|改完|弄好|做好|搞定|上传|反馈|更新|到位|敲定|批|处理|整理|上线|补|拿"
    r"|\b(?:send|sending|deliver|get (?:it|this|you|them|back)|give|have (?:it|this|them|the|a|your|our)|share|provide|submit|finish|complete|confirm|revert|reply|respond|answer|"
    r"come back|let (?:you|us|me)|pay|transfer|sign|return|upload|turn (?:it|this|around)|fix|sort|resolve|update|circulate|ship|post|decide|approve|review|ready|done|with you|"
    r"be in your|follow|draft|issue|hand|book|settle|expect|need|arrange|prepare|look|check|call)\b"
)
_WE: Final = re.compile(
    r"我们|咱们|我(?!司要求)|这边|我方|\b(?:i|we|our|i'll|we'll|i'd|we'd|i'm|we're|us|me)\b|^(?:will|can|shall|sending|aiming)\b"
)
_YOU_DO: Final = re.compile(
    r"(?:请|麻烦|烦请|劳驾|辛苦|需要|希望|盼|望|等|能否|能不能|可否|是否能|可以)(?:贵司|贵方|您|你们|你|帮忙)?|贵司|(?:您|你)(?:们)?(?:那边|这边)?(?:在|需|得|能|要|把|先)|要在|务必|必须"
    r"|\b(?:please|pls|could you|can you|would you|will you|you'll|kindly|need (?:you|your|it|this|them|the)|let (?:me|us) (?:have|know)|by return|send me|send us|get me|get us|give us|give me)\b"
)
_OFFER: Final = re.compile(
    r"(?:给|发|交|回复?)(?:到)?(?:您|你|贵司)|发您|回您|\b(?:i'll|we'll|i will|we will|i can|we can|you'll have|you will have|with you|to you|in your inbox)\b"
)
_PAST: Final = re.compile(r"昨天|已经|上周|\b(?:yesterday|sent you|was sent|were|went|had)\b")
_DOUBT: Final = re.compile(r"[?？]\s*$|吗|\bif\b|如果|的话")
_MEETING: Final = re.compile(r"开会|会议|见面|碰一下|拜访|\b(?:meet|meeting|call at|zoom|teams at|lunch|see you)\b")


def find_commitments(
    sentences: tuple[Sentence, ...], direction: str, sent_at: datetime, timezone: str
) -> tuple[Commitment, ...]:
    """What was promised in these sentences, which leave out salutation and closing, at most one for each; `due` is a date of the zone `timezone`.

    What the writer offers is owed by the writer's side, what is demanded with a day by the other side.
    A question whether something could be done is a demand when a client asks it, no promise when we do.
    """
    written = sent_at.astimezone(_zone(timezone)).date() if sent_at.tzinfo else sent_at.date()
    found = []
    for sentence in sentences[:60]:
        plain = normalise(sentence.text)
        if not _DOING.search(plain) or _PAST.search(plain):
            continue
        days = [item for item in find_days(sentence.text, written) if item.day >= written]
        if days and (by := _owes(plain, direction, days)):
            found.append(Commitment(by, shorten(" ".join(sentence.text.split()), _LONGEST), _due(days)))
    return tuple(dict.fromkeys(found))[:12]


def _due(days: list[Day]) -> date:
    limits = [item for item in days if item.by]
    return (limits or days)[0].day


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _owes(plain: str, direction: str, days: list[Day]) -> str:
    """ "us", "client", or "" where nothing is owed."""
    writer, other = ("us", "client") if direction == "outbound" else ("client", "us")
    offers = _OFFER.search(plain) is not None
    demands = _YOU_DO.search(plain) is not None
    doubtful = _DOUBT.search(plain) is not None
    if demands and not (offers and not doubtful):
        # "Could you …?" of a client is an order; ours is a request that binds them only once they say yes.
        return other if not doubtful or direction == "inbound" else ""
    if doubtful or (_MEETING.search(plain) and not offers):
        return ""
    if offers or _WE.search(plain):
        return writer
    return writer if any(item.by for item in days) and direction == "outbound" else ""
