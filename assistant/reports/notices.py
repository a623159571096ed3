"""What colleagues are told once when it happens: opt-outs, addresses that bounce, messages in quarantine."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy import String, exists, func, literal, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from assistant.rendering.staff_mail import StaffMail
from assistant.reports.collect_context import Colleague, Surroundings
from assistant.reports.collect_notes import message_link
from assistant.reports.facts import BounceNotice, NoticeProblem, OperatorNotice, OptOutNotice, OptOutScope
from assistant.reports.notes import Render
from assistant.reports.staff import render_bounce_notice, render_operator_notice, render_opt_out_notice
from assistant.store.tables import Client, Contact, OutboxMessage, Project, Quarantine, Record, Suppression

TOLD_WITHIN: Final = timedelta(days=7)
"""What is older is history, as after an import, and no news."""
QUARANTINE_PAUSE: Final = timedelta(hours=1)
_SCOPES: Final = {"thread": "thread", "follow-ups": "follow_ups", "greetings": "greetings", "all": "all"}


def opt_out_notices(session: Session, around: Surroundings, render: Render, now: datetime) -> list[StaffMail]:
    """To the owner of each client whose contact asked to be left alone."""
    mails = []
    for row in _untold(session, "opt-out", now):
        contact = session.scalar(select(Contact).where(Contact.addr_spec == row.addr_spec))
        client = session.get(Client, contact.client_id) if contact else None
        if contact is None or client is None or row.scope not in _SCOPES:
            continue
        record = _latest(session, contact, row.since)
        project = session.get(Project, record.project_id) if record and record.project_id else None
        owner = around.owner_of(project.owner if project else "", client.owner)
        colleague = around.colleague(owner)
        notice = OptOutNotice(
            colleague.person,
            around.agency_name,
            colleague.language,
            around.local(row.since),
            contact.name,
            contact.addr_spec,
            client.name,
            cast("OptOutScope", _SCOPES[row.scope]),
            row.evidence,
            _cancelled(session, contact, row.since),
            project.name if project else "",
            message_link(record, around) if record else None,
        )
        rendered = render(lambda templates, notice=notice: render_opt_out_notice(notice, templates))  # type: ignore[misc]  # the loop's value is bound on purpose
        if rendered is not None and owner:
            mails.append(
                StaffMail(colleague.person.name, owner, "notice", f"notice:opt-out:{row.id}", now, rendered, client.id)
            )
    return mails


def bounce_notices(session: Session, around: Surroundings, render: Render, now: datetime) -> list[StaffMail]:
    """To the owner of each client one of whose addresses does not work any more."""
    mails = []
    for row in _untold(session, "bounce", now):
        contact = session.scalar(select(Contact).where(Contact.addr_spec == row.addr_spec))
        client = session.get(Client, contact.client_id) if contact else None
        if contact is None or client is None:
            continue
        mail = session.scalar(
            select(OutboxMessage)
            .where(
                OutboxMessage.contact_id == contact.id,
                OutboxMessage.audience == "client",
                OutboxMessage.settled_at <= row.since,
            )
            .order_by(OutboxMessage.settled_at.desc())
            .limit(1)
        )
        project = session.get(Project, mail.project_id) if mail and mail.project_id else None
        owner = around.owner_of(project.owner if project else "", client.owner)
        colleague = around.colleague(owner)
        status, _, action = row.evidence.partition(" ")
        notice = BounceNotice(
            colleague.person,
            around.agency_name,
            colleague.language,
            around.local(row.since),
            contact.name,
            contact.addr_spec,
            client.name,
            permanent=True,
            status=status if status[:1].isdigit() else "",
            reason=action if status[:1].isdigit() else row.evidence,
            subject=mail.subject if mail else "",
            project=project.name if project else "",
            suppressed_until=around.day(row.review_at) if row.review_at else None,
        )
        rendered = render(lambda templates, notice=notice: render_bounce_notice(notice, templates))  # type: ignore[misc]  # the loop's value is bound on purpose
        if rendered is not None and owner:
            mails.append(
                StaffMail(colleague.person.name, owner, "notice", f"notice:bounce:{row.id}", now, rendered, client.id)
            )
    return mails


def quarantine_notice(
    session: Session, around: Surroundings, operator: Colleague, render: Render, now: datetime
) -> StaffMail | None:
    """What went into quarantine since the operator was last told, in one mail; at most one an hour."""
    last = session.execute(
        select(OutboxMessage.dedupe_key, OutboxMessage.created_at)
        .where(OutboxMessage.purpose == "notice", OutboxMessage.dedupe_key.startswith("notice:quarantine:"))
        .order_by(OutboxMessage.id.desc())
        .limit(1)
    ).first()
    if last is not None and now - last[1] < QUARANTINE_PAUSE:
        return None
    told = int(last[0].rpartition(":")[2]) if last is not None else 0
    rows = session.scalars(
        select(Quarantine).where(Quarantine.id > told, Quarantine.settled_at.is_(None)).order_by(Quarantine.id)
    ).all()
    if not rows:
        return None
    problems = tuple(
        NoticeProblem(str(row.id), f"{row.phase}: {row.reason}", hint=f"assistant message retry {row.id}")
        for row in rows
    )
    notice = OperatorNotice(
        operator.person, around.agency_name, operator.language, around.local(now), "quarantine", problems
    )
    rendered = render(lambda templates: render_operator_notice(notice, templates))
    if rendered is None:
        return None
    key = f"notice:quarantine:{rows[-1].id}"
    return StaffMail(operator.person.name, operator.person.address, "notice", key, now, rendered)


def _untold(session: Session, reason: str, now: datetime) -> list[Suppression]:
    key = literal(f"notice:{reason}:") + sql_cast(Suppression.id, String)
    return list(
        session.scalars(
            select(Suppression)
            .where(
                Suppression.reason == reason,
                Suppression.scope != "lifted",
                Suppression.since >= now - TOLD_WITHIN,
                ~exists().where(OutboxMessage.dedupe_key == key),
            )
            .order_by(Suppression.id)
        )
    )


def _latest(session: Session, contact: Contact, until: datetime) -> Record | None:
    """The message in which the wish stood: the last one of theirs that was logged by then."""
    return session.scalar(
        select(Record)
        .where(
            Record.contact_id == contact.id,
            Record.direction == "inbound",
            Record.kind == "human",
            Record.logged_at <= until,
        )
        .order_by(Record.sent_at.desc(), Record.id.desc())
        .limit(1)
    )


def _cancelled(session: Session, contact: Contact, since: datetime) -> int:
    count = session.scalar(
        select(func.count())
        .select_from(OutboxMessage)
        .where(
            OutboxMessage.contact_id == contact.id,
            OutboxMessage.state == "cancelled",
            OutboxMessage.reason == "opt-out",
            OutboxMessage.settled_at >= since,
        )
    )
    return int(count or 0)
