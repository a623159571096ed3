"""The line that says who wrote what follows: "On … wrote:", "张三 于 … 写道：" and their kin, also broken over lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from parsers.quotation_headers import is_ruler, starts_block
from parsers.quotation_lines import fold, without_bold
from parsers.quotation_tables import OPENINGS, QUOTING_WORDS, SALUTATIONS, VERBS_AT_END, VERBS_WITHIN

_LONGEST: Final = 500
_MOST_LINES: Final = 6
_WEAK: Final = frozenset(
    ("写", "寫", "写了", "寫了", "说", "said", "sent", "发送", "来信", "來信", "的邮件", "的メール")
)
_ENDS: Final = tuple(sorted(VERBS_AT_END, key=len, reverse=True))
_WITHIN: Final = re.compile(r"(?:^|[\s,\d>)\]月日])(" + "|".join(VERBS_WITHIN) + r")(?=[\s:])", re.IGNORECASE)
_MONTH: Final = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mai|okt|dez|janv|févr|avr|juin|juil|août|déc|ene|abr|ago|dic|gen|mag|giu|lug|set|ott|out|mrt|mei|maj|янв|фев|мар|апр"
    r"|мая|июн|июл|авг|сен|окт|ноя|дек)[^\W\d_]{0,9}"
)
_DATE: Final = re.compile(
    r"\d{4}\s?[-/.年년]\s?\d{1,2}\s?[-/.月월]\s?\d{1,2}|\d{1,2}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?\d{2,4}(?!\d)|\d{1,2}月\s?\d{1,2}日"
    r"|\d{1,2}(?:st|nd|rd|th|[.º])?[\s-](?:de\s|of\s)?[^\W\d_]{3,12}[.,]{0,2}[\s-](?:de\s|del\s)?\d{2,4}"
    r"|[^\W\d_]{3,12}\.?\s\d{1,2}(?:st|nd|rd|th)?[,.]?\s\d{4}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|[.])?[\s-]{_MONTH}|{_MONTH}\.?\s\d{{1,2}}(?!\d)"
    r"|\d{1,2}\s?[一二三四五六七八九十]{1,2}月,?\s?\d{4}"
    r"|\d{1,2}\s(?:tháng)\s\d{1,2},?\s\d{4}",
    re.IGNORECASE,
)
_DIGIT: Final = re.compile(r"\d")
_YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)|\d{1,2}[-/.]\d{1,2}[-/.]\d{2}(?!\d)|-\d{2}(?!\d)")
_TIME: Final = re.compile(r"\d{1,2}\s?[:.h時点时시]\s?\d{2}|\d{1,2}\s?[ap]\.?m\b|[上下]午\s?\d", re.IGNORECASE)
_WEEKDAY: Final = re.compile(
    r"\b(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b|(?:星期|周|週|礼拜)[一二三四五六日天]",
    re.IGNORECASE,
)
_OPENING: Final = re.compile(
    r"(?:"
    + "|".join(re.escape(word) for word in sorted(OPENINGS, key=len, reverse=True))
    + r")(?:[\s,.:]|(?=\d)|(?<=[在于於])|(?=[\"<]))",
    re.IGNORECASE,
)
_PROSE: Final = re.compile(
    r"的|里|中，|们|[.!?。！？;；](?:\s|$)\s*\w|\b(?:the|of|we|our|that|this|they|you|i|my|his|her|is|was|were|has|have|had|as|when|which|who|and then)\b",
    re.IGNORECASE,
)
_ENDS_SENTENCE: Final = re.compile(r"[。！？!?.]$")
_ADDRESS_SHAPE: Final = re.compile(r"<?\s?(?:mailto:)?[^\s<>@()]+\s?(?:@|\(at\)|\sat\s)\s?[^\s<>()]+>?|<[^<>]{3,80}>")
_DATE_THEN_ADDRESS: Final = re.compile(r"[^<>]{6,160}<[^<>\s]+@[^<>\s]+>\s?:?$")


_TRAILING: Final = " \t\u00a0\u3000-=*_—"


def may_end_attribution(line: str) -> bool:
    """A cheap first look at a raw line, so that few lines are looked at closely."""
    tail = line[-60:].rstrip(_TRAILING)
    if not tail:
        return False
    last = tail[-1]
    if last in ":：":
        return True
    if len(tail) < len(line.rstrip()) and len(line) <= 60:
        return tail.lower().endswith(_ENDS)
    return "@" in line and (last == ">" or tail.lower().endswith(_ENDS))


def may_close_attribution(text: str) -> bool:
    """Whether the text may be the last line of an attribution over something known to be a quotation."""
    tail = fold(text[-80:])
    return bool(tail) and (tail[-1] in ":>]-=" or tail.rstrip(_TRAILING).lower().endswith(_ENDS))


def find_attribution(
    bodies: Sequence[str], depths: Sequence[int], end: int, lowest: int, *, followed: bool
) -> int | None:
    """The index of the line with which the attribution that ends on line `end` begins, or None if there is none.

    `lowest` is the first line that may belong to it; `followed` says that the next text line is marked as a quote.
    A span that opens like an attribution ("On 5 March …") is whole; one that begins with a name may go on above.
    """
    joined = ""
    named: tuple[int, str, bool] | None = None
    for index in range(end, max(lowest, end - _MOST_LINES + 1) - 1, -1):
        line = fold(bodies[index])
        if not line or depths[index] != depths[end] or is_ruler(line) or (index < end and _closes(line)):
            break
        joined = f"{line} {joined}".strip()
        if len(joined) > _LONGEST:
            break
        manner = attribution_manner(joined, followed=followed)
        if manner == "opened":
            return _with_name_above(bodies, depths, index, lowest, joined)
        if manner == "named" and (named is None or (not named[2] and bool(_DATE.search(joined)))):
            named = index, joined, bool(_DATE.search(joined))
    return None if named is None else _with_name_above(bodies, depths, named[0], lowest, named[1])


def _closes(line: str) -> bool:
    """A line that ends a sentence or opens a block cannot be the upper part of a broken attribution."""
    return line[-1] in "。！？!?:" or starts_block(line)


def _with_name_above(bodies: Sequence[str], depths: Sequence[int], index: int, lowest: int, joined: str) -> int:
    """A span that begins with an address, or with 于 and the date, may have the name (and address) on the lines above."""
    while (
        index > lowest
        and joined.startswith(("<", "(", "[mailto:", "于", "於", "在"))
        and depths[index - 1] == depths[index]
    ):
        above = fold(bodies[index - 1])
        is_name = (
            bool(above)
            and len(above) <= 90
            and not _PROSE.search(_ADDRESS_SHAPE.sub("", above))
            and not _ENDS_SENTENCE.search(above)
        )
        if not is_name or (joined[0] in "于於在" and "@" not in above):
            break
        index -= 1
        joined = above
    return index


def is_attribution(joined: str, *, followed: bool) -> bool:
    """Whether the folded, joined text is an attribution from its first to its last character."""
    return bool(attribution_manner(joined, followed=followed))


def attribution_manner(joined: str, *, followed: bool) -> str:
    """ "opened" (it begins with an opening word or the date), "named" (with a name or the verb) or "" for no attribution."""
    text = without_bold(joined).strip("-= ")
    if not 4 <= len(text) <= _LONGEST:
        return ""
    core = text.rstrip(":- ")
    colon = text.endswith(":")
    lowered = core.lower()
    verb = ""
    if lowered.endswith(_ENDS):
        verb = next(
            (verb for verb in _ENDS if lowered.endswith(verb) and _at_word(lowered, len(lowered) - len(verb))), ""
        )
    if not verb and colon and (found := _WITHIN.search(core)):
        verb = found.group(1).lower()
    if not verb and not colon and not core.endswith(">"):
        return ""
    date = _DATE.search(core) if _DIGIT.search(core) else None
    address = "@" in core or (("<" in core or "at" in lowered) and bool(_ADDRESS_SHAPE.search(core)))
    if not verb:
        return "opened" if _without_verb(core, date, followed=followed, colon=colon) else ""
    if not (colon or joined.endswith(("-", "=")) or (address and date)):
        return ""
    if verb in _WEAK and not (date and (address or followed)):
        return ""
    opening = _OPENING.match(core) or (date is not None and date.start() <= 12) or _WEEKDAY.match(core)
    if opening and (date or (_WEEKDAY.search(core) and (followed or address))):
        return "opened" if _opens_well(core, date, verb, address=address, followed=followed) else ""
    return "named" if _name_first(core, date, verb, address=address, followed=followed) else ""


def _at_word(lowered: str, position: int) -> bool:
    """Verbs of alphabetic scripts stand as a word of their own; "…typewrote" is none, but "<a@b.example>wrote" is."""
    return position == 0 or not (
        lowered[position - 1].isalpha() and lowered[position].isascii() and lowered[position - 1].isascii()
    )


def _opens_well(core: str, date: re.Match[str] | None, verb: str, *, address: bool, followed: bool) -> bool:
    if followed or (address and date):
        return _is_short(core)
    if not (date and _YEAR.search(core) and _TIME.search(core)):
        return False
    return _is_short(core) and not _PROSE.search(core[date.end() :].replace(verb, ""))


def _is_short(core: str) -> bool:
    """What is left beside addresses must be a date and a name, not a paragraph."""
    return len(core) <= 220 or len(_ADDRESS_SHAPE.sub("", core)) <= 220


def _name_first(core: str, date: re.Match[str] | None, verb: str, *, address: bool, followed: bool) -> bool:
    """`John <john@…> wrote:`, `张三 于2024年1月2日 15:04写道:`, and with a quote below also `John wrote:`."""
    place = _ADDRESS_SHAPE.search(core) if address else date
    head = core[: place.start()] if place else core[: len(core) - len(verb)]
    if len(head) > 80 or head.lower().startswith(SALUTATIONS) or _PROSE.search(head):
        return False
    if address:
        return bool(date) or followed or (_is_short(core) and len(core) <= 200)
    if date:
        return followed or bool(_YEAR.search(core) and _TIME.search(core) and not _PROSE.search(core[date.end() :]))
    return followed and len(head.split()) <= 6 and sum(map(str.isalpha, head)) >= 2


def _without_verb(core: str, date: re.Match[str] | None, *, followed: bool, colon: bool) -> bool:
    lowered = core.lower()
    if colon and lowered.startswith(QUOTING_WORDS):
        return "@" in core or followed
    if date and colon and followed and "@" in core and core.endswith("]"):
        # Mutt puts the date last, in square brackets.
        return len(core) <= 200
    if not date or "@" not in core or date.start() > 24 or not _DATE_THEN_ADDRESS.match(core):
        return False
    name = core[date.end() : core.rfind("<")]
    time = _TIME.search(name)
    name = name[time.end() :] if time else name
    return len(name) <= 90 and not _PROSE.search(name) and (colon or bool(_YEAR.search(core)))
