"""Lines of a body as the quotation rules see them: quote depth, and a folded form that ignores how clients dress a line up."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

LONGEST_LINE: Final = 1000
"""Characters of one line that are looked at; every rule works on a line or a few, so the whole stays linear."""

_MARKS_OF_BLANK: Final = (
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t\v\f\r"
)
_INVISIBLE: Final = "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff\u00ad"
_FOLD: Final[dict[int, str | None]] = {
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    **dict.fromkeys(map(ord, _MARKS_OF_BLANK), " "),
    **dict.fromkeys(map(ord, _INVISIBLE), None),
    **dict.fromkeys(map(ord, "﹕︰∶꞉"), ":"),
    **dict.fromkeys(map(ord, "“”„«»"), '"'),
    **dict.fromkeys(map(ord, "‘’"), "'"),
    **dict.fromkeys(map(ord, "│┃￤"), "|"),
    **dict.fromkeys(map(ord, "‐‑‒–—―─━﹣ー"), "-"),
    ord("、"): ",",
}
_ENTITIES: Final = (("&nbsp;", " "), ("&gt;", ">"), ("&lt;", "<"), ("&quot;", '"'), ("&amp;", "&"))
_REMEMBERED: Final = 120
_BOLD: Final = re.compile(r"\*{1,3}|__")


def fold(line: str) -> str:
    """The line with full-width forms, odd blanks, dashes and literal entities made plain, stripped; case is kept."""
    return _fold_short(line) if len(line) <= _REMEMBERED else _fold(line[:LONGEST_LINE])


def _fold(line: str) -> str:
    if "&" in line:
        for entity, plain in _ENTITIES:
            line = line.replace(entity, plain)
    if not line.isascii():
        line = line.translate(_FOLD)
    elif "\t" in line:
        line = line.replace("\t", " ")
    return line.strip()


_fold_short = lru_cache(maxsize=1024)(_fold)
"""Several rules fold the same line; the last few hundred short ones are remembered."""


def without_bold(folded: str) -> str:
    """The folded line without the asterisks and underscores that stand for bold type in text."""
    return _BOLD.sub("", folded).strip() if "*" in folded or "__" in folded else folded


def quote_depth(line: str) -> tuple[int, str]:
    """How many quote marks open the line, and what follows them.

    `>>> … <<<` is decoration, not quotation. Up to three blanks may stand before the first mark.
    """
    first = line[:1]
    if first not in OPENS_QUOTE:
        return 0, line
    position = depth = 0
    length = len(line)
    blanks = 0
    while position < length and depth < _DEEPEST:
        character = line[position]
        if character in "> ＞\t\u00a0":
            if character in ">＞":
                depth += 1
                blanks = 0
            else:
                blanks += 1
                if blanks > 3:
                    break
            position += 1
        elif line.startswith("&gt;", position):
            depth += 1
            position += 4
        elif line.startswith("&nbsp;", position) and depth:
            position += 6
        else:
            break
    if not depth:
        return 0, line
    if line[-1] == "<" and line.rstrip("<")[-1:] in " \t":
        return 0, line
    return depth, line[position:]


OPENS_QUOTE: Final = frozenset("> ＞\u00a0&")
"""A line that begins with none of these has no quote marks."""
_DEEPEST: Final = 200
