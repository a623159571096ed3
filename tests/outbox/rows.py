"""Outbox rows, and deliveries to a real server, for the tests of this room."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from assistant.clock import Clock
from assistant.mail.settings import SubmissionSettings
from assistant.mail.submission import Submission
from assistant.model.cadence import Refusal
from assistant.outbox.compose import Letter, Person, compose
from assistant.outbox.deliver import Delivery, DeliveryCounts, DeliveryLimits, Guard, OnSent
from assistant.store import Database
from assistant.store.outbox import enqueue
from assistant.store.tables import OutboxMessage
from tests.offices import ASSISTANT, CHEN, MONDAY


def store(
    database: Database,
    name: str,
    *recipients: str,
    due: datetime = MONDAY,
    audience: str = "client",
    client_id: int | None = None,
    thread_id: int | None = None,
) -> int:
    """One composed mail in the queue; returns its number."""
    to = recipients or (CHEN,)
    letter = Letter(
        originator=Person("李雷", ASSISTANT),
        to=tuple(Person("", address) for address in to),
        subject=name,
        text="您好",
        date=due,
        timezone="Asia/Shanghai",
        message_id=f"{name}.cca@lanhai.example",
    )
    row = OutboxMessage(
        dedupe_key=name,
        message_id=letter.message_id,
        raw=compose(letter),
        envelope_from=ASSISTANT,
        recipients=list(to),
        subject=name,
        purpose="follow-up",
        audience=audience,
        client_id=client_id,
        thread_id=thread_id,
        created_at=due,
        due_at=due,
        results=[],
        details={},
    )
    with database.session() as session:
        assert enqueue(session, row) is not None
        return row.id


def delivery(
    database: Database,
    port: int,
    clock: Clock,
    *,
    guard: Guard | None = None,
    limits: DeliveryLimits | None = None,
    on_sent: OnSent | None = None,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Delivery:
    """Delivers to the server at `port`; no guard unless one is given."""
    submission = Submission(SubmissionSettings(host="127.0.0.1", port=port, tls="none"))
    return Delivery(
        database,
        submission,
        clock,
        guard=guard or _nothing_against_it,
        on_sent=on_sent or (lambda _session, _row: None),
        pause=pause,
        limits=limits or DeliveryLimits(minimum_interval=timedelta(0)),
    )


def _nothing_against_it(_session: object, _row: OutboxMessage) -> Refusal | None:
    return None


_threads = threading.local()


def deliver(work: Delivery, stop: Callable[[], bool] = lambda: False) -> DeliveryCounts:
    """One turn as the daemon takes it: all turns of a thread on one event loop, for the connection is kept."""
    if not hasattr(_threads, "loop"):
        _threads.loop = asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = _threads.loop
    return loop.run_until_complete(work.deliver_due(stop)) if work.anything_due() else DeliveryCounts()


def row_of(database: Database, number: int) -> OutboxMessage:
    with database.session() as session:
        row = session.get(OutboxMessage, number)
        assert row is not None
        return row
