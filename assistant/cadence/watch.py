"""Notices at once when a rule or template file changes. What is then read, and whether it is taken, others decide."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

_log = structlog.get_logger("assistant.cadence")

_GATHER_MILLISECONDS = 1000
"""Editors write in several steps, and people save several files one after the other."""
_QUIET_MILLISECONDS = 150
_AGAIN_SECONDS = 5.0
"""A folder that is gone, or was put in place of another, is looked for again after this."""


def watch_files(folders: Iterable[Path], on_change: Callable[[], None], stop: threading.Event) -> threading.Thread:
    """Calls `on_change` after every change of a rule or template below `folders`, from a thread that ends with `stop`."""
    wanted = tuple(folders)
    thread = threading.Thread(target=_watch, args=(wanted, on_change, stop), name="rule-watcher", daemon=True)
    thread.start()
    return thread


def _watch(folders: tuple[Path, ...], on_change: Callable[[], None], stop: threading.Event) -> None:
    from watchfiles import watch

    while not stop.is_set():
        there = [folder for folder in folders if folder.is_dir()]
        known = [(folder, folder.stat().st_ino) for folder in there]
        try:
            if there:
                for changes in watch(
                    *there,
                    stop_event=stop,
                    debounce=_GATHER_MILLISECONDS,
                    step=_QUIET_MILLISECONDS,
                    rust_timeout=int(_AGAIN_SECONDS * 1000),
                    yield_on_timeout=True,
                    raise_interrupt=False,
                ):
                    if _concerns(path for _, path in changes):
                        on_change()
                    if known != [(folder, folder.stat().st_ino) for folder in folders if folder.is_dir()]:
                        on_change()  # another folder stands in its place
                        break
        except OSError as error:
            _log.warning("rules_not_watched", reason=str(error), action="changes are seen at the next turn")
        stop.wait(_AGAIN_SECONDS if not there else 0.1)


def _concerns(paths: Iterable[str]) -> bool:
    """Editors leave backup and lock files; only rules and templates count."""
    return any(path.endswith((".toml", ".j2")) and not Path(path).name.startswith((".", "#")) for path in paths)
