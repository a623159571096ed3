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
    """Corrected texts with their vectors. A thousand are searched in well under a millisecond."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._shelves: dict[str, _Shelf] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def learn(self, corrections: Sequence[Corrected], features: Sequence[TextFeatures]) -> None:
        """Takes corrections in; a later one for the same message replaces the earlier."""
        for correction, found in zip(corrections, features, strict=True):
            self._kept.pop(correction.message_id, None)
            self._kept[correction.message_id] = _Kept(correction, _letters(correction.text), found)
        self._shelves = {}

    def forget(self) -> None:
        """Everything: the corrections are read anew."""
        self._kept, self._shelves = {}, {}

    def recall(self, text: TextToRead, direction: str, features: TextFeatures) -> Corrected | None:
        """The correction of nearly the same text in the same direction, the latest if there are several."""
        shelf = self._shelves.get(direction)
        if shelf is None:
            shelf = self._shelves[direction] = _Shelf(
                [kept for kept in self._kept.values() if kept.correction.direction == direction]
            )
        return shelf.nearest(_letters(text), features)


class _Shelf:
    """The corrections of one direction, laid out for comparing with all of them at once."""

    def __init__(self, kept: Sequence[_Kept]) -> None:
        self._kept = kept
        self._vectors = np.array([item.features.vector for item in kept if len(item.features.vector)], np.float32)
        self._starts = np.cumsum([0, *(len(item.features.indices) for item in kept)])
        nothing = np.zeros(0, np.int32), np.zeros(0, np.float32)
        self._indices = np.concatenate([nothing[0], *(item.features.indices for item in kept)])
        self._weights = np.concatenate([nothing[1], *(item.features.weights for item in kept)])
        self._lengths = np.array([_length(item.features) for item in kept])

    def nearest(self, words: str, features: TextFeatures) -> Corrected | None:
        if not self._kept:
            return None
        alike = self._alike(features)
        for place, kept in enumerate(self._kept):
            if kept.words == words and len(words) > SHORTEST:
                alike[place] = 1.0
            elif min(len(words), len(kept.words)) < SHORTEST:
                alike[place] = 0.0
        # Of several that are equally near the latest counts, and it stands last.
        best = len(alike) - 1 - int(np.argmax(alike[::-1]))
        return self._kept[best].correction if alike[best] > 0 else None

    def _alike(self, features: TextFeatures) -> Floats:
        """For each correction the cosine, if it passes the gate of its kind of vector, else 0."""
        shared = self._shared(features)
        if len(features.vector) and len(self._vectors) == len(self._kept):
            cosine = self._vectors @ features.vector
            # The encoder takes "we like A" and "we like B" for alike: the n-grams must agree as well.
            return np.where((cosine >= NEARLY_THE_SAME) & (shared >= 0.5), cosine, 0.0).astype(np.float32)
        return np.where(shared >= _GRAMS_NEARLY_THE_SAME, shared, 0.0).astype(np.float32)

    def _shared(self, features: TextFeatures) -> Floats:
        """Cosines of the n-grams' weights."""
        length = _length(features)
        if not len(features.indices) or not len(self._indices):
            return np.zeros(len(self._kept), np.float32)
        dense = np.zeros(int(max(self._indices.max(), features.indices.max())) + 1, np.float32)
        dense[features.indices] = features.weights
        running = np.concatenate([[0.0], np.cumsum(dense[self._indices] * self._weights, dtype=np.float64)])
        products = running[self._starts[1:]] - running[self._starts[:-1]]
        result: Floats = (products / np.maximum(self._lengths * length, 1e-9)).astype(np.float32)
        return result


def _length(features: TextFeatures) -> float:
    return float(np.sqrt(features.weights @ features.weights))


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
