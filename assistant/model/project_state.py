"""Where a project stands, derived from its records alone: the same whatever order they arrived in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from assistant.model.process import STAGES, stage_position

APPLIED = 0.5
"""A stage read with less confidence is not applied; it is asked about in the weekly summary."""


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What of a record moves a project."""

    record_id: int
    sent_at: datetime
    direction: str
    kind: str
    automatic: bool
    stage: str
    stage_confidence: float
    stage_evidence: str
    waiting_on: str
    waiting_evidence: str
    intents: frozenset[str] = frozenset()
    tie: tuple[bool, str] = (False, "")
    """Of two of the same second the answer comes second; then by Message-ID, whichever arrived first."""


@dataclass(frozen=True, slots=True)
class StageStep:
    """The project moved to `to_stage` with this record. `asked`: a step back or over a stage wants a person's word."""

    from_stage: str
    to_stage: str
    at: datetime
    record_id: int
    confidence: float
    evidence: str
    asked: bool


@dataclass(frozen=True, slots=True)
class ProjectState:
    """The outcome. `waiting_record_id` is the message that is waited on, or that waits for us."""

    stage: str
    stage_since: datetime
    stage_confidence: float
    waiting_on: str
    waiting_since: datetime | None
    waiting_record_id: int | None
    waiting_evidence: str
    last_at: datetime
    lost: bool
    steps: tuple[StageStep, ...]


def derive(records: Iterable[RecordFacts]) -> ProjectState | None:
    """Replays the records in the order they were sent. None when there are none."""
    ordered = sorted(records, key=lambda record: (record.sent_at, record.tie, record.record_id))
    if not ordered:
        return None
    steps: list[StageStep] = []
    stage, since, confidence = "", ordered[0].sent_at, 0.0
    waiting: RecordFacts | None = None
    waiting_since: datetime | None = None
    lost = False
    for record in ordered:
        if record.kind != "human" or record.automatic or record.direction == "internal":
            continue
        if record.stage in STAGES and (not stage or record.stage_confidence >= APPLIED):
            if record.stage != stage:
                asked = bool(stage) and _is_unusual(stage, record.stage)
                steps.append(
                    StageStep(
                        stage,
                        record.stage,
                        record.sent_at,
                        record.record_id,
                        record.stage_confidence,
                        record.stage_evidence,
                        asked,
                    )
                )
                stage, since = record.stage, record.sent_at
            confidence = record.stage_confidence
        if record.direction == "inbound":
            lost = (
                "rejection" in record.intents and stage in {"proposal", "agreement"} and record.waiting_on == "nobody"
            )
        elif record.intents & {"requirement", "deliverable", "contract"}:
            lost = False
        if waiting is None or waiting.waiting_on != record.waiting_on or record.direction != waiting.direction:
            waiting_since = record.sent_at
        waiting = record
    return ProjectState(
        stage=stage or "discovery",
        stage_since=since,
        stage_confidence=confidence,
        waiting_on=waiting.waiting_on if waiting else "nobody",
        waiting_since=waiting_since,
        waiting_record_id=waiting.record_id if waiting else None,
        waiting_evidence=waiting.waiting_evidence if waiting else "",
        last_at=ordered[-1].sent_at,
        lost=lost,
        steps=tuple(steps),
    )


def _is_unusual(from_stage: str, to_stage: str) -> bool:
    """Backwards, or over a stage. From relationship to discovery is how the next project begins."""
    step = stage_position(to_stage) - stage_position(from_stage)
    return step < 0 or step > 1
