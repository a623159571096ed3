"""Models as arrays: linear scores and small trees, evaluated with numpy alone, kept in .npz files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int32]

_HALF_FROM = 4096


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes a compressed .npz; large float arrays in half precision, which costs no accuracy that could be measured."""
    halved = {
        name: array.astype(np.float16) if array.dtype.kind == "f" and array.size >= _HALF_FROM else array
        for name, array in arrays.items()
    }
    with path.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **halved)


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """What `save_arrays` wrote, floats in single precision."""
    with np.load(path, allow_pickle=False) as stored:
        return {
            name: stored[name].astype(np.float32) if stored[name].dtype.kind == "f" else stored[name]
            for name in stored.files
        }


def softmax(scores: Floats) -> Floats:
    """Probabilities along the last axis."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    result: Floats = (shifted / shifted.sum(axis=-1, keepdims=True)).astype(np.float32)
    return result


def sigmoid(scores: Floats) -> Floats:
    result: Floats = (1.0 / (1.0 + np.exp(-np.clip(scores, -30.0, 30.0)))).astype(np.float32)
    return result


@dataclass(frozen=True, slots=True)
class Linear:
    """Scores = dense · `dense` + Σ weight · `grams[index]` + `bias`, all times `sharpness` (inverse temperature)."""

    dense: Floats
    grams: Floats
    bias: Floats
    sharpness: float = 1.0

    def scores(self, dense: Floats, indices: Integers, weights: Floats) -> Floats:
        """One score for each label. `dense` has shape (features,), `indices` and `weights` (n-grams found,)."""
        scores = dense @ self.dense + self.bias
        if len(indices) and self.grams.size:
            scores = scores + weights @ self.grams[indices]
        result: Floats = (scores * self.sharpness).astype(np.float32)
        return result

    def to_arrays(self, name: str) -> dict[str, NDArray[Any]]:
        return {
            f"{name}.dense": self.dense,
            f"{name}.grams": self.grams,
            f"{name}.bias": self.bias,
            f"{name}.sharpness": np.asarray([self.sharpness], np.float32),
        }

    @classmethod
    def from_arrays(cls, name: str, arrays: Mapping[str, NDArray[Any]]) -> Linear:
        return cls(
            arrays[f"{name}.dense"],
            arrays[f"{name}.grams"],
            arrays[f"{name}.bias"],
            float(arrays[f"{name}.sharpness"][0]),
        )


@dataclass(frozen=True, slots=True)
class Trees:
    """Boosted regression trees, all walked at once. Node arrays have shape (trees, nodes); a leaf points at itself."""

    feature: Integers
    threshold: Floats
    left: Integers
    right: Integers
    value: Floats
    label: Integers
    """Which label's score each tree adds to."""
    base: Floats
    depth: int

    def scores(self, features: Floats) -> Floats:
        """One score for each label, from a vector of shape (features,)."""
        rows = np.arange(len(self.label))
        node = np.zeros(len(self.label), np.int32)
        for _ in range(self.depth):
            goes_left = features[self.feature[rows, node]] <= self.threshold[rows, node]
            node = np.where(goes_left, self.left[rows, node], self.right[rows, node])
        scores = np.array(self.base, np.float64)
        np.add.at(scores, self.label, self.value[rows, node])
        return scores.astype(np.float32)

    def to_arrays(self, name: str) -> dict[str, NDArray[Any]]:
        return {
            f"{name}.feature": self.feature,
            f"{name}.threshold": self.threshold.astype(np.float64),
            f"{name}.left": self.left,
            f"{name}.right": self.right,
            f"{name}.value": self.value,
            f"{name}.label": self.label,
            f"{name}.base": self.base,
            f"{name}.depth": np.asarray([self.depth], np.int32),
        }

    @classmethod
    def from_arrays(cls, name: str, arrays: Mapping[str, NDArray[Any]]) -> Trees:
        return cls(
            feature=arrays[f"{name}.feature"],
            threshold=arrays[f"{name}.threshold"],
            left=arrays[f"{name}.left"],
            right=arrays[f"{name}.right"],
            value=arrays[f"{name}.value"],
            label=arrays[f"{name}.label"],
            base=arrays[f"{name}.base"],
            depth=int(arrays[f"{name}.depth"][0]),
        )
