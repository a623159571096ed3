"""Threads in the database are the threads of the pure table, whatever the order of arrival."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.model.threading import ThreadTable
from assistant.store import Database, open_database
from assistant.store.migrate import migrate
from assistant.store.tables import Record
from assistant.store.threads import living_thread, place_in_thread
from tests.model.test_threading import Ids, conversations, partition
from tests.offices import MONDAY


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    opened = open_database("sqlite:///assistant.db", tmp_path_factory.mktemp("threads"))
    migrate(opened)
    return opened


class _UndoError(Exception):
    """Leaves the database as it was for the next example."""


def in_database(database: Database, mails: Sequence[Ids]) -> set[frozenset[str]]:
    """The partition of the messages after they were placed and logged one by one."""
    groups: defaultdict[int, set[str]] = defaultdict(set)
    try:
        with database.session() as session:
            records = []
            for ids in mails:
                thread = place_in_thread(session, ids, "x", MONDAY)
                record = Record(
                    message_id=ids[0], thread_id=thread.id, sent_at=MONDAY, received_at=MONDAY, logged_at=MONDAY, direction="inbound", kind="human"
                )  # fmt: skip
                session.add(record)
                session.flush()
                records.append(record)
            session.expire_all()
            for record in records:
                assert record.thread_id is not None
                living = living_thread(session, record.thread_id)
                assert living is not None
                assert living.id == record.thread_id, "a record points to the thread that lives"
                groups[living.id].add(record.message_id)
            raise _UndoError
    except _UndoError:
        return {frozenset(group) for group in groups.values()}


@settings(max_examples=40)
@given(mails=conversations().flatmap(st.permutations))
def test_the_database_agrees_with_the_pure_table(mails: list[Ids], database: Database) -> None:
    table = ThreadTable()
    for ids in mails:
        table.add(ids)
    assert in_database(database, mails) == partition(table, [ids[0] for ids in mails])


def test_a_message_that_joins_two_threads_leaves_a_redirect(database: Database) -> None:
    with database.session() as session:
        first = place_in_thread(session, ("a@x",), "first", MONDAY)
        second = place_in_thread(session, ("b@x",), "second", MONDAY)
        joined = place_in_thread(session, ("c@x", "a@x", "b@x"), "Re: first", MONDAY)
        assert joined.id == first.id
        assert second.merged_into == first.id
        assert living_thread(session, second.id) is first
