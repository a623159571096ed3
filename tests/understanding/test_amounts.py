"""Sums of money as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from assistant.understanding.amounts import find_amounts


@pytest.mark.parametrize(
    ("words", "value", "currency"),
    [
        ("总价29.6万", 296_000, "CNY"),
        ("38万元", 380_000, "CNY"),
        ("五千块", 5_000, "CNY"),
        ("RMB 350,000", 350_000, "CNY"),
        ("¥12,000", 12_000, "CNY"),
        ("報價 128000 元", 128_000, "CNY"),
        ("费用合计 186000", 186_000, "CNY"),
        ("HK$600k", 600_000, "HKD"),
        ("NT$1,200,000", 1_200_000, "TWD"),
        ("£89 a panel", 89, "GBP"),
        ("€1.2m", 1_200_000, "EUR"),
        ("3.5k EUR", 3_500, "EUR"),
        ("$4,180", 4_180, "USD"),
        ("A$45k", 45_000, "AUD"),
        ("Rs 4 lakh", 400_000, "INR"),
        ("our budget is around 40k", 40_000, "XXX"),
    ],
)
def test_a_sum_is_found(words: str, value: float, currency: str) -> None:
    assert [(found.value, found.currency) for found in find_amounts(words)] == [(value, currency)]


@pytest.mark.parametrize("words", ["预算80-100万", "预算80到100万", "预算 80万~100万"])
def test_a_range_gives_both_ends(words: str) -> None:
    assert [found.value for found in find_amounts(words)] == [800_000, 1_000_000]


@pytest.mark.parametrize(
    "words", ["曝光1200万", "3000罐", "粉丝100万", "12月24日", "36 months", "30人", "2026年3月", "元旦快乐"]
)
def test_a_count_is_no_sum(words: str) -> None:
    assert find_amounts(words) == ()


@given(some.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    assert all(found.value > 0 and len(found.currency) == 3 for found in find_amounts(text))
