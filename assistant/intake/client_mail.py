"""The mail of clients as choosing a project needs it: the latest of each client, and what belongs to no project yet.

Within a transaction that remembers, each client's mail is read once and kept up to date by `note_record`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.intake.texts import letters_of
from assistant.model.projects import words_of
from assistant.store.hindsight import not_known_yet
from assistant.store.remembering import parts_of, remembered
from assistant.store.tables import Project, Record

_MAILS_COMPARED = 240
_LETTERS_COMPARED = 1500
_QUOTED_LETTERS = 40
_SAME_SUBJECT_COMPARED = 60


@dataclass(frozen=True, slots=True)
class MailFacts:
    """One mail between people in a project of the client."""

    sent_at: datetime
    record_id: int
    project_id: int
    subject: str
    message_id: str
    start: str
    """The first letters of its text, as `letters_of` folds them."""
    words: frozenset[str]
    people: frozenset[str]
    originator: str


@dataclass(frozen=True, slots=True)
class Orphan:
    """One mail between people that belongs to no project."""

    record_id: int
    thread_id: int | None
    client_id: int | None
    sent_at: datetime


@dataclass(slots=True)
class _ClientMail:
    """What a transaction knows by now. Orphans of a client or thread are known where it is among `clients` or `threads`."""

    noted: list[Record] = field(default_factory=list)
    """New records, written or not, of every kind."""
    mails: dict[int, list[MailFacts]] = field(default_factory=dict)
    orphans: dict[int, Orphan] = field(default_factory=dict)
    clients: set[int] = field(default_factory=set)
    threads: set[int] = field(default_factory=set)
    names: set[str] | None = None


def latest_mails(session: Session, client_id: int) -> Sequence[MailFacts]:
    """The client's latest mails between people in projects, the newest first, at most 240."""
    known = remembered(session, _ClientMail)
    if known is not None and client_id in known.mails:
        return known.mails[client_id]
    if known is None:
        return _latest(session, client_id)
    with session.no_autoflush:
        stored = {mail.record_id: mail for mail in _latest(session, client_id)}
    for record in known.noted:
        ours = record.client_id == client_id and record.project_id is not None and record.kind == "human"
        if ours and record.id not in stored:
            stored[record.id] = _facts_of(record)
    known.mails[client_id] = sorted(stored.values(), key=_age, reverse=True)[:_MAILS_COMPARED]
    return known.mails[client_id]


def _latest(session: Session, client_id: int) -> list[MailFacts]:
    columns = (Record.sent_at, Record.id, Record.project_id, Record.base_subject, Record.message_id)
    rows = session.execute(
        select(*columns, Record.reply_text, Record.originator, Record.recipients)
        .where(Record.client_id == client_id, Record.project_id.is_not(None), Record.kind == "human")
        .order_by(Record.sent_at.desc(), Record.message_id.desc())
        .limit(_MAILS_COMPARED)
    )
    return [_mail_facts(*row) for row in rows]


def _age(mail: MailFacts) -> tuple[datetime, str]:
    return mail.sent_at, mail.message_id


def orphans_near(session: Session, client_id: int, thread_id: int, since: datetime) -> list[Orphan]:
    """Mail between people without a project: in this thread, or with this client since that time."""
    known = remembered(session, _ClientMail)
    if known is None:
        found = _orphans(session, [client_id], [thread_id])
    else:
        expect_orphans(session, [client_id], [thread_id])
        found = list(known.orphans.values())
    return [
        orphan
        for orphan in found
        if orphan.thread_id == thread_id or (orphan.client_id == client_id and orphan.sent_at >= since)
    ]


def expect_orphans(session: Session, client_ids: Iterable[int], thread_ids: Iterable[int]) -> None:
    """Asks at once for all mail of these clients and threads that has no project."""
    known = remembered(session, _ClientMail)
    if known is None:
        return
    clients, threads = sorted(set(client_ids) - known.clients), sorted(set(thread_ids) - known.threads)
    known.clients.update(clients)
    known.threads.update(threads)
    if not clients and not threads:
        return
    with session.no_autoflush:
        known.orphans.update((orphan.record_id, orphan) for orphan in _orphans(session, clients, threads))
    for record in known.noted:
        asked = record.client_id in known.clients or record.thread_id in known.threads
        if asked and record.project_id is None and record.kind == "human":
            known.orphans[record.id] = _orphan(record)


def expect_nothing_of(session: Session, *, client_id: int | None = None, thread_id: int | None = None) -> None:
    """A client or a thread that came into being just now has no earlier mail."""
    known = remembered(session, _ClientMail)
    if known is None:
        return
    if client_id is not None:
        known.clients.add(client_id)
        known.mails[client_id] = []
    if thread_id is not None:
        known.threads.add(thread_id)


def note_record(session: Session, record: Record) -> None:
    """A record that is new, with its client and project."""
    known = remembered(session, _ClientMail)
    if known is None:
        return
    known.noted.append(record)
    if record.kind != "human":
        return
    if record.project_id is None:
        known.orphans[record.id] = _orphan(record)
        return
    mails = known.mails.get(record.client_id or 0)
    if mails is not None:
        mails.append(_facts_of(record))
        mails.sort(key=_age, reverse=True)
        del mails[_MAILS_COMPARED:]


def strangers_mail(session: Session, addr_spec: str, key: str) -> list[int]:
    """Ids of records with mail of this person, or of this domain, that belongs to no client."""
    known = remembered(session, _ClientMail)
    same = Record.originator == addr_spec if "@" in key else Record.originator.endswith(f"@{key}", autoescape=True)
    loose = select(Record.id).where(Record.client_id.is_(None), Record.kind == "human", Record.direction == "inbound")
    if known is None:
        return list(session.scalars(loose.where(same)))
    with session.no_autoflush:
        found = set(session.scalars(loose.where(same)))
    for record in known.noted:
        if record.client_id is None and record.kind == "human" and record.direction == "inbound":
            own = record.originator == addr_spec if "@" in key else record.originator.lower().endswith(f"@{key}")
            if own:
                found.add(record.id)
    return sorted(found)


@dataclass(frozen=True, slots=True)
class WithSubject:
    """One mail with a client, as far as an answer to its subject is compared with it."""

    client_id: int
    sent_at: datetime
    message_id: str
    text: str
    people: frozenset[str]


def mail_with_subject(session: Session, base_subject: str, since: datetime, until: datetime) -> list[WithSubject]:
    """The latest mail of clients with exactly this subject, written between the two times; the newest first."""
    known = remembered(session, _ClientMail)
    columns = (Record.client_id, Record.sent_at, Record.message_id, Record.reply_text, Record.originator)
    query = (
        select(Record.id, *columns, Record.recipients)
        .where(Record.base_subject == base_subject, Record.client_id.is_not(None))
        .where(Record.sent_at >= since, Record.sent_at <= until)
        .order_by(Record.sent_at.desc(), Record.message_id)
        .limit(_SAME_SUBJECT_COMPARED)
    )
    if known is None:
        return [_with_subject(*row[1:]) for row in session.execute(query)]
    with session.no_autoflush:
        found = {row[0]: _with_subject(*row[1:]) for row in session.execute(query)}
    for record in known.noted:
        same = record.base_subject == base_subject and record.client_id is not None
        if same and record.id not in found and since <= record.sent_at <= until:
            found[record.id] = _with_subject(
                record.client_id or 0,
                record.sent_at,
                record.message_id,
                record.reply_text,
                record.originator,
                record.recipients,
            )
    newest = sorted(found.values(), key=_newest_first)
    return newest[:_SAME_SUBJECT_COMPARED]


def _with_subject(
    client_id: int, sent_at: datetime, message_id: str, text: str, originator: str, recipients: Sequence[Any]
) -> WithSubject:
    return WithSubject(client_id, sent_at, message_id, text, _people(originator, recipients))


def _newest_first(mail: WithSubject) -> tuple[float, str]:
    return -mail.sent_at.timestamp(), mail.message_id


def join_threads(session: Session, merged: Collection[int], into: int) -> None:
    """These threads became parts of another."""
    known = remembered(session, _ClientMail)
    if known is None:
        return
    for number, orphan in list(known.orphans.items()):
        if orphan.thread_id in merged:
            known.orphans[number] = replace(orphan, thread_id=into)
    if not known.threads.issuperset(merged):
        known.threads.discard(into)


def forget_client_mail(session: Session) -> None:
    """Records were given another client or project by a statement: everything is asked for again when it is needed."""
    known = remembered(session, _ClientMail)
    if known is not None:
        known.mails.clear()
        known.orphans.clear()
        known.clients.clear()
        known.threads.clear()


def project_names(session: Session) -> set[str]:
    """The names of all projects, folded; names that are given meanwhile are to be added."""
    known = remembered(session, _ClientMail)
    if known is None:
        unknown = not_known_yet(session).projects
        return {
            name.lower() for number, name in session.execute(select(Project.id, Project.name)) if number not in unknown
        }
    if known.names is None:
        with session.no_autoflush:  # whatever is new is added by who named it
            known.names = {name.lower() for name in session.scalars(select(Project.name))}
    return known.names


def _orphans(session: Session, clients: Sequence[int], threads: Sequence[int]) -> list[Orphan]:
    columns = select(Record.id, Record.thread_id, Record.client_id, Record.sent_at)
    loose = columns.where(Record.project_id.is_(None), Record.kind == "human")
    found: dict[int, Orphan] = {}
    for part in parts_of(clients):
        found.update((row[0], Orphan(*row)) for row in session.execute(loose.where(Record.client_id.in_(part))))
    for part in parts_of(threads):
        found.update((row[0], Orphan(*row)) for row in session.execute(loose.where(Record.thread_id.in_(part))))
    return list(found.values())


def _orphan(record: Record) -> Orphan:
    return Orphan(record.id, record.thread_id, record.client_id, record.sent_at)


def _facts_of(record: Record) -> MailFacts:
    assert record.project_id is not None, "mail in projects alone is compared"
    return _mail_facts(
        record.sent_at,
        record.id,
        record.project_id,
        record.base_subject,
        record.message_id,
        record.reply_text,
        record.originator,
        record.recipients,
    )


def _mail_facts(
    sent_at: datetime,
    record_id: int,
    project_id: int,
    subject: str,
    message_id: str,
    text: str,
    originator: str,
    recipients: Sequence[Any],
) -> MailFacts:
    people = _people(originator, recipients)
    words = words_of(f"{subject}\n{text[:_LETTERS_COMPARED]}")
    start = letters_of(text[:_LETTERS_COMPARED])[:_QUOTED_LETTERS]
    return MailFacts(sent_at, record_id, project_id, subject, message_id, start, words, people, originator.lower())


def _people(originator: str, recipients: Sequence[Any]) -> frozenset[str]:
    return frozenset({originator.lower(), *(str(person[1]).lower() for person in recipients)})
