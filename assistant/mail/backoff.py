"""How long to leave a server alone: after failures, and so that a day's bytes last the day."""

from __future__ import annotations

import random
from collections.abc import Callable

SECONDS_A_DAY = 86_400.0


class Backoff:
    """Growing, capped, jittered pauses. The first is at most `first` seconds, each next twice that, at most `longest`.

    Full jitter between half and the whole, so that many mailboxes do not come back at once. A connection must have
    lived `proven` seconds to start again from the beginning: a server that accepts and drops at once is still failing.
    """

    def __init__(
        self,
        source: random.Random,
        *,
        first: float = 1.0,
        longest: float = 300.0,
        proven: float = 60.0,
    ) -> None:
        self._source = source
        self._first, self._longest, self._proven = first, longest, proven
        self.failures = 0

    def lived(self, seconds: float) -> None:
        """Says how long the last connection held."""
        if seconds >= self._proven:
            self.failures = 0

    def next_pause(self, at_least: float = 0.0) -> float:
        """Seconds to wait after one more failure; `at_least` is what the server itself asked for."""
        ceiling = min(self._longest, self._first * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return max(at_least, self._source.uniform(ceiling / 2, ceiling))


class ByteBudget:
    """A day's download allowance as a bucket that fills evenly; `daily_bytes` 0 means no limit.

    It may be overdrawn by one batch, which the pause afterwards makes good.
    """

    def __init__(self, daily_bytes: int, now: Callable[[], float]) -> None:
        self._daily = daily_bytes
        self._now = now
        self._left = float(daily_bytes)
        self._at = now()

    def spend(self, size: int) -> None:
        self._fill()
        self._left -= size

    def pause(self) -> float:
        """Seconds until something may be downloaded again; 0 when it may now."""
        if not self._daily:
            return 0.0
        self._fill()
        return max(0.0, -self._left * SECONDS_A_DAY / self._daily)

    def _fill(self) -> None:
        now = self._now()
        self._left = min(float(self._daily), self._left + (now - self._at) * self._daily / SECONDS_A_DAY)
        self._at = now
