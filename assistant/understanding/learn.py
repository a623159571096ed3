"""Learns everything for one mode: the stage, then intents, sign-off and who acts next upon it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assistant.model.process import APPROVALS, INTENTS, WAITING_ON
from assistant.understanding.arrays import Floats, Linear, sigmoid
from assistant.understanding.features import PLAIN
from assistant.understanding.fit import Space, Table, fit_classes, fit_many, score_all, sharpness_for
from assistant.understanding.labels import LabelModel, label_features
from assistant.understanding.situation import BEFORE, LABELS, SITUATION
from assistant.understanding.stage import StageModel
from assistant.understanding.train import Data, Indices, Progress, Recipe, balanced_folds, fit_stage, mail_of, truths


@dataclass(frozen=True, slots=True)
class Learned:
    """What one training yields for one mode."""

    stage: StageModel
    labels: LabelModel


def _label_scale(width: int, recipe: Recipe, cue_weight: float) -> Floats:
    half = width // 2
    tail = len(SITUATION) + BEFORE + LABELS
    scale = np.ones(half, np.float32)
    scale[half - tail :] = recipe.situation_weight
    scale[half - tail - PLAIN : half - tail] = cue_weight
    return np.concatenate([scale, scale * recipe.ours_weight])


def label_table(data: Data, rows: Indices, words: Floats, stages: Floats) -> Table:
    dense = [label_features(data.prepared[row].features, mail_of(data, row, words), stages[row]) for row in rows]
    return Table(np.array(dense, np.float32), data.table.grams[rows])


def fit_labels(
    data: Data, rows: Indices, words: Floats, stages: Floats, recipe: Recipe, salt: str, progress: Progress
) -> LabelModel:
    """Models of intents, sign-off and who acts next, with limits chosen on held-out mail."""
    rows = np.array([row for row in rows if data.examples[row].stage != "unrelated"], np.intp)
    folds = balanced_folds(data, rows, recipe.folds, salt)
    intents, approvals, waiting = truths(data, rows)
    table = label_table(data, rows, words, stages)
    said = np.zeros((len(rows), len(INTENTS)), np.float32)
    signed = np.zeros((len(rows), 1), np.float32)
    turns = np.zeros((len(rows), len(WAITING_ON)), np.float32)
    inbound = np.array([data.examples[row].direction == "inbound" for row in rows])

    def part_of(chosen: NDArray[np.bool_]) -> tuple[Table, Space]:
        part = table.rows(np.flatnonzero(chosen))
        return part, Space(part, _label_scale(part.dense.shape[1], recipe, recipe.label_cue_weight), recipe.gram_weight)

    def fit_signing(chosen: NDArray[np.bool_]) -> Linear:
        _, space = part_of(chosen & inbound)
        return fit_many(space, (approvals[chosen & inbound] > 0).astype(np.intp)[:, None], recipe.signing_strength)

    def fit(chosen: NDArray[np.bool_]) -> tuple[Linear, Linear, Linear]:
        _, space = part_of(chosen)
        return (
            fit_many(space, intents[chosen], recipe.label_strength, recipe.rare_lift),
            fit_classes(space, waiting[chosen], len(WAITING_ON), recipe.label_strength),
            fit_signing(chosen),
        )

    for fold in range(recipe.folds):
        tested = folds == fold
        part = table.rows(np.flatnonzero(tested))
        said[tested], turns[tested], signed[tested] = (score_all(model, part) for model in fit(~tested))
        progress("labels")
    everything = np.ones(len(rows), bool)
    intent_model, waiting_model, signing = fit(everything)
    some = table.rows(np.flatnonzero(approvals > 0))
    space = Space(some, _label_scale(some.dense.shape[1], recipe, recipe.approved_cue_weight), 0.0)
    approved = fit_classes(space, approvals[approvals > 0] - 1, len(APPROVALS), recipe.label_strength)
    return LabelModel(
        intent_model,
        intent_limits(sigmoid(said), intents),
        signing,
        approval_limit(sigmoid(signed)[inbound, 0], approvals[inbound] > 0, recipe.approval_precision),
        approved,
        replace(waiting_model, sharpness=sharpness_for(turns, waiting)),
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
    labels = fit_labels(data, rows, said.words, stages, recipe, salt, progress)
    return Learned(stage, labels)
