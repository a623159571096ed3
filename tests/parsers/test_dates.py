"""Date fields in every shape that mail carries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.dates import read_date
from parsers.limits import Defects

CHINA = "2024-01-02T15:04:05+08:00"
DATES = {
    "Tue, 02 Jan 2024 15:04:05 +0800": CHINA,
    "Tue,02 Jan 2024 15:04:05 +0800": CHINA,
    "2 Jan 24 15:04:05 +0800": CHINA,
    "Tue, 02 January 2024 15:04:05 +08:00": CHINA,
    "Tue, 02 Jan 124 15:04:05 +0800": CHINA,
    "Tue, 02 Jan 2024 15:04:05 GMT+0800 (CST)": CHINA,
    "Tue, 02 Jan 2024 15:04:05 (GMT+08:00)": CHINA,
    "Tue, 02 Jan 2024 15:04:05 0800": CHINA,
    "Tue, 02 Jan 2024 15:04:05 China Standard Time": CHINA,
    "Tue, 02 Jan 2024 15.04.05 +0800": CHINA,
    "02-Jan-2024 15:04:05 +0800": CHINA,
    "2024-01-02T15:04:05+08:00": CHINA,
    "2024-01-02 15:04:05 +0800": CHINA,
    "星期二, 02 一月 2024 15:04:05 +0800": CHINA,
    "周二, 2 1月 2024 15:04:05 +0800": CHINA,
    "2024年1月2日(星期二) 下午3:04:05 +0800": CHINA,
    "２０２４年１月２日 １５：０４：０５ +0800": CHINA,
    "mar., 2 janv. 2024 15:04:05 +0800": CHINA,
    "Tue Jan  2 15:04:05 2024": "2024-01-02T15:04:05+00:00",
    "20240102T150405Z": "2024-01-02T15:04:05+00:00",
    "1704207845": "2024-01-02T15:04:05+00:00",
    "1/2/2024 3:04:05 PM": "2024-01-02T15:04:05+00:00",
    "Jan 2, 2024, 12:04:05 AM": "2024-01-02T00:04:05+00:00",
    "Tue, 02 Jan 2024 15:04:05 EST": "2024-01-02T15:04:05-05:00",
    "Tue, 02 Jan 2024 15:04:05 -0000": "2024-01-02T15:04:05+00:00",
    "Tue, 02 Jan 2024 24:00:00 +0000": "2024-01-03T00:00:00+00:00",
    "Tue, 02 Jan 2024 15:04:60 +0000": "2024-01-02T15:04:59+00:00",
    "Tue, 02 Jan 2024": "2024-01-02T00:00:00+00:00",
}


@pytest.mark.parametrize("written", DATES)
def test_a_date_is_read(written: str) -> None:
    moment = read_date(written, Defects())
    assert moment is not None
    assert moment.isoformat() == DATES[written]


@pytest.mark.parametrize(
    "written",
    ["yesterday", "31 Feb 2024 10:00:00 +0000", "32 Jan 2024 10:00:00 +0000", "2 Jan 2024 25:00:00 +0000", "+0800"],
)
def test_what_is_no_date_is_none_with_a_defect(written: str) -> None:
    defects = Defects()
    assert read_date(written, defects) is None
    assert "date-unreadable" in {defect.code for defect in defects.found()}


def test_a_date_without_zone_is_utc_with_a_defect() -> None:
    defects = Defects()
    assert read_date("2 Jan 2024 15:04:05", defects) == datetime(2024, 1, 2, 15, 4, 5, tzinfo=UTC)
    assert "date-without-zone" in {defect.code for defect in defects.found()}


@pytest.mark.parametrize(("received_hour", "offset"), [(7, 8), (21, -6)])
def test_cst_is_what_the_server_s_time_stamp_says(received_hour: int, offset: int) -> None:
    moment = read_date(
        "Tue Jan 02 15:04:05 CST 2024", Defects(), lambda: datetime(2024, 1, 2, received_hour, 4, 9, tzinfo=UTC)
    )
    assert moment is not None
    assert moment.utcoffset() == timedelta(hours=offset)


@given(st.integers(0, 7_000_000_000), st.integers(-12 * 4, 14 * 4))
def test_standard_dates_come_back(seconds: int, quarters: int) -> None:
    moment = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=15 * quarters)))
    assert read_date(format_datetime(moment), Defects()) == moment


@given(st.text(max_size=80))
def test_any_text_gives_an_aware_date_or_none(text: str) -> None:
    moment = read_date(text, Defects())
    assert moment is None or moment.tzinfo is not None
