"""projects of which a person changed something, and whose follow-ups have to be decided anew"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("project", sa.Column("look_again", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        "ix_project_look_again",
        "project",
        ["id"],
        sqlite_where=sa.text("look_again"),
        postgresql_where=sa.text("look_again"),
    )
