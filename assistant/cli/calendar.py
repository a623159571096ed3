"""`assistant calendar`: the working year of a country as a picture, and business days counted."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from typer.core import TyperGroup

from assistant.cli.context import CommandContext, context_of
from assistant.cli.output import console, json_line, result, say

if TYPE_CHECKING:
    from assistant.calendar.business import BusinessCalendar


class FirstWordGroup(TyperGroup):
    """`calendar CN 2026` means `calendar show CN 2026`: a first word that is no command is a country."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=FirstWordGroup,
    help="Working days and festivals: COUNTRY [YEAR] prints a year; add counts business days.",
    no_args_is_help=True,
    subcommand_metavar="COUNTRY [YEAR] | COMMAND [ARGS]...",
)
RulesOption = Annotated[
    Optional[Path],  # typer reads this form on every supported version
    typer.Option("--rules", metavar="DIR", help="A folder of rules whose calendar.toml counts."),
]
CountryArgument = Annotated[str, typer.Argument(metavar="COUNTRY", help="Like CN, HK, US, GB-ENG or DE-BY.")]


@app.command("show", hidden=True)
def show(
    ctx: typer.Context,
    country: CountryArgument,
    year: Annotated[Optional[int], typer.Argument(min=1950, max=2099)] = None,  # as above
    rules: RulesOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a day.")] = False,
) -> None:
    """Print a year: working days, make-up days, festivals."""
    context = context_of(ctx)
    calendar = _calendar(context, country, rules)
    if year is None:
        from assistant.clock import SystemClock

        year = SystemClock().now().year
    if as_json:
        _print_json(calendar, year)
    else:
        from assistant.calendar.picture import draw_year

        terminal = console()
        terminal.print(draw_year(calendar, year, terminal.width))
    if calendar.is_provisional(year):
        say(
            f"{year} is provisional for {calendar.country}: its make-up working days are not published yet. "
            "Enter them in rules/calendar.toml when they are, with years = "
            f"[{year}]."
        )


@app.command("add")
def add(
    ctx: typer.Context,
    country: CountryArgument,
    start: Annotated[str, typer.Argument(metavar="DATE", help="Like 2026-02-12.")],
    days: Annotated[int, typer.Argument(metavar="DAYS", help="Business days; negative counts back.")],
    rules: RulesOption = None,
) -> None:
    """Print the date so many business days after a date."""
    from assistant.errors import WrongUse

    calendar = _calendar(context_of(ctx), country, rules)
    try:
        first = date.fromisoformat(start)
    except ValueError as error:
        raise WrongUse(f"{start!r} is not a date: write it like 2026-02-12.") from error
    if abs(days) > 10_000:
        raise WrongUse("More than 10000 business days are more than there are tables for.")
    found = calendar.add_business_days(first, days)
    result(found.isoformat())
    if calendar.is_provisional(found.year):
        say(f"{found.year} is provisional for {calendar.country}: its make-up working days are not published yet.")


def _calendar(context: CommandContext, country: str, rules: Path | None) -> BusinessCalendar:
    """The calendar of `CN` or `GB-SCT`, with the agency's overrides. Raises WrongUse for an unknown country."""
    from assistant.cadence.load import require_rulebook
    from assistant.cadence.values import did_you_mean
    from assistant.calendar.business import Calendars
    from assistant.calendar.published import is_country, is_subdivision, supported
    from assistant.errors import WrongUse

    code, _, part = country.upper().partition("-")
    if not is_country(code):
        two_letters = [one for one in supported() if len(one) == 2]
        hint = did_you_mean(code, two_letters) or "Write two letters such as CN, HK or US."
        raise WrongUse(f"There is no calendar for {country!r}. {hint}")
    if part and not is_subdivision(code, part):
        raise WrongUse(f"{code} has no part {part!r}. Known: {', '.join(supported()[code]) or 'none'}.")
    rulebook = require_rulebook(rules or context.rules_folder())
    return Calendars(overrides=rulebook.overrides).country(code, part)


def _print_json(calendar: BusinessCalendar, year: int) -> None:
    from assistant.calendar.festivals import FESTIVALS, festivals_of_year

    festivals = festivals_of_year(calendar.country, year)
    for day in calendar.year(year):
        names = [FESTIVALS[one].zh for one in festivals.get(day.date, ())]
        row = {
            "date": day.date,
            "working": day.working,
            "name": day.name or None,
            "festival": festivals[day.date][0] if names else None,
            "provisional": day.provisional,
        }
        result(json_line(row))
