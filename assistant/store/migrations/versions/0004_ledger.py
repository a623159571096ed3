"""the ledger: gaps, what was kept in part, UIDs up to 2^32 - 1"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assistant.store.types import UtcDateTime

revision = "0004"
down_revision = "0003"

UID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "uid_gap",
        sa.Column("mailbox", sa.String(length=200), nullable=False),
        sa.Column("folder", sa.String(length=200), nullable=False),
        sa.Column("uidvalidity", UID, nullable=False),
        sa.Column("first_uid", UID, nullable=False),
        sa.Column("last_uid", UID, nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("noticed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox", "folder", "uidvalidity", "first_uid", name=op.f("pk_uid_gap")),
    )
    op.add_column("folder_cursor", sa.Column("first_uidnext", UID, nullable=False, server_default="0"))
    op.add_column("location", sa.Column("problem", sa.Text(), nullable=False, server_default=""))
    op.execute("UPDATE folder_cursor SET first_uidnext = last_uid + 1")
    if op.get_bind().dialect.name != "sqlite":  # whose integers hold 64 bits whatever they are called
        for table, column in (
            ("folder_cursor", "uidvalidity"),
            ("folder_cursor", "last_uid"),
            ("location", "uidvalidity"),
            ("location", "uid"),
        ):
            op.alter_column(table, column, type_=sa.BigInteger(), existing_type=sa.Integer(), existing_nullable=False)
