"""Takes off what stands under a written text: signature, phone signature, disclaimer, list footer; on top, a gateway's banner."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from parsers.disclaimers import LOOKED_AT, content_end, has_disclaimer_word, peel_disclaimer
from parsers.quotation_headers import is_ruler
from parsers.quotation_lines import fold
from parsers.signature_tables import (
    BANNER,
    CLOSING,
    COMPANY,
    CONTACT,
    DEVICE,
    EXCUSE,
    FOOTER,
    NOT_A_DEVICE,
    PHONE_OPENINGS,
    ROLE,
    STRONG_CONTACT,
    VIA_OPENINGS,
)

_LONGEST_SIGNATURE: Final = 30
_MOST_ROUNDS: Final = 8
"""A phone signature over a contact block over a disclaimer over a list footer is four."""
_DASH_NAME: Final = re.compile(
    r"^\s{0,2}[-~–—]{1,2}\s?[A-Z\u00c0-\u024f\u4e00-\u9fff][\w.'\u4e00-\u9fff]{0,20}(?: [A-Z][\w.']{0,20}){0,2}[,.]?$"
)
_DASH_WORD: Final = re.compile(r"^\s?[-~]\w[\w.']{1,20}(?: \w[\w.']{0,20}){0,2}$")
_NAMES_A_DEVICE: Final = re.compile(r"\s*(?:我的|我)?[^的，,。！？?]{0,40}(?:的 ?outlook)?[.。]?$", re.IGNORECASE)
_IN_BRACKETS: Final = re.compile(r" ?\([^()]{1,20}\)?$")
"""What a client says of itself behind the sentence; the bracket that closes it may be stripped already."""
_LINK_OR_BRACKETS: Final = re.compile(r"<[^<>]*>?|\([^()]*\)?|https?://\S+")
_PATCH: Final = re.compile(r"^(?:diff --git|@@ |\+\+\+ |--- |index )| \| +\d+ [+-]|\d+ files? changed")
_NUMBER: Final = re.compile(r"\d[\d\s().-]{6}")
_CONTACT_SIGNS: Final = ("@", "://", "www.", "公司", "集团", "电话", "電話", "地址", "Ltd", "ltd", "LTD", "Inc", "GmbH")
_SPOKEN: Final = re.compile(r"[?]|\b(?:you|we|i|is|was|were|has|have|will|yesterday|today)\b", re.IGNORECASE)
_SPOKEN_LINE: Final = re.compile(
    r"\b(?:you|we|i|it|is|are|was|were|has|have|had|will|can|please|let|this|that|yesterday|today|tomorrow|sounds|works)\b|我们|我們|咱们|您|你|请|請|可以|没问题|沒問題|收到|好的|吗|嗎|吧$|了$",
    re.IGNORECASE,
)
_DASHES_ALONE: Final = frozenset(("-", "--", "—", "——", "–"))
_ANNOUNCES: Final = re.compile(
    r"\b(?:below|following|contacts?|attend(?:ees?|ing)?|participants?)\b|如下|以下|联系人|聯絡人|对接人|参会|與會|负责人",
    re.IGNORECASE,
)
"""What is said above names that belong to the text."""
_CHINESE_CLAUSES: Final = re.compile(r"[\u4e00-\u9fff],[\u4e00-\u9fff]")
_NOT_IN_NAMES: Final = re.compile(r"[,:;?!@\d]")
_DAY_ALONE: Final = re.compile(r"(?:19|20)\d\d[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}日?$")
_DASH_BLANK_WORD: Final = re.compile(r"^- (?!(?:yes|no|none|done|okay)$)[^\W\d_]{3,20}$", re.IGNORECASE)
_ADDRESS_ALONE: Final = re.compile(r"^<?[^\s<>@|]+@[^\s<>@|]+\.[A-Za-z]{2,}>?$")
_SENTENCE_END: Final = re.compile(r"[。？！?!；;]$|[a-z]{3,}\.$")
_GIVEN_PLACE: Final = re.compile(
    r"收件|收货|收貨|寄到|寄往|deliver|ship to|send (?:it|them) to|联系人[:：]|单号|參會|会议号|meeting id|passcode|密码",
    re.IGNORECASE,
)


def split_signature(lines: Sequence[str], *, last: bool) -> tuple[list[str], list[str]]:
    """(written lines, signature lines) of one run of unquoted lines.

    `last`: the run is the outermost text of the mail, where a contact block or a disclaimer may stand; between inline
    answers only the delimiter of RFC 3676 §4.3 and phone signatures are looked for. Lines keep their order in both.
    """
    banner = _banner_end(lines) if last else 0
    body = list(lines[banner:])
    cut = _cut(body, last=last)
    return body[:cut], [*lines[:banner], *body[cut:]]


def _cut(lines: list[str], *, last: bool) -> int:
    """The index from which on the lines are signature; len(lines) if there is none."""
    end = content_end(lines, len(lines))
    if not end:
        return len(lines)
    cut = peel_disclaimer(lines, end) if last and has_disclaimer_word(lines[max(0, end - LOOKED_AT) : end]) else end
    if not cut:
        return 0
    cut = content_end(lines, cut)
    for _ in range(_MOST_ROUNDS):
        before = _peel_delimiter(lines, cut)
        before = _peel_phone(lines, before)
        if last:
            before = _peel_paragraph(lines, before)
        before = content_end(lines, before)
        if before == cut or not before:
            break
        cut = before
    return len(lines) if before == end else before


def _paragraph_start(lines: Sequence[str], end: int) -> int:
    start = end
    while start and lines[start - 1].strip() and end - start < LOOKED_AT:
        start -= 1
    return start


def _banner_end(lines: Sequence[str]) -> int:
    """Lines on top that a gateway put there ("CAUTION: external email …"), with the ruler under them."""
    start = next((index for index, line in enumerate(lines[:10]) if line.strip()), None)
    if (
        start is None
        or len(lines[start]) > 600
        or not BANNER.match(" ".join(fold(line) for line in lines[start : start + 3]))
    ):
        return 0
    end = start
    while end < len(lines) and lines[end].strip() and end - start < 6:
        end += 1
    if not BANNER.match(" ".join(fold(line) for line in lines[start:end])[:800]):
        return 0
    while end < len(lines) and (not lines[end].strip() or is_ruler(fold(lines[end]))):
        end += 1
    return end if end < len(lines) else 0


def _peel_delimiter(lines: Sequence[str], end: int) -> int:
    """`-- ` alone on a line (RFC 3676 §4.3), or a ruler of dashes or underscores over a few short lines."""
    for index in range(end - 1, max(-1, end - LOOKED_AT), -1):
        line = lines[index]
        if not line or line[0] not in "-_—–－ *=~\u00a0":
            continue
        folded = fold(line)
        if folded in ("--", "-"):
            if folded == "--" and line[:1] in "-–—－" and end - index <= _LONGEST_SIGNATURE:
                return index
        elif (_is_rule(folded) and not _announces(lines, index) and _is_signature_like(lines[index + 1 : end])) or (
            index == end - 1 and _is_rule(folded) and index
        ):
            return index
    return end


def _announces(lines: Sequence[str], index: int) -> bool:
    """Whether the last text above line `index` ends with a colon: what follows is what it speaks of."""
    above = content_end(lines, index)
    return bool(above) and fold(lines[above - 1]).endswith(":")


def _is_rule(folded: str) -> bool:
    return len(folded) >= 2 and not folded.strip("-_") and folded[0] in "-_"


def _is_signature_like(lines: Sequence[str]) -> bool:
    texts = [fold(line) for line in lines if line.strip()]
    if not texts or len(texts) > 12 or any(len(text) > 160 or _PATCH.search(text) for text in texts):
        return False
    if FOOTER.search(" ".join(texts)):
        return True
    sentences = sum(bool(_SENTENCE_END.search(text)) or len(text) > 90 for text in texts)
    return sentences == 0 and (len(texts) <= 6 or any(CONTACT.search(text) for text in texts))


def is_phone_signature(line: str) -> bool:
    """Whether the line is what a phone or mail client adds by itself: "Sent from my iPhone", "发自我的iPhone"."""
    if len(line) > 400:
        return False
    folded = fold(line).strip("*_.-~|[]()!⁣ ")
    lowered = folded.lower()
    if _IN_BRACKETS.sub("", lowered).endswith(
        ("から送信", "傳送", "传送", "发送", "寄出", "gesendet", "에서 보냄", "gönderildi", "herunterladen")
    ):
        return (
            len(folded) <= 60 and lowered.startswith(VIA_OPENINGS) and bool(DEVICE.search(folded)) and "," not in folded
        )
    if not lowered.startswith(PHONE_OPENINGS):
        return False
    opening = next(opening for opening in PHONE_OPENINGS if lowered.startswith(opening))
    rest = folded[len(opening) :]
    if NOT_A_DEVICE.search(rest) and not re.search(r"iphone|ipad|android", lowered):
        return False
    device = DEVICE.search(folded)
    spoken = _LINK_OR_BRACKETS.sub("", folded)
    if opening[0] > "\u024f":
        named = _LINK_OR_BRACKETS.sub("", rest).rstrip()
        return bool(device) and len(spoken) <= 60 and bool(_NAMES_A_DEVICE.match(named))
    if device:
        return opening == "signature is customized by" or (len(spoken) <= 160 and not _SPOKEN.search(spoken))
    return opening == "sent from" and len(rest.split()) <= 4 and not re.search(r"[,.?!;:]", rest)


def _peel_phone(lines: Sequence[str], end: int) -> int:
    """A phone signature as the last line, also with its excuse for brevity or its link under it."""
    for index in range(content_end(lines, end) - 1, max(-1, end - 5), -1):
        folded = fold(lines[index])
        if not folded:
            continue
        if is_phone_signature(lines[index]):
            return index - 1 if index and lines[index - 1].strip() in _DASHES_ALONE else index
        if not (EXCUSE.match(folded) or folded.startswith(("http", "<http", "(http", "[http"))):
            break
    return end


def _peel_paragraph(lines: Sequence[str], end: int) -> int:
    """The last paragraph where it is a signature by its form: a dash and a name, an address alone, a contact block."""
    end_of_text = content_end(lines, end)
    start = _paragraph_start(lines, end_of_text)
    if start == end_of_text:
        return end
    paragraph = [fold(line) for line in lines[start:end_of_text]]
    if _is_dash_name(lines, start, end_of_text):
        return start
    if start < end_of_text - 1 and _DASH_NAME.match(lines[end_of_text - 1].rstrip()) and not _is_list(paragraph[:-1]):
        return end_of_text - 1
    card = _card_start(lines, end_of_text)
    if card < end_of_text:
        return card
    nothing_above = not content_end(lines, start)
    if _ADDRESS_ALONE.match(paragraph[-1]) and len(paragraph) <= 3 and not nothing_above:
        return start if _are_names(paragraph[:-1]) else end_of_text - 1 if len(paragraph) == 1 else end
    cut = _peel_contact(lines, start, end_of_text, end)
    if cut < end:
        return cut
    last = end_of_text - 1
    above = content_end(lines, last)
    if above and "|" not in lines[above - 1] and _is_card_line(paragraph[-1]) and not _announces(lines, last):
        return last
    return start if not nothing_above and _is_name_and_place(lines, start, paragraph) else _peel_dated_name(lines, end)


def _is_name_and_place(lines: Sequence[str], start: int, paragraph: Sequence[str]) -> bool:
    """A name with what its owner is and works for, and nothing else: `Tom Reed / Head of Brand / Client Ltd`."""
    if not 2 <= len(paragraph) <= 5 or not _is_name(paragraph[0]) or _speaks(paragraph[0]):
        return False
    above = fold(lines[content_end(lines, start) - 1])
    others = paragraph[1:]
    if above.endswith(":") or _ANNOUNCES.search(above) or _GIVEN_PLACE.search(above) or _is_list(paragraph):
        return False
    if ROLE.search(paragraph[0]) and not any(COMPANY.search(line) for line in others):
        return False
    return all(len(line) <= 60 and not _SENTENCE_END.search(line) and not _speaks(line) for line in others) and any(
        ROLE.search(line) or COMPANY.search(line) for line in others
    )


def _is_card_line(line: str) -> bool:
    """A whole card on one line: `Tom Reed | Client Ltd | +44 20 7946 0000`."""
    cells = [cell.strip() for cell in line.split("|")]
    if len(cells) < 3 or not _is_name(cells[0]) or _speaks(cells[0]) or max(map(len, cells)) > 50:
        return False
    contacts = len(STRONG_CONTACT.findall(line))
    return contacts > 1 or (contacts == 1 and bool(COMPANY.search(line) or ROLE.search(line)))


def _peel_dated_name(lines: Sequence[str], end: int) -> int:
    """What Foxmail leaves over a quotation: the day alone, and some lines below it the sender's name."""
    name = content_end(lines, end) - 1
    if name < 0 or not _is_name(fold(lines[name])):
        return end
    day = content_end(lines, name) - 1
    return day if 0 < day < name - 1 and name - day <= 6 and _DAY_ALONE.match(fold(lines[day])) else end


def _speaks(line: str) -> bool:
    """Whether a short line says something, with or without a full stop, instead of naming somebody or something."""
    return bool(_SPOKEN_LINE.search(line)) and not COMPANY.search(line) and not STRONG_CONTACT.search(line)


def _is_dash_name(lines: Sequence[str], start: int, end: int) -> bool:
    """`-Dana`, `- Dana Ortiz`, also with a few short lines under it; a list of items is none."""
    first = lines[start].rstrip()
    if (
        start == 0
        or end - start > 5
        or not (
            _DASH_NAME.match(first) or (end - start == 1 and (_DASH_WORD.match(first) or _DASH_BLANK_WORD.match(first)))
        )
    ):
        return False
    others = [fold(line) for line in lines[start + 1 : end]]
    above = lines[content_end(lines, start) - 1] if content_end(lines, start) else ""
    return not _is_list([*others, fold(above)]) and all(len(line) <= 70 for line in others)


def _is_list(folded: Sequence[str]) -> bool:
    return any(line.startswith(("-", "*", "•", "+", "·")) for line in folded) or (
        bool(folded) and folded[-1].endswith(":")
    )


def _are_names(folded: Sequence[str]) -> bool:
    return all(len(line) <= 30 and not _SENTENCE_END.search(line) and not line.endswith((":", ",")) for line in folded)


def _card_start(lines: Sequence[str], end: int) -> int:
    """NetEase's business card: table cells drawn with bars, with a name and an address in them."""
    start = end
    bars = 0
    while start and end - start < 16:
        folded = fold(lines[start - 1])
        if folded and not folded.strip("| "):
            bars += 1
        elif folded.startswith("|") and folded.endswith("|") and len(folded) <= 160:
            bars += 2 if "@" in folded else 1
        elif folded and (len(folded) > 60 or (not bars and "签名由" not in folded) or _SENTENCE_END.search(folded)):
            break
        start -= 1
    while start < end and not lines[start].strip().startswith("|"):
        start += 1
    return start if bars >= 2 else end


def _peel_contact(lines: Sequence[str], start: int, end_of_text: int, end: int) -> int:
    """A block of short lines of which two at least are telephone, address, site or company; its closing line goes with it."""
    first = _contact_first(lines, start, end_of_text)
    if first is None:
        return end
    above = content_end(lines, start)
    if first == start and above:
        name_start = _paragraph_start(lines, above)
        name = [fold(line) for line in lines[name_start:above]]
        if name[-1].endswith(":") or _GIVEN_PLACE.search(name[-1]):
            return end
        if CLOSING.match(name[0]) and len(name) <= 3 and content_end(lines, name_start):
            return name_start
        if (
            len(name) <= 2
            and _are_names(name)
            and all(_is_name(line) for line in name)
            and content_end(lines, name_start)
        ):
            return _with_closing_above(lines, name_start)
    return first if content_end(lines, first) else end


def _contact_first(lines: Sequence[str], start: int, end: int) -> int | None:
    start = max(start, end - 16)
    if not _may_contact("\n".join(lines[start:end])):
        return None
    paragraph = [fold(line) for line in lines[start:end]]
    first = len(paragraph)
    while first and len(paragraph[first - 1]) <= 110 and not _is_prose(paragraph[first - 1]):
        first -= 1
    closing = next((index for index in range(first, len(paragraph)) if CLOSING.match(paragraph[index])), None)
    while closing is None and first < len(paragraph) - 2 and _speaks(paragraph[first]):
        first += 1
    block = paragraph[first if closing is None else closing :]
    if not block or len(block) > 14 or (first and paragraph[first - 1].endswith(":")):
        return None
    contacts = sum(bool(CONTACT.search(line)) for line in block)
    strong = any(STRONG_CONTACT.search(line) for line in block)
    if ((contacts >= 2 and strong) or contacts >= 3 or (strong and len(block) >= 3)) and not _GIVEN_PLACE.search(
        " ".join(paragraph)
    ):
        return start + (first if closing is None else closing)
    return None


def _may_contact(text: str) -> bool:
    """A cheap first look: most paragraphs hold no number, address or company at all."""
    return any(map(text.__contains__, _CONTACT_SIGNS)) or _NUMBER.search(text) is not None


def _is_prose(line: str) -> bool:
    if CLOSING.match(line):
        return False
    if _SENTENCE_END.search(line) and not CONTACT.search(line):
        return True
    return (len(line) > 10 and bool(_CHINESE_CLAUSES.search(line)) and not CONTACT.search(line)) or line.endswith(":")


def _is_name(line: str) -> bool:
    return 0 < len(line) <= 40 and not _NOT_IN_NAMES.search(line) and len(line.split()) <= 5


def _with_closing_above(lines: Sequence[str], start: int) -> int:
    above = content_end(lines, start)
    if above and CLOSING.match(fold(lines[above - 1])) and content_end(lines, above - 1):
        return above - 1
    return start
