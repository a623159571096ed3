"""Subjects without their prefixes and tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.subjects import read_subject


@pytest.mark.parametrize(
    "prefix",
    [
        "Re: ",
        "RE:",
        "re：",
        "Re[2]: ",
        "RE(3): ",
        "Re^2: ",
        "回复：",
        "回复: ",
        "答复: ",
        "回覆：",
        "答覆: ",
        "Aw: ",
        "Antw: ",
        "SV: ",
        "Odp: ",
        "RES: ",
        "Ynt: ",
        "Отв: ",
        "返信: ",
        "Vs: ",
        "R: ",
        "自动回复: ",
        "Automatic reply: ",
    ],
)
def test_a_reply_is_known_by_its_prefix(prefix: str) -> None:
    facts = read_subject(f"{prefix}春茶上市方案")
    assert (facts.base, facts.is_reply, facts.is_forward) == ("春茶上市方案", True, False)


@pytest.mark.parametrize(
    "prefix",
    ["Fwd: ", "FW：", "转发：", "轉寄: ", "WG: ", "TR: ", "RV: ", "I: ", "VB: ", "Doorst: ", "ENC: ", "転送: "],
)
def test_a_forward_is_known_by_its_prefix(prefix: str) -> None:
    facts = read_subject(f"{prefix}Spring plan")
    assert (facts.base, facts.is_reply, facts.is_forward) == ("Spring plan", False, True)


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("RE: 回复: Re：FW: 答复：报价", "报价"),
        ("[External] Re: [EXT] Plan", "Plan"),
        ("【外部邮件】回复：报价", "报价"),
        ("回复: 【请注意，邮件由wangke@lanhai-ad.example代发】报价", "报价"),
        ("Re: 报价【外部邮件】", "报价"),
        ("[campaign-team] Re: Tagline", "Tagline"),
        ("***SPAM*** Offer", "Offer"),
        ("Tagline (fwd)", "Tagline"),
        ("Re:", ""),
        ("", ""),
    ],
)
def test_stacks_and_tags_come_off(subject: str, base: str) -> None:
    assert read_subject(subject).base == base


@pytest.mark.parametrize(
    "subject",
    [
        "【春茶上市】方案",
        "[Urgent] invoice",
        "I am back",
        "Regarding: the plan",
        "Nike vs. Adidas",
        "答复意见汇总",
        "Re-branding: phase two",
        "A/B test",
        "转发有礼活动方案",
        "关于回复时间的说明",
    ],
)
def test_what_people_wrote_stays(subject: str) -> None:
    assert read_subject(subject).base == subject


@given(st.text(max_size=80))
def test_the_base_has_nothing_left_to_take_off(subject: str) -> None:
    base = read_subject(subject).base
    assert read_subject(base).base == base
