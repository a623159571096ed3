"""Which messages belong together: by every id they mention, never by subject alone.

A table maps each id to a thread: ids of messages, of ghosts (mentioned but not seen) and aliases. A message joins the
oldest of the threads its ids are in and merges the others into it, so that any order of arrival gives the same
partition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from parsers import Message

MAXIMUM_IDS = 400
"""A message that mentions more keeps the first and the last: both ends of a long conversation are what joins it."""


def ids_of(message_id: str, message: Message) -> tuple[str, ...]:
    """Every id that ties this message to others, its own first, each once."""
    mentioned = (*message.references, *((message.in_reply_to,) if message.in_reply_to else ()))
    if len(mentioned) > MAXIMUM_IDS:
        mentioned = (*mentioned[: MAXIMUM_IDS // 2], *mentioned[-MAXIMUM_IDS // 2 :])
    return tuple(dict.fromkeys((message_id, *message.aliases, *mentioned)))


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a message goes: into `thread` (None: a new one), after `merged` became part of it; `new_ids` are to be added."""

    thread: int | None
    merged: tuple[int, ...]
    new_ids: tuple[str, ...]


def place(ids: Iterable[str], known: Mapping[str, int]) -> Placement:
    """Decides from the ids of a message and the threads that some of them are already in."""
    ids = tuple(ids)
    threads = sorted({known[identifier] for identifier in ids if identifier in known})
    new = tuple(identifier for identifier in ids if identifier not in known)
    if not threads:
        return Placement(None, (), new)
    return Placement(threads[0], tuple(threads[1:]), new)


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
