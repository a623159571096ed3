"""The commands, put together: one module per noun."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from assistant import __version__
from assistant.cli import (
    audit,
    backup,
    calendar,
    clients,
    demo,
    doctor,
    export,
    forget,
    imports,
    init,
    ledger,
    message,
    outbox,
    projects,
    quarantine,
    rebuild,
    records,
    report,
    retention,
    rules,
    run,
    runs,
    templates,
    understanding,
)
from assistant.cli.context import CommandContext

app = typer.Typer(
    name="assistant",
    help="The colleague in Cc: reads the shared client inbox, knows each project's stage, follows up on time.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"cc-assistant {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    config: Annotated[
        Optional[Path], typer.Option("--config", "-c", metavar="FILE", help="Configuration; default ./config.toml.")
    ] = None,
    version: Annotated[  # noqa: ARG001  # its callback does the work
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version and exit.")
    ] = False,
) -> None:
    """Set up what every command is given."""
    ctx.obj = CommandContext(config or Path("config.toml"), explicit=config is not None)


for module in (
    demo,
    init,
    doctor,
    run,
    imports,
    records,
    ledger,
    projects,
    clients,
    backup,
    rebuild,
    export,
    forget,
    retention,
    audit,
):
    module.register(app)
app.add_typer(message.app, name="message")
app.add_typer(rules.app, name="rules")
app.add_typer(templates.app, name="templates")
app.add_typer(calendar.app, name="calendar")
app.add_typer(outbox.app, name="outbox")
app.add_typer(runs.app, name="runs")
app.add_typer(report.app, name="report")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(understanding.app, name="understanding")
