"""What short mails ask for, and where a client probably is."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from assistant.model.locality import Locality, client_name, guess_locality
from assistant.model.opt_out import read_opt_out

AGENCY = Locality("CN", "Asia/Shanghai", "zh-Hans")


@pytest.mark.parametrize(
    ("reply", "scope"),
    [
        ("退订", "all"),
        ("Unsubscribe", "all"),
        ("请不要再给我发邮件", "all"),
        ("Please remove me from this list.", "all"),
        ("不用再提醒了", "follow-ups"),
        ("请停止跟进，谢谢", "follow-ups"),
        ("Stop the reminders, please", "follow-ups"),
        ("STOP", "follow-ups"),
        ("这件事不用再提醒了", "thread"),
        ("以后不用发节日祝福了", "greetings"),
        ("No more greetings, thanks.", "greetings"),
    ],
)
def test_a_short_wish_is_understood(reply: str, scope: str) -> None:
    found = read_opt_out(reply)
    assert found is not None
    assert found[0] == scope
    assert found[1] in reply


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "好的，收到。",
        "这张海报里的“退订”按钮请放到右下角，字号再小一点。",
        "Please add an unsubscribe link to the newsletter draft.",
        "Please don't stop the campaign, it runs well.",
        "We should stop by your office on Friday.",
        "请停止投放第二组广告。",
        "提醒一下，周五开会。",
        "方案我们内部还在讨论，退订的流程也要写进去，预算下周给您。" * 6,
        "短信文案：退订回T",
    ],
)
def test_words_about_something_else_are_no_wish(reply: str) -> None:
    assert read_opt_out(reply) is None


EAST = datetime(2026, 3, 2, 10, 0, tzinfo=timezone(timedelta(hours=-5)))


@pytest.mark.parametrize(
    ("address", "signature", "language", "country", "zone"),
    [
        ("x@shop.example.cn", "", "zh-Hans", "CN", "Asia/Shanghai"),
        ("x@shop.co.uk", "", "en", "GB", "Europe/London"),
        ("x@shop.de", "+86 21 5555 0000", "en", "DE", "Europe/Berlin"),
        ("x@shop.com", "Tel: +852 2555 0000", "en", "HK", "Asia/Hong_Kong"),
        ("x@shop.com", "Phone +44 (0)20 7946 0000", "en", "GB", "Europe/London"),
        ("x@shop.com", "", "zh-Hans", "CN", "Asia/Shanghai"),
        ("x@shop.com", "香港九龍彌敦道1號", "zh-Hant", "HK", "Asia/Hong_Kong"),
        ("x@shop.com", "台北市信義路1號", "zh-Hant", "TW", "Asia/Taipei"),
        ("x@shop.com", "", "en", "US", "America/New_York"),
    ],
)
def test_a_place_is_guessed_from_the_strongest_sign(
    address: str, signature: str, language: str, country: str, zone: str
) -> None:
    assert guess_locality(address, signature, language, EAST, AGENCY) == Locality(country, zone, language)


def test_without_any_sign_a_client_is_where_the_agency_is() -> None:
    assert guess_locality("x@shop.com", "", "unknown", None, AGENCY) == AGENCY


@pytest.mark.parametrize(
    ("address", "display", "signature", "person", "name"),
    [
        ("chen@mingshan.com.cn", "陈静", "陈静\n杭州茗山茶业有限公司\n电话 0571", False, "杭州茗山茶业有限公司"),
        ("m@hartleaf.com", "Megan Hart", "Megan Hart\nHartleaf Tea Ltd\n", False, "Hartleaf Tea Ltd"),
        ("m@mail.hartleaf.com", "Megan Hart", "", False, "hartleaf"),
        ("chen@mingshan.com.cn", "陈静", "", False, "mingshan"),
        ("tea.lover@qq.com", "茶客", "", True, "茶客"),
        ("tea.lover@qq.com", "", "", True, "tea.lover"),
    ],
)
def test_a_client_is_called_by_its_company(address: str, display: str, signature: str, person: bool, name: str) -> None:
    assert client_name(address, display, signature, person=person) == name
