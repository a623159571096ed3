"""Weak edges between threads: kept apart from the threads themselves, and taken back when they no longer hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.model.weak_threads import ThreadMail, WeakEdge, weak_edges
from assistant.store.remembering import parts_of
from assistant.store.tables import Record, Thread
from parsers.subjects import read_subject

_COLUMNS = (
    Record.message_id,
    Record.thread_id,
    Record.client_id,
    Record.subject_key,
    Record.sent_at,
    Record.subject,
    Record.originator,
    Record.recipients,
    Record.thread_index,
)


def edge_of(session: Session, mail: ThreadMail, assistant: Sequence[str]) -> WeakEdge | None:
    """Where a thread that begins with this message goes on from, as far as mail is known by now."""
    known = _mails(session, [mail.subject_key], assistant)
    edges = weak_edges([*(item for item in known if item.party == mail.party and item.thread != mail.thread), mail])
    return next((edge for edge in edges if edge.thread == mail.thread), None)


def refresh_weak_edges(session: Session, subject_keys: Iterable[str], assistant: Sequence[str]) -> None:
    """Computes the edges among all mail with these subjects anew, and stores what is different now."""
    mails = _mails(session, {key for key in subject_keys if key}, assistant)
    edges = {edge.thread: edge for edge in weak_edges(mails)}
    numbers = sorted({mail.thread for mail in mails})
    first = {
        mail.thread: mail for mail in sorted(mails, key=lambda mail: (mail.sent_at, mail.message_id), reverse=True)
    }
    for part in parts_of(numbers):
        for thread in session.scalars(select(Thread).where(Thread.id.in_(part))):
            if first[thread.id].sent_at > thread.started_at:
                continue  # the thread began with another subject: that one says where it goes on from
            edge = edges.get(thread.id)
            continues, evidence = (edge.continues, edge.evidence) if edge else (None, "")
            if thread.continues_id != continues or thread.continues_evidence != evidence:
                thread.continues_id, thread.continues_evidence = continues, evidence


def _mails(session: Session, subject_keys: Iterable[str], assistant: Sequence[str]) -> list[ThreadMail]:
    found = []
    for part in parts_of(sorted(subject_keys)):
        rows = session.execute(
            select(*_COLUMNS).where(
                Record.subject_key.in_(part), Record.kind == "human", Record.client_id.is_not(None), Record.thread_id.is_not(None)
            )
        )  # fmt: skip
        for message_id, thread, party, key, sent_at, subject, writer, recipients, index in rows:
            people = {writer.lower(), *(str(person[1]).lower() for person in recipients)} - set(assistant)
            answers = read_subject(subject).is_reply
            found.append(ThreadMail(message_id, thread, party, key, sent_at, answers, frozenset(people), index))
    return found
