"""`assistant runs`: cadences under way, and what a colleague decides about one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.context import context_of
from assistant.cli.output import listing, say

if TYPE_CHECKING:
    from assistant.cadence.by_hand import Order

app = typer.Typer(help="Cadences under way; let one go on, leave a step out, hold or stop it.", no_args_is_help=True)

Numbers = Annotated[list[int], typer.Argument(metavar="NUMBER…", help="As `assistant runs list` shows them.")]
By = Annotated[str, typer.Option("--by", metavar="ADDRESS", help="Who decides; kept in the audit log.")]


@app.command("list")
def list_(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List runs by when their next step is due; a run that waits for a colleague is paused with the reason `late`."""
    from assistant.store.listings import run_rows

    columns = ("id", "status", "reason", "due_at", "cadence", "step", "client", "project", "to")
    with context_of(ctx).database().reading() as session:
        listing(
            run_rows(session, everything=everything),
            columns,
            as_json=as_json,
            empty="No cadence is under way.",
            zone=context_of(ctx).zone,
        )


@app.command("resume")
def resume(ctx: typer.Context, numbers: Numbers, by: By = "command line") -> None:
    """Let runs that wait for a colleague go on: their step is due now, and guarded as ever."""
    _decide(ctx, numbers, "resume", by)


@app.command("skip")
def skip(ctx: typer.Context, numbers: Numbers, by: By = "command line") -> None:
    """Leave the next step of runs out; the one after it keeps its distance."""
    _decide(ctx, numbers, "skip", by)


@app.command("hold")
def hold(ctx: typer.Context, numbers: Numbers, by: By = "command line") -> None:
    """Hold runs until somebody resumes them."""
    _decide(ctx, numbers, "hold", by)


@app.command("stop")
def stop(ctx: typer.Context, numbers: Numbers, by: By = "command line") -> None:
    """End runs; what they ordered and has not left is cancelled."""
    _decide(ctx, numbers, "stop", by)


def _decide(ctx: typer.Context, numbers: list[int], order: Order, by: str) -> None:
    from assistant.deciding import decide_by_hand
    from assistant.errors import WrongUse

    workplace = context_of(ctx).workplace()
    unknown = []
    for number in numbers:
        try:
            say(f"{number}: {decide_by_hand(workplace, number, order, by)}")
        except LookupError:
            unknown.append(number)
    if unknown:
        raise WrongUse(
            f"there is no run {', '.join(str(number) for number in unknown)}; `assistant runs list --all` lists them."
        )
