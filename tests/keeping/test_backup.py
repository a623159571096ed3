"""A backup is whole, checks itself, and what comes back from it is what went in, row for row, on either database."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from assistant.errors import AssistantError, WrongUse
from assistant.keeping.backup import back_up, restore
from assistant.store import Database, open_database
from assistant.store.migrate import migrate
from assistant.store.snapshot import file_digests, table_digests
from assistant.store.tables import OutboxMessage, RawMail, Setting
from tests.databases import SQLITE
from tests.offices import ASSISTANT, CHEN, LILEI, MONDAY, Office, command, mail, open_office, write_config

NOT_COPIED = {"setting", "audit"}
"""A restore notes itself in these."""


def filled(folder: Path, url: str = SQLITE) -> Office:
    """An office with a question, a proposal, a mail in quarantine, a run and a nudge that was vetoed."""
    office = open_office(write_config(folder, store=url))
    office.hear(
        mail("请报价。#discovery #question", message_id="a@mingshan.example", at=MONDAY - timedelta(hours=2)),
        mail("坏了 #broken", originator="x@broken.example", message_id="x@broken.example"),
        mail("方案附上。#proposal", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,), message_id="b@lanhai.example",
             at=MONDAY - timedelta(hours=1), answers=("a@mingshan.example",)),
    )  # fmt: skip
    office.move(days=3, minutes=5)
    office.workplace.decide_due()
    assert [row.state for row in office.outbox()] == ["queued"]
    with office.session() as session:
        session.execute(update(OutboxMessage).values(state="vetoed"))
    return office


def without_notes(database: Database) -> dict[str, tuple[int, str]]:
    return {name: found for name, found in table_digests(database).items() if name not in NOT_COPIED}


@pytest.mark.parametrize("from_postgresql", [False, True], ids=["from sqlite", "from postgresql"])
@pytest.mark.parametrize("to_postgresql", [False, True], ids=["to sqlite", "to postgresql"])
def test_what_is_restored_equals_what_was_there_row_for_row(
    tmp_path: Path, postgresql_url: str, other_postgresql_url: str, from_postgresql: bool, to_postgresql: bool
) -> None:
    office = filled(tmp_path / "old", postgresql_url if from_postgresql else SQLITE)
    before = without_notes(office.workplace.database)
    facts = back_up(office.workplace.database, tmp_path / "copy", MONDAY)
    assert facts.tables["record"][0] == 2
    office.workplace.database.close()
    new_url = other_postgresql_url if to_postgresql else f"sqlite:///{tmp_path}/new.db"
    restored = restore(tmp_path / "copy", lambda: open_database(new_url), MONDAY)
    assert (restored.held, restored.replaced) == (0, None)
    fresh = open_database(new_url)
    migrate(fresh)
    assert without_notes(fresh) == before
    with fresh.session() as session:  # new rows go on behind the restored ones
        session.add(RawMail(sha256="new", size=0, body=b""))
    fresh.close()


def test_a_backup_is_made_while_others_write(tmp_path: Path) -> None:
    office = filled(tmp_path)
    database = office.workplace.database
    stop = threading.Event()
    written: list[int] = []

    def write() -> None:
        while not stop.is_set():
            with database.session() as session:  # two rows that only make sense together
                for name in ("first", "second"):
                    session.merge(Setting(name=name, value={"is": len(written)}))
            written.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            back_up(database, tmp_path / f"copy{number}", MONDAY)
    finally:
        stop.set()
        writer.join()
    assert len(written) > 5
    for number in range(5):
        with sqlite3.connect(tmp_path / f"copy{number}") as connection:
            pairs = connection.execute("SELECT value FROM setting WHERE name IN ('first', 'second')").fetchall()
        assert len({value for (value,) in pairs}) <= 1


def test_only_its_owner_may_read_a_backup_and_none_is_overwritten_by_mistake(tmp_path: Path) -> None:
    office = filled(tmp_path)
    config, copy = office.config_file, tmp_path / "copy"
    assert command(config, "backup", str(copy)).status == 0
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    first = copy.read_bytes()
    again = command(config, "backup", str(copy))
    assert (again.status, copy.read_bytes() == first) == (2, True)
    assert "--force" in again.err
    assert command(config, "backup", str(copy), "--force").status == 0
    described = json.loads(command(config, "backup", str(copy), "--check", "--json").out)
    assert (described["tables"]["record"], described["origin"]) == (2, "sqlite")
    assert [path.name for path in tmp_path.glob("copy*")] == ["copy"]


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    office = filled(tmp_path)
    outcome = command(office.config_file, "backup", str(tmp_path / "nowhere" / "copy"))
    assert (outcome.status, "Traceback" in outcome.err) == (3, False)
    assert "cannot write" in outcome.err


@pytest.mark.parametrize("harm", ["a changed byte", "cut short", "a row less", "no backup", "empty", "newer"])
def test_a_bad_backup_is_refused_and_changes_nothing(tmp_path: Path, harm: str) -> None:
    office = filled(tmp_path)
    database, copy = office.workplace.database, tmp_path / "copy"
    back_up(database, copy, MONDAY)
    raw = copy.read_bytes()
    if harm == "a changed byte":
        with sqlite3.connect(copy) as connection:
            connection.execute("UPDATE record SET summary = summary || 'x' WHERE id = 1")
    elif harm == "a row less":
        with sqlite3.connect(copy) as connection:
            connection.execute("DROP TRIGGER audit_refuses_delete")
            connection.execute("DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)")
    elif harm == "newer":
        with sqlite3.connect(copy) as connection:
            connection.execute("UPDATE backup SET value = '\"9999\"' WHERE name = 'revision'")
    else:
        copy.write_bytes({"cut short": raw[: len(raw) // 2], "no backup": b"Hello", "empty": b""}[harm])
    before = table_digests(database)
    with pytest.raises(AssistantError) as refused:
        restore(copy, lambda: open_database(SQLITE, tmp_path), MONDAY, force=True)
    assert str(copy) in str(refused.value)
    assert ("newer" in str(refused.value)) == (harm == "newer")
    assert table_digests(database) == before


def test_a_filled_database_is_replaced_only_on_request_and_kept_aside(tmp_path: Path) -> None:
    office = filled(tmp_path)
    config, copy = office.config_file, tmp_path / "copy"
    back_up(office.workplace.database, copy, MONDAY)
    office.hear(mail("后来的邮件。", message_id="later@mingshan.example"))
    office.workplace.database.close()
    refused = command(config, "restore", str(copy))
    assert (refused.status, "--force" in refused.err) == (2, True)
    done = command(config, "restore", str(copy), "--force", "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert told["held"] == 0
    assert len(open_office(config).records()) == 2
    assert file_digests(Path(told["replaced"]))["record"][0] == 3
    assert stat.S_IMODE((tmp_path / "assistant.db").stat().st_mode) == 0o600


def test_a_database_in_use_is_not_replaced(tmp_path: Path, postgresql_url: str) -> None:
    for url in (SQLITE, postgresql_url):
        office = filled(tmp_path / url[:6], url)
        copy = tmp_path / f"{url[:6]}.copy"
        back_up(office.workplace.database, copy, MONDAY)
        with office.workplace.database.reading() as session:  # somebody holds a connection
            session.execute(select(OutboxMessage.id))
            with pytest.raises(WrongUse, match="in use"):
                restore(copy, lambda: open_database(url, tmp_path / url[:6]), MONDAY, force=True)  # noqa: B023  # called at once
        office.workplace.database.close()


def test_a_damaged_database_can_be_replaced(tmp_path: Path) -> None:
    office = filled(tmp_path)
    copy = tmp_path / "copy"
    back_up(office.workplace.database, copy, MONDAY)
    office.workplace.database.close()
    (tmp_path / "assistant.db").write_bytes(b"not a database any more" * 500)
    assert command(office.config_file, "restore", str(copy)).status == 2
    assert command(office.config_file, "restore", str(copy), "--force").status == 0
    assert len(open_office(office.config_file).records()) == 2


def test_a_backup_of_an_older_schema_is_brought_to_the_newest(tmp_path: Path) -> None:
    from alembic import command as alembic

    from assistant.store.migrate import current_revision, migration_config, newest_revision

    old = open_database("sqlite:///old.db", tmp_path)
    config = migration_config()
    with old.engine.connect() as connection:
        config.attributes["connection"] = connection
        alembic.upgrade(config, "0001")
        connection.commit()
    back_up(old, tmp_path / "copy", MONDAY)
    old.close()
    shutil.rmtree(tmp_path / "assistant", ignore_errors=True)
    restore(tmp_path / "copy", lambda: open_database("sqlite:///new.db", tmp_path), MONDAY)
    fresh = open_database("sqlite:///new.db", tmp_path)
    assert current_revision(fresh) == newest_revision()
    fresh.close()
