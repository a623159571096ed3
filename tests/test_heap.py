"""A daemon gives back what it no longer needs."""

from __future__ import annotations

import ctypes

import psutil
import pytest

from assistant.heap import heap_trimmer


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="only glibc gives memory back on demand")
def test_what_was_freed_below_something_kept_goes_back_to_the_system() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
    libc.free.argtypes = (ctypes.c_void_p,)
    process = psutil.Process()
    size, count = 100_000, 500  # below the size from which glibc asks for a mapping of its own
    blocks = [libc.malloc(size) for _ in range(count)]
    for block in blocks:
        ctypes.memset(block, 1, size)
    for block in blocks[:-1]:
        libc.free(block)
    held = process.memory_info().rss
    heap_trimmer()()
    assert held - process.memory_info().rss > size * count * 0.8
    libc.free(blocks[-1])
