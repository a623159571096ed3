"""Moves a conversation to another client or project because a person said so, and names both so that it can be said again."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.errors import WrongUse
from assistant.intake.record import refresh_project
from assistant.model.doubt import SET_BY_A_PERSON
from assistant.store.clients import client_by_key
from assistant.store.tables import Client, ClientDomain, Contact, OpenItem, Project, Record, SignOff, Thread


def find_client(session: Session, value: str) -> Client:
    """By number, domain, free-mail address or name. Raises WrongUse."""
    wanted = value.strip()
    found = session.get(Client, int(wanted)) if wanted.isdigit() else None
    found = found or client_by_key(session, wanted.lower().lstrip("@"))
    if found is None:
        named = session.scalars(
            select(Client).where(func.lower(Client.name) == wanted.lower(), Client.merged_into.is_(None)).limit(2)
        ).all()
        if len(named) > 1:
            raise WrongUse(f"several clients are called {value!r}: give the number that `assistant clients` shows.")
        found = named[0] if named else None
    while found is not None and found.merged_into is not None:
        found = session.get(Client, found.merged_into)
    if found is None:
        raise WrongUse(f"there is no client {value!r}; `assistant clients` lists them.")
    return found


def client_key(session: Session, client: Client) -> str:
    """What the client is known by for ever: its first domain or address; its name where it has neither."""
    domains = select(ClientDomain.domain).where(ClientDomain.client_id == client.id).order_by(ClientDomain.domain)
    return session.scalar(domains.limit(1)) or client.name


def find_project(session: Session, record: Record, value: str) -> Project:
    """A project of the record's client by number, name, or `<Message-ID>` of a mail in it. Raises WrongUse."""
    found: Project | None = None
    if value.startswith("<"):
        inside = select(Record.project_id).where(Record.message_id == value.strip("<>")).order_by(Record.id).limit(1)
        number = session.scalar(inside)
        found = session.get(Project, number) if number is not None else None
    else:
        named = select(Project).where(Project.client_id == record.client_id, Project.name == value).limit(2)
        candidates = session.scalars(named).all()
        if len(candidates) > 1:
            raise WrongUse(
                f"the client has several projects called {value!r}: give the number that `assistant projects` shows."
            )
        found = candidates[0] if candidates else session.get(Project, int(value)) if value.isdigit() else None
    if found is None:
        raise WrongUse(
            f"there is no project {value!r} of this client; `assistant projects` lists them, `new` opens one."
        )
    if found.client_id != record.client_id:
        other = session.get(Client, found.client_id)
        name = other.name if other else "another client"
        raise WrongUse(f"project {found.id} belongs to {name}: say --client too if the mail is theirs.")
    return found


def project_key(session: Session, project: Project, record: Record) -> str:
    """What the project is known by for ever: its first mail that is not of the record's own conversation."""
    others = select(Record.message_id).where(Record.project_id == project.id, Record.thread_id != record.thread_id)
    first = session.scalar(others.order_by(Record.sent_at, Record.id).limit(1))
    return f"<{first}>" if first else project.name


def move_to_project(session: Session, record: Record, target: Project | None) -> Project:
    """The whole conversation moves, for it is about one thing; None opens a project of its own."""
    if target is None:
        assert record.client_id is not None, "the caller made sure of the client"
        target = Project(
            client_id=record.client_id,
            name=record.base_subject or "new project",
            owner=_owner(session, record),
            stage_since=record.sent_at,
            opened_at=record.sent_at,
            last_at=record.sent_at,
            tags=[],
        )
        session.add(target)
        session.flush()
    left = _set_project(session, record, target.id)
    thread = session.get(Thread, record.thread_id) if record.thread_id is not None else None
    if thread is not None:
        thread.project_id, thread.project_confidence, thread.project_evidence = target.id, 1.0, SET_BY_A_PERSON
    session.flush()
    _refresh_left(session, left - {target.id})
    return target


def move_to_client(session: Session, record: Record, client: Client) -> Client | None:
    """The whole conversation moves, out of its project too; returns whose it was.

    A person who was only ever seen in this conversation moves along, so that the next mail finds the right client.
    """
    old = session.get(Client, record.client_id) if record.client_id is not None else None
    if old is not None and old.id == client.id:
        return old
    for row in _conversation(session, record):
        row.client_id = client.id
    contact = session.get(Contact, record.contact_id) if record.contact_id is not None else None
    if contact is not None and not _seen_elsewhere(session, contact, record):
        contact.client_id = client.id
    left = _set_project(session, record, None)
    thread = session.get(Thread, record.thread_id) if record.thread_id is not None else None
    if thread is not None:
        thread.client_id, thread.project_id = client.id, None
        thread.project_confidence, thread.project_evidence = 0.0, ""
    session.flush()
    _refresh_left(session, left)
    return old


def _conversation(session: Session, record: Record) -> list[Record]:
    if record.thread_id is None:
        return [record]
    return list(session.scalars(select(Record).where(Record.thread_id == record.thread_id)))


def _set_project(session: Session, record: Record, project_id: int | None) -> set[int]:
    """Moves the conversation's records and all that hangs on them; returns the projects that they left."""
    rows = _conversation(session, record)
    left = {row.project_id for row in rows if row.project_id is not None and row.project_id != project_id}
    for row in rows:
        row.project_id = project_id
    numbers = [row.id for row in rows]
    for item in session.scalars(select(OpenItem).where(OpenItem.record_id.in_(numbers))):
        item.project_id, item.client_id = project_id, record.client_id
    for signed in session.scalars(select(SignOff).where(SignOff.record_id.in_(numbers))):
        signed.project_id = project_id
    session.flush()
    return left


def _seen_elsewhere(session: Session, contact: Contact, record: Record) -> bool:
    others = select(Record.id).where(Record.contact_id == contact.id, Record.thread_id != record.thread_id)
    return session.scalar(others.limit(1)) is not None


def _refresh_left(session: Session, projects: set[int]) -> None:
    for number in sorted(projects):
        if (project := session.get(Project, number)) is not None:
            refresh_project(session, project)


def _owner(session: Session, record: Record) -> str:
    client = session.get(Client, record.client_id) if record.client_id is not None else None
    return client.owner if client is not None else ""
