"""A working year as a picture for the terminal: twelve months, days off, make-up days and festivals."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING, Final

from assistant.calendar.business import BusinessCalendar, Day
from assistant.calendar.festivals import FESTIVALS, festivals_of_year

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

STYLES: Final = {
    "working": "",
    "weekend": "dim",
    "holiday": "bold red",
    "make-up": "bold black on yellow",
    "closing": "bold magenta",
}
MARKS: Final = {"working": " ", "weekend": " ", "holiday": "休", "make-up": "班", "closing": "停"}
"""A mark beside the day, so that the picture reads without colours, too."""


_DAY: Final = 5
_MONTH: Final = 7 * _DAY
_BETWEEN: Final = 3
"""Cells of the terminal for a day, a month, and between two months."""


def draw_year(calendar: BusinessCalendar, year: int, width: int) -> RenderableType:
    """Twelve months, as many abreast (three at most) as fit `width` cells, the legend, and the named days and festivals."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    festivals = festivals_of_year(calendar.country, year)
    grid = Table.grid(padding=(0, _BETWEEN))
    months = [_month(calendar, year, month, festivals) for month in range(1, 13)]
    abreast = max(1, min(3, (width + _BETWEEN) // (_MONTH + _BETWEEN)))
    for row in range(0, 12, abreast):
        grid.add_row(*months[row : row + abreast])
    place = calendar.country + (f"-{calendar.subdivision}" if calendar.subdivision else "")
    working = sum(day.working for day in calendar.year(year))
    made_up = sum(day.kind == "make-up" for day in calendar.year(year))
    title = Text(f"{place} {year}", style="bold")
    title.append(f"   {working} working days 工作日, {made_up} of them make-up 调休上班", style="not bold")
    if calendar.is_provisional(year):
        title.append("   provisional 暂定", style="bold yellow")
    return Group(title, Text(), grid, _legend(), Text(), _named(calendar, year, festivals))


def _month(calendar: BusinessCalendar, year: int, month: int, festivals: dict[date, tuple[str, ...]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 0), title=f"{month}月 {date(year, month, 1):%B}", title_justify="left")
    for name in ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"):
        table.add_column(name, width=_DAY, justify="left", header_style="dim")
    cells: list[Text] = [Text()] * date(year, month, 1).weekday()
    days = [date(year, month, number) for number in range(1, monthrange(year, month)[1] + 1)]
    cells += [_cell(calendar, calendar.day(day), day in festivals) for day in days]
    cells += [Text()] * (-len(cells) % 7)
    for start in range(0, len(cells), 7):
        table.add_row(*cells[start : start + 7])
    return table


def _cell(calendar: BusinessCalendar, day: Day, festival: bool) -> Text:
    """A weekend inside a holiday is shown as part of it."""
    from rich.text import Text

    kind = "holiday" if day.kind == "weekend" and calendar.is_holiday(day.date) else day.kind
    cell = Text(f"{day.date.day:2d}", style=STYLES[kind] + (" underline" if festival else ""))
    cell.append(MARKS[kind], style="not bold not underline")
    return cell


def _legend() -> Text:
    from rich.text import Text

    legend = Text()
    legend.append("休", style=STYLES["holiday"])
    legend.append(" day off 放假   ")
    legend.append("班", style=STYLES["make-up"])
    legend.append(" make-up working day 调休上班   ")
    legend.append("停", style=STYLES["closing"])
    legend.append(" own closing day 自定停工   ")
    legend.append("12", style="underline")
    legend.append(" festival 节日")
    return legend


def _named(calendar: BusinessCalendar, year: int, festivals: dict[date, tuple[str, ...]]) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for day in calendar.year(year):
        names = " ".join(f"{FESTIVALS[one].zh} {FESTIVALS[one].en}" for one in festivals.get(day.date, ()))
        if not names and not day.name:
            continue
        work = "works 上班" if day.working else "off 放假"
        table.add_row(f"{day.date:%m-%d %a}", work if day.kind != "weekend" else "weekend 周末", day.name, names)
    return table
