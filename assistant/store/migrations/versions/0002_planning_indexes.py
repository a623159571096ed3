"""indexes by which many clients are read together"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("ix_cadence_run_contact", "cadence_run", ["contact_id"])
    absences = sa.text("kind = 'auto_reply'")
    op.create_index("ix_record_absence", "record", ["contact_id"], sqlite_where=absences, postgresql_where=absences)
