"""Clients and contacts: found by address, created when a stranger writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from assistant.errors import WrongUse
from assistant.store.hindsight import not_known_yet
from assistant.store.remembering import parts_of, remembered
from assistant.store.tables import (
    AuditEntry,
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
        self.called: dict[str, list[Contact]] = {}
        """Contacts by their full names, in lower case."""
        self.named: list[Contact] = []
        """Contacts that were made or named by this transaction."""
        self.new_keys: list[str] = []
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


def expect_names(session: Session, names: Iterable[str]) -> None:
    """Asks at once for the contacts with these full names."""
    known = remembered(session, Acquaintances)
    if known is None:
        return
    wanted = sorted({name.lower() for name in names if name} - known.called.keys())
    known.called.update((name, []) for name in wanted)
    for part in parts_of(wanted):
        with session.no_autoflush:
            for contact in session.scalars(select(Contact).where(func.lower(Contact.name).in_(part))):
                known.called.setdefault(contact.name.lower(), []).append(contact)


def contacts_called(session: Session, name: str) -> list[Contact]:
    """Everybody with this full name, whatever the case, in the order in which they became known."""
    known = remembered(session, Acquaintances)
    if known is None:
        unknown = not_known_yet(session).contacts
        same = select(Contact).where(func.lower(Contact.name) == name.lower())
        return sorted((row for row in session.scalars(same) if row.id not in unknown), key=_number)
    expect_names(session, [name])
    fresh = (contact for contact in known.named if contact.name.lower() == name.lower())
    return sorted({contact.id: contact for contact in (*known.called[name.lower()], *fresh)}.values(), key=_number)


def _number(contact: Contact) -> int:
    return contact.id


def name_contact(session: Session, contact: Contact, name: str) -> None:
    """A contact whose name was not known until now."""
    contact.name = name
    known = remembered(session, Acquaintances)
    if known is not None:
        known.named.append(contact)


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


def new_client_keys(session: Session) -> Sequence[str]:
    """The domains and free-mail addresses of clients that this transaction created, as far as it remembers."""
    known = remembered(session, Acquaintances)
    return known.new_keys if known is not None else ()


def contact_by_address(session: Session, addr_spec: str) -> Contact | None:
    """The person with this address."""
    addr_spec = addr_spec.lower()
    known = remembered(session, Acquaintances)
    if known is not None and addr_spec in known.contacts:
        return known.contacts[addr_spec]
    contact = session.scalar(select(Contact).where(Contact.addr_spec == addr_spec))
    if contact is not None and contact.id in not_known_yet(session).contacts:
        return None
    if known is not None:
        known.contacts[addr_spec] = contact
    return contact


def client_by_key(session: Session, key: str) -> Client | None:
    """The client that owns this domain (or this free-mail address)."""
    known = remembered(session, Acquaintances)
    if known is not None and key in known.clients:
        return known.clients[key]
    client = _owner_of(session, key)
    if client is not None and client.id in not_known_yet(session).clients:
        return None
    if known is not None:
        known.clients[key] = client
    return client


def _owner_of(session: Session, key: str) -> Client | None:
    return session.scalar(
        select(Client).join(ClientDomain, ClientDomain.client_id == Client.id).where(ClientDomain.domain == key)
    )


def client_has_name(session: Session, name: str) -> bool:
    """Whether a client is called so, whatever the case; `name` in lower case."""
    known = remembered(session, Acquaintances)
    if known is not None and any(client.name.lower() == name for client in known.held):
        return True
    with session.no_autoflush:
        ids = set(session.scalars(select(Client.id).where(func.lower(Client.name) == name)))
    return bool(ids - not_known_yet(session).clients)


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
    unknown = not_known_yet(session).clients
    client = _owner_of(session, key) if unknown else None
    again = client is not None and client.id in unknown
    if client is None or not again:
        client = Client(created_at=now, tags=[])
    if not again or not _set_by_hand(session, client):
        client.name, client.kind, client.owner = name, kind, owner
        client.language, client.country, client.timezone = language, country, timezone
    client.known_since = known_since
    session.add(client)
    if again:
        unknown.discard(client.id)
    else:
        session.add(ClientDomain(domain=key, client_id=client.id))
    known = remembered(session, Acquaintances)
    if known is None:
        session.flush()
    else:
        known.clients[key] = client
        known.new_keys.append(key)
        known.projects[client.id] = []
        known.held.append(client)
    return client


def _set_by_hand(session: Session, client: Client) -> bool:
    """Whether a person changed something about the client, or merged another into it: then nothing is guessed anew."""
    changes = select(AuditEntry.id).where(
        AuditEntry.subject == f"client:{client.id}",
        AuditEntry.event.in_(("client-changed", "client-added", "clients-merged")),
    )
    return session.scalar(changes.limit(1)) is not None


def create_contact(
    session: Session, client: Client, addr_spec: str, name: str, known_since: datetime, now: datetime
) -> Contact:
    addr_spec = addr_spec.lower()
    unknown = not_known_yet(session).contacts
    contact = session.scalar(select(Contact).where(Contact.addr_spec == addr_spec)) if unknown else None
    if contact is None or contact.id not in unknown:
        contact = Contact(addr_spec=addr_spec, created_at=now, tags=[])
    contact.client_id, contact.name, contact.known_since = client.id, name, known_since
    contact.role, contact.phone, contact.formerly_id = "", "", None
    session.add(contact)
    unknown.discard(contact.id)
    known = remembered(session, Acquaintances)
    if known is None:
        session.flush()
    else:
        known.contacts[contact.addr_spec] = contact
        known.named.append(contact)
    return contact


def create_project(
    session: Session, client: Client, thread: Thread, name: str, sent_at: datetime, known_since: datetime
) -> Project:
    """A project that begins with mail of `sent_at`, in the care of the client's owner; its state is derived from its records.

    Where history is thought over, the project that began with this thread before keeps its row.
    """
    unknown = not_known_yet(session)
    number = unknown.begun_by.get(thread.id)
    project = session.get(Project, number) if number in unknown.projects else None
    if project is None:
        project = Project(owner=client.owner, state="running", tags=[])
    elif project.owner != client.owner and not _set_by_hand(session, client):
        mine = (OpenItem.project_id == project.id) & (OpenItem.owner == project.owner)
        session.execute(update(OpenItem).where(mine).values(owner=client.owner))
        project.owner = client.owner
    project.client_id, project.name, project.stage = client.id, name, "discovery"
    project.stage_since = project.opened_at = project.last_at = sent_at
    project.known_since = known_since
    if project.state == "over":  # it had lost all its mail
        project.state = "running"
    session.add(project)
    unknown.projects.discard(project.id)
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
        unknown = not_known_yet(session).projects
        rows = session.scalars(select(Project).where(Project.client_id == client_id))
        projects = [project for project in rows if project.id not in unknown]
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


def give_domain(session: Session, client: Client, domain: str) -> bool:
    """Mail from this domain is the client's from now on; whether that is new. Raises WrongUse where it is another's."""
    domain = domain.lower().lstrip("@")
    owner = client_by_key(session, domain)
    if owner is not None and owner.id != client.id:
        raise WrongUse(f"{domain} belongs to {owner.name}; `assistant clients merge` joins two clients.")
    if owner is None:
        session.add(ClientDomain(domain=domain, client_id=client.id))
        session.flush()
    return owner is None
