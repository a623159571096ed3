"""Phase 5: direction, client, contact and project of a message, with proof of the sender."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from sqlalchemy.orm import Session

from assistant.intake.acquaintance import adopt_into_project, adopt_mail_of, former_contact, known_client_of
from assistant.intake.client_mail import MailFacts, expect_nothing_of, latest_mails, project_names
from assistant.intake.texts import letters_of
from assistant.model.locality import Locality, client_name, guess_locality
from assistant.model.people import Directory, Relation, client_key, is_a_person, phone_in, role_in
from assistant.model.projects import NewThread, ProjectCandidate, choose_project
from assistant.store.clients import (
    client_by_key,
    client_has_name,
    contact_by_address,
    create_client,
    create_contact,
    create_project,
    name_contact,
    projects_of,
)
from assistant.store.erased import is_erased
from assistant.store.tables import Client, Contact, Project, Thread
from assistant.store.writing import row_of
from parsers import Address, Message

UNRELATED = 0.6
"""A stranger whose mail is this likely not a client's becomes none, until the agency writes to them."""
_UNRELATED_ANSWER = 0.8
"""What the agency writes to a stranger makes a client, unless it is this likely no business with one."""

_QUOTED_LEAST = 16
_NO_SUBJECT = re.compile(
    r"^[\[(（【]?\s*(no subject|none|无主题|無主題|无标题|無標題|kein betreff|sans objet)\s*[\])）】]?$", re.IGNORECASE
)
_NO_CLIENT_KINDS = frozenset({"bounce", "feedback_report", "list", "notification", "spam", "receipt"})


Standing = Callable[[Project], tuple[str, str]]
"""The stage and the state of a project."""


@dataclass(frozen=True, slots=True)
class AgencySide:
    """What relating needs to know of the agency."""

    directory: Directory
    locality: Locality
    free_mail: frozenset[str]
    default_owner: str
    prove: Callable[[bytes, Message], str] | None = None
    """Proof of a sender by other means than the mail server's verdict: pass | fail | none."""
    proved_in: frozenset[str] | None = None
    """The mailboxes whose mail is proved so; None is all mail."""

    def proof_in(self, mailbox: str) -> Callable[[bytes, Message], str] | None:
        """What proves a sender of mail in this mailbox, if anything does."""
        return self.prove if self.proved_in is None or mailbox in self.proved_in else None


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
            return Parties(row_of(session, Client, contact.client_id), contact)
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
    at: datetime,
    now: datetime,
) -> Parties:
    """Creates the client of a stranger's mail and contacts that are new, where the mail is one between people."""
    counterpart = relation.counterpart
    if counterpart is None or relation.direction == "internal" or message.kind in _NO_CLIENT_KINDS:
        return parties
    client = parties.client
    if client is None:
        if message.kind != "human" or not _may_be_known(session, counterpart.addr_spec):
            return parties
        stray = unrelated >= (UNRELATED if relation.direction == "inbound" else _UNRELATED_ANSWER)
        client = known_client_of(session, message, relation, agency.free_mail, agency.directory, by_name=not stray)
        if client is None and stray:
            return parties
    if client is None:
        client = _new_client(session, message, relation, counterpart, agency, at, now)
        expect_nothing_of(session, client_id=client.id)
        adopt_mail_of(session, client, counterpart.addr_spec, client_key(counterpart.addr_spec, agency.free_mail))
    contact = parties.contact
    address = counterpart.addr_spec.lower()
    if (contact is None or contact.addr_spec != address) and _may_be_known(session, address):
        contact = contact_by_address(session, counterpart.addr_spec)
        if contact is None:
            contact = _new_contact(session, client, counterpart, message, relation, agency, at, now)
    if message.kind == "human":
        _other_contacts(session, client, relation.others, agency, at, now)
    if contact is not None and counterpart.name and not contact.name:
        name_contact(session, contact, counterpart.name)
    if contact is not None and relation.direction == "inbound" and not relation.forwarded:
        # People are promoted and get new telephones: the latest signature counts.
        contact.role = role_in(message.signature) or contact.role
        contact.phone = phone_in(message.signature) or contact.phone
    return Parties(client, contact)


def _new_contact(
    session: Session,
    client: Client,
    person: Address,
    message: Message,
    relation: Relation,
    agency: AgencySide,
    at: datetime,
    now: datetime,
) -> Contact:
    """A contact of this client, or of the one whose domain the address has, though the mail is with another."""
    home = client_by_key(session, client_key(person.addr_spec, agency.free_mail)) or client
    contact = create_contact(session, home, person.addr_spec, person.name, at, now)
    if relation.direction == "inbound" and home.kind == "company":
        former = former_contact(session, contact, message)
        contact.formerly_id = former.id if former is not None else None
    return contact


def _new_client(
    session: Session,
    message: Message,
    relation: Relation,
    counterpart: Address,
    agency: AgencySide,
    at: datetime,
    now: datetime,
) -> Client:
    key = client_key(counterpart.addr_spec, agency.free_mail)
    person = "@" in key
    inbound = relation.direction == "inbound"
    signature = message.signature if inbound else ""
    text = message.forwarded.text if relation.forwarded and message.forwarded else signature
    place = guess_locality(
        counterpart.addr_spec, text, message.language, message.date if inbound else None, agency.locality
    )
    name = client_name(counterpart.addr_spec, counterpart.name, text, person=person)
    return create_client(
        session,
        key,
        _unique(name, f"{name} ({key})", lambda wanted: client_has_name(session, wanted)),
        "person" if person else "company",
        place.language,
        place.country,
        place.timezone,
        _owner(message, agency),
        at,
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


def _may_be_known(session: Session, addr_spec: str) -> bool:
    """A person's address, and of nobody who is to be forgotten."""
    return is_a_person(addr_spec) and not is_erased(session, addr_spec)


def _other_contacts(
    session: Session, client: Client, others: Sequence[Address], agency: AgencySide, at: datetime, now: datetime
) -> None:
    """People of the same company on the mail are contacts too; others' companies are not drawn in by a Cc."""
    for person in others:
        if not _may_be_known(session, person.addr_spec) or contact_by_address(session, person.addr_spec):
            continue
        key = client_key(person.addr_spec, agency.free_mail)
        owner = client_by_key(session, key)
        # Whoever writes from free mail has partners who do; a company's people are known by its domain.
        partner = owner is None and client.kind == "person" and "@" in key
        if partner or (owner is not None and owner.id == client.id):
            create_contact(session, client, person.addr_spec, person.name, at, now)


@dataclass(frozen=True, slots=True)
class Settled:
    """The project of a thread; whether it begins with it, and whether earlier mail was given to it."""

    project: Project
    is_new: bool = False
    adopted: bool = False


def settle_project(
    session: Session, thread: Thread, client: Client, mail: NewThread, at: datetime, standing: Standing | None = None
) -> Settled:
    """The project of a thread that has none: the likeliest of the client's, else a new one. Decided at `at`.

    `standing` says where a project stands, if it stands elsewhere than its row tells.
    """
    projects = {project.id: project for project in projects_of(session, client.id)}
    choice = choose_project(mail, project_candidates(session, client, list(projects.values()), mail, standing))
    if choice.project_id is not None:
        project = projects[choice.project_id]
    else:
        project = create_project(
            session, client, thread, _project_name(session, client, mail.subject), mail.sent_at, at
        )
    thread.project_id, thread.client_id = project.id, client.id
    thread.project_confidence, thread.project_evidence = choice.confidence, choice.evidence
    thread.decided_at = at
    adopted = adopt_into_project(session, project, thread, mail.sent_at, at)
    return Settled(project, choice.project_id is None, adopted)


def project_candidates(
    session: Session, client: Client, projects: Sequence[Project], mail: NewThread, standing: Standing | None = None
) -> list[ProjectCandidate]:
    """The client's projects as the choice compares them, from their latest mail."""
    if not projects:
        return []
    mails: dict[int, list[MailFacts]] = {project.id: [] for project in projects}
    for item in latest_mails(session, client.id):
        if item.project_id in mails:
            mails[item.project_id].append(item)
    quoted = letters_of(mail.quoted)
    standing = standing or _standing
    return [_candidate(project, standing(project), mails[project.id], mail, quoted) for project in projects]


def _standing(project: Project) -> tuple[str, str]:
    return project.stage, project.state


def _candidate(
    project: Project, standing: tuple[str, str], mails: Sequence[MailFacts], mail: NewThread, quoted: str
) -> ProjectCandidate:
    words: Counter[str] = Counter()
    people: Counter[str] = Counter()
    for item in mails:
        words.update(item.words)
        people.update(item.people)
    subjects = dict.fromkeys(item.subject for item in mails if item.subject)
    return ProjectCandidate(
        project.id,
        (project.name, *(subject for subject in subjects if subject != project.name))[:41],
        frozenset(item.originator for item in mails),
        *standing,
        project.last_at,
        project.opened_at,
        words,
        people,
        max(1, len(mails)),
        any(_is_quoted(item, mail, quoted) for item in mails),
    )


def _is_quoted(earlier: MailFacts, mail: NewThread, quoted: str) -> bool:
    """The beginning of an earlier mail stands below, or its Message-ID in the text."""
    if f"<{earlier.message_id}>" in mail.text:
        return True
    return len(earlier.start) >= _QUOTED_LEAST and earlier.start in quoted


def _project_name(session: Session, client: Client, subject: str) -> str:
    """The subject without marks of answering; with the client's name, then a number, where another project has it."""
    subject = " ".join(subject.split())
    name = (
        subject if any(character.isalnum() for character in subject) and not _NO_SUBJECT.match(subject) else client.name
    )
    taken = project_names(session)
    name = _unique(name, f"{name} – {client.name}" if name != client.name else "", lambda wanted: wanted in taken)
    taken.add(name.lower())
    return name


def _unique(name: str, second: str, is_taken: Callable[[str], bool]) -> str:
    """The name that nobody has yet, whatever the case."""
    for wanted in chain((name, second), (f"{second or name} ({number})" for number in range(2, 1000))):
        if wanted and not is_taken(wanted.lower()):
            return wanted
    return name
