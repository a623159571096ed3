"""indexes for what is asked at every message and every turn: no question reads a whole table"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_WHOLE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("ix_record_contact", "record", ("contact_id", "sent_at")),
    ("ix_location_record", "location", ("record_id",)),
    ("ix_cadence_run_anchor", "cadence_run", ("anchor_record_id",)),
    ("ix_cadence_run_thread", "cadence_run", ("thread_id",)),
    ("ix_outbox_settled_at", "outbox", ("settled_at",)),
    ("ix_outbox_thread_id", "outbox", ("thread_id",)),
    ("ix_outbox_anchor_record_id", "outbox", ("anchor_record_id",)),
    ("ix_staff_note_project_id", "staff_note", ("project_id",)),
    ("ix_staff_note_client_id", "staff_note", ("client_id",)),
    ("ix_staff_note_contact_id", "staff_note", ("contact_id",)),
    ("ix_staff_note_record_id", "staff_note", ("record_id",)),
    ("ix_stage_change_record_id", "stage_change", ("record_id",)),
    ("ix_open_item_kind", "open_item", ("kind", "settled_at")),
    ("ix_suppression_reason", "suppression", ("reason", "since")),
    ("ix_suppression_thread", "suppression", ("thread_id",)),
    ("ix_audit_event", "audit", ("event", "at")),
    ("ix_audit_subject", "audit", ("subject", "event")),
)
_OF_SOME_ROWS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("ix_raw_mail_kept", "raw_mail", ("id",), "erased_at IS NULL"),
    ("ix_record_project", "record", ("project_id", "sent_at"), "project_id IS NOT NULL"),
    ("ix_record_orphan", "record", ("client_id",), "project_id IS NULL"),
    ("ix_record_stranger", "record", ("kind", "direction", "originator"), "client_id IS NULL"),
    ("ix_client_merged_into", "client", ("merged_into",), "merged_into IS NOT NULL"),
    ("ix_contact_formerly", "contact", ("formerly_id",), "formerly_id IS NOT NULL"),
    ("ix_thread_merged_into", "thread", ("merged_into",), "merged_into IS NOT NULL"),
    ("ix_thread_continues", "thread", ("continues_id",), "continues_id IS NOT NULL"),
)


def upgrade() -> None:
    for name, table in (
        ("ix_record_project", "record"),
        # The audience came first in it, and SQLite took it for every question that named one.
        ("ix_outbox_settled", "outbox"),
        ("ix_project_look_again", "project"),
    ):
        op.drop_index(name, table_name=table)
    for name, table, columns in _WHOLE:
        op.create_index(name, table, list(columns))
    for name, table, columns, where in _OF_SOME_ROWS:
        op.create_index(name, table, list(columns), sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_index(
        "ix_project_look_again",
        "project",
        ["id"],
        sqlite_where=sa.text("look_again = 1"),
        postgresql_where=sa.text("look_again"),
    )
