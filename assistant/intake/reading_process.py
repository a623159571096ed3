"""Parses and reads in a process of its own, so that a long run uses a second core."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import wait

from assistant.heap import collect_rarely
from assistant.intake.isolation import CostLimits, parse_within
from assistant.intake.parsing import KeptMail, ParsedMail, Unparsed, facts_of, parse_and_prepare
from assistant.model.carried import carry_by_fields
from assistant.model.people import Directory, Relation
from assistant.model.reading import Reader
from parsers import Address, Message
from parsers.types import Attachment, Bounced, Defect, Evidence, Forwarded, Invitation, TraceField

Parsed = list[ParsedMail | Unparsed]

# All that a message becomes in the process beside has to come here.
carry_by_fields(
    KeptMail, ParsedMail, Unparsed, Relation, Message, Address, Attachment, Bounced, Defect, Evidence, Forwarded, Invitation,
    TraceField,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _AtWork:
    reader: Reader
    directory: Directory
    limits: CostLimits

    def parse(self, mail: KeptMail) -> ParsedMail:
        return facts_of(mail, parse_within(mail.raw, self.limits.processor_seconds), self.directory)


_at_work: _AtWork | None = None


def _begin(make_reader: Callable[[], Reader], directory: Directory) -> None:
    global _at_work  # noqa: PLW0603  # one reader for the life of the process
    # Who is told to stop is the process that writes: it finishes what it holds, and this one ends with it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    collect_rarely()
    _at_work = _AtWork(make_reader(), directory, CostLimits())


def _end_with_parent() -> None:
    """A parent that was killed leaves no process behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(0)


def _work(mails: Sequence[KeptMail]) -> Parsed:
    assert _at_work is not None, "the process begins with a reader"
    return parse_and_prepare(mails, _at_work.parse, _at_work.reader)


def _ready() -> None:
    """Comes back when the process has loaded its model."""


class ReadingProcess:
    """One process with a reader that `make_reader` builds; `make_reader` and what is prepared can be pickled."""

    def __init__(self, make_reader: Callable[[], Reader], directory: Directory) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_begin, initargs=(make_reader, directory))
        self._loaded = self._pool.submit(_ready)

    @property
    def is_ready(self) -> bool:
        """Whether it has loaded its model by now. Raises what kept it from that."""
        if not self._loaded.done():
            return False
        self._loaded.result()
        return True

    def begin(self, mails: Sequence[KeptMail]) -> Future[Parsed]:
        """As `parse_and_prepare`, some time later. Mail that needs care, or proof of its sender, is not for it."""
        return self._pool.submit(_work, mails)

    def close(self) -> None:
        """Ends the process at once, whatever it is at: it holds nothing. The pool itself offers nothing for it."""
        for process in list((self._pool._processes or {}).values()):
            process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)
