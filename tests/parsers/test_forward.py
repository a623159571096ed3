"""Forwards: the inner sender is whom staff want logged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from parsers.forwards import NestedMessage, read_forward, read_written_address
from parsers.subjects import read_subject
from parsers.types import Address
from parsers.written_dates import read_written_datetime

CHINA = timezone(timedelta(hours=8))
CHEN = Address("陈宇", "chenyu@mingshan-tea.example")
KAY = Address("Kay Wong", "kay@northlight.example")

FORWARDS = {
    "gmail": (
        "Fwd: Deck",
        "FYI\n\n---------- Forwarded message ---------\nFrom: Kay Wong <kay@northlight.example>\nDate: Tue, Mar 5, 2024 at 9:12 AM\nSubject: Deck\nTo: Dana <dana@oakfield.example>\n\n\nHere it is.\n\nKay",
        KAY, datetime(2024, 3, 5, 9, 12, tzinfo=UTC), "Deck", "Here it is.\n\nKay",
    ),
    "apple": (
        "Fwd: Deck",
        "Begin forwarded message:\n\n> From: Kay Wong <kay@northlight.example>\n> Subject: Deck\n> Date: 5 March 2024 at 09:12:33 GMT+8\n> To: Dana <dana@oakfield.example>\n> \n> Here it is.\n> > older",
        KAY, datetime(2024, 3, 5, 9, 12, 33, tzinfo=CHINA), "Deck", "Here it is.\n> older",
    ),
    "outlook": (
        "FW: Deck",
        "From: Kay Wong <kay@northlight.example>\nSent: Tuesday, March 5, 2024 9:12 AM\nTo: Dana\nSubject: Deck\n\nHere it is.",
        KAY, datetime(2024, 3, 5, 9, 12, tzinfo=UTC), "Deck", "Here it is.",
    ),
    "qq": (
        "转发：合同",
        '请归档\n\n------------------ 原始邮件 ------------------\n发件人: "陈宇"<chenyu@mingshan-tea.example>;\n发送时间: 2024年3月5日(星期二) 上午9:12\n收件人: "王珂"<wangke@lanhai-ad.example>;\n主题: 合同\n\n合同已签。',
        CHEN, datetime(2024, 3, 5, 9, 12, tzinfo=CHINA), "合同", "合同已签。",
    ),
    "163": (
        "Fw:合同",
        '-------- 转发邮件信息 --------\n发件人："陈宇" <chenyu@mingshan-tea.example>\n发送日期：2024-03-05 09:12:33\n收件人：wangke@lanhai-ad.example\n主题：合同\n\n合同已签。',
        CHEN, datetime(2024, 3, 5, 9, 12, 33, tzinfo=CHINA), "合同", "合同已签。",
    ),
    "no prefix": (
        "合同",
        "发件人: 陈宇 <chenyu@mingshan-tea.example>\n发送时间: 2024年3月5日 9:12\n收件人: 王珂\n主题: 合同\n\n合同已签。",
        CHEN, datetime(2024, 3, 5, 9, 12, tzinfo=CHINA), "合同", "合同已签。",
    ),
    "no prefix but a marker": (
        "for the record",
        "see below\n\n-------- Forwarded Message --------\nSubject: Deck\nDate: Tue, 5 Mar 2024 09:12:33 +0800\nFrom: Kay Wong <kay@northlight.example>\nTo: dana@oakfield.example\n\nHere it is.",
        KAY, datetime(2024, 3, 5, 9, 12, 33, tzinfo=CHINA), "Deck", "Here it is.",
    ),
    "outlook zh-TW": (
        "轉寄: 合約",
        "寄件者: 陈宇 <chenyu@mingshan-tea.example>\n寄件日期: 2024年3月5日 上午 09:12\n收件者: 王珂\n主旨: 合約\n\n合約已簽。",
        CHEN, datetime(2024, 3, 5, 9, 12, tzinfo=CHINA), "合約", "合約已簽。",
    ),
}  # fmt: skip


@pytest.mark.parametrize("client", FORWARDS)
def test_the_inner_mail_of_a_forward_is_read(client: str) -> None:
    subject, text, originator, date, inner_subject, inner_text = FORWARDS[client]
    forwarded = read_forward(text, read_subject(subject), None)
    assert forwarded is not None
    assert (forwarded.originator, forwarded.date, forwarded.subject, forwarded.text) == (
        originator,
        date,
        inner_subject,
        inner_text,
    )


def test_an_answer_with_a_quotation_is_no_forward() -> None:
    text = "好\n\n发件人: 陈宇 <chenyu@mingshan-tea.example>\n发送时间: 2024年3月5日 9:12\n收件人: 王珂\n主题: 合同\n\n合同已签。"
    assert read_forward(text, read_subject("回复：合同"), None) is None
    assert read_forward("Thanks\n\n> hello", read_subject("Re: Deck"), None) is None
    assert read_forward("Just a note", read_subject("Note"), None) is None


def test_an_attached_mail_is_a_forward() -> None:
    nested = NestedMessage(KAY, datetime(2024, 3, 5, tzinfo=UTC), "Deck", "Here it is.\n")
    forwarded = read_forward("FYI", read_subject("Deck"), nested)
    assert forwarded is not None
    assert (forwarded.originator, forwarded.text) == (KAY, "Here it is.")


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ('"王珂" <wangke@lanhai-ad.example>;', Address("王珂", "wangke@lanhai-ad.example")),
        ("Kay [mailto:kay@Northlight.example]", Address("Kay", "kay@northlight.example")),
        ("wangke@lanhai-ad.example", Address("", "wangke@lanhai-ad.example")),
        ("王珂", Address("王珂", "")),
        ("kay@northlight.example (Kay)", Address("Kay", "kay@northlight.example")),
        ("", None),
    ],
)
def test_addresses_are_read_as_clients_write_them(written: str, address: Address | None) -> None:
    assert read_written_address(written) == address


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2024年3月5日 週二 下午3:04", datetime(2024, 3, 5, 15, 4, tzinfo=CHINA)),
        ("Tuesday, March 5, 2024 12:04 AM", datetime(2024, 3, 5, 0, 4, tzinfo=UTC)),
        ("05/03/2024 09:12 (GMT+00:00)", datetime(2024, 3, 5, 9, 12, tzinfo=UTC)),
        ("mardi 5 mars 2024 09:12", datetime(2024, 3, 5, 9, 12, tzinfo=UTC)),
        ("Dienstag, 5. März 2024 um 09:12", datetime(2024, 3, 5, 9, 12, tzinfo=UTC)),
        ("2024年03月05日 09点12分", datetime(2024, 3, 5, 9, 12, tzinfo=CHINA)),
        ("soon", None),
        ("31/02/2024", None),
    ],
)
def test_dates_are_read_as_clients_write_them(written: str, moment: datetime | None) -> None:
    assert read_written_datetime(written) == moment


def test_a_forwarded_subject_keeps_the_punctuation_of_its_sender() -> None:
    text = "请看。\n\n发件人：王珂 <wangke@client.example>\n发送时间：2024年5月6日 14:22\n收件人：李娜\n主题：排期（第二版），请确认！\n\n正文"
    forwarded = read_forward(text, read_subject("转发：排期"), None)
    assert forwarded is not None
    assert forwarded.subject == "排期（第二版），请确认！"


def test_a_forwarded_subject_may_go_on_below() -> None:
    text = "FYI\n\n发件人：王珂 <wangke@client.example>\n发送时间：2024年5月6日 14:22\n主题：关于春季上市，\n 第二版\n收件人：李娜\n\n正文"
    forwarded = read_forward(text, read_subject("转发：排期"), None)
    assert forwarded is not None
    assert forwarded.subject == "关于春季上市， 第二版"
