"""Learns everything for one mode: the stage, then intents, sign-off and who acts next upon it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assistant.model.process import APPROVALS, INTENTS, WAITING_ON
from assistant.understanding.arrays import Floats, Linear, sigmoid
from assistant.understanding.features import PLAIN
from assistant.understanding.fit import Space, Table, fit_classes, fit_many, score_all, sharpness_for, stacked
from assistant.understanding.labels import LabelModel, label_features
from assistant.understanding.situation import BEFORE, LABELS, SITUATION
from assistant.understanding.stage import StageModel
from assistant.understanding.train import Data, Indices, Progress, Recipe, balanced_folds, fit_stage, mail_of, truths


@dataclass(frozen=True, slots=True)
class HeldOutLabels:
    """What models that had not seen its client said of each example: one row each, words alone and in context."""

    words: Floats
    stages: Floats


@dataclass(frozen=True, slots=True)
class Learned:
    """What one training yields for one mode."""

    stage: StageModel
    labels: LabelModel
    held_out: HeldOutLabels


def _label_scale(width: int, recipe: Recipe, cue_weight: float) -> Floats:
    half = width // 2
    tail = len(SITUATION) + BEFORE + LABELS
    scale = np.ones(half, np.float32)
    scale[half - tail :] = recipe.situation_weight
    scale[half - tail - PLAIN : half - tail] = cue_weight
    return np.concatenate([scale, scale * recipe.ours_weight])


def label_table(data: Data, rows: Indices, words: Floats, stages: Floats, *, bare: bool = False) -> Table:
    dense = [
        label_features(data.prepared[row].features, mail_of(data, row, words, bare=bare), stages[row]) for row in rows
    ]
    return Table(np.array(dense, np.float32), data.table.grams[rows])


@dataclass(frozen=True, slots=True)
class LabelHeads:
    """The linear models of all labels but the stage, before limits are chosen."""

    intents: Linear
    waiting: Linear
    signing: Linear


class LabelLearner:
    """Fits the label heads on parts of the examples at `rows`; mail that belongs to no client is left out."""

    def __init__(self, data: Data, rows: Indices, held_out: HeldOutLabels, recipe: Recipe) -> None:
        self.rows = np.array([row for row in rows if data.examples[row].stage != "unrelated"], np.intp)
        self.intents, self.approvals, self.waiting = truths(data, self.rows)
        self.inbound = np.array([data.examples[row].direction == "inbound" for row in self.rows])
        self.table = label_table(data, self.rows, held_out.words, held_out.stages)
        self._bare = label_table(data, self.rows, held_out.words, held_out.stages, bare=True)
        self._differs = (self.table.dense != self._bare.dense).any(axis=1)
        self._weights = data.weights(self.rows)
        self._recipe = recipe

    def fit(self, chosen: NDArray[np.bool_]) -> LabelHeads:
        """All heads from the chosen rows."""
        recipe = self._recipe
        space, rows, weights = self._space(chosen, recipe.label_cue_weight)
        signing_space, signers, _ = self._space(chosen & self.inbound, recipe.label_cue_weight)
        return LabelHeads(
            fit_many(space, self.intents[rows], recipe.label_strength, recipe.rare_lift, weights),
            fit_classes(space, self.waiting[rows], len(WAITING_ON), recipe.label_strength, weights),
            fit_many(
                signing_space,
                (self.approvals[signers] > 0).astype(np.intp)[:, None],
                recipe.signing_strength,
            ),
        )

    def fit_approved(self) -> Linear:
        """What is approved, learned from all mail that approves something."""
        space, rows, weights = self._space(self.approvals > 0, self._recipe.approved_cue_weight, words=False)
        return fit_classes(space, self.approvals[rows] - 1, len(APPROVALS), self._recipe.label_strength, weights)

    def _space(
        self, chosen: NDArray[np.bool_], cue_weight: float, *, words: bool = True
    ) -> tuple[Space, Indices, NDArray[np.float64]]:
        """The chosen examples and, where something was attached, once more without; their places, and what each weighs."""
        plain, bare = np.flatnonzero(chosen), np.flatnonzero(chosen & self._differs)
        first, second = self.table.rows(plain), self._bare.rows(bare)
        table = Table(np.vstack([first.dense, second.dense]), stacked(first.grams, second.grams))
        scale = _label_scale(table.dense.shape[1], self._recipe, cue_weight)
        weights = np.concatenate([self._weights[plain], self._weights[bare] * self._recipe.bare_weight])
        gram_weight = self._recipe.label_gram_weight if words else 0.0
        return Space(table, scale, gram_weight), np.concatenate([plain, bare]), weights


def fit_labels(
    data: Data, rows: Indices, held_out: HeldOutLabels, recipe: Recipe, salt: str, progress: Progress
) -> LabelModel:
    """Models of intents, sign-off and who acts next, with limits chosen on held-out mail."""
    learner = LabelLearner(data, rows, held_out, recipe)
    folds = balanced_folds(data, learner.rows, recipe.folds, salt)
    count = len(learner.rows)
    said = np.zeros((count, len(INTENTS)), np.float32)
    signed = np.zeros((count, 1), np.float32)
    turns = np.zeros((count, len(WAITING_ON)), np.float32)
    for fold in range(recipe.folds):
        tested = folds == fold
        part = learner.table.rows(np.flatnonzero(tested))
        heads = learner.fit(~tested)
        said[tested], turns[tested], signed[tested] = (
            score_all(model, part) for model in (heads.intents, heads.waiting, heads.signing)
        )
        progress("labels")
    heads = learner.fit(np.ones(count, bool))
    inbound = learner.inbound
    return LabelModel(
        heads.intents,
        intent_limits(sigmoid(said), learner.intents),
        heads.signing,
        approval_limit(sigmoid(signed)[inbound, 0], learner.approvals[inbound] > 0, recipe.approval_precision),
        learner.fit_approved(),
        replace(heads.waiting, sharpness=sharpness_for(turns, learner.waiting)),
    )


def intent_limits(probabilities: Floats, truth: Indices) -> Floats:
    """For each intent the limit with the best F1 on held-out mail, drawn towards the common one where examples are few."""
    grid = np.arange(0.15, 0.66, 0.025)
    common = _best_limit(probabilities.ravel(), truth.ravel(), grid)
    limits = []
    for column, true in zip(probabilities.T, truth.T, strict=True):
        share = true.sum() / (true.sum() + 60.0)
        limits.append(share * _best_limit(column, true, grid) + (1 - share) * common)
    return np.array(limits, np.float32)


def _best_limit(probabilities: Floats, truth: Indices, grid: NDArray[np.float64]) -> float:
    def f1(limit: float) -> float:
        said = probabilities >= limit
        both = float((said & (truth > 0)).sum())
        return 2 * both / max(1.0, float(said.sum() + truth.sum()))

    scores = np.array([f1(limit) for limit in grid])
    # The middle of the plateau: the very best single limit is chance.
    good = grid[scores >= scores.max() - 0.01]
    return float(good.mean())


def approval_limit(sure: Floats, truth: NDArray[np.bool_], precision: float) -> float:
    """The lowest limit that held-out mail reaches `precision` with; cautious where there are too few to tell."""
    best = 0.9
    for limit in np.arange(0.9, 0.3, -0.01):
        said = sure >= limit
        if said.sum() >= 10 and truth[said].mean() >= precision:
            best = float(limit)
    return best


def fit_models(
    data: Data, rows: Indices, recipe: Recipe, salt: str = "", progress: Progress = lambda _: None
) -> Learned:
    """Everything for one mode from the examples at `rows`."""
    stage, said, stages = fit_stage(data, rows, recipe, salt, progress)
    held_out = HeldOutLabels(said.words, stages)
    return Learned(stage, fit_labels(data, rows, held_out, recipe, salt, progress), held_out)
