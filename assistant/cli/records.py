"""`assistant records`: every contact with clients, with its labels."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from assistant.cli.context import context_of, parse_time
from assistant.cli.output import listing

_COLUMNS = (
    "id",
    "sent_at",
    "direction",
    "client",
    "project",
    "stage",
    "stage_confidence",
    "stage_doubt",
    "waiting_on",
    "intents",
    "summary",
)
_NOTHING_YET = "No records yet. Run `assistant run --once`, or `assistant import` some history."


def register(app: typer.Typer) -> None:
    app.command("records")(records)


def records(
    ctx: typer.Context,
    client: Annotated[str, typer.Option(help="Only of clients whose name contains this.")] = "",
    project: Annotated[str, typer.Option(help="Only of projects whose name contains this.")] = "",
    thread: Annotated[Optional[int], typer.Option(help="Only of this thread.")] = None,
    stage: Annotated[str, typer.Option(help="Only of this stage.")] = "",
    direction: Annotated[str, typer.Option(help="inbound, outbound or internal.")] = "",
    since: Annotated[Optional[str], typer.Option(metavar="TIME", help="Sent at or after.")] = None,
    until: Annotated[Optional[str], typer.Option(metavar="TIME", help="Sent before.")] = None,
    unsure: Annotated[bool, typer.Option("--unsure", help="Only where the stage is below 0.8.")] = False,
    limit: Annotated[Optional[int], typer.Option(help="At most this many.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List communication records, oldest first."""
    from assistant.store.listings import RecordFilter, record_rows

    context = context_of(ctx)
    zone = context.config.agency.timezone
    wanted = RecordFilter(
        client,
        project,
        thread,
        stage,
        direction,
        parse_time(since, zone) if since else None,
        parse_time(until, zone) if until else None,
        unsure,
        limit,
    )
    with context.database().reading() as session:
        listing(
            record_rows(session, wanted),
            _COLUMNS,
            as_json=as_json,
            empty=_NOTHING_YET if wanted == RecordFilter() else "No record is like that.",
            zone=zone,
        )
