"""Finds company notices on confidentiality, viruses or paper, and footers of lists, under a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from parsers.quotation_headers import is_ruler
from parsers.quotation_lines import fold
from parsers.signature_tables import DISCLAIMER_BODY, DISCLAIMER_BODY_ZH, DISCLAIMER_STARTS, DISCLAIMER_WORDS, FOOTER
from parsers.tables import phrases

_WORDS: Final = phrases(DISCLAIMER_WORDS)
LOOKED_AT: Final = 120
"""Lines from the end that are looked at: signatures are at the end, and time stays linear."""


def content_end(lines: Sequence[str], end: int) -> int:
    """The end of the lines before `end` without the blank ones at their end."""
    while end and not lines[end - 1].strip():
        end -= 1
    return end


def has_disclaimer_word(lines: Sequence[str]) -> bool:
    """Whether any word stands in the lines without which no disclaimer or footer is written."""
    sample = "\n".join(line[:1500] for line in lines).lower()
    return _WORDS.occur_in(sample)


def peel_disclaimer(lines: Sequence[str], end: int) -> int:
    """The first paragraph that is a disclaimer or a list's footer, with everything below it."""
    lowest = max(0, end - LOOKED_AT)
    start = lowest
    while start < end:
        if not lines[start].strip():
            start += 1
            continue
        stop = start
        while stop < end and lines[stop].strip():
            stop += 1
        if not has_disclaimer_word(lines[start:stop]):
            start = stop
            continue
        first = start + 1 if is_ruler(fold(lines[start])) else start
        paragraph = " ".join(fold(line) for line in lines[first : min(stop, first + 12)])[:1500]
        if is_disclaimer(paragraph) or (first > start and FOOTER.search(paragraph)) or _is_footer(paragraph):
            return _above_ruler(lines, start)
        inner = next((index for index in range(first + 1, stop) if is_disclaimer(fold(lines[index]))), None)
        if inner is not None:
            return inner
        start = stop
    return end


def _above_ruler(lines: Sequence[str], start: int) -> int:
    above = content_end(lines, start)
    return above - 1 if above and is_ruler(fold(lines[above - 1])) else start


def is_disclaimer(paragraph: str) -> bool:
    """Whether a folded paragraph is a company's notice on confidentiality, viruses or paper, not a person's request."""
    if len(paragraph) < 12:
        return False
    if DISCLAIMER_STARTS.match(paragraph):
        return True
    signs: set[str] = set()
    if len(paragraph) >= 60 and DISCLAIMER_BODY[0].search(paragraph):
        signs.update(found.lower() for found in DISCLAIMER_BODY[1].findall(paragraph))
    if len(paragraph) >= 28 and DISCLAIMER_BODY_ZH[0].search(paragraph):
        signs.update(DISCLAIMER_BODY_ZH[1].findall(paragraph))
    return len(signs) >= 2


def _is_footer(paragraph: str) -> bool:
    return len(paragraph) < 600 and bool(
        re.match(
            r"(?:you received this (?:message|e-?mail) because|to unsubscribe|if you (?:no longer )?wish to)",
            paragraph,
            re.IGNORECASE,
        )
    )
