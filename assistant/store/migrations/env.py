"""Alembic's entry: runs migrations on the connection that `assistant.store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from assistant.store.tables import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=False,
    transactional_ddl=True,  # SQLite's too: all of it or nothing, and one process at a time
)
with context.begin_transaction():
    context.run_migrations()
