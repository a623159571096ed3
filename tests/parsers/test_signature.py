"""What stands under a text and is not what its sender had to say."""

from __future__ import annotations

import pytest

from parsers.disclaimers import is_disclaimer
from parsers.quotation import split_reply
from parsers.signature import is_phone_signature, split_signature


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone",
        "Sent from my BlackBerry 10 smartphone.",
        "Sent from my Samsung Galaxy smartphone, an AT&T LTE device",
        "Sent from Yahoo Mail on Android",
        "Sent from Mailbox for iPhone",
        "Get Outlook for iOS<https://aka.example/o0ukef>",
        "Sent from [Mail](https://go.example/?id=1) for Windows 10",
        "发自我的iPhone",
        "发自我的 iPad",
        "来自我的华为手机",
        "从我的 iPhone 发送",
        "從我的iPhone傳送",
        "发送自 Windows 10 版邮件应用",
        "获取 Outlook for Android",
        "签名由 网易邮箱大师 定制",
        "发自我的企业微信",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "Inviato da iPhone",
        "Verstuurd vanaf mijn iPhone",
        "Sendt fra min iPhone",
        "Skickat från min iPhone",
        "Отправлено с iPhone",
        "iPhoneから送信",
    ],
)
def test_a_phone_signature_is_known_in_every_language(line: str) -> None:
    assert is_phone_signature(line)
    assert split_reply(f"好的，ok\n\n{line}").signature == line


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my desk, this is longer than it looks.",
        "Sent from our office yesterday: did you get it?",
        "发自内心地感谢各位",
        "我的手机坏了，请打座机。",
        "来自客户的反馈都整理在附件里了，手机端的问题有三处，请大家今天下班之前看完。",
        "The deck was sent from my phone",
        "从邮件看客户已经同意了",
    ],
)
def test_a_sentence_about_phones_is_no_signature(line: str) -> None:
    assert split_reply(f"第一句。\n\n{line}").reply.endswith(line)


def test_the_delimiter_ends_the_text() -> None:
    assert split_signature(["Fine.", "-- ", "Dana", "", "Oakfield"], last=True) == (
        ["Fine."],
        ["-- ", "Dana", "", "Oakfield"],
    )


def test_a_contact_block_goes_with_its_closing_line() -> None:
    parted = split_reply(
        "请确认。\n\n此致\n敬礼\n\n陈宇\n茗山茶业有限公司\n电话：0571-88880000\n邮箱：chenyu@mingshan-tea.example"
    )
    assert parted.reply == "请确认。"
    assert "0571-88880000" in parted.signature


@pytest.mark.parametrize(
    "text",
    [
        "请寄到以下地址：\n\n杭州市西湖区文三路1号\n电话：13800000000\n收件人：陈宇",
        "Please deliver to:\n\nOakfield Ltd\n1 Harbour Street\nTel: +44 20 7946 0000",
        "Thanks,\nDana",
        "谢谢！\n陈宇",
        "New contact for invoices:\n\nName: Lee Park\nEmail: lee@oakfield.example\nTel: +44 20 7946 0001",
        "三点意见：\n\n- logo 太小\n- 颜色不对\n- 缺日期",
    ],
)
def test_what_people_tell_each_other_is_kept(text: str) -> None:
    assert split_reply(text).reply == text


@pytest.mark.parametrize(
    "paragraph",
    [
        "This email and any files transmitted with it are confidential and intended solely for the use of the individual to whom they are addressed. If you have received this email in error please notify the sender.",
        "CONFIDENTIALITY NOTICE: the contents of this message are for the addressee.",
        "本邮件及其附件含有公司的保密信息，仅限于发送给上述收件人。禁止任何其他人以任何形式使用。",
        "免责声明：本邮件所载内容仅供收件人参考。",
        "如果您错收了本邮件，请立即通知发件人并删除本邮件，请勿泄露。本邮件可能含有机密信息。",
        "Please consider the environment before printing this e-mail.",
    ],
)
def test_a_disclaimer_is_known(paragraph: str) -> None:
    assert is_disclaimer(paragraph)


@pytest.mark.parametrize(
    "paragraph",
    [
        "本邮件的内容请保密，谢谢。",
        "Please keep this email confidential until Friday, the client has not announced it.",
        "这封邮件里的报价仅供内部讨论。",
        "We received the parcel in error, please collect it.",
    ],
)
def test_a_persons_request_for_discretion_is_no_disclaimer(paragraph: str) -> None:
    assert not is_disclaimer(paragraph)


def test_a_gateways_banner_on_top_is_no_reply() -> None:
    text = "CAUTION: This email originated from outside of the organization. Do not click links or open attachments.\n\nApproved."
    assert split_reply(text).reply == "Approved."


def test_a_text_that_is_nothing_but_a_contact_block_is_kept() -> None:
    text = "陈宇\n茗山茶业有限公司\n电话：0571-88880000\n邮箱：chenyu@mingshan-tea.example"
    assert split_reply(text).reply == text
