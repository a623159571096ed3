"""A database that an older version filled is brought to the newest schema with every row in it, and works from there."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command as alembic
from alembic.script import ScriptDirectory
from sqlalchemy import Column, MetaData, Table, insert, select, text

from assistant.errors import AssistantError
from assistant.store import Database, open_database
from assistant.store.migrate import current_revision, migrate, migration_config, newest_revision
from assistant.store.snapshot import table_digests
from assistant.store.tables import Base
from tests.offices import ASSISTANT, CHEN, LILEI, MONDAY, command, mail, open_office, write_config
from tests.servers.postgresql import PostgreSql

REVISIONS = [script.revision for script in ScriptDirectory.from_config(migration_config()).walk_revisions()][::-1]
TIME = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def folder_and_url(
    request: pytest.FixtureRequest, tmp_path: Path, postgresql: PostgreSql
) -> Iterator[tuple[Path, str]]:
    with ExitStack() as stack:
        url = "sqlite:///assistant.db"
        if request.param == "postgresql":
            url = stack.enter_context(postgresql.new_database())
        yield tmp_path, url


def at_revision(url: str, folder: Path, revision: str) -> Database:
    database = open_database(url, folder)
    config = migration_config()
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        alembic.upgrade(config, revision)
        connection.commit()
    return database


def fill(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Two rows in every table of that version, each column with something in it; returns them."""
    found = MetaData()
    with database.engine.begin() as connection:
        found.reflect(connection)
        for table in _in_order(found):
            connection.execute(insert(table), [_row(table, number) for number in (1, 2)])
        return {table.name: _rows(connection, table, table.columns.keys()) for table in _in_order(found)}


def _in_order(found: MetaData) -> Sequence[Table]:
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def _rows(connection: Any, table: Table, columns: Sequence[str]) -> list[dict[str, Any]]:
    wanted = select(*(table.c[name] for name in columns)).order_by(*table.primary_key.columns)
    return [dict(row) for row in connection.execute(wanted).mappings()]


_VALUES: Sequence[tuple[str, Callable[[int], Any]]] = (
    ("INT", lambda number: 1000 + number),
    ("BOOL", lambda _number: True),
    ("FLOAT", lambda _number: 0.5),
    ("DOUBLE", lambda _number: 0.5),
    ("REAL", lambda _number: 0.5),
    ("BLOB", lambda _number: zlib.compress(b"")),
    ("BYTEA", lambda _number: zlib.compress(b"")),
    ("TIME", lambda _number: TIME),
    ("DATE", lambda _number: date(2026, 2, 3)),
)
_OF_ITS_OWN = {"location", "client_domain", "contact", "sign_off"}
"""Tables whose rows refer to different rows, so that not everything hangs on the first."""


def _row(table: Table, number: int) -> dict[str, Any]:
    row = {column.name: _value(table, column, number) for column in table.columns}
    if table.name in _OF_ITS_OWN:
        row |= {key: number for key in ("record_id", "raw_id", "client_id") if key in row}
    if table.name in {"quarantine", "kept_in_part"}:
        row["location_id"] = number
    return row


def _value(table: Table, column: Column[Any], number: int) -> Any:
    if column.foreign_keys:
        return 1 if any(key.column.table is not table for key in column.foreign_keys) else None
    if column.name == "id":
        return number
    kind = type(column.type).__name__.upper()
    if "JSON" in kind:
        return {"at": "here"} if column.name in {"value", "details"} else [["一", "two"]]
    for name, value in _VALUES:
        if name in kind:
            return value(number)
    return f"{number}{table.name}"[: getattr(column.type, "length", None)]


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_nothing_is_lost_on_the_way_up(folder_and_url: tuple[Path, str], revision: str) -> None:
    folder, url = folder_and_url
    database = at_revision(url, folder, revision)
    before = fill(database)
    assert sum(len(rows) for rows in before.values()) >= 34
    migrate(database)
    assert current_revision(database) == newest_revision()
    after = MetaData()
    with database.engine.connect() as connection:
        after.reflect(connection)
        for name, rows in before.items():
            assert _rows(connection, after.tables[name], list(rows[0])) == rows, name
    assert set(table_digests(database)) == set(Base.metadata.tables)  # the program can read every row
    database.close()


def test_the_first_version_with_real_mail_goes_on_where_it_stopped(folder_and_url: tuple[Path, str]) -> None:
    """Its newest part is left empty by the upgrade, and new mail still finds client, project and thread."""
    folder, url = folder_and_url
    newest = open_office(write_config(folder / "newest", store=None))
    newest.hear(
        mail("请报价。#discovery", message_id="a@mingshan.example"),
        mail("方案附上。#proposal", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,), message_id="b@lanhai.example",
             answers=("a@mingshan.example",)),
    )  # fmt: skip
    old = at_revision(url, folder, REVISIONS[0])
    _carry_back(newest.workplace.database, old)
    newest.workplace.database.close()
    old.close()
    office = open_office(write_config(folder, store=url))
    answer = office.log(
        mail("可以。#agreement", message_id="c@mingshan.example", answers=("b@lanhai.example",)), folder="New"
    )
    assert {record.project_id for record in office.records()} == {answer.project_id}
    assert len(office.clients()) == 1
    assert command(office.config_file, "projects", "--json").status == 0
    office.workplace.database.close()


def _carry_back(newest: Database, old: Database) -> None:
    """What the first version would have had: its own columns of every row."""
    found = MetaData()
    with newest.engine.connect() as reading, old.engine.begin() as writing:
        found.reflect(writing)
        for table in _in_order(found):
            if rows := _rows(reading, Base.metadata.tables[table.name], table.columns.keys()):
                writing.execute(insert(table), rows)
        if old.engine.dialect.name == "postgresql":
            for table in _in_order(found):
                if "id" in table.columns:
                    writing.execute(
                        text(
                            f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), "
                            f"(SELECT coalesce(max(id), 1) FROM {table.name}))"
                        )
                    )


def test_a_newer_database_than_the_program_is_a_sentence(folder_and_url: tuple[Path, str]) -> None:
    folder, url = folder_and_url
    config = write_config(folder, store=url)
    office = open_office(config, now=MONDAY)
    with office.workplace.database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(AssistantError, match="newer cc-assistant"):
        migrate(office.workplace.database)
    office.workplace.database.close()
    outcome = command(config, "records")
    assert (outcome.status, "9999" in outcome.err, "Traceback" in outcome.err) == (3, True, False)
