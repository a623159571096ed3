"""Phase 5: direction, client, contact and project of a message, with proof of the sender."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.model.locality import Locality, client_name, guess_locality
from assistant.model.people import Directory, Relation, client_key, is_a_person
from assistant.model.projects import Choice, NewThread, ProjectCandidate, choose_project
from assistant.store.clients import client_by_key, contact_by_address, create_client, create_contact, projects_of
from assistant.store.tables import Client, Contact, Project, Record, Thread
from parsers import Address, Message

SURELY_UNRELATED = 0.85
"""A stranger whose first mail is this surely not a client's becomes none."""

_NO_CLIENT_KINDS = frozenset({"bounce", "feedback_report", "list", "notification", "spam", "receipt"})


@dataclass(frozen=True, slots=True)
class AgencySide:
    """What relating needs to know of the agency."""

    directory: Directory
    locality: Locality
    free_mail: frozenset[str]
    default_owner: str


@dataclass(frozen=True, slots=True)
class Parties:
    """The client's side of one message; either may be missing."""

    client: Client | None
    contact: Contact | None


def find_parties(session: Session, relation: Relation, agency: AgencySide) -> Parties:
    """Who is known already, without creating anybody."""
    for person in (relation.counterpart, *relation.others):
        if person is None:
            continue
        contact = contact_by_address(session, person.addr_spec)
        if contact is not None:
            return Parties(session.get(Client, contact.client_id), contact)
    for person in (relation.counterpart, *relation.others):
        if person is not None and (client := client_by_key(session, client_key(person.addr_spec, agency.free_mail))):
            return Parties(client, None)
    return Parties(None, None)


def settle_parties(
    session: Session,
    message: Message,
    relation: Relation,
    parties: Parties,
    unrelated: float,
    agency: AgencySide,
    now: datetime,
) -> Parties:
    """Creates the client of a stranger's mail and contacts that are new, where the mail is one between people."""
    counterpart = relation.counterpart
    if counterpart is None or relation.direction == "internal" or message.kind in _NO_CLIENT_KINDS:
        return parties
    client = parties.client
    if client is None:
        if message.kind != "human" or not is_a_person(counterpart.addr_spec):
            return parties
        if relation.direction == "inbound" and unrelated >= SURELY_UNRELATED:
            return parties
        client = _new_client(session, message, relation, counterpart, agency, now)
    contact = parties.contact
    if (contact is None or contact.addr_spec != counterpart.addr_spec.lower()) and is_a_person(counterpart.addr_spec):
        contact = contact_by_address(session, counterpart.addr_spec)
        if contact is None:
            contact = create_contact(session, client, counterpart.addr_spec, counterpart.name, now)
    if message.kind == "human":
        _other_contacts(session, client, relation.others, agency, now)
    if contact is not None and counterpart.name and not contact.name:
        contact.name = counterpart.name
    return Parties(client, contact)


def _new_client(
    session: Session, message: Message, relation: Relation, counterpart: Address, agency: AgencySide, now: datetime
) -> Client:
    key = client_key(counterpart.addr_spec, agency.free_mail)
    person = "@" in key
    inbound = relation.direction == "inbound"
    signature = message.signature if inbound else ""
    text = message.forwarded.text if relation.forwarded and message.forwarded else signature
    place = guess_locality(
        counterpart.addr_spec, text, message.language, message.date if inbound else None, agency.locality
    )
    return create_client(
        session,
        key,
        client_name(counterpart.addr_spec, counterpart.name, text, person=person),
        "person" if person else "company",
        place.language,
        place.country,
        place.timezone,
        _owner(message, agency),
        now,
    )


def _owner(message: Message, agency: AgencySide) -> str:
    """Who answers for a new client: the colleague who writes to it or is written to, else the default owner."""
    directory = agency.directory
    people: Sequence[Address | None] = (message.originator, *message.to, *message.cc)
    for person in people:
        if person is not None and (colleague := directory.person(person.addr_spec)):
            return colleague.address
    return agency.default_owner


def _other_contacts(
    session: Session, client: Client, others: Sequence[Address], agency: AgencySide, now: datetime
) -> None:
    """People of the same company on the mail are contacts too; others' companies are not drawn in by a Cc."""
    for person in others:
        if not is_a_person(person.addr_spec) or contact_by_address(session, person.addr_spec):
            continue
        owner = client_by_key(session, client_key(person.addr_spec, agency.free_mail))
        if owner is not None and owner.id == client.id:
            create_contact(session, client, person.addr_spec, person.name, now)


def settle_project(
    session: Session,
    thread: Thread,
    client: Client,
    mail: NewThread,
    sent_at: datetime,
    stage: str,
) -> tuple[Project, Choice]:
    """The thread's project: its own if it has one, else the likeliest of the client's, else a new one."""
    if thread.project_id is not None:
        project = session.get(Project, thread.project_id)
        if project is not None and project.client_id == client.id:
            return project, Choice(
                project.id, thread.project_confidence or 1.0, thread.project_evidence or "same thread"
            )
    projects = {project.id: project for project in projects_of(session, client.id)}
    choice = choose_project(mail, _candidates(session, list(projects.values())))
    if choice.project_id is not None:
        project = projects[choice.project_id]
    else:
        project = Project(
            client_id=client.id,
            name=mail.subject.strip() or client.name,
            owner=client.owner,
            stage=stage,
            stage_since=sent_at,
            opened_at=sent_at,
            last_at=sent_at,
            tags=[],
        )
        session.add(project)
        session.flush()
    thread.project_id, thread.client_id = project.id, client.id
    thread.project_confidence, thread.project_evidence = choice.confidence, choice.evidence
    return project, choice


def _candidates(session: Session, projects: Sequence[Project]) -> list[ProjectCandidate]:
    found = []
    for project in projects:
        subjects = session.scalars(
            select(Record.base_subject).where(Record.project_id == project.id).distinct().limit(40)
        ).all()
        writers = session.scalars(
            select(Record.originator).where(Record.project_id == project.id).distinct().limit(40)
        ).all()
        found.append(
            ProjectCandidate(
                project.id,
                (project.name, *(subject for subject in subjects if subject and subject != project.name)),
                frozenset(writers),
                project.stage,
                project.state,
                project.last_at,
            )
        )
    return found
