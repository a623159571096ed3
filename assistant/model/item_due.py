"""By when an item that a client's mail opened should be settled: the day that was asked for, else a few working days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final

from assistant.model.reading import Commitment

WORKING_DAYS: Final = {"complaint": 1, "change_request": 3}
"""Monday to Friday. Public holidays do not count as free here: an answer that something is under way is owed all the same."""

_SATURDAY = 5


def item_due(kind: str, written: datetime, commitments: Iterable[Commitment] = ()) -> date | None:
    """The earliest day that the mail expects something of us by, if it is not past; else so many working days on."""
    asked = [promise.due for promise in commitments if promise.by == "us" and promise.due >= written.date()]
    if asked:
        return min(asked)
    left = WORKING_DAYS.get(kind)
    if left is None:
        return None
    day = written.date()
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < _SATURDAY
    return day
