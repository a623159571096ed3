"""To whom somebody at the agency has written: whoever writes to us becomes a client at once, vendors and impostors too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.model.authentication import organisational_domain
from assistant.store.tables import Client, ClientDomain, Contact, Record

TAG: Final = "confirmed"
"""The tag of a client of whom a colleague says so, though none of the agency's mail to it is on record."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Clients and people to whom a colleague's own mail went, and the domains of the clients."""

    clients: frozenset[int]
    by_word: frozenset[int]
    contacts: frozenset[int]
    domains: frozenset[tuple[int, str]]

    def includes(self, contact: Contact) -> bool:
        """Whether automatic mail may go to this person: written to, or at the domain of a company that was.

        One who merely writes from free mail under a client's name is neither.
        """
        if contact.client_id in self.by_word or contact.id in self.contacts:
            return True
        if contact.client_id not in self.clients:
            return False
        address = contact.addr_spec
        home = organisational_domain(address.rpartition("@")[2])
        return (contact.client_id, home) in self.domains or (contact.client_id, address) in self.domains


def read_confirmed(session: Session, clients: Iterable[Client], ids: Sequence[int]) -> Confirmed:
    """Of the clients with these `ids`; two queries."""
    written = session.execute(
        select(Record.client_id, Record.contact_id)
        .where(
            Record.client_id.in_(ids),
            Record.direction == "outbound",
            Record.kind == "human",
            Record.automatic.is_(False),
        )
        .distinct()
    ).all()
    domains = session.execute(
        select(ClientDomain.client_id, ClientDomain.domain).where(ClientDomain.client_id.in_(ids))
    ).all()
    return Confirmed(
        frozenset(row.client_id for row in written),
        frozenset(client.id for client in clients if TAG in client.tags),
        frozenset(row.contact_id for row in written if row.contact_id is not None),
        frozenset((row.client_id, row.domain) for row in domains),
    )
