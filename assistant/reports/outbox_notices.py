"""What the outbox needs a person for: sending that was stopped, and mail of which nobody knows whether it left."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import String, exists, literal, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from assistant.rendering import Rendered
from assistant.rendering.staff_mail import StaffMail
from assistant.reports.collect_context import Colleague, Surroundings
from assistant.reports.collect_words import position
from assistant.reports.facts import NoticeProblem, OperatorNotice
from assistant.reports.notes import Render
from assistant.reports.told import tell_operator
from assistant.store.breaker import Trip, trips
from assistant.store.tables import Client, OutboxMessage, Project

LOOKED_FOR: Final = timedelta(minutes=30)
"""So long uncertain mail is looked for among sent mail before anybody is asked."""
_ASKED_WITHIN: Final = timedelta(days=7)

_CAUSES: Final = {
    "hourly": (
        "一小时内已向客户自动发出 {count} 封邮件，达到上限 {limit:g}",
        "一小時內已向客戶自動寄出 {count} 封郵件，達到上限 {limit:g}",
        "{count} automatic mails left to clients within an hour; the limit is {limit:g}",
    ),
    "client": (
        "一小时内已向“{name}”自动发出 {count} 封邮件，可能陷入循环",
        "一小時內已向「{name}」自動寄出 {count} 封郵件，可能陷入循環",
        "{count} automatic mails left to {name} within an hour, which looks like a loop",
    ),
    "bounces": (
        "最近一周发出的 {limit:g} 封邮件中有 {count} 封被退回",
        "最近一週寄出的 {limit:g} 封郵件中有 {count} 封被退回",
        "{count} of the {limit:g} mails of the last week came back",
    ),
    "by-hand": ("由同事停下", "由同事停下", "stopped by a colleague"),
}
_RESUME: Final = (
    "邮件都还在队列里。查明原因后运行：{command}",
    "郵件都還在佇列裡。查明原因後執行：{command}",
    "The mail waits in the queue. When you know why, run: {command}",
)
_UNCERTAIN: Final = {
    "zh-Hans": (
        "有邮件不知是否已发出",
        "给服务器递交下面这些邮件时连接中断，不知道对方是否收到，已发送文件夹里也没有找到。助理不会自己再发一次。",
        "再发一次：{again}\n不再发：{leave}",
    ),
    "zh-Hant": (
        "有郵件不知是否已寄出",
        "向伺服器遞交下面這些郵件時連線中斷，不知道對方是否收到，寄件備份裡也沒有找到。助理不會自己再寄一次。",
        "再寄一次：{again}\n不再寄：{leave}",
    ),
    "en": (
        "Nobody knows whether these mails left",
        (
            "The connection broke while the server was being given these mails, and they are not among sent mail. "
            "The assistant never sends such a mail a second time by itself."
        ),
        "Send it again: {again}\nLeave it: {leave}",
    ),
}


def breaker_notices(
    session: Session, around: Surroundings, operator: Colleague, render: Render, now: datetime
) -> list[StaffMail]:
    """To the operator, once for each time that sending stopped."""
    mails = []
    for trip in trips(session):
        key = f"notice:breaker:{trip.scope}:{trip.at.isoformat()}"
        if session.scalar(select(exists().where(OutboxMessage.dedupe_key == key))) or trip.cause == "by-hand":
            continue
        problem = _problem(trip, operator)
        notice = OperatorNotice(
            operator.person, around.agency_name, operator.language, around.local(trip.at), "sending_stopped", (problem,)
        )
        mails.append(tell_operator(notice, key.removeprefix("notice:"), render, now))
    return [mail for mail in mails if mail is not None]


def _problem(trip: Trip, operator: Colleague) -> NoticeProblem:
    number = position(operator.language)
    command = "assistant outbox resume" + (f" --client {trip.client_id}" if trip.client_id is not None else "")
    message = _CAUSES[trip.cause][number].format(count=trip.count, limit=trip.limit, name=trip.name)
    return NoticeProblem(trip.scope, message, hint=_RESUME[number].format(command=command))


def uncertain_notices(session: Session, around: Surroundings, now: datetime) -> list[StaffMail]:
    """To the owner of each mail whose outcome nobody knows and that was not found among sent mail: once for each mail."""
    key = literal("notice:uncertain:") + sql_cast(OutboxMessage.id, String)
    asked = OutboxMessage.__table__.alias("asked")
    rows = session.scalars(
        select(OutboxMessage)
        .where(
            OutboxMessage.state == "uncertain",
            OutboxMessage.audience == "client",
            OutboxMessage.settled_at <= now - LOOKED_FOR,
            OutboxMessage.settled_at >= now - _ASKED_WITHIN,
            ~exists().where(asked.c.dedupe_key == key),
        )
        .order_by(OutboxMessage.id)
    ).all()
    return [mail for row in rows if (mail := _ask(session, row, around, now)) is not None]


def _ask(session: Session, row: OutboxMessage, around: Surroundings, now: datetime) -> StaffMail | None:
    client = session.get(Client, row.client_id) if row.client_id else None
    project = session.get(Project, row.project_id) if row.project_id else None
    owner = around.owner_of(
        str(row.details.get("owner", "")) or (project.owner if project else ""), client.owner if client else ""
    )
    if not owner:
        return None
    colleague = around.colleague(owner)
    language = colleague.language if colleague.language in _UNCERTAIN else "en"
    subject, explained, commands = _UNCERTAIN[language]
    about = " · ".join(filter(None, (client.name if client else "", project.name if project else "", row.subject)))
    what = commands.format(again=f"assistant outbox approve {row.id}", leave=f"assistant outbox veto {row.id}")
    people = ", ".join(str(address) for address in row.recipients)
    text = f"{colleague.person.name}\n\n{explained}\n\n{row.id}  {about}\n    → {people}\n\n{what}\n"
    rendered = Rendered(f"{subject}: {row.subject}", text, None, language)
    key = f"notice:uncertain:{row.id}"
    return StaffMail(colleague.person.name, owner, "notice", key, now, rendered, row.client_id, row.project_id)
