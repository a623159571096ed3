"""`assistant export`: one client's correspondence as a zip."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Optional

import typer

from assistant.cli.clients import find_client
from assistant.cli.context import context_of
from assistant.cli.output import counted, json_line, result, say


def register(app: typer.Typer) -> None:
    app.command("export")(export)


def export(
    ctx: typer.Context,
    which: Annotated[str, typer.Argument(metavar="CLIENT", help="A client by number, domain or name.")],
    to: Annotated[
        Optional[Path], typer.Option("--to", metavar="FILE.zip", help="Default: the client's name in this folder.")
    ] = None,
    internal: Annotated[
        bool, typer.Option("--internal", help="With mail between colleagues: for the agency, not for the client.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE.zip if it is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as one JSON object.")] = False,
) -> None:
    """Write a client's mail, records, sign-offs and attachments into a zip with a page to open first."""
    from assistant.keeping.export import ExportPlace, export_client, safe_name

    workplace = context_of(ctx).workplace()
    agency = workplace.config.agency
    place = ExportPlace(
        agency.name, agency.timezone, workplace.cadence.stage_name, workplace.language, workplace.directory.is_ours
    )
    with workplace.database.reading() as session:
        client = find_client(session, which)
        target = to or Path("-".join(safe_name(client.name).split()) + ".zip")
        done = export_client(
            session, workplace.archive, client, target, place, workplace.clock.now(), internal=internal, force=force
        )
    if as_json:
        result(json_line({"file": str(target), **asdict(done)}))
        return
    gone = f"; {counted(done.erased, 'message is', 'messages are')} not kept any more" if done.erased else ""
    if done.withheld:
        gone += f"; {counted(done.withheld, 'record is', 'records are')} left out, which may be another client's"
    say(
        f"{target}: {counted(done.messages, 'message')}, {counted(done.records, 'record')},"
        f" {counted(done.sign_offs, 'sign-off')}, {counted(done.files, 'file')}{gone}."
        " Open index.html in it first."
    )
