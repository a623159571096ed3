"""`assistant rebuild`: what was made of the mail, made of it once more."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant.cli.context import context_of
from assistant.cli.output import console, counted, json_line, result, say


def register(app: typer.Typer) -> None:
    app.command("rebuild")(rebuild)


def rebuild(
    ctx: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Change nothing: print what would be otherwise.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as one JSON object.")] = False,
) -> None:
    """Interpret everything that was kept again: records, threads, projects, stages. Sends and orders nothing."""
    from rich.progress import Progress

    from assistant.keeping.rebuild import rebuild as interpret_again
    from assistant.upkeep import interpreting

    workplace = context_of(ctx).workplace()
    with Progress(console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("interpreting", total=None)
        done = interpret_again(
            workplace.database,
            interpreting(workplace),
            workplace.clock.now(),
            check=check,
            progress=lambda more, total: bar.update(task, advance=more, total=total),
        )
    if as_json:
        counts = {
            kind: {table: len(rows) for table, rows in found.items()}
            for kind, found in (
                ("added", done.differences.added),
                ("changed", done.differences.changed),
                ("removed", done.differences.removed),
            )
        }
        result(json_line({"messages": done.messages, **counts, "problems": list(done.problems), "stayed": done.stayed}))
    else:
        for line in done.differences.sentences():
            result(line)
    for problem in done.problems:
        say(f"not said again: {problem}")
    written = "would change" if check else "changed"
    say(f"{counted(done.messages, 'message')} interpreted again, {counted(done.differences.count, 'row')} {written}.")
    if done.stayed:
        say(
            f"{counted(done.stayed, 'row stays', 'rows stay')} though no mail makes that any more: mail of ours or rules refer to it."
        )
    if check and done.differences.count:
        raise typer.Exit(1)
