"""Comparing texts whatever became of their white space on the way."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=256)
def letters_of(text: str) -> str:
    """Letters and digits alone: quoting changes line ends and white space."""
    return "".join(filter(str.isalnum, text))
