"""when the bytes of a message were erased"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assistant.store.types import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("raw_mail", sa.Column("erased_at", UtcDateTime()))
