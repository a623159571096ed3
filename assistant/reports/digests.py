"""What leaves soon in a colleague's name, and what waits for their yes: told once, all of it in one mail."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from assistant.rendering import Rendered, Templates
from assistant.rendering.staff_mail import StaffMail
from assistant.reports.collect_context import Colleague, Surroundings
from assistant.reports.collect_notes import message_link
from assistant.reports.facts import ApprovalRequest, PendingMail, VetoDigest
from assistant.reports.notes import Render
from assistant.reports.staff import render_approval_request, render_veto_digest
from assistant.store.tables import Client, Contact, OutboxMessage, Project, Record

TOLD: Final = "told_at"
"""Where an outbox row keeps in its `details` when its owner was told."""


def digest_mails(session: Session, around: Surroundings, render: Render, now: datetime) -> list[StaffMail]:
    """One mail per colleague about mails that a veto may stop, one about mails that wait for approval."""
    vetoes: dict[str, list[OutboxMessage]] = {}
    approvals: dict[str, list[OutboxMessage]] = {}
    for row in _untold(session):
        owner = _owner(session, row, around)
        if owner:
            group = approvals if row.state == "waiting_approval" else vetoes
            group.setdefault(owner, []).append(row)
    mails: list[StaffMail] = []
    for kind, groups in (("veto", vetoes), ("approval", approvals)):
        for address, rows in groups.items():
            colleague = around.colleague(address)
            rendered = render(_renderer(kind, session, rows, colleague, around, now))
            if rendered is None:
                continue
            for row in rows:
                row.details = {**row.details, TOLD: now.isoformat()}
            mails.append(_mail(kind, address, colleague, rows, rendered, now))
    return mails


def _untold(session: Session) -> list[OutboxMessage]:
    rows = session.scalars(
        select(OutboxMessage)
        .where(
            OutboxMessage.audience == "client",
            or_(
                (OutboxMessage.state == "queued") & OutboxMessage.release.startswith("veto"),
                OutboxMessage.state == "waiting_approval",
            ),
        )
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
    )
    return [row for row in rows if TOLD not in row.details]


def _owner(session: Session, row: OutboxMessage, around: Surroundings) -> str:
    """Who may stop it: the colleague in whose name it leaves, else the one responsible for the client."""
    client = session.get(Client, row.client_id) if row.client_id else None
    return around.owner_of(str(row.details.get("owner", "")), client.owner if client else "")


def _renderer(
    kind: str,
    session: Session,
    rows: Sequence[OutboxMessage],
    colleague: Colleague,
    around: Surroundings,
    now: datetime,
) -> Callable[[Templates], Rendered]:
    mails = tuple(pending_mail(session, row, around) for row in rows)
    # Without a server whose verdict on senders is trusted no reply is obeyed, and none is asked for.
    obeyed = around.directory.can_prove
    given = (colleague.person, around.agency_name, colleague.language, around.local(now), mails, obeyed)
    if kind == "veto":
        return lambda templates: render_veto_digest(VetoDigest(*given), templates)
    return lambda templates: render_approval_request(ApprovalRequest(*given), templates)


def _mail(
    kind: str, address: str, colleague: Colleague, rows: Sequence[OutboxMessage], rendered: Rendered, now: datetime
) -> StaffMail:
    ids = ",".join(str(row.id) for row in sorted(rows, key=lambda row: row.id))
    digest = hashlib.sha256(ids.encode()).hexdigest()[:24]
    clients = {row.client_id for row in rows}
    return StaffMail(
        to_name=colleague.person.name,
        to_address=address,
        purpose="digest",
        dedupe_key=f"digest:{kind}:{address}:{digest}",
        due_at=now,
        rendered=rendered,
        client_id=rows[0].client_id if len(clients) == 1 else None,
    )


def pending_mail(session: Session, row: OutboxMessage, around: Surroundings) -> PendingMail:
    """A mail of the outbox as its owner is told of it."""
    client = session.get(Client, row.client_id) if row.client_id else None
    contact = session.get(Contact, row.contact_id) if row.contact_id else None
    project = session.get(Project, row.project_id) if row.project_id else None
    anchor = session.get(Record, row.anchor_record_id) if row.anchor_record_id else None
    address = contact.addr_spec if contact else str(next(iter(row.recipients), ""))
    return PendingMail(
        number=row.id,
        leaves_at=None if row.state == "waiting_approval" else around.local(row.due_at),
        to_name=(contact.name if contact else "") or str(row.details.get("to_name", "")) or address,
        to_address=address,
        client=client.name if client else "",
        subject=row.subject,
        text=str(row.details.get("text", "")),
        project=project.name if project else "",
        rule=row.rule,
        step=row.step,
        message=message_link(anchor, around) if anchor else None,
    )
