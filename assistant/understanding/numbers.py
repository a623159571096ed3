"""Numbers as people write them: digits with separators, Chinese numerals, English words."""

from __future__ import annotations

import re
from typing import Final

CHINESE: Final = "零〇一二两三四五六七八九十百千半"
_WORDS: Final = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "fourteen": 14, "fifteen": 15, "twenty": 20, "thirty": 30,
    "a couple of": 2, "couple of": 2, "a few": 3,
}  # fmt: skip
WORDS: Final = "|".join(sorted(_WORDS, key=len, reverse=True))
_DIGITS = re.compile(r"\d+(?:[,，]\d{3})*(?:\.\d+)?$")


def read_number(text: str) -> float | None:
    """The value of "12,000", "三十五", "两", "twelve"; None if `text` is no number."""
    text = text.strip().lower()
    if _DIGITS.match(text):
        return float(text.replace(",", "").replace("，", ""))
    if text in _WORDS:
        return float(_WORDS[text])
    if text == "半":
        return 0.5
    if text and all(character in CHINESE for character in text):
        import cn2an

        try:
            return float(cn2an.cn2an(text, "smart"))
        except ValueError:
            return None
    return None
