"""Which of a client's projects a new thread belongs to, how sure that is, and why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

JOINED = 0.5
"""From here on a thread is put into a project without asking."""

_SILENCE = timedelta(days=75)
_GENERIC = re.compile(
    r"(关于|關於|请|請|您好|你好|回复|确认|項目|项目|專案|沟通|合作|咨询|事宜|更新|re|fwd?|about|the|our|your|for|update|project|question|hello|hi)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ProjectCandidate:
    """One project of the client: what its threads are called and who took part, as far as comparing needs it."""

    project_id: int
    names: tuple[str, ...]
    participants: frozenset[str]
    stage: str
    state: str
    last_at: datetime


@dataclass(frozen=True, slots=True)
class NewThread:
    """The first message of a thread that no reference ties to a project."""

    subject: str
    text: str
    participants: frozenset[str]
    sent_at: datetime
    stage_probabilities: tuple[tuple[str, float], ...]
    inbound: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """`project_id` None means: this begins a project of its own."""

    project_id: int | None
    confidence: float
    evidence: str


def choose_project(thread: NewThread, candidates: Sequence[ProjectCandidate]) -> Choice:
    """The likeliest home of the thread among the client's projects, or a new one for a fresh concrete enquiry."""
    if not candidates:
        return Choice(None, 1.0, "first mail of this client")
    scored = sorted(((_score(thread, item), item) for item in candidates), key=lambda pair: (-pair[0], pair[1].project_id))
    best_score, best = scored[0]
    second = scored[1][0] if len(scored) > 1 else 0.0
    probabilities = dict(thread.stage_probabilities)
    fresh = probabilities.get("discovery", 0.0)
    similarity = _similarity(thread, best)
    if similarity >= 0.45:
        return Choice(best.project_id, min(0.95, 0.6 + similarity / 2), f"subject like {best.names[0]!r}")
    settled = best.stage in {"closing", "relationship"} or best.state in {"over", "lost"}
    if fresh >= 0.5 and similarity < 0.2 and (settled or fresh >= 0.8):
        return Choice(None, fresh, "a new concrete enquiry")
    if best_score <= 0.0:
        return Choice(None, 0.6, f"nothing in common with {best.names[0]!r}")
    margin = best_score - second
    confidence = min(0.9, 0.45 + best_score / 3 + margin / 3)
    return Choice(best.project_id, confidence, f"same people and time as {best.names[0]!r}")


def _score(thread: NewThread, candidate: ProjectCandidate) -> float:
    similarity = _similarity(thread, candidate)
    together = len(thread.participants & candidate.participants) / max(1, len(thread.participants))
    gap = abs(thread.sent_at - candidate.last_at)
    recent = max(0.0, 1.0 - gap / _SILENCE)
    if gap > _SILENCE and similarity < 0.2:
        return 0.0
    return 1.2 * similarity + 0.3 * together + 0.4 * recent - (0.2 if candidate.state in {"over", "lost"} else 0.0)


def _similarity(thread: NewThread, candidate: ProjectCandidate) -> float:
    subject = _grams(thread.subject)
    by_subject = max((_overlap(subject, _grams(name)) for name in candidate.names), default=0.0)
    named = any(len(name) >= 4 and name.casefold() in thread.text.casefold() for name in candidate.names)
    return max(by_subject, 0.5 if named else 0.0)


def _grams(words: str) -> frozenset[str]:
    """Latin words and Chinese character pairs that carry meaning."""
    words = _GENERIC.sub(" ", words.casefold()) if len(words) > 6 else words.casefold()
    latin = re.findall(r"[a-z0-9][a-z0-9'&-]+", words)
    han = [run[i : i + 2] for run in re.findall(r"[\u3400-\u9fff]{2,}", words) for i in range(len(run) - 1)]
    return frozenset([*latin, *han])


def _overlap(first: frozenset[str], second: frozenset[str]) -> float:
    if not first or not second:
        return 0.0
    return len(first & second) / min(len(first), len(second))
