"""Compares a folder on the server with what is kept of it, by windows of UIDs, and fetches what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from assistant.mail.fetching import Fetched
from assistant.mail.folders import FolderMissing

if TYPE_CHECKING:
    from assistant.mail.imap import ImapConnection
    from assistant.mail.reader import Cursor

log = structlog.get_logger("assistant.mail")

LAST_UID = 2**32 - 1
NAMED = 1_000
"""So many missing UIDs are named; all are counted and fetched."""
_ANEW = "The server has numbered this folder anew meanwhile; it is read again."


class AccountBook(Protocol):
    """What is known of a folder; a part of the reader's sink."""

    def cursor(self, mailbox: str, folder: str) -> Cursor | None: ...

    def accounted(self, mailbox: str, folder: str, uidvalidity: int, first_uid: int, last_uid: int) -> set[int]: ...

    def keep(
        self, mailbox: str, folder: str, uidvalidity: int, batch: Sequence[Fetched], gone: Sequence[int] = ()
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class FolderAccount:
    """One folder compared. Counts are of messages.

    `on_server` = `kept` + `unread` + `missing`; `unread` came during the comparison and is read by the next look.
    `missing` were shown by the server and passed over; `fetched` of them have been kept now, and the first of their UIDs
    are in `missing_uids`. `gone` are kept, and people have since moved or deleted them on the server. `error` is a
    sentence when the folder could not be compared.
    """

    mailbox: str
    folder: str
    uidvalidity: int = 0
    on_server: int = 0
    kept: int = 0
    unread: int = 0
    missing: int = 0
    fetched: int = 0
    gone: int = 0
    missing_uids: tuple[int, ...] = ()
    error: str = ""

    @property
    def even(self) -> bool:
        """Whether nothing was missing."""
        return not self.missing and not self.error


def reconcile_folder(connection: ImapConnection, book: AccountBook, mailbox: str, folder: str) -> FolderAccount:
    """Leaves `folder` open. Memory does not grow with the folder. Raises what the connection raises."""
    try:
        state = connection.open(folder)
    except FolderMissing as error:
        return FolderAccount(mailbox, folder, error=str(error))
    cursor = book.cursor(mailbox, folder)
    if cursor is None or cursor.uidvalidity != state.uidvalidity:
        return FolderAccount(
            mailbox, folder, state.uidvalidity, state.exists, unread=state.exists, error="" if cursor is None else _ANEW
        )
    on_server = kept = unread = gone = 0
    missing: list[int] = []
    first = 1
    for window in connection.uid_windows():
        if not window:
            continue
        known = book.accounted(mailbox, folder, state.uidvalidity, first, window[-1])
        shown = set(window)
        on_server += len(shown)
        kept += len(shown & known)
        gone += len(known - shown)
        unread += sum(uid > cursor.last_uid for uid in shown - known)
        missing += sorted(uid for uid in shown - known if uid <= cursor.last_uid)
        first = window[-1] + 1
    gone += len(book.accounted(mailbox, folder, state.uidvalidity, first, LAST_UID))
    fetched = _fetch(connection, book, mailbox, folder, state.uidvalidity, missing)
    if missing:
        log.error("ledger_gap", mailbox=mailbox, folder=folder, missing=len(missing), fetched=fetched)
    return FolderAccount(
        mailbox,
        folder,
        state.uidvalidity,
        on_server,
        kept,
        unread,
        len(missing),
        fetched,
        gone,
        tuple(missing[:NAMED]),
    )


def _fetch(
    connection: ImapConnection, book: AccountBook, mailbox: str, folder: str, uidvalidity: int, uids: Sequence[int]
) -> int:
    fetched = 0
    for batch in connection.fetch_uids(uids):
        there = [message for message in batch if not message.gone]
        book.keep(mailbox, folder, uidvalidity, there, [message.uid for message in batch if message.gone])
        fetched += len(there)
    return fetched
