"""The database: the same on SQLite and PostgreSQL, brought there by migrations, private, and strict about times."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, StatementError

from assistant.clock import FrozenClock
from assistant.errors import AssistantError, StoreUnavailable
from assistant.store import Database, DatabaseArchive, open_database
from assistant.store.migrate import current_revision, migrate, newest_revision
from assistant.store.tables import Base, RawMail, Record, Setting, Thread
from tests.offices import ASSISTANT, CHEN, LILEI, MONDAY, mail, open_office, write_config


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    database = open_database("sqlite:///assistant.db", tmp_path)
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def postgresql_database(postgresql_url: str) -> Iterator[Database]:
    database = open_database(postgresql_url)
    migrate(database)
    yield database
    database.close()


# --- schema ----------------------------------------------------------------------------------------------------------


def _differences(database: Database) -> list[object]:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def test_migrations_make_what_the_tables_say_on_sqlite(sqlite: Database) -> None:
    assert _differences(sqlite) == []


def test_migrations_make_what_the_tables_say_on_postgresql(postgresql_database: Database) -> None:
    assert _differences(postgresql_database) == []


def test_migrating_twice_changes_nothing(sqlite: Database) -> None:
    assert current_revision(sqlite) == newest_revision()
    migrate(sqlite)
    assert current_revision(sqlite) == newest_revision()


# --- SQLite as we want it --------------------------------------------------------------------------------------------


def test_sqlite_writes_ahead_and_holds_references(sqlite: Database) -> None:
    with sqlite.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    with pytest.raises(IntegrityError), sqlite.session() as session:
        session.add(Thread(started_at=MONDAY, last_at=MONDAY, project_id=12345))


def test_nobody_else_may_read_the_file(tmp_path: Path, sqlite: Database) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("assistant.db*")}
    assert set(modes.values()) == {0o600}, modes


def test_a_session_is_all_or_nothing(sqlite: Database) -> None:
    def broken_off() -> None:
        with sqlite.session() as session:
            session.add(Setting(name="half", value={}))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken_off()
    with sqlite.session() as session:
        assert session.get(Setting, "half") is None


def test_two_writers_wait_for_each_other(tmp_path: Path, sqlite: Database) -> None:
    """Transactions begin as writers: none reads first and fails when it then wants to write."""
    other = open_database("sqlite:///assistant.db", tmp_path)
    with sqlite.session() as session:
        session.get(Setting, "count")
        session.add(Setting(name="count", value={"is": 1}))
    with other.session() as session:
        found = session.get(Setting, "count")
        assert found is not None
        found.value = {"is": 2}
    other.close()
    with sqlite.session() as session:
        assert session.scalar(select(Setting.value)) == {"is": 2}


def test_a_full_disk_is_a_sentence(sqlite: Database) -> None:
    def fill() -> None:
        with sqlite.session() as session:
            pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar()
            session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            session.add_all([Setting(name=f"n{number}", value={"long": "x" * 4000}) for number in range(500)])

    with pytest.raises(StoreUnavailable, match="full"):
        fill()


def test_an_unknown_kind_of_database_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(AssistantError, match="not supported"):
        open_database("mysql://localhost/x", tmp_path)


def test_no_postgresql_is_a_sentence(tmp_path: Path) -> None:
    database = open_database("postgresql+psycopg://assistant:hunter22@127.0.0.1:1/none", tmp_path)
    with pytest.raises(StoreUnavailable) as caught:
        migrate(database)
    assert "hunter22" not in str(caught.value)


# --- times -----------------------------------------------------------------------------------------------------------


def test_naive_times_are_refused(sqlite: Database) -> None:
    with pytest.raises(StatementError, match="naive"), sqlite.session() as session:
        session.add(Thread(started_at=datetime(2026, 3, 2, 10, 0), last_at=MONDAY))  # noqa: DTZ001  # that is the point


ANY_TIME = st.datetimes(
    datetime(1995, 1, 1),  # noqa: DTZ001  # hypothesis wants bounds without a zone
    datetime(2090, 1, 1),  # noqa: DTZ001  # as above
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@settings(max_examples=40)
@given(at=ANY_TIME)
def test_times_come_back_as_the_same_moment_in_utc(at: datetime, tmp_path_factory: pytest.TempPathFactory) -> None:
    database = _shared(tmp_path_factory)
    with database.session() as session:
        thread = Thread(started_at=at, last_at=at)
        session.add(thread)
        session.flush()
        number = thread.id
    with database.session() as session:
        found = session.get(Thread, number)
        assert found is not None
        assert found.started_at == at
        assert found.started_at.tzinfo is UTC


# --- archive ---------------------------------------------------------------------------------------------------------

_opened: dict[str, Database] = {}


def _shared(factory: pytest.TempPathFactory) -> Database:
    """One database for all examples of a property."""
    if "database" not in _opened:
        _opened["database"] = open_database("sqlite:///assistant.db", factory.mktemp("shared"))
        migrate(_opened["database"])
    return _opened["database"]


@settings(max_examples=60)
@given(raw=st.binary(max_size=3000))
def test_the_archive_gives_back_every_byte_and_keeps_each_content_once(
    raw: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    archive = DatabaseArchive()
    with _shared(tmp_path_factory).session() as session:
        number = archive.put(session, raw)
        assert archive.put(session, raw) == number
        assert archive.get(session, number) == raw


def test_the_archive_compresses_and_says_what_it_does_not_have(sqlite: Database) -> None:
    archive = DatabaseArchive()
    with sqlite.session() as session:
        number = archive.put(session, b"Subject: x\r\n\r\n" + b"hello " * 5000)
        row = session.get(RawMail, number)
        assert row is not None
        assert (row.size, len(row.body) < row.size / 10) == (30014, True)
        with pytest.raises(LookupError, match="not in the archive"):
            archive.get(session, 4711)


# --- the same on PostgreSQL ------------------------------------------------------------------------------------------


def test_the_whole_way_in_and_out_on_postgresql(tmp_path: Path, postgresql_url: str) -> None:
    """The same mail gives the same records, the same follow-up and the same silence after an answer."""
    outcomes = []
    for name, url in (("sqlite", "sqlite:///assistant.db"), ("postgresql", postgresql_url)):
        office = open_office(write_config(tmp_path / name, store=url))
        office.hear(
            mail("请报价。#discovery", message_id="a@mingshan.example", at=MONDAY - timedelta(hours=2)),
            mail("坏了 #broken", originator="x@broken.example", message_id="x@broken.example", at=MONDAY),
            mail("方案附上。#proposal", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,), at=MONDAY - timedelta(hours=1), message_id="b@lanhai.example", answers=("a@mingshan.example",)),
        )  # fmt: skip
        assert isinstance(office.clock, FrozenClock)
        office.move(days=3)
        office.workplace.decide_due()
        ordered = [(row.state, row.rule, row.step, row.due_at) for row in office.outbox()]
        office.hear(
            mail(
                "谢谢，我们看看。",
                at=office.clock.now(),
                message_id="c@mingshan.example",
                answers=("b@lanhai.example",),
            )
        )
        outcomes.append(
            (
                [
                    (row.message_id, row.direction, row.stage, row.waiting_on, row.sent_at, row.intents)
                    for row in office.records()
                ],
                ordered,
                [(row.state, row.reason) for row in office.outbox()],
            )
        )
        with office.session() as session:
            stored = session.scalar(select(Record.recipients).where(Record.message_id == "b@lanhai.example"))
            assert stored == [["陈静", CHEN], ["蓝海助理", ASSISTANT]]
        office.workplace.database.close()
    assert outcomes[0] == outcomes[1]
    records, ordered, after = outcomes[0]
    assert len(records) == 3
    assert [row[:2] for row in ordered] == [("queued", "proposal-unanswered")]
    assert after == [("cancelled", "reply")]
