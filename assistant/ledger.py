"""What the ledger tells people: gaps that a comparison found, mailboxes that cannot be read, canaries that stay away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.intake.ledger import reconciliations
from assistant.intake.parts import given_up
from assistant.mail.folders import names_special
from assistant.rendering.staff_mail import StaffMail
from assistant.rendering.templates import Rendered
from assistant.reports.facts import NoticeProblem
from assistant.reports.office import ReportOffice
from assistant.store.tables import Location, OutboxMessage, Record, Setting

if TYPE_CHECKING:
    from assistant.bootstrap import Workplace

_log = structlog.get_logger("assistant")

TROUBLE_AFTER: Final = timedelta(minutes=15)
"""Servers are restarted and networks change: what lasts no longer than this is only logged."""

_CANARY: Final = "canary"
_SUBJECT: Final = "cc-assistant canary · 自检邮件"
_TEXT: Final = (
    "This mail shows that mail to this mailbox is read. Nobody need do anything.\n"
    "这封邮件用来确认本邮箱的来信都能读到，无需处理。\n"
)


def ledger_notices(reports: ReportOffice, session: Session, now: datetime) -> list[StaffMail]:
    """To the operator, once for each comparison that found something; the outbox knows which were told."""
    mails = []
    for mailbox, found in reconciliations(session).items():
        problems = [
            NoticeProblem(f"{mailbox}: {account['folder']}", _sentence(account), hint="assistant ledger --check")
            for account in found["folders"]
            if account["missing"] or account["error"]
        ]
        if problems and (mail := reports.ledger_notice(f"{mailbox}:{found['at']}"[:280], problems, now)):
            mails.append(mail)
    return mails


def part_notices(reports: ReportOffice, session: Session, now: datetime) -> list[StaffMail]:
    """To the operator, once for each message more of which only a part could be had to the end."""
    left = given_up(session)
    problems = [
        NoticeProblem(
            f"{one.mailbox}: {one.folder} UID {one.uid}",
            f"Only a part of this message is kept: {one.problem}.",
            hint="assistant ledger --check",
        )
        for one in left
    ]
    mail = reports.part_notice(str(left[0].id), problems, now) if left else None
    return [mail] if mail is not None else []


def _sentence(account: dict[str, Any]) -> str:
    if account["error"]:
        return str(account["error"])
    uids = ", ".join(str(uid) for uid in account["missing_uids"][:10])
    return (
        f"{account['missing']} of {account['on_server']} messages on the server had been passed over (UID {uids}); "
        f"{account['fetched']} of them have been fetched now."
    )


def trouble_notices(workplace: Workplace, now: datetime) -> list[StaffMail]:
    """To the operator, once for each time a mailbox cannot be read for longer than a passing trouble takes."""
    mails = []
    for mailbox, since in list(workplace.sink.troubles.items()):
        if now - since >= TROUBLE_AFTER:
            key = f"{mailbox[:150]}:{since.isoformat()}"
            mails.append(workplace.reports.mailbox_notice(key, _unread(workplace, mailbox, since), now))
    return [mail for mail in mails if mail is not None]


def _unread(workplace: Workplace, mailbox: str, since: datetime) -> str:
    return (
        f"The mailbox {mailbox} is not read as it should be since {since:%Y-%m-%d %H:%M} UTC: "
        f"{workplace.sink.states[mailbox][1]} While it cannot be reached nothing is sent to clients, who may have answered "
        "there. `assistant doctor` tries it. "
        f"邮箱 {mailbox} 自 {since:%Y-%m-%d %H:%M} UTC 起读取不正常，连不上期间不会给客户发信；请用 assistant doctor 检查。"
    )


def tend_canary(workplace: Workplace, session: Session, now: datetime) -> list[StaffMail]:
    """For each mailbox the next canary when it is time, and a word to the operator when the last one did not come back."""
    config = workplace.config
    if not config.daemon.canary or not config.mailbox or config.submission is None:
        return []
    row = session.get(Setting, _CANARY)
    before = _states(dict(row.value) if row is not None else {}, config.mailbox[0].name)
    states, mails = {}, []
    for box in config.mailbox:
        alone = len(config.mailbox) == 1
        canary = _Canary(box.name, config.assistant.address if alone else box.arrives_at, alone)
        states[box.name], sent = _tend_one(workplace, session, canary, before.get(box.name, {}), now)
        mails += sent
    if row is None:
        session.add(Setting(name=_CANARY, value={"mailboxes": states}))
    elif row.value != {"mailboxes": states}:
        row.value = {"mailboxes": states}
    return mails


@dataclass(frozen=True, slots=True)
class _Canary:
    """The mail that must come back into one mailbox. Where that is the only one, any record of it will do."""

    mailbox: str
    address: str
    alone: bool


def _states(value: dict[str, Any], only: str) -> dict[str, dict[str, Any]]:
    """Mailbox → its last canary. Earlier versions knew one mailbox, and kept its canary alone."""
    return {only: value} if "at" in value else dict(value.get("mailboxes", {}))


def _tend_one(
    workplace: Workplace, session: Session, canary: _Canary, before: dict[str, Any], now: datetime
) -> tuple[dict[str, Any], list[StaffMail]]:
    settings, state = workplace.config.daemon, dict(before)
    mails: list[StaffMail] = []
    if state and not state.get("back") and not state.get("told"):
        sent = datetime.fromisoformat(state["at"])
        if _is_back(session, state["key"], canary):
            state["back"] = True
        elif now - sent >= settings.canary_within:
            state["told"] = True
            _log.error("canary_missing", mailbox=canary.mailbox, sent_at=state["at"])
            mails += filter(None, [workplace.reports.mailbox_notice(state["key"], _lost(sent, canary), now)])
    if not state or (
        now - datetime.fromisoformat(state["at"]) >= settings.canary and (state.get("back") or state.get("told"))
    ):
        place = "" if canary.alone else f"{canary.mailbox[:150]}:"
        state = {"at": now.isoformat(), "key": f"canary:{place}{now.isoformat()}"}
        mails.append(_mail(workplace, canary.address, state["key"], now))
    return state, mails


def _mail(workplace: Workplace, address: str, key: str, now: datetime) -> StaffMail:
    rendered = Rendered(_SUBJECT, _TEXT, None, workplace.language)
    return StaffMail(workplace.config.assistant.name, address, _CANARY, key, now, rendered)


def _is_back(session: Session, key: str, canary: _Canary) -> bool:
    """Whether it lies in its mailbox; the copy that a provider puts among sent mail has not come back from anywhere."""
    sent = select(OutboxMessage.message_id).where(OutboxMessage.dedupe_key == key).scalar_subquery()
    query = select(Location.mailbox, Location.folder).join(Record, Record.id == Location.record_id)
    return any(
        (canary.alone or mailbox == canary.mailbox) and not names_special(folder, "sent")
        for mailbox, folder in session.execute(query.where(Record.message_id == sent))
    )


def _lost(sent: datetime, canary: _Canary) -> str:
    where = "" if canary.alone else f" in the mailbox {canary.mailbox}"
    return (
        f"A mail from the assistant to itself of {sent:%Y-%m-%d %H:%M} UTC has not come back as a record{where}. Look at "
        "`assistant outbox list` (did it leave?), at the mailbox and its spam folder (did it arrive?), and at "
        "`assistant ledger --check` (was it read?). "
        f"助理在 {sent:%Y-%m-%d %H:%M} UTC 发给自己的自检邮件没有回来，请检查发信、收信和垃圾箱。"
    )
