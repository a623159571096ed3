"""Where somebody who is to be forgotten left traces: which records are theirs, and which other rows name them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from assistant.errors import WrongUse
from assistant.store import Archive
from assistant.store.erased import erased_key
from assistant.store.tables import Client, ClientDomain, Contact, Location, Project, RawMail, Record
from parsers import Message, parse

_SHORTEST_NAME = 2
_SHORTEST_LATIN_NAME = 5
_AT_ONCE = 200


@dataclass(frozen=True)
class Person:
    """Who is to be forgotten: a client with everybody there, or (`client_ids` empty) one person."""

    client_ids: frozenset[int]
    contact_ids: frozenset[int]
    keys: frozenset[str]
    """Addresses, and `@domain` for whole domains: what is remembered as hashes."""
    names: frozenset[str]
    """Names long enough to be told from ordinary words."""
    called: frozenset[str] = frozenset()
    """What clients are called, ordinary words too: looked for only in our own mail to colleagues, which is about clients."""

    def is_address(self, addr_spec: str) -> bool:
        address = addr_spec.lower()
        labels = address.rpartition("@")[2].split(".")
        return address in self.keys or any(
            f"@{'.'.join(labels[start:])}" in self.keys for start in range(len(labels) - 1)
        )

    @property
    def needles(self) -> tuple[str, ...]:
        """What must not be found any more, in lower case, the longest first."""
        return tuple(sorted({*self.keys, *(name.lower() for name in self.names)}, key=lambda item: (-len(item), item)))

    def _has_domain(self, lowered: str) -> bool:
        """A whole domain of theirs, without an address in front: in a link, or where the audit speaks of a client by it."""
        domains = (key[1:] for key in self.keys if key.startswith("@"))
        return any(
            domain in lowered and re.search(rf"(?<![\w-]){re.escape(domain)}(?![\w-]|\.\w)", lowered)
            for domain in domains
        )

    def is_named_in(self, text: str, *, ours: bool = False) -> bool:
        """`ours`: mail to colleagues, in which a client's name means the client even if it is an ordinary word."""
        lowered = text.lower()
        if any(needle in lowered for needle in self.needles) or self._has_domain(lowered):
            return True
        return ours and any(
            re.search(rf"(?<!\w){re.escape(name.lower())}(?!\w)" if name.isascii() else re.escape(name), lowered)
            for name in self.called
        )


def find_person(session: Session, which: str) -> Person:
    """By address for a person; by number, domain or name for a client. Raises WrongUse."""
    from assistant.intake.moves import find_client

    wanted = which.strip().lower()
    if "@" in wanted.strip("@"):
        contact = session.scalar(select(Contact).where(Contact.addr_spec == wanted))
        owner = session.get(Client, contact.client_id) if contact is not None else None
        if owner is None or owner.kind != "person":
            name = (contact.name,) if contact is not None else ()
            numbers = (contact.id,) if contact is not None else ()
            return Person(frozenset(), frozenset(numbers), frozenset({wanted}), _telling(name))
    try:
        client = find_client(session, which)
    except WrongUse as error:
        raise WrongUse(f"{error} A person is named by the mail address.") from None
    return _whole_client(session, client)


def _whole_client(session: Session, client: Client) -> Person:
    numbers = {client.id}
    while more := set(session.scalars(select(Client.id).where(Client.merged_into.in_(numbers)))) - numbers:
        numbers |= more
    contacts = session.scalars(select(Contact).where(Contact.client_id.in_(numbers))).all()
    domains = session.scalars(select(ClientDomain.domain).where(ClientDomain.client_id.in_(numbers))).all()
    clients = session.scalars(select(Client.name).where(Client.id.in_(numbers))).all()
    projects = session.scalars(select(Project.name).where(Project.client_id.in_(numbers))).all()
    keys = {erased_key(domain.lower()) for domain in domains} | {contact.addr_spec.lower() for contact in contacts}
    return Person(
        frozenset(numbers),
        frozenset(contact.id for contact in contacts),
        frozenset(keys),
        _telling((*clients, *(contact.name for contact in contacts), *(name for name in projects if len(name) > 5))),
        frozenset(name for name in clients if len(name) > 1),
    )


def _telling(names: Iterable[str]) -> frozenset[str]:
    """Names that are no ordinary word: of several parts, long, or in Chinese."""
    found = (" ".join(name.split()) for name in names)
    return frozenset(
        name
        for name in found
        if len(name) >= (_SHORTEST_LATIN_NAME if name.isascii() else _SHORTEST_NAME)
        and (not name.isascii() or " " in name or len(name) > 2 * _SHORTEST_LATIN_NAME)
    )


@dataclass(frozen=True)
class Traces:
    """`records` go; `shared` stay without the person; `raw_ids` lose their bytes; `others` are another client's mail."""

    records: frozenset[int]
    shared: frozenset[int]
    raw_ids: frozenset[int]
    others: int


def find_traces(session: Session, person: Person, archive: Archive, staff: Sequence[str]) -> Traces:
    """Reads through everything that may name the person. Mail of other clients stays and is only counted."""
    records: set[int] = set()
    shared: set[int] = set()
    others: set[int] = set()
    raw_of: dict[int, int] = {}
    for row in session.execute(_columns()):
        addresses = [row.originator, *(str(item[1]) for item in row.recipients)]
        named = any(person.is_address(address) for address in addresses)
        if row.raw_id is not None:
            raw_of[row.id] = row.raw_id
        if row.client_id in person.client_ids or row.contact_id in person.contact_ids or named:
            target = _share(row, person, named, staff)
            {"theirs": records, "shared": shared, "other": others}[target].add(row.id)
        elif row.client_id is None and person.is_named_in(_words(row)):
            records.add(row.id)
    kept_raw = {raw_of[number] for number in others if number in raw_of}
    raw_ids = {raw_of[number] for number in records | shared if number in raw_of} - kept_raw
    of_clients = set(
        session.scalars(select(Record.raw_id).where(Record.client_id.is_not(None), Record.raw_id.is_not(None)))
    )
    loose = set(session.scalars(select(RawMail.id).where(RawMail.erased_at.is_(None)))) - of_clients - raw_ids
    raw_ids |= set(_naming(session, archive, sorted(loose), person))
    return Traces(frozenset(records), frozenset(shared), frozenset(raw_ids), len(others))


def _columns() -> Any:
    return select(
        Record.id,
        Record.raw_id,
        Record.client_id,
        Record.contact_id,
        Record.direction,
        Record.originator,
        Record.recipients,
        Record.subject,
        Record.summary,
        Record.reply_text,
    )


def _share(row: Any, person: Person, named: bool, staff: Sequence[str]) -> str:
    """Whether a record that is theirs or names them goes, stays without them, or is somebody else's."""
    if row.client_id in person.client_ids:
        return "theirs"
    if person.client_ids:
        return "other" if row.client_id is not None else "theirs"
    if person.is_address(row.originator) or row.client_id is None:
        return "theirs"
    outside = {str(item[1]).lower() for item in row.recipients} - set(staff)
    alone = row.direction == "outbound" and all(person.is_address(address) for address in outside)
    return "theirs" if named and alone else "shared"


def _words(row: Any) -> str:
    return f"{row.subject}\n{row.summary}\n{row.reply_text}"


def _naming(session: Session, archive: Archive, raw_ids: Sequence[int], person: Person) -> Iterator[int]:
    """Of mail that is no client's (internal, ignored, broken), what names the person."""
    for start in range(0, len(raw_ids), _AT_ONCE):
        for number, raw in archive.get_many(session, raw_ids[start : start + _AT_ONCE]).items():
            if names_person(raw, person):
                yield number


def names_person(raw: bytes, person: Person, *, ours: bool = False) -> bool:
    """Whether the bytes, or what can be read from them, name the person. `ours`: see `Person.is_named_in`."""
    if person.is_named_in(raw.decode("utf-8", "replace")):
        return True
    try:
        return person.is_named_in(_text_of(parse(raw)), ours=ours)
    except Exception:  # noqa: BLE001  # what cannot be read names nobody that a reader could find
        return False


def _text_of(message: Message) -> str:
    people = (message.originator, *message.to, *message.cc)
    named = " ".join(f"{person.name} {person.addr_spec}" for person in people if person is not None)
    files = " ".join(item.filename or "" for item in message.attachments)
    return f"{named}\n{message.subject}\n{message.text}\n{files}"


def locations_of(session: Session, traces: Traces) -> list[Location]:
    """Where the messages were seen that go."""
    found: list[Location] = []
    numbers = sorted(traces.records | traces.raw_ids)
    for start in range(0, len(numbers), _AT_ONCE):
        part = numbers[start : start + _AT_ONCE]
        records = [number for number in part if number in traces.records]
        raws = [number for number in part if number in traces.raw_ids]
        found.extend(
            session.scalars(select(Location).where(or_(Location.record_id.in_(records), Location.raw_id.in_(raws))))
        )
    return found
