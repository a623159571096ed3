"""Which of the languages at hand a reader gets."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

SIMPLIFIED: Final = "zh-Hans"
TRADITIONAL: Final = "zh-Hant"
ENGLISH: Final = "en"

_TRADITIONAL_REGIONS: Final = frozenset({"hant", "tw", "hk", "mo"})


def normalise(language: str) -> str:
    """A BCP 47 tag as the file names have it: zh, zh_CN → zh-Hans; zh-TW, zh-HK → zh-Hant; en-GB → en; "" → ""."""
    tags = language.strip().replace("_", "-").split("-")
    primary = tags[0].lower()
    if primary == "zh":
        others = {tag.lower() for tag in tags[1:]}
        # A script that is named wins over what is usual in a region: zh-Hans-HK is simplified.
        return TRADITIONAL if "hans" not in others and others & _TRADITIONAL_REGIONS else SIMPLIFIED
    return primary


def is_chinese(language: str) -> bool:
    """Whether dates, counts and names are written the Chinese way."""
    return normalise(language).startswith("zh")


def choose(wanted: str, at_hand: Collection[str], agency_language: str = ENGLISH) -> str | None:
    """The best of `at_hand` for a reader of `wanted`; None if there is none at all.

    The language itself, then the other Chinese script, then English, then the agency's language, then the first by
    name, so that the answer never depends on the order of files.
    """
    first = normalise(wanted)
    other_script = {SIMPLIFIED: TRADITIONAL, TRADITIONAL: SIMPLIFIED}.get(first)
    for language in (first, other_script, ENGLISH, normalise(agency_language)):
        if language in at_hand:
            return language
    return min(at_hand, default=None)
