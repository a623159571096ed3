"""The program that reads one risky message after another for somebody else, and may be killed at any time.

Run as `python -m assistant.intake.parsing_worker MODULE:FUNCTION`. On stdin it gets, for each message, `REQUEST` and the
raw bytes; on stdout it gives `ANSWER` and, pickled, what the function returned, or a sentence why there is nothing.
"""

from __future__ import annotations

import importlib
import pickle
import resource
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

REQUEST = struct.Struct(">QQQ")
"""Size of the message, bytes of memory and seconds of processor time that it may cost."""
ANSWER = struct.Struct(">?Q")
"""Whether it was read, and the size of what follows."""


def main() -> None:
    module, _, name = sys.argv[1].partition(":")
    read: Callable[[bytes], Any] = getattr(importlib.import_module(module), name)
    # It reads bytes and answers; it writes no file, starts no process and leaves no image of its memory behind.
    for limit, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
        resource.setrlimit(limit, (most, most))
    while _one(sys.stdin.buffer, sys.stdout.buffer, read):
        pass


def _one(requests: BinaryIO, answers: BinaryIO, read: Callable[[bytes], Any]) -> bool:
    head = requests.read(REQUEST.size)
    if len(head) < REQUEST.size:
        return False
    size, memory, seconds = REQUEST.unpack(head)
    raw = requests.read(size)
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_CPU, int(_processor_seconds()) + 1 + seconds)
    try:
        found = read(raw)
        answer = pickle.dumps(found, pickle.HIGHEST_PROTOCOL)
        good = not _ran_out(found)
        if not good:
            answer = f"needs more than {memory // 1_000_000} MB of memory".encode()
    except MemoryError:
        good, answer = False, f"needs more than {memory // 1_000_000} MB of memory".encode()
    except Exception as error:  # noqa: BLE001  # whatever breaks is said to who asked
        good, answer = False, f"{type(error).__name__}: {error}"[:500].encode()
    answers.write(ANSWER.pack(good, len(answer)))
    answers.write(answer)
    answers.flush()
    return True


def _limit(what: int, most: int) -> None:
    """Sets the soft limit; at its end the system refuses memory, or kills this process for its time."""
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _ran_out(found: Any) -> bool:
    """Whether a part of the message was given up for want of memory: the parsers never raise, they note it."""
    return any(
        defect.code == "reader-failed" and defect.detail.startswith("MemoryError")
        for defect in getattr(found, "defects", ())
    )


if __name__ == "__main__":
    main()
