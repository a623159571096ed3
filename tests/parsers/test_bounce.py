"""Bounces as servers and providers write them without a standard: who, how, for how long; and mail that is none."""

from __future__ import annotations

import pytest

from parsers import parse
from parsers.bounces import read_bounce
from parsers.kinds import KindInput, PartFacts, read_kind
from parsers.types import Address

DANA = "dana@oakfield.example"


def bounce(
    sender: str, subject: str, text: str, *, name: str = "", path: str | None = None, **headers: str
) -> KindInput:
    return KindInput(
        headers={
            "to": ("kay@northlight.example",),
            **{key.replace("_", "-"): (value,) for key, value in headers.items()},
        },
        originator=Address(name, sender),
        return_path=path,
        subject=subject,
        text=text,
    )


FREE_FORMS = {
    "exim": bounce("Mailer-Daemon@mx.example", "Mail delivery failed: returning message to sender", f"This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its recipients. The following address(es) failed:\n\n  {DANA}\n    SMTP error from remote mail server after RCPT TO:<{DANA}>:\n    550 No such user\n\n------ This is a copy of the message ------\n\nTo: other@oakfield.example\n"),
    "sendmail": bounce("MAILER-DAEMON@s.example", "Returned mail: see transcript for details", f"The original message was received at Mon, 3 Feb\n\n   ----- The following addresses had permanent fatal errors -----\n<{DANA}>\n    (reason: 550 5.1.1 <{DANA}>... User unknown)\n\n   ----- Transcript of session follows -----\n550 5.1.1 <{DANA}>... User unknown\n"),
    "exchange": bounce("postmaster@oakfield.example", "Undeliverable: Deck", f"Your message did not reach some or all of the intended recipients.\n\n      Subject:  Deck\n      Sent:     3/5/2024 9:12 AM\n\nThe following recipient(s) could not be reached:\n\n      {DANA} on 3/5/2024 9:12 AM\n            The e-mail account does not exist at the organization this message was sent to.\n            <mx.example #5.1.1>"),
    "office 365": bounce("MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@t.example", "Undeliverable: Deck", f"Your message to {DANA} couldn't be delivered.\n\ndana wasn't found at oakfield.example.\n\nRemote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound'"),
    "gmail": bounce("mailer-daemon@googlemail.example", "Delivery Status Notification (Failure)", f"Delivery to the following recipient failed permanently:\n\n     {DANA}\n\nTechnical details of permanent failure:\n550 5.1.1 does not exist", name="Mail Delivery Subsystem"),
    "yahoo": bounce("MAILER-DAEMON@yahoo.example", "Failure Notice", f"Sorry, we were unable to deliver your message to the following address.\n\n<{DANA}>:\n554: delivery error: dd This user doesn't have an account ({DANA})"),
    "domino": bounce("postmaster@oakfield.example", "DELIVERY FAILURE: User dana not listed in Domino Directory", f"Your message\n\n  Subject: Deck\n\nwas not delivered to:\n\n  {DANA}\n\nbecause:\n\n  User dana ({DANA}) not listed in Domino Directory"),
    "imail": bounce("postmaster@oakfield.example", "Undeliverable Mail", f"Unknown user: {DANA}\n\nOriginal message follows.\n"),
    "groupwise": bounce("postmaster@oakfield.example", "Message status - undeliverable", f"The message that you sent was undeliverable to the following:\n\tdana (user not found)\n\t{DANA}\n"),
    "mailenable": bounce("postmaster@oakfield.example", "Message Delivery Failure", f"MailEnable: Message Delivery Failure.\n\nThe following recipient(s) could not be reached:\n\nRecipient: [SMTP:{DANA}]\nReason: Remote SMTP Server Returned: 550 no mailbox"),
    "x.400": bounce("X400-gateway@g.example", "Delivery Report (failure) for dana", f"This report relates to your message.\nYour message was not delivered to {DANA}\nfor the following reason:\nRecipient's Mailbox unavailable"),
    "mimecast": bounce("postmaster@oakfield.example", "[Postmaster] Email Delivery Failure", f"This is a delivery failure notification message indicating that\nan email you addressed to email address :\n-- {DANA}\n\ncould not be delivered. The problem appears to be :\n-- Recipient email address is possibly incorrect"),
    "aol": bounce("MAILER-DAEMON@aol.example", "Mail Delivery Problem", f"Your mail to the following recipients could not be delivered because they are not accepting mail from you:\n\t{DANA}\n"),
    "aliyun": bounce("postmaster@aliyun.example", "退信通知", f"尊敬的用户：\n您发送的邮件未能成功投递。\n收件人：{DANA}\n退信原因：550 5.1.1 收件人不存在"),
    "coremail": bounce("postmaster@edu.example", "系统退信/Systems bounce", f"很抱歉，您的邮件被退回。\n\n收件人: {DANA}\n原因: 550 User not found\n"),
    "sina": bounce("MAILER-DAEMON@sina.example", "系统退信通知", f"您好，您的邮件无法送达以下收件人：\n<{DANA}>\n拒收：邮箱已满"),
    "ja": bounce("MAILER-DAEMON@au.example", "Mail System Error - Returned Mail", f"次のあて先へのメッセージはエラーのため送信できませんでした。\n\n<{DANA}>\nUser unknown"),
    "ru": bounce("mailer-daemon@mail.example", "Недоставленное сообщение", f"Это письмо создано автоматически. Сообщение не может быть доставлено:\n\n**********************\n\n{DANA} user not found"),
    "notes": bounce("notes@oakfield.example", "Undeliverable message", f"------- Failure Reasons  --------\n\nUser not listed in public Name & Address Book\n{DANA}\n\n------- Returned Message --------"),
    "kddi": bounce("no-reply@app.oakfield.example", "Mail Delivery Report", f"Your mail sent on: Thu, 29 Apr\nCould not be delivered to:  <{DANA}>\nAs their mailbox is full.\n"),
    "opensmtpd": bounce("MAILER-DAEMON@x.example", "Delivery status notification: failed", f"    Hi!\n\n    An error has occurred while attempting to deliver a message for\n    the following list of recipients:\n\n{DANA}: 550 5.2.2 Mailbox Full\n\n    Below is a copy of the original message:\n"),
    "wecom": bounce("PostMaster@exmail.example", "来自lanhai-ad.example的退信", f"尊敬的用户：\n您发往 {DANA} 的邮件被退回\n退信代码 550 5.7.1 拒收\n"),
    "list of stars": bounce("MAILER-DAEMON@x.example", "FAILURE NOTICE", f"The following message could not be delivered:\n\n>>> {DANA} <<<\n550 unknown user"),
}  # fmt: skip


@pytest.mark.parametrize("server", FREE_FORMS)
def test_a_bounce_in_free_form_names_its_recipient(server: str) -> None:
    facts = read_kind(FREE_FORMS[server])
    assert facts.kind == "bounce"
    assert [(entry.addr_spec, entry.action, entry.permanent) for entry in facts.bounced] == [(DANA, "failed", True)]
    assert len(facts.evidence) >= 2


def test_a_delay_in_free_form_is_not_for_good() -> None:
    text = f"您的邮件尚未送达以下收件人，系统将继续尝试投递：\n<{DANA}>\n451 4.7.1 try again later"
    facts = read_kind(bounce("postmaster@oakfield.example", "邮件投递延迟通知", text))
    assert facts.kind == "bounce"
    assert [(entry.addr_spec, entry.action, entry.permanent) for entry in facts.bounced] == [(DANA, "delayed", False)]


STATUS = "Reporting-MTA: dns; mx.example\n\nOriginal-Recipient: rfc822;Dana@Oakfield.example\nFinal-Recipient: rfc822;dana@oakfield.example\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {code}\n"


@pytest.mark.parametrize(
    ("action", "status", "code", "kind", "permanent"),
    [
        ("failed", "5.1.1", "550 5.1.1 unknown", "bounce", True),
        ("failed", "5.0.0", "550 5.2.2 full", "bounce", True),
        ("failed", "4.4.7", "timed out", "bounce", False),
        ("delayed", "4.4.1", "no answer", "bounce", False),
        ("delivered", "2.0.0", "250 ok", "receipt", False),
        ("relayed", "2.0.0", "250 ok", "receipt", False),
    ],
)
def test_a_delivery_status_is_read_recipient_by_recipient(
    action: str, status: str, code: str, kind: str, *, permanent: bool
) -> None:
    part = PartFacts("message/delivery-status", STATUS.format(action=action, status=status, code=code))
    facts = read_kind(KindInput(originator=Address("", "MAILER-DAEMON@mx.example"), subject="Delivery", parts=(part,)))
    assert facts.kind == kind
    assert [(entry.addr_spec, entry.permanent) for entry in facts.bounced] == (
        [(DANA, permanent)] if kind == "bounce" else []
    )


def test_a_status_of_several_recipients_gives_each() -> None:
    text = "Reporting-MTA: dns; x\n\n" + "\n\n".join(
        f"Final-Recipient: rfc822; u{n}@oakfield.example\nAction: failed\nStatus: 5.1.{n}" for n in range(3)
    )
    facts = read_bounce(KindInput(parts=(PartFacts("message/delivery-status", text),)))
    assert facts is not None
    assert [(entry.addr_spec, entry.status) for entry in facts.bounced] == [
        (f"u{n}@oakfield.example", f"5.1.{n}") for n in range(3)
    ]


@pytest.mark.parametrize(
    ("sender", "subject", "text"),
    [
        (
            DANA,
            "Re: Undeliverable: Deck",
            f"Your mail could not be delivered to {DANA}: 550 5.1.1. Use my other address.",
        ),
        (DANA, "退信", "上次的邮件被退信了，麻烦重发一下，谢谢。"),
        (
            DANA,
            "Delivery failure of the courier",
            "The parcel could not be delivered to our office at 550 Harbour Street.",
        ),
        (DANA, "交付失败怎么办", "物料无法送达现场，请联系王珂。"),
        ("postmaster@oakfield.example", "New mail servers", "Dear all, we will move the mail servers on Friday."),
        ("no-reply@courier.example", "Delivery failed", "Your parcel could not be delivered. Call us."),
    ],
)
def test_mail_that_speaks_of_failure_is_no_bounce(sender: str, subject: str, text: str) -> None:
    assert read_kind(KindInput(originator=Address("", sender), subject=subject, text=text, reply=text)).kind != "bounce"


def test_an_absent_person_with_a_null_return_path_is_no_bounce() -> None:
    text = "I am out of the office until 10 February. For urgent matters contact lee@oakfield.example."
    facts = read_kind(
        KindInput(
            originator=Address("Dana", DANA), return_path="", subject="Automatic reply: Deck", text=text, reply=text
        )
    )
    assert facts.kind == "auto_reply"


def test_damaged_mail_says_nothing_to_the_log(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    raw = b"From: MAILER-DAEMON@mx.example\nReturn-Path: <>\nSubject: Undelivered Mail Returned to Sender\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: \xff;;\nAction: \xff\n\n--b\nContent-Type: message/rfc822\n\n\xff\xfe\n"
    assert parse(raw).kind == "bounce"
    assert not caplog.records
    assert capfd.readouterr().err == ""
