"""Threads in the database are the threads of the pure table, whatever the order of arrival."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from assistant.model.threading import ThreadTable
from assistant.store import Database, open_database
from assistant.store.migrate import migrate
from assistant.store.tables import Record, Suppression
from assistant.store.threads import ThreadedMail, living_thread, place_batch, place_in_thread
from tests.model.test_threading import Ids, conversations, partition
from tests.offices import MONDAY
from tests.servers.postgresql import PostgreSql


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSql
) -> Iterator[Database]:
    with ExitStack() as stack:
        url = "sqlite:///assistant.db"
        if request.param == "postgresql":
            url = stack.enter_context(postgresql.new_database())
        opened = open_database(url, tmp_path_factory.mktemp("threads"))
        stack.callback(opened.close)
        migrate(opened)
        yield opened


class _UndoError(Exception):
    """Leaves the database as it was for the next example."""


def in_database(database: Database, batches: Sequence[Sequence[Ids]]) -> set[frozenset[str]]:
    """The partition of the messages after they were placed batch by batch, each logged before the next batch came."""
    groups: defaultdict[int, set[str]] = defaultdict(set)
    try:
        with database.session() as session:
            records = []
            for batch in batches:
                threads = place_batch(session, [ThreadedMail(ids, "x", MONDAY) for ids in batch])
                for ids, thread in zip(batch, threads, strict=True):
                    record = Record(
                        message_id=ids[0], thread_id=thread.id, sent_at=MONDAY, received_at=MONDAY, logged_at=MONDAY, direction="inbound", kind="human"
                    )  # fmt: skip
                    session.add(record)
                    records.append(record)
            session.flush()
            held = [record.thread_id for record in records]
            session.expire_all()
            for record, thread_id in zip(records, held, strict=True):
                assert record.thread_id is not None
                assert record.thread_id == thread_id, "rows that are held in memory follow a merge too"
                living = living_thread(session, record.thread_id)
                assert living is not None
                assert living.id == record.thread_id, "a record points to the thread that lives"
                groups[living.id].add(record.message_id)
            raise _UndoError
    except _UndoError:
        return {frozenset(group) for group in groups.values()}


@settings(max_examples=40)
@given(mails=conversations().flatmap(st.permutations), sizes=st.lists(st.integers(1, 5), min_size=9, max_size=9))
def test_the_database_agrees_with_the_pure_table_in_any_order_and_batches_of_any_size(
    mails: list[Ids], sizes: list[int], database: Database
) -> None:
    table = ThreadTable()
    for ids in mails:
        table.add(ids)
    rest, batches = list(mails), []
    for size in sizes:
        batches.append(rest[:size])
        del rest[:size]
    assert in_database(database, batches) == partition(table, [ids[0] for ids in mails])


def test_a_thread_is_called_after_its_first_message_whatever_arrives_first(database: Database) -> None:
    mails = [
        ThreadedMail((f"{number}@called.example", "0@called.example"), f"subject {number}", MONDAY + timedelta(hours=number))
        for number in range(3)
    ]  # fmt: skip
    for order in permutations(mails):
        try:
            with database.session() as session:
                for mail in order:
                    thread = place_batch(session, [mail])[0]
                assert (thread.subject, thread.started_at) == ("subject 0", MONDAY)
                assert thread.last_at == MONDAY + timedelta(hours=2)
                raise _UndoError
        except _UndoError:
            pass


def test_an_opt_out_of_one_thread_holds_in_what_it_becomes(database: Database) -> None:
    with database.session() as session:
        first, second = place_batch(session, [ThreadedMail((f"{name}@optout.example",), name, MONDAY) for name in "ab"])
        for thread in (first, second):
            row = Suppression(addr_spec="chen@mingshan.example", scope="thread", thread_id=thread.id, reason="opt-out", since=MONDAY)  # fmt: skip
            session.add(row)
        joined = place_in_thread(session, ("c@optout.example", "a@optout.example", "b@optout.example"), "c", MONDAY)
        found = session.scalars(select(Suppression.thread_id).where(Suppression.reason == "opt-out"))
        assert list(found) == [joined.id]


def test_a_message_that_joins_two_threads_leaves_a_redirect(database: Database) -> None:
    with database.session() as session:
        first = place_in_thread(session, ("a@x",), "first", MONDAY)
        second = place_in_thread(session, ("b@x",), "second", MONDAY)
        joined = place_in_thread(session, ("c@x", "a@x", "b@x"), "Re: first", MONDAY)
        assert joined.id == first.id
        assert second.merged_into == first.id
        assert living_thread(session, second.id) is first
