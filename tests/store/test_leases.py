"""Only one worker at a time, and a worker that slept through its time changes nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from assistant.clock import FrozenClock
from assistant.intake.keep import READING_LEASE, StoreSink
from assistant.store import Database, DatabaseArchive
from assistant.store.leases import LeaseBusy, LeaseLost, Leases, release, renew, take
from assistant.store.workers import new_worker
from tests.databases import new_database
from tests.offices import MONDAY, Kept, mail

LENGTH = timedelta(minutes=5)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = new_database(tmp_path)
    yield opened
    opened.close()


def test_a_lease_is_had_by_one_until_it_is_given_up_or_ends(database: Database) -> None:
    one, other = new_worker(), new_worker()
    with database.session() as session:
        lease = take(session, "reading", one, MONDAY, LENGTH)
        assert lease is not None
        assert take(session, "reading", other, MONDAY, LENGTH) is None
        assert take(session, "something else", other, MONDAY, LENGTH) is not None
        release(session, lease, MONDAY)
        second = take(session, "reading", other, MONDAY, LENGTH)
        assert second is not None
        assert second.fence == lease.fence + 1
        later = MONDAY + LENGTH + timedelta(seconds=1)
        third = take(session, "reading", one, later, LENGTH)
        assert third is not None
        assert not renew(session, second, later, LENGTH), "who slept through the end has lost it"
        release(session, second, later)
        assert renew(session, third, later, LENGTH), "and gives up nothing that is another's"


def test_the_lease_of_a_process_that_died_is_free_at_once(database: Database) -> None:
    code = "from assistant.store.workers import new_worker; print(new_worker())"
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    with database.session() as session:
        assert take(session, "reading", dead, MONDAY, LENGTH) is not None
        assert take(session, "reading", new_worker(), MONDAY, LENGTH) is not None


def test_one_waits_for_another_and_not_for_ever(database: Database) -> None:
    clock = FrozenClock(MONDAY)
    one, other = Leases(database, clock, LENGTH), Leases(database, clock, LENGTH)
    with one.holding("reading", 0), pytest.raises(LeaseBusy), other.holding("reading", 0.3):
        pass
    entered = threading.Event()

    def wait_for_it() -> None:
        with other.holding("reading", 10):
            entered.set()

    with one.holding("reading", 0):
        waiting = threading.Thread(target=wait_for_it)
        waiting.start()
        time.sleep(0.1)
        assert not entered.is_set()
    waiting.join(10)
    assert entered.is_set()


def test_a_reader_that_slept_while_another_read_keeps_nothing(database: Database) -> None:
    """Its batch is undone: the other has it, and the cursor stays where the other left it."""
    slow, quick = FrozenClock(MONDAY), FrozenClock(MONDAY)
    sleeper = StoreSink(database, DatabaseArchive(), slow)
    other = StoreSink(database, DatabaseArchive(), quick)
    batch = [Kept(1, MONDAY, mail("一")), Kept(2, MONDAY, mail("二"))]
    with sleeper.reading("shared", "INBOX"):
        sleeper.begin("shared", "INBOX", 1, 1, None)
        quick.advance(READING_LEASE + timedelta(seconds=1))
        with other.reading("shared", "INBOX"):
            other.keep("shared", "INBOX", 1, batch)
        with pytest.raises(LeaseLost):
            sleeper.keep("shared", "INBOX", 1, batch[:1])
    cursor = sleeper.cursor("shared", "INBOX")
    assert cursor is not None
    assert cursor.last_uid == 2
