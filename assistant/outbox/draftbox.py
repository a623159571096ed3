"""The Drafts and Sent folders of the real mailboxes, over connections of their own that are made when first needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from assistant.errors import AssistantError
from assistant.mail.imap import ImapConnection
from assistant.mail.oauth import TokenSource
from assistant.mail.settings import MailboxSettings


class ImapDraftBox:
    """Use as a context manager. Folders are found by their special use (RFC 6154), else by the names people use."""

    def __init__(self, mailboxes: Sequence[tuple[MailboxSettings, TokenSource | None]]) -> None:
        """Of several mailboxes drafts go into the first; sent mail is looked for in all."""
        self._mailboxes = mailboxes
        self._connections: dict[str, ImapConnection] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._connections.values():
            connection.close()

    def _each(self) -> Iterator[ImapConnection]:
        for settings, token_source in self._mailboxes:
            if settings.name not in self._connections:
                self._connections[settings.name] = ImapConnection.connect(settings, token_source)
            yield self._connections[settings.name]

    def _drafts(self) -> tuple[ImapConnection, str]:
        connection = next(self._each())
        folder = connection.special_folder("drafts")
        if folder is None:
            raise AssistantError(
                f"The mailbox {connection.settings.name} has no folder for drafts: create one named Drafts, "
                'or use release = "approval" in the rules.'
            )
        return connection, folder

    def is_placed(self, message_id: str) -> bool:
        connection, folder = self._drafts()
        return bool(connection.find_message_id(folder, message_id))

    def place(self, raw: bytes, at: datetime) -> None:
        connection, folder = self._drafts()
        connection.append(folder, raw, ["\\Draft"], at)

    def remove(self, message_id: str) -> None:
        connection, folder = self._drafts()
        for uid in connection.find_message_id(folder, message_id):
            connection.delete_uid(folder, uid)

    def was_sent(self, message_id: str) -> bool:
        """Whether the mail is among sent mail; False too where there is no such folder."""
        for connection in self._each():
            folder = connection.special_folder("sent")
            if folder is not None and connection.find_message_id(folder, message_id):
                return True
        return False
