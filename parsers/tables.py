"""Word tables: one place that turns a readable block of words into a tuple."""

from __future__ import annotations


def words(table: str) -> tuple[str, ...]:
    """The words of `table` in order; a full stop within a word stands for the blank of a phrase ("sent.on")."""
    return tuple(word.replace(".", " ") for word in table.split())


def lines(table: str) -> tuple[str, ...]:
    """The phrases of `table`, one a line, stripped; empty lines are left out."""
    return tuple(stripped for line in table.splitlines() if (stripped := line.strip()))
