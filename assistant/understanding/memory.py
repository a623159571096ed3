"""What people set right, applied at once to mail that says nearly the same; a refit later takes it in for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from assistant.model.process import STAGE_LABELS
from assistant.model.reading import TextToRead
from assistant.understanding.arrays import Floats
from assistant.understanding.features import TextFeatures, base_subject
from assistant.understanding.normal import normalise

NEARLY_THE_SAME = 0.93
"""Cosine of two texts from which on a correction counts for the other as well."""

_GRAMS_NEARLY_THE_SAME = 0.85
_SURE = 0.9
SHORTEST = 12
"""Letters a text must have: "OK" means something else in every project, so its correction teaches only that one mail."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A mail that a person labelled. Empty fields were not touched; `intents` None means not touched."""

    message_id: str
    text: TextToRead
    direction: str
    sent_at: datetime
    stage: str = ""
    intents: frozenset[str] | None = None
    approval: str | None = None
    waiting_on: str = ""
    is_answer: bool = False
    attachments: tuple[str, ...] = ()
    client: str = ""
    """What must not be torn apart between training and test."""


@dataclass(frozen=True, slots=True)
class _Kept:
    correction: Corrected
    words: str
    features: TextFeatures


class Memory:
    """Corrected texts with their vectors. Thousands are searched in well under a millisecond each."""

    def __init__(self) -> None:
        self._kept: list[_Kept] = []

    def __len__(self) -> int:
        return len(self._kept)

    def learn(self, corrections: Sequence[Corrected], features: Sequence[TextFeatures]) -> None:
        """Takes corrections in; a later one for the same message replaces the earlier."""
        for correction, found in zip(corrections, features, strict=True):
            self._kept = [kept for kept in self._kept if kept.correction.message_id != correction.message_id]
            self._kept.append(_Kept(correction, _letters(correction.text), found))

    def recall(self, text: TextToRead, direction: str, features: TextFeatures) -> Corrected | None:
        """The correction of nearly the same text in the same direction, the latest if there are several."""
        words = _letters(text)
        best: tuple[float, Corrected] | None = None
        for kept in self._kept:
            if kept.correction.direction != direction:
                continue
            if kept.words == words and len(words) > SHORTEST:
                alike = 1.0
            elif min(len(words), len(kept.words)) < SHORTEST:
                continue
            else:
                alike = _alike(kept.features, features)
            if alike > 0 and (best is None or alike >= best[0]):
                best = (alike, kept.correction)
        return None if best is None else best[1]


def with_stage(probabilities: Floats, stage: str) -> Floats:
    """The probabilities after a person said for nearly the same text what it is."""
    if stage not in STAGE_LABELS:
        return probabilities
    place = STAGE_LABELS.index(stage)
    rest = np.delete(probabilities, place)
    mixed = probabilities * ((1 - _SURE) / max(float(rest.sum()), 1e-6))
    mixed[place] = _SURE
    result: Floats = (mixed / mixed.sum()).astype(np.float32)
    return result


def _letters(text: TextToRead) -> str:
    return "".join(
        character for character in normalise(f"{base_subject(text.subject)} {text.text}") if character.isalnum()
    )


def _alike(first: TextFeatures, second: TextFeatures) -> float:
    """Cosine, if it passes the gate of its kind of vector, else 0."""
    if len(first.vector) and len(second.vector):
        cosine = float(first.vector @ second.vector)
        # The encoder takes "we like A" and "we like B" for alike: the n-grams must agree as well.
        return cosine if cosine >= NEARLY_THE_SAME and _shared(first, second) >= 0.5 else 0.0
    shared = _shared(first, second)
    return shared if shared >= _GRAMS_NEARLY_THE_SAME else 0.0


def _shared(first: TextFeatures, second: TextFeatures) -> float:
    """Cosine of the n-grams' weights."""
    weights = dict(zip(first.indices.tolist(), first.weights.tolist(), strict=True))
    product = sum(
        weights.get(place, 0.0) * weight
        for place, weight in zip(second.indices.tolist(), second.weights.tolist(), strict=True)
    )
    lengths = float(np.sqrt((first.weights @ first.weights) * (second.weights @ second.weights)))
    return product / lengths if lengths else 0.0
