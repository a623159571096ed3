"""The Drafts and Sent folders of the real mailbox, over a connection of their own that is made when first needed."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import Self

from assistant.errors import AssistantError
from assistant.mail.imap import ImapConnection
from assistant.mail.oauth import TokenSource
from assistant.mail.settings import MailboxSettings


class ImapDraftBox:
    """Use as a context manager. Folders are found by their special use (RFC 6154), else by the names people use."""

    def __init__(self, settings: MailboxSettings, token_source: TokenSource | None = None) -> None:
        self._settings = settings
        self._token_source = token_source
        self._connection: ImapConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.close()

    @property
    def _imap(self) -> ImapConnection:
        if self._connection is None:
            self._connection = ImapConnection.connect(self._settings, self._token_source)
        return self._connection

    def _drafts(self) -> str:
        folder = self._imap.special_folder("drafts")
        if folder is None:
            raise AssistantError(
                f"The mailbox {self._settings.name} has no folder for drafts: create one named Drafts, "
                'or use release = "approval" in the rules.'
            )
        return folder

    def is_placed(self, message_id: str) -> bool:
        return bool(self._imap.find_message_id(self._drafts(), message_id))

    def place(self, raw: bytes, at: datetime) -> None:
        self._imap.append(self._drafts(), raw, ["\\Draft"], at)

    def remove(self, message_id: str) -> None:
        folder = self._drafts()
        for uid in self._imap.find_message_id(folder, message_id):
            self._imap.delete_uid(folder, uid)

    def was_sent(self, message_id: str) -> bool:
        """Whether the mail is among the mailbox's sent mail; False too where there is no such folder."""
        folder = self._imap.special_folder("sent")
        return folder is not None and bool(self._imap.find_message_id(folder, message_id))
