"""Mail that comes late: whether anything that was read before depends on it, and when that is thought over."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from assistant.errors import StoreUnavailable
from assistant.intake.forgetting import beginning, unnamed_before
from assistant.intake.hindsight import Interrupted, think_over
from assistant.intake.interpretation import Interpretation
from assistant.store import Archive, Database
from assistant.store.database import is_broken
from assistant.store.hindsight import Late, Place, Recent, late, latest_records, note_late, recorded_since, settle_late
from assistant.store.tables import Client, ClientDomain, Contact, Project, Record
from assistant.store.writing import row_of

_log = structlog.get_logger("assistant.intake")

AT_ONCE = 200
"""So many records are thought over at once, though mail waits."""
MOST_RECORDS = 5_000
"""Of more than so many only those of the clients concerned are thought over: one transaction has to hold them."""
_COMPARED = 500
"""How many of the latest records late mail is compared with."""


@dataclass(frozen=True, slots=True)
class LateMail:
    """A record that was made of mail which belongs before some that was interpreted already."""

    place: Place
    record: Record


def with_followers(session: Session, mails: Sequence[LateMail], own: Collection[int]) -> list[LateMail]:
    """Those on which a record may depend that was there before; `own` are the records of the same batch.

    Mail is read late as it would have been in time, and nothing else is read otherwise, where nothing that is related
    to it follows: nothing of its client, in its thread, with its subject or of its contact; where everybody on it, with
    their names, and their clients were known before; and where no later project bears the name of one it begins.
    """
    if not mails:
        return []
    latest = latest_records(session, _COMPARED + len(own))
    far = latest[-1].place if len(latest) >= _COMPARED + len(own) else None
    before = [one for one in latest if one.record_id not in own]
    return [mail for mail in mails if (far is not None and mail.place < far) or _has_followers(session, mail, before)]


def _has_followers(session: Session, mail: LateMail, before: Sequence[Recent]) -> bool:
    if mail.record.client_id is None:  # whose mail it is may be seen from any other
        return any(mail.place < one.place for one in before)
    return _makes_known(session, mail) or any(
        mail.place < one.place and _is_related(mail.record, one) for one in before
    )


def _is_related(record: Record, other: Recent) -> bool:
    return (
        (record.client_id is not None and record.client_id == other.client_id)
        or (record.contact_id is not None and record.contact_id == other.contact_id)
        or (record.thread_id is not None and record.thread_id == other.thread_id)
        or (bool(record.base_subject) and record.base_subject == other.base_subject)
    )


def _makes_known(session: Session, mail: LateMail) -> bool:
    """Whether the client, one of their people or anybody on it is known by this mail, or only since later mail."""
    number, at = mail.record.client_id, mail.place.order_at
    if number is None:
        return False
    client = row_of(session, Client, number)
    if client is None or client.known_since is None or client.known_since >= at:
        return True
    people = select(Contact.id).where(Contact.client_id == number, Contact.known_since >= at)
    if session.scalar(people.limit(1)) is not None:
        return True
    return _names_somebody(session, mail) or _begins_what_is_named_alike(session, mail)


def _names_somebody(session: Session, mail: LateMail) -> bool:
    record, at = mail.record, mail.place.order_at
    addresses = {record.originator.lower(), *(str(person[1]).lower() for person in record.recipients)}
    known = {
        row.id: row.known_since for row in session.scalars(select(Contact).where(Contact.addr_spec.in_(addresses)))
    }
    if any(since is not None and since >= at for since in known.values()) or unnamed_before(session, at, known.keys()):
        return True
    keys = addresses | {ending for address in addresses for ending in _endings(address.rpartition("@")[2])}
    owners = select(Client.id).join(ClientDomain, ClientDomain.client_id == Client.id)
    late_ones = owners.where(ClientDomain.domain.in_(sorted(keys)), Client.known_since >= at)
    return session.scalar(late_ones.limit(1)) is not None


def _endings(domain: str) -> Iterator[str]:
    """The domain, and what it is below: one of them is the client's."""
    labels = domain.split(".")
    return (".".join(labels[number:]) for number in range(len(labels) - 1))


def _begins_what_is_named_alike(session: Session, mail: LateMail) -> bool:
    """Whether it begins a project whose name a later one bears, or would bear if it were free."""
    project = row_of(session, Project, mail.record.project_id) if mail.record.project_id is not None else None
    if project is None or project.known_since != mail.place.order_at:
        return False
    later = select(Project.name).where(Project.known_since >= project.known_since, Project.id != project.id)
    return any(_head(name) == _head(project.name) for name in session.scalars(later))


def _head(name: str) -> str:
    """A project's name without what tells it from others of the same name."""
    return re.split(r" – | \(\d+\)", name)[0].lower()


# --- thinking over --------------------------------------------------------------------------------------------------


def look_back(
    database: Database, one: Interpretation, archive: Archive, stop: Callable[[], bool], *, calm: bool
) -> frozenset[int]:
    """Thinks over what was written after mail that came late; returns the clients concerned.

    Where that is much, it is done client by client: while mail waits (not `calm`) as a first approach, which the
    whole follows when it is calm; for good where the whole would be too much.
    """
    with database.reading() as session:
        found = late(session)
        if found is None:
            return frozenset()
        count = recorded_since(session, beginning(session, found, whole=True), MOST_RECORDS)
    if count <= (MOST_RECORDS if calm else AT_ONCE):
        return _attempt(database, one, archive, stop, found, None)
    clients: frozenset[int] = frozenset()
    for client_id in found.clients:
        if stop():
            return clients
        clients |= _attempt(database, one, archive, stop, found.of(client_id), client_id)
    if count > MOST_RECORDS and not stop():
        with database.session() as session:
            settle_late(session)
    return clients


def _attempt(
    database: Database, one: Interpretation, archive: Archive, stop: Callable[[], bool], found: Late, client: int | None
) -> frozenset[int]:
    """Everything, or what concerns one client, in one transaction."""
    try:
        with database.session() as session:
            if client is not None:  # the whole that follows has to begin as early as this did
                note_late(session, beginning(session, found, whole=False), {})
            count, clients = think_over(session, found, one, archive, stop, whole=client is None)
            settle_late(session, client)
    except Interrupted:
        return frozenset()
    except Exception as error:
        if is_trouble(error):
            raise
        # What was read in the order of arrival stands; trying for ever would hold up everything else.
        _log.exception("history_not_thought_over", since=found.since.isoformat(), error=type(error).__name__)
        with database.session() as session:
            settle_late(session, client)
        return frozenset()
    _log.info("history_thought_over", since=found.since.isoformat(), records=count, clients=len(clients))
    return clients


def is_trouble(error: Exception) -> bool:
    """A full disk or a lost server is no fault of the message: the whole batch waits."""
    return isinstance(error, StoreUnavailable) or (isinstance(error, DatabaseError) and is_broken(error))
