"""A consistent copy of the whole database as one SQLite file, from SQLite or PostgreSQL, and back into either."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, LargeBinary, Table, func, select, text, update

from assistant.store.database import Database, open_database
from assistant.store.migrate import current_revision, migrate
from assistant.store.tables import Base

_ROWS_AT_ONCE = 500
Progress = Callable[[str, int], None]
"""(table, rows copied since the last call)."""


def no_progress(_table: str, _rows: int) -> None:
    """For those who do not watch."""


def tables_in_order() -> list[Table]:
    """Every table of ours, those that are referred to first."""
    return list(Base.metadata.sorted_tables)


# --- a file that nobody else may read -------------------------------------------------------------------------------


def new_private_file(path: Path) -> None:
    """Creates an empty file with mode 0600; raises FileExistsError where there is one."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


@contextmanager
def plain_sqlite(path: Path, *, read_only: bool = False) -> Iterator[sqlite3.Connection]:
    """The file through the standard library's driver, closed at the end; no transaction is begun by itself."""
    where = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rw'}"
    with closing(sqlite3.connect(where, uri=True, isolation_level=None, timeout=30)) as connection:
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cell_size_check=ON")
        yield connection


# --- database → file ------------------------------------------------------------------------------------------------


def copy_to_file(database: Database, path: Path, progress: Progress = no_progress) -> None:
    """Writes everything that is committed now into a new file at `path`; writers go on meanwhile.

    On SQLite it is a compacted copy read in one transaction: pages of rows that were deleted do not come along.
    On PostgreSQL every table is read in one repeatable-read transaction.
    """
    new_private_file(path)
    if database.is_sqlite:
        source = database.engine.url.database
        assert source, "a database in memory has no backup"
        with plain_sqlite(Path(source)) as connection:
            connection.execute("VACUUM INTO ?", (str(path),))
        return
    target = open_database(f"sqlite:///{path}")
    try:
        migrate(target)
        with database.engine.connect() as reading, target.engine.begin() as writing:
            reading = reading.execution_options(isolation_level="REPEATABLE READ", stream_results=True)
            copy_rows(reading, writing, progress)
    finally:
        target.close()
        settle_journal(path)


def settle_journal(path: Path) -> None:
    """Brings everything from the write-ahead log into the file itself, so that the file alone is the database."""
    with plain_sqlite(path) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


# --- file → database ------------------------------------------------------------------------------------------------


def copy_rows(reading: Connection, writing: Connection, progress: Progress = no_progress) -> None:
    """Copies every row of every table into empty tables of the same schema, ids included."""
    for table in tables_in_order():
        later: list[tuple[Any, dict[str, Any]]] = []
        own = _own_references(table)
        for rows in _batches(reading, table):
            for row in rows:
                held = {name: row[name] for name in own if row[name] is not None}
                if held:  # it may point to a row that comes later
                    later.append((row["id"], held))
                    row.update(dict.fromkeys(held))
                _without_nul(row)
            writing.execute(table.insert(), rows)
            progress(table.name, len(rows))
        for identity, held in later:
            writing.execute(update(table).where(table.c.id == identity).values(**held))
    if writing.dialect.name == "postgresql":
        _set_sequences(writing)


def _own_references(table: Table) -> list[str]:
    return [
        column.name for column in table.columns for key in column.foreign_keys if key.column.table.name == table.name
    ]


def _batches(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    # Whole mails are large: a few of them at once are enough to hold in memory.
    size = 10 if any(isinstance(column.type, LargeBinary) for column in table.columns) else _ROWS_AT_ONCE
    found = connection.execution_options(yield_per=size).execute(select(table).order_by(*key_of(table)))
    for rows in found.mappings().partitions(size):
        yield [dict(row) for row in rows]


def key_of(table: Table) -> list[Column[Any]]:
    return list(table.primary_key.columns)


def _without_nul(row: dict[str, Any]) -> None:
    """PostgreSQL's text cannot hold U+0000; nobody misses it."""
    for name, value in row.items():
        if isinstance(value, str) and "\x00" in value:
            row[name] = value.replace("\x00", "")


def _set_sequences(connection: Connection) -> None:
    """The next ids go on behind those that were copied."""
    for table in tables_in_order():
        if "id" in table.columns:
            newest = connection.scalar(select(func.max(table.c.id))) or 0
            sequence = connection.scalar(
                text(f"SELECT pg_get_serial_sequence('{table.name}', 'id')")
            )  # our own table names
            if sequence:
                connection.execute(
                    text("SELECT setval(:sequence, :newest, :called)"),
                    {"sequence": sequence, "newest": max(newest, 1), "called": newest > 0},
                )


def replace_rows(database: Database, path: Path, progress: Progress = no_progress) -> None:
    """Puts the rows of the file at `path`, which has the newest schema, in place of all there are, in one transaction."""
    source = open_database(f"sqlite:///{path}")
    try:
        with source.reading() as session, database.engine.begin() as writing:
            names = ", ".join(f'"{table.name}"' for table in tables_in_order())
            writing.execute(text(f"TRUNCATE {names}"))
            copy_rows(session.connection(), writing, progress)
    finally:
        source.close()


# --- what a file holds ----------------------------------------------------------------------------------------------


def file_digests(path: Path) -> dict[str, tuple[int, str]]:
    """Table → how many rows, and a SHA-256 over all of them as they are stored, whatever its schema is."""
    with plain_sqlite(path, read_only=True) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'backup'"
        )
        return {name: _file_digest(connection, name) for (name,) in sorted(names.fetchall())}


def _file_digest(connection: sqlite3.Connection, table: str) -> tuple[int, str]:
    digest, count = hashlib.sha256(), 0
    for row in connection.execute(f"SELECT * FROM {_quoted(table)} ORDER BY rowid"):  # noqa: S608  # quoted
        count += 1
        for value in row:
            stored = value if isinstance(value, bytes) else repr(value).encode()
            digest.update(b"%d:" % len(stored))
            digest.update(stored)
    return count, digest.hexdigest()


def _quoted(name: str) -> str:
    """A name as SQLite takes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def is_plain(path: Path) -> bool:
    """Whether reading the file's tables runs nothing that somebody put there: no view or virtual table is called like a
    table, and no column is computed. Its triggers, indexes and views are never used."""
    with plain_sqlite(path, read_only=True) as connection:
        objects = connection.execute("SELECT name, type, rootpage FROM sqlite_master").fetchall()
        tables = [name for name, kind, page in objects if kind == "table" and page]
        if any(kind == "view" or (kind == "table" and not page) for _, kind, page in objects):
            return False
        # The seventh field of each row says whether a column is hidden or computed.
        return not any(
            row[6] for name in tables for row in connection.execute("SELECT * FROM pragma_table_xinfo(?)", (name,))
        )


def copy_tables(source: Path, target: Path, but: Collection[str] = ()) -> None:
    """Fills the tables of `target` with the rows that the tables of the same names have in `source`, in their order.

    Nothing else of `source` comes along. Raises sqlite3.DatabaseError where the columns differ.
    """
    with plain_sqlite(target) as connection:
        connection.execute("ATTACH DATABASE ? AS source", (f"{source.resolve().as_uri()}?mode=ro",))
        found = connection.execute("SELECT name FROM source.sqlite_master WHERE type = 'table' AND rootpage > 0")
        names = sorted(name for (name,) in found if not name.startswith("sqlite_") and name not in but)
        connection.execute("BEGIN IMMEDIATE")
        for name in names:
            quoted = _quoted(name)
            columns = ", ".join(
                _quoted(row[1]) for row in connection.execute("SELECT * FROM pragma_table_info(?, 'source')", (name,))
            )
            connection.execute(f"DELETE FROM main.{quoted}")  # noqa: S608  # names are quoted
            connection.execute(
                f"INSERT INTO main.{quoted} ({columns}) SELECT {columns} FROM source.{quoted} ORDER BY rowid"  # noqa: S608  # as above
            )
        connection.execute("COMMIT")
        connection.execute("DETACH DATABASE source")


def table_digests(database: Database) -> dict[str, tuple[int, str]]:
    """The same over values as the program sees them: equal for the same rows on SQLite and PostgreSQL."""
    found: dict[str, tuple[int, str]] = {}
    with database.reading() as session:
        connection = session.connection()
        for table in tables_in_order():
            digest, count = hashlib.sha256(), 0
            for rows in _batches(connection, table):
                for row in rows:
                    _without_nul(row)
                    count += 1
                    digest.update(json.dumps([_plain(value) for value in row.values()], sort_keys=True).encode())
            found[table.name] = (count, digest.hexdigest())
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (bytes, memoryview)):
        return hashlib.sha256(value).hexdigest()
    return value


def is_filled(database: Database) -> bool:
    """Whether anything is in it that somebody would miss."""
    with database.reading() as session:
        return any(
            session.execute(select(*key_of(table)).limit(1)).first() is not None
            for table in tables_in_order()
            if table.name in {"raw_mail", "record", "client", "outbox", "correction", "suppression"}
        )


def used_by_others(database: Database) -> bool:
    """Whether another process has the database open at present."""
    if not database.is_sqlite:
        current_revision(database)  # says in a sentence when the server is away
        with database.engine.connect() as connection:
            others = connection.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
            )
            return bool(others)
    database.close()
    try:
        # Leaving WAL needs the file for oneself alone; it is entered again with the next connection.
        with plain_sqlite(Path(database.engine.url.database or "")) as connection:
            connection.execute("PRAGMA busy_timeout=200")
            mode = connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
    except sqlite3.DatabaseError as error:
        return "locked" in str(error)  # a damaged file is in nobody's use
    return bool(mode != "delete")
