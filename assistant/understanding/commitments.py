"""Promises with a due day."""

from __future__ import annotations

from datetime import datetime

from assistant.model.reading import Commitment
from assistant.understanding.sentences import Sentence


def find_commitments(
    sentences: tuple[Sentence, ...], direction: str, sent_at: datetime, timezone: str
) -> tuple[Commitment, ...]:
    """Who promised what by when."""
    del sentences, direction, sent_at, timezone
    return ()
