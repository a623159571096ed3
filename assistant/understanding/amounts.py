"""Sums of money in Chinese and English text."""

from __future__ import annotations

from assistant.model.reading import Amount


def find_amounts(text: str) -> tuple[Amount, ...]:
    """The sums named in `text`, in order."""
    del text
    return ()
