"""Several daemons on one database and one mailbox, by mistake or on purpose, killed and paused while there is work."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from assistant.config import load_config
from assistant.store import open_database
from assistant.store.tables import Location, Quarantine, Record
from tests.exactly_once import DUE, Verdict, anything_open, nursery_of, verdict_of, wait_for
from tests.offices import mail
from tests.servers.dovecot import Mailbox
from tests.servers.smtp_sink import SmtpSink

WORKERS = 4
WRONG_BY = ((0.0,), (40.0,), (0.0, 180.0, 20.0), (-30.0, 60.0, 0.0))
"""Minutes by which the clocks of these workers are wrong. A lease of the reader is 5 minutes long, of a mail 15."""
LATEST = 200.0
"""And of the one that is there when all of them have ended."""


@dataclass(frozen=True)
class Reading:
    """What became of the messages that lay in the mailbox."""

    delivered: int
    locations: Counter[str]
    records: Counter[str]
    quarantined: int

    @property
    def faults(self) -> list[str]:
        found = []
        if self.locations.total() != self.delivered:
            found.append(f"{self.locations.total()} messages kept of {self.delivered}: {dict(self.locations)}")
        if set(self.locations) - {"logged"}:
            found.append(f"outcomes {dict(self.locations)}")
        if len(self.records) != self.delivered or any(count > 1 for count in self.records.values()):
            found.append(f"{len(self.records)} messages recorded, {self.records.total()} records")
        if self.quarantined:
            found.append(f"{self.quarantined} in quarantine")
        return found


def disturbed(
    config: Path, inbox: Mailbox, sink: SmtpSink, steps: int, messages: int, disturbances: int, seed: int = 1
) -> tuple[Verdict, Reading]:
    """Lets the workers go while mail arrives and steps fall due; kills or pauses one of them again and again."""
    chance = random.Random(seed)
    kills = arrived = 0
    with nursery_of(config) as born:
        alive = [born() for _ in range(WORKERS)]
        try:
            for _ in range(disturbances):
                while arrived < messages and chance.random() < 0.8:
                    inbox.deliver(_message(arrived))
                    arrived += 1
                time.sleep(chance.random() * 0.4)
                kills += _disturb(alive, born, chance)
            for number in range(arrived, messages):
                inbox.deliver(_message(number))
            wait_for(lambda: _read(config) >= messages and not anything_open(config), 60)
            time.sleep(0.5)
        finally:
            for process in alive:
                os.kill(process, signal.SIGKILL)
    return verdict_of(config, sink, steps, kills), reading_of(config, messages)


def with_wrong_clocks(
    config: Path, inbox: Mailbox, sink: SmtpSink, steps: int, messages: int
) -> tuple[Verdict, Reading]:
    """Workers whose clocks are apart by more than their leases last, and jump back and forth; one is killed meanwhile.

    What a clock that was ahead ordered for its own time is sent when that time has come for the others as well.
    """
    with nursery_of(config) as born:
        alive = [born(*minutes) for minutes in WRONG_BY]
        try:
            for number in range(messages):
                inbox.deliver(_message(number))
                time.sleep(0.1)
            os.kill(alive[0], signal.SIGKILL)
            alive[0] = born(*WRONG_BY[0])
            wait_for(lambda: _read(config) >= messages and not anything_open(config), 3)
            for process in alive[1:]:
                os.kill(process, signal.SIGKILL)
            alive = [alive[0], born(LATEST)]
            wait_for(lambda: _read(config) >= messages and not anything_open(config), 60)
            time.sleep(0.5)
        finally:
            for process in alive:
                os.kill(process, signal.SIGKILL)
    return verdict_of(config, sink, steps, 1), reading_of(config, messages)


def _disturb(alive: list[int], born: Callable[[], int], chance: random.Random) -> int:
    """Kills one worker and starts another, or pauses one for up to a second; returns how many were killed."""
    number = chance.randrange(len(alive))
    if chance.random() < 0.5:
        os.kill(alive[number], signal.SIGKILL)
        alive[number] = born()
        return 1
    os.kill(alive[number], signal.SIGSTOP)
    time.sleep(chance.random())
    os.kill(alive[number], signal.SIGCONT)
    return 0


def _message(number: int) -> bytes:
    client = f"new{number}@arrival{number}.example"
    return mail("请报价。#discovery", originator=client, message_id=f"new{number}@arrival{number}.example", at=DUE)


def _read(config: Path) -> int:
    database = open_database(load_config(config).store.url, config.parent)
    with database.reading() as session:
        count = session.scalar(
            select(func.count()).select_from(Record).where(Record.message_id.like("new%@arrival%.example"))
        )
    database.close()
    return int(count or 0)


def reading_of(config: Path, delivered: int) -> Reading:
    database = open_database(load_config(config).store.url, config.parent)
    with database.reading() as session:
        # The mailbox of the preparation has another name than the one that is read over the network.
        kept = session.execute(
            select(Location.outcome, func.count())
            .where(Location.mailbox.not_in(("shared", "outbox")))
            .group_by(Location.outcome)
        ).all()
        ids = session.scalars(select(Record.message_id).where(Record.message_id.like("new%@arrival%.example"))).all()
        quarantined = session.scalar(select(func.count()).select_from(Quarantine)) or 0
    database.close()
    return Reading(delivered, Counter({str(row[0]): int(row[1]) for row in kept}), Counter(ids), quarantined)
