"""What the ledger tells people: gaps that a comparison with the server found, and canaries that did not come back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.intake.ledger import reconciliations
from assistant.rendering.staff_mail import StaffMail
from assistant.rendering.templates import Rendered
from assistant.reports.facts import NoticeProblem
from assistant.reports.office import ReportOffice
from assistant.store.tables import OutboxMessage, Record, Setting

if TYPE_CHECKING:
    from assistant.bootstrap import Workplace

_log = structlog.get_logger("assistant")

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


def _sentence(account: dict[str, Any]) -> str:
    if account["error"]:
        return str(account["error"])
    uids = ", ".join(str(uid) for uid in account["missing_uids"][:10])
    return (
        f"{account['missing']} of {account['on_server']} messages on the server had been passed over (UID {uids}); "
        f"{account['fetched']} of them have been fetched now."
    )


def tend_canary(workplace: Workplace, session: Session, now: datetime) -> list[StaffMail]:
    """The next canary when it is time, and a word to the operator when the last one did not come back."""
    settings = workplace.config.daemon
    if not settings.canary or workplace.config.mailbox is None or workplace.config.submission is None:
        return []
    row = session.get(Setting, _CANARY)
    state: dict[str, Any] = dict(row.value) if row is not None else {}
    mails: list[StaffMail] = []
    if state and not state.get("back") and not state.get("told"):
        sent = datetime.fromisoformat(state["at"])
        if _is_back(session, state["key"]):
            state["back"] = True
        elif now - sent >= settings.canary_within:
            state["told"] = True
            _log.error("canary_missing", sent_at=state["at"])
            mails += filter(None, [workplace.reports.mailbox_notice(state["key"], _lost(sent), now)])
    if not state or (
        now - datetime.fromisoformat(state["at"]) >= settings.canary and (state.get("back") or state.get("told"))
    ):
        state = {"at": now.isoformat(), "key": f"canary:{now.isoformat()}"}
        mails.append(_canary(workplace, state["key"], now))
    if row is None:
        session.add(Setting(name=_CANARY, value=state))
    elif row.value != state:
        row.value = state
    return mails


def _canary(workplace: Workplace, key: str, now: datetime) -> StaffMail:
    address = workplace.config.assistant.address
    rendered = Rendered(_SUBJECT, _TEXT, None, workplace.language)
    return StaffMail(workplace.config.assistant.name, address, _CANARY, key, now, rendered)


def _is_back(session: Session, key: str) -> bool:
    sent = select(OutboxMessage.message_id).where(OutboxMessage.dedupe_key == key).scalar_subquery()
    return session.scalar(select(Record.id).where(Record.message_id == sent).limit(1)) is not None


def _lost(sent: datetime) -> str:
    return (
        f"A mail from the assistant to itself of {sent:%Y-%m-%d %H:%M} UTC has not come back as a record. Look at "
        "`assistant outbox list` (did it leave?), at the mailbox and its spam folder (did it arrive?), and at "
        "`assistant ledger --check` (was it read?). "
        f"助理在 {sent:%Y-%m-%d %H:%M} UTC 发给自己的自检邮件没有回来，请检查发信、收信和垃圾箱。"
    )
