"""What can go wrong, in sentences for the person who must act.

Bad input is a value, a `Problem`; a broken world raises `AssistantError`; a bug raises as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a file that a person edits. `line` and `column` count from 1; 0 means the whole file."""

    file: str
    line: int
    column: int
    code: str
    message: str
    hint: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        warning = "warning: " if self.severity == "warning" else ""
        return f"{place}: {self.code} {warning}{self.message}" + (f"\n  {self.hint}" if self.hint else "")


class AssistantError(Exception):
    """The world is broken: no server, no database, a refused login. The text says what to do. Exit status 3."""

    exit_status = 3


class WrongUse(AssistantError):  # noqa: N818  # the house's word, a sentence rather than a category
    """A command was called in a way that makes no sense. Exit status 2."""

    exit_status = 2


class ProblemsFound(AssistantError):  # noqa: N818  # the house's word, a sentence rather than a category
    """Files that people edit are wrong; carries every problem at once. Exit status 1."""

    exit_status = 1

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class ServerUnreachable(AssistantError):  # noqa: N818  # the house's word, a sentence rather than a category
    """No connection to a mail server, or it was lost. Trying again later makes sense."""


class LoginRefused(AssistantError):  # noqa: N818  # the house's word, a sentence rather than a category
    """The server does not accept the user or the password. A person must act."""


class StoreUnavailable(AssistantError):  # noqa: N818  # the house's word, a sentence rather than a category
    """The database cannot be opened, is locked, or its disk is full."""


def relative(path: Path, base: Path) -> str:
    """`path` as people know it: relative to `base` where it lies below it."""
    try:
        return str(path.relative_to(base))
    except ValueError:
        return str(path)
