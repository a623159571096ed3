"""Reading mail so that no message can bring the daemon down twice: costly ones apart, and a marker of what is under way."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.intake.isolation import CostLimits, CostlyMessageError, IsolatedParser, is_risky, parse_within
from assistant.store.tables import Location
from parsers import Message

_log = structlog.get_logger("assistant.intake")

MOST_DEATHS = 4
"""After the process ended so often while one and the same message was under way, it goes into quarantine."""
_NAMED = 20
"""So many suspects are named in the log; a batch is larger, and only one of it is to blame."""
_PREFIX = ".reading-"
_numbers = itertools.count(1)


class ReadingMarker:
    """A small file that says which messages are under way; one that a dead process left behind tells where it died.

    It is written without waiting for the disk: it has to outlive the process, not the machine. `folder` None keeps none.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._path: Path | None = None
        self._handle = -1
        self.deaths: dict[int, int] = self._left_behind()
        """By location: how often a process ended while it was under way."""

    def under_way(self, locations: Sequence[int]) -> None:
        """From now on these are worked at; none for nothing."""
        if self._folder is None or (not locations and self._handle < 0):
            return
        if self._handle < 0 and not self._open():
            return
        os.pwrite(self._handle, self._line(locations), 0)

    def settled(self, location: int) -> None:
        """It went through, or was put away: it is no suspect any more."""
        self.deaths.pop(location, None)

    def close(self) -> None:
        """Nothing is under way: the file goes."""
        if self._handle >= 0 and self._path is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = -1

    def _line(self, locations: Sequence[int]) -> bytes:
        return json.dumps({"at": list(locations), "deaths": self.deaths}).encode() + b"\n"

    def _open(self) -> bool:
        assert self._folder is not None, "without a folder nothing is marked"
        self._path = self._folder / f"{_PREFIX}{os.getpid()}-{next(_numbers)}"
        try:
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            _log.warning("no_reading_marker", reason=error.strerror)
            self._folder = None
            return False
        return True

    def _left_behind(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for path in sorted(self._folder.glob(f"{_PREFIX}*")) if self._folder is not None else ():
            for location, deaths in _deaths_in(path).items():
                found[location] = max(found.get(location, 0), deaths)
        return found


def _deaths_in(path: Path) -> dict[int, int]:
    """What a marker says whose process is gone (nobody holds its lock); it is taken away. Of a living one: nothing."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return {}
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        written: Any = json.loads(os.read(handle, 1_000_000).partition(b"\n")[0] or b"{}")
        deaths = {int(location): int(count) for location, count in written.get("deaths", {}).items()}
        for location in written.get("at", ()):
            deaths[int(location)] = deaths.get(int(location), 0) + 1
        path.unlink(missing_ok=True)
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
    finally:
        os.close(handle)
    return deaths


class CarefulReading:
    """Parses mail for intake. One for each `Intake`; `close` after every run gives back what it holds."""

    def __init__(
        self, folder: Path | None = None, limits: CostLimits | None = None, isolated: IsolatedParser | None = None
    ) -> None:
        """`folder` is where the marker may be written: beside the database."""
        self._limits = limits or CostLimits()
        self._isolated = isolated or IsolatedParser(self._limits)
        self._marker = ReadingMarker(folder)
        self._named = False

    def suspects(self) -> tuple[int, ...]:
        """Locations at which a process died before: to be taken one at a time, before everything else."""
        return tuple(self._marker.deaths)

    def name_suspects(self, session: Session) -> None:
        """Says once, for each message that was under way when a process died, where it lies; nothing of what it says."""
        if self._named or not self._marker.deaths:
            return
        self._named = True
        shown = list(self._marker.deaths)[:_NAMED]
        for location in session.scalars(select(Location).where(Location.id.in_(shown)).order_by(Location.id)):
            _log.warning(
                "process_died_reading",
                location=location.id,
                mailbox=location.mailbox,
                folder=location.folder,
                uidvalidity=location.uidvalidity,
                uid=location.uid,
                deaths=self._marker.deaths[location.id],
                under_way=len(self._marker.deaths),
            )

    def parse(self, location: int, raw: bytes) -> Message:
        """The message's facts. Raises CostlyMessageError when it took too much, or brought the process down too often."""
        deaths = self._marker.deaths.get(location, 0)
        if deaths >= MOST_DEATHS:
            self._marker.settled(location)
            raise CostlyMessageError(f"{deaths} times the process ended while this message was under way")
        self._marker.under_way([location])
        if deaths or is_risky(raw):
            return self._isolated.parse(raw)
        return parse_within(raw, self._limits.processor_seconds)

    def under_way(self, locations: Sequence[int]) -> None:
        """These are interpreted now."""
        self._marker.under_way(locations)

    def settled(self, location: int) -> None:
        self._marker.settled(location)

    def close(self) -> None:
        self._marker.close()
        self._isolated.close()
