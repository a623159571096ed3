"""Messages a second that are put into threads: by the pure table, and in a database on disk, in order and shuffled.

The mail is generated: conversations that overlap in time, half of the messages naming all their ancestors, the other half
only the one they answer, as mail programs do; some messages never arrive. Aims: 30,000 a second pure, 3,000 a second in SQLite. Run as
`python -m benchmarks.threads [--mails 20000] [--batch 128]`.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from assistant.model.threading import ThreadTable
from assistant.store import open_database
from assistant.store.migrate import migrate
from assistant.store.tables import Thread
from assistant.store.threads import ThreadedMail, place_batch

SEED = 7
START = datetime(2025, 1, 1, tzinfo=UTC)
MISSING = 0.1


def generate(mails: int) -> list[ThreadedMail]:
    chance = random.Random(SEED)
    found: list[ThreadedMail] = []
    running: list[list[tuple[str, ...]]] = []
    while len(found) < mails:
        if not running or chance.random() < 0.1:
            running = [*running[-50:], []]
        conversation = chance.choice(running)
        own = f"{chance.getrandbits(64):016x}@mail-{len(found) % 40}.example"
        ancestors = chance.choice(conversation[-3:]) if conversation else ()
        conversation.append((own, *ancestors))
        ids = (own, *(ancestors if chance.random() < 0.5 else ancestors[:1]))
        if chance.random() >= MISSING:
            found.append(ThreadedMail(ids, f"subject {len(found) % 900}", START + timedelta(minutes=len(found))))
    return found


def timed(what: str, mails: Sequence[ThreadedMail], work: Callable[[], int]) -> None:
    clock, cpu = time.perf_counter(), time.process_time()
    threads = work()
    clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    print(
        f"{what}: {len(mails)} messages, {threads} threads, {len(mails) / clock:,.0f} a second "
        f"({len(mails) / cpu:,.0f} a second of CPU time)"
    )


def pure(mails: Sequence[ThreadedMail]) -> int:
    table = ThreadTable()
    for mail in mails:
        table.add(mail.ids)
    return len({table.thread_of(mail.ids[0]) for mail in mails})


def stored(mails: Sequence[ThreadedMail], batch: int) -> int:
    with tempfile.TemporaryDirectory(prefix="cc-assistant-benchmark-") as folder:
        database = open_database("sqlite:///threads.db", Path(folder))
        migrate(database)
        for start in range(0, len(mails), batch):
            with database.session() as session:
                place_batch(session, mails[start : start + batch])
        with database.session() as session:
            living = session.scalar(select(func.count()).select_from(Thread).where(Thread.merged_into.is_(None)))
        database.close()
        return living or 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=128)
    arguments = parser.parse_args()
    mails = generate(arguments.mails)
    shuffled = random.Random(SEED).sample(mails, len(mails))
    for order, given in (("in order", mails), ("shuffled", shuffled)):
        timed(f"pure, {order}", given, lambda given=given: pure(given))  # type: ignore[misc]  # the default binds the loop's value
        timed(
            f"SQLite, {order}, {arguments.batch} at once",
            given,
            lambda given=given: stored(given, arguments.batch),  # type: ignore[misc]  # the default binds the loop's value
        )


if __name__ == "__main__":
    main()
