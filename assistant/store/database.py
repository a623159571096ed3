"""Opening the database: SQLite in WAL mode with foreign keys, or PostgreSQL, behind one class."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from assistant.clock import monotonic
from assistant.errors import AssistantError, StoreUnavailable
from assistant.privately import make_private
from assistant.store.writing import number_new_rows

_BUSY_TIMEOUT_SECONDS = 30
_RETRY_SECONDS = 0.02
_ALONE = 0x63632D61
"""The number of PostgreSQL's advisory lock for transactions that decide."""
_STOPPED_SECONDS = 90
"""A process that does nothing in an open transaction for so long has been stopped; the server ends it."""


class Database:
    """One engine and its sessions. `session()` commits at the end or rolls back; nothing is shared between threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @property
    def folder(self) -> Path | None:
        """Where an SQLite database lies; None for one in memory or on a server."""
        name = self.engine.url.database if self.is_sqlite else None
        return Path(name).parent if name and name != ":memory:" else None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction. Raises StoreUnavailable with what to do when the database is locked, full or gone."""
        try:
            with self._sessions() as session, session.begin():
                number_new_rows(session)
                yield session
        except DatabaseError as error:
            if not is_broken(error):
                raise
            raise store_error(error, self.engine.url) from error

    @contextmanager
    def alone(self) -> Iterator[Session]:
        """As `session`, and no other `alone` of any process runs meanwhile: on PostgreSQL too, as on SQLite by itself.

        For transactions that look at everything and then decide. A process that stops in the middle of one is cut off
        by the server after a while, and has written nothing.
        """
        with self.session() as session:
            if not self.is_sqlite:
                session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ALONE})
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """As `session`, for looking only: on SQLite it waits for no writer, and whatever it changes is thrown away."""
        try:
            with self._sessions(bind=self.engine.execution_options(read=True)) as session:
                yield session
                session.rollback()
        except OperationalError as error:
            raise store_error(error, self.engine.url) from error

    def close(self) -> None:
        self.engine.dispose()


def open_database(url: str, base: Path | None = None) -> Database:
    """Opens (and for SQLite creates) the database at `url`; a relative SQLite path is relative to `base`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return Database(_sqlite_engine(parsed, base))
    if parsed.get_backend_name() == "postgresql":
        return Database(_postgresql_engine(parsed))
    raise AssistantError(
        f"[store] url: {parsed.get_backend_name()} is not supported; use sqlite:/// or postgresql+psycopg://"
    )


def _sqlite_engine(url: URL, base: Path | None) -> Engine:
    if url.database and url.database != ":memory:":
        path = Path(url.database)
        if not path.is_absolute() and base is not None:
            path = base / path
        _private_file(path)
        url = url.set(database=str(path))
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _settings(connection: sqlite3.Connection, _record: Any) -> None:
        # Transactions are begun by _begin below; sqlite3's own implicit ones would start as readers and then
        # fail to upgrade ("database is locked") when two writers meet.
        connection.isolation_level = None
        _write_ahead(connection)
        for pragma in ("foreign_keys=ON", "synchronous=FULL", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        # SQLite's own knows the letters of ASCII alone.
        connection.create_function("lower", 1, _lower, deterministic=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if not connection.get_execution_options().get("read") else "BEGIN")

    return engine


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Two processes that open a new database at once: one of them is refused by SQLite without waiting its timeout."""
    deadline = monotonic() + _BUSY_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
            time.sleep(_RETRY_SECONDS)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _private_file(path: Path) -> None:
    """The database holds clients' correspondence: readable by its owner alone.

    A file that is there is not opened: closing it would take away the locks that SQLite holds on it in this process.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        elif path.is_dir() or not os.access(path, os.R_OK | os.W_OK):
            raise OSError(errno.EACCES, "it is a folder" if path.is_dir() else os.strerror(errno.EACCES))
        for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            if file.exists():
                make_private(file)
    except OSError as error:
        raise StoreUnavailable(
            f"cannot open the database {path}: {error.strerror}. Check [store] url and the folder's rights."
        ) from error


def _postgresql_engine(url: URL) -> Engine:
    try:
        return create_engine(
            url,
            pool_pre_ping=True,
            connect_args={
                "options": f"-c idle_in_transaction_session_timeout={_STOPPED_SECONDS}s"
                f" -c lock_timeout={_BUSY_TIMEOUT_SECONDS}s"
            },
        )
    except ModuleNotFoundError as error:
        raise AssistantError("PostgreSQL needs a driver: install cc-assistant[postgresql]") from error


def is_broken(error: DatabaseError) -> bool:
    """Whether the database itself is in trouble, and not the statement: locked, full, gone, or no database at all."""
    return isinstance(error, OperationalError) or type(error) is DatabaseError or error.connection_invalidated


def store_error(error: DBAPIError, url: URL) -> StoreUnavailable:
    """The sentence for a person, made from the driver's words."""
    words = str(error.orig).lower()
    place = url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    if "lock timeout" in words:
        return StoreUnavailable(
            f"another process holds the database {place}: it may have been stopped. It is waited for, and tried again."
        )
    if "locked" in words:
        return StoreUnavailable(
            f"the database {place} is locked by another process. Stop the other assistant, or wait and try again."
        )
    if "full" in words or "no space" in words:
        return StoreUnavailable(
            f"the disk of the database {place} is full. Free some space; nothing was lost, reading goes on after that."
        )
    if "no such table" in words or "does not exist" in words:
        return StoreUnavailable(
            f"the database {place} has no tables of cc-assistant. Run `assistant run --once` or `assistant doctor` to set it up."
        )
    if "readonly" in words or "read-only" in words:
        return StoreUnavailable(f"the database {place} cannot be written. Check the rights of the file and its folder.")
    if "not a database" in words or "malformed" in words:
        return StoreUnavailable(
            f"the file {place} is damaged or no database. Restore a backup of it, or name another file in [store] url."
        )
    first = str(error.orig).splitlines()[0] if str(error.orig) else type(error.orig).__name__
    return StoreUnavailable(f"the database {place} cannot be used: {first}")
