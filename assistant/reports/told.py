"""Telling the operator, and what they were told last about something: read from the keys of the notices themselves."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.rendering.staff_mail import StaffMail
from assistant.reports.facts import OperatorNotice
from assistant.reports.notes import Render
from assistant.reports.staff import render_operator_notice
from assistant.store.outbox import keys_beginning
from assistant.store.tables import OutboxMessage


class Told(NamedTuple):
    """The number at the end of the last notice's key, up to which everything was told, and when that was."""

    number: int
    at: datetime | None


def last_told(session: Session, topic: str) -> Told:
    """Of the notices with keys `notice:TOPIC:NUMBER` the latest; number 0 and no time where there was none yet."""
    last = session.execute(
        select(OutboxMessage.dedupe_key, OutboxMessage.created_at)
        .where(OutboxMessage.purpose == "notice", keys_beginning(session, f"notice:{topic}:"))
        .order_by(OutboxMessage.created_at.desc(), OutboxMessage.id.desc())
        .limit(1)
    ).first()
    return Told(int(last[0].rpartition(":")[2]), last[1]) if last is not None else Told(0, None)


def tell_operator(notice: OperatorNotice, key: str, render: Render, now: datetime) -> StaffMail | None:
    """The notice as its mail, due now; None where it cannot be rendered."""
    rendered = render(lambda templates: render_operator_notice(notice, templates))
    if rendered is None:
        return None
    return StaffMail(notice.person.name, notice.person.address, "notice", f"notice:{key}", now, rendered)
