"""`assistant ledger`: every message that the server showed, and what became of it."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant.cli.context import context_of
from assistant.cli.output import listing


def register(app: typer.Typer) -> None:
    app.command("ledger")(ledger)


def ledger(
    ctx: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False
) -> None:
    """Account for the mail: logged, duplicate, ignored, quarantined or pending, by folder."""
    from assistant.store.listings import ledger_rows

    with context_of(ctx).database().reading() as session:
        columns = ("mailbox", "folder", "uidvalidity", "outcome", "messages", "last_uid")
        listing(
            ledger_rows(session), columns, as_json=as_json, empty="No mail was read yet.", zone=context_of(ctx).zone
        )
