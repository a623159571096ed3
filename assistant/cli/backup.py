"""`assistant backup` and `assistant restore`: everything into one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.context import context_of
from assistant.cli.output import console, counted, json_line, result, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from assistant.keeping.backup import BackupFacts
    from assistant.store.snapshot import Progress

_AsJson = Annotated[bool, typer.Option("--json", help="Print what was done as one JSON object.")]


def register(app: typer.Typer) -> None:
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only check the backup FILE, and say what it is.")] = False,
    as_json: _AsJson = False,
) -> None:
    """Copy the whole database into FILE while the assistant works on; the copy checks itself."""
    from assistant.keeping.backup import back_up, check_backup

    if check:
        facts = check_backup(file)
    else:
        workplace = context_of(ctx).workplace()
        with _watched("copying") as progress:
            facts = back_up(workplace.database, file, workplace.clock.now(), force=force, progress=progress)
    if as_json:
        result(json_line({"file": str(file), "size": file.stat().st_size, **_described(facts)}))
    else:
        size = file.stat().st_size / 1_000_000
        say(
            f"{file}: {facts.rows} rows of {facts.made_at:%Y-%m-%d %H:%M} UTC, {size:.1f} MB, sound."
            " It holds clients' correspondence: keep it as carefully as the database."
        )


def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    force: Annotated[bool, typer.Option("--force", help="Replace a database that holds something.")] = False,
    as_json: _AsJson = False,
) -> None:
    """Put the backup FILE in the place of the database. Mail that may have left since it was made is held."""
    from assistant.adapters import resolve_url
    from assistant.bootstrap import Workplace
    from assistant.clock import SystemClock
    from assistant.keeping.backup import restore as put_back
    from assistant.keeping.forget import forget_again
    from assistant.log import set_up_logging
    from assistant.store import open_database
    from assistant.upkeep import our_addresses

    set_up_logging("warning")
    context = context_of(ctx)
    url = resolve_url(context.config.store.url, context.base)
    workplace, now = Workplace(context.config, context.base), SystemClock().now()
    with _watched("restoring") as progress:
        restored = put_back(
            file,
            lambda: open_database(url, context.base),
            now,
            force=force,
            after=lambda fresh, old: forget_again(fresh, old, workplace.archive, our_addresses(workplace), now),
            progress=progress,
        )
    if as_json:
        replaced = str(restored.replaced) if restored.replaced else None
        result(json_line({"held": restored.held, "replaced": replaced, **_described(restored.backup)}))
        return
    say(f"Restored {counted(restored.backup.rows, 'row')} of {restored.backup.made_at:%Y-%m-%d %H:%M} UTC.")
    if restored.replaced:
        say(f"The database before lies in {restored.replaced}; delete it when you are content.")
    say(
        f"{counted(restored.held, 'mail waits', 'mails wait')} that may have left since then: looked up in Sent, or released with"
        " `assistant outbox approve`. Mail since then is read again from the mailbox; decisions and corrections made"
        " since then are lost."
    )


def _described(facts: BackupFacts) -> dict[str, object]:
    return {
        "made_at": facts.made_at,
        "version": facts.version,
        "schema": facts.revision,
        "origin": facts.origin,
        "rows": facts.rows,
        "tables": {name: count for name, (count, _) in facts.tables.items()},
    }


def _watched(what: str) -> AbstractContextManager[Progress]:
    """A progress line on a terminal: rows copied so far (a database file is copied in one go)."""
    from contextlib import contextmanager

    @contextmanager
    def watching() -> Iterator[Progress]:
        from rich.progress import Progress as Bar

        with Bar(console=console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=None)
            yield lambda table, rows: bar.update(task, advance=rows, description=f"{what} {table}")

    return watching()
