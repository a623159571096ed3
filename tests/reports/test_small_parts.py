"""Bars, links, weeks, salutations, dates: the small parts that mails are made of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.rendering import filters, salutation
from assistant.rendering.salutation import Gender
from assistant.reports.bars import Cell, against_target, columns, share
from assistant.reports.mid import mid_url
from assistant.reports.period import week_before

AMOUNTS = st.floats(min_value=0, max_value=1e6, allow_nan=False)


@given(AMOUNTS, AMOUNTS)
def test_a_bar_is_always_as_wide_as_its_table(value: float, most: float) -> None:
    cells = share(value, most)
    assert sum(cell.percent for cell in cells) == 100
    assert all(cell.percent > 0 for cell in cells)


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_a_bar_against_a_target_is_always_as_wide_as_its_table(value: float, target: float, buffer: float) -> None:
    cells = against_target(value, target, buffer)
    assert sum(cell.percent for cell in cells) == 100
    assert all(cell.percent > 0 for cell in cells)


def test_what_is_over_its_target_shows_by_how_much() -> None:
    assert against_target(14, 8, 3) == (Cell(57, "normal"), Cell(22, "buffer"), Cell(21, "over"))
    assert against_target(5, 8, 2) == (Cell(50, "normal"), Cell(50, "rest"))
    assert against_target(0, 8, 2) == (Cell(100, "rest"),)


def test_something_small_is_still_seen() -> None:
    assert share(0.01, 1000)[0] == Cell(2, "normal")
    assert columns([1, 100_000], 60) == (2, 60)
    assert columns([0, 0], 60) == (0, 0)


@pytest.mark.parametrize(
    ("message_id", "url"),
    [
        ("m1@agency.example", "mid:m1@agency.example"),
        ("<m1@agency.example>", "mid:m1@agency.example"),
        ("a/b?c#d%e&f@agency.example", "mid:a%2Fb%3Fc%23d%25e%26f@agency.example"),
        ('"><script>@x.example', "mid:%22%3E%3Cscript%3E@x.example"),
        ("中文@x.example", "mid:%E4%B8%AD%E6%96%87@x.example"),
        ("", ""),
        ("no-at-sign", ""),
        ("two words@x.example", ""),
        ("line\nbreak@x.example", ""),
        ("x" * 600 + "@x.example", ""),
    ],
)
def test_a_message_id_becomes_a_link(message_id: str, url: str) -> None:
    assert mid_url(message_id) == url


@given(st.text())
def test_a_link_never_leaves_its_attribute(message_id: str) -> None:
    url = mid_url(message_id)
    assert url == "" or (url.startswith("mid:") and url.isascii() and not set(url) & set("\"<>' \n") - {"'"})


def test_a_summary_on_monday_morning_tells_of_the_week_that_ended() -> None:
    monday = datetime(2026, 3, 9, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
    period = week_before(monday, "Asia/Shanghai")
    assert (period.first_day, period.last_day) == (date(2026, 3, 2), date(2026, 3, 8))
    assert period.start == datetime(2026, 3, 1, 16, tzinfo=UTC)
    assert period.end == datetime(2026, 3, 8, 16, tzinfo=UTC)


def test_a_summary_on_friday_evening_has_friday_in_it() -> None:
    friday = datetime(2026, 3, 6, 17, tzinfo=ZoneInfo("Asia/Shanghai"))
    period = week_before(friday, "Asia/Shanghai")
    assert (period.first_day, period.last_day) == (date(2026, 2, 28), date(2026, 3, 6))
    assert friday - timedelta(minutes=1) in period
    assert friday not in period


def test_the_zone_of_the_agency_decides_which_day_it_is() -> None:
    late = datetime(2026, 3, 8, 18, tzinfo=UTC)
    assert week_before(late, "Asia/Shanghai").last_day == date(2026, 3, 8)
    assert week_before(late, "Europe/Berlin").last_day == date(2026, 3, 8)
    assert week_before(late, "America/New_York").last_day == date(2026, 3, 8)
    assert week_before(late, "Pacific/Auckland").last_day == date(2026, 3, 8)


@given(
    day=st.dates(date(2025, 1, 1), date(2027, 12, 31)),
    hour=st.integers(0, 23),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/London", "America/New_York", "Australia/Lord_Howe"]),
)
def test_weekly_summaries_join_without_gap_or_overlap(day: date, hour: int, zone: str) -> None:
    this = datetime(day.year, day.month, day.day, hour, 30, tzinfo=ZoneInfo(zone))
    following = datetime.combine(day + timedelta(days=7), this.time(), ZoneInfo(zone))
    if this.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(fold=0) != this.replace(fold=0):
        return  # an hour that the clocks skipped is nobody's hour
    if following.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(fold=0) != following.replace(fold=0):
        return
    assert week_before(following, zone).start == week_before(this, zone).end


@pytest.mark.parametrize(
    ("name", "language", "title", "gender", "expected"),
    [
        ("林晓芸", "zh-Hans", "市场总监", "", "林总"),
        ("林曉芸", "zh-Hant", "行銷總監", "", "林總"),
        ("林晓芸", "zh-Hans", "", "female", "林女士"),
        ("欧阳锋", "zh-Hans", "", "male", "欧阳先生"),
        ("欧阳", "zh-Hans", "经理", "", "欧经理"),
        ("林晓芸", "zh-Hans", "", "", "林晓芸"),
        ("林晓芸", "zh-Hans", "总监助理", "", "林晓芸"),
        ("林晓芸", "zh-Hans", "副总裁", "", "林晓芸"),
        ("王老师", "zh-Hans", "老师", "", "王老师"),
        ("Grace Lindqvist", "zh-Hans", "CEO", "", "Grace Lindqvist"),
        ("Grace Lindqvist", "en", "CEO", "", "Grace"),
        ("Lindqvist, Grace", "en", "", "", "Grace"),
        ("林晓芸", "en", "", "", "林晓芸"),
        ("grace@client.example", "en", "", "", ""),
        ("Team 7", "en", "", "", ""),
        ("", "zh-Hans", "", "", ""),
    ],
)
def test_people_are_addressed_as_they_would_be(
    name: str, language: str, title: str, gender: Gender, expected: str
) -> None:
    assert salutation(name, language, title=title, gender=gender) == expected


def test_a_given_name_that_is_known_is_used_in_english() -> None:
    assert salutation("Lin Xiaoyun", "en", given_name="Xiaoyun") == "Xiaoyun"


@pytest.mark.parametrize(
    ("language", "expected"),
    [("zh-Hans", "2月24日（周二）"), ("zh-Hant", "2月24日（週二）"), ("en", "Tue 24 Feb"), ("de", "Tue 24 Feb")],
)
def test_a_day_reads_as_people_write_it(language: str, expected: str) -> None:
    assert filters.written_day(date(2026, 2, 24), language, today=date(2026, 3, 1)) == expected


def test_a_day_of_another_year_says_which() -> None:
    assert filters.written_day(date(2027, 1, 4), "zh-Hans", today=date(2026, 12, 30)) == "2027年1月4日（周一）"
    assert filters.written_day(date(2027, 1, 4), "en", today=date(2026, 12, 30)) == "Mon 4 Jan 2027"


def test_numbers_and_money_read_as_people_write_them() -> None:
    assert filters.written_business_days(1, "en") == "1 business day"
    assert filters.written_business_days(3, "zh-Hant") == "3 個工作天"
    assert filters.written_hours(1.55, "zh-Hans") == "1.6 小时"
    assert filters.written_money(86420, "CNY", "zh-Hans") == "¥86,420"
    assert filters.written_money(Decimal("1200.5"), "USD", "en") == "US$1,200.50"
    assert filters.written_money(-3, "CHF", "en") == "-CHF 3"


def test_the_singular_is_for_exactly_one() -> None:
    words = "{n} question | {n} questions"
    assert [filters.plural(words, n) for n in (0, 1, 2)] == ["0 questions", "1 question", "2 questions"]


@given(st.text(), st.integers(1, 100))
def test_what_is_cut_is_never_longer_than_said(text: str, length: int) -> None:
    cut = filters.shorten(text, length)
    assert len(cut) <= length
    assert "\n" not in cut


def test_an_answer_has_one_prefix() -> None:
    assert filters.reply_subject("方案") == "Re: 方案"
    assert filters.reply_subject("Re: 方案") == "Re: 方案"
    assert filters.reply_subject("回复：方案") == "回复：方案"
    assert filters.reply_subject("Research plan") == "Re: Research plan"


def test_paragraphs_escape_what_they_carry() -> None:
    assert filters.paragraphs("a <b>\nc\n\nd") == "<p>a &lt;b&gt;<br>\nc</p>\n<p>d</p>"


def test_bold_values_are_escaped_too() -> None:
    assert filters.fill_strong("<{n}>", n="<i>") == "&lt;<strong>&lt;i&gt;</strong>&gt;"
