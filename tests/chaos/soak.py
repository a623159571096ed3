"""Thousands of messages through the real daemon, with the memory of its processes measured all the way: it must stay flat."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks.installation import AGENCY_DOMAIN, ASSISTANT, PASSWORD_VARIABLE, command, write_config
from tests.chaos.stream import Stream
from tests.servers.authority import new_authority
from tests.servers.dovecot import PASSWORD, Mailbox, dovecot_server
from tests.servers.processes import free_port
from tests.servers.smtp_sink import smtp_server

SAMPLES = 100
HEAP = 0.1
"""This share of the messages lies in the mailbox when the daemon starts; the rest comes while it runs."""
AHEAD = 400
"""So many messages at most wait to be interpreted then: a steady stream, not one heap."""
WARM_UP = 0.15
"""After this share of the messages the daemon has seen every kind, and its memory is what the rest is compared with."""
ALLOWED = 0.10
PATIENCE_SECONDS = 300.0
_PAUSE_SECONDS = 0.2

Commander = Callable[[Path], Sequence[str]]


@dataclass(frozen=True)
class Sample:
    """Resident megabytes (10^6 bytes) when `messages` had been interpreted, after `seconds`.

    `daemon` is the process that reads the mailbox and writes; `helpers` are those that it has begun (one that reads texts
    while much waits, one that parses what is risky), all together: they come and go.
    """

    messages: int
    seconds: float
    daemon: float
    helpers: float = 0.0
    processor_seconds: float = 0.0
    """What the daemon has used of the processor."""


def level(curve: Sequence[Sample]) -> Sample:
    """The first sample after the warm-up."""
    warm = curve[-1].messages * WARM_UP
    return next(sample for sample in curve if sample.messages >= warm)


def growth(curve: Sequence[Sample]) -> float:
    """By how much the daemon's memory rose above its level after the warm-up, at most: 0.1 is a tenth."""
    warm = level(curve)
    return max(sample.daemon for sample in curve if sample.messages >= warm.messages) / warm.daemon - 1


def is_flat(curve: Sequence[Sample]) -> bool:
    return growth(curve) <= ALLOWED


def soak(
    messages: int, encoder: str, tell: Callable[[Sample], None] = lambda _sample: None, run: Commander | None = None
) -> list[Sample]:
    """The curve of a daemon that was given so many messages; `run` makes the command that starts it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cca-soak-")))
        server = stack.enter_context(dovecot_server(new_authority(folder)))
        sink = stack.enter_context(smtp_server(free_port()))
        mailbox = server.new_mailbox(ASSISTANT)
        config = write_config(
            folder,
            f'[mailbox]\nhost = "127.0.0.1"\nport = {server.plain_port}\ntls = "none"\nuser = "{ASSISTANT}"\n'
            f'password = "env:{PASSWORD_VARIABLE}"\n[submission]\nhost = "127.0.0.1"\nport = {sink.port}\ntls = "none"\n'
            f'[understanding]\nencoder = "{encoder}"\n[log]\nlevel = "error"\n',
        )
        source = Source(mailbox, messages)
        source.deliver(int(messages * HEAP))
        log = stack.enter_context((folder / "daemon.log").open("wb"))
        daemon = subprocess.Popen(
            (run or (lambda path: command(path, "run")))(config),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, PASSWORD_VARIABLE: PASSWORD},
        )
        stack.callback(_end, daemon)
        return _watch(source, folder / "assistant.db", psutil.Process(daemon.pid), tell)


@dataclass
class Source:
    """A stream that runs into a mailbox."""

    mailbox: Mailbox
    messages: int
    delivered: int = 0

    def __post_init__(self) -> None:
        self._stream = Stream(AGENCY_DOMAIN, ASSISTANT, f"lilei@{AGENCY_DOMAIN}")

    def deliver(self, up_to: int) -> None:
        """So many in all, none above what there is."""
        while self.delivered < min(up_to, self.messages):
            self.mailbox.deliver(self._stream.letter(datetime.now(UTC)))
            self.delivered += 1


def _end(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(15)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _watch(source: Source, database: Path, daemon: psutil.Process, tell: Callable[[Sample], None]) -> list[Sample]:
    began = progressed = time.monotonic()
    done, wanted = 0, 0.0
    curve: list[Sample] = []
    while done < source.messages:
        source.deliver(done + AHEAD)
        time.sleep(_PAUSE_SECONDS)
        before, done = done, interpreted(database)
        now = time.monotonic()
        if done > before:
            progressed = now
        elif not daemon.is_running() or daemon.status() == psutil.STATUS_ZOMBIE:
            raise RuntimeError(f"the daemon ended after {done} messages")
        elif now - progressed > PATIENCE_SECONDS:
            raise RuntimeError(f"nothing was interpreted for {PATIENCE_SECONDS:g} s after {done} messages")
        if done >= max(wanted, 1):
            curve.append(_measured(done, now - began, daemon))
            tell(curve[-1])
            wanted = done + source.messages / SAMPLES
    if curve[-1].messages < done:
        curve.append(_measured(done, time.monotonic() - began, daemon))
        tell(curve[-1])
    return curve


def _measured(done: int, seconds: float, daemon: psutil.Process) -> Sample:
    helpers = 0
    for process in daemon.children(recursive=True):
        try:
            helpers += process.memory_info().rss
        except psutil.Error:  # it has just ended
            continue
    used = daemon.cpu_times()
    return Sample(done, seconds, daemon.memory_info().rss / 1e6, helpers / 1e6, used.user + used.system)


def interpreted(database: Path) -> int:
    """How many messages have been: a question that costs the same however many they are."""
    if not database.exists():
        return 0
    pending = "SELECT count(*) FROM location WHERE outcome = 'pending'"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        try:
            found = connection.execute(f"SELECT (SELECT max(id) FROM location) - ({pending})").fetchone()
        except sqlite3.OperationalError:  # the tables are not there yet
            return 0
    return int(found[0] or 0)


def main(messages: int, encoder: str) -> int:
    print(f"{messages} messages through the daemon, encoder {encoder}", flush=True)
    print("messages   daemon  helpers  per s  processor, ms each", flush=True)
    last = Sample(0, 0.0, 0.0)

    def tell(sample: Sample) -> None:
        nonlocal last
        new = max(1, sample.messages - last.messages)
        rate = new / max(0.001, sample.seconds - last.seconds)
        each = 1000 * (sample.processor_seconds - last.processor_seconds) / new
        last = sample
        print(
            f"{sample.messages:>8} {sample.daemon:>6.1f} MB {sample.helpers:>5.0f} MB {rate:>6.1f} {each:>6.1f}",
            flush=True,
        )

    curve = soak(messages, encoder, tell)
    warm, end = level(curve), curve[-1]
    print(
        f"{end.messages} in {end.seconds:.0f} s: {end.messages / end.seconds:.1f} a second; processor of the daemon "
        f"{1000 * end.processor_seconds / end.messages:.1f} ms a message"
    )
    print(
        f"daemon: {curve[0].daemon:.1f} MB at first, {warm.daemon:.1f} MB after {warm.messages} messages, later at most "
        f"{max(sample.daemon for sample in curve if sample.messages >= warm.messages):.1f} MB, {end.daemon:.1f} MB at the end; "
        f"helpers at most {max(sample.helpers for sample in curve):.1f} MB"
    )
    flat = is_flat(curve)
    print(
        f"{growth(curve):+.1%} after the warm-up: {'flat within' if flat else 'WRONG: it grows by more than'} {ALLOWED:.0%}",
        file=sys.stdout if flat else sys.stderr,
    )
    return 0 if flat else 1
