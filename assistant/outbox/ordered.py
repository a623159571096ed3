"""An outbox row read back as the order it came from, so that every guard can be asked again."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from assistant.model.cadence import Release, RunKey, SendMail, WaitedMessage
from assistant.store.tables import CadenceRunRow, OutboxMessage, Record


def ordered_mail(session: Session, row: OutboxMessage) -> SendMail:
    """The `SendMail` that this row was stored for, with its anchor as the database knows it."""
    run = session.get(CadenceRunRow, row.run_id) if row.run_id else None
    return SendMail(
        purpose="greeting" if row.purpose == "greeting" else "follow-up",
        rule=row.rule,
        version=row.rule_version,
        step=row.step,
        template=row.template,
        language=row.language,
        client_id=row.client_id or 0,
        contact_id=row.contact_id or 0,
        release=_release(row.release),
        not_before=row.due_at,
        dedupe_key=row.dedupe_key,
        project_id=row.project_id,
        run=RunKey(run.project_id, run.cadence, run.anchor_record_id) if run else None,
        anchor=_anchor(session, row),
        cc=tuple(str(item) for item in row.recipients[1:]),
        owner=row.details.get("owner", ""),
        festival=row.details.get("festival", ""),
        importance=row.details.get("importance", 50),
        any_day=row.details.get("any_day", False),
    )


def _anchor(session: Session, row: OutboxMessage) -> WaitedMessage | None:
    record = session.get(Record, row.anchor_record_id) if row.anchor_record_id else None
    if record is None or record.thread_id is None:
        return None
    return WaitedMessage(
        record_id=record.id,
        message_id=record.message_id,
        thread_id=record.thread_id,
        subject=record.base_subject,
        sent_at=record.sent_at,
        contact_id=row.contact_id or 0,
        sender=record.originator,
    )


def _release(text: str) -> Release:
    """`veto 4h` as it is stored, back as a `Release`."""
    kind, _, wait = text.partition(" ")
    if kind != "veto":
        return Release(kind)  # type: ignore[arg-type]  # the column holds what Release.__str__ wrote
    number = int(wait[:-1] or 0)
    return Release("veto", timedelta(hours=number) if wait.endswith("h") else timedelta(minutes=number))
