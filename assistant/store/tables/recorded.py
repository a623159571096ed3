"""Communication records and what was read out of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.tables.base import Base, partial_index


class Record(Base):
    """One contact with a client, whatever the channel: the communication record."""

    __tablename__ = "record"
    __table_args__ = (
        # Without those of no project: looking for these in one client must not go through all of them.
        partial_index("ix_record_project", "project_id", "sent_at", where="project_id IS NOT NULL"),
        partial_index("ix_record_orphan", "client_id", where="project_id IS NULL"),
        partial_index("ix_record_stranger", "kind", "direction", "originator", where="client_id IS NULL"),
        Index("ix_record_client", "client_id", "sent_at"),
        Index("ix_record_thread", "thread_id", "sent_at"),
        Index("ix_record_sent", "sent_at", "id"),
        Index("ix_record_message_id", "message_id"),
        Index("ix_record_subject_key", "subject_key"),
        Index("ix_record_contact", "contact_id", "sent_at"),
        partial_index("ix_record_absence", "contact_id", where="kind = 'auto_reply'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(String(998))
    fingerprint: Mapped[str] = mapped_column(String(64), default="")
    raw_id: Mapped[int | None] = mapped_column(ForeignKey("raw_mail.id"), index=True)
    sent_at: Mapped[datetime]
    received_at: Mapped[datetime]
    logged_at: Mapped[datetime]
    channel: Mapped[str] = mapped_column(String(12), default="email")
    direction: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(20))
    automatic: Mapped[bool] = mapped_column(default=False)
    """Written by the assistant itself."""
    originator: Mapped[str] = mapped_column(String(320), default="")
    originator_name: Mapped[str] = mapped_column(default="")
    recipients: Mapped[list[Any]] = mapped_column(default=list)
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"))
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("thread.id"))
    trust: Mapped[str] = mapped_column(String(12), default="none")
    """Proof of the sender: pass | fail | none."""
    subject: Mapped[str] = mapped_column(default="")
    base_subject: Mapped[str] = mapped_column(default="")
    subject_key: Mapped[str] = mapped_column(String(32), default="", server_default="")
    """A digest of the base subject without spaces and case: by it mail that lost its references is looked for."""
    thread_index: Mapped[str] = mapped_column(String(44), default="", server_default="")
    """Outlook's Thread-Index, the part that all answers share."""
    is_answer: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(String(12), default="")
    reply_text: Mapped[str] = mapped_column(default="")
    summary: Mapped[str] = mapped_column(default="")
    stage: Mapped[str] = mapped_column(String(20), default="")
    stage_confidence: Mapped[float] = mapped_column(default=0.0)
    stage_evidence: Mapped[str] = mapped_column(default="")
    stage_probabilities: Mapped[list[Any]] = mapped_column(default=list)
    text_probabilities: Mapped[list[Any]] = mapped_column(default=list)
    model: Mapped[str] = mapped_column(String(40), default="")
    context: Mapped[str] = mapped_column(String(16), default="", server_default="")
    """A digest of the history it was read in: while that is the same, reading again would say the same."""
    intents: Mapped[list[Any]] = mapped_column(default=list)
    """`[[id, confidence, evidence], …]`."""
    approval: Mapped[str] = mapped_column(String(20), default="")
    waiting_on: Mapped[str] = mapped_column(String(10), default="nobody")
    waiting_evidence: Mapped[str] = mapped_column(default="")
    attachments: Mapped[list[Any]] = mapped_column(default=list)
    defects: Mapped[list[Any]] = mapped_column(default=list)
    evidence: Mapped[list[Any]] = mapped_column(default=list)
    may_start: Mapped[bool] = mapped_column(default=True)


class SignOff(Base):
    """What was approved, by whom, when, in which message."""

    __tablename__ = "sign_off"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"), index=True)
    what: Mapped[str] = mapped_column(String(20))
    by: Mapped[str]
    at: Mapped[datetime]
    evidence: Mapped[str]
    confidence: Mapped[float]


class OpenItem(Base):
    """A change request, complaint, question or commitment that someone must settle."""

    __tablename__ = "open_item"
    __table_args__ = (
        Index("ix_open_item_open", "project_id", "settled_at"),
        Index("ix_open_item_kind", "kind", "settled_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    """change_request | complaint | question | commitment | task."""
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"), index=True)
    record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"), index=True)
    by: Mapped[str] = mapped_column(String(10))
    """Who must act: us | client."""
    owner: Mapped[str] = mapped_column(default="")
    what: Mapped[str]
    opened_at: Mapped[datetime]
    due: Mapped[date | None]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str] = mapped_column(default="")
    dedupe_key: Mapped[str | None] = mapped_column(String(200), unique=True)


class Correction(Base):
    """A label that a person set right. Survives `assistant rebuild`: it is kept by Message-ID."""

    __tablename__ = "correction"
    __table_args__ = (Index("ix_correction_message_id", "message_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(String(998))
    field: Mapped[str] = mapped_column(String(20))
    value: Mapped[str]
    previous: Mapped[str] = mapped_column(default="")
    by: Mapped[str]
    at: Mapped[datetime]
