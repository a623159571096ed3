"""`assistant quarantine`: messages that broke a phase, with the reason; nothing of them is lost."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant.cli.context import context_of
from assistant.cli.output import listing

app = typer.Typer(help="Messages that broke a phase of intake.", invoke_without_command=True)


@app.callback()
def quarantine(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also what went through later.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List messages in quarantine: phase, reason, since when. `assistant message retry ID` tries one again."""
    from assistant.store.listings import quarantine_rows

    with context_of(ctx).database().reading() as session:
        columns = ("id", "phase", "reason", "since", "attempts", "folder", "uid")
        listing(
            quarantine_rows(session, everything=everything),
            columns,
            as_json=as_json,
            empty="Nothing is in quarantine.",
            zone=context_of(ctx).zone,
        )
