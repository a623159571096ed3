"""Clients and contacts: found by address, created when a stranger writes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from assistant.store.remembering import parts_of, remembered
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


class Acquaintances:
    """The people and clients that a transaction has asked for, by address, by domain and by number; None: there is none."""

    def __init__(self) -> None:
        self.contacts: dict[str, Contact | None] = {}
        self.clients: dict[str, Client | None] = {}
        self.projects: dict[int, list[Project]] = {}
        self.held: list[Client] = []
        """The session itself would let go of them and ask again."""


def expect_people(session: Session, addresses: Iterable[str], keys: Iterable[str]) -> None:
    """Asks at once for the contacts with these addresses, the clients with these domains, and what they have."""
    known = remembered(session, Acquaintances)
    if known is None:
        return
    addresses, keys = sorted({address.lower() for address in addresses}), sorted(set(keys))
    known.contacts.update(dict.fromkeys(addresses))
    known.clients.update(dict.fromkeys(keys))
    for part in parts_of(addresses):
        for contact in session.scalars(select(Contact).where(Contact.addr_spec.in_(part))):
            known.contacts[contact.addr_spec] = contact
    for part in parts_of(keys):
        owners = select(ClientDomain.domain, Client).join(Client, Client.id == ClientDomain.client_id)
        for domain, client in session.execute(owners.where(ClientDomain.domain.in_(part))):
            known.clients[domain] = client
            known.held.append(client)
    numbers = {contact.client_id for contact in known.contacts.values() if contact}
    expect_clients(session, numbers | {client.id for client in known.held})


def expect_clients(session: Session, numbers: Iterable[int]) -> None:
    """Asks at once for these clients and their projects."""
    known = remembered(session, Acquaintances)
    if known is None:
        return
    for part in parts_of(sorted(set(numbers) - known.projects.keys())):
        known.held.extend(session.scalars(select(Client).where(Client.id.in_(part))))
        known.projects.update((number, []) for number in part)
        for project in session.scalars(select(Project).where(Project.client_id.in_(part)).order_by(Project.id)):
            known.projects[project.client_id].append(project)


def expected_clients(session: Session) -> Iterable[int]:
    """The clients that were asked for by now."""
    known = remembered(session, Acquaintances)
    return known.projects.keys() if known is not None else ()


def contact_by_address(session: Session, addr_spec: str) -> Contact | None:
    """The person with this address."""
    addr_spec = addr_spec.lower()
    known = remembered(session, Acquaintances)
    if known is not None and addr_spec in known.contacts:
        return known.contacts[addr_spec]
    contact = session.scalar(select(Contact).where(Contact.addr_spec == addr_spec))
    if known is not None:
        known.contacts[addr_spec] = contact
    return contact


def client_by_key(session: Session, key: str) -> Client | None:
    """The client that owns this domain (or this free-mail address)."""
    known = remembered(session, Acquaintances)
    if known is not None and key in known.clients:
        return known.clients[key]
    client = session.scalar(
        select(Client).join(ClientDomain, ClientDomain.client_id == Client.id).where(ClientDomain.domain == key)
    )
    if known is not None:
        known.clients[key] = client
    return client


def client_has_name(session: Session, name: str) -> bool:
    """Whether a client is called so, whatever the case; `name` in lower case."""
    known = remembered(session, Acquaintances)
    if known is not None and any(client.name.lower() == name for client in known.held):
        return True
    with session.no_autoflush:
        return session.scalar(select(Client.id).where(func.lower(Client.name) == name).limit(1)) is not None


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
    session.add(ClientDomain(domain=key, client_id=client.id))
    known = remembered(session, Acquaintances)
    if known is None:
        session.flush()
    else:
        known.clients[key] = client
        known.projects[client.id] = []
        known.held.append(client)
    return client


def create_contact(
    session: Session, client: Client, addr_spec: str, name: str, known_since: datetime, now: datetime
) -> Contact:
    contact = Contact(
        client_id=client.id, addr_spec=addr_spec.lower(), name=name, created_at=now, known_since=known_since, tags=[]
    )
    session.add(contact)
    known = remembered(session, Acquaintances)
    if known is None:
        session.flush()
    else:
        known.contacts[contact.addr_spec] = contact
    return contact


def create_project(session: Session, client: Client, name: str, sent_at: datetime, known_since: datetime) -> Project:
    """A project that begins with mail of `sent_at`, in the care of the client's owner; its state is derived from its records."""
    project = Project(
        client_id=client.id,
        name=name,
        owner=client.owner,
        stage="discovery",
        state="running",
        stage_since=sent_at,
        opened_at=sent_at,
        last_at=sent_at,
        known_since=known_since,
        tags=[],
    )
    session.add(project)
    known = remembered(session, Acquaintances)
    if known is None:
        session.flush()
    elif client.id in known.projects:
        known.projects[client.id].append(project)
    return project


def projects_of(session: Session, client_id: int) -> list[Project]:
    """The client's projects, the oldest first."""
    known = remembered(session, Acquaintances)
    if known is not None and client_id not in known.projects:
        expect_clients(session, [client_id])
    if known is not None:
        projects = known.projects[client_id]
    else:
        projects = list(session.scalars(select(Project).where(Project.client_id == client_id)))
    return sorted(projects, key=lambda project: (project.opened_at, project.id))


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
