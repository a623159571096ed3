"""`assistant forget`: everything about a client or a person is erased."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from assistant.cli.context import context_of
from assistant.cli.output import counted, json_line, result, say


def register(app: typer.Typer) -> None:
    app.command("forget")(forget)


def forget(
    ctx: typer.Context,
    which: Annotated[
        str,
        typer.Argument(metavar="CLIENT|ADDRESS", help="A client by number, domain or name; a person by mail address."),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be erased.")] = False,
    lift: Annotated[
        bool, typer.Option("--lift", help="The other way: let an erased ADDRESS or domain be known again.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as one JSON object.")] = False,
) -> None:
    """Erase mail, records, texts, copies and notes of a client or a person, for good. What is left is a salted hash."""
    from assistant.errors import WrongUse
    from assistant.keeping.forget import forget as erase
    from assistant.store.erased import erased_key, lift_erased
    from assistant.upkeep import our_addresses

    workplace = context_of(ctx).workplace()
    if lift:
        with workplace.database.session() as session:
            if not lift_erased(session, erased_key(which.strip().lower())):
                raise WrongUse(f"nobody of that name was erased: {which}. Give the mail address or the domain.")
        say("They may be known again; what was erased stays erased.")
        return
    ours = our_addresses(workplace)
    given = (workplace.database, workplace.archive, which, ours, "command line", workplace.clock.now())
    counts = erase(*given, dry_run=True)
    if not dry_run:
        if not yes:
            say(_told(asdict(counts), "would be erased, for good"))
            _confirm()
        counts = erase(*given)
    if as_json:
        result(json_line(asdict(counts)))
        return
    say(_told(asdict(counts), "would be erased" if dry_run else "were erased"))
    if not dry_run:
        say(
            "Backups made before, and the mailbox itself, still hold their mail: delete it there too."
            " It is not read again from the mailbox."
        )


def _told(counts: dict[str, int], what: str) -> str:
    names = (
        ("messages", "message", ""),
        ("records", "record", ""),
        ("mails_of_ours", "mail of ours", "mails of ours"),
        ("notes", "note to colleagues", "notes to colleagues"),
        ("items", "open item", ""),
        ("projects", "project", ""),
        ("contacts", "contact", ""),
    )
    told = ", ".join(counted(counts[key], one, many) for key, one, many in names)
    others = counts["other_clients_mail"]
    return (
        f"{told} {what}; {counted(counts['records_changed'], 'record')},"
        f" {counted(counts['mails_emptied'], 'mail to colleagues', 'mails to colleagues')} and"
        f" {counted(counts['audit_entries'], 'line of the audit', 'lines of the audit')} stay without them;"
        f" {counted(others, 'mail of another client names them and stays', 'mails of other clients name them and stay')}."
    )


def _confirm() -> None:
    """Goes on only if the person says yes. Raises WrongUse where there is nobody to ask."""
    from assistant.errors import WrongUse

    try:
        typer.confirm("Erase it? Nothing can bring it back but a backup", err=True, abort=True)
    except typer.Abort:
        if sys.stdin.isatty():
            raise typer.Exit(1) from None
        say("")
        raise WrongUse("nothing was erased: there is no terminal to ask at; add --yes.") from None
