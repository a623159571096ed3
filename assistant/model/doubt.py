"""How far a label is believed: applied, applied and marked, or asked about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

from assistant.model.project_state import APPLIED

SURE: Final = 0.8
"""From here on a label is simply applied; below, down to APPLIED, it is applied and marked."""

SET_BY_A_PERSON: Final = "set by a person"
"""The evidence of a label that nobody doubts any more."""

CANDIDATES: Final = 2

Doubt = Literal["", "marked", "asked"]


def doubt_about(confidence: float, *, unusual_step: bool = False) -> Doubt:
    """ "asked" where a person should say what is right: too unsure, or a step back or over a stage, however sure."""
    if confidence < APPLIED or unusual_step:
        return "asked"
    return "marked" if confidence < SURE else ""


def candidates(stage: str, confidence: float, first_read: Sequence[Sequence[Any]]) -> tuple[tuple[str, float], ...]:
    """The two likeliest stages: what is believed now, and what the mail was read as when it came."""
    ranked = {str(item[0]): float(item[1]) for item in first_read if len(item) > 1}
    ranked[stage] = confidence
    others = sorted((pair for pair in ranked.items() if pair[0] != stage), key=lambda pair: -pair[1])
    return ((stage, confidence), *others)[:CANDIDATES]
