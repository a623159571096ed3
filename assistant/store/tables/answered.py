"""What is planned, sent and told: cadence runs, the outbox, notes to staff."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.tables.base import Base


class CadenceRunRow(Base):
    """A cadence under way for a project (`assistant.model.cadence.CadenceRun`), and when its next step is due."""

    __tablename__ = "cadence_run"
    __table_args__ = (
        UniqueConstraint("project_id", "cadence", "anchor_record_id"),
        Index("ix_cadence_run_due", "status", "due_at"),
        Index("ix_cadence_run_contact", "contact_id"),
        Index("ix_cadence_run_anchor", "anchor_record_id"),
        Index("ix_cadence_run_thread", "thread_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    cadence: Mapped[str] = mapped_column(String(120))
    version: Mapped[str] = mapped_column(String(64))
    definition: Mapped[str] = mapped_column(default="")
    """The cadence as it was when this run began: edits to the file do not change what is under way."""
    anchor_record_id: Mapped[int] = mapped_column(ForeignKey("record.id"))
    anchor_sent_at: Mapped[datetime]
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id"))
    step_index: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    paused_until: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(String(12), default="active")
    """active | paused | stopped | completed."""
    reason: Mapped[str] = mapped_column(String(40), default="")
    detail: Mapped[str] = mapped_column(default="")
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    last_sent_at: Mapped[datetime | None]
    sent_count: Mapped[int] = mapped_column(default=0)
    delayed_business_days: Mapped[int] = mapped_column(default=0)


class OutboxMessage(Base):
    """One mail of ours: exact bytes and Message-ID stored before anything is sent."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "state", "due_at"),
        Index("ix_outbox_settled_at", "settled_at"),
        Index("ix_outbox_message_id", "message_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(String(300), unique=True)
    message_id: Mapped[str] = mapped_column(String(998))
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    envelope_from: Mapped[str] = mapped_column(String(320))
    recipients: Mapped[list[Any]]
    subject: Mapped[str] = mapped_column(default="")
    purpose: Mapped[str] = mapped_column(String(20))
    """follow-up | greeting | reminder | summary | digest | notice."""
    audience: Mapped[str] = mapped_column(String(10))
    """client | staff."""
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"), index=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("thread.id"), index=True)
    anchor_record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"), index=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("cadence_run.id"), index=True)
    rule: Mapped[str] = mapped_column(String(120), default="")
    rule_version: Mapped[str] = mapped_column(String(64), default="")
    step: Mapped[int] = mapped_column(default=0)
    template: Mapped[str] = mapped_column(String(120), default="")
    language: Mapped[str] = mapped_column(String(12), default="")
    release: Mapped[str] = mapped_column(String(20), default="now")
    state: Mapped[str] = mapped_column(String(20), default="queued")
    """waiting_approval | queued | claimed | sent | deferred | refused | uncertain | cancelled | vetoed."""
    reason: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str] = mapped_column(String(80), default="")
    claimed_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    settled_at: Mapped[datetime | None]
    answer_code: Mapped[int | None]
    answer_text: Mapped[str] = mapped_column(default="")
    results: Mapped[list[Any]] = mapped_column(default=list)
    """Per recipient: `[addr_spec, accepted, code, text, permanent]`."""
    decided_by: Mapped[str] = mapped_column(default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


class StaffNote(Base):
    """Something a colleague is to be told once; bundled into one mail when `not_before` has come."""

    __tablename__ = "staff_note"
    __table_args__ = (Index("ix_staff_note_open", "outbox_id", "not_before"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(String(300), unique=True)
    kind: Mapped[str] = mapped_column(String(30))
    to_address: Mapped[str] = mapped_column(String(320))
    urgent: Mapped[bool] = mapped_column(default=False)
    not_before: Mapped[datetime]
    text: Mapped[str] = mapped_column(default="")
    rule: Mapped[str] = mapped_column(String(120), default="")
    rule_version: Mapped[str] = mapped_column(String(64), default="")
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"), index=True)
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    outbox_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"))
