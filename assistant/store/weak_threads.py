"""Weak edges between threads: kept apart from the threads themselves, and taken back when they no longer hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.model.weak_threads import ThreadMail, WeakEdge, weak_edges
from assistant.store.remembering import parts_of, remembered
from assistant.store.tables import Record, Thread
from parsers.subjects import read_subject

_COLUMNS = (
    Record.id,
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
_COUNTED = (Record.kind == "human", Record.client_id.is_not(None), Record.thread_id.is_not(None))
"""What weak evidence is drawn from: mail between people, with a client, in a conversation."""


@dataclass(slots=True)
class _Subjects:
    """The mail with each subject that a transaction asked for, and all that it added itself."""

    mails: dict[str, dict[int, ThreadMail]] = field(default_factory=dict)
    """By subject and by the number of its record."""
    noted: dict[str, list[Record]] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)
    """Records that were given another client."""


def edge_of(session: Session, mail: ThreadMail, assistant: Sequence[str]) -> WeakEdge | None:
    """Where a thread that begins with this message goes on from, as far as mail is known by now."""
    known = _with_subject(session, mail.subject_key, assistant)
    edges = weak_edges([*(item for item in known if item.party == mail.party and item.thread != mail.thread), mail])
    return next((edge for edge in edges if edge.thread == mail.thread), None)


def expect_subjects(session: Session, subject_keys: Iterable[str], assistant: Sequence[str]) -> None:
    """Asks at once for the mail with these subjects."""
    known = remembered(session, _Subjects)
    wanted = {key for key in subject_keys if key} - (known.mails.keys() if known is not None else set())
    if known is None or not wanted:
        return
    known.mails.update((key, {}) for key in wanted)
    with session.no_autoflush:
        for number, mail in _mails(session, wanted, assistant):
            known.mails[mail.subject_key][number] = mail
    for key in wanted:
        for record in known.noted.get(key, ()):
            if _counts(record):
                known.mails[key][record.id] = _mail_of(record, assistant)


def note_subject(session: Session, record: Record, assistant: Sequence[str]) -> None:
    """A record that is new, with its client and thread."""
    known = remembered(session, _Subjects)
    if known is None or not record.subject_key:
        return
    known.noted.setdefault(record.subject_key, []).append(record)
    if record.subject_key in known.mails and _counts(record):
        known.mails[record.subject_key][record.id] = _mail_of(record, assistant)


def forget_subjects(session: Session, moved: Iterable[int] = ()) -> None:
    """Records were given another thread, or those that `moved` another client: all is asked for again when needed."""
    known = remembered(session, _Subjects)
    if known is not None:
        known.mails.clear()
        known.moved.update(moved)


def changed_subjects(session: Session, thread_ids: Iterable[int]) -> set[str]:
    """The subjects of all mail in these threads, and of all that this transaction moved."""
    known = remembered(session, _Subjects)
    found: set[str] = set()
    for column, numbers in ((Record.thread_id, thread_ids), (Record.id, known.moved if known is not None else ())):
        for part in parts_of(sorted(numbers)):
            found.update(session.scalars(select(Record.subject_key).where(column.in_(part)).distinct()))
    return found


def refresh_weak_edges(
    session: Session, subject_keys: Iterable[str], assistant: Sequence[str], thread_ids: Iterable[int] = ()
) -> None:
    """Computes the edges among all mail with these subjects anew, and stores what is different now.

    A thread has the subject of its first mail: only that one says where it goes on from. Of the threads `thread_ids`
    none may be with a client any more: what they went on from is taken back.
    """
    keys = {key for key in subject_keys if key}
    mails = [mail for _, mail in _mails(session, keys, assistant)]
    edges = {(edge.thread, edge.subject_key, edge.party): edge for edge in weak_edges(mails)}
    numbers = sorted({*(mail.thread for mail in mails), *thread_ids})
    for part in parts_of(numbers):
        begun = _beginnings(session, part)
        for thread in session.scalars(select(Thread).where(Thread.id.in_(part))):
            first = begun.get(thread.id)
            if first is not None and first.subject_key and first.subject_key not in keys:
                continue  # nothing is new that could change where it goes on from
            edge = edges.get((thread.id, first.subject_key, first.party)) if first is not None else None
            if first is None or edge is None or first.sent_at > thread.started_at:
                continues, evidence = None, ""  # what a machine or a stranger began goes on from nothing
            else:
                continues, evidence = edge.continues, edge.evidence
            if thread.continues_id != continues or thread.continues_evidence != evidence:
                thread.continues_id, thread.continues_evidence = continues, evidence


@dataclass(frozen=True, slots=True)
class _Beginning:
    """When the first mail of a thread was written, with which subject, and with which client."""

    sent_at: datetime
    subject_key: str
    party: int


def _beginnings(session: Session, thread_ids: Sequence[int]) -> dict[int, _Beginning]:
    place = func.row_number().over(partition_by=Record.thread_id, order_by=(Record.sent_at, Record.message_id))
    ranked = (
        select(Record.thread_id, Record.sent_at, Record.subject_key, Record.client_id, place.label("place"))
        .where(Record.thread_id.in_(thread_ids), *_COUNTED)
        .subquery()
    )
    rows = session.execute(select(ranked).where(ranked.c.place == 1))
    return {row.thread_id: _Beginning(row.sent_at, row.subject_key, row.client_id) for row in rows}


def _with_subject(session: Session, subject_key: str, assistant: Sequence[str]) -> Sequence[ThreadMail]:
    known = remembered(session, _Subjects)
    if known is None:
        return [mail for _, mail in _mails(session, [subject_key] if subject_key else [], assistant)]
    expect_subjects(session, [subject_key], assistant)
    return list(known.mails.get(subject_key, {}).values())


def _mails(session: Session, subject_keys: Iterable[str], assistant: Sequence[str]) -> list[tuple[int, ThreadMail]]:
    """Numbers of records, and the mail as weak evidence sees it."""
    return [
        (row[0], _thread_mail(row, assistant))
        for part in parts_of(sorted(subject_keys))
        for row in session.execute(select(*_COLUMNS).where(Record.subject_key.in_(part), *_COUNTED))
    ]


def _counts(record: Record) -> bool:
    return record.kind == "human" and record.client_id is not None and record.thread_id is not None


def _mail_of(record: Record, assistant: Sequence[str]) -> ThreadMail:
    return _thread_mail([getattr(record, column.key) for column in _COLUMNS], assistant)


def _thread_mail(row: Sequence[Any], assistant: Sequence[str]) -> ThreadMail:
    _number, message_id, thread, party, key, sent_at, subject, writer, recipients, index = row
    people = {writer.lower(), *(str(person[1]).lower() for person in recipients)} - set(assistant)
    answers = read_subject(subject).is_reply
    return ThreadMail(message_id, thread, party, key, sent_at, answers, frozenset(people), index)
