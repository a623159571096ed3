"""Clients, their people, and projects with their stages."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.tables.base import Base, partial_index


class Client(Base):
    """A company, or a person writing from free mail."""

    __tablename__ = "client"
    __table_args__ = (partial_index("ix_client_merged_into", "merged_into", where="merged_into IS NOT NULL"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(String(10), default="company")
    country: Mapped[str] = mapped_column(String(8), default="")
    language: Mapped[str] = mapped_column(String(12), default="")
    timezone: Mapped[str] = mapped_column(String(64), default="")
    owner: Mapped[str] = mapped_column(default="")
    """The addr-spec of the staff member who answers for this client."""
    tags: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime]
    known_since: Mapped[datetime | None]
    """The time (`Location.order_at`) of the mail that made it known; None: a person did."""
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("client.id"))


class ClientDomain(Base):
    """A mail domain, or for free mail a whole address, that belongs to a client."""

    __tablename__ = "client_domain"

    domain: Mapped[str] = mapped_column(String(320), primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)


class Contact(Base):
    """A person at a client."""

    __tablename__ = "contact"
    __table_args__ = (partial_index("ix_contact_formerly", "formerly_id", where="formerly_id IS NOT NULL"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    addr_spec: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(default="")
    role: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(String(40), default="", server_default="")
    language: Mapped[str] = mapped_column(String(12), default="")
    country: Mapped[str] = mapped_column(String(8), default="")
    timezone: Mapped[str] = mapped_column(String(64), default="")
    tags: Mapped[list[Any]] = mapped_column(default=list)
    absent_until: Mapped[date | None]
    birthday: Mapped[str] = mapped_column(String(10), default="")
    """`MM-DD`, or empty."""
    since: Mapped[date | None]
    created_at: Mapped[datetime]
    known_since: Mapped[datetime | None]
    """The time (`Location.order_at`) of the mail that made the person known; None: a person did."""
    last_inbound_at: Mapped[datetime | None]
    formerly_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    """The same person at the company they worked for before."""


class Suppression(Base):
    """An address that gets no automatic mail, in which scope, why, and when to look again."""

    __tablename__ = "suppression"
    __table_args__ = (
        UniqueConstraint("addr_spec", "scope", "thread_id"),
        Index("ix_suppression_reason", "reason", "since"),
        Index("ix_suppression_thread", "thread_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    addr_spec: Mapped[str] = mapped_column(String(320), index=True)
    scope: Mapped[str] = mapped_column(String(20))
    """thread | follow-ups | greetings | all, or delivery for an address that bounces."""
    thread_id: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(40))
    evidence: Mapped[str] = mapped_column(default="")
    since: Mapped[datetime]
    review_at: Mapped[datetime | None]


class Project(Base):
    """One piece of work for one client, and where it stands."""

    __tablename__ = "project"
    __table_args__ = (
        Index("ix_project_waiting", "state", "waiting_on"),
        partial_index("ix_project_look_again", "id", where="look_again", on_sqlite="look_again = 1"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    name: Mapped[str]
    owner: Mapped[str] = mapped_column(default="")
    stage: Mapped[str] = mapped_column(String(20), default="discovery")
    stage_since: Mapped[datetime]
    stage_confidence: Mapped[float] = mapped_column(default=0.0)
    state: Mapped[str] = mapped_column(String(12), default="running")
    """running | paused | lost | over."""
    waiting_on: Mapped[str] = mapped_column(String(10), default="nobody")
    waiting_since: Mapped[datetime | None]
    waiting_record_id: Mapped[int | None]
    waiting_evidence: Mapped[str] = mapped_column(default="")
    opened_at: Mapped[datetime]
    known_since: Mapped[datetime | None]
    """The time (`Location.order_at`) of the mail that began it; None: a person did."""
    last_at: Mapped[datetime]
    tags: Mapped[list[Any]] = mapped_column(default=list)
    value: Mapped[float | None]
    currency: Mapped[str] = mapped_column(String(3), default="")
    look_again: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Somebody changed by hand what its follow-ups depend on; they have yet to be decided anew."""


class StageChange(Base):
    """One step of a project's stage history, with what showed it."""

    __tablename__ = "stage_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    from_stage: Mapped[str] = mapped_column(String(20), default="")
    to_stage: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]
    record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"), index=True)
    confidence: Mapped[float]
    evidence: Mapped[str] = mapped_column(default="")
    asked: Mapped[bool] = mapped_column(default=False)
