"""The daemon in a process of its own, killed again and again while follow-ups fall due; and the count of what arrived.

`python -m tests.exactly_once CONFIG EPOCH` has everything loaded and forks a daemon for every line it reads, so that a
life begins at once: the daemon itself over a real database and submission server, with tags in place of a model, and a
clock that began at a Thursday morning at `EPOCH`. Each line says by how many minutes its clock is wrong, and may say
several: then it jumps from one to the next. It prints the number of each process.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from assistant.bootstrap import Options, Workplace
from assistant.config import load_config
from assistant.daemon import Daemon, Passes
from assistant.store import open_database
from assistant.store.tables import CadenceRunRow, OutboxMessage
from parsers import parse
from tests.offices import ASSISTANT, LILEI, MONDAY, TaggedReader, mail, open_office, write_config
from tests.servers.smtp_sink import SmtpSink

DUE = MONDAY + timedelta(days=3, minutes=1)
"""Thursday, one minute after ten in Shanghai: every first follow-up has just fallen due."""


JUMPS_EVERY = 0.7
"""Seconds after which a clock that jumps is wrong by something else."""


class ShiftedClock:
    """Runs as fast as the machine's clock and stood at `DUE` when that showed `epoch`, seconds since 1970.

    It is wrong by the first of `minutes`, a while later by the second, and so on for ever.
    """

    def __init__(self, epoch: float, minutes: Sequence[float] = (0.0,)) -> None:
        self._epoch = epoch
        self._minutes = minutes

    def now(self) -> datetime:
        passed = time.time() - self._epoch
        wrong = self._minutes[int(passed / JUMPS_EVERY) % len(self._minutes)]
        return DUE + timedelta(seconds=passed, minutes=wrong)


@dataclass(frozen=True)
class Verdict:
    """What became of every step. `accepted`: how often the server took each Message-ID of a mail to a client."""

    steps: int
    kills: int
    states: Counter[str]
    accepted: Counter[str]
    sent_but_not_accepted: int
    lost_without_reason: int
    uncertain_but_accepted: int

    @property
    def twice(self) -> int:
        return sum(1 for count in self.accepted.values() if count > 1)

    @property
    def faults(self) -> list[str]:
        """What must not be; empty when every step was sent once or is kept with its reason."""
        found = []
        if self.twice:
            found.append(f"{self.twice} mails were accepted more than once")
        if sum(self.states.values()) != self.steps:
            found.append(f"{sum(self.states.values())} mails for {self.steps} steps")
        if self.sent_but_not_accepted:
            found.append(f"{self.sent_but_not_accepted} mails are sent, but the server never took them")
        if self.lost_without_reason:
            found.append(f"{self.lost_without_reason} mails stay behind without a reason")
        if self.uncertain_but_accepted:
            found.append(f"{self.uncertain_but_accepted} mails are uncertain although the server has them")
        return found


def prepared(folder: Path, smtp_port: int, steps: int, **more: Any) -> Path:
    """An installation in which `steps` clients have each been waiting on for three days, up to the moment it is due.

    `more` is what `write_config` takes beside.
    """
    config = write_config(folder, smtp_port=smtp_port, more="daily_limit = 100000\nhourly_limit = 100000\n", **more)
    office = open_office(config)
    asked, proposed = [], []
    for number in range(steps):
        client = f"buyer@client{number}.example"
        asked.append(mail("请发方案。#discovery", originator=client, message_id=f"ask{number}@client{number}.example"))
        proposed.append(
            mail(
                "方案请见附件。#proposal",
                originator=LILEI,
                to=(client,),
                cc=(ASSISTANT,),
                at=MONDAY + timedelta(hours=1),
                answers=(f"ask{number}@client{number}.example",),
            )
        )
    office.hear(*asked)
    office.clock.move_to(MONDAY + timedelta(hours=2))
    office.hear(*proposed)
    with office.session() as session:
        runs = session.scalar(select(func.count()).select_from(CadenceRunRow))
    assert runs == steps, runs
    office.workplace.database.close()
    return config


def killed_often(config: Path, sink: SmtpSink, steps: int, kills: int, seed: int = 1) -> Verdict:
    """Starts and kills the daemon `kills` times at random, lets it finish, and counts."""
    chance = random.Random(seed)
    done = 0
    with nursery_of(config) as born:
        while done < kills and len(sink.received) < steps:
            process = born()
            before = len(sink.received)
            share = max(1, (steps - before) // max(1, kills - done))
            goal = min(steps, before + chance.randint(0, 2 * share))
            wait_for(lambda: len(sink.received) >= goal or not anything_open(config), 20)  # noqa: B023  # asked at once
            time.sleep(chance.random() * 0.1)
            os.kill(process, signal.SIGKILL)
            done += 1
        last = born()
        wait_for(lambda: not anything_open(config), 60 + steps)
        time.sleep(0.5)
        os.kill(last, signal.SIGKILL)
    return verdict_of(config, sink, steps, done)


@contextmanager
def nursery_of(config: Path) -> Iterator[Callable[..., int]]:
    """Gives a function that starts a daemon and returns its process number; its arguments are the minutes of its clock."""
    with (config.parent / "daemon.log").open("ab") as log:
        nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.exactly_once", str(config), repr(time.time())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=Path(__file__).parent.parent,
        )
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    orders, answers = nursery.stdin, nursery.stdout

    def born(*minutes: float) -> int:
        orders.write(f"{' '.join(map(str, minutes)) or '0'}\n")
        orders.flush()
        return int(answers.readline())

    try:
        yield born
    finally:
        nursery.kill()
        nursery.communicate()


def wait_for(ready: Callable[[], bool], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and not ready():
        time.sleep(0.005)


def anything_open(config: Path) -> bool:
    """Whether anything is still to be decided or sent to a client."""
    database = open_database(load_config(config).store.url, config.parent)
    open_states = ("queued", "claimed", "sending", "deferred")
    with database.reading() as session:
        undecided = session.scalar(select(CadenceRunRow.id).where(CadenceRunRow.step_index == 0).limit(1))
        to_clients = select(OutboxMessage.id).where(OutboxMessage.audience == "client")
        waiting = session.scalar(to_clients.where(OutboxMessage.state.in_(open_states)).limit(1))
    database.close()
    return undecided is not None or waiting is not None


def verdict_of(config: Path, sink: SmtpSink, steps: int, kills: int) -> Verdict:
    """After the Sent folder has been asked for what is uncertain: here the server's own list takes its place."""
    accepted: Counter[str] = Counter()
    for item in list(sink.received):
        if not all(address.endswith("@lanhai.example") for address in item.recipients):
            accepted[parse(item.content).message_id or ""] += 1
    office = open_office(config, now=DUE + timedelta(hours=1))
    delivery = office.workplace.delivery()
    delivery.resolve_uncertain(lambda message_id: message_id in accepted)
    rows = office.outbox()
    office.workplace.database.close()
    return Verdict(
        steps=steps,
        kills=kills,
        states=Counter(row.state for row in rows),
        accepted=accepted,
        sent_but_not_accepted=sum(row.state == "sent" and not accepted[row.message_id] for row in rows),
        lost_without_reason=sum(row.state != "sent" and not row.reason for row in rows),
        uncertain_but_accepted=sum(row.state == "uncertain" and bool(accepted[row.message_id]) for row in rows),
    )


def _live(workplace: Workplace) -> None:
    """As `assistant run` does, until somebody ends the process."""
    daemon: Daemon | None = None
    reader = workplace.mailbox_reader(lambda: daemon.wake() if daemon else None) if workplace.config.mailbox else None
    passes = Passes(workplace, reader, workplace.delivery())
    passes.delivery.recover()
    daemon = Daemon(workplace, passes)
    daemon.run()


def main(config: Path, epoch: float) -> None:
    """Forks a daemon for every line of the standard input."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # the log has no place among the answers
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever is killed leaves no entry behind
    loaded = load_config(config)
    office = Workplace(loaded, config.parent, Options(pace=False), ShiftedClock(epoch)).cadence
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            clock = ShiftedClock(epoch, [float(minutes) for minutes in line.split()])
            workplace = Workplace(loaded, config.parent, Options(pace=False), clock)
            workplace.__dict__["reader"] = TaggedReader()
            workplace.__dict__["cadence"] = office
            _live(workplace)
        print(process, file=answers, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
