"""`assistant ledger`: every message that the server showed, and what became of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.context import CommandContext, context_of
from assistant.cli.output import counted, listing, say

if TYPE_CHECKING:
    from assistant.mail.reconcile import FolderAccount


def register(app: typer.Typer) -> None:
    app.command("ledger")(ledger)


def ledger(
    ctx: typer.Context,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Compare every folder with the server, fetch what is missing; ends with 1 when it was uneven.",
        ),
    ] = False,
    mailbox: Annotated[str, typer.Option(metavar="NAME", help="Only this one of several mailboxes.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Account for the mail: logged, duplicate, ignored (by which rule), quarantined, pending, vanished; by folder."""
    context = context_of(ctx)
    if check:
        _check(context, mailbox, as_json=as_json)
        return
    from assistant.intake.ledger import ledger_rows

    with context.database().reading() as session:
        columns = ("mailbox", "folder", "uidvalidity", "outcome", "rule", "messages", "last_uid")
        rows = [row for row in ledger_rows(session) if mailbox in ("", row["mailbox"])]
        listing(rows, columns, as_json=as_json, empty="No mail was read yet.", zone=context.zone)


def _check(context: CommandContext, mailbox: str, *, as_json: bool) -> None:
    from assistant.errors import WrongUse
    from assistant.intake.ledger import unaccounted
    from assistant.intake.parts import left_in_part

    workplace = context.workplace()
    readers = workplace.mailbox_reader()
    if mailbox and mailbox not in readers.names:
        raise WrongUse(f"there is no mailbox {mailbox!r} in config.toml: {', '.join(readers.names)}.")
    accounts = readers.reconcile(mailbox)
    with workplace.database.reading() as session:
        faults = unaccounted(session)
        left = left_in_part(session)
    several = ("mailbox",) if len(readers.names) > 1 else ()
    columns = (*several, "folder", "on_server", "kept", "unread", "missing", "fetched", "gone", "error")
    listing([_row(account) for account in accounts], columns, as_json=as_json, empty="No folder is configured.")
    for location, text in faults[:20]:
        say(f"location {location}: {text}")
    fetched = sum(account.fetched for account in accounts)
    if fetched:
        say(
            f"{counted(fetched, 'missed message was', 'missed messages were')} fetched, to be logged by the daemon at its next turn, or `assistant run --once`."
        )
    if left:
        say(
            f"{counted(left, 'message is', 'messages are')} kept only in part, for the server could give no more; asked for again later."
        )
    if faults or not all(account.even for account in accounts):
        raise typer.Exit(1)
    say(f"Even: {counted(sum(account.on_server for account in accounts), 'message')} on the server, all accounted for.")


def _row(account: FolderAccount) -> dict[str, Any]:
    return {**asdict(account), "missing_uids": list(account.missing_uids)}
