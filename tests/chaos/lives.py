"""Processes that live and die: `python -m tests.chaos.lives` has everything loaded and forks one for every order it reads.

A life passes boundaries: the beginning of each phase, and both sides of every commit. They are counted only here, by
listeners that the forked process installs; the product knows nothing of them.
"""

from __future__ import annotations

import contextlib
import gc
import json
import mmap
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from assistant.bootstrap import Options, Workplace
from assistant.config import load_config
from assistant.daemon import Daemon, Passes
from assistant.errors import AssistantError
from assistant.intake.interpretation import Interpretation
from tests.offices import TaggedReader, _shipped_rules

QUICKER = 60
"""Pauses between connections are this much shorter than in earnest."""
LONGEST_LIFE = 90.0
_TROUBLE, _BUG = 3, 1


@dataclass(frozen=True)
class Order:
    """Live with this configuration from this moment on. `seconds` 0: until it ends by itself."""

    config: str
    at: str
    mode: str
    kill_at: int = 0
    seconds: float = 0.0
    twins: bool = False


@dataclass(frozen=True)
class End:
    """How a life ended. `boundaries`: how many it passed. `bug`: it ended with an unexpected error, or hung."""

    boundaries: int
    killed: bool
    trouble: bool
    bug: bool


class RunningClock:
    """Runs as fast as the machine's clock and stood at `at` when it was made."""

    def __init__(self, at: datetime) -> None:
        self._shift = at - datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift


class Boundaries:
    """Counts in memory that the parent sees, and kills this process at the one that was ordered."""

    def __init__(self, counter: mmap.mmap, kill_at: int) -> None:
        self._counter = counter
        self._kill_at = kill_at

    def passed(self, *_: object) -> None:
        count = int.from_bytes(self._counter[:8], "little") + 1
        self._counter[:8] = count.to_bytes(8, "little")
        if count == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

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
    counter = mmap.mmap(-1, 8)
    for line in sys.stdin:
        order = Order(**json.loads(line))
        counter[:8] = bytes(8)
        if order.mode == "warm":
            _warm(order)
            print(json.dumps(asdict(End(0, killed=False, trouble=False, bug=False))), file=answers, flush=True)
            continue
        children = [_born(order, counter) for _ in range(2 if order.twins else 1)]
        end = _wait(children, order, counter)
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


_warmed_up: list[Engine] = []
"""The engine that compiled the statements when everything was warmed up."""


def _warm(order: Order) -> None:
    """One pass in this process, so that those forked from it find statements, templates and tables ready."""
    workplace = _workplace(order)
    passes = Passes(workplace, workplace.mailbox_reader(), workplace.delivery())
    passes.whole()
    passes.close()
    _warmed_up.append(workplace.database.engine)
    workplace.database.close()
    gc.collect()
    gc.freeze()


def _workplace(order: Order) -> Workplace:
    config = Path(order.config)
    workplace = Workplace(
        load_config(config), config.parent, Options(pace=False), RunningClock(datetime.fromisoformat(order.at))
    )
    workplace.__dict__["reader"] = TaggedReader()
    workplace.__dict__["cadence"] = _shipped_rules(workplace.directory)
    return workplace


def _born(order: Order, counter: mmap.mmap) -> int:
    child = os.fork()
    if child:
        return child
    status = _BUG
    try:
        _live(order, counter)
        status = 0
    except AssistantError as error:
        print(f"trouble: {error}", file=sys.stderr, flush=True)
        status = _TROUBLE
    except BaseException:  # noqa: BLE001  # a forked process must never return into its parent's loop
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _live(order: Order, counter: mmap.mmap) -> None:
    threading.excepthook = lambda found: (traceback.print_exception(found.exc_value), os._exit(_BUG))
    workplace = _workplace(order)
    if _warmed_up:
        _share_statements(workplace.database.engine, _warmed_up[-1])
    Boundaries(counter, order.kill_at).install()
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


def _share_statements(engine: Engine, warm: Engine) -> None:
    """Compiled statements are found again by their dialect, too: it has to be the same object."""
    engine.dialect = engine.pool._dialect = warm.dialect
    engine._compiled_cache = warm._compiled_cache


def _quick(stop: threading.Event, seconds: float) -> None:
    stop.wait(seconds / QUICKER)


def _wait(children: list[int], order: Order, counter: mmap.mmap) -> End:
    deadline = time.monotonic() + (order.seconds or LONGEST_LIFE)
    statuses: dict[int, int] = {}
    killed: set[int] = set()
    while len(statuses) < len(children):
        for child in children:
            if child in statuses:
                continue
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                statuses[child] = status
            elif time.monotonic() > deadline:
                killed.add(child)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        time.sleep(0.002)
    exits = [os.waitstatus_to_exitcode(status) for status in statuses.values()]
    hung = bool(killed) and not order.seconds
    return End(
        boundaries=int.from_bytes(counter[:8], "little"),
        killed=any(code < 0 for code in exits),
        trouble=_TROUBLE in exits,
        bug=hung or any(code not in (0, _TROUBLE, -signal.SIGKILL) for code in exits),
    )


def live_until_done(born: Nursery, order: Order, attempts: int = 6) -> list[End]:
    """Lives `order` again and again until one ends by itself without trouble; the clock goes on a minute each time."""
    ends = []
    for attempt in range(attempts):
        at = datetime.fromisoformat(order.at) + timedelta(minutes=attempt)
        ends.append(born.live(Order(order.config, at.isoformat(), "once")))
        if not ends[-1].trouble:
            break
    return ends


if __name__ == "__main__":
    main()
