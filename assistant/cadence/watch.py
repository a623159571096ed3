"""Reloads the rules when a file changes: the whole set, or the last good one stays and somebody is told why."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from assistant.cadence.load import load_rulebook, with_versions
from assistant.cadence.reading import KnowsTemplates
from assistant.cadence.rules import Rulebook
from assistant.errors import Problem, ProblemsFound


class RuleShelf:
    """Holds the last good rulebook of a folder. Thread-safe: readers see a whole set, the old or the new."""

    def __init__(
        self,
        folder: Path,
        templates: Callable[[], KnowsTemplates] | None = None,
        on_change: Callable[[Rulebook], None] | None = None,
        on_problems: Callable[[tuple[Problem, ...]], None] | None = None,
    ) -> None:
        """Loads at once; raises `ProblemsFound` when the first set is wrong. `templates` makes a fresh look at them."""
        self.folder = folder
        self._templates = templates
        self._on_change = on_change
        self._on_problems = on_problems
        self._lock = threading.Lock()
        rulebook, problems = self._load()
        if rulebook is None:
            raise ProblemsFound(tuple(problems))
        self._rulebook = rulebook

    def _load(self) -> tuple[Rulebook | None, list[Problem]]:
        return load_rulebook(self.folder, self._templates() if self._templates is not None else None)

    @property
    def rulebook(self) -> Rulebook:
        """The last good set."""
        with self._lock:
            return self._rulebook

    def reload(self) -> bool:
        """Reads the folder again. True when a new good set was taken; a wrong one changes nothing and is reported."""
        fresh, problems = self._load()
        if fresh is None:
            if self._on_problems is not None:
                self._on_problems(tuple(problems))
            return False
        with self._lock:
            if fresh.version == self._rulebook.version:
                return False
            known = {(one.name, one.version): one.definition for one in self._rulebook.cadences}
            kept = {key: cadence.definition for key, cadence in self._rulebook.versions.items()}
            self._rulebook = with_versions(fresh, {**kept, **known})
            changed = self._rulebook
        if self._on_change is not None:
            self._on_change(changed)
        return True

    def watch(self, stop: threading.Event, *also: Path) -> None:
        """Waits for changes below the folder (and below `also`, the templates) and reloads, until `stop` is set."""
        from watchfiles import watch

        for changes in watch(self.folder, *also, stop_event=stop, debounce=300, step=50, raise_interrupt=False):
            if _concerns(path for _, path in changes):
                self.reload()


def _concerns(paths: Iterable[str]) -> bool:
    """Editors leave backup and lock files; only rules and templates count."""
    return any(path.endswith((".toml", ".j2")) and not Path(path).name.startswith((".", "#")) for path in paths)
