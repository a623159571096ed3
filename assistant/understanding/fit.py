"""Fits linear models and boosted trees with scikit-learn, which is needed for training alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from assistant.understanding.arrays import Floats, Linear, Trees

SEED = 20250301


@dataclass(frozen=True, slots=True)
class Table:
    """Many mails as numbers: `dense` (mails, features) and `sparse` (mails, n-grams)."""

    dense: Floats
    grams: Any
    """A scipy sparse matrix."""

    def rows(self, chosen: NDArray[np.intp]) -> Table:
        return Table(self.dense[chosen], self.grams[chosen])


class Space:
    """The mails of a training set in the coordinates they span: as many as mails, however many features there are.

    For a model with an L2 penalty the two are equivalent, and the small one is fitted in a fraction of the time.
    """

    def __init__(self, table: Table, scale: Floats, gram_weight: float) -> None:
        self._scale, self._gram_weight = scale, gram_weight
        self._dense = table.dense * scale
        self._grams: Any = table.grams * gram_weight if gram_weight else None
        self._plain = not gram_weight and self._dense.shape[1] <= self._dense.shape[0]
        if self._plain:  # fewer features than mails: the features themselves are the smaller space
            self.coordinates: NDArray[np.float64] = self._dense.astype(np.float64)
            return
        kernel = self._dense @ self._dense.T
        if gram_weight:
            grams: Any = self._grams
            kernel = kernel + np.asarray((grams @ grams.T).todense())
        values, vectors = np.linalg.eigh(kernel.astype(np.float64))
        kept = values > max(values.max() * 1e-8, 1e-10)
        self._roots = np.sqrt(values[kept])
        self._vectors = vectors[:, kept]
        self.coordinates = self._vectors * self._roots

    def linear(self, weights: NDArray[np.float64], bias: NDArray[np.float64], sharpness: float = 1.0) -> Linear:
        """Weights over coordinates, shape (labels, coordinates), as weights over the features themselves."""
        if self._plain:
            plain = (weights.T * self._scale[:, None]).astype(np.float32)
            return Linear(plain, np.zeros((0, len(bias)), np.float32), bias.astype(np.float32), sharpness)
        dual = (self._vectors / self._roots) @ weights.T
        dense = (self._dense.T @ dual) * self._scale[:, None]
        grams = np.asarray(self._grams.T @ dual) * self._gram_weight if self._gram_weight else np.zeros((0, len(bias)))
        return Linear(dense.astype(np.float32), grams.astype(np.float32), bias.astype(np.float32), sharpness)


def fit_classes(
    space: Space, labels: NDArray[np.intp], count: int, strength: float, weights: NDArray[np.float64] | None = None
) -> Linear:
    """Multinomial logistic regression over `count` labels; `strength` is C. Labels that never occur get a low score."""
    model = LogisticRegression(C=strength, max_iter=600, random_state=SEED)
    model.fit(space.coordinates, labels, sample_weight=weights)
    rows, biases = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        rows, biases = np.vstack([-rows, rows]) / 2, np.concatenate([-biases, biases]) / 2
    full = np.zeros((count, rows.shape[1]))
    bias = np.full(count, -8.0)
    full[model.classes_], bias[model.classes_] = rows, biases
    return space.linear(full, bias)


def fit_many(
    space: Space,
    labels: NDArray[np.intp],
    strength: float,
    lift: float = 1.0,
    weights: NDArray[np.float64] | None = None,
) -> Linear:
    """One logistic regression for each column of `labels` (mails, labels), of zeros and ones.

    With `lift` above 1 the examples of a rare label weigh more, by the root of its rarity and at most so many times:
    else a model of two dozen complaints among eight hundred mails never says "complaint".
    """
    rows, biases = [], []
    for column in labels.T:
        if column.min() == column.max():
            rows.append(np.zeros(space.coordinates.shape[1]))
            biases.append(-6.0)
            continue
        rarity = float((len(column) - column.sum()) / column.sum())
        lifted = np.where(column > 0, max(1.0, min(lift, rarity**0.5)), 1.0)
        if weights is not None:
            lifted = lifted * weights
        model = LogisticRegression(C=strength, max_iter=600, random_state=SEED)
        model.fit(space.coordinates, column, sample_weight=lifted)
        rows.append(model.coef_[0])
        biases.append(float(model.intercept_[0]))
    return space.linear(np.array(rows), np.array(biases))


def score_all(model: Linear, table: Table) -> Floats:
    """Scores of many mails at once, shape (mails, labels)."""
    scores = table.dense @ model.dense + model.bias
    if model.grams.size:
        scores = scores + np.asarray(table.grams @ model.grams)
    result: Floats = (scores * model.sharpness).astype(np.float32)
    return result


def sharpness_for(scores: Floats, labels: NDArray[np.intp], weights: NDArray[np.float64] | None = None) -> float:
    """The inverse temperature that makes held-out scores' softmax honest (least log loss), between 0.2 and 3."""
    best, least = 1.0, np.inf
    weights = np.ones(len(labels)) if weights is None else weights
    for sharpness in np.exp(np.linspace(np.log(0.2), np.log(3.0), 60)):
        scaled = scores * sharpness
        highest = scaled.max(axis=1, keepdims=True)
        total = np.log(np.exp(scaled - highest).sum(axis=1)) + highest[:, 0]
        loss = float(np.average(total - scaled[np.arange(len(labels)), labels], weights=weights))
        if loss < least:
            best, least = float(sharpness), loss
    return best


def fit_trees(
    features: Floats,
    labels: NDArray[np.intp],
    count: int,
    rounds: int,
    depth: int,
    rate: float,
    weights: NDArray[np.float64] | None = None,
    seed: int = SEED,
) -> Trees:
    """Gradient boosting, taken out of scikit-learn as plain arrays."""
    model = GradientBoostingClassifier(
        n_estimators=rounds,
        max_depth=depth,
        learning_rate=rate,
        subsample=0.6,
        max_features=0.3,
        min_samples_leaf=15,
        random_state=seed,
    )
    model.fit(features, labels, sample_weight=weights)
    classes: Sequence[int] = [int(label) for label in model.classes_]
    weights = np.ones(len(labels)) if weights is None else weights
    trees = [(classes[column], tree) for row in model.estimators_ for column, tree in enumerate(row)]
    widest = max(tree.tree_.node_count for _, tree in trees)
    shape = (len(trees), widest)
    feature, left, right = np.zeros(shape, np.int32), np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    threshold, value = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for number, (_, regression) in enumerate(trees):
        tree = regression.tree_
        nodes = tree.node_count
        itself = np.arange(nodes)
        leaf = tree.children_left < 0
        feature[number, :nodes] = np.where(leaf, 0, tree.feature)
        threshold[number, :nodes] = tree.threshold
        left[number, :nodes] = np.where(leaf, itself, tree.children_left)
        right[number, :nodes] = np.where(leaf, itself, tree.children_right)
        value[number, :nodes] = tree.value[:, 0, 0] * rate
    base = np.full(count, -6.0, np.float32)
    base[classes] = np.log(np.maximum(np.bincount(labels, weights, minlength=count)[classes] / weights.sum(), 1e-4))
    return Trees(feature, threshold, left, right, value, np.array([label for label, _ in trees], np.int32), base, depth)


def stacked(first: Any, second: Any) -> Any:
    """Two sparse matrices of the same width as one."""
    return sparse.vstack([first, second]).tocsr()


def gram_matrix(rows: Sequence[tuple[NDArray[np.int32], Floats]], width: int) -> Any:
    """The n-grams of many mails as one sparse matrix, shape (mails, width)."""
    counts = [len(indices) for indices, _ in rows]
    indptr = np.concatenate([[0], np.cumsum(counts)])
    indices = np.concatenate([indices for indices, _ in rows]) if rows else np.zeros(0, np.int32)
    values = np.concatenate([weights for _, weights in rows]) if rows else np.zeros(0, np.float32)
    return sparse.csr_matrix((values, indices, indptr), shape=(len(rows), width), dtype=np.float32)
