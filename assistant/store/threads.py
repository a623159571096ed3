"""Threads in the database: place a message by its ids, merge what turns out to be one conversation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from assistant.model.threading import place
from assistant.store.tables import CadenceRunRow, OutboxMessage, Record, Thread, ThreadKey


def place_in_thread(session: Session, ids: Sequence[str], subject: str, sent_at: datetime) -> Thread:
    """The thread that the message with these ids (its own first) belongs to, created or merged as needed."""
    rows = session.execute(select(ThreadKey.message_id, ThreadKey.thread_id).where(ThreadKey.message_id.in_(ids))).all()
    placement = place(ids, {row[0]: row[1] for row in rows})
    if placement.thread is None:
        thread = Thread(subject=subject, started_at=sent_at, last_at=sent_at)
        session.add(thread)
        session.flush()
    else:
        found = session.get(Thread, placement.thread)
        assert found is not None, "thread_key refers to existing threads"
        thread = found
        thread.last_at = max(thread.last_at, sent_at)
        if sent_at < thread.started_at:
            thread.started_at, thread.subject = sent_at, subject
    for merged in placement.merged:
        _merge(session, merged, thread)
    if placement.new_ids:
        session.execute(
            insert(ThreadKey),
            [
                {
                    "message_id": identifier,
                    "thread_id": thread.id,
                    "kind": "message" if identifier == ids[0] else "ghost",
                }
                for identifier in placement.new_ids
            ],
        )
    if ids[0] not in placement.new_ids:
        session.execute(
            update(ThreadKey).where(ThreadKey.message_id == ids[0]).values(kind="message"),
            execution_options={"synchronize_session": False},
        )
    return thread


def _merge(session: Session, merged_id: int, into: Thread) -> None:
    """Everything of the younger thread becomes the older one's; its row stays as a redirect."""
    merged = session.get(Thread, merged_id)
    assert merged is not None, "thread_key refers to existing threads"
    for table in (ThreadKey, Record, OutboxMessage, CadenceRunRow):
        session.execute(
            update(table).where(table.thread_id == merged_id).values(thread_id=into.id),
            execution_options={"synchronize_session": "fetch"},
        )
    if into.project_id is None:
        into.project_id, into.project_confidence = merged.project_id, merged.project_confidence
        into.project_evidence = merged.project_evidence
    into.client_id = into.client_id or merged.client_id
    if merged.started_at < into.started_at:
        into.started_at, into.subject = merged.started_at, merged.subject
    into.last_at = max(into.last_at, merged.last_at)
    merged.merged_into = into.id


def living_thread(session: Session, thread_id: int) -> Thread | None:
    """The thread itself, or the one it was merged into."""
    thread = session.get(Thread, thread_id)
    while thread is not None and thread.merged_into is not None:
        thread = session.get(Thread, thread.merged_into)
    return thread
