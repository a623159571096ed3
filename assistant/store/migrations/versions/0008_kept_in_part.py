"""messages that the server could give only in part, and when they are asked for again"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assistant.store.types import UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "kept_in_part",
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("again_at", UtcDateTime()),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_kept_in_part_location_id_location")),
        sa.PrimaryKeyConstraint("location_id", name=op.f("pk_kept_in_part")),
    )
    # What earlier versions kept in part for the server's sake: its time has come.
    op.execute(
        "INSERT INTO kept_in_part (location_id, attempts, again_at) SELECT id, 0, kept_at FROM location "
        "WHERE problem LIKE 'the connection breaks%' OR problem LIKE 'the server cannot give%'"
    )
