"""Brings a database to the newest schema by Alembic, from the first table on."""

from __future__ import annotations

import functools
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from assistant.errors import AssistantError
from assistant.store.database import Database, is_broken, store_error

_FOLDER = Path(__file__).parent / "migrations"
_ALONE = 5322_6409
"""The number of PostgreSQL's advisory lock for one that migrates: several workers may be started at once."""


def migration_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config


def current_revision(database: Database) -> str | None:
    """The revision the database is at, or None when it has no tables yet."""
    try:
        with database.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except DatabaseError as error:
        if not is_broken(error):
            raise
        raise store_error(error, database.engine.url) from error


@functools.cache
def newest_revision() -> str:
    """The revision that this program brings databases to."""
    head = ScriptDirectory.from_config(migration_config()).get_current_head()
    assert head is not None, "the package carries at least one migration"
    return head


def known_revisions() -> frozenset[str]:
    """Every revision this program can bring a database on from."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(migration_config()).walk_revisions())


def migrate(database: Database, to: str = "head") -> None:
    """Upgrades in place to the newest revision, or to that named; does nothing when it is there already.

    Raises AssistantError for a database that a newer version of the program has written.
    """
    current = current_revision(database)
    if current == newest_revision():
        return
    if current is not None and current not in known_revisions():
        place = database.engine.url.render_as_string(hide_password=True)
        raise AssistantError(
            f"the database {place} was written by a newer cc-assistant (schema {current}, this version knows up to"
            f" {newest_revision()}). Install that version or a later one, or restore a backup made by this one."
        )
    config = migration_config()
    try:
        with database.engine.begin() as connection:
            if not database.is_sqlite:  # there a transaction that writes is alone in any case
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ALONE})
            config.attributes["connection"] = connection
            command.upgrade(config, to)
    except DatabaseError as error:
        if not is_broken(error):
            raise
        raise store_error(error, database.engine.url) from error
