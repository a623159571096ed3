"""The only place that asks the machine what time it is. Everything else is given a `Clock`."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time, aware and in UTC."""

    def now(self) -> datetime: ...  # a protocol's method has no body


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FrozenClock:
    """A time that stands still until it is moved; for time travel, the demonstration and tests. Thread-safe."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("a clock needs an aware time")
        self._at = at.astimezone(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._at

    def move_to(self, at: datetime) -> None:
        with self._lock:
            self._at = at.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        with self._lock:
            self._at += by


def monotonic() -> float:
    """Seconds for measuring how long something took; never for what time it is."""
    return time.monotonic()
