"""TOML with places: reads a file that people edit and says in which line and column a key stands."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from assistant.errors import Problem

_SYNTAX_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


def read_toml(path: Path, shown: str, syntax_code: str) -> tuple[dict[str, Any] | None, str, list[Problem]]:
    """The parsed file, its text, and the problems that kept it from being read (then the first value is None)."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        hint = "Save the file as UTF-8."
        return None, "", [Problem(shown, 0, 0, syntax_code, f"is not UTF-8 (byte {error.start})", hint)]
    except OSError as error:
        return None, "", [Problem(shown, 0, 0, syntax_code, f"cannot be read: {error.strerror}")]
    try:
        return tomllib.loads(text), text, []
    except tomllib.TOMLDecodeError as error:
        place = _SYNTAX_PLACE.search(str(error))
        lines = text.splitlines() or [""]
        line, column = (int(place[1]), int(place[2])) if place else (len(lines), len(lines[-1]) + 1)
        message = _SYNTAX_PLACE.sub("", str(error)).strip()
        return None, text, [Problem(shown, line, column, syntax_code, f"is not valid TOML: {message}")]


def place_of(text: str, path: Iterable[str | int], *, value: bool = False) -> tuple[int, int]:
    """Line and column (from 1) of the key at `path` (or of its value), e.g. ("staff", 1, "address").

    Keys are looked for in their own table: growing prefixes of the lines are parsed and the first in which the path
    exists is its line. Returns (1, 1) for the empty path; falls back to the deepest table that exists.
    """
    wanted = tuple(path)
    lines = text.splitlines()
    while wanted:
        for count in range(1, len(lines) + 1):
            prefix = _parses("\n".join(lines[:count]))
            if prefix is not None and _exists(prefix, wanted):
                return _first_line(lines, count, wanted, value)
        wanted = wanted[:-1]
    return 1, 1


def _first_line(lines: list[str], count: int, wanted: tuple[str | int, ...], value: bool) -> tuple[int, int]:
    """A value over several lines parses only at its last one; its key stands further up."""
    names = [part for part in wanted if isinstance(part, str)]
    for number in range(count, 0, -1):
        line = lines[number - 1]
        pattern = re.compile(r"(?<![\w-])[\"']?" + re.escape(names[-1]) + r"[\"']?(?=\s*[=\].])")
        if match := pattern.search(line):
            if value and "=" in line[match.end() :]:
                rest = line[match.end() :]
                after = rest[rest.index("=") + 1 :]
                return number, len(line) - len(after.lstrip()) + 1
            return number, match.start() + 1
    return count, 1


def _parses(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _exists(tree: Any, path: tuple[str | int, ...]) -> bool:
    for part in path:
        if isinstance(part, int):
            if not isinstance(tree, list) or part >= len(tree):
                return False
        elif not isinstance(tree, dict) or part not in tree:
            return False
        tree = tree[part]
    return True


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`Did you mean "x"?` for the nearest known word, or the empty string."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'Did you mean "{near[0]}"?' if near else ""
