"""Weak evidence ties threads that lost their ids; it is a function of the set of messages, and gives way to doubt."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from assistant.model.weak_threads import ThreadMail, WeakEdge, subject_key, weak_edges
from tests.offices import CHEN, HAN, LILEI, MONDAY, WANG

KEY = subject_key("新茶上市")
FIRST = ThreadMail("a@x", 1, 7, KEY, MONDAY, False, frozenset({CHEN, LILEI}))
ANSWER = ThreadMail("b@x", 2, 7, KEY, MONDAY + timedelta(days=2), True, frozenset({CHEN, LILEI, HAN}))
SECOND = replace(ANSWER, message_id="c@x", thread=3, sent_at=MONDAY + timedelta(days=4))
EVIDENCE = "same subject and people"


def edges(*mails: ThreadMail) -> set[tuple[int, int]]:
    return {(edge.thread, edge.continues) for edge in weak_edges(mails)}


@st.composite
def mails(draw: st.DrawFn) -> list[ThreadMail]:
    people = st.frozensets(st.sampled_from([CHEN, WANG, LILEI, HAN]), min_size=1, max_size=3)
    return [
        ThreadMail(
            f"{number}@x",
            draw(st.integers(1, 6)),
            draw(st.sampled_from([7, 8])),
            draw(st.sampled_from([KEY, subject_key("other"), ""])),
            MONDAY + timedelta(days=draw(st.integers(0, 50))),
            draw(st.booleans()),
            draw(people),
            draw(st.sampled_from(["", "01aa", "01bb"])),
        )
        for number in range(draw(st.integers(0, 9)))
    ]


@given(given_mails=mails(), data=st.data())
def test_the_order_of_arrival_does_not_matter(given_mails: list[ThreadMail], data: st.DataObject) -> None:
    assert weak_edges(data.draw(st.permutations(given_mails))) == weak_edges(given_mails)


@given(given_mails=mails())
def test_edges_lead_back_in_time_to_the_same_client_and_subject(given_mails: list[ThreadMail]) -> None:
    for edge in weak_edges(given_mails):
        assert edge.thread != edge.continues
        ours = [(mail.party, mail.subject_key) for mail in given_mails if mail.thread == edge.thread]
        theirs = [(mail.party, mail.subject_key) for mail in given_mails if mail.thread == edge.continues]
        assert set(ours) & set(theirs)


def test_an_answer_without_references_goes_on_from_what_it_answers() -> None:
    assert weak_edges([FIRST, ANSWER]) == {WeakEdge(2, 1, EVIDENCE, KEY, 7)}


def test_answers_in_a_row_are_one_conversation() -> None:
    assert edges(FIRST, ANSWER, SECOND) == {(2, 1), (3, 1)}


def test_two_candidates_are_none_and_what_was_tied_is_taken_back() -> None:
    rival = replace(FIRST, message_id="d@x", thread=4, sent_at=MONDAY + timedelta(days=1))
    assert edges(FIRST, ANSWER) == {(2, 1)}
    assert edges(FIRST, rival, ANSWER) == set()


def test_the_same_subject_alone_is_never_evidence() -> None:
    assert edges(FIRST, replace(ANSWER, answers=False)) == set()
    assert edges(FIRST, replace(ANSWER, people=frozenset({CHEN, HAN}))) == set()
    assert edges(FIRST, replace(ANSWER, sent_at=MONDAY + timedelta(days=31))) == set()
    assert edges(FIRST, replace(ANSWER, party=8)) == set(), "two clients are never joined"
    assert edges(replace(FIRST, subject_key=""), replace(ANSWER, subject_key="")) == set()


def test_outlooks_index_needs_the_same_subject_and_nothing_else() -> None:
    first, later = replace(FIRST, thread_index="01ab"), replace(ANSWER, thread_index="01ab", people=frozenset({WANG}))
    assert edges(first, replace(later, answers=False, sent_at=MONDAY + timedelta(days=90))) == {(2, 1)}
    assert edges(first, replace(later, subject_key=subject_key("another matter"))) == set()


def test_a_subject_is_the_same_in_other_case_and_spaces() -> None:
    assert subject_key("Launch  film") == subject_key("launch film") != subject_key("launch")
    assert subject_key("！？ ") == ""
