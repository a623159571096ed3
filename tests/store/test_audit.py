"""The audit log can be added to and not be changed, on both databases; only an erasure reaches it, and says so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from assistant.store import Database, open_database
from assistant.store.audit import erasing_from_audit
from assistant.store.migrate import migrate
from assistant.store.tables import AuditEntry
from tests.databases import SQLITE
from tests.offices import CHEN, MONDAY, command, mail, open_office, write_config

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = "sqlite:///assistant.db" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    opened = open_database(url, tmp_path)
    migrate(opened)
    with opened.session() as session:
        for number in range(3):
            session.add(AuditEntry(at=NOW, who="rule x", event="mail-ordered", subject=f"outbox:{number}", details={}))
    yield opened
    opened.close()


def _subjects(database: Database) -> list[str]:
    with database.session() as session:
        return list(session.scalars(select(AuditEntry.subject).order_by(AuditEntry.id)))


@pytest.mark.parametrize(
    "statement",
    [
        update(AuditEntry).values(who="somebody else"),
        update(AuditEntry).where(AuditEntry.subject == "outbox:1").values(event="mail-vetoed"),
        delete(AuditEntry),
        delete(AuditEntry).where(AuditEntry.subject == "outbox:2"),
        text("UPDATE audit SET details = '{}'"),
    ],
    ids=["all changed", "one changed", "all deleted", "one deleted", "bare SQL"],
)
def test_nothing_that_was_written_can_be_changed(database: Database, statement: object) -> None:
    with pytest.raises(DBAPIError), database.session() as session:
        session.execute(statement)  # type: ignore[call-overload]  # one of the statements above
    with database.session() as session:
        assert {entry.who for entry in session.scalars(select(AuditEntry))} == {"rule x"}
    assert _subjects(database) == ["outbox:0", "outbox:1", "outbox:2"]


def test_sqlite_has_no_back_door(tmp_path: Path) -> None:
    """INSERT OR REPLACE deletes rows without the triggers for that; other programs that open the file are refused too."""
    office = open_office(write_config(tmp_path, store=SQLITE), now=MONDAY)
    office.log(mail("x", originator="x@1anhai.example"))
    with sqlite3.connect(tmp_path / "assistant.db") as connection:
        before = connection.execute("SELECT * FROM audit").fetchall()
        for statement in (
            "INSERT OR REPLACE INTO audit SELECT id, at, 'x', event, subject, details FROM audit",
            "UPDATE audit SET who = 'x'",
            "DELETE FROM audit",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
        assert connection.execute("SELECT * FROM audit").fetchall() == before != []


def test_an_erasure_reaches_the_log_and_leaves_its_mark(database: Database) -> None:
    with database.session() as session, erasing_from_audit(session, "command line", "contact:5f3a", NOW):
        session.execute(update(AuditEntry).where(AuditEntry.subject == "outbox:1").values(subject="erased"))
        session.execute(delete(AuditEntry).where(AuditEntry.subject == "outbox:2"))
    assert _subjects(database) == ["outbox:0", "erased", "contact:5f3a"]
    with pytest.raises(DBAPIError), database.session() as session:
        session.execute(delete(AuditEntry))


def test_people_see_who_decided_what(tmp_path: Path) -> None:
    office = open_office(write_config(tmp_path), now=MONDAY)
    office.log(mail("请报价。"))
    domain = CHEN.partition("@")[2]
    config = office.config_file
    assert command(config, "clients", "set", domain, "--tag", "muted", "--domain", "mingshan.test").status == 0
    assert command(config, "clients", "set", domain, "--tag", "muted").status == 0
    shown = command(config, "audit", "--event", "client-changed", "--json")
    assert shown.out.count("\n") == 1, "what changes nothing is no decision"
    assert '"domain": "mingshan.test"' in shown.out
    assert '"tags": [[], ["muted"]]' in shown.out
    assert "command line" in command(config, "audit", "--who", "command", "--about", "client:").out
    record = office.log(mail("再请报价。", originator="zhao@mingshan.test"))
    assert record.client_id == office.clients()[0].id


def test_a_listing_takes_no_orders_from_what_clients_write(tmp_path: Path) -> None:
    office = open_office(write_config(tmp_path), now=MONDAY)
    office.log(mail("x", subject="[/bold] [red]x \u202e\u009b31m[link=https://attacker.example]"))
    for noun in ("records", "projects", "threads", "clients", "contacts"):
        shown = command(office.config_file, noun)
        assert shown.status == 0, shown.err
        assert not set(shown.out) & set("\u202e\u009b\x1b")
    assert "[/bold]" in command(office.config_file, "records").out
