"""A process that delivers what is due in a database until nothing is open."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import datetime, timedelta

from sqlalchemy import select

from assistant.clock import FrozenClock
from assistant.errors import StoreUnavailable
from assistant.mail.settings import SubmissionSettings
from assistant.mail.submission import Submission
from assistant.outbox.deliver import Delivery, DeliveryLimits
from assistant.store import Database, open_database
from assistant.store import database as database_room
from assistant.store.outbox import OPEN_STATES
from assistant.store.tables import OutboxMessage

STOPPED_SECONDS = 1
"""After which the server ends a transaction whose process was stopped; a minute and a half in earnest."""


def work_off(url: str, port: int, now: datetime) -> None:
    """What a process does. As the daemon it tries again when the database is in trouble."""
    database_room._STOPPED_SECONDS = STOPPED_SECONDS
    database = open_database(url)
    work = Delivery(
        database,
        Submission(SubmissionSettings(host="127.0.0.1", port=port, tls="none")),
        FrozenClock(now),
        guard=lambda _session, _row: None,
        on_sent=lambda _session, _row: None,
        limits=DeliveryLimits(minimum_interval=timedelta(0)),
    )
    asyncio.run(_until_nothing_is_open(work, database))
    database.close()


async def _until_nothing_is_open(work: Delivery, database: Database) -> None:
    while True:
        with contextlib.suppress(StoreUnavailable):
            if not _anything_open(database):
                return
            if work.anything_due():
                await work.deliver_due()
        time.sleep(0.02)


def _anything_open(database: Database) -> bool:
    with database.reading() as session:
        return session.scalar(select(OutboxMessage.id).where(OutboxMessage.state.in_(OPEN_STATES)).limit(1)) is not None
