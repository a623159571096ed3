"""Undoes gateways that put a mail on one line: breaks a line where a whole quote header stands within it."""

from __future__ import annotations

import re
from typing import Final

_LOOKED_AT: Final = 8000
"""Characters of a line that are looked at."""
_HEADER_WITHIN: Final = 900
"""Characters within which date and subject must follow the sender's label."""

_FROM: Final = re.compile(
    r"(?<![\w/])\*{0,2}(?:发\s?件\s?人|發件人|寄件者|寄件人|From|Von|De|Da)\s?\*{0,2}\s?[:：]\*{0,2}\s?\S"
)
_DATE: Final = re.compile(
    r"(?:发送时间|發送時間|傳送時間|发送日期|寄件日期|日\s?期|时\s?间|Sent|Date|Gesendet|Datum|Envoyé|Enviado|Inviato|Data)\s?\*{0,2}\s?[:：]",
    re.IGNORECASE,
)
_SUBJECT: Final = re.compile(
    r"(?:主\s?题|主題|主旨|Subject|Betreff|Objet|Asunto|Oggetto|Assunto)\s?\*{0,2}\s?[:：]", re.IGNORECASE
)
_MARKER: Final = re.compile(
    r"-{3,40}\s?(?:Original Message|Original|Original Appointment|Forwarded message|Replied Message|原始邮件|原始郵件|邮件原件|邮件原文|回复的原邮件|转发的邮件|转发邮件信息)\s?-{3,40}",
    re.IGNORECASE,
)
_ATTRIBUTION: Final = re.compile(
    r"(?<![\w,])(?:On\s[A-Z][^<>\n]{8,90}\d[^<>\n]{2,60}<[^\s<>]+@[^\s<>]+>\s?wrote:|(?:在|于)\s?20\d\d[^<>\n]{6,60}<[^\s<>]+@[^\s<>]+>\s?写道[:：])"
)


def break_collapsed(line: str) -> list[str]:
    """The line broken before, and where it is an attribution also after, the first quote header within it.

    Only a header that cannot be prose counts: sender, date and subject labels close together, a marker between dashes,
    or an attribution with date, time and address. Other lines come back alone and unchanged.
    """
    text = line[:_LOOKED_AT]
    if "<" in text and ("wrote:" in text or "写道" in text):
        found = _ATTRIBUTION.search(text)
        if found and (found.start() or found.end() < len(line.rstrip())):
            return _pieces(line, found.start(), found.end())
    if "--" in text:
        found = _MARKER.search(text)
        if found and (text[: found.start()].strip("-*> ") or line[found.end() :].strip("-* ")):
            return _pieces(line, found.start(), found.end())
    if ":" not in text and "：" not in text:
        return [line]
    for found in _FROM.finditer(text):
        if (
            found.start()
            and _has_header(text[found.end() : found.end() + _HEADER_WITHIN])
            and text[: found.start()].strip("*|> #")
        ):
            return _pieces(line, found.start(), None)
    return [line]


def _has_header(text: str) -> bool:
    return bool(_DATE.search(text) and _SUBJECT.search(text))


def _pieces(line: str, start: int, end: int | None) -> list[str]:
    pieces = [line[:start].rstrip(), line[start:end].strip(), "" if end is None else line[end:].strip()]
    return [piece for piece in pieces if piece]
