"""Where things stand in a TOML file: one linear scan, made only when there is a problem to place.

The text has been parsed before, so the scan trusts that it is well formed and only keeps track of keys and values.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

Path = tuple[str | int, ...]
Position = tuple[int, int]
"""Line and column, both from 1; columns count characters."""

_SPACE: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BLANK: Final = re.compile(r"[ \t]*")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_STRING: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|' + r"'''.*?'{3,5}|" + r'"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*'", re.DOTALL
)
_SCALAR: Final = re.compile(r"\d{4}-\d{2}-\d{2}[ Tt]\d{2}:[^\s,\]}#]+|[^\s,\]}#]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key stands, where its value begins, and, for tables under a header, where the header begins."""

    key: Position
    value: Position


def find_places(text: str) -> dict[Path, Place]:
    """Path of every key, table and list item → its place."""
    return _Scan(text).run()


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.places: dict[Path, Place] = {}
        self.arrays: dict[Path, int] = {}
        self.lines = [0, *(found.end() for found in re.finditer("\n", text))]

    def run(self) -> dict[Path, Place]:
        table: Path = ()
        self._skip(_SPACE)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_SPACE)
        return self.places

    def _position(self, at: int) -> Position:
        line = bisect_right(self.lines, at)
        return line, at - self.lines[line - 1] + 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        assert found is not None
        self.at = found.end()

    def _header(self) -> Path:
        start = self.at
        double = self.text.startswith("[[", self.at)
        self.at += 2 if double else 1
        parts, starts = self._key()
        self.at = self.text.index("]", self.at) + (2 if double else 1)
        path: Path = ()
        for number, part in enumerate(parts):
            path = (*path, part)
            last = number == len(parts) - 1
            place = Place(self._position(starts[number]), self._position(start))
            if last and double:
                self.arrays[path] = self.arrays.get(path, -1) + 1
                self.places.setdefault(path, place)
                path = (*path, self.arrays[path])
                self.places[path] = place
            elif path in self.arrays:
                path = (*path, self.arrays[path])
            else:
                self.places.setdefault(path, place)
        return path

    def _key(self) -> tuple[list[str], list[int]]:
        parts: list[str] = []
        starts: list[int] = []
        while True:
            self._skip(_BLANK)
            starts.append(self.at)
            found = _BARE.match(self.text, self.at) or _STRING.match(self.text, self.at)
            if found is None:
                self.at += 1
                return [*parts, ""], starts
            word = found.group()
            parts.append(_unquoted(word))
            self.at = found.end()
            self._skip(_BLANK)
            if not self.text.startswith(".", self.at):
                return parts, starts
            self.at += 1

    def _pair(self, table: Path) -> None:
        parts, starts = self._key()
        self._skip(_BLANK)
        self.at += 1  # the equals sign
        self._skip(_BLANK)
        value = self._position(self.at)
        path = table
        for part, start in zip(parts, starts, strict=False):
            path = (*path, part)
            self.places.setdefault(path, Place(self._position(start), value))
        self._value(path)

    def _value(self, path: Path) -> None:
        if self.at >= len(self.text):
            return
        character = self.text[self.at]
        if character == "[":
            self._array(path)
        elif character == "{":
            self._inline(path)
        else:
            found = _STRING.match(self.text, self.at) or _SCALAR.match(self.text, self.at)
            self.at = found.end() if found is not None else self.at + 1

    def _array(self, path: Path) -> None:
        self.at += 1
        number = 0
        while True:
            self._skip(_SPACE)
            if self.at >= len(self.text) or self.text[self.at] == "]":
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
                continue
            here = self._position(self.at)
            self.places[(*path, number)] = Place(here, here)
            self._value((*path, number))
            number += 1

    def _inline(self, path: Path) -> None:
        self.at += 1
        while True:
            self._skip(_SPACE)
            if self.at >= len(self.text) or self.text[self.at] == "}":
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self._pair(path)


def _unquoted(word: str) -> str:
    if word[0] == "'":
        return word[1:-1]
    if word[0] == '"':
        if "\\" in word:
            import tomllib

            return str(tomllib.loads(f"key = {word}")["key"])
        return word[1:-1]
    return word


_WORD: Final = re.compile(r"[\w.-]+")


def width_at(line: str, column: int) -> int:
    """How many characters the word or quoted text has that begins in this column; at least 1."""
    rest = line[column - 1 :]
    found = _STRING.match(rest) or _WORD.match(rest)
    if found is None and rest.startswith("["):
        found = re.match(r"\[+[^\]\n]*\]+", rest)
    return max(1, len(found.group())) if found is not None else 1
