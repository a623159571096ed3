"""Which columns of a listing fit, and how wide: times, numbers and words stay whole, texts are cut, extras go first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SEPARATOR = 3
"""Cells between two columns; what the edges need is counted with them."""
LEAST_TEXT = 12
"""Below this many cells a text says nothing any more: then a column is left out."""
MOST_TEXT = 60
"""What a text gets at most where there is room for everything."""
_MOST_WORD = 22
_DISPENSABLE = (
    "timezone",
    "language",
    "stage_confidence",
    "stage_doubt",
    "intents",
    "project_confidence",
    "project_evidence",
    "last_uid",
    "release",
    "purpose",
    "step",
    "absent_until",
    "waiting_since",
    "state",
    "owner",
    "direction",
    "messages",
    "records",
    "reason",
    "rule",
    "waiting_on",
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions of the columns that are shown with their widths, and of those there is no room for."""

    shown: tuple[int, ...]
    widths: tuple[int, ...]
    left_out: tuple[int, ...]


def layout(columns: Sequence[str], cells: Sequence[Sequence[str]], width: int | None) -> Layout:
    """How `cells` (rows of texts) are laid into `width` cells of the terminal, or without limit for None.

    A column of short words, numbers or times is never cut. Texts share what is left; where that is too little, the
    columns that are easiest to do without are left out, one after another; never the first two.
    """
    needed = [_needed(columns[i], [row[i] for row in cells]) for i in range(len(columns))]
    rigid = [_is_rigid([row[i] for row in cells]) for i in range(len(columns))]
    shown = list(range(len(columns)))
    if width is None:
        return Layout(tuple(shown), tuple(needed[i] if rigid[i] else min(needed[i], MOST_TEXT) for i in shown), ())
    going = sorted((_DISPENSABLE.index(name), i) for i, name in enumerate(columns) if i > 1 and name in _DISPENSABLE)
    for _, column in going:
        if _least(shown, needed, rigid) <= width:
            break
        shown.remove(column)
    texts = [i for i in shown if not rigid[i]]
    room = width - SEPARATOR * len(shown) - sum(needed[i] for i in shown if rigid[i])
    granted = _shared({i: needed[i] for i in texts}, room)
    return Layout(
        tuple(shown),
        tuple(needed[i] if rigid[i] else granted[i] for i in shown),
        tuple(i for i in range(len(columns)) if i not in shown),
    )


def _needed(name: str, cells: Sequence[str]) -> int:
    from rich.cells import cell_len

    heading = max(len(word) for word in name.replace("_", " ").split())
    return max([heading, *(cell_len(line) for cell in cells for line in cell.splitlines() or ("",))])


def _is_rigid(cells: Sequence[str]) -> bool:
    """Times, numbers and words of our own, which are worth nothing when cut."""
    return all(cell == "–" or (cell.isascii() and "@" not in cell and len(cell) <= _MOST_WORD) for cell in cells)


def _least(shown: Sequence[int], needed: Sequence[int], rigid: Sequence[bool]) -> int:
    return SEPARATOR * len(shown) + sum(needed[i] if rigid[i] else min(needed[i], LEAST_TEXT) for i in shown)


def _shared(needed: dict[int, int], room: int) -> dict[int, int]:
    """Room divided so that short columns get what they need, and the long ones the same each."""
    granted: dict[int, int] = {}
    for position, (column, need) in enumerate(sorted(needed.items(), key=lambda item: item[1])):
        granted[column] = max(1, min(need, room // (len(needed) - position)))
        room -= granted[column]
    return granted
