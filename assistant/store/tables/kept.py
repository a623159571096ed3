"""What was fetched: bytes, where they lay, what could not be read, and how far each folder was read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.tables.base import UID, Base, partial_index


class RawMail(Base):
    """The exact bytes of a message, compressed; each content once."""

    __tablename__ = "raw_mail"
    __table_args__ = (
        # Which mails there are is known without going through their bytes.
        partial_index("ix_raw_mail_kept", "id", where="erased_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    size: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    truncated: Mapped[bool] = mapped_column(default=False)
    erased_at: Mapped[datetime | None]
    """When the bytes were taken away, because somebody is to be forgotten or their time was over; the sum stays."""


class FolderCursor(Base):
    """How far a folder was read: everything up to `last_uid` of this UIDVALIDITY is kept."""

    __tablename__ = "folder_cursor"

    mailbox: Mapped[str] = mapped_column(String(200), primary_key=True)
    folder: Mapped[str] = mapped_column(String(200), primary_key=True)
    uidvalidity: Mapped[int] = mapped_column(UID)
    last_uid: Mapped[int] = mapped_column(UID)
    read_at: Mapped[datetime]
    first_uidnext: Mapped[int] = mapped_column(UID, default=0, server_default="0")
    """UIDNEXT when this numbering was first read: mail below it that is not there was gone before us."""


class Location(Base):
    """Where a message was seen, and what became of it. `outcome` is pending until interpretation settles it."""

    __tablename__ = "location"
    __table_args__ = (
        UniqueConstraint("mailbox", "folder", "uidvalidity", "uid"),
        Index("ix_location_outcome", "outcome", "order_at", "id"),
        Index("ix_location_raw", "raw_id"),
        Index("ix_location_record", "record_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox: Mapped[str] = mapped_column(String(200))
    folder: Mapped[str] = mapped_column(String(200))
    uidvalidity: Mapped[int] = mapped_column(UID)
    uid: Mapped[int] = mapped_column(UID)
    raw_id: Mapped[int] = mapped_column(ForeignKey("raw_mail.id"))
    problem: Mapped[str] = mapped_column(default="", server_default="")
    """Why only a part of the message is kept; empty when it is whole."""
    received_at: Mapped[datetime]
    order_at: Mapped[datetime]
    """When it was written as far as its header says: history is interpreted in this order."""
    kept_at: Mapped[datetime]
    may_start: Mapped[bool] = mapped_column(default=True)
    """False for imported history: it is logged, but no cadence begins with it."""
    outcome: Mapped[str] = mapped_column(String(20), default="pending")
    """pending | logged | duplicate | ignored | quarantined."""
    outcome_reason: Mapped[str] = mapped_column(default="")
    record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"))


class KeptInPart(Base):
    """A message that the server could give only in part: asked for again, with growing delays, until it is whole."""

    __tablename__ = "kept_in_part"

    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"), primary_key=True, autoincrement=False)
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    again_at: Mapped[datetime | None]
    """None after the last attempt: the operator is told, and `assistant ledger --check` tries it still."""


class UidGap(Base):
    """UIDs that the server gave out, and whose mail people moved or deleted before it was read: accounted for, not kept."""

    __tablename__ = "uid_gap"

    mailbox: Mapped[str] = mapped_column(String(200), primary_key=True)
    folder: Mapped[str] = mapped_column(String(200), primary_key=True)
    uidvalidity: Mapped[int] = mapped_column(UID, primary_key=True)
    first_uid: Mapped[int] = mapped_column(UID, primary_key=True)
    last_uid: Mapped[int] = mapped_column(UID)
    reason: Mapped[str] = mapped_column(String(20))
    """vanished: shown, gone before it was read | skipped: given out, never shown."""
    noticed_at: Mapped[datetime]


class Quarantine(Base):
    """A message that broke a phase: kept with phase and reason until someone retries or dismisses it."""

    __tablename__ = "quarantine"

    id: Mapped[int] = mapped_column(primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"), unique=True)
    raw_id: Mapped[int] = mapped_column(ForeignKey("raw_mail.id"))
    phase: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str]
    since: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=1)
    settled_at: Mapped[datetime | None]
