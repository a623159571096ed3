"""Bars and columns as cells of tables: they survive blocked images, dark mode and screen readers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Tone = Literal["normal", "second", "buffer", "over", "rest"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of a bar: whole percents of its width, and what its colour means."""

    percent: int
    tone: Tone


def share(value: float, most: float, tone: Tone = "normal") -> tuple[Cell, ...]:
    """How much `value` is of `most`. Something that is not nothing is always seen: 2 percent at least."""
    if most <= 0 or value <= 0:
        return (Cell(100, "rest"),)
    filled = max(round(100 * min(value / most, 1.0)), 2)
    return _cells([(filled, tone), (100 - filled, "rest")])


def against_target(value: float, target: float, buffer: float = 0) -> tuple[Cell, ...]:
    """How far something with a target is: up to the target, into the buffer, over both, and what is left.

    The full width is the target with its buffer, or the value where it is more.
    """
    limit = target + buffer
    whole = max(value, limit)
    if whole <= 0:
        return (Cell(100, "rest"),)
    marks = [min(value, target), min(value, limit), value, whole]
    edges = [round(100 * mark / whole) for mark in marks]
    if value > 0 and edges[0] == 0:
        edges = [max(edge, 2) for edge in edges]
    widths = [edges[0], *(after - before for before, after in itertools.pairwise(edges))]
    tones: tuple[Tone, ...] = ("normal", "buffer", "over", "rest")
    return _cells(list(zip(widths, tones, strict=True)))


def columns(values: Sequence[float], pixels: int) -> tuple[int, ...]:
    """Heights in pixels, the greatest being `pixels`; 0 stays 0, anything else is at least 2."""
    most = max(values, default=0)
    if most <= 0:
        return tuple(0 for _ in values)
    return tuple(max(round(pixels * value / most), 2) if value > 0 else 0 for value in values)


def _cells(pieces: Sequence[tuple[int, Tone]]) -> tuple[Cell, ...]:
    return tuple(Cell(percent, tone) for percent, tone in pieces if percent > 0)
