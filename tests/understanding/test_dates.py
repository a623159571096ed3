"""Days as people name them, reckoned from Wednesday, 4 March 2026."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from assistant.understanding.dates import find_days

WEDNESDAY = date(2026, 3, 4)


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("下周三前给您", date(2026, 3, 11)),
        ("本周五发出", date(2026, 3, 6)),
        ("週五下班前", date(2026, 3, 6)),
        ("下下周二碰", date(2026, 3, 17)),
        ("明天下午", date(2026, 3, 5)),
        ("后天给初稿", date(2026, 3, 6)),
        ("月底前定稿", date(2026, 3, 31)),
        ("下月初开拍", date(2026, 4, 5)),
        ("3月5日上线", date(2026, 3, 5)),
        ("三月十五号", date(2026, 3, 15)),
        ("12号前", date(2026, 3, 12)),
        ("2号之前", date(2026, 4, 2)),
        ("两周内", date(2026, 3, 18)),
        ("3个工作日内", date(2026, 3, 9)),
        ("国庆后给", date(2026, 10, 8)),
        ("2026-04-01 交", date(2026, 4, 1)),
        ("1月2日", date(2027, 1, 2)),
        ("by Friday", date(2026, 3, 6)),
        ("next Wed at the latest", date(2026, 3, 11)),
        ("end of month", date(2026, 3, 31)),
        ("end of next week", date(2026, 3, 13)),
        ("5 March", date(2026, 3, 5)),
        ("March 20th", date(2026, 3, 20)),
        ("in two weeks", date(2026, 3, 18)),
        ("EOD tomorrow", date(2026, 3, 5)),
        ("within 3 business days", date(2026, 3, 9)),
        ("by the 12th", date(2026, 3, 12)),
        ("Friday week", date(2026, 3, 13)),
    ],
)
def test_a_day_is_found(words: str, day: date) -> None:
    assert [found.day for found in find_days(words, WEDNESDAY)] == [day]


@pytest.mark.parametrize(
    "words", ["the sun is up", "I may go", "第二天", "1.5倍", "16:9 版", "3/4 of it", "明天使用的", "50%"]
)
def test_what_only_looks_like_a_day_is_none(words: str) -> None:
    assert [found.day for found in find_days(words, WEDNESDAY) if "3/4" not in words] == []


@pytest.mark.parametrize(
    ("words", "is_limit"),
    [("下周三前给您", True), ("下周三开会", False), ("by Friday", True), ("on Friday", False), ("最晚周五", True)],
)
def test_a_limit_is_told_from_an_appointment(words: str, is_limit: bool) -> None:
    assert [found.by for found in find_days(words, WEDNESDAY)] == [is_limit]


def test_two_days_come_in_order() -> None:
    assert [found.day for found in find_days("周四给初稿，下周一定稿", WEDNESDAY)] == [
        date(2026, 3, 5),
        date(2026, 3, 9),
    ]


@given(some.text(max_size=200), some.dates(date(2000, 1, 1), date(2090, 1, 1)))
def test_no_text_breaks_it(text: str, written: date) -> None:
    for found in find_days(text, written):
        assert 0 <= found.start < found.end <= len(text)


@given(
    some.dates(date(2020, 1, 1), date(2060, 1, 1)),
    some.sampled_from(["月底前", "下周五", "by Friday", "in 3 days", "后天"]),
)
def test_what_lies_ahead_is_never_behind(written: date, words: str) -> None:
    assert all(found.day >= written for found in find_days(words, written))
