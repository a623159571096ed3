"""Answers and open questions, whatever order people write in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from assistant.calendar.business import Calendars
from assistant.reports.collect_context import Surroundings
from assistant.reports.collect_records import ClientWeek, answers, open_questions, response_times
from assistant.reports.period import Period
from assistant.store.tables import Client, Record
from tests.reports.agency import LILEI, ZONE, directory, stage_name, stage_target

START = datetime(2026, 3, 2, tzinfo=UTC)
PERIOD = Period(START, START + timedelta(days=7), date(2026, 3, 2), date(2026, 3, 8))
MESSAGES = st.lists(
    st.tuples(
        st.integers(0, 7 * 24 * 60 - 1),
        st.sampled_from(["inbound", "outbound"]),
        st.sampled_from(["us", "client", "nobody"]),
        st.booleans(),
    ),
    max_size=25,
)
Message = tuple[int, str, str, bool]


def records(messages: list[Message]) -> list[Record]:
    """Mail of one project in the order it was sent."""
    return [
        Record(
            id=number,
            message_id=f"m{number}@qinghe-dairy.example",
            sent_at=START + timedelta(minutes=minute),
            direction=direction,
            kind="human",
            automatic=False,
            originator=LILEI if direction == "outbound" else "linxy@qinghe-dairy.example",
            originator_name="",
            waiting_on=waiting_on,
            intents=[["question", 0.9, "？"]] if asks else [],
            channel="email",
            summary="",
            base_subject="",
        )
        for number, (minute, direction, waiting_on, asks) in enumerate(sorted(messages))
    ]


def week(found: list[Record]) -> ClientWeek:
    """A week that needs no database: everything is in the records."""
    around = Surroundings("蓝海广告", ZONE, directory(), Calendars(), stage_name, stage_target)
    client = Client(id=1, name="青禾乳业", country="CN", timezone=ZONE, owner=LILEI)
    return ClientWeek(cast("Session", None), around, client, "zh-Hans", PERIOD, PERIOD.end, tuple(found), {})


@given(MESSAGES)
def test_answers_come_from_the_side_that_was_waited_for_and_never_before_the_question(messages: list[Message]) -> None:
    found = records(messages)
    given_answers = list(answers(week(found), found))
    wrote = {"us": "outbound", "client": "inbound"}
    for answer in given_answers:
        assert answer.asked_at <= answer.answered_at
        assert 0 <= answer.hours <= (answer.answered_at - answer.asked_at) / timedelta(hours=1)
        assert any(record.sent_at == answer.answered_at and record.direction == wrote[answer.by] for record in found)
    assert len(given_answers) <= sum(record.waiting_on != "nobody" for record in found)


@given(MESSAGES)
def test_medians_lie_between_the_quickest_and_the_slowest_answer(messages: list[Message]) -> None:
    found = records(messages)
    given_answers = list(answers(week(found), found))
    times = response_times(given_answers, PERIOD, None)
    ours = [answer.hours for answer in given_answers if answer.by == "us"]
    assert times.us_count == len(ours)
    assert (times.us_hours is None) == (not ours)
    if times.us_hours is not None:
        assert min(ours) - 0.05 <= times.us_hours <= max(ours) + 0.05


@given(MESSAGES)
def test_whoever_wrote_last_owes_no_answer(messages: list[Message]) -> None:
    found = records(messages)
    sides = {question.asked_by for question in open_questions(week(found), found, ())}
    assert sides <= ({"client"} if found and found[-1].direction == "inbound" else {"us"})
