"""Asks again for messages that a server could give only in part: one by one, and never twice in a row."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from assistant.mail.fetching import Fetched
from assistant.mail.folders import FolderMissing

if TYPE_CHECKING:
    from assistant.mail.imap import ImapConnection

log = structlog.get_logger("assistant.mail")


@dataclass(frozen=True, slots=True)
class Part:
    """Where a message lies of which only a part is kept."""

    folder: str
    uidvalidity: int
    uid: int


class PartBook(Protocol):
    """What is known of such messages; a part of the reader's sink."""

    def parts(self, mailbox: str, *, every: bool) -> Sequence[Part]:
        """Those whose time has come, by folder; with `every` all that are left, also those that were given up."""

    def try_part(self, mailbox: str, part: Part, *, every: bool) -> bool:
        """Notes an attempt before it is made, so that a message that breaks the connection waits for its next turn;
        False when another worker was quicker."""

    def complete(self, mailbox: str, part: Part, whole: Fetched) -> None:
        """Keeps the whole message in the place of the part."""

    def give_up_part(self, mailbox: str, part: Part, why: str) -> None:
        """It is not there any more. Without a `why` it was read again under another number, and nobody need know."""


def fetch_again(connection: ImapConnection, book: PartBook, mailbox: str, *, every: bool = False) -> int:
    """Completes what can be had by now, and returns how many. Leaves another folder open. Raises what the connection
    raises; what it was at then waits for its next turn."""
    found = 0
    for folder, parts in itertools.groupby(book.parts(mailbox, every=every), key=lambda part: part.folder):
        wanted = [part for part in parts if book.try_part(mailbox, part, every=every)]
        if not wanted:
            continue
        try:
            state = connection.open(folder)
        except FolderMissing:
            continue
        for part in wanted:
            if part.uidvalidity != state.uidvalidity:
                book.give_up_part(mailbox, part, "")
                continue
            found += _fetch_one(connection, book, mailbox, part)
    return found


def _fetch_one(connection: ImapConnection, book: PartBook, mailbox: str, part: Part) -> int:
    fetched = connection.fetch_again(part.uid)
    if fetched is None:
        log.info("message_still_in_part", mailbox=mailbox, folder=part.folder, uid=part.uid)
        return 0
    if fetched.gone:
        book.give_up_part(mailbox, part, "it is not on the server any more")
        return 0
    book.complete(mailbox, part, fetched)
    log.info("message_completed", mailbox=mailbox, folder=part.folder, uid=part.uid, bytes=len(fetched.raw))
    return 1
