"""Out-of-office answers, the day their writers are back, and people who only speak of being away."""

from __future__ import annotations

from datetime import date

import pytest

from parsers.absence import read_absence

SENT = date(2025, 2, 3)  # a Monday


@pytest.mark.parametrize(
    ("subject", "text", "back"),
    [
        ("Automatic reply: Deck", "I am out of the office and will be back on 5 March.", date(2025, 3, 5)),
        ("Automatic reply: Deck", "I am away until 2/10 with limited access to email.", date(2025, 2, 10)),
        ("Automatic reply: Deck", "I will return to the office on Monday, March 10th.", date(2025, 3, 10)),
        ("Automatic reply: Deck", "I am on leave through Feb 14, 2025.", date(2025, 2, 15)),
        ("Automatic reply: Deck", "I'm out of office from 3 to 7 February, returning Monday.", date(2025, 2, 10)),
        ("Automatic reply: Deck", "I am on vacation 3-14 March and will reply then.", date(2025, 3, 15)),
        ("Automatic reply: Deck", "I'm out of office February 3-7.", date(2025, 2, 8)),
        ("自动回复：方案", "我在休产假，预计2025年8月返岗，期间请联系同事。", date(2025, 8, 1)),
        ("自动回复：方案", "您好，我将于2月24日返回公司，急事请电联。", date(2025, 2, 24)),
        ("自动回复: 方案", "本人2月10日至2月18日休假，邮件会在假期后回复。", date(2025, 2, 19)),
        ("自动回复: 方案", "本人2月10日-18日休假。", date(2025, 2, 19)),
        ("自动回复：方案", "春节放假时间为1月28日至2月4日，2月5日正式上班。", date(2025, 2, 5)),
        ("自动答复: 方案", "我在外出差，下周一回来。", date(2025, 2, 10)),
        ("自動回覆: 企劃", "本人外出公幹，將於2月20日返回辦公室。", date(2025, 2, 20)),
        ("自动回复: 年末", "我休假至1月5日，2026年1月6日返岗。", date(2026, 1, 6)),
        ("自动回复: 方案", "我正在休假，回来后尽快回复您。", None),
        ("Out of Office Re: Deck", "Gone fishing, back on 2025-02-11.", date(2025, 2, 11)),
    ],
)
def test_an_automatic_answer_says_when_its_writer_is_back(subject: str, text: str, back: date | None) -> None:
    facts = read_absence(subject, text, SENT)
    assert facts.automatic
    assert facts.returns_on == back
    assert facts.evidence


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Re: Deck", "Thank you for your email. I am currently on annual leave. If urgent please contact Lee."),
        ("回复：合同", "您好，我正在休假，期间无法及时查看邮件，如有急事请联系王珂。"),
        ("", "这是来自QQ邮箱的假期自动回复邮件。\n您好，我最近正在休假中，无法亲自回复您的邮件。"),
        ("答复: 合同", "這是自動回覆郵件。本人目前外出公幹。"),
        ("Re: Deck", "This is an automated response. We have received your message."),
        ("Re: 询价", "【自动回复】您的来信已收到，我们会在两个工作日内与您联系。"),
    ],
)
def test_it_is_known_without_headers_and_prefix(subject: str, text: str) -> None:
    assert read_absence(subject, text, SENT).automatic


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Re: plan", "I will be out of office on Friday, can we meet Thursday instead?"),
        ("自动回复功能", "我们想给公众号做一个自动回复功能，请报价。"),
        ("Re: 排期", "我下周出差，周五前把意见给您，可以吗？"),
        ("Out of office next week", "Team, I will be out of office next week. Lee covers."),
        ("Re: Deck", "I'm back on Monday, talk then."),
        ("Re: Deck", "Your automatic reply feature needs a new text. Please quote."),
        ("Re: 合同", "您的邮件已收到，我看完尽快回复您。"),
        ("Re: 场地", "我现在在外面开会，三点后给您电话。"),
        ("Re: copy", "The campaign is about being away from home for the holidays."),
        ("春节放假安排", "各位伙伴，我司1月28日至2月4日放假，祝大家新年快乐！"),
    ],
)
def test_a_person_who_speaks_of_absence_is_no_machine(subject: str, text: str) -> None:
    assert not read_absence(subject, text, SENT).automatic


def test_a_day_without_a_year_needs_the_day_of_sending() -> None:
    assert read_absence("Automatic reply: x", "Back on 5 March.", None).returns_on is None
    assert read_absence("Automatic reply: x", "Back on 5 March 2025.", None).returns_on == date(2025, 3, 5)
