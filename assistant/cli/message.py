"""`assistant message`: one message: how it is read, what was recorded, trying it again, setting labels right."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from assistant.cli.context import COMMAND_LINE, context_of
from assistant.cli.output import console, json_line, result, say

if TYPE_CHECKING:
    from parsers import Message

app = typer.Typer(help="One message: parse, show, retry, correct.", no_args_is_help=True)


@app.command("parse")
def parse_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A mail as raw bytes (.eml); - for standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="All facts as one JSON object.")] = False,
) -> None:
    """Show how a mail is read: what was kept, what was cut and why, and its defects. Needs no configuration."""
    from assistant.cli.message_display import escaped
    from assistant.errors import WrongUse
    from parsers import parse

    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise WrongUse(f"{file} cannot be read: {error.strerror}.") from error
    message = parse(raw)
    if as_json:
        result(escaped(json_line(dataclasses.asdict(message))))
    else:
        _print_message(message)


def _print_message(message: Message) -> None:
    from assistant.cli.message_display import facts, sections

    out = console()
    for label, value in facts(message):
        out.print(f"[bold]{label:<14}[/bold]", end="")
        out.print(value, markup=False, soft_wrap=True)
    for title, text, kept in sections(message):
        out.rule(title, align="left", style="dim")
        out.print(text, markup=False, soft_wrap=True, style="" if kept else "dim")


@app.command("show")
def show(
    ctx: typer.Context,
    number: Annotated[str, typer.Argument(metavar="ID", help="Record number or Message-ID.")],
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Show a record with its labels, confidence and evidence."""
    from assistant.store.listings import record_row
    from assistant.store.tables import Client, Project

    with context_of(ctx).database().session() as session:
        record = find_record(session, number)
        client = session.get(Client, record.client_id) if record.client_id else None
        project = session.get(Project, record.project_id) if record.project_id else None
        row = record_row(record, client.name if client else None, project.name if project else None)
        row["stage_probabilities"] = record.stage_probabilities
        first = record.stage_probabilities[0] if record.stage_probabilities else None
        if first and first[0] != record.stage:
            row["first_read_as"] = first
        row["text"] = record.reply_text
        if as_json:
            result(json_line(row))
            return
        out = console()
        for key, value in row.items():
            if value not in (None, "", [], {}):
                out.print(f"[bold]{key:<20}[/bold]", end="")
                out.print(str(value), markup=False)


def find_record(session: Any, number: str) -> Any:
    """By record number or Message-ID. Raises WrongUse."""
    from sqlalchemy import select

    from assistant.errors import WrongUse
    from assistant.store.tables import Record

    if number.isdigit() and (record := session.get(Record, int(number))):
        return record
    record = session.scalar(select(Record).where(Record.message_id == number.strip("<>")))
    if record is None:
        raise WrongUse(f"there is no record {number!r}; `assistant records` lists them.")
    return record


@app.command("retry")
def retry(
    ctx: typer.Context, number: Annotated[int, typer.Argument(metavar="ID", help="Number in `assistant quarantine`.")]
) -> None:
    """Take a message out of quarantine and interpret it again."""
    from assistant.errors import WrongUse
    from assistant.store.audit import note_decision

    workplace = context_of(ctx).workplace()
    try:
        counts = workplace.intake.retry(number)
    except LookupError as error:
        raise WrongUse(f"{error}; `assistant quarantine` lists them.") from error
    now, became = workplace.clock.now(), {"logged": counts.logged, "quarantined": counts.quarantined}
    with workplace.database.session() as session:
        note_decision(session, now, COMMAND_LINE, "message-retried", f"quarantine:{number}", **became)
    say("logged" if counts.logged else "still broken" if counts.quarantined else "settled")
    if counts.quarantined:
        raise typer.Exit(1)


@app.command("believe")
def believe(
    ctx: typer.Context,
    number: Annotated[str, typer.Argument(metavar="ID", help="Record number or Message-ID of the report.")],
) -> None:
    """Take a delivery report at its word that nothing proves: nothing automatic goes to its addresses any more."""
    from assistant.errors import WrongUse
    from assistant.intake.signals import believe_report
    from assistant.outbox.withdraw import contact_of_address, withdraw_suppressed

    workplace = context_of(ctx).workplace()
    with workplace.database.session() as session:
        record, now = find_record(session, number), workplace.clock.now()
        addresses = believe_report(session, record, COMMAND_LINE, now)
        if not addresses:
            raise WrongUse(f"record {record.id} is no delivery report that waits for somebody's word.")
        for address in addresses:
            if (contact := contact_of_address(session, address)) is not None:
                withdraw_suppressed(session, contact.id, now)
    say(f"Nothing automatic goes to {', '.join(addresses)} any more, until its review in half a year or they write.")


@app.command("correct")
def correct(
    ctx: typer.Context,
    number: Annotated[str, typer.Argument(metavar="ID", help="Record number or Message-ID.")],
    stage: Annotated[
        Optional[str],
        typer.Option(
            help="The stage it belongs to: discovery, proposal, agreement, execution, closing, relationship, unrelated."
        ),
    ] = None,
    intent: Annotated[
        Optional[list[str]], typer.Option(help="The intents it has; repeat for several, `none` for none.")
    ] = None,
    approval: Annotated[
        Optional[str],
        typer.Option(
            help="What the client signs off: requirements, proposal, contract, change, milestone, deliverable; `none` for nothing."
        ),
    ] = None,
    waiting_on: Annotated[Optional[str], typer.Option(help="Who must act next: client, us, nobody.")] = None,
    project: Annotated[
        Optional[str],
        typer.Option(help="The client's project, by name or number; `new` opens one. The whole conversation moves."),
    ] = None,
    client: Annotated[
        Optional[str], typer.Option(help="Whose it is, by name, number or domain. The whole conversation moves.")
    ] = None,
) -> None:
    """Set labels of a record right. Kept for ever, applied at once, learned by the running daemon within a turn."""
    from assistant.errors import WrongUse
    from assistant.intake.corrections import FIELDS, correct_record

    given = {
        "stage": stage,
        "intents": ",".join(intent) if intent is not None else None,
        "approval": approval,
        "waiting_on": waiting_on,
        "project": project,
        "client": client,
    }
    wanted = {field: value.strip() for field in FIELDS if (value := given[field]) is not None}
    if not wanted:
        raise WrongUse("say what is wrong: --stage, --intent, --approval, --waiting-on, --project or --client.")
    workplace = context_of(ctx).workplace()
    with workplace.database.session() as session:
        record = find_record(session, number)
        said = [
            correct_record(session, record, field, value, COMMAND_LINE, workplace.clock.now())
            for field, value in wanted.items()
        ]
    for sentence in said:  # only once all of it is stored
        say(sentence)
