"""Learning while the daemon runs: corrections become a new model in a process of their own, taken up without a restart."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final, Literal

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.adapters import resolve_url
from assistant.config import Config
from assistant.errors import AssistantError
from assistant.log import set_up_logging
from assistant.store import Database, open_database
from assistant.store.tables import Correction

_log = structlog.get_logger("assistant.learning")

QUIET: Final = timedelta(minutes=2)
"""A refit waits until nobody has corrected anything for so long: people correct several mails in a row."""
AGAIN_AFTER: Final = timedelta(hours=6)
"""After a refit that failed, the same corrections are tried again so much later."""


@dataclass(frozen=True, slots=True)
class LearningPlace:
    """Where an installation's corrections and its own models are. `url` as SQLAlchemy wants it."""

    url: str
    base: Path
    folder: Path
    encoder: Literal["auto", "on", "off"] = "auto"

    @classmethod
    def of(cls, config: Config, base: Path) -> LearningPlace:
        """As the configuration in the folder `base` says."""
        settings = config.understanding
        return cls(
            resolve_url(config.store.url, base), base, base / (settings.model or "understanding"), settings.encoder
        )


def refit_model(place: LearningPlace, now: datetime) -> str:
    """Learns from every correction that is stored and takes the new model into use; returns its version, "" without corrections.

    Takes some seconds and some 400 MB. Raises AssistantError where the corrections would do harm.
    """
    from assistant import __version__
    from assistant.understanding import load_reader
    from assistant.understanding.corrections import examples_from, newest_lesson
    from assistant.understanding.refit import refit

    database = open_database(place.url, place.base)
    try:
        with database.session() as session:
            newest, examples = newest_lesson(session), examples_from(session)
    finally:
        database.close()
    if not examples:
        return ""
    base = load_reader(place.encoder, place.folder if place.folder.is_dir() else None).folder
    assert base is not None, "a loaded reader has a folder"
    return refit(base, place.folder, examples, __version__, now.isoformat(timespec="seconds"), newest)


def _refit_beside(place: LearningPlace, now: datetime) -> None:
    """The process: it gives way to everything else. The daemon sees the new model by itself."""
    os.nice(10)
    set_up_logging("warning")
    try:
        refit_model(place, now)
    except AssistantError as error:
        _log.error("model_not_refitted", why=str(error))
        raise SystemExit(1) from error


class Learning:
    """Begins a refit when people have corrected something and are done; one at a time. For the daemon's loop."""

    def __init__(
        self,
        place: LearningPlace,
        work: Callable[[LearningPlace, datetime], None] = _refit_beside,
    ) -> None:
        self._place = place
        self._work = work
        self._process: BaseProcess | None = None
        self._tried_to = 0
        self._tried_at: datetime | None = None

    def tend(self, database: Database, now: datetime) -> bool:
        """Looks whether there is something to learn and begins; returns whether a refit is under way."""
        if self._process is not None:
            if self._process.is_alive():
                return True
            if self._process.exitcode:
                _log.warning("refit_failed", exitcode=self._process.exitcode)
            self._process = None
        with database.session() as session:
            newest = self._wanted(session, now)
        if not newest:
            return False
        self._tried_to, self._tried_at = newest, now
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=self._work, args=(self._place, now), name="refit", daemon=True)
        self._process.start()
        _log.info("refit_begun", corrections_to=newest)
        return True

    def _wanted(self, session: Session, now: datetime) -> int:
        """The newest correction if no model of ours has learned it and the person is done; else 0."""
        from assistant.understanding.corrections import newest_lesson
        from assistant.understanding.usable import learned_to

        newest = newest_lesson(session)
        if not newest or newest <= learned_to(self._place.folder):
            return 0
        at = session.scalar(select(Correction.at).where(Correction.id == newest))
        if at is None or now - at < QUIET:
            return 0
        if newest == self._tried_to and self._tried_at is not None and now - self._tried_at < AGAIN_AFTER:
            return 0
        return newest

    def close(self) -> None:
        """Ends a refit that is under way; what it had written is left out and written anew next time."""
        if self._process is not None and self._process.is_alive():
            self._process.terminate()
            self._process.join(timeout=2)
        self._process = None
