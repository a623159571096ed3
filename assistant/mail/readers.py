"""Reads several mailboxes side by side: each by a reader of its own, so that one that is down holds up none of the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from assistant.errors import AssistantError, LoginRefused, ServerUnreachable
from assistant.mail.reader import MailboxReader
from assistant.mail.reconcile import FolderAccount

_Result = TypeVar("_Result")

_SETTLING_SECONDS = 4.0
"""How long the readers of the other mailboxes are waited for at the end."""


class MailboxReaders:
    """Has the face of one reader. What fails in one mailbox is said after all of them had their turn."""

    def __init__(self, readers: Sequence[MailboxReader]) -> None:
        """`readers`: at least one, of different mailboxes."""
        self.readers = tuple(readers)

    @property
    def names(self) -> tuple[str, ...]:
        """What the mailboxes are called."""
        return tuple(reader.settings.name for reader in self.readers)

    def read_once(self, timeout_seconds: float | None = None) -> int:
        """One whole look at every mailbox, begun now; returns how many messages were kept.

        Raises what the first failing mailbox raised, when all the others were read: the answer is then not known. What
        was kept before stays.
        """
        found, errors = self._each(lambda reader: reader.read_once(timeout_seconds))
        if errors:
            raise _together(errors)
        return sum(found)

    def reconcile(self, only: str = "") -> list[FolderAccount]:
        """Compares every mailbox (or the one called `only`) with its server. One of several that cannot be reached is an
        account with an error and no folder; of a single one that is raised: ServerUnreachable or LoginRefused."""
        chosen = [reader for reader in self.readers if only in ("", reader.settings.name)]
        found, errors = self._each(_compared, chosen)
        if errors:  # a full disk and the like
            raise _together(errors)
        if len(chosen) == 1 and isinstance(found[0], AssistantError):
            raise found[0]
        return [
            account
            for reader, result in zip(chosen, found, strict=True)
            for account in (
                [FolderAccount(reader.settings.name, "", error=str(result))]
                if isinstance(result, AssistantError)
                else result
            )
        ]

    def run(self, stop: threading.Event) -> None:
        """Reads until `stop`, each mailbox in a thread of its own. Never raises."""
        first, *others = self.readers
        threads = [
            threading.Thread(target=reader.run, args=(stop,), name=f"mailbox-reader-{number}", daemon=True)
            for number, reader in enumerate(others, 2)
        ]
        for thread in threads:
            thread.start()
        first.run(stop)
        for thread in threads:
            thread.join(_SETTLING_SECONDS)

    def _each(
        self, work: Callable[[MailboxReader], _Result], readers: Sequence[MailboxReader] | None = None
    ) -> tuple[list[_Result], list[AssistantError]]:
        """What `work` gives for each, side by side, and what it raised."""
        chosen = self.readers if readers is None else readers
        if len(chosen) == 1:
            return [work(chosen[0])], []
        found, errors = [], []
        with ThreadPoolExecutor(len(chosen), thread_name_prefix="mailbox") as pool:
            for future in [pool.submit(work, reader) for reader in chosen]:
                try:
                    found.append(future.result())
                except AssistantError as error:
                    errors.append(error)
        return found, errors


def _compared(reader: MailboxReader) -> list[FolderAccount] | AssistantError:
    try:
        return reader.reconcile()
    except (ServerUnreachable, LoginRefused) as error:
        return error


def _together(errors: Sequence[AssistantError]) -> AssistantError:
    """One error that says what all of them say."""
    if len(errors) == 1:
        return errors[0].with_traceback(None)
    kind = LoginRefused if all(isinstance(error, LoginRefused) for error in errors) else ServerUnreachable
    return kind(" ".join(str(error) for error in errors))
