"""`assistant outbox`: what will leave, what left, and stopping or releasing it."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant.cli.context import CommandContext, context_of
from assistant.cli.output import listing, result, say

app = typer.Typer(help="What will leave and what left; approve, veto, show.", no_args_is_help=True)


@app.command("list")
def list_(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also what was sent, refused, cancelled.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List mails that wait, by the time they are due."""
    from assistant.store.listings import outbox_rows

    with context_of(ctx).database().reading() as session:
        columns = (
            "id",
            "state",
            "reason",
            "due_at",
            "purpose",
            "client",
            "recipients",
            "subject",
            "rule",
            "step",
            "release",
        )
        listing(
            outbox_rows(session, everything=everything),
            columns,
            as_json=as_json,
            empty="Nothing waits to be sent.",
            zone=context_of(ctx).zone,
        )


@app.command("show")
def show(ctx: typer.Context, number: int) -> None:
    """Print mail NUMBER as it was or will be sent."""
    from assistant.errors import WrongUse
    from assistant.store.tables import OutboxMessage

    with context_of(ctx).database().reading() as session:
        row = session.get(OutboxMessage, number)
        if row is None:
            raise WrongUse(f"there is no mail {number} in the outbox; `assistant outbox list --all` lists them.")
        result(row.raw.decode("utf-8", "replace").replace("\r\n", "\n"))


@app.command("approve")
def approve(ctx: typer.Context, numbers: list[int]) -> None:
    """Let mails that wait for approval, a veto or an answer about their fate leave now."""
    _decide(context_of(ctx), numbers, "approve")


@app.command("veto")
def veto(ctx: typer.Context, numbers: list[int]) -> None:
    """Stop mails that have not left."""
    _decide(context_of(ctx), numbers, "veto")


def _decide(context: CommandContext, numbers: list[int], what: str) -> None:
    from assistant.errors import WrongUse
    from assistant.outbox.decisions import approve_mail, veto_mail

    decide = approve_mail if what == "approve" else veto_mail
    workplace = context.workplace()
    refused = []
    with workplace.database.session() as session:
        for number in numbers:
            outcome = decide(session, number, "command line", workplace.clock.now())
            say(f"{number}: {outcome.sentence}")
            if not outcome.done:
                refused.append(number)
    if refused:
        raise WrongUse(f"nothing was changed for {', '.join(str(number) for number in refused)}.")
