"""What a decision says in English is said in Chinese too, and a client's own words stay as they are."""

from __future__ import annotations

import pytest

from assistant.cadence.details import chinese_detail
from assistant.cadence.explain import SENTENCES, explain
from tests.cadence.worlds import CALENDARS, NUDGES, at, project, rules


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("stage is proposal", "目前阶段：提案"),
        ("waiting on us", "目前在等我方"),
        ("tag is nothing", "标签：无"),
        ("step 2 waits for the owner", "第 2 步等负责人决定"),
        ("陈静 asked for no more (follow-ups)", "陈静 已退订（跟进）"),
        ("in proposal since 2026-03-02 02:00 UTC", "2026-03-02 02:00 UTC 起处于提案"),
        ("陈静 got a mail by proposal-unanswered on 2026-03-05", "陈静 于 2026-03-05 收过“proposal-unanswered”的邮件"),
        ("我们下周再看", "我们下周再看"),
        ("", ""),
    ],
)
def test_a_detail_in_chinese(english: str, chinese: str) -> None:
    assert chinese_detail(english, lambda stage: {"proposal": "提案"}.get(stage, stage)) == chinese


def test_an_explanation_is_in_one_language_and_what_concerns_the_project_stands_first() -> None:
    both = (
        NUDGES
        + '[[cadence]]\nname = "a-other"\nwhen = { stage = "closing" }\n[[cadence.step]]\nafter = "2 days"\nsend = "x"\n'
    )
    found = explain(project(), (), rules(both), CALENDARS, at("2026-03-09 10:05"), "zh-Hans")
    assert found[0].rule == "nudges"
    assert found[-1].reason == "no-match"
    assert all(not one.detail.isascii() or not one.detail for one in found), [one.detail for one in found]
    assert all(one.reader and one.owner for one in found)
    assert all(chinese for _, chinese in SENTENCES.values())
