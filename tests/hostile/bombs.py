"""Readers that do what a bomb would make a parser do, for the process in which risky mail is read."""

from __future__ import annotations

import ctypes
import os
import signal
import time

from parsers import Message, parse


def read(raw: bytes) -> Message:
    """Parses, unless the text names a way to fail."""
    if b"#spins" in raw:
        while True:
            pass
    if b"#sleeps" in raw:
        time.sleep(3600)
    if b"#eats" in raw:
        eaten = [bytes(10_000_000)]
        while True:
            eaten.append(eaten[-1] * 2)
    if b"#crashes" in raw:
        ctypes.string_at(0)
    if b"#killed" in raw:
        os.kill(os.getpid(), signal.SIGKILL)
    if b"#raises" in raw:
        raise RuntimeError("nobody thought of this")
    return parse(raw)
