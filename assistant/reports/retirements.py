"""What the retention periods took away, told to the operator: at most once a day, and only when it was something."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.rendering.filters import plural
from assistant.rendering.staff_mail import StaffMail
from assistant.reports.collect_context import Colleague, Surroundings
from assistant.reports.collect_words import position
from assistant.reports.facts import OperatorNotice
from assistant.reports.notes import Render
from assistant.reports.told import last_told, tell_operator
from assistant.store.tables import AuditEntry

EVENT: Final = "retired"
"""What `assistant.keeping.retention` writes into the audit log."""
PAUSE: Final = timedelta(hours=20)
_TOLD_WITHIN: Final = timedelta(days=7)
_WORDS: Final = {
    "raw_mail": (
        "来信原文 {n} 封",
        "來信原文 {n} 封",
        "1 message as it came | {n} messages as they came",
    ),
    "unrelated_mail": (
        "与客户无关的邮件及其文字 {n} 封",
        "與客戶無關的郵件及其文字 {n} 封",
        "1 message of no client, with its words | {n} messages of no client, with their words",
    ),
    "our_mail": (
        "我方所发邮件的副本 {n} 封",
        "我方所寄郵件的副本 {n} 封",
        "1 copy of our own mail | {n} copies of our own mail",
    ),
    "notes": ("给同事的提示 {n} 条", "給同事的提示 {n} 則", "1 note to colleagues | {n} notes to colleagues"),
}
_SENTENCE: Final = (
    "按保存期限，已删去：{what}。沟通记录与决定仍在；备份和邮箱里的旧邮件不受影响。期限在 config.toml 的 [retention] 中。",
    "按保存期限，已刪去：{what}。溝通紀錄與決定仍在；備份和信箱裡的舊郵件不受影響。期限在 config.toml 的 [retention] 中。",
    (
        "Their time was over, and they were taken away: {what}. Records and decisions stay; backups and the mailbox "
        "itself are not touched. The periods stand in [retention] of config.toml."
    ),
)


def retirement_notice(
    session: Session, around: Surroundings, operator: Colleague, render: Render, now: datetime
) -> StaffMail | None:
    """What was taken away since the operator was last told; None when that was nothing, or the last mail is of today."""
    last = last_told(session, "retention")
    if last.at is not None and now - last.at < PAUSE:
        return None
    entries = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.event == EVENT, AuditEntry.id > last.number, AuditEntry.at >= now - _TOLD_WITHIN)
        .order_by(AuditEntry.id)
    ).all()
    if not entries:
        return None
    notice = OperatorNotice(
        operator.person,
        around.agency_name,
        operator.language,
        around.local(now),
        "retention",
        text=_told([entry.details for entry in entries], position(operator.language)),
    )
    return tell_operator(notice, f"retention:{entries[-1].id}", render, now)


def _told(details: list[dict[str, Any]], language: int) -> str:
    counts = {name: sum(int(entry.get(name, 0)) for entry in details) for name in _WORDS}
    what = [plural(_WORDS[name][language], count) for name, count in counts.items() if count]
    return _SENTENCE[language].format(what=(", " if language == 2 else "、").join(what))
