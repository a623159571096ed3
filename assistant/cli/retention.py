"""`assistant retention`: what is older than the periods in the configuration."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from assistant.cli.context import context_of
from assistant.cli.output import json_line, result, say


def register(app: typer.Typer) -> None:
    app.command("retention")(retention)


def retention(
    ctx: typer.Context,
    apply: Annotated[bool, typer.Option("--apply", help="Do now what the daemon does once a day.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as one JSON object.")] = False,
) -> None:
    """Say what the retention periods would take away now; records and decisions stay in any case."""
    from assistant.keeping.forget import scrub
    from assistant.keeping.retention import retire
    from assistant.upkeep import periods_of

    workplace = context_of(ctx).workplace()
    periods = periods_of(workplace)
    session_of = workplace.database.session if apply else workplace.database.reading
    with session_of() as session:
        counts = asdict(retire(session, periods, workplace.clock.now()))
    if apply and any(counts.values()):
        scrub(workplace.database)
    if as_json:
        result(json_line(counts))
        return
    for name, count in counts.items():
        period = getattr(periods, name)
        kept = f"kept {period.days} days" if period is not None else "kept for ever"
        say(f"{name:<15} {kept:<16} {count} {'taken away' if apply else 'older'}")
