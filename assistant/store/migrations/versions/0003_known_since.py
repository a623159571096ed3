"""since when clients, people and projects are known; weak evidence for threads; people who move; phones"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assistant.store.types import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for table in ("client", "contact", "project"):
        op.add_column(table, sa.Column("known_since", UtcDateTime()))
    op.add_column("contact", sa.Column("phone", sa.String(40), server_default="", nullable=False))
    _refer("contact", "formerly_id", "contact")
    op.add_column("thread", sa.Column("decided_at", UtcDateTime()))
    _refer("thread", "continues_id", "thread")
    op.add_column("thread", sa.Column("continues_evidence", sa.Text(), server_default="", nullable=False))
    op.add_column("record", sa.Column("subject_key", sa.String(32), server_default="", nullable=False))
    op.add_column("record", sa.Column("thread_index", sa.String(44), server_default="", nullable=False))
    op.add_column("record", sa.Column("context", sa.String(16), server_default="", nullable=False))
    op.create_index("ix_record_subject_key", "record", ["subject_key"])


def _refer(table: str, column: str, other: str) -> None:
    """A column that refers to another table, written in one piece: SQLite cannot add the constraint afterwards."""
    name = f"fk_{table}_{column}_{other}"
    op.add_column(
        table, sa.Column(column, sa.Integer(), sa.ForeignKey(f"{other}.id", name=name)), inline_references=True
    )
