"""Who owes what by when."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from assistant.understanding.commitments import find_commitments
from assistant.understanding.sentences import split_sentences

WEDNESDAY = datetime(2026, 3, 4, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("direction", "words", "by", "due"),
    [
        ("outbound", "收到，下周三前给您。", "us", date(2026, 3, 11)),
        ("outbound", "We'll send the deck by Friday.", "us", date(2026, 3, 6)),
        ("outbound", "Please send us the signed contract by Friday.", "client", date(2026, 3, 6)),
        ("inbound", "请下周三前给我们报价。", "us", date(2026, 3, 11)),
        ("inbound", "Could you send it by Friday?", "us", date(2026, 3, 6)),
        ("inbound", "我们周五付首款", "client", date(2026, 3, 6)),
    ],
)
def test_a_promise_or_a_demand_binds_one_side(direction: str, words: str, by: str, due: date) -> None:
    found = find_commitments(split_sentences(words), direction, WEDNESDAY, "Asia/Shanghai")
    assert [(item.by, item.due) for item in found] == [(by, due)]


@pytest.mark.parametrize(
    ("direction", "words"),
    [
        ("inbound", "Launch is 5 March."),
        ("outbound", "周四下午开会见"),
        ("outbound", "你们能周五前给反馈吗？"),
        ("outbound", "We will send it soon."),
        ("inbound", "We sent you the files yesterday."),
    ],
)
def test_a_day_alone_or_a_promise_without_a_day_binds_nobody(direction: str, words: str) -> None:
    assert find_commitments(split_sentences(words), direction, WEDNESDAY, "Asia/Shanghai") == ()


def test_the_day_is_that_of_the_writers_clock() -> None:
    late = datetime(2026, 3, 4, 17, tzinfo=UTC)  # already Thursday in Shanghai
    found = find_commitments(split_sentences("明天发您"), "outbound", late, "Asia/Shanghai")
    assert [item.due for item in found] == [date(2026, 3, 6)]


def test_an_unknown_zone_is_read_as_utc() -> None:
    found = find_commitments(split_sentences("明天发您"), "outbound", WEDNESDAY, "Nowhere/Atlantis")
    assert [item.due for item in found] == [date(2026, 3, 5)]
