"""Which project a thread belongs to, and where a project stands, derived from its records alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.model.process import STAGE_LABELS, stage_position
from assistant.model.project_state import RecordFacts, derive
from assistant.model.projects import NewThread, ProjectCandidate, choose_project
from tests.offices import CHEN, LILEI, MONDAY, Office, mail, open_office, write_config

TEA = ProjectCandidate(1, ("新茶上市推广",), frozenset({CHEN, LILEI}), "execution", "running", MONDAY)
BOX = ProjectCandidate(2, ("中秋礼盒包装",), frozenset({CHEN, LILEI}), "proposal", "running", MONDAY)


def thread(subject: str, *, text: str = "", discovery: float = 0.1, days: float = 1) -> NewThread:
    return NewThread(
        subject, text, frozenset({CHEN}), MONDAY + timedelta(days=days), (("discovery", discovery),), inbound=True
    )


def test_the_first_mail_of_a_client_begins_its_first_project() -> None:
    assert choose_project(thread("新茶"), []).project_id is None


def test_two_parallel_projects_do_not_mix() -> None:
    assert choose_project(thread("新茶上市推广：第二版海报"), [TEA, BOX]).project_id == 1
    assert choose_project(thread("中秋礼盒包装打样"), [TEA, BOX]).project_id == 2


def test_a_project_that_is_named_in_the_text_is_meant() -> None:
    assert choose_project(thread("附件", text="中秋礼盒包装的刀版图请见附件。"), [TEA, BOX]).project_id == 2


def test_a_new_concrete_enquiry_after_closing_begins_a_new_project() -> None:
    closed = ProjectCandidate(1, ("新茶上市推广",), frozenset({CHEN}), "relationship", "running", MONDAY)
    fresh = thread("门店开业活动", discovery=0.9, days=40)
    assert choose_project(fresh, [closed]).project_id is None


def test_a_word_that_says_nothing_joins_nothing_by_itself() -> None:
    choice = choose_project(thread("关于项目的事宜", days=200), [TEA])
    assert choice.project_id is None or choice.confidence < 0.8


@given(subject=st.text(max_size=40), order=st.permutations([TEA, BOX]))
def test_the_order_of_candidates_does_not_matter(subject: str, order: list[ProjectCandidate]) -> None:
    assert choose_project(thread(subject), order) == choose_project(thread(subject), [TEA, BOX])


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return open_office(write_config(tmp_path), now=MONDAY + timedelta(days=60))


def test_the_same_subject_at_two_clients_never_mixes(office: Office) -> None:
    first = office.log(mail("请报价。#discovery", subject="新品推广"))
    second = office.log(mail("请报价。#discovery", subject="新品推广", originator="lin@other.example"))
    assert first.project_id != second.project_id
    assert first.thread_id != second.thread_id


def test_mail_in_a_thread_stays_in_its_project_whatever_its_subject(office: Office) -> None:
    first = office.log(mail("请报价。#discovery", message_id="a@mingshan.example"))
    later = office.log(
        mail("换个题目。", subject="完全另一件事", at=MONDAY + timedelta(days=1), answers=("a@mingshan.example",))
    )
    assert (later.project_id, later.thread_id) == (first.project_id, first.thread_id)


# --- where a project stands ------------------------------------------------------------------------------------------


@st.composite
def records(draw: st.DrawFn) -> list[RecordFacts]:
    return [
        RecordFacts(
            record_id=number,
            sent_at=MONDAY + timedelta(hours=draw(st.integers(0, 500))),
            direction=draw(st.sampled_from(["inbound", "outbound", "internal"])),
            kind=draw(st.sampled_from(["human", "human", "human", "auto_reply"])),
            automatic=draw(st.booleans()),
            stage=draw(st.sampled_from(STAGE_LABELS)),
            stage_confidence=draw(st.sampled_from([0.3, 0.6, 0.9])),
            stage_evidence="",
            waiting_on=draw(st.sampled_from(["client", "us", "nobody"])),
            waiting_evidence="",
            intents=draw(st.frozensets(st.sampled_from(["rejection", "requirement", "question"]))),
        )
        for number in range(draw(st.integers(1, 8)))
    ]


@given(facts=records(), data=st.data())
def test_the_order_of_arrival_does_not_matter(facts: list[RecordFacts], data: st.DataObject) -> None:
    assert derive(data.draw(st.permutations(facts))) == derive(facts)


@given(facts=records())
def test_the_history_is_a_chain_that_ends_where_the_project_stands(facts: list[RecordFacts]) -> None:
    state = derive(facts)
    assert state is not None
    here = ""
    for step in state.steps:
        assert step.from_stage == here
        assert step.to_stage != here
        back_or_over = bool(here) and stage_position(step.to_stage) - stage_position(here) != 1
        assert step.asked is back_or_over
        here = step.to_stage
    assert state.stage == (here or "discovery")
    assert [step.at for step in state.steps] == sorted(step.at for step in state.steps)


def fact(number: int, direction: str, stage: str, waiting: str, *intents: str, confidence: float = 0.9) -> RecordFacts:
    at = MONDAY + timedelta(hours=number)
    return RecordFacts(number, at, direction, "human", False, stage, confidence, "", waiting, "", frozenset(intents))


def test_without_records_there_is_no_state() -> None:
    assert derive([]) is None


def test_an_unsure_reading_moves_nothing() -> None:
    state = derive([fact(1, "inbound", "proposal", "us"), fact(2, "inbound", "closing", "us", confidence=0.4)])
    assert state is not None
    assert state.stage == "proposal"


def test_the_last_message_says_who_waits_and_the_first_of_its_kind_since_when() -> None:
    state = derive(
        [
            fact(1, "outbound", "proposal", "client"),
            fact(2, "inbound", "proposal", "us"),
            fact(3, "inbound", "proposal", "us"),
        ]
    )
    assert state is not None
    assert (state.waiting_on, state.waiting_record_id) == ("us", 3)
    assert state.waiting_since == MONDAY + timedelta(hours=2)


def test_a_declined_proposal_is_lost_until_work_goes_on() -> None:
    declined = [fact(1, "outbound", "proposal", "client"), fact(2, "inbound", "proposal", "nobody", "rejection")]
    lost = derive(declined)
    assert lost is not None
    assert lost.lost
    revived = derive([*declined, fact(3, "outbound", "proposal", "client", "deliverable")])
    assert revived is not None
    assert not revived.lost
