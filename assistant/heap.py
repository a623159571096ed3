"""Gives memory that was freed back to the operating system: a daemon's busy hour must not cost it memory for a month."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Final

from assistant.clock import monotonic

PAUSE_SECONDS: Final = 20.0


def heap_trimmer() -> Callable[[], object]:
    """glibc's `malloc_trim(0)` (malloc_trim(3)): some milliseconds. Nothing where the C library has no such function."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return lambda: None
    trim.argtypes, trim.restype = (ctypes.c_size_t,), ctypes.c_int
    return lambda: trim(0)


class SpareMemory:
    """Remembers when memory was given back, so that it is done now and then only."""

    def __init__(self, trim: Callable[[], object] | None = None, now: Callable[[], float] = monotonic) -> None:
        self._trim = trim if trim is not None else heap_trimmer()
        self._now = now
        self._given_at = float("-inf")

    def give_back(self) -> None:
        """What the C library holds without need; at most every `PAUSE_SECONDS`."""
        if self._now() - self._given_at >= PAUSE_SECONDS:
            self._trim()
            self._given_at = self._now()
