"""The reader of an installation: it takes up corrections and newer models while it runs, and never stops reading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from assistant.model.reading import LooksBack, MailToRead, Reader, Reading, ReadMail, TextToRead
from assistant.understanding.corrections import corrections_in, newest_correction
from assistant.understanding.history import stamp_of
from assistant.understanding.reader import PipelineReader

_log = structlog.get_logger("assistant.understanding")


class ReaderInUse:
    """Reads as `PipelineReader` does, with whatever model is in use in `folder` when `follow` was called last."""

    def __init__(self, make: Callable[[], Reader], folder: Path | None = None) -> None:
        """`make` loads the model that is in use in `folder`, or the package's without one."""
        self._make = make
        self._folder = folder
        self._learned_to = 0
        self._stamp = stamp_of(folder)
        self._reader = self._load()

    @property
    def inner(self) -> Reader:
        """The reader with one model that reads at the moment."""
        return self._reader

    @property
    def notice(self) -> str:
        """A sentence for the operator where mail is read less well than it could be; else ""."""
        return str(getattr(self._reader, "notice", ""))

    @property
    def mode(self) -> str:
        """ "encoder" or "n-grams"."""
        return str(getattr(self._reader, "mode", ""))

    def prepare(self, texts: Sequence[TextToRead]) -> Sequence[object]:
        return self._reader.prepare(texts)

    def words(self, text: TextToRead, prepared: object | None = None) -> tuple[tuple[str, float], ...]:
        return self._reader.words(text, prepared)

    def read(self, mail: MailToRead, prepared: object | None = None) -> Reading:
        return self._reader.read(mail, prepared)

    def look_back(self, mails: Sequence[ReadMail]) -> tuple[tuple[tuple[str, float], ...], ...]:
        """As `LooksBack`; a reader that cannot leaves everything as it was read."""
        if isinstance(self._reader, LooksBack):
            return self._reader.look_back(mails)
        return tuple(mail.stage_probabilities for mail in mails)

    def read_as(self, mail: MailToRead, stage_probabilities: tuple[tuple[str, float], ...]) -> Reading:
        if isinstance(self._reader, LooksBack):
            return self._reader.read_as(mail, stage_probabilities)
        return self._reader.read(mail)

    def follow(self, session: Session) -> None:
        """Takes up what changed since the last call: another model in use, corrections stored by any process."""
        stamp = stamp_of(self._folder)
        if stamp != self._stamp:
            self._stamp, self._learned_to = stamp, 0
            self._reader = self._load()
            _log.info("model_taken_up", model=getattr(self._reader, "model", ""))
        if isinstance(self._reader, PipelineReader):
            self._learn(session, self._reader)

    def _learn(self, session: Session, reader: PipelineReader) -> None:
        newest = newest_correction(session)
        if newest < self._learned_to:  # another database was put in place of the one we learned from
            reader.memory.forget()
            self._learned_to = 0
        if newest > self._learned_to:
            lessons = [lesson for lesson, _ in corrections_in(session, self._learned_to)]
            reader.learn(lessons)
            self._learned_to = newest
            _log.info("corrections_learned", mails=len(lessons))

    def _load(self) -> Reader:
        reader = self._make()
        if self._folder is not None and (notice := getattr(reader, "notice", "")):
            _log.warning("reading_less_well", why=notice)
        return reader
