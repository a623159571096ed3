"""A process that delivers what is due in a database: `python -m tests.outbox.worker URL PORT TIME`."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta

from assistant.clock import FrozenClock
from assistant.mail.settings import SubmissionSettings
from assistant.mail.submission import Submission
from assistant.outbox.deliver import Delivery, DeliveryLimits
from assistant.store import open_database


def main(url: str, port: str, now: str) -> None:
    database = open_database(url)
    work = Delivery(
        database,
        Submission(SubmissionSettings(host="127.0.0.1", port=int(port), tls="none")),
        FrozenClock(datetime.fromisoformat(now)),
        guard=lambda _session, _row: None,
        on_sent=lambda _session, _row: None,
        limits=DeliveryLimits(minimum_interval=timedelta(0)),
    )
    counts = asyncio.run(work.deliver_due())
    database.close()
    print(counts.sent)


if __name__ == "__main__":
    main(*sys.argv[1:])
