"""A change request or complaint has a day by which it should be settled."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from assistant.model.item_due import item_due
from assistant.model.reading import Commitment

WEDNESDAY = datetime(2026, 3, 4, 6, tzinfo=UTC)
FRIDAY = datetime(2026, 3, 6, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "written", "due"),
    [
        ("complaint", WEDNESDAY, date(2026, 3, 5)),
        ("complaint", FRIDAY, date(2026, 3, 9)),
        ("change_request", WEDNESDAY, date(2026, 3, 9)),
        ("change_request", datetime(2026, 3, 7, 6, tzinfo=UTC), date(2026, 3, 11)),
        ("question", WEDNESDAY, None),
    ],
)
def test_some_working_days_are_given(kind: str, written: datetime, due: date | None) -> None:
    assert item_due(kind, written) == due


def test_the_day_that_the_client_asked_for_comes_first() -> None:
    promises = (
        Commitment("client", "logo", date(2026, 3, 5)),
        Commitment("us", "page three", date(2026, 3, 12)),
        Commitment("us", "of last month", date(2026, 2, 5)),
    )
    assert item_due("change_request", WEDNESDAY, promises) == date(2026, 3, 12)
