"""What later mail says about earlier mail: the stages of a whole project read again, each in the light of both sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from assistant.model.process import STAGE_LABELS
from assistant.model.reading import ReadMail
from assistant.understanding.arrays import Floats, Linear, softmax

LABELS: Final = len(STAGE_LABELS)
_PLACE: Final = {label: number for number, label in enumerate(STAGE_LABELS)}
_FLOOR: Final = 1e-3
_FADING: Final = 0.55
_TRUST: Final = 0.7
"""Readings of neighbouring mail are not independent: as evidence each counts for less than it says."""

HINDSIGHT_WIDTH: Final = 13 * LABELS + 6


def vector_of(pairs: Sequence[tuple[str, float]]) -> Floats:
    """Probabilities in the order of `STAGE_LABELS`; all alike where nothing is known."""
    found = np.zeros(LABELS, np.float32)
    for label, value in pairs:
        if label in _PLACE:
            found[_PLACE[label]] += value
    total = float(found.sum())
    return (found / total).astype(np.float32) if total > 0 else np.full(LABELS, 1 / LABELS, np.float32)


def look_back(mails: Sequence[ReadMail], model: Linear, transitions: Floats) -> Floats:
    """Stage probabilities of a project's mail, in order of time; shape (mails, 7).

    The last one stays as it was read: nothing has come after it.
    """
    read = np.array([vector_of(mail.stage_probabilities) for mail in mails], np.float32).reshape(-1, LABELS)
    if len(mails) < 2:
        return read
    features = hindsight_features(mails, transitions)
    result = softmax((features @ model.dense + model.bias) * model.sharpness)
    # That mail which was taken for the project's is none, looking back never says: too much hangs on it by then.
    taken = read.argmax(axis=1) != LABELS - 1
    result[taken, -1] = 0.0
    result /= result.sum(axis=1, keepdims=True)
    result[-1] = read[-1]
    return result


def hindsight_features(mails: Sequence[ReadMail], transitions: Floats) -> Floats:
    """The third step's features: how a mail was read, its three followers and two forerunners, what fades towards it from
    both sides, and where the project can have been at all; shape (mails, HINDSIGHT_WIDTH)."""
    read = np.array([vector_of(mail.stage_probabilities) for mail in mails], np.float32)
    words = np.array([vector_of(mail.text_probabilities) for mail in mails], np.float32)
    smooth = _forward_backward(read, transitions)
    before, after = _shifted(read, 1), _shifted(read, -1)
    parts = [
        np.log(np.maximum(read, _FLOOR)),
        read,
        after,
        _shifted(read, -2),
        _shifted(read, -3),
        before,
        _shifted(read, 2),
        _fading(read[::-1])[::-1],
        _fading(read),
        np.log(np.maximum(smooth, _FLOOR)),
        smooth,
        before * after,
        np.log(np.maximum(words, _FLOOR)),
        _situations(mails),
    ]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _shifted(read: Floats, by: int) -> Floats:
    """Each row the one `by` places before it (after it, where negative); zeros beyond the ends."""
    found = np.zeros_like(read)
    if by > 0:
        found[by:] = read[:-by]
    elif -by < len(read):
        found[:by] = read[-by:]
    return found


def _fading(read: Floats) -> Floats:
    """For each row a mean of the rows before it, the nearest weighing most; zeros for the first."""
    found = np.zeros_like(read)
    for place in range(1, len(read)):
        found[place] = read[place - 1] if place == 1 else (1 - _FADING) * read[place - 1] + _FADING * found[place - 1]
    return found


def _forward_backward(read: Floats, transitions: Floats) -> Floats:
    evidence = np.maximum(read, _FLOOR).astype(np.float64) ** _TRUST
    moves = transitions.astype(np.float64)
    forward, backward = np.ones_like(evidence), np.ones_like(evidence)
    for place in range(len(read)):
        forward[place] = evidence[place] * (forward[place - 1] @ moves if place else 1.0)
        forward[place] /= forward[place].sum()
    for place in range(len(read) - 2, -1, -1):
        backward[place] = moves @ (evidence[place + 1] * backward[place + 1])
        backward[place] /= backward[place].sum()
    both = forward * backward
    result: Floats = (both / both.sum(axis=1, keepdims=True)).astype(np.float32)
    return result


def _situations(mails: Sequence[ReadMail]) -> Floats:
    days = [
        math.log1p(max(0.0, (later.sent_at - earlier.sent_at).total_seconds() / 86400.0))
        for earlier, later in pairwise(mails)
    ]
    last = len(mails) - 1
    rows = [
        (
            days[place] if place < last else 0.0,
            days[place - 1] if place else 0.0,
            float(mail.direction == "outbound"),
            float(place == 0),
            float(place < last and mails[place + 1].is_answer),
            float(mail.is_answer),
        )
        for place, mail in enumerate(mails)
    ]
    return np.array(rows, np.float32)
