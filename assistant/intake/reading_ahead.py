"""Parses and reads a batch while the one before is written: partly in a process beside, partly here when that is behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass

import structlog

from assistant.intake.careful import CarefulReading
from assistant.intake.isolation import is_risky
from assistant.intake.parsing import KeptMail, ParsedMail, Unparsed, facts_of, parse_and_prepare
from assistant.intake.reading_process import Parsed, ReadingProcess
from assistant.intake.relations import AgencySide
from assistant.model.reading import Reader

_log = structlog.get_logger("assistant.intake")

_AT_ONCE = 16
"""Messages that are parsed and read together: enough for the reader to be quick, few enough to share out evenly. The
process holds on to the next two portions, for which the writing one may have to wait."""
_AT_ONCE_ALONE = 16
"""Without a process beside: memory stays small in a daemon, and a stop is heard soon."""
_PATIENCE_SECONDS = 120.0
"""A part that takes the process longer is taken from it: it hangs."""


@dataclass(slots=True)
class Part:
    """Messages that are read together: here, or by the process, whose answer is awaited."""

    mails: Sequence[KeptMail]
    beside: Future[Parsed] | None = None
    parsed: Parsed | None = None
    here_only: bool = False
    """Whether it was found that the process may not have it."""


class ReadingAhead:
    """Begins batches and collects them later. Without a process everything is read when it is collected."""

    def __init__(self, agency: AgencySide, reader: Reader, careful: CarefulReading) -> None:
        self._agency = agency
        self._reader = reader
        self._careful = careful
        self._process: ReadingProcess | None = None

    @property
    def beside(self) -> bool:
        """Whether a process helps."""
        return self._process is not None

    def start_process(self, make_reader: Callable[[], Reader]) -> None:
        """From now on, as soon as it has loaded its model, a process helps."""
        if self._process is None:
            self._process = ReadingProcess(make_reader, self._agency.directory)

    def stop_process(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    def begin(self, mails: Sequence[KeptMail]) -> list[Part]:
        """What `collect` takes later."""
        size = _AT_ONCE if self.beside else _AT_ONCE_ALONE
        parts = [Part(mails[start : start + size]) for start in range(0, len(mails), size)]
        self._share(parts)
        return parts

    def _share(self, parts: Sequence[Part]) -> None:
        """What nobody has begun is given to the process, once it has loaded its model."""
        try:
            if self._process is None or not self._process.is_ready:
                return
            for part in parts:
                if part.parsed is None and part.beside is None and not part.here_only:
                    part.here_only = any(map(self._belongs_here, part.mails))
                    part.beside = None if part.here_only else self._process.begin(part.mails)
        except BrokenExecutor:
            self._lost("ended")

    def collect(self, parts: Sequence[Part], stop: Callable[[], bool]) -> list[ParsedMail | Unparsed]:
        """All of the batch, in order. Whatever the process has not begun when it is wanted is read here, the last first.

        After `stop` says so nothing: what was read so far is read again another time.
        """
        for part in reversed(parts):
            if stop():
                return []
            self._share(parts)
            if part.beside is None or part.beside.cancel():
                part.parsed = self._read_here(part)
        for part in parts:
            if stop():
                return []
            if part.parsed is None:
                part.parsed = self._fetched(part)
        return [mail for part in parts for mail in part.parsed or ()]

    def parse(self, mail: KeptMail) -> ParsedMail:
        """Phase 3 of one message, in this process. Raises what the message breaks."""
        message = self._careful.parse(mail.location_id, mail.raw)
        prove = self._agency.proof_in(mail.mailbox) if mail.recent else None
        return facts_of(mail, message, self._agency.directory, (lambda: prove(mail.raw, message)) if prove else None)

    def _belongs_here(self, mail: KeptMail) -> bool:
        """What needs proof of its sender, or a parser that may be killed."""
        return (mail.recent and self._agency.proof_in(mail.mailbox) is not None) or is_risky(mail.raw)

    def _read_here(self, part: Part) -> Parsed:
        under_way = [mail.location_id for mail in part.mails]
        return parse_and_prepare(part.mails, self.parse, self._reader, lambda: self._careful.under_way(under_way))

    def _fetched(self, part: Part) -> Parsed:
        """What the process made of it; should that be lost, what is made of it here."""
        assert part.beside is not None, "parts without a future were read here"
        try:
            return part.beside.result(_PATIENCE_SECONDS)
        except BrokenExecutor:
            self._lost("ended")
        except TimeoutError:
            self._lost("hangs")
        except Exception as error:  # noqa: BLE001  # what cannot be carried over is read here
            _log.warning("reading_process_failed", error=type(error).__name__, messages=len(part.mails))
        return self._read_here(part)

    def _lost(self, how: str) -> None:
        if self._process is not None:
            _log.warning("reading_process_lost", how=how, then="everything is read in this process")
            self._process.close()
            self._process = None
