"""Strangers who are none: a colleague of a known client on a new address, and mail that was logged before its client was known."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from assistant.intake.client_mail import forget_client_mail, mail_with_subject, orphans_near, strangers_mail
from assistant.intake.texts import letters_of
from assistant.model.people import Directory, Relation, client_key, is_full_name, phone_in
from assistant.store.clients import contacts_called
from assistant.store.hindsight import not_known_yet
from assistant.store.tables import Client, ClientDomain, Contact, Project, Record, Thread
from assistant.store.weak_threads import forget_subjects
from assistant.store.writing import row_of
from parsers import Address, Message

_FETCH = {"synchronize_session": "fetch"}
"""Only rows that were changed are looked up in the session: it holds a whole batch."""
_ANSWERED_WITHIN = timedelta(days=30)
_SHARED_PEOPLE = 2
_BRAND = 6
"""Letters from which a word in an address names a business rather than anybody."""
_ORPHANS_WITHIN = timedelta(days=45)


def known_client_of(
    session: Session,
    message: Message,
    relation: Relation,
    free_mail: frozenset[str],
    directory: Directory,
    *,
    by_name: bool,
) -> Client | None:
    """The client whose thread a stranger answers, or, `by_name`, whose person or business the free-mail address names.

    Only if it is exactly one client.
    """
    stranger = relation.counterpart
    if stranger is None:
        return None
    at_home = "@" in client_key(stranger.addr_spec, free_mail)
    answered = _answered(session, message, relation, directory, at_home=at_home)
    if answered is not None:
        return answered
    if not by_name or not at_home:
        return None
    return _of_that_name(session, stranger) or _of_that_business(session, stranger)


def _answered(
    session: Session, message: Message, relation: Relation, directory: Directory, *, at_home: bool
) -> Client | None:
    """Its subject answers one client's recent thread, and two of the people are the same or its words stand below."""
    if not message.subject_is_reply or not message.base_subject or message.date is None or relation.forwarded:
        return None
    rows = mail_with_subject(session, message.base_subject, message.date - _ANSWERED_WITHIN, message.date)
    people = _addresses((message.originator, *message.to, *message.cc), directory)
    quoted = letters_of(message.quoted)
    clients: set[int] = set()
    for row in rows:
        shared = people & row.people
        start = letters_of(row.text)[:40]
        # Two of our own people are on the mail of many clients: of a company that says nothing, of a private address that
        # answers the very subject it does.
        enough = len(shared) >= _SHARED_PEOPLE and (at_home or any(not directory.is_ours(one) for one in shared))
        if enough or (shared and len(start) >= 16 and start in quoted):
            clients.add(row.client_id)
    return row_of(session, Client, clients.pop()) if len(clients) == 1 else None


def _addresses(people: Iterable[Address | None], directory: Directory) -> frozenset[str]:
    return frozenset(
        person.addr_spec.lower() for person in people if person and not directory.is_assistant(person.addr_spec)
    )


def _of_that_name(session: Session, stranger: Address) -> Client | None:
    """Exactly one client has somebody of the same full name: the person writes from home."""
    clients = {contact.client_id for contact in namesakes(session, stranger.name)}
    return row_of(session, Client, clients.pop()) if len(clients) == 1 else None


def namesakes(session: Session, name: str) -> list[Contact]:
    """The contacts who have this full name, the oldest first; none for half a name."""
    name = " ".join(name.split())
    if not is_full_name(name):
        return []
    return contacts_called(session, name)


def former_contact(session: Session, contact: Contact, message: Message) -> Contact | None:
    """The same person at the company they worked for before: exactly one contact of the same full name at another client.

    The name alone is not enough, for many share one: the same name in the address, the same telephone number in the
    signature, or the old address in the text has to bear it out.
    """
    if not is_full_name(contact.name):
        return None
    found = [row for row in contacts_called(session, contact.name) if row.client_id != contact.client_id]
    if len(found) != 1:
        return None
    (old,) = found
    borne_out = (
        old.addr_spec.partition("@")[0] == contact.addr_spec.partition("@")[0]
        or (old.phone and re.sub(r"\D", "", old.phone) == re.sub(r"\D", "", phone_in(message.signature)))
        or old.addr_spec in message.text.lower()
    )
    return old if borne_out else None


def _of_that_business(session: Session, stranger: Address) -> Client | None:
    """Exactly one client's domain or free-mail address has the word of this address that is no part of a person's name."""
    words = _business_words(stranger.addr_spec.partition("@")[0], stranger.name)
    if not words:
        return None
    clients: set[int] = set()
    rows = session.execute(
        select(ClientDomain.domain, ClientDomain.client_id, Client.name)
        .join(Client, Client.id == ClientDomain.client_id)
        .where(Client.merged_into.is_(None))
        .where(func.replace(ClientDomain.domain, "-", "").regexp_match("|".join(sorted(words))))
    )
    unknown = not_known_yet(session).clients
    for domain, client_id, name in rows:
        if client_id in unknown:
            continue
        local, _, rest = domain.rpartition("@")
        known = _business_words(local, name) if local else {rest.partition(".")[0].replace("-", "")}
        if words & known:
            clients.add(client_id)
    return row_of(session, Client, clients.pop()) if len(clients) == 1 else None


def _business_words(local: str, name: str) -> set[str]:
    own = re.sub(r"[^a-z]", "", name.casefold())
    words = {word for word in re.split(r"[^a-z]+", local.casefold()) if len(word) >= _BRAND}
    named = {part for part in re.split(r"[^a-z]+", name.casefold()) if len(part) >= 3}
    # Without a name in Latin letters nobody can tell a person's name from a business.
    return {word for word in words if own and word not in own and not any(part in word for part in named)}


def adopt_mail_of(session: Session, client: Client, addr_spec: str, key: str) -> None:
    """Mail of a person that was logged while nobody knew it for a client's."""
    ids = strangers_mail(session, addr_spec.lower(), key)
    if not ids:
        return
    threads = select(Record.thread_id).where(Record.id.in_(ids))
    session.execute(
        update(Thread).where(Thread.id.in_(threads), Thread.client_id.is_(None)).values(client_id=client.id),
        execution_options=_FETCH,
    )
    session.execute(
        update(Record).where(Record.id.in_(ids)).values(client_id=client.id),
        execution_options=_FETCH,
    )
    _forget_mail(session, ids)


def adopt_into_project(session: Session, project: Project, thread: Thread, sent_at: datetime, at: datetime) -> bool:
    """Earlier mail of the thread, and of this client's people in threads that have no project yet, goes with it.

    Returns whether there was any.
    """
    rows = orphans_near(session, project.client_id, thread.id, sent_at - _ORPHANS_WITHIN)
    own = [row.record_id for row in rows if row.thread_id == thread.id]
    for other_id in sorted({row.thread_id for row in rows if row.thread_id not in {None, thread.id}}):
        other = row_of(session, Thread, other_id)
        if other is not None and other.project_id is None:
            other.project_id, other.client_id = project.id, project.client_id
            other.project_confidence, other.project_evidence = 0.6, "earlier mail of the same people"
            other.decided_at = at
            own.extend(row.record_id for row in rows if row.thread_id == other_id)
    if own:
        session.execute(
            update(Record).where(Record.id.in_(own)).values(client_id=project.client_id, project_id=project.id),
            execution_options=_FETCH,
        )
        _forget_mail(session, own)
    return bool(own)


def _forget_mail(session: Session, moved: Iterable[int]) -> None:
    """These records were given another client or project by a statement."""
    forget_client_mail(session)
    forget_subjects(session, moved)
