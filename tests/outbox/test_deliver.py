"""Each mail leaves once, or says why not: workers that race, servers that refuse, processes that die."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email import message_from_bytes
from itertools import pairwise
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.clock import FrozenClock
from assistant.errors import StoreUnavailable
from assistant.model.cadence import Refusal
from assistant.outbox.decisions import approve_mail, veto_mail
from assistant.outbox.deliver import LEASE, DeliveryLimits
from assistant.store import Database, open_database
from assistant.store.clients import create_client
from assistant.store.migrate import migrate
from assistant.store.outbox import begin_sending, claim, settle, settle_late
from assistant.store.tables import AuditEntry, OutboxMessage, Suppression, Thread
from tests.databases import new_database
from tests.offices import CHEN, LILEI, MONDAY, WANG
from tests.outbox.rows import deliver, delivery, row_of, store
from tests.outbox.worker import work_off
from tests.servers.processes import wait_until
from tests.servers.smtp_sink import SmtpSink


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = new_database(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(MONDAY)


def subjects(sink: SmtpSink) -> list[str]:
    return [str(message_from_bytes(item.content)["Subject"]) for item in sink.received]


# --- once ------------------------------------------------------------------------------------------------------------


def test_what_is_due_leaves_in_order_and_once(database: Database, clock: FrozenClock, smtp_sink: SmtpSink) -> None:
    store(database, "second", due=MONDAY - timedelta(hours=1))
    store(database, "first", due=MONDAY - timedelta(hours=2))
    store(database, "tomorrow", due=MONDAY + timedelta(days=1))
    work = delivery(database, smtp_sink.port, clock)
    assert deliver(work).sent == 2
    assert deliver(work).sent == 0
    assert subjects(smtp_sink) == ["first", "second"]


def test_the_bytes_that_were_stored_are_the_bytes_that_leave(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    number = store(database, "exact")
    deliver(delivery(database, smtp_sink.port, clock))
    row = row_of(database, number)
    assert smtp_sink.received[0].content == row.raw
    assert (row.state, row.answer_code, row.settled_at, row.claimed_by) == ("sent", 250, MONDAY, "")


def test_what_was_ordered_twice_is_stored_once(database: Database) -> None:
    store(database, "same")
    with pytest.raises(AssertionError):
        store(database, "same")


def test_threads_on_one_database_send_each_mail_once(tmp_path: Path, database: Database, smtp_sink: SmtpSink) -> None:
    names = [f"mail{number}" for number in range(12)]
    for name in names:
        store(database, name)

    def work(_number: int) -> int:
        own = new_database(tmp_path)
        try:
            return deliver(delivery(own, smtp_sink.port, FrozenClock(MONDAY))).sent
        finally:
            own.close()

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(work, range(4)))
    assert sum(counts) == len(names)
    assert sorted(subjects(smtp_sink)) == sorted(names)


def test_processes_on_one_postgresql_send_each_mail_once_though_they_die_and_pause(
    postgresql_url: str, smtp_sink: SmtpSink
) -> None:
    """Four at once, one killed and one stopped in the middle; two more come when the leases of those are over."""
    database = open_database(postgresql_url)
    migrate(database)
    names = [f"mail{number}" for number in range(40)]
    for name in names:
        store(database, name)
    smtp_sink.faults.delay["body"] = 0.03
    dying, paused, *others = [_worker(postgresql_url, smtp_sink, MONDAY) for _ in range(4)]
    wait_until(lambda: len(smtp_sink.received) >= 6, "work is going on")
    dying.kill()
    os.kill(paused.pid or 0, signal.SIGSTOP)
    late = MONDAY + LEASE + timedelta(minutes=1)
    others += [_worker(postgresql_url, smtp_sink, late) for _ in range(2)]
    assert [_ended(worker) for worker in others] == [0, 0, 0, 0]
    os.kill(paused.pid or 0, signal.SIGCONT)
    assert [_ended(paused), _ended(dying)] == [0, -signal.SIGKILL]
    accepted = Counter(subjects(smtp_sink))
    with database.session() as session:
        states = {row.subject: row.state for row in session.scalars(select(OutboxMessage))}
    database.close()
    assert max(accepted.values()) == 1
    assert set(states.values()) <= {"sent", "uncertain"}
    assert {name for name, state in states.items() if state == "sent"} <= set(accepted)
    assert Counter(states.values())["uncertain"] <= 2, "at most what those two had in hand"


def _worker(url: str, sink: SmtpSink, now: datetime) -> BaseProcess:
    """Forked from a process of its own, that has everything loaded and no threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.outbox.worker"])
    process = context.Process(target=work_off, args=(url, sink.port, now), daemon=True)
    process.start()
    return process


def _ended(process: BaseProcess) -> int | None:
    process.join(60)
    return process.exitcode


# --- processes that die ----------------------------------------------------------------------------------------------


def test_a_claim_is_exclusive_and_a_late_worker_changes_nothing(database: Database) -> None:
    number = store(database, "one")
    with database.session() as session:
        fence = claim(session, number, "first", MONDAY, LEASE)
        assert fence is not None
        assert claim(session, number, "second", MONDAY, LEASE) is None
        assert begin_sending(session, number, fence + 1, MONDAY) is False
        assert settle(session, number, fence + 1, state="sent") is False
        assert settle(session, number, fence, state="sent") is True
    assert row_of(database, number).state == "sent"


def test_a_crash_before_sending_puts_the_mail_back(database: Database, clock: FrozenClock, smtp_sink: SmtpSink) -> None:
    number = store(database, "claimed")
    with database.session() as session:
        assert claim(session, number, "died", MONDAY, LEASE) is not None
    work = delivery(database, smtp_sink.port, clock)
    assert deliver(work).sent == 0, "while the lease holds, somebody may be at it"
    clock.advance(LEASE + timedelta(seconds=1))
    assert deliver(work).sent == 1
    assert subjects(smtp_sink) == ["claimed"]


def test_a_crash_while_sending_is_uncertain_and_never_sent_again_by_itself(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    number = store(database, "half sent")
    with database.session() as session:
        fence = claim(session, number, "died", MONDAY, LEASE)
        assert fence is not None
        assert begin_sending(session, number, fence, MONDAY)
    work = delivery(database, smtp_sink.port, clock)
    for _ in range(5):
        clock.advance(timedelta(days=1))
        assert deliver(work).sent == 0
    assert row_of(database, number).state == "uncertain"
    with database.session() as session:
        assert approve_mail(session, number, LILEI, clock.now()).done, "a person may say that it did not arrive"
    assert deliver(work).sent == 1


def test_an_outcome_that_the_database_did_not_take_is_written_down_at_the_next_turn(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    number = store(database, "accepted")
    other = store(database, "next")
    full = [True]

    def on_sent(_session: Session, _row: OutboxMessage) -> None:
        if full:
            full.pop()
            raise StoreUnavailable("the disk is full")

    work = delivery(database, smtp_sink.port, clock, on_sent=on_sent)
    with pytest.raises(StoreUnavailable):
        deliver(work)
    assert row_of(database, number).state == "sending"
    assert deliver(work).sent == 1
    assert [row_of(database, each).state for each in (number, other)] == ["sent", "sent"]
    assert subjects(smtp_sink) == ["accepted", "next"]


def test_a_worker_that_was_paused_beyond_its_lease_says_what_it_knows_and_sends_nothing_twice(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    number = store(database, "slow")
    with database.session() as session:
        fence = claim(session, number, "paused", clock.now(), LEASE)
        assert fence is not None
        assert begin_sending(session, number, fence, clock.now())
    clock.advance(LEASE + timedelta(seconds=1))
    assert deliver(delivery(database, smtp_sink.port, clock)).sent == 0
    assert row_of(database, number).state == "uncertain"
    with database.session() as session:
        assert settle(session, number, fence, state="sent") is False
        assert settle_late(session, number, fence, state="sent", reason="") is True
        assert settle_late(session, number, fence, state="sent", reason="") is False
    assert row_of(database, number).state == "sent"


def test_what_a_wrong_clock_put_off_for_a_month_is_tried_when_the_clock_is_right(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    store(database, "deferred")
    smtp_sink.faults.replies["data"] = "451 4.3.0 later"
    clock.advance(timedelta(days=30))
    work = delivery(database, smtp_sink.port, clock)
    assert deliver(work).deferred == 1
    smtp_sink.faults.replies.clear()
    clock.advance(-timedelta(days=30))
    assert deliver(delivery(database, smtp_sink.port, clock)).sent == 1


def test_a_connection_that_breaks_inside_the_text_is_uncertain(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    number = store(database, "broken off")
    smtp_sink.faults.drop = "accepted"
    work = delivery(database, smtp_sink.port, clock)
    assert deliver(work).uncertain == 1
    smtp_sink.faults.drop = None
    clock.advance(timedelta(days=3))
    assert deliver(work).sent == 0
    assert row_of(database, number).state == "uncertain"


# --- servers that say no ---------------------------------------------------------------------------------------------


def test_a_server_that_defers_is_asked_again_at_growing_intervals(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    number = store(database, "greylisted")
    smtp_sink.faults.replies["mail"] = "451 4.7.1 try again later"
    work = delivery(database, smtp_sink.port, clock)
    waits = []
    for attempt in range(1, 9):
        assert deliver(work).deferred == 1
        row = row_of(database, number)
        assert (row.state, row.attempts, row.settled_at) == ("deferred", attempt, None)
        waits.append(row.due_at - clock.now())
        assert deliver(work).deferred == 0
        clock.move_to(row.due_at)
    assert all(first < second for first, second in pairwise(waits))
    smtp_sink.faults.replies.clear()
    assert deliver(work).sent == 1


def test_a_server_that_defers_for_days_has_refused(database: Database, clock: FrozenClock, smtp_sink: SmtpSink) -> None:
    number = store(database, "never")
    smtp_sink.faults.replies["mail"] = "451 4.7.1 try again later"
    work = delivery(database, smtp_sink.port, clock)
    for _ in range(60):
        deliver(work)
        clock.advance(timedelta(hours=6))
    row = row_of(database, number)
    assert (row.state, row.reason) == ("refused", "the server kept deferring it")


def test_a_refusal_is_final(database: Database, clock: FrozenClock, smtp_sink: SmtpSink) -> None:
    number = store(database, "unknown")
    smtp_sink.faults.recipients[CHEN] = "550 5.1.1 user unknown"
    work = delivery(database, smtp_sink.port, clock)
    assert deliver(work).refused == 1
    clock.advance(timedelta(days=1))
    assert deliver(work).refused == 0
    row = row_of(database, number)
    assert (row.state, row.answer_code) == ("refused", 550)
    assert row.results == [[CHEN, False, 550, row.answer_text, True]]


def test_each_recipient_has_a_result_of_its_own(database: Database, clock: FrozenClock, smtp_sink: SmtpSink) -> None:
    number = store(database, "both", CHEN, WANG)
    smtp_sink.faults.recipients[WANG] = "550 5.1.1 user unknown"
    assert deliver(delivery(database, smtp_sink.port, clock)).sent == 1
    row = row_of(database, number)
    assert [(result[0], result[1], result[4]) for result in row.results] == [(CHEN, True, False), (WANG, False, True)]
    assert smtp_sink.received[0].recipients == (CHEN,)


def test_a_mail_counts_by_whom_it_is_for(database: Database, clock: FrozenClock, smtp_sink: SmtpSink) -> None:
    """The colleague in Cc has it; the client is tried again, alone, until they have it too."""
    number = store(database, "both", CHEN, LILEI)
    smtp_sink.faults.recipients[CHEN] = "451 4.7.1 greylisted"
    work = delivery(database, smtp_sink.port, clock)
    assert deliver(work).deferred == 1
    smtp_sink.faults.recipients.clear()
    clock.move_to(row_of(database, number).due_at)
    assert deliver(work).sent == 1
    assert [item.recipients for item in smtp_sink.received] == [(LILEI,), (CHEN,)]
    assert [result[1] for result in row_of(database, number).results] == [True, True]


def test_a_colleague_in_copy_is_tried_again_on_their_own(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    number = store(database, "both", CHEN, LILEI)
    smtp_sink.faults.recipients[LILEI] = "451 4.7.1 greylisted"
    work = delivery(database, smtp_sink.port, clock)
    assert deliver(work).sent == 1
    smtp_sink.faults.recipients.clear()
    clock.advance(timedelta(minutes=3))
    assert deliver(work).sent == 1
    assert [item.recipients for item in smtp_sink.received] == [(CHEN,), (LILEI,)]
    assert smtp_sink.received[0].content == smtp_sink.received[1].content
    assert row_of(database, number).state == "sent"


@pytest.mark.parametrize(
    ("answer", "suppressed"),
    [
        ("550 5.1.1 user unknown", True),
        ("550 No such user here", True),
        ("550 5.7.1 blocked by policy", False),
        ("550 rejected", False),
        ("552 5.2.2 mailbox full", False),
    ],
)
def test_an_address_that_does_not_exist_is_not_written_to_again(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink, answer: str, suppressed: bool
) -> None:
    """What the server says about us or the text is no word about the address."""
    store(database, "refused")
    smtp_sink.faults.recipients[CHEN] = answer
    assert deliver(delivery(database, smtp_sink.port, clock)).refused == 1
    with database.session() as session:
        found = session.scalars(select(Suppression)).all()
    assert [(item.addr_spec, item.scope, item.reason) for item in found] == (
        [(CHEN, "delivery", "bounce")] if suppressed else []
    )
    assert all(item.review_at is not None and item.review_at > clock.now() for item in found)


def test_a_server_that_wants_no_more_is_left_alone_for_a_while(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    """One mail is tried, not all of them, and each time a little later."""
    for number in range(5):
        store(database, f"mail{number}")
    smtp_sink.faults.replies["mail"] = "421 4.7.0 too many connections"
    work = delivery(database, smtp_sink.port, clock)
    assert deliver(work).deferred == 1
    assert not work.anything_due()
    clock.advance(timedelta(seconds=31))
    assert deliver(work).deferred == 1
    clock.advance(timedelta(seconds=31))
    assert not work.anything_due(), "the second rest is longer"
    smtp_sink.faults.replies.clear()
    clock.advance(timedelta(hours=1))
    assert deliver(work).sent == 5


def test_the_cap_of_a_minute_counts_what_other_workers_have_in_hand_and_mail_to_colleagues(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    for name in ("in hand", "client's"):
        store(database, name)
    store(database, "colleague's", LILEI, audience="staff", due=MONDAY)
    with database.session() as session:
        assert claim(session, 1, "another worker", clock.now(), LEASE) is not None
    work = delivery(database, smtp_sink.port, clock, limits=DeliveryLimits(per_minute=2, minimum_interval=timedelta(0)))
    assert deliver(work).sent == 1
    assert subjects(smtp_sink) == ["client's"]
    clock.advance(timedelta(seconds=61))
    assert deliver(work).sent == 1


def test_the_minimum_interval_holds_over_all_workers(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    for number in range(3):
        store(database, f"mail{number}")
    with database.session() as session:
        assert claim(session, 1, "another worker", clock.now() + timedelta(seconds=2), LEASE) is not None
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        clock.advance(timedelta(seconds=seconds))

    limits = DeliveryLimits(minimum_interval=timedelta(seconds=4))
    assert deliver(delivery(database, smtp_sink.port, clock, limits=limits, pause=pause)).sent == 2
    assert waited == [6.0, 4.0], "after the other's turn, which begins in two seconds, and after one's own"


def test_a_cap_of_a_minute_spreads_what_is_due(database: Database, clock: FrozenClock, smtp_sink: SmtpSink) -> None:
    for number in range(5):
        store(database, f"mail{number}")
    work = delivery(database, smtp_sink.port, clock, limits=DeliveryLimits(per_minute=2, minimum_interval=timedelta(0)))
    counts = []
    for _ in range(3):
        counts.append(deliver(work).sent)
        clock.advance(timedelta(seconds=61))
    assert counts == [2, 2, 1]


# --- brakes ----------------------------------------------------------------------------------------------------------


def _client(session: Session, name: str) -> int:
    return create_client(
        session, f"{name}.example", name, "company", "zh-Hans", "CN", "Asia/Shanghai", LILEI, MONDAY, MONDAY
    ).id


def test_the_daily_cap_holds_clients_mail_and_lets_colleagues_be_told(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    for number in range(3):
        store(database, f"mail{number}")
    store(database, "to staff", LILEI, audience="staff", due=MONDAY)
    work = delivery(database, smtp_sink.port, clock, limits=DeliveryLimits(daily=2, minimum_interval=timedelta(0)))
    assert deliver(work).sent == 3
    assert "to staff" in subjects(smtp_sink)
    clock.advance(timedelta(hours=2))
    assert deliver(work).sent == 0
    clock.advance(timedelta(hours=23))
    assert deliver(work).sent == 1


def test_the_order_within_a_thread_is_kept(database: Database, clock: FrozenClock, smtp_sink: SmtpSink) -> None:
    with database.session() as session:
        thread = Thread(started_at=MONDAY, last_at=MONDAY)
        session.add(thread)
        session.flush()
        number = thread.id
    store(database, "earlier", CHEN, thread_id=number, due=MONDAY - timedelta(hours=1))
    store(database, "later", WANG, thread_id=number)
    smtp_sink.faults.recipients[CHEN] = "451 4.7.1 later"
    work = delivery(database, smtp_sink.port, clock)
    deliver(work)
    assert subjects(smtp_sink) == []
    smtp_sink.faults.recipients.clear()
    for _ in range(3):
        clock.advance(timedelta(minutes=10))
        deliver(work)
    assert subjects(smtp_sink) == ["earlier", "later"]


def test_a_guard_cancels_with_its_reason_or_asks_to_wait(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    answered, away = store(database, "answered"), store(database, "away")
    back = MONDAY + timedelta(days=2)

    def guard(_session: Session, row: OutboxMessage) -> Refusal | None:
        if row.subject == "answered":
            return Refusal("reply", "record 7 answers it")
        return Refusal("absence", "on holiday", back) if clock.now() < back else None

    work = delivery(database, smtp_sink.port, clock, guard=guard)
    counts = deliver(work)
    assert (counts.cancelled, counts.postponed, counts.sent) == (1, 1, 0)
    assert (row_of(database, answered).state, row_of(database, answered).reason) == ("cancelled", "reply")
    assert (row_of(database, away).state, row_of(database, away).due_at) == ("queued", back)
    with database.session() as session:
        assert session.scalar(select(func.count()).where(AuditEntry.event == "mail-not-sent")) == 2
    clock.move_to(back)
    assert deliver(work).sent == 1


# --- people decide ---------------------------------------------------------------------------------------------------


def test_a_veto_stops_what_has_not_left_and_nothing_else(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    sent, stopped = store(database, "sent"), store(database, "stopped", due=MONDAY + timedelta(hours=1))
    work = delivery(database, smtp_sink.port, clock)
    deliver(work)
    with database.session() as session:
        assert veto_mail(session, stopped, LILEI, MONDAY).done
        assert veto_mail(session, sent, LILEI, MONDAY).sentence == "it is sent already"
        assert veto_mail(session, stopped, LILEI, MONDAY).sentence == "it is vetoed already"
        assert approve_mail(session, stopped, LILEI, MONDAY).done is False
        assert approve_mail(session, 999, LILEI, MONDAY).done is False
    clock.advance(timedelta(days=1))
    assert deliver(work).sent == 0
    assert row_of(database, stopped).decided_by == LILEI


def test_a_stop_between_two_mails_is_obeyed(database: Database, clock: FrozenClock, smtp_sink: SmtpSink) -> None:

    for number in range(3):
        store(database, f"mail{number}")
    work = delivery(database, smtp_sink.port, clock)
    deliver(work, lambda: len(smtp_sink.received) >= 1)
    assert len(smtp_sink.received) == 1
    assert deliver(work).sent == 2
