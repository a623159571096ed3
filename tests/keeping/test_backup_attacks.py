"""A backup that somebody has tampered with runs nothing, brings nothing along, fills no memory, and is refused in words."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import time
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from assistant.errors import AssistantError
from assistant.keeping.backup import back_up, restore
from assistant.store import Database, open_database
from assistant.store.snapshot import file_digests
from tests.databases import SQLITE
from tests.keeping.test_backup import filled
from tests.offices import MONDAY, CommandOutcome, Office, command, mail, open_office, write_config

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS name, i AS value FROM n"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup as it was made."""
    folder = tmp_path_factory.mktemp("sound")
    office = filled(folder)
    back_up(office.workplace.database, folder / "copy", MONDAY)
    office.workplace.database.close()
    return folder / "copy"


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sound, tmp_path / "copy"))


def tamper(copy: Path, *statements: str, sums: bool = True) -> None:
    """Changes the backup, and its sums with it, as somebody who knows the program would."""
    with closing(sqlite3.connect(copy)) as connection:
        for statement in statements:
            connection.executescript(statement)
        connection.commit()
    if sums:
        tables = json.dumps(file_digests(copy))
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("UPDATE backup SET value = ? WHERE name = 'tables'", (tables,))
            connection.commit()


def put_back(copy: Path, folder: Path) -> Database:
    restore(copy, lambda: open_database(f"sqlite:///{folder}/new.db"), MONDAY)
    return open_database(f"sqlite:///{folder}/new.db")


def refused(copy: Path, folder: Path, *, looked_at: bool = True) -> str:
    """How the commands refuse it: in a sentence, soon, and without anything left behind."""
    config = write_config(folder / "place", store="sqlite:///assistant.db")
    began = time.process_time()
    for arguments in (("backup", str(copy), "--check"), ("restore", str(copy)))[not looked_at :]:
        outcome: CommandOutcome = command(config, *arguments)
        assert outcome.status in (1, 2, 3), outcome.out
        assert "Traceback" not in outcome.err
    assert time.process_time() - began < 10
    left = {path.name for path in config.parent.iterdir()} - {"config.toml"}
    assert not [name for name in left if name.startswith(".restore-")]
    assert open_office(config).records() == []
    return outcome.err


def test_triggers_views_and_indexes_of_a_backup_do_not_come_along(copy: Path, tmp_path: Path) -> None:
    tamper(
        copy,
        "CREATE TRIGGER wipe AFTER INSERT ON location BEGIN DELETE FROM record; END",
        "DROP TRIGGER audit_refuses_delete",
        "CREATE INDEX slow ON record (length(subject))",
    )
    fresh = put_back(copy, tmp_path)
    with fresh.engine.connect() as connection:
        names = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type <> 'table'").scalars())
    fresh.close()
    assert "audit_refuses_delete" in names
    assert not names & {"wipe", "slow"}


@pytest.mark.parametrize(
    "statements",
    [
        ("DROP TABLE backup", f"CREATE VIEW backup AS {ENDLESS}"),
        (f"CREATE VIEW more AS {ENDLESS}",),
        ("ALTER TABLE client ADD COLUMN grown TEXT GENERATED ALWAYS AS (hex(zeroblob(500000000))) VIRTUAL",),
        ("CREATE VIRTUAL TABLE more USING fts5(words)",),
    ],
    ids=["the facts are an endless view", "an endless view", "a computed column", "a virtual table"],
)
def test_what_would_run_when_it_is_read_is_not_read(copy: Path, tmp_path: Path, statements: tuple[str, ...]) -> None:
    tamper(copy, *statements, sums=False)
    assert "no backup" in refused(copy, tmp_path)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE more (id INTEGER PRIMARY KEY, words TEXT); INSERT INTO more VALUES (1, 'x')",
        "ALTER TABLE client ADD COLUMN more TEXT",
        "DROP TABLE suppression",
        'CREATE TABLE "../../etc/passwd" (words TEXT); INSERT INTO "../../etc/passwd" VALUES (1)',
        'CREATE TABLE "x"" ; DROP TABLE record; --" (words TEXT)',
    ],
    ids=["a further table", "a further column", "a table less", "a path for a name", "a statement for a name"],
)
def test_other_tables_than_those_of_its_version_are_refused(copy: Path, tmp_path: Path, statement: str) -> None:
    tamper(copy, statement)
    assert "somebody has changed it" in refused(copy, tmp_path, looked_at=False)


FACTS: dict[str, Callable[[str], str]] = {
    "nested without end": lambda _: "[" * 100_000,
    "a number": lambda _: "7",
    "a list": lambda _: "[]",
    "nothing": lambda _: "",
    "a date without a zone": lambda value: value.replace("+00:00", ""),
    "a number without end": lambda _: "1" * 5_000,
    "infinite": lambda _: "1e999",
}


@pytest.mark.parametrize("name", ["format", "made_at", "tables", "revision"])
@pytest.mark.parametrize("value", FACTS)
def test_nonsense_in_the_facts_is_a_sentence(copy: Path, tmp_path: Path, name: str, value: str) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        (stored,) = connection.execute("SELECT value FROM backup WHERE name = ?", (name,)).fetchone()
        connection.execute("UPDATE backup SET value = ? WHERE name = ?", (FACTS[value](stored), name))
        connection.commit()
    if FACTS[value](stored) == stored or (name, value) == ("made_at", "a date without a zone"):
        return
    with pytest.raises(AssistantError) as said:
        restore(copy, lambda: open_database(SQLITE, tmp_path), MONDAY)
    assert str(copy) in str(said.value)


def test_mail_that_unpacks_to_more_than_it_was_fills_no_memory(copy: Path, tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(200_000_000), 9)
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("UPDATE raw_mail SET body = ? WHERE id = 1", (bomb,))
        connection.commit()
    tamper(copy)
    fresh = put_back(copy, tmp_path)
    from assistant.store import DatabaseArchive

    with fresh.reading() as session, pytest.raises(LookupError, match="damaged"):
        DatabaseArchive().get(session, 1)
    with fresh.reading() as session, pytest.raises(LookupError, match="damaged"):
        DatabaseArchive().get_many(session, [1, 2])
    fresh.close()


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "dangling link", "archive"])
def test_what_is_no_file_of_ours_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "copy"
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "archive":
        shutil.make_archive(str(tmp_path / "packed"), "gztar", tmp_path)
        (tmp_path / "packed.tar.gz").rename(place)
    else:
        place.symlink_to("/dev/zero" if kind == "device" else tmp_path / "nowhere")
    refused(place, tmp_path)


def test_a_link_where_the_backup_is_written_leads_nowhere(tmp_path: Path) -> None:
    """Neither through the name that it has at last nor through the one that it has while it is written."""
    office = filled(tmp_path)
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / "copy.partial").symlink_to(victim)
    (tmp_path / "copy").symlink_to(victim)
    back_up(office.workplace.database, tmp_path / "copy", MONDAY, force=True)
    assert victim.read_text() == "untouched"
    assert not (tmp_path / "copy").is_symlink()
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600


def test_a_database_behind_a_link_is_replaced_where_it_lies(copy: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path / "place", store="sqlite:///assistant.db")
    disk = tmp_path / "disk"
    disk.mkdir()
    office: Office = open_office(config)
    office.hear(mail("后来的邮件。"))
    office.workplace.database.close()
    (config.parent / "assistant.db").rename(disk / "assistant.db")
    (config.parent / "assistant.db").symlink_to(disk / "assistant.db")
    assert command(config, "restore", str(copy), "--force").status == 0
    assert (config.parent / "assistant.db").is_symlink()
    assert stat.S_IMODE((disk / "assistant.db").stat().st_mode) == 0o600
    assert len(list(disk.glob("assistant.db.replaced-*"))) == 1
    assert len(open_office(config).records()) == 2
