"""Reminders, digests and notices of an invented agency, as facts, in each language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from assistant.reports.facts import (
    ApprovalRequest,
    BounceNotice,
    MessageLink,
    MorningReminder,
    NoticeProblem,
    OperatorNotice,
    OptOutNotice,
    PendingMail,
    Person,
    ReminderItem,
    UrgentReminder,
    VetoDigest,
)
from tests.reports.weeks import TEXTS, Texts, at


@dataclass(frozen=True, slots=True)
class StaffTexts:
    """What only mails to staff say."""

    colleague: str
    sign_off: str
    birthday: str
    no_contact_client: str
    why: str
    body: str
    stop: str
    operator: str


STAFF = {
    "zh-Hans": StaffTexts(
        colleague="韩梅梅",
        sign_off="方案确认函还没有签回",
        birthday="赵启明生日",
        no_contact_client="北辰家居",
        why="方案发出后没有回音，轻轻提醒两次，再打电话。",
        body="林总，您好！\n\n3月4日（周三）我们就“抖音达人种草”的方案给您发了邮件，不知道您和同事看过之后有什么想法？\n\n"
        "哪里合适、哪里不对味，直接说就好。\n\n祝工作顺利！\n\n李雷\n客户经理 · 蓝海广告",
        stop="这类提醒就不用发了，有事我会直接找你。停止提醒",
        operator="收信服务器拒绝登录。请检查授权码是否过期，然后运行 assistant doctor。",
    ),
    "zh-Hant": StaffTexts(
        colleague="韓梅梅",
        sign_off="提案確認單尚未簽回",
        birthday="趙啟明生日",
        no_contact_client="北辰家居",
        why="提案寄出後沒有回音，輕輕提醒兩次，再打電話。",
        body="林總，您好：\n\n我們在3月4日（週三）寄了「抖音網紅口碑合作」的提案相關信件給您，不知道您和同事看過之後有什麼想法？\n\n"
        "哪裡合適、哪裡不對，直接說就好。\n\n順頌商祺\n\n李雷\n客戶經理｜藍海廣告",
        stop="這類提醒就不用寄了，有事我會直接找你。停止提醒",
        operator="收信伺服器拒絕登入。請檢查授權碼是否過期，再執行 assistant doctor。",
    ),
    "en": StaffTexts(
        colleague="Mei Han",
        sign_off="The signed proposal has not come back",
        birthday="Tom Hallam's birthday",
        no_contact_client="Northlight Interiors",
        why="A proposal without an answer gets two gentle reminders, then a call.",
        body="Hi Grace,\n\nOn Wed 4 Mar we wrote to you about the proposal for Creator seeding. How does it read to you and "
        'your team?\n\nRough notes are fine, and so is "this part is not us".\n\nBest regards,\nLei Li\n'
        "Account Manager, Blue Ocean Advertising",
        stop="No need for these reminders, I will come to you directly. Stop please",
        operator="The mail server refuses the login. Check whether the app password has expired, then run assistant doctor.",
    ),
}


def _person(t: Texts) -> Person:
    return Person(t.owner, "lilei@lanhai-ad.example", t.role)


def _message(t: Texts) -> MessageLink:
    return MessageLink("20260304.3@lanhai-ad.example", t.brief, date(2026, 3, 4))


def _question(t: Texts) -> ReminderItem:
    return ReminderItem(
        "unanswered_question",
        t.client,
        t.launch,
        t.date_question,
        t.lin,
        date(2026, 3, 9),
        at(10, 12),
        message=MessageLink("20260309.7@qinghe-dairy.example", t.launch, date(2026, 3, 9)),
    )


def morning(language: str = "zh-Hans") -> MorningReminder:
    """A morning with something of every section."""
    t, s = TEXTS[language], STAFF[language]
    items = (
        _question(t),
        ReminderItem("commitment_ours", t.client, t.launch, t.list_due, t.owner, due=date(2026, 3, 10)),
        ReminderItem("task", t.client, t.packaging, t.phone_task, t.zhao),
        ReminderItem(
            "veto_waiting",
            t.client,
            t.douyin,
            t.nudge,
            t.lin,
            due=at(10, 10),
            command="assistant outbox veto 17",
        ),
        ReminderItem("stage_over_target", t.client, t.packaging, business_days=6, stage_name=t.stage_agreement),
        ReminderItem("commitment_theirs", t.client, t.launch, t.licence_due, t.lin, due=date(2026, 3, 11)),
        ReminderItem("sign_off_missing", t.client, t.packaging, s.sign_off, t.zhao),
        ReminderItem("no_contact", s.no_contact_client, business_days=7),
        ReminderItem("birthday", t.client, "", s.birthday, due=date(2026, 3, 13)),
    )
    return MorningReminder(_person(t), t.agency, language, date(2026, 3, 10), items)


def urgent(language: str = "zh-Hans") -> UrgentReminder:
    """A question past the promised time, told to the next role."""
    t, s = TEXTS[language], STAFF[language]
    question = _question(t)
    item = ReminderItem(
        "escalation",
        question.client,
        question.project,
        question.text,
        question.who,
        question.since,
        question.due,
        1,
        message=question.message,
    )
    return UrgentReminder(Person(s.colleague, "hanmm@lanhai-ad.example"), t.agency, language, at(10, 14), item, t.owner)


def _pending(language: str) -> PendingMail:
    t, s = TEXTS[language], STAFF[language]
    return PendingMail(
        number=17,
        leaves_at=at(10, 10),
        to_name=t.lin,
        to_address="linxy@qinghe-dairy.example",
        client=t.client,
        subject=t.nudge,
        text=s.body,
        project=t.douyin,
        rule="proposal-unanswered",
        step=1,
        why=s.why,
        message=_message(t),
    )


def veto_digest(language: str = "zh-Hans") -> VetoDigest:
    """One follow-up that leaves in the morning."""
    t = TEXTS[language]
    return VetoDigest(_person(t), t.agency, language, at(10, 6), (_pending(language),))


def approval_request(language: str = "zh-Hans") -> ApprovalRequest:
    """The same mail, but waiting for a yes."""
    t = TEXTS[language]
    return ApprovalRequest(_person(t), t.agency, language, at(10, 6), (_pending(language),))


def opt_out(language: str = "zh-Hans") -> OptOutNotice:
    """A contact who wants no more follow-ups."""
    t, s = TEXTS[language], STAFF[language]
    return OptOutNotice(
        _person(t),
        t.agency,
        language,
        at(10, 11, 5),
        t.lin,
        "linxy@qinghe-dairy.example",
        t.client,
        "follow_ups",
        s.stop,
        2,
        t.douyin,
        _message(t),
    )


def bounce(language: str = "zh-Hans") -> BounceNotice:
    """An address that does not exist any more."""
    t = TEXTS[language]
    return BounceNotice(
        _person(t),
        t.agency,
        language,
        at(10, 10, 1),
        t.zhao,
        "zhaoqm@qinghe-dairy.example",
        t.client,
        permanent=True,
        status="5.1.1",
        reason="550 5.1.1 User unknown",
        subject=t.quote,
        project=t.packaging,
        message=MessageLink("20260226.2@lanhai-ad.example", t.quote, date(2026, 2, 26)),
        suppressed_until=date(2026, 6, 8),
    )


def operator(language: str = "zh-Hans") -> OperatorNotice:
    """A rule file with a mistake."""
    t = TEXTS[language]
    problem = NoticeProblem(
        "rules/followups.toml:12:13",
        'unknown template "followups/proposal-nudge-one"',
        "R012",
        'Did you mean "followups/proposal-nudge-1"?',
    )
    return OperatorNotice(_person(t), t.agency, language, at(10, 9, 30), "rules_broken", (problem,), last_good=True)


def operator_mailbox(language: str = "zh-Hans") -> OperatorNotice:
    """A mailbox that refuses the login."""
    t, s = TEXTS[language], STAFF[language]
    return OperatorNotice(_person(t), t.agency, language, at(10, 9, 30), "mailbox", text=s.operator)
