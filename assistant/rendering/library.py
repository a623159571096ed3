"""Where templates lie: the agency's folder first, the shipped one for whatever is not there, file by file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from assistant.errors import Problem, ProblemsFound, relative

PARTS: Final = ("subject", "text", "html")
SHARED: Final = "layout"
"""The folder of what several mails share: layouts, words, sample data. It holds no mails."""


@dataclass(frozen=True, slots=True)
class TemplateMeta:
    """What `meta.toml` beside a template says.

    `commercial`: carries an offer, so that it needs consent and a marked subject. `tone`: a word for people who choose.
    `without`: roots of the context that this mail does without although its folder has them.
    """

    commercial: bool = False
    tone: str = ""
    without: tuple[str, ...] = ()


class Library:
    """The files of two folders seen as one. Reads the list of files once, when it is first asked."""

    def __init__(self, folder: Path, fallback: Path | None = None) -> None:
        self.folders = (folder,) if fallback is None or fallback == folder else (folder, fallback)
        self._tables: dict[str, dict[str, Any]] = {}

    @cached_property
    def files(self) -> Mapping[str, Path]:
        """Every file by its path below the folder, with slashes."""
        found: dict[str, Path] = {}
        for folder in reversed(self.folders):
            for path in sorted(folder.rglob("*")):
                hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
                if path.suffix in {".j2", ".toml"} and not hidden and path.is_file():
                    found[path.relative_to(folder).as_posix()] = path
        return found

    @cached_property
    def _names(self) -> tuple[str, ...]:
        folders = {key.rpartition("/")[0] for key in self.files if key.endswith((".j2", "/sample.toml"))}
        return tuple(sorted(name for name in folders if name and name.split("/")[0] != SHARED))

    def names(self) -> tuple[str, ...]:
        """All mails, as rule files name them, in order."""
        return self._names

    def part(self, name: str, part: str, language: str) -> str | None:
        """The file of one part; one without a language in its name serves every language."""
        for key in (f"{name}/{part}.{language}.j2", f"{name}/{part}.j2"):
            if key in self.files:
                return key
        return None

    def languages(self, name: str) -> tuple[str, ...]:
        """The languages that any part of `name` is written in, whether complete or not."""
        prefix = f"{name}/"
        found = set()
        for key in self.files:
            pieces = key.removeprefix(prefix).split(".") if key.startswith(prefix) else []
            if len(pieces) == 3 and pieces[0] in PARTS and pieces[2] == "j2":
                found.add(pieces[1])
        return tuple(sorted(found))

    def complete_languages(self, name: str) -> tuple[str, ...]:
        """The languages in which `name` has at least a subject and a text."""
        return tuple(
            language
            for language in self.languages(name)
            if self.part(name, "subject", language) and self.part(name, "text", language)
        )

    def table(self, key: str, code: str = "T004") -> dict[str, Any]:
        """The TOML file `key`, empty if there is none, read once. Raises `ProblemsFound` where it cannot be read."""
        if key not in self._tables:
            self._tables[key] = self._read(key, code)
        return self._tables[key]

    def _read(self, key: str, code: str) -> dict[str, Any]:
        path = self.files.get(key)
        if path is None:
            return {}
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            raise ProblemsFound((Problem(self.shown(key), 0, 0, code, "the file is not UTF-8", str(error)),)) from error
        except tomllib.TOMLDecodeError as error:
            line, column = _position(str(error), path)
            message = f"not valid TOML: {str(error).split(' (at ')[0]}"
            raise ProblemsFound((Problem(self.shown(key), line, column, code, message),)) from error

    def words(self, name: str, language: str) -> dict[str, Any]:
        """The shared words of a language and those of one mail over them."""
        shared = self.table(f"{SHARED}/words.{language}.toml")
        own = self.table(f"{name}/words.{language}.toml")
        return merged(shared, own)

    def meta(self, name: str) -> TemplateMeta:
        """What `meta.toml` says; the defaults where there is none."""
        table = self.table(f"{name}/meta.toml")
        return TemplateMeta(
            commercial=table.get("commercial") is True,
            tone=str(table.get("tone", "")),
            without=tuple(str(root) for root in table.get("without", ())),
        )

    def shown(self, key: str) -> str:
        """The file as people know it: `templates/followups/…`."""
        path = self.files.get(key)
        for folder in self.folders:
            if path is not None and path.is_relative_to(folder):
                return relative(path, folder.parent)
        return f"{self.folders[0].name}/{key}"


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `over` laid on it, table by table; lists and plain values are replaced."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result


def _position(message: str, path: Path) -> tuple[int, int]:
    """Line and column from the end of tomllib's message; the end of the file where it says so."""
    numbers = [int(word.strip(",)")) for word in message.split() if word.strip(",)").isdigit()]
    if " (at line " in message and len(numbers) >= 2:
        return numbers[-2], numbers[-1]
    lines = path.read_text(encoding="utf-8").splitlines() or [""]
    return len(lines), len(lines[-1]) + 1
