"""Honest figures: every client is read by models that have never seen it, with the history as it was predicted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.model.process import INTENTS, STAGE_LABELS, UNRELATED, WAITING_ON
from assistant.understanding.arrays import Floats
from assistant.understanding.features import TextFeatures
from assistant.understanding.fit import SEED
from assistant.understanding.hindsight import look_back
from assistant.understanding.labels import APPROVAL_LABELS, read_approval
from assistant.understanding.learn import Learned, fit_models
from assistant.understanding.situation import LABELS
from assistant.understanding.train import Data, Indices, Recipe, as_read, balanced_folds, mail_of, projects_in, truths

OUTER_FOLDS = 6
_RESAMPLES = 1000
_SUREST = 0.6


@dataclass(frozen=True, slots=True)
class Predictions:
    """What was read of each example, in the order of the examples; probabilities in the order of the label lists."""

    words: Floats
    context: Floats
    both: Floats
    """As the mail was read when it came."""
    later: Floats
    """As it is read when all of its project is there."""
    intents: NDArray[np.bool_]
    approval: Indices
    waiting: Indices


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with the interval that 95 % of resamples of the clients fall into."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Scores:
    """All that `assistant understanding evaluate` reports of one way of reading."""

    mails: int
    accuracy: Figure
    macro_f1: Figure
    by_language: dict[str, Figure]
    first_read: Figure
    """Accuracy of the labels that mail had when it came, before later mail spoke."""
    words_only: Figure
    context_only: Figure
    unrelated_found: Figure
    unrelated_precision: float
    calibration_error: float
    surest: Figure
    """Accuracy on the 60 % of mail that the reading is surest of."""
    coverage: tuple[tuple[float, float], ...]
    waiting_on: Figure
    waiting_by_language: dict[str, float]
    intents_micro_f1: Figure
    intents_f1: dict[str, float]
    signed_precision: float
    """Of the mails said to approve something, how many do, whatever it is."""
    signed_recall: float
    approval_precision: float
    """The same, where what is approved must be right as well."""
    approval_recall: float
    confusion: tuple[tuple[int, ...], ...]
    """Rows: truth, columns: reading, in the order of STAGE_LABELS."""
    stage_f1: dict[str, float]


def cross_validate(
    data: Data, recipe: Recipe, salt: str = "", progress: Callable[[str], None] = lambda _: None
) -> Predictions:
    """Reads every example by models trained on other clients."""
    count = len(data.examples)
    everything = np.arange(count)
    folds = balanced_folds(data, everything, OUTER_FOLDS, f"outer{salt}")
    found = blank_predictions(count)
    for fold in range(OUTER_FOLDS):
        progress(f"fold {fold + 1} of {OUTER_FOLDS}")
        learned = fit_models(data, everything[folds != fold], recipe, salt)
        read_examples(data, everything[folds == fold], learned, found)
    return found


def blank_predictions(count: int) -> Predictions:
    """Room for what is read of `count` examples."""
    return Predictions(
        np.zeros((count, LABELS), np.float32),
        np.zeros((count, LABELS), np.float32),
        np.zeros((count, LABELS), np.float32),
        np.zeros((count, LABELS), np.float32),
        np.zeros((count, len(INTENTS)), bool),
        np.zeros(count, np.intp),
        np.full(count, WAITING_ON.index("nobody")),
    )


def read_examples(data: Data, rows: Indices, learned: Learned, into: Predictions) -> None:
    """Reads the examples at `rows` in order of time, as intake does: a stranger's mail twice, if it may be a client's."""
    for row in rows:
        into.words[row] = learned.stage.from_words(data.prepared[row].features)
    blind = np.full(LABELS, 1 / LABELS, np.float32)
    nothing = blank_features(data)
    for row in rows:
        # Whoever becomes a client with this very mail was a stranger when it was written: as intake reads it.
        mail = mail_of(data, row, into.words, read=into.both)
        if mail.automatic:
            into.both[row, -1] = into.context[row, -1] = 1.0
            continue
        into.both[row] = learned.stage.in_context(mail, into.words[row], data.prepared[row].features)
        into.context[row] = learned.stage.in_context(mail, blind, nothing)
    into.later[rows] = into.both[rows]
    for places in projects_in(data, rows):
        mails = [as_read(data, row, into.words, into.both) for row in places]
        into.later[places] = look_back(mails, learned.stage.hindsight, learned.stage.transitions)
    for row in rows:
        mail = mail_of(data, row, into.words, read=into.both)
        if into.later[row].argmax() == LABELS - 1:
            continue
        # A mail first read as unrelated is read again once looking back gave it a stage; others keep their labels.
        stray = into.both[row].argmax() == LABELS - 1
        stage = into.later[row] if stray else into.both[row]
        said, approved, turn = learned.labels.read(data.prepared[row].features, mail, stage)
        into.intents[row] = said >= learned.labels.intent_limits
        what = read_approval(approved, data.prepared[row].features, mail, learned.labels.approval_limit)
        into.approval[row] = APPROVAL_LABELS.index(what)
        place = INTENTS.index("approval")
        into.intents[row, place] = into.approval[row] > 0 or said[place] >= max(
            0.5, learned.labels.intent_limits[place]
        )
        into.waiting[row] = int(turn.argmax())


def blank_features(data: Data) -> TextFeatures:
    """A mail without words, to see what the context alone can tell."""
    width = data.table.dense.shape[1]
    return TextFeatures(
        np.zeros(width, np.float32), np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros(0, np.float32)
    )


def score(data: Data, found: Predictions) -> Scores:
    """All figures over all examples."""
    rows = np.arange(len(data.examples))
    truth = data.stages(rows)
    intents, approvals, waiting = truths(data, rows)
    groups = [example.group for example in data.examples]
    read = found.later.argmax(axis=1)
    right = read == truth
    sure = found.later.max(axis=1)
    stray = truth == LABELS - 1
    language = np.array([example.language for example in data.examples])
    real = ~stray
    order = np.argsort(-sure, kind="stable")
    surest = np.zeros(len(rows), bool)
    surest[order[: int(len(rows) * _SUREST)]] = True
    interval = _Interval(groups)
    waiting_right = found.waiting == waiting
    said = found.approval > 0
    approval_right = said & (found.approval == approvals)
    return Scores(
        mails=len(rows),
        accuracy=interval.share(right, real | stray),
        macro_f1=interval.of(lambda chosen: _macro_f1(truth[chosen], read[chosen])),
        by_language={name: interval.share(right, (language == name) & real) for name in sorted(set(language.tolist()))},
        first_read=interval.share(found.both.argmax(axis=1) == truth, real | stray),
        words_only=interval.share(found.words.argmax(axis=1) == truth, real | stray),
        context_only=interval.share(found.context.argmax(axis=1) == truth, real | stray),
        unrelated_found=interval.share(right, stray),
        unrelated_precision=_ratio(
            (read[read == LABELS - 1] == truth[read == LABELS - 1]).sum(), (read == LABELS - 1).sum()
        ),
        calibration_error=calibration_error(sure, right),
        surest=interval.share(right, surest),
        coverage=tuple(
            (share, float(right[order[: max(1, int(len(rows) * share))]].mean())) for share in (0.2, 0.4, 0.6, 0.8, 1.0)
        ),
        waiting_on=interval.share(waiting_right, real),
        waiting_by_language={
            name: float(waiting_right[(language == name) & real].mean()) for name in sorted(set(language.tolist()))
        },
        intents_micro_f1=interval.of(
            lambda chosen: _f1(found.intents[chosen] & real[chosen, None], intents[chosen] > 0)
        ),
        intents_f1={
            name: _f1(found.intents[real, place], intents[real, place] > 0) for place, name in enumerate(INTENTS)
        },
        signed_precision=_ratio((said & (approvals > 0)).sum(), said.sum()),
        signed_recall=_ratio((said & (approvals > 0)).sum(), (approvals > 0).sum()),
        approval_precision=_ratio(approval_right.sum(), said.sum()),
        approval_recall=_ratio(approval_right.sum(), (approvals > 0).sum()),
        confusion=tuple(
            tuple(int(((truth == first) & (read == second)).sum()) for second in range(LABELS))
            for first in range(LABELS)
        ),
        stage_f1={name: _f1(read == place, truth == place) for place, name in enumerate(STAGE_LABELS)},
    )


def calibration_error(sure: Floats, right: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error over equally wide bins of confidence."""
    place = np.minimum((sure * bins).astype(int), bins - 1)
    return float(
        sum(
            abs(sure[place == part].mean() - right[place == part].mean()) * (place == part).mean()
            for part in set(place.tolist())
        )
    )


class _Interval:
    """Intervals by resampling clients, for mails of one client are not independent."""

    def __init__(self, groups: Sequence[str]) -> None:
        random = np.random.default_rng(SEED)
        names = sorted(set(groups))
        members = {name: np.flatnonzero([group == name for group in groups]) for name in names}
        self._everything = np.arange(len(groups))
        self._samples = [
            np.concatenate([members[names[place]] for place in random.integers(0, len(names), len(names))])
            for _ in range(_RESAMPLES)
        ]

    def of(self, measure: Callable[[Indices], float]) -> Figure:
        values = [measure(sample) for sample in self._samples]
        return Figure(measure(self._everything), *(float(value) for value in np.quantile(values, [0.025, 0.975])))

    def share(self, right: NDArray[np.bool_], among: NDArray[np.bool_]) -> Figure:
        return self.of(lambda chosen: _ratio((right[chosen] & among[chosen]).sum(), among[chosen].sum()))


def _ratio(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else 0.0


def _f1(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    return _ratio(2 * float((said & true).sum()), float(said.sum() + true.sum()))


def _macro_f1(truth: Indices, read: Indices) -> float:
    present = sorted(set(truth.tolist()))
    return float(np.mean([_f1(read == label, truth == label) for label in present]))


__all__ = [
    "APPROVAL_LABELS",
    "UNRELATED",
    "Figure",
    "Predictions",
    "Scores",
    "calibration_error",
    "cross_validate",
    "score",
]
