"""A daemon gives back what it no longer needs."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys

import psutil
import pytest

from assistant.heap import collecting_rarely, heap_trimmer


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


_THREADS_ALLOCATE = """
import ctypes, sys, threading
from assistant.heap import steady_heap
if sys.argv[1] == "steady":
    steady_heap()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
ready = threading.Barrier(4)
def work():
    ready.wait()
    for _ in range(1000):
        libc.malloc(1000)
    ready.wait()
for thread in [threading.Thread(target=work) for _ in range(4)]:
    thread.start()
libc.fdopen.restype, libc.malloc_info.argtypes = ctypes.c_void_p, (ctypes.c_int, ctypes.c_void_p)
out = libc.fdopen(1, b"w")
libc.malloc_info(0, out)
libc.fflush(ctypes.c_void_p(out))
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="only glibc has arenas")
def test_threads_of_a_daemon_share_one_heap() -> None:
    heaps = {
        mode: subprocess.run(
            [sys.executable, "-c", _THREADS_ALLOCATE, mode], capture_output=True, text=True, check=True
        ).stdout.count("<heap nr=")
        for mode in ("steady", "default")
    }
    assert heaps["steady"] == 1 < heaps["default"]


def test_garbage_is_looked_for_as_before_after_a_stretch_of_work_that_broke_off() -> None:
    before = gc.get_threshold()

    @collecting_rarely()
    def broken_off() -> None:
        assert gc.get_threshold()[0] > 10 * before[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        broken_off()
    assert gc.get_threshold() == before
