"""Sentences, salutations, closings and summaries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from assistant.understanding.sentences import SUMMARY_LENGTH, is_closing, is_salutation, split_sentences, summarise


def test_sentences_end_at_full_stops_and_lines_but_not_inside_names() -> None:
    text = "Dear Ms Fok,\nv2.1 is at lin@firm.example. Mr. Lee has it! 收到。周五给您"
    assert [sentence.text for sentence in split_sentences(text)] == [
        "Dear Ms Fok,",
        "v2.1 is at lin@firm.example.",
        "Mr. Lee has it!",
        "收到。",
        "周五给您",
    ]


@pytest.mark.parametrize("line", ["Dear Ms Fok,", "林总您好：", "Hi Amelia,", "王老师，", "各位好！", "Good morning,"])
def test_a_salutation_is_known(line: str) -> None:
    assert is_salutation(line)


@pytest.mark.parametrize(
    "line", ["请周五前给我报价", "The deck is attached.", "可以。", "合同已经寄出，请查收！", "ok thx"]
)
def test_what_says_something_is_no_salutation(line: str) -> None:
    assert not is_salutation(line)


@pytest.mark.parametrize("line", ["Best regards", "祝好", "谢谢！", "Thanks a lot", "顺颂商祺"])
def test_a_closing_is_known(line: str) -> None:
    assert is_closing(line)


def test_a_summary_skips_the_salutation() -> None:
    assert summarise(split_sentences("林总您好：\n附件是报价单，请查收。"), "报价") == "附件是报价单，请查收。"


def test_the_summary_of_an_empty_mail_is_its_subject() -> None:
    assert summarise(split_sentences("  \n"), "Contract  signed") == "Contract signed"


@given(some.text(max_size=500), some.text(max_size=200))
def test_a_summary_is_short_whatever_is_written(text: str, subject: str) -> None:
    assert len(summarise(split_sentences(text), subject)) <= SUMMARY_LENGTH


@given(some.text(max_size=500))
def test_sentences_are_stretches_of_the_text(text: str) -> None:
    for sentence in split_sentences(text):
        assert text[sentence.start : sentence.end] == sentence.text
