"""Gives memory that was freed back to the operating system: a daemon's busy hour must not cost it memory for a month."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

PAUSE_SECONDS: Final = 5.0
"""Between two times that a daemon gives memory back; what it freed meanwhile is what its size goes up and down by."""

_ARENA_MAX: Final = -8
_MMAP_THRESHOLD: Final = -3
_LARGE_BYTES: Final = 128 * 1024
_OBJECTS: Final = 20_000
_ROUNDS: Final = 5
"""With twenty, garbage that had grown old was found so late that a daemon was some 40 MB larger after 40,000 messages."""


def heap_trimmer() -> Callable[[], object]:
    """glibc's `malloc_trim(0)` (malloc_trim(3)): one to six milliseconds for a daemon at work.

    Does nothing where the C library has no such function.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return lambda: None
    trim.argtypes, trim.restype = (ctypes.c_size_t,), ctypes.c_int
    return lambda: trim(0)


def steady_heap() -> None:
    """One heap for all threads, and large blocks outside it: what is kept long then does not lie among what comes and goes.

    glibc's `mallopt(M_ARENA_MAX)` and `mallopt(M_MMAP_THRESHOLD)` (mallopt(3)); by default every thread has a heap of its
    own, and a freed attachment of megabytes makes all later ones part of it. To be called before threads begin. Does
    nothing where the C library has no such function.
    """
    try:
        option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    option.argtypes, option.restype = (ctypes.c_int, ctypes.c_int), ctypes.c_int
    option(_ARENA_MAX, 1)
    option(_MMAP_THRESHOLD, _LARGE_BYTES)


def collect_rarely() -> None:
    """Python looks for garbage after twenty thousand new objects instead of seven hundred (`gc.set_threshold`).

    A batch of mail makes many objects that live as long as it does, beside a model and its tables that live for ever: going
    through them again and again was a third of the work.
    """
    gc.set_threshold(_OBJECTS, _ROUNDS, _ROUNDS)


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """The same until the end of the block, for a stretch of work on much mail."""
    before = gc.get_threshold()
    collect_rarely()
    try:
        yield
    finally:
        gc.set_threshold(*before)
