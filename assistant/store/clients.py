"""Clients and contacts: found by address, created when a stranger writes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from assistant.store.tables import (
    CadenceRunRow,
    Client,
    ClientDomain,
    Contact,
    OpenItem,
    OutboxMessage,
    Project,
    Record,
    Thread,
)

_CONTACTS = "contacts by address"


def contact_by_address(session: Session, addr_spec: str) -> Contact | None:
    """The person with this address; asked for once in a transaction that remembers (`remember_contacts`)."""
    addr_spec = addr_spec.lower()
    remembered: dict[str, Contact] | None = session.info.get(_CONTACTS)
    if remembered is not None and addr_spec in remembered:
        return remembered[addr_spec]
    contact = session.scalar(select(Contact).where(Contact.addr_spec == addr_spec))
    if remembered is not None and contact is not None:
        remembered[addr_spec] = contact
    return contact


def remember_contacts(session: Session) -> None:
    """Begins to remember found contacts in this session, or forgets them after a savepoint was rolled back."""
    session.info[_CONTACTS] = {}


def client_by_key(session: Session, key: str) -> Client | None:
    """The client that owns this domain (or this free-mail address)."""
    return session.scalar(
        select(Client).join(ClientDomain, ClientDomain.client_id == Client.id).where(ClientDomain.domain == key)
    )


def create_client(
    session: Session,
    key: str,
    name: str,
    kind: str,
    language: str,
    country: str,
    timezone: str,
    owner: str,
    known_since: datetime,
    now: datetime,
) -> Client:
    client = Client(
        name=name,
        kind=kind,
        language=language,
        country=country,
        timezone=timezone,
        owner=owner,
        created_at=now,
        known_since=known_since,
        tags=[],
    )
    session.add(client)
    session.flush()
    session.add(ClientDomain(domain=key, client_id=client.id))
    return client


def create_contact(
    session: Session, client: Client, addr_spec: str, name: str, known_since: datetime, now: datetime
) -> Contact:
    contact = Contact(
        client_id=client.id, addr_spec=addr_spec.lower(), name=name, created_at=now, known_since=known_since, tags=[]
    )
    session.add(contact)
    session.flush()
    return contact


def projects_of(session: Session, client_id: int) -> list[Project]:
    return list(session.scalars(select(Project).where(Project.client_id == client_id).order_by(Project.opened_at)))


def merge_clients(session: Session, source: Client, target: Client) -> None:
    """Everything of `source` becomes `target`'s; its domains too, so that new mail follows."""
    for table in (ClientDomain, Contact, Project, Record, Thread, OpenItem, OutboxMessage):
        session.execute(update(table).where(table.client_id == source.id).values(client_id=target.id))
    source.merged_into = target.id
    if not target.owner:
        target.owner = source.owner


def move_run_contacts(session: Session, old: Contact, new: Contact) -> None:
    """After two rows turned out to be one person."""
    session.execute(update(CadenceRunRow).where(CadenceRunRow.contact_id == old.id).values(contact_id=new.id))
