"""Threads in the database: place messages by their ids, many at once, and merge what turns out to be one conversation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from assistant.model.threading import Placement, place
from assistant.store.hindsight import note_late
from assistant.store.tables import CadenceRunRow, OutboxMessage, Record, Suppression, Thread, ThreadKey
from assistant.store.writing import row_of

_AT_ONCE = 5000
"""Parameters of one statement: SQLite takes 32,766, PostgreSQL 65,535."""
_FOLLOWERS = (ThreadKey, Record, OutboxMessage, CadenceRunRow)
"""What goes with a thread into the one it becomes part of."""


@dataclass(frozen=True, slots=True)
class ThreadedMail:
    """What placing needs of one message: its ids (`assistant.model.threading.ids_of`, its own first), subject and time."""

    ids: Sequence[str]
    subject: str
    sent_at: datetime


def place_batch(session: Session, mails: Sequence[ThreadedMail]) -> list[Thread]:
    """The thread of each message, created or merged as needed: a few statements, however many messages.

    A batch of any size and in any order gives the same partition as one message after the other; a message of the
    batch already sees what the later ones join. Flushes the session; safe to repeat with messages that are known.
    """
    session.flush()
    known = _known(session, {identifier for mail in mails for identifier in mail.ids})
    placements = place([mail.ids for mail in mails], {identifier: row[0] for identifier, row in known.items()})
    living = _load(session, {number for item in placements for number in (item.thread, *item.merged) if number})
    threads = [_thread_of(item, mails, living) for item in placements]
    session.add_all(thread for thread in threads if thread.id is None)
    session.flush()
    _merge(session, [(living[number], thread) for item, thread in zip(placements, threads, strict=True) for number in item.merged])  # fmt: skip
    _store_keys(session, mails, placements, threads, known)
    session.flush()
    found: list[Thread | None] = [None] * len(mails)
    for item, thread in zip(placements, threads, strict=True):
        for position in item.members:
            found[position] = thread
    return [thread for thread in found if thread is not None]


def place_in_thread(session: Session, ids: Sequence[str], subject: str, sent_at: datetime) -> Thread:
    """The thread that the message with these ids (its own first) belongs to, created or merged as needed."""
    return place_batch(session, [ThreadedMail(ids, subject, sent_at)])[0]


@dataclass(frozen=True, slots=True)
class Placed:
    """The thread of a message, whether it is `new`, and which others were `merged` into it for this message."""

    thread: Thread
    new: bool = False
    merged: tuple[int, ...] = ()


@dataclass(slots=True)
class _Key:
    """What is known of one id: its thread, and whether the message itself has arrived."""

    thread_id: int
    arrived: bool


class ThreadBook:
    """The threads of the messages that one transaction interprets one after the other.

    What the messages mention is asked for once. Each is placed as `place_in_thread` does it, seeing those before it
    and none that follow. New threads are written with the next flush, the ids in them by `write`.
    """

    def __init__(self, session: Session, ids: Iterable[str]) -> None:
        """`ids`: all that will be placed; others may not be."""
        self._session = session
        self._keys: dict[str, _Key] = {}
        self._new: set[str] = set()
        self._arrived: set[str] = set()
        self._threads: dict[int, Thread] = {}
        self.begun_anew: set[int] = set()
        """Threads that begin with another message than they did before."""
        for identifier, (number, kind) in _known(session, set(ids)).items():
            self._keys[identifier] = _Key(number, kind == "message")
        self._threads.update(_load(session, {key.thread_id for key in self._keys.values()}))

    def place(self, mail: ThreadedMail) -> Placed:
        known = {self._keys[identifier].thread_id for identifier in mail.ids if identifier in self._keys}
        oldest, *others = sorted(known) or (None,)
        if oldest is not None:
            thread = self._threads[oldest]
            if others or mail.sent_at < thread.started_at:
                self.begun_anew.add(oldest)
            self._join(others, thread)
            _widen(thread, mail.sent_at, mail.subject, mail.sent_at)
        else:
            thread = Thread(
                subject=mail.subject,
                started_at=mail.sent_at,
                last_at=mail.sent_at,
                # Said for all, so that those that get a project are written in one statement with those that do not.
                project_confidence=0.0,
                project_evidence="",
            )
            self._session.add(thread)
            self._threads[thread.id] = thread
        for identifier in mail.ids:
            if identifier not in self._keys:
                self._keys[identifier] = _Key(thread.id, arrived=False)
                self._new.add(identifier)
        own = self._keys[mail.ids[0]]
        if not own.arrived:
            own.arrived = True
            self._arrived.add(mail.ids[0])
        return Placed(thread, new=oldest is None, merged=tuple(others))

    def _join(self, others: Sequence[int | None], into: Thread) -> None:
        merged = {number for number in others if number is not None}
        if not merged:
            return
        _merge(self._session, [(self._threads[number], into) for number in sorted(merged)])
        for key in self._keys.values():
            if key.thread_id in merged:
                key.thread_id = into.id

    def write(self) -> None:
        """Everything that was placed is written, with all else that the session holds."""
        self._session.flush()
        _write_keys(
            self._session,
            {identifier: self._keys[identifier] for identifier in sorted(self._new)},
            self._arrived - self._new,
        )
        self._new.clear()
        self._arrived.clear()

    def threads(self) -> Iterable[Thread]:
        """Those that are known by now."""
        return self._threads.values()


def living_thread(session: Session, thread_id: int) -> Thread | None:
    """The thread itself, or the one it was merged into."""
    thread = row_of(session, Thread, thread_id)
    while thread is not None and thread.merged_into is not None:
        thread = row_of(session, Thread, thread.merged_into)
    return thread


def _known(session: Session, ids: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Thread and kind of those ids that have been heard of."""
    found: dict[str, tuple[int, str]] = {}
    for part in _parts(sorted(ids)):
        rows = select(ThreadKey.message_id, ThreadKey.thread_id, ThreadKey.kind).where(ThreadKey.message_id.in_(part))
        found.update((row[0], (row[1], row[2])) for row in session.execute(rows))
    return found


def _load(session: Session, numbers: Iterable[int]) -> dict[int, Thread]:
    return {
        thread.id: thread
        for part in _parts(sorted(numbers))
        for thread in session.scalars(select(Thread).where(Thread.id.in_(part)))
    }


def _parts(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))


def _thread_of(item: Placement, mails: Sequence[ThreadedMail], living: Mapping[int, Thread]) -> Thread:
    """The thread that remains, with the times of everything in it. Its subject is that of its first message."""
    started_at, subject = min((mails[position].sent_at, mails[position].subject) for position in item.members)
    last_at = max(mails[position].sent_at for position in item.members)
    if item.thread is None:
        return Thread(subject=subject, started_at=started_at, last_at=last_at)
    thread = living[item.thread]
    _widen(thread, started_at, subject, last_at)
    return thread


def _widen(thread: Thread, started_at: datetime, subject: str, last_at: datetime) -> None:
    if (started_at, subject) < (thread.started_at, thread.subject):
        thread.started_at, thread.subject = started_at, subject
    if last_at > thread.last_at:
        thread.last_at = last_at


def _merge(session: Session, pairs: Sequence[tuple[Thread, Thread]]) -> None:
    """Everything of the younger threads becomes the older ones'; their rows stay as redirects."""
    if not pairs:
        return
    for merged, into in pairs:
        if merged.client_id is not None or into.client_id is not None:
            # What was decided for the two apart has to be decided for the one.
            since = max(merged.started_at, into.started_at)
            clients = {number for number in (merged.client_id, into.client_id) if number is not None}
            note_late(session, since, dict.fromkeys(clients, since))
        if _decided_first(merged, into):
            into.project_id, into.project_confidence = merged.project_id, merged.project_confidence
            into.project_evidence, into.decided_at = merged.project_evidence, merged.decided_at
            into.client_id = merged.client_id or into.client_id
        into.client_id = into.client_id or merged.client_id
        _widen(into, merged.started_at, merged.subject, merged.last_at)
        merged.merged_into, merged.project_id, merged.client_id = into.id, None, None
    became = {merged.id: into.id for merged, into in pairs}
    if any(isinstance(row, Suppression) and row.thread_id in became for row in session.new):
        session.flush()  # which of two stays is asked of those that are written
    for row in session.new:
        if isinstance(row, _FOLLOWERS) and row.thread_id in became:
            row.thread_id = became[row.thread_id]
    written = [merged.id for merged, _ in pairs if merged not in session.new]
    with session.no_autoflush:
        for part in _parts(written):
            _move_followers(session, part, became)
            _move_suppressions(session, part, became)


def _move_followers(session: Session, numbers: Sequence[int], became: Mapping[int, int]) -> None:
    """What is written, and what the session knows of it."""
    moved = {number: became[number] for number in numbers}
    for table in _FOLLOWERS:
        session.execute(
            update(table).where(table.thread_id.in_(numbers)).values(thread_id=case(moved, value=table.thread_id)),
            execution_options={"synchronize_session": False},
        )
    for row in session.identity_map.values():
        if isinstance(row, _FOLLOWERS) and row.thread_id in moved:
            set_committed_value(row, "thread_id", moved[row.thread_id])


def _decided_first(one: Thread, other: Thread) -> bool:
    """Whether the project of `one` counts: what a person decided before all else, then what was decided by earlier mail."""
    if one.project_id is None or other.project_id is None:
        return one.project_id is not None
    if one.decided_at is None or other.decided_at is None:
        return one.decided_at is None
    return one.decided_at < other.decided_at


def _move_suppressions(session: Session, numbers: Sequence[int], became: Mapping[int, int]) -> None:
    """Whoever wants no mail in one thread wants none in what it became; asked for in both, once is enough."""
    for row in session.scalars(select(Suppression).where(Suppression.thread_id.in_(numbers))):
        target = became[row.thread_id]
        same = select(Suppression.id).where(
            Suppression.addr_spec == row.addr_spec, Suppression.scope == row.scope, Suppression.thread_id == target
        )
        if session.scalar(same) is None:
            row.thread_id = target
        else:
            session.delete(row)
        session.flush()


def _store_keys(
    session: Session,
    mails: Sequence[ThreadedMail],
    placements: Sequence[Placement],
    threads: Sequence[Thread],
    known: Mapping[str, tuple[int, str]],
) -> None:
    """New ids become keys; what was a ghost until now and has arrived becomes a message."""
    own = {mail.ids[0] for mail in mails}
    new = {
        identifier: _Key(thread.id, identifier in own)
        for item, thread in zip(placements, threads, strict=True)
        for identifier in item.new_ids
    }
    _write_keys(session, new, {name for name in own if name in known and known[name][1] != "message"})


def _write_keys(session: Session, new: Mapping[str, _Key], arrived: Iterable[str]) -> None:
    """`arrived` are those that were ghosts until now."""
    rows = [
        {"message_id": identifier, "thread_id": key.thread_id, "kind": "message" if key.arrived else "ghost"}
        for identifier, key in new.items()
    ]
    if rows:
        session.execute(insert(ThreadKey), rows)
    for part in _parts(sorted(arrived)):
        session.execute(
            update(ThreadKey).where(ThreadKey.message_id.in_(part)).values(kind="message"),
            execution_options={"synchronize_session": False},
        )
