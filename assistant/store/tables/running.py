"""The installation itself: who works on what, small settings, and the audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.tables.base import Base


class WorkLease(Base):
    """Something that one of several workers does at a time, who does it, and until when (`assistant.store.leases`)."""

    __tablename__ = "work_lease"

    name: Mapped[str] = mapped_column(String(400), primary_key=True)
    holder: Mapped[str] = mapped_column(String(80), default="")
    until: Mapped[datetime]
    fence: Mapped[int] = mapped_column(default=0)


class Setting(Base):
    """Small facts about the installation itself: last tick, last summary, model in use."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[dict[str, Any]]


class AuditEntry(Base):
    """Append-only (the database refuses changes, see `assistant.store.audit`): who or which rule decided what, about what."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_event", "event", "at"), Index("ix_audit_subject", "subject", "event"))

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    who: Mapped[str]
    event: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(120))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
