"""What colleagues are told once when it happens: opt-outs, addresses that bounce, messages in quarantine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, cast

from sqlalchemy import String, exists, func, literal, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from assistant.rendering.staff_mail import StaffMail
from assistant.reports.collect_context import Colleague, Surroundings
from assistant.reports.collect_notes import message_link
from assistant.reports.facts import BounceNotice, NoticeProblem, OperatorNotice, OptOutNotice, OptOutScope
from assistant.reports.notes import Render
from assistant.reports.staff import render_bounce_notice, render_opt_out_notice
from assistant.reports.told import last_told, tell_operator
from assistant.store.audit import says_something
from assistant.store.bounces import UNPROVED
from assistant.store.tables import AuditEntry, Client, Contact, OutboxMessage, Project, Quarantine, Record, Suppression

TOLD_WITHIN: Final = timedelta(days=7)
"""What is older is history, as after an import, and no news."""
QUARANTINE_PAUSE: Final = timedelta(hours=1)
_MOST_DOUBTFUL: Final = 200
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
    """To the owner of each client one of whose addresses does not work any more, or of which an unproved report says so."""
    mails = []
    for row in _untold(session, "bounce", now):
        contact = session.scalar(select(Contact).where(Contact.addr_spec == row.addr_spec))
        if contact is not None:
            until = around.day(row.review_at) if row.review_at else None
            told = _Returned(contact, row.since, row.evidence, suppressed_until=until)
            mails.append(_bounce_notice(session, around, render, told, f"notice:bounce:{row.id}", now))
    mails += [_bounce_notice(session, around, render, told, key, now) for told, key in _doubtful(session, around, now)]
    return [mail for mail in mails if mail is not None]


@dataclass(frozen=True, slots=True)
class _Returned:
    """A contact of whom a report speaks, in its words; `doubt`: what to run if it is true though nothing proves it."""

    contact: Contact
    at: datetime
    evidence: str
    suppressed_until: date | None = None
    doubt: str = ""


def _doubtful(session: Session, around: Surroundings, now: datetime) -> Iterator[tuple[_Returned, str]]:
    """Reports that nothing proves: each address once a week, however many are sent."""
    entries = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.event == UNPROVED, AuditEntry.at >= now - TOLD_WITHIN)
        .order_by(AuditEntry.id.desc())
        .limit(_MOST_DOUBTFUL)
    ).all()
    seen: set[str] = set()
    for entry in filter(says_something, reversed(entries)):
        for address, evidence in entry.details["claims"]:
            contact = session.scalar(select(Contact).where(Contact.addr_spec == address))
            if contact is None or address in seen or _is_suppressed(session, address):
                continue
            seen.add(address)
            week = around.local(entry.at).isocalendar()
            key = f"notice:doubtful-bounce:{contact.id}:{week.year}-{week.week}"
            if not session.scalar(select(exists().where(OutboxMessage.dedupe_key == key))):
                record = entry.subject.rpartition(":")[2]
                yield _Returned(contact, entry.at, evidence, doubt=f"assistant message believe {record}"), key


def _is_suppressed(session: Session, address: str) -> bool:
    bounced = Suppression.addr_spec == address, Suppression.scope == "delivery"
    return bool(session.scalar(select(exists().where(*bounced))))


def _bounce_notice(
    session: Session, around: Surroundings, render: Render, told: _Returned, key: str, now: datetime
) -> StaffMail | None:
    contact = told.contact
    client = session.get(Client, contact.client_id)
    if client is None:
        return None
    mail = session.scalar(
        select(OutboxMessage)
        .where(
            OutboxMessage.contact_id == contact.id,
            OutboxMessage.audience == "client",
            OutboxMessage.settled_at <= told.at,
        )
        .order_by(OutboxMessage.settled_at.desc())
        .limit(1)
    )
    project = session.get(Project, mail.project_id) if mail and mail.project_id else None
    owner = around.owner_of(project.owner if project else "", client.owner)
    colleague = around.colleague(owner)
    status, _, action = told.evidence.partition(" ")
    notice = BounceNotice(
        colleague.person,
        around.agency_name,
        colleague.language,
        around.local(told.at),
        contact.name,
        contact.addr_spec,
        client.name,
        permanent=not told.doubt,
        status=status if status[:1].isdigit() else "",
        reason=action if status[:1].isdigit() else told.evidence,
        subject=mail.subject if mail else "",
        project=project.name if project else "",
        suppressed_until=told.suppressed_until,
        command=told.doubt,
    )
    rendered = render(lambda templates: render_bounce_notice(notice, templates))
    if rendered is None or not owner:
        return None
    return StaffMail(colleague.person.name, owner, "notice", key, now, rendered, client.id)


def quarantine_notice(
    session: Session, around: Surroundings, operator: Colleague, render: Render, now: datetime
) -> StaffMail | None:
    """What went into quarantine since the operator was last told, in one mail; at most one an hour."""
    last = last_told(session, "quarantine")
    if last.at is not None and now - last.at < QUARANTINE_PAUSE:
        return None
    rows = session.scalars(
        select(Quarantine).where(Quarantine.id > last.number, Quarantine.settled_at.is_(None)).order_by(Quarantine.id)
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
    return tell_operator(notice, f"quarantine:{rows[-1].id}", render, now)


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
