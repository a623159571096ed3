"""`assistant import`: history from mbox, Maildir and .eml, logged without a mail being sent for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from assistant.cli.context import context_of, parse_time
from assistant.cli.output import console, json_line, result, say


def register(app: typer.Typer) -> None:
    app.command("import")(import_history)


def import_history(
    ctx: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="mbox files, Maildir folders, .eml files or folders of them.")
    ],
    may_start_since: Annotated[
        Optional[str],
        typer.Option(
            metavar="TIME", help="Mail written since then may start a follow-up; by default none of the import may."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as one JSON object.")] = False,
) -> None:
    """Log history. Interrupted? Call it again: what is there already is passed over."""
    from assistant.errors import WrongUse
    from assistant.log import set_up_logging
    from assistant.mail.sources import SourceMessage, count_messages, iterate_messages

    context = context_of(ctx)
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise WrongUse(f"there is no {', '.join(missing)}.")
    set_up_logging("warning")
    workplace = context.workplace()
    since = parse_time(may_start_since, workplace.config.agency.timezone) if may_start_since else None
    from assistant.intake.history import HistoricMail, keep_history

    problems: list[str] = []

    def mails() -> Iterator[HistoricMail]:
        for found in iterate_messages(paths):
            if isinstance(found, SourceMessage):
                yield HistoricMail(found.raw, found.received_at)
            else:
                problems.append(found.message)
                say(f"passed over: {found.message}")

    with _progress() as progress:
        total = count_messages(paths)
        reading = progress.add_task("reading files", total=total)

        def advance(count: int) -> None:
            progress.advance(reading, count)
            workplace.intake.expect(total)

        kept = keep_history(
            workplace.database,
            workplace.archive,
            workplace.clock,
            mails(),
            since,
            advance,
        )
        progress.update(reading, total=kept.read, completed=kept.read)
        logging = progress.add_task("understanding", total=kept.new or None)
        counts = workplace.intake.run(progress=lambda count: progress.advance(logging, count))
        workplace.intake.look_back()
    summary: dict[str, Any] = {
        "read": kept.read,
        "new": kept.new,
        "known": kept.read - kept.new,
        "logged": counts.logged,
        "duplicate": counts.duplicate,
        "ignored": counts.ignored,
        "quarantined": counts.quarantined,
        "problems": len(problems),
    }
    if as_json:
        result(json_line(summary))
    else:
        result(", ".join(f"{key} {value}" for key, value in summary.items()))
    if not kept.read:
        say("No mail was found there: mbox files, Maildir folders, .eml files and folders of them are read.")
    if problems or counts.quarantined:
        raise typer.Exit(1)


def _progress() -> Any:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description:<14}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console(stderr=True),
    )
