"""Loops and ticks, nothing else: read, interpret, decide, plan, deliver, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from assistant.clock import monotonic
from assistant.errors import AssistantError
from assistant.heap import PAUSE_SECONDS, heap_trimmer, steady_heap
from assistant.upkeep import keep_to_periods

if TYPE_CHECKING:
    from assistant.bootstrap import Workplace
    from assistant.intake.pipeline import IntakeCounts
    from assistant.mail.readers import MailboxReaders
    from assistant.outbox.deliver import Delivery, DeliveryCounts

_log = structlog.get_logger("assistant.daemon")
_Result = TypeVar("_Result")

STOP_WITHIN_SECONDS = 4.0
"""How long a mail that is being submitted may take after SIGTERM; then its outcome is left as uncertain."""
_LONGEST_PAUSE_SECONDS = 300.0
_INTERPRETING_SECONDS = 20.0
"""How long a turn may interpret mail: a mailbox that is read for the first time takes many turns, each with a sign of life."""
_TENDING_SECONDS = 60.0
"""How often drafts and uncertain mail are looked after."""


@dataclass(slots=True)
class PassReport:
    """What one whole pass did."""

    read: int = 0
    intake: IntakeCounts | None = None
    planned: int = 0
    delivery: list[DeliveryCounts] = field(default_factory=list)

    @property
    def sent(self) -> int:
        return sum(counts.sent for counts in self.delivery)


class Passes:
    """The passes that the daemon, `run --once` and the demonstration share."""

    def __init__(self, workplace: Workplace, reader: MailboxReaders | None, delivery: Delivery) -> None:
        self.workplace = workplace
        self.reader = reader
        self.delivery = delivery
        self._loop = asyncio.new_event_loop()

    def whole(self, stop: Callable[[], bool] = lambda: False) -> PassReport:
        """Read, interpret, decide, plan, and deliver what is due, with a last look at the mailboxes before sending.

        Raises what kept a mailbox from being read, after all that can be done without it.
        """
        report = PassReport()
        unread = self.look(report)
        self._think(report)
        for _ in range(20):  # what was sent may make something else due; twenty rounds are a loop, not a cadence
            if stop() or not self.delivery.anything_due():
                break
            unread = unread or self.look(report)
            self._think(report)
            counts = self.run_async(self.delivery.deliver_due(stop, staff_only=unread is not None), stop)
            if counts is None:
                break
            report.delivery.append(counts)
            self._think(report)
            if not (counts.sent or counts.cancelled or counts.postponed):
                break
        if not stop():
            self.tend()
            keep_to_periods(self.workplace)
        if unread is not None:
            raise unread
        return report

    def look(self, report: PassReport) -> AssistantError | None:
        """Reads every mailbox. Comes back with what kept one of them from being read: who wrote there is not known, so
        that nothing may go to clients."""
        try:
            report.read += self.reader.read_once() if self.reader is not None else 0
        except AssistantError as error:
            return error
        return None

    def tend(self) -> None:
        """Drafts and uncertain mail at the mailbox's server. What it cannot do now waits for the next time."""
        if self.reader is None:
            return
        try:
            self.workplace.tend_mailbox(self.delivery)
        except AssistantError as error:
            _log.warning("mailbox_not_tended", what=str(error))

    def _think(self, report: PassReport) -> None:
        counts = self.workplace.interpret()
        report.intake = counts if report.intake is None else report.intake + counts
        self.workplace.decide_all()
        self.workplace.decide_due()
        report.planned += self.workplace.plan()

    def run_async(self, work: Awaitable[_Result], stop: Callable[[], bool] = lambda: False) -> _Result | None:
        """Runs `work`; after `stop` says so it has a few seconds left, then it is cut off and None comes back."""

        async def bounded() -> _Result | None:
            task = asyncio.ensure_future(work)
            stopped_at: float | None = None
            while not task.done():
                await asyncio.wait({task}, timeout=0.2)
                if stop() and stopped_at is None:
                    stopped_at = monotonic()
                if stopped_at is not None and monotonic() - stopped_at > STOP_WITHIN_SECONDS:
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task
                    return None
            return task.result()

        return self._loop.run_until_complete(bounded())

    def close(self) -> None:
        self._loop.close()


class Daemon:
    """One process: a thread that reads the mailbox, and a loop that does everything else."""

    def __init__(self, workplace: Workplace, passes: Passes, health_file: Path | None = None) -> None:
        self._workplace = workplace
        self._passes = passes
        self._health_file = health_file
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._failures = 0
        self._trouble = ""
        self._tended_at = float("-inf")
        self._backlog = 0

    def wake(self) -> None:
        """New mail is there, or it is time to look."""
        self._wake.set()

    def stop(self) -> None:
        """Finish what is held and return from `run`. Safe to call from a signal handler."""
        # Setting an Event takes its lock, which the interrupted main thread may hold: another thread may wait for it.
        threading.Thread(target=self._end, name="stop", daemon=True).start()

    def _end(self) -> None:
        self._stop.set()
        self._wake.set()

    def run(self) -> None:
        """Until `stop`. Troubles are logged with what to do, and everything is tried again later."""
        steady_heap()
        ticker = self._start_ticking()
        reading = self._start_reading()
        watching = self._workplace.cadence.watch(self.wake, self._stop)
        _log.info("started", simulated=self._workplace.simulated)
        try:
            while not self._stop.is_set():
                self._wake.clear()
                self._attempt()
                self._write_health()
                self._wake.wait(self._pause())
        finally:
            ticker.shutdown(wait=False)
            if reading is not None:
                reading.join(timeout=STOP_WITHIN_SECONDS)
            watching.join(timeout=STOP_WITHIN_SECONDS)
            self._write_health(stopped=True)
            self._workplace.learning.close()
            _log.info("stopped")

    def _attempt(self) -> None:
        try:
            self._work()
            if self._failures:
                _log.info("recovered", after=self._failures)
            self._failures, self._trouble = 0, ""
        except AssistantError as error:
            self._failures += 1
            self._trouble = str(error)
            _log.error("trouble", what=str(error), attempt=self._failures)

    def _work(self) -> None:
        """One turn: interpret what was kept, decide and plan what is due, deliver after a last look at the mailbox."""
        workplace, passes = self._workplace, self._passes
        workplace.cadence.reload_if_changed(self._workplace.report_problems)
        workplace.interpret(self._stop.is_set, _INTERPRETING_SECONDS)
        self._backlog = workplace.intake.backlog
        if self._backlog:
            # Nothing is decided or sent before it is known who answered meanwhile.
            _log.info("catching_up", waiting=self._backlog)
            return
        workplace.decide_all(in_turns=True)
        workplace.decide_due()
        workplace.plan(in_turns=True)
        self._learn()
        keep_to_periods(workplace)
        if monotonic() - self._tended_at > _TENDING_SECONDS and not self._stop.is_set():
            passes.tend()
            self._tended_at = monotonic()
        if self._stop.is_set() or not passes.delivery.anything_due():
            return
        looked = PassReport()
        unread = passes.look(looked)
        # Whatever this look found: the reader beside us may have kept an answer a moment ago, which a look finds no more.
        workplace.interpret(self._stop.is_set)
        workplace.decide_due()
        passes.run_async(
            passes.delivery.deliver_due(self._stop.is_set, staff_only=unread is not None), self._stop.is_set
        )
        if not self._stop.is_set():
            workplace.interpret(self._stop.is_set)
        if unread is not None:
            raise unread

    def _learn(self) -> None:
        """Corrections become a new model beside all this; a clock that is not the machine's only rehearses."""
        workplace = self._workplace
        if workplace.config.understanding.learn and not workplace.simulated:
            workplace.learning.tend(workplace.database, workplace.clock.now())

    def _pause(self) -> float:
        """Seconds until the next turn if nothing wakes us: a tick, growing while something is broken."""
        workplace = self._workplace
        if (workplace.moments.behind or workplace.all_decided.behind or self._backlog) and not self._failures:
            return 0.0
        tick: float = self._workplace.config.daemon.tick.total_seconds()
        return min(tick * float(2 ** min(self._failures, 6)), _LONGEST_PAUSE_SECONDS)

    def _start_reading(self) -> threading.Thread | None:
        reader = self._passes.reader
        if reader is None:
            return None
        thread = threading.Thread(target=reader.run, args=(self._stop,), name="mailbox-reader-1", daemon=True)
        thread.start()
        return thread

    def _start_ticking(self) -> Any:
        """APScheduler as a clock that ticks, nothing more: what is due is a row in the database. Freed memory goes back
        beside that."""
        from apscheduler.schedulers.background import BackgroundScheduler

        scheduler = BackgroundScheduler(timezone="UTC")
        seconds = self._workplace.config.daemon.tick.total_seconds()
        scheduler.add_job(self.wake, "interval", seconds=seconds, misfire_grace_time=None, coalesce=True)
        scheduler.add_job(heap_trimmer(), "interval", seconds=PAUSE_SECONDS, misfire_grace_time=None, coalesce=True)
        scheduler.start()
        return scheduler

    def _stopped_sending(self) -> list[str]:
        """Where the breaker is open; empty too while the database cannot be asked."""
        from assistant.store.breaker import trips

        with contextlib.suppress(AssistantError), self._workplace.database.reading() as session:
            return [f"{trip.scope}: {trip.cause}" for trip in trips(session)]
        return []

    def _write_health(self, *, stopped: bool = False) -> None:
        """A small JSON file that a supervisor can look at: its age says whether the loop turns."""
        if self._health_file is None:
            return
        cadence = self._workplace.cadence
        state = "stopped" if stopped else ("trouble" if self._failures else "ok")
        health: dict[str, object] = {
            "state": state,
            "at": self._workplace.clock.now().isoformat(),
            "pid": os.getpid(),
            "trouble": self._trouble,
            "waiting_to_be_read": self._backlog,
            "sending_stopped": self._stopped_sending(),
            "rules": {"version": cadence.rules.version, "refused": [str(one) for one in cadence.refused[:5]]},
            "mailboxes": {
                name: {"state": found[0], "detail": found[1]}
                for name, found in list(self._workplace.sink.states.items())
            },
            "ledger": dict(self._workplace.sink.accounts),
        }
        temporary = self._health_file.with_suffix(".tmp")
        try:
            temporary.write_text(json.dumps(health, ensure_ascii=False), encoding="utf-8")
            temporary.replace(self._health_file)
        except OSError as error:
            _log.warning("health_file_not_written", reason=error.strerror)
