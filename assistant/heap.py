"""Gives memory that was freed back to the operating system: a daemon's busy hour must not cost it memory for a month."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Final

PAUSE_SECONDS: Final = 5.0
"""Between two times that a daemon gives memory back; what it freed meanwhile is what its size goes up and down by."""


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
