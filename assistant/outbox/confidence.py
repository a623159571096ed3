"""Whether a mail of ours would tell one client something of another's: asked when it is ordered, and again when it leaves.

Colleagues write to two clients at once, forward or quote one client's mail to another, and take old mail as a pattern for
new. What they told is told; a mail that nobody reads before it leaves repeats none of it. So the subject that it answers,
the name of its project and the name of the client stand in it only where its reader has a part in them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from assistant.mail.providers import FREE_MAIL_DOMAINS
from assistant.model.cadence import Refusal
from assistant.model.people import client_key
from assistant.store import Archive
from assistant.store.tables import Client, ClientDomain, Contact, OutboxMessage, Project, Record
from parsers import Message, parse

REASON: Final = "other-client"
_ADDRESS: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_QUOTED_READ: Final = 50_000
"""Characters of what a mail quotes or forwards that are searched for addresses."""
_MOST_ADDRESSES: Final = 200
_MOST_RECORDS: Final = 500


@dataclass(frozen=True, slots=True)
class Sides:
    """Who is who for one mail: the client's own people, and the person it goes to."""

    clients: frozenset[int]
    keys: frozenset[str]
    """The client's domains, and its free-mail addresses."""
    reader: str

    def is_own(self, address: str) -> bool:
        """At the client's own domain or address, as nobody is whom a colleague's Cc brought in."""
        return client_key(address, FREE_MAIL_DOMAINS) in self.keys

    def is_readers(self, address: str) -> bool:
        """The reader's own address, or that of a colleague of the reader's."""
        if address == self.reader:
            return True
        key = client_key(address, FREE_MAIL_DOMAINS)
        return "@" not in key and key == client_key(self.reader, FREE_MAIL_DOMAINS)


def told_of_others(session: Session, archive: Archive, row: OutboxMessage) -> str:
    """What in this mail to a client may be another client's, in words for a colleague; "" when nothing is."""
    if row.audience != "client" or row.client_id is None or not row.recipients:
        return ""
    sides = sides_of(session, row.client_id, str(row.recipients[0]).lower())
    said = f"{row.subject}\n{row.details.get('text', '')}".casefold()
    project = session.get(Project, row.project_id) if row.project_id else None
    named = project if project is not None and _says(said, project.name) else None
    client = session.get(Client, row.client_id)
    if not sides.is_own(sides.reader) and client is not None:
        inner = named is not None or _says(said, client.name)
        if inner and not belongs(session, row.client_id, sides):
            return f"nobody at {client.name} has written to {sides.reader} or was in Cc when it wrote"
    sources: list[Record] = []
    if named is not None and (begun := _first_with_name(session, named)) is not None:
        if not _has_part(begun, sides):
            return f'{sides.reader} was not on the mail that "{named.name}" began with'
        sources.append(begun)
    anchor = session.get(Record, row.anchor_record_id) if row.anchor_record_id else None
    if anchor is not None and anchor not in sources:
        sources.append(anchor)
    if anchor is not None and (shared := _strangers_subject(session, anchor, sides)):
        return shared
    return next((words for source in sources if (words := passed_on(session, archive, source, sides))), "")


def foreign_words(session: Session, archive: Archive, row: OutboxMessage) -> Refusal | None:
    """The same as a guard asks it, just before the mail leaves."""
    told = told_of_others(session, archive, row)
    return Refusal(REASON, told) if told else None


def sides_of(session: Session, client_id: int, reader: str) -> Sides:
    """The client's people by what is known now, for mail to `reader`."""
    merged = session.scalars(select(Client.id).where(or_(Client.id == client_id, Client.merged_into == client_id)))
    clients = frozenset((client_id, *merged))
    keys = session.scalars(select(ClientDomain.domain).where(ClientDomain.client_id.in_(clients)))
    return Sides(clients, frozenset(keys), reader)


def _says(said: str, words: str) -> bool:
    return bool(words) and words.casefold() in said


def people_of(record: Record) -> frozenset[str]:
    """Who wrote it and to whom, in lower case."""
    return frozenset((record.originator.lower(), *(str(person[1]).lower() for person in record.recipients)))


def _has_part(record: Record, sides: Sides) -> bool:
    """Whether the reader's side was on the mail, or it is all of one company."""
    people = people_of(record)
    ours = sides.is_own(sides.reader)
    return any(sides.is_readers(one) or (ours and sides.is_own(one)) for one in people)


def belongs(session: Session, client_id: int, sides: Sides) -> bool:
    """Whether the client itself has shown that it knows the reader: one wrote, and the other was on the mail.

    A colleague's mail to both shows nothing.
    """
    mails = (
        select(Record)
        .where(Record.client_id == client_id, Record.direction == "inbound", Record.channel == "email")
        .order_by(Record.sent_at.desc())
        .limit(_MOST_RECORDS)
    )
    for record in session.scalars(mails):
        people = people_of(record)
        own = any(sides.is_own(one) for one in people)
        if own and any(sides.is_readers(one) and not sides.is_own(one) for one in people):
            return True
    return False


def _first_with_name(session: Session, project: Project) -> Record | None:
    """The mail from whose subject the project has its name; the first of all where a person named it."""
    first = select(Record).where(Record.project_id == project.id, Record.channel == "email")
    first = first.order_by(Record.sent_at, Record.id).limit(1)
    return session.scalar(first.where(Record.base_subject == project.name)) or session.scalar(first)


def _strangers_subject(session: Session, anchor: Record, sides: Sides) -> str:
    """Whether the subject came into the conversation with mail that no one on the reader's side was on."""
    if anchor.thread_id is None:
        return ""
    same = and_(Record.thread_id == anchor.thread_id, Record.base_subject == anchor.base_subject)
    outside = Record.direction != "internal"
    first = session.scalar(select(Record).where(same, outside).order_by(Record.sent_at, Record.id).limit(1))
    if first is None or first.id == anchor.id or _has_part(first, sides):
        return ""
    return f'the conversation "{anchor.base_subject}" began without {sides.reader}'


def passed_on(session: Session, archive: Archive, source: Record, sides: Sides) -> str:
    """Which other client's mail a colleague's mail hands on, in words for a colleague; "" when none."""
    if source.direction != "outbound" or source.raw_id is None:
        return ""
    try:
        message = parse(archive.get(session, source.raw_id))
    except LookupError:  # its bytes were erased: nobody can say any more
        return ""
    other = _other_client(session, _named_below(message) - people_of(source), sides)
    return f'"{source.subject}" hands on mail of {other}' if other else ""


def _named_below(message: Message) -> frozenset[str]:
    """Addresses in what the mail quotes and forwards."""
    forwarded = message.forwarded
    inner = forwarded.originator if forwarded is not None else None
    words = f"{message.quoted[:_QUOTED_READ]}\n{forwarded.text[:_QUOTED_READ] if forwarded is not None else ''}"
    found = dict.fromkeys(match[0].lower() for match in _ADDRESS.finditer(words))
    return frozenset((*([inner.addr_spec.lower()] if inner is not None else []), *list(found)[:_MOST_ADDRESSES]))


def _other_client(session: Session, addresses: Collection[str], sides: Sides) -> str:
    """The name of another client to whom one of these addresses belongs."""
    if not addresses:
        return ""
    known = select(Client).join(Contact, Contact.client_id == Client.id).where(Contact.addr_spec.in_(addresses))
    keys = {client_key(address, FREE_MAIL_DOMAINS) for address in addresses}
    owners = select(Client).join(ClientDomain, ClientDomain.client_id == Client.id)
    found = (*session.scalars(known), *session.scalars(owners.where(ClientDomain.domain.in_(keys))))
    return next((client.name for client in _without(found, sides.clients)), "")


def _without(found: Sequence[Client], ids: Collection[int]) -> Iterable[Client]:
    return (client for client in found if client.id not in ids)
