"""`assistant projects | threads | contacts`: what the records are about, and with whom."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant.cli.context import context_of
from assistant.cli.output import listing

_AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def register(app: typer.Typer) -> None:
    app.command("projects")(projects)
    app.command("threads")(threads)
    app.command("contacts")(contacts)


def projects(ctx: typer.Context, as_json: _AsJson = False) -> None:
    """List projects: stage, since when, and who waits for whom."""
    from assistant.store.listings import project_rows

    with context_of(ctx).database().reading() as session:
        columns = ("id", "client", "project", "stage", "stage_since", "waiting_on", "waiting_since", "state", "owner")
        listing(project_rows(session), columns, as_json=as_json, empty="No projects yet.", zone=context_of(ctx).zone)


def threads(ctx: typer.Context, as_json: _AsJson = False) -> None:
    """List conversations and the project each belongs to, with the reason."""
    from assistant.store.listings import thread_rows

    with context_of(ctx).database().reading() as session:
        columns = (
            "id",
            "subject",
            "client",
            "project",
            "project_confidence",
            "project_evidence",
            "continues",
            "messages",
            "last_at",
        )
        listing(thread_rows(session), columns, as_json=as_json, empty="No threads yet.", zone=context_of(ctx).zone)


def contacts(ctx: typer.Context, as_json: _AsJson = False) -> None:
    """List people at clients: what they do, where they were before, absences, and who wants no automatic mail."""
    from assistant.store.listings import contact_rows

    with context_of(ctx).database().reading() as session:
        columns = (
            "id",
            "client",
            "name",
            "address",
            "role",
            "phone",
            "formerly",
            "language",
            "absent_until",
            "suppressed",
            "last_inbound_at",
        )
        listing(contact_rows(session), columns, as_json=as_json, empty="No contacts yet.", zone=context_of(ctx).zone)
