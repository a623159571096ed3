"""What the listings of the command line show, as plain rows with stable keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.model.doubt import SET_BY_A_PERSON, SURE, candidates, doubt_about
from assistant.store.tables import (
    CadenceRunRow,
    Client,
    ClientDomain,
    Contact,
    Location,
    OutboxMessage,
    Project,
    Quarantine,
    Record,
    StageChange,
    Suppression,
    Thread,
)


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records to list; empty fields do not restrict."""

    client: str = ""
    project: str = ""
    thread: int | None = None
    stage: str = ""
    direction: str = ""
    since: datetime | None = None
    until: datetime | None = None
    unsure: bool = False
    limit: int | None = None


def record_rows(session: Session, wanted: RecordFilter) -> Iterator[dict[str, Any]]:
    """Records oldest first, with the keys that programs rely on."""
    query = (
        select(Record, Client.name, Project.name)
        .outerjoin(Client, Client.id == Record.client_id)
        .outerjoin(Project, Project.id == Record.project_id)
        .order_by(Record.sent_at, Record.id)
    )
    if wanted.client:
        query = query.where(func.lower(Client.name).contains(wanted.client.lower()))
    if wanted.project:
        query = query.where(func.lower(Project.name).contains(wanted.project.lower()))
    if wanted.thread is not None:
        query = query.where(Record.thread_id == wanted.thread)
    if wanted.stage:
        query = query.where(Record.stage == wanted.stage)
    if wanted.direction:
        query = query.where(Record.direction == wanted.direction)
    if wanted.since is not None:
        query = query.where(Record.sent_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(Record.sent_at < wanted.until)
    if wanted.unsure:
        query = query.where(Record.stage_confidence < SURE, Record.kind == "human")
    if wanted.limit is not None:
        query = query.limit(wanted.limit)
    unusual = set(session.scalars(select(StageChange.record_id).where(StageChange.asked.is_(True))))
    for record, client, project in session.execute(query).yield_per(500):
        yield record_row(record, client, project, unusual_step=record.id in unusual)


def record_row(
    record: Record, client: str | None, project: str | None, *, unusual_step: bool = False
) -> dict[str, Any]:
    """One record as programs see it; `intents` are ids, the confidences stand beside them.

    `stage_doubt` is empty, "marked" or "asked"; where it is asked, `stage_candidates` are the two likeliest stages.
    `unusual_step`: its project went back or over a stage with this record.
    """
    talk = record.kind == "human" and bool(record.stage) and record.stage_evidence != SET_BY_A_PERSON
    doubt = doubt_about(record.stage_confidence, unusual_step=unusual_step) if talk else ""
    two = candidates(record.stage, record.stage_confidence, record.stage_probabilities)
    return {
        "id": record.id,
        "message_id": record.message_id,
        "sent_at": record.sent_at,
        "direction": record.direction,
        "channel": record.channel,
        "kind": record.kind,
        "client": client,
        "client_id": record.client_id,
        "project": project,
        "project_id": record.project_id,
        "thread": record.thread_id,
        "stage": record.stage,
        "stage_confidence": record.stage_confidence,
        "stage_evidence": record.stage_evidence,
        "stage_doubt": doubt,
        "stage_candidates": [list(pair) for pair in two] if doubt == "asked" else [],
        "intents": [item[0] for item in record.intents],
        "intent_confidences": {item[0]: item[1] for item in record.intents},
        "approval": record.approval or None,
        "waiting_on": record.waiting_on,
        "waiting_evidence": record.waiting_evidence,
        "summary": record.summary,
        "subject": record.subject,
        "originator": record.originator,
        "automatic": record.automatic,
        "trust": record.trust,
        "language": record.language,
        "attachments": [item[0] for item in record.attachments],
    }


def client_rows(session: Session) -> Iterator[dict[str, Any]]:
    domains: dict[int, list[str]] = {}
    for domain, client_id in session.execute(select(ClientDomain.domain, ClientDomain.client_id)):
        domains.setdefault(client_id, []).append(domain)
    counts: dict[int | None, tuple[int, datetime | None]] = {
        client_id: (count, last)
        for client_id, count, last in session.execute(
            select(Record.client_id, func.count(), func.max(Record.sent_at)).group_by(Record.client_id)
        )
    }
    for client in session.scalars(select(Client).where(Client.merged_into.is_(None)).order_by(Client.name)):
        count, last = counts.get(client.id, (0, None))
        yield {
            "id": client.id,
            "name": client.name,
            "kind": client.kind,
            "domains": sorted(domains.get(client.id, [])),
            "country": client.country,
            "language": client.language,
            "timezone": client.timezone,
            "owner": client.owner,
            "tags": client.tags,
            "records": count,
            "last_at": last,
        }


def project_rows(session: Session) -> Iterator[dict[str, Any]]:
    rows = session.execute(
        select(Project, Client.name).join(Client, Client.id == Project.client_id).order_by(Project.last_at)
    )
    for project, client in rows:
        yield {
            "id": project.id,
            "client": client,
            "project": project.name,
            "stage": project.stage,
            "stage_since": project.stage_since,
            "stage_confidence": project.stage_confidence,
            "state": project.state,
            "waiting_on": project.waiting_on,
            "waiting_since": project.waiting_since,
            "waiting_evidence": project.waiting_evidence,
            "owner": project.owner,
            "opened_at": project.opened_at,
            "last_at": project.last_at,
        }


def thread_rows(session: Session) -> Iterator[dict[str, Any]]:
    grouped = session.execute(select(Record.thread_id, func.count()).group_by(Record.thread_id))
    counts: dict[int | None, int] = {row[0]: row[1] for row in grouped}
    rows = session.execute(
        select(Thread, Client.name, Project.name)
        .outerjoin(Client, Client.id == Thread.client_id)
        .outerjoin(Project, Project.id == Thread.project_id)
        .where(Thread.merged_into.is_(None))
        .order_by(Thread.last_at)
    )
    for thread, client, project in rows:
        yield {
            "id": thread.id,
            "subject": thread.subject,
            "client": client,
            "project": project,
            "project_confidence": thread.project_confidence,
            "project_evidence": thread.project_evidence,
            "continues": thread.continues_id,
            "continues_evidence": thread.continues_evidence,
            "messages": counts.get(thread.id, 0),
            "started_at": thread.started_at,
            "last_at": thread.last_at,
        }


def contact_rows(session: Session) -> Iterator[dict[str, Any]]:
    suppressed: dict[str, list[str]] = {}
    for address, scope in session.execute(
        select(Suppression.addr_spec, Suppression.scope).where(Suppression.scope != "lifted")
    ):
        suppressed.setdefault(address, []).append(scope)
    rows = session.execute(
        select(Contact, Client.name).join(Client, Client.id == Contact.client_id).order_by(Client.name, Contact.id)
    )
    former = {row[0]: row[1] for row in session.execute(select(Contact.id, Contact.addr_spec))}
    for contact, client in rows:
        yield {
            "id": contact.id,
            "client": client,
            "name": contact.name,
            "address": contact.addr_spec,
            "role": contact.role,
            "phone": contact.phone,
            "formerly": former.get(contact.formerly_id or 0),
            "language": contact.language,
            "absent_until": contact.absent_until,
            "suppressed": suppressed.get(contact.addr_spec, []),
            "last_inbound_at": contact.last_inbound_at,
        }


def outbox_rows(session: Session, *, everything: bool) -> Iterator[dict[str, Any]]:
    query = (
        select(OutboxMessage, Client.name)
        .outerjoin(Client, Client.id == OutboxMessage.client_id)
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
    )
    if not everything:
        query = query.where(
            OutboxMessage.state.in_(("waiting_approval", "queued", "claimed", "sending", "deferred", "uncertain"))
        )
    for row, client in session.execute(query):
        yield {
            "id": row.id,
            "state": row.state,
            "reason": row.reason,
            "due_at": row.due_at,
            "settled_at": row.settled_at,
            "purpose": row.purpose,
            "audience": row.audience,
            "client": client,
            "project_id": row.project_id,
            "recipients": row.recipients,
            "subject": row.subject,
            "rule": row.rule,
            "rule_version": row.rule_version,
            "step": row.step,
            "template": row.template,
            "release": row.release,
            "message_id": row.message_id,
            "attempts": row.attempts,
            "answer_code": row.answer_code,
            "answer_text": row.answer_text,
        }


def quarantine_rows(session: Session, *, everything: bool) -> Iterator[dict[str, Any]]:
    query = select(Quarantine, Location).join(Location, Location.id == Quarantine.location_id).order_by(Quarantine.id)
    if not everything:
        query = query.where(Quarantine.settled_at.is_(None))
    for row, location in session.execute(query):
        yield {
            "id": row.id,
            "phase": row.phase,
            "reason": row.reason,
            "since": row.since,
            "attempts": row.attempts,
            "settled_at": row.settled_at,
            "mailbox": location.mailbox,
            "folder": location.folder,
            "uid": location.uid,
        }


def run_rows(session: Session, *, everything: bool) -> Iterator[dict[str, Any]]:
    """Cadences under way by when their next step is due, those that wait for a colleague among them."""
    query = (
        select(CadenceRunRow, Project.name, Client.name, Contact.addr_spec)
        .join(Project, Project.id == CadenceRunRow.project_id)
        .join(Client, Client.id == Project.client_id)
        .join(Contact, Contact.id == CadenceRunRow.contact_id)
        .order_by(CadenceRunRow.due_at, CadenceRunRow.id)
    )
    if not everything:
        query = query.where(CadenceRunRow.status.in_(("active", "paused")))
    for row, project, client, contact in session.execute(query):
        yield {
            "id": row.id,
            "status": row.status,
            "reason": row.reason,
            "detail": row.detail,
            "due_at": row.due_at,
            "cadence": row.cadence,
            "version": row.version,
            "step": row.step_index + 1,
            "sent": row.sent_count,
            "client": client,
            "project": project,
            "to": contact,
            "started_at": row.started_at,
            "ended_at": row.ended_at,
        }
