"""How results are printed: a table for people, or one JSON object a line for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo


def say(text: str) -> None:
    """Talk to the person at the terminal; never mixed with results."""
    print(text, file=sys.stderr)  # noqa: T201  # this is where the command line talks


def result(text: str) -> None:
    print(text)  # noqa: T201  # this is where the command line prints results


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

    table = Table(title=title or None, title_justify="left", header_style="bold", show_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in found:
        # As plain text: what a client wrote is neither markup nor an order to the terminal.
        table.add_row(*(Text(printable(_cell(row.get(column), zone))) for column in columns))
    console().print(table)


def console(*, stderr: bool = False) -> Any:
    """A rich console; on a pipe it is as wide as it needs, not 80 columns."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else 160, highlight=False)


def local(moment: datetime, zone: str) -> str:
    """A time as people at `zone` read it."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def _cell(value: object, zone: str) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, datetime):
        return local(value, zone)
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(str(item) for item in value)
    return str(value)
