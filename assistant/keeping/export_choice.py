"""What of a client's records may be given to that client: mail that its own people had a part in, and nothing of others'."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from assistant.outbox.confidence import Sides, belongs, passed_on, people_of, sides_of
from assistant.store import Archive
from assistant.store.tables import Client, Record
from parsers import parse

_HEADER_READ = 100_000
"""Bytes of a mail in which its From stands."""


@dataclass(frozen=True, slots=True)
class Choice:
    """`given` in their order; `withheld` is left out altogether, of `words_only` the mail itself (numbers of records)."""

    given: tuple[Record, ...]
    withheld: frozenset[int]
    words_only: frozenset[int]


def choose(
    session: Session, archive: Archive, client: Client, records: Sequence[Record], is_ours: Callable[[str], bool]
) -> Choice:
    """Left out is mail with people of whom the client itself has shown no knowledge, though it was logged as the
    client's (a colleague answered somebody else in its conversation), and mail that hands on another client's.

    `is_ours` knows the agency's addresses. Where a colleague forwarded a client's mail to the assistant, the client's
    words are given and the colleague's not.
    """
    sides = sides_of(session, client.id, "")
    known: dict[str, bool] = {}
    withheld, words_only = set(), set()
    for record in records:
        if record.channel != "email":
            continue
        people = [one for one in people_of(record) if not is_ours(one)]
        theirs = any(sides.is_own(one) or _is_known(session, client, sides, one, known) for one in people)
        if not theirs or passed_on(session, archive, record, sides):
            withheld.add(record.id)
        elif record.direction == "inbound" and _came_by_a_colleague(session, archive, record):
            words_only.add(record.id)
    given = tuple(record for record in records if record.id not in withheld)
    return Choice(given, frozenset(withheld), frozenset(words_only))


def _is_known(session: Session, client: Client, sides: Sides, address: str, known: dict[str, bool]) -> bool:
    if address not in known:
        known[address] = belongs(session, client.id, replace(sides, reader=address))
    return known[address]


def _came_by_a_colleague(session: Session, archive: Archive, record: Record) -> bool:
    """Whether another wrote the mail than wrote the words."""
    if record.raw_id is None:
        return False
    try:
        raw = archive.get(session, record.raw_id)
    except LookupError:
        return False
    header, blank, _ = raw[:_HEADER_READ].replace(b"\r\n", b"\n").partition(b"\n\n")
    writer = parse(header + blank).originator
    return writer is not None and writer.addr_spec.lower() != record.originator.lower()
