"""`assistant audit`: who or which rule decided what."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant.cli.context import context_of
from assistant.cli.output import listing


def register(app: typer.Typer) -> None:
    app.command("audit")(audit)


def audit(
    ctx: typer.Context,
    last: Annotated[int, typer.Option("--last", min=1, help="How many entries.")] = 50,
    who: Annotated[str, typer.Option("--who", help='An address, "assistant", "rule NAME": its beginning.')] = "",
    event: Annotated[str, typer.Option("--event", help="mail-vetoed, cadence-stopped, suspicious-mail …")] = "",
    about: Annotated[str, typer.Option("--about", help="outbox:17, record:5, client:3 …: its beginning.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List what people and rules decided, the latest last. The log can be added to, and never be changed."""
    from assistant.store.audit import audit_rows

    with context_of(ctx).database().reading() as session:
        rows = list(audit_rows(session, last=last, who=who, event=event, about=about))
    if not as_json:
        for row in rows:
            row["details"] = ", ".join(f"{name}: {value}" for name, value in row["details"].items() if value != "")
    columns = ("id", "at", "who", "event", "subject", "details")
    listing(rows, columns, as_json=as_json, empty="Nothing was decided yet.", zone=context_of(ctx).zone)
