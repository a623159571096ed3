"""Which messages belong together: by every id they mention, never by subject alone.

A table maps each id to a thread: ids of messages, of ghosts (mentioned but not seen) and aliases. A message joins the
oldest of the threads its ids are in and merges the others into it, so that any order of arrival gives the same
partition.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from parsers import Message

MAXIMUM_IDS = 400
"""A message that mentions more keeps the first and the last: both ends of a long conversation are what joins it."""
_LONGEST_ID = 600
"""Letters of an id that is stored as it is: RFC 5322 §2.1.1 allows a line of 998, a database index about 2,700 bytes."""


def ids_of(message_id: str, message: Message) -> tuple[str, ...]:
    """Every id that ties this message to others, its own first, each once."""
    mentioned = (*message.references, *((message.in_reply_to,) if message.in_reply_to else ()))
    if len(mentioned) > MAXIMUM_IDS:
        mentioned = (*mentioned[: MAXIMUM_IDS // 2], *mentioned[-MAXIMUM_IDS // 2 :])
    return tuple(dict.fromkeys(_stored(identifier) for identifier in (message_id, *message.aliases, *mentioned)))


def _stored(identifier: str) -> str:
    """The id itself; of a monstrous one its digest, which is as good for telling ids apart."""
    if len(identifier) <= _LONGEST_ID:
        return identifier
    return f"{hashlib.sha256(identifier.encode('utf-8', 'replace')).hexdigest()}@long-id.invalid"


@dataclass(frozen=True, slots=True)
class Placement:
    """One conversation that a batch touches: `members` (positions in the batch) go into `thread` (None: a new one),
    after `merged` became part of it; `new_ids` are to be added."""

    members: tuple[int, ...]
    thread: int | None
    merged: tuple[int, ...]
    new_ids: tuple[str, ...]


def place(batch: Sequence[Sequence[str]], known: Mapping[str, int]) -> tuple[Placement, ...]:
    """Decides for a batch of messages, given by their ids, and the threads that some of these ids are already in.

    Conversations that share no id of the batch stay apart; the oldest thread (the smallest number) takes in the others.
    """
    table = ThreadTable()
    members: dict[str, list[int]] = {}
    threads: dict[str, set[int]] = {}
    new_ids: dict[str, dict[str, None]] = {}
    for ids in batch:
        table.add((*ids, *(_name(known[identifier]) for identifier in ids if identifier in known)))
    for position, ids in enumerate(batch):
        for identifier in ids:
            home = table.thread_of(identifier)
            if identifier in known:
                threads.setdefault(home, set()).add(known[identifier])
            else:
                new_ids.setdefault(home, {})[identifier] = None
        members.setdefault(home, []).append(position)
    placements = []
    for home, positions in members.items():
        oldest_first = sorted(threads.get(home, ()))
        oldest = oldest_first[0] if oldest_first else None
        placements.append(Placement(tuple(positions), oldest, tuple(oldest_first[1:]), tuple(new_ids.get(home, ()))))
    return tuple(placements)


def _name(thread: int) -> str:
    """A thread as a node beside the ids: no id has a line break in it."""
    return f"\n{thread}"


class ThreadTable:
    """The same in memory: for whole mailboxes at once, and to check the database against. Union-find over ids."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def add(self, ids: Iterable[str]) -> None:
        roots = [self._root(identifier) for identifier in ids]
        if roots:
            first = min(roots)
            for root in roots:
                self._parent[root] = first

    def thread_of(self, identifier: str) -> str:
        """A name for the thread: the smallest id in it, whatever the order of arrival."""
        return self._root(identifier)

    def _root(self, identifier: str) -> str:
        parent = self._parent
        root = parent.setdefault(identifier, identifier)
        while root != parent[root]:
            root = parent[root]
        while parent[identifier] != root:
            parent[identifier], identifier = root, parent[identifier]
        return root
