"""The words of the client communication process: stages, intents, and what may be approved.

The ids are fixed; what people call them, who is responsible and how long they may take is in `rules/stages.toml`.
"""

from __future__ import annotations

from typing import Final, Literal

Stage = Literal["discovery", "proposal", "agreement", "execution", "closing", "relationship"]
StageLabel = Literal["discovery", "proposal", "agreement", "execution", "closing", "relationship", "unrelated"]
WaitingOn = Literal["client", "us", "nobody"]
Direction = Literal["inbound", "outbound", "internal"]
Channel = Literal["email", "phone", "meeting", "wechat", "video_call", "visit"]

STAGES: Final[tuple[Stage, ...]] = ("discovery", "proposal", "agreement", "execution", "closing", "relationship")
UNRELATED: Final = "unrelated"
STAGE_LABELS: Final[tuple[StageLabel, ...]] = (*STAGES, "unrelated")

INTENTS: Final = (
    "requirement",
    "question",
    "feedback",
    "approval",
    "rejection",
    "change_request",
    "complaint",
    "meeting",
    "deliverable",
    "contract",
    "payment",
    "status_update",
    "satisfaction",
    "referral",
    "greeting",
)

APPROVALS: Final = ("requirements", "proposal", "contract", "change", "milestone", "deliverable")
"""What a client may sign off. The empty string in a record means: nothing was approved."""

WAITING_ON: Final[tuple[WaitingOn, ...]] = ("client", "us", "nobody")
CHANNELS: Final[tuple[Channel, ...]] = ("email", "phone", "meeting", "wechat", "video_call", "visit")


def stage_position(stage: str) -> int:
    """0 for discovery to 5 for relationship. Raises ValueError for anything else."""
    words: tuple[str, ...] = STAGES
    return words.index(stage)
