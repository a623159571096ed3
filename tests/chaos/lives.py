"""Processes that live and die: `python -m tests.chaos.lives` has everything loaded and forks one for every order it reads.

A life passes boundaries: the beginning of each phase, and both sides of every commit. They are counted only here, by
listeners that the forked process installs; the product knows nothing of them.
"""

from __future__ import annotations

import functools
import gc
import json
import mmap
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from assistant.bootstrap import Options, Workplace
from assistant.config import load_config
from assistant.daemon import Daemon, Passes
from assistant.errors import AssistantError
from assistant.intake.interpretation import Interpretation
from assistant.store import database, workers
from tests.chaos import sabotage
from tests.offices import TaggedReader, _shipped_rules

QUICKER = 60
"""Pauses between connections are this much shorter than in earnest."""
LONGEST_LIFE = 90.0
IMPATIENT_SECONDS = 0.2
STOPPED_SECONDS = 1
"""After which PostgreSQL ends a transaction whose process was stopped; a minute and a half in earnest."""
_TROUBLE, _BUG = 3, 1


@dataclass(frozen=True)
class Order:
    """Live with this configuration from this moment on. `seconds` 0: until it ends by itself.

    `pause_at`, `pause_after`: the boundary, or the second, at which one of the workers is stopped; the clock of all goes
    on by `pause_minutes`, and `pause_seconds` later it is continued. `impatient`: the database is given up on soon.
    `room`: so many pages an SQLite file may still grow by; 0 is no limit.
    """

    config: str
    at: str
    mode: str
    kill_at: int = 0
    seconds: float = 0.0
    workers: int = 1
    pause_at: int = 0
    pause_after: float = 0.0
    pause_minutes: float = 0.0
    pause_seconds: float = 0.0
    impatient: bool = False
    room: int = 0
    sabotage: str = ""


@dataclass(frozen=True)
class End:
    """How a life ended. `boundaries`: how many it passed. `bug`: it ended with an unexpected error, or hung."""

    boundaries: int
    killed: bool
    trouble: bool
    bug: bool


class Shared:
    """Memory that every worker of a life and its parent see: the boundaries passed, and how far the clock jumped."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 16)

    def clear(self) -> None:
        self._memory[:] = bytes(16)

    @property
    def boundaries(self) -> int:
        return int.from_bytes(self._memory[:8], "little")

    def pass_boundary(self) -> int:
        count = self.boundaries + 1
        self._memory[:8] = count.to_bytes(8, "little")
        return count

    @property
    def jump(self) -> timedelta:
        return timedelta(milliseconds=int.from_bytes(self._memory[8:], "little"))

    def jump_by(self, minutes: float) -> None:
        self._memory[8:] = int(minutes * 60_000).to_bytes(8, "little")


class RunningClock:
    """Runs as fast as the machine's clock, stood at `at` when it was made, and jumps for all workers together."""

    def __init__(self, at: datetime, shared: Shared) -> None:
        self._shift = at - datetime.now(UTC)
        self._shared = shared

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift + self._shared.jump


class Boundaries:
    """Counts what all workers pass; kills, or stops, the one that passes what was ordered."""

    def __init__(self, shared: Shared, order: Order) -> None:
        self._shared = shared
        self._order = order

    def passed(self, *_: object) -> None:
        count = self._shared.pass_boundary()
        if count == self._order.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if count == self._order.pause_at:
            os.kill(os.getpid(), signal.SIGSTOP)

    def install(self) -> None:
        event.listen(Session, "before_commit", self.passed)
        event.listen(Session, "after_commit", self.passed)

        def begin(one: Interpretation, phase: str) -> None:
            one.__dict__["phase"] = phase
            self.passed()

        Interpretation.phase = property(lambda one: one.__dict__["phase"], begin)  # type: ignore[assignment]  # a forked process watches itself


class Nursery:
    """Gives orders to the process that forks. One order at a time; `begin` returns at once, `end` waits."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def begin(self, order: Order) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(order)) + "\n")
        self._process.stdin.flush()

    def end(self) -> End:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process that starts daemons has ended; see its log")
        return End(**json.loads(line))

    def live(self, order: Order) -> End:
        self.begin(order)
        return self.end()


@contextmanager
def nursery(log: Path) -> Iterator[Nursery]:
    """Starts the process; what lives in it say goes to `log`."""
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.lives"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=Path(__file__).parent.parent.parent,
        )
    try:
        yield Nursery(process)
    finally:
        process.kill()
        process.communicate()


# --- in the process that forks --------------------------------------------------------------------------------------


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # the log has no place among the answers
    _load_everything()
    shared = Shared()
    for line in sys.stdin:
        order = Order(**json.loads(line))
        shared.clear()
        if order.mode == "warm":
            _warm(order, shared)
            print(json.dumps(asdict(End(0, killed=False, trouble=False, bug=False))), file=answers, flush=True)
            continue
        end = Watch(order, shared, [_born(order, shared) for _ in range(order.workers)]).until_all_ended()
        print(json.dumps(asdict(end)), file=answers, flush=True)


def _load_everything() -> None:
    """What a daemon imports when it first needs it, so that every life finds it there."""

    import assistant.cadence.office
    import assistant.deciding
    import assistant.ledger
    import assistant.mail.submission
    import assistant.outbox.draftbox
    import assistant.outbox.staff_mail
    import assistant.planned  # noqa: F401  # all of these are imported for the sake of importing

    gc.freeze()


_warmed_up: dict[str, Engine] = {}
"""The engines that compiled the statements when everything was warmed up, by the kind of their database."""


def _warm(order: Order, shared: Shared) -> None:
    """One pass in this process, so that those forked from it find statements, templates and tables ready."""
    workplace = _workplace(order, shared)
    _share_statements(workplace.database.engine)
    passes = Passes(workplace, workplace.mailbox_reader(), workplace.delivery())
    passes.whole()
    passes.close()
    _warmed_up[workplace.database.engine.name] = workplace.database.engine
    workplace.database.close()
    gc.collect()
    gc.freeze()


def _workplace(order: Order, shared: Shared) -> Workplace:
    config = Path(order.config)
    clock = RunningClock(datetime.fromisoformat(order.at), shared)
    workplace = Workplace(load_config(config), config.parent, Options(pace=False), clock)
    workplace.__dict__["reader"] = TaggedReader()
    workplace.__dict__["cadence"] = _shipped_rules(workplace.directory)
    return workplace


def _born(order: Order, shared: Shared) -> int:
    child = os.fork()
    if child:
        return child
    status = _BUG
    gc.disable()  # its memory is the parent's, which the collector would make it copy
    try:
        _live(order, shared)
        status = 0
    except AssistantError as error:
        print(f"trouble: {error}", file=sys.stderr, flush=True)
        status = _TROUBLE
    except BaseException:  # noqa: BLE001  # a forked process must never return into its parent's loop
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _live(order: Order, shared: Shared) -> None:
    threading.excepthook = lambda found: (traceback.print_exception(found.exc_value), os._exit(_BUG))
    setattr(workers, "_PROCESS", uuid.uuid4().hex[:8])  # noqa: B010  # what a process of its own has; it is final
    if order.impatient:
        setattr(database, "_BUSY_TIMEOUT_SECONDS", IMPATIENT_SECONDS)  # noqa: B010  # whole seconds in earnest
    database._STOPPED_SECONDS = STOPPED_SECONDS
    if order.sabotage:
        sabotage.break_(order.sabotage)
    workplace = _workplace(order, shared)
    if order.room and workplace.database.is_sqlite:
        event.listen(workplace.database.engine, "connect", functools.partial(_leave_room, order.room))
    _share_statements(workplace.database.engine)
    Boundaries(shared, order).install()
    daemon: Daemon | None = None
    reader = workplace.mailbox_reader(lambda: daemon.wake() if daemon else None)
    for each in reader.readers:
        each._wait = _quick
    passes = Passes(workplace, reader, workplace.delivery())
    passes.delivery.recover()
    if order.mode == "once":
        passes.whole()
        return
    daemon = Daemon(workplace, passes)
    daemon.run()


def _share_statements(engine: Engine) -> None:
    """Compiled statements are found again by their dialect, too: it has to be the same object."""
    warm = _warmed_up.get(engine.name)
    if warm is not None:
        engine.dialect = engine.pool._dialect = warm.dialect
        engine._compiled_cache = warm._compiled_cache


def _leave_room(pages: int, connection: sqlite3.Connection, _record: object) -> None:
    """A disk that is all but full, as far as SQLite can see."""
    (used,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={used + pages}")


def _quick(stop: threading.Event, seconds: float) -> None:
    stop.wait(seconds / QUICKER)


class Watch:
    """Watches the workers of one life: pauses and continues, kills when their time is over, and says how they ended."""

    def __init__(self, order: Order, shared: Shared, workers: Sequence[int]) -> None:
        self._order = order
        self._shared = shared
        self._alive = list(workers)
        self._codes: list[int] = []
        self._began = time.monotonic()
        self._stopped: dict[int, float] = {}
        self._overdue = self._paused = False

    def until_all_ended(self) -> End:
        while self._alive:
            for worker in list(self._alive):
                self._look_at(worker)
            self._pause_and_continue()
            if time.monotonic() - self._began > (self._order.seconds or LONGEST_LIFE):
                self._overdue = True
                for worker in self._alive:
                    os.kill(worker, signal.SIGKILL)
                    self._note(os.waitpid(worker, 0)[1])
                break
            time.sleep(0.002)
        return End(
            boundaries=self._shared.boundaries,
            killed=any(code < 0 for code in self._codes),
            trouble=_TROUBLE in self._codes,
            bug=(self._overdue and not self._order.seconds)
            or any(code not in (0, _TROUBLE, -signal.SIGKILL) for code in self._codes),
        )

    def _look_at(self, worker: int) -> None:
        found, status = os.waitpid(worker, os.WNOHANG | os.WUNTRACED)
        if not found:
            return
        if os.WIFSTOPPED(status):
            self._stopped[worker] = time.monotonic()
            self._shared.jump_by(self._order.pause_minutes)
            return
        self._alive.remove(worker)
        self._stopped.pop(worker, None)
        self._note(status)

    def _note(self, status: int) -> None:
        self._codes.append(os.waitstatus_to_exitcode(status))

    def _pause_and_continue(self) -> None:
        now = time.monotonic()
        due = self._order.pause_after and now - self._began > self._order.pause_after
        if due and not self._paused and self._alive:
            self._paused = True
            os.kill(self._alive[0], signal.SIGSTOP)
        for worker, since in list(self._stopped.items()):
            if now - since > self._order.pause_seconds:
                del self._stopped[worker]
                os.kill(worker, signal.SIGCONT)


def live_until_done(born: Nursery, order: Order, attempts: int = 6) -> list[End]:
    """Lives `order` again and again until one ends by itself without trouble; the clock goes on a minute each time."""
    ends = []
    for attempt in range(attempts):
        at = datetime.fromisoformat(order.at) + timedelta(minutes=attempt)
        ends.append(born.live(replace(order, at=at.isoformat(), mode="once")))
        if not ends[-1].trouble:
            break
    return ends


if __name__ == "__main__":
    main()
