"""Mail that claims to be from somebody it is not from: seen, kept apart from who it imitates, and told to the operator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.intake.acquaintance import namesakes
from assistant.intake.relations import AgencySide
from assistant.model.authentication import organisational_domain
from assistant.model.lookalike import KnownDomains, Resemblance, addresses_in, same_name
from assistant.model.people import Relation, client_key
from assistant.store.clients import client_by_key, contact_by_address, new_client_keys
from assistant.store.remembering import remembered
from assistant.store.tables import AuditEntry, Client, ClientDomain, Record
from parsers import Address, Message

_log = structlog.get_logger("assistant.intake")

SuspicionKind = Literal[
    "spoofed", "address-in-name", "colleague-name", "client-name", "look-alike", "reply-to-elsewhere"
]
EVENT: Final = "suspicious-mail"
"""The event under which the audit log has it; what the operator is told is read from there."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """`imitated`: the address, name or domain that the mail claims. `apart`: it may belong to no client."""

    kind: SuspicionKind
    imitated: str
    apart: bool = False
    within_threads: bool = False
    """Whether it may not enter a conversation that belongs to a client, though it may begin one of its own."""


class _Learned:
    """Whether this transaction has looked at the clients' domains; those it adds itself are known without looking."""

    def __init__(self) -> None:
        self.stored = False


class Watch:
    """Looks at who a mail says it is from. Knows the agency's domains and those of all clients."""

    def __init__(self, agency: AgencySide) -> None:
        self._agency = agency
        self._ours = KnownDomains()
        self._ours.add(agency.directory.domains)
        self._clients = KnownDomains()

    def suspicions(
        self, session: Session, message: Message, relation: Relation, sent_at: datetime
    ) -> tuple[Suspicion, ...]:
        """What is wrong with the claims of this message; nearly always nothing."""
        person = relation.counterpart if not relation.spoofed else relation.writer
        if relation.spoofed and person is not None:
            return (Suspicion("spoofed", person.addr_spec.lower(), apart=True),)
        if person is None or message.kind != "human" or relation.automatic:
            return ()
        known = contact_by_address(session, person.addr_spec) is not None
        known = known or client_by_key(session, client_key(person.addr_spec, self._agency.free_mail)) is not None
        found = list(self._names(session, person, relation, known=known))
        if not known and (alike := self._look_alike(session, person, sent_at)):
            found.append(alike)
        if relation.direction == "inbound" and not relation.forwarded and known:
            found.extend(self._answers_elsewhere(message, person))
        return tuple(found)

    def _names(self, session: Session, person: Address, relation: Relation, *, known: bool) -> Iterator[Suspicion]:
        """A colleague's or a client's address or name over an address that is neither's."""
        if relation.direction != "inbound" or relation.forwarded or not person.name:
            return
        directory = self._agency.directory
        own = person.addr_spec.lower()
        for address in addresses_in(person.name):
            if address != own and directory.is_ours(address):
                yield Suspicion("address-in-name", address, apart=not known)
                return
        if known:
            return
        for colleague in directory.staff:
            if same_name(colleague.name, person.name):
                yield Suspicion("colleague-name", colleague.name)
                return
        if own.rpartition("@")[2] in self._agency.free_mail:
            for contact in namesakes(session, person.name)[:1]:
                yield Suspicion("client-name", contact.addr_spec)

    def _look_alike(self, session: Session, person: Address, sent_at: datetime) -> Suspicion | None:
        domain = person.addr_spec.rpartition("@")[2].lower()
        if domain in self._agency.free_mail:
            return None
        found = self._ours.resembling(domain) or self._like_a_client(session, domain, sent_at)
        if found is None:
            return None
        blind = found.likeness in {"letters", "beginning"}
        return Suspicion("look-alike", found.known, apart=blind, within_threads=blind or found.likeness == "spelling")

    def _like_a_client(self, session: Session, domain: str, sent_at: datetime) -> Resemblance | None:
        self._learn(session)
        found = self._clients.resembling(domain)
        if found is None:
            return None
        # Who wrote first is taken for the real one, whatever order their mail came in.
        since = session.scalar(
            select(Client.known_since)
            .join(ClientDomain, ClientDomain.client_id == Client.id)
            .where(ClientDomain.domain == found.known)
        )
        return found if since is None or since <= sent_at else None

    def _learn(self, session: Session) -> None:
        """Brings the clients' domains up to date when there are more or fewer of them than are known here."""
        learned = remembered(session, _Learned)
        if learned is None or not learned.stored:
            with session.no_autoflush:
                self._learn_stored(session)
            if learned is not None:
                learned.stored = True
        fresh = [key for key in new_client_keys(session) if "@" not in key and key not in self._clients.domains]
        if fresh:
            self._clients.add(fresh)

    def _learn_stored(self, session: Session) -> None:
        count = session.scalar(select(func.count()).select_from(ClientDomain).where(~ClientDomain.domain.contains("@")))
        if count == len(self._clients.domains):
            return
        domains = session.scalars(select(ClientDomain.domain).where(~ClientDomain.domain.contains("@"))).all()
        if not self._clients.domains <= set(domains):
            self._clients = KnownDomains()
        self._clients.add(domains)

    def _answers_elsewhere(self, message: Message, person: Address) -> Iterator[Suspicion]:
        """Reply-To of somebody else than a known client's own people: whoever answers would write to a stranger."""
        home = client_key(person.addr_spec, self._agency.free_mail)
        for address in message.reply_to:
            there = client_key(address.addr_spec, self._agency.free_mail)
            if address.addr_spec and there != home and not self._agency.directory.is_ours(address.addr_spec):
                yield Suspicion("reply-to-elsewhere", address.addr_spec.lower())
                return


def stands_apart(suspicions: tuple[Suspicion, ...], *, in_conversation: bool) -> bool:
    """Whether a mail may not be taken for a client's: it imitates somebody, or would enter the conversation of whom it imitates."""
    return any(one.apart or (in_conversation and one.within_threads) for one in suspicions)


def summary_of(suspicions: tuple[Suspicion, ...]) -> str:
    """For the ledger: why a logged message is not taken at its word; "" for nearly all."""
    if any(one.kind == "spoofed" for one in suspicions):
        return "spoofed sender"
    return f"suspicious: {', '.join(one.kind for one in suspicions)}" if suspicions else ""


def note_suspicions(session: Session, record: Record, suspicions: tuple[Suspicion, ...], now: datetime) -> None:
    """Writes them into the record's evidence and into the audit log, from which the operator is told."""
    if not suspicions:
        return
    record.evidence = [*record.evidence, *([f"suspicious:{one.kind}", one.imitated[:200]] for one in suspicions)]
    for one in suspicions:
        session.add(
            AuditEntry(
                at=now,
                who="assistant",
                event=EVENT,
                subject=f"record:{record.id}",
                details={
                    "kind": one.kind,
                    "sender": record.originator.lower(),
                    "domain": organisational_domain(record.originator.rpartition("@")[2].lower()),
                    "imitated": one.imitated[:200],
                    "apart": one.apart,
                },
            )
        )
        _log.warning("suspicious_mail", record=record.id, kind=one.kind, apart=one.apart)
