"""How results are printed: a table for people, or one JSON object a line for programs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TextIO
from zoneinfo import ZoneInfo

_WITHOUT_LIMIT = 1000


def say(text: str) -> None:
    """Talk to the person at the terminal; never mixed with results."""
    print(text, file=sys.stderr)  # noqa: T201  # this is where the command line talks


def result(text: str) -> None:
    print(text)  # noqa: T201  # this is where the command line prints results


def counted(count: int, one: str, many: str = "") -> str:
    """`1 message`, `2 messages`; `many` where it is not formed with an s."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def json_line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)


def listing(
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    *,
    as_json: bool,
    empty: str,
    title: str = "",
    zone: str = "UTC",
) -> None:
    """Prints `rows`: with `as_json` every key of each, else the `columns` as a table with the times of `zone`, or
    `empty` when there is none."""
    if as_json:
        for row in rows:
            result(json_line(row))
        return
    found = list(rows)
    if not found:
        say(empty)
        return
    from rich.table import Table
    from rich.text import Text

    from assistant.cli.message_display import printable
    from assistant.cli.table import layout

    # As plain text: what a client wrote is neither markup nor an order to the terminal. A row is one line.
    cells = [[" ".join(printable(_cell(row.get(column), zone)).split()) for column in columns] for row in found]
    laid = layout(columns, cells, room_on(sys.stdout))
    table = Table(title=title or None, title_justify="left", header_style="bold", show_edge=False)
    for position, width in zip(laid.shown, laid.widths, strict=True):
        name = columns[position].replace("_", " ")
        table.add_column(name, width=width, no_wrap=False, overflow="ellipsis")
    for row_of_cells in cells:
        table.add_row(*(Text(row_of_cells[position], no_wrap=True, overflow="ellipsis") for position in laid.shown))
    console().print(table, crop=False)
    if laid.left_out:
        names = ", ".join(columns[position].replace("_", " ") for position in laid.left_out)
        say(f"No room for: {names}. A wider terminal shows them, and so does --json.")


def room_on(stream: TextIO) -> int | None:
    """How many cells a line may have: those of the terminal or of COLUMNS; None on a pipe, where nothing need fit."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return shutil.get_terminal_size().columns if stream.isatty() else None


def console(*, stderr: bool = False) -> Any:
    """A rich console; on a pipe it is as wide as it needs, not 80 columns."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=room_on(stream) or _WITHOUT_LIMIT, highlight=False)


def local(moment: datetime, zone: str) -> str:
    """A time as people at `zone` read it."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def _cell(value: object, zone: str) -> str:
    if value is None or value in ("", [], (), set()):
        return "–"
    if isinstance(value, datetime):
        return local(value, zone)
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(str(item) for item in value)
    return str(value)
