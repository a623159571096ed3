"""Which database the tests use where they do not say: a SQLite file, or with CC_ASSISTANT_TEST_DATABASE=postgresql PostgreSQL."""

from __future__ import annotations

import atexit
import functools
import os
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy.engine import make_url

from assistant.store import Database, open_database
from assistant.store.migrate import migrate
from tests.servers.postgresql import PostgreSql, postgresql_server

ON_POSTGRESQL = os.environ.get("CC_ASSISTANT_TEST_DATABASE", "sqlite") == "postgresql"
SQLITE = "sqlite:///assistant.db"
TEMPLATE = "template_of_tests"

_urls: dict[Path, str] = {}


def store_url(folder: Path) -> str:
    """What `[store] url` is for an installation in `folder`; the same folder has the same database."""
    if not ON_POSTGRESQL:
        return SQLITE
    folder = folder.resolve()
    if folder not in _urls:
        _urls[folder] = shared_server().create_database(TEMPLATE)
    return _urls[folder]


def new_database(folder: Path) -> Database:
    """An opened database with all tables and no row; the same for the same folder."""
    database = open_database(store_url(folder), folder)
    migrate(database)
    return database


def forget_databases(keep: frozenset[Path]) -> None:
    """Drops what was created since `keep` was asked for."""
    for folder in [folder for folder in _urls if folder not in keep]:
        shared_server().drop_database(make_url(_urls.pop(folder)).database or "")


def databases() -> frozenset[Path]:
    return frozenset(_urls)


@functools.cache
def shared_server() -> PostgreSql:
    """One server for this process, with a migrated database to copy from; ended when the process ends."""
    stack = ExitStack()
    atexit.register(stack.close)
    server = stack.enter_context(postgresql_server())
    template = open_database(server.create_database("template0", TEMPLATE))
    migrate(template)
    template.close()
    return server
