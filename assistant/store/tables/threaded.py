"""Conversations and the keys that find them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.tables.base import Base, partial_index


class Thread(Base):
    """One conversation. A merged thread keeps its row and points to the one it became."""

    __tablename__ = "thread"
    __table_args__ = (
        partial_index("ix_thread_merged_into", "merged_into", where="merged_into IS NOT NULL"),
        partial_index("ix_thread_continues", "continues_id", where="continues_id IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(default="")
    started_at: Mapped[datetime]
    last_at: Mapped[datetime]
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"), index=True)
    project_confidence: Mapped[float] = mapped_column(default=0.0)
    project_evidence: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime | None]
    """The time (`Location.order_at`) of the mail that decided its project; None: nothing did, or a person."""
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("thread.id"))
    continues_id: Mapped[int | None] = mapped_column(ForeignKey("thread.id"))
    """Weak evidence, apart from the ids: the thread that this one probably goes on from."""
    continues_evidence: Mapped[str] = mapped_column(default="", server_default="")


class ThreadKey(Base):
    """An id that belongs to a thread: of a message, a ghost (seen in References only) or an alias."""

    __tablename__ = "thread_key"

    message_id: Mapped[str] = mapped_column(String(998), primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
