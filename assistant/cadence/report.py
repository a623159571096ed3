"""Problems as people see them: place, code and sentence, the line itself with a mark under what is meant, the hint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assistant.cadence.positions import width_at
from assistant.errors import Problem


def with_excerpt(problem: Problem, read: Callable[[str], str | None]) -> str:
    """The problem with its line. `read` gives the text of a file by its shown name, or None."""
    place = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
    warning = "warning: " if problem.severity == "warning" else ""
    lines = [f"{place}: {problem.code} {warning}{problem.message}"]
    text = read(problem.file) if problem.line else None
    if text is not None:
        rows = text.split("\n")
        if problem.line <= len(rows):
            row = rows[problem.line - 1].rstrip("\r")
            head = f"  {problem.line} | "
            mark = "^" * width_at(row, problem.column)
            lines.append(head + row)
            lines.append(" " * (len(head) - 2) + "| " + _padding(row, problem.column) + mark)
    if problem.hint:
        lines.append(f"  {problem.hint}")
    return "\n".join(lines)


def _padding(row: str, column: int) -> str:
    """As wide on the screen as the text before the column: tabs stay tabs, Chinese characters take two cells."""
    from unicodedata import east_asian_width

    cells = ("\t" if one == "\t" else "  " if east_asian_width(one) in "WF" else " " for one in row[: column - 1])
    return "".join(cells)


def reader_of(folder: Path) -> Callable[[str], str | None]:
    """Reads files shown as `rules/NAME` from the folder, wherever it lies, and others as they are called."""

    def read(shown: str) -> str | None:
        for path in (folder.parent / shown, Path(shown)):
            try:
                return path.read_text(encoding="utf-8-sig", errors="replace")
            except OSError:
                continue
        return None

    return read
