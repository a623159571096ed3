"""Reads texts in a process of its own, so that a long import uses a second core."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor

from assistant.model.reading import Reader, TextToRead

_reader: Reader | None = None


def _begin(make_reader: Callable[[], Reader]) -> None:
    global _reader  # noqa: PLW0603  # one reader for the life of the process
    _reader = make_reader()


def _prepare(texts: Sequence[TextToRead]) -> Sequence[object]:
    assert _reader is not None, "the process begins with a reader"
    return _reader.prepare(texts)


class ReadingProcess:
    """One process with a reader that `make_reader` builds; `make_reader` and what is prepared can be pickled."""

    def __init__(self, make_reader: Callable[[], Reader]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_begin, initargs=(make_reader,))

    def prepare(self, texts: Sequence[TextToRead]) -> Future[Sequence[object]]:
        """As `Reader.prepare`, some time later."""
        return self._pool.submit(_prepare, texts)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
