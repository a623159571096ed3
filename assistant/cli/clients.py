"""`assistant clients`: who the clients are, and setting right what was guessed about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from assistant.cli.context import COMMAND_LINE, context_of
from assistant.cli.output import listing, say

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from assistant.store.tables import Client

app = typer.Typer(help="List clients; `add`, `set` and `merge` correct them.", invoke_without_command=True)

_Text = Annotated[Optional[str], typer.Option()]


def register(root: typer.Typer) -> None:
    root.add_typer(app, name="clients")


@app.callback()
def clients(
    ctx: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False
) -> None:
    """List clients, or correct them with a subcommand."""
    if ctx.invoked_subcommand is not None:
        return
    from assistant.store.listings import client_rows

    with context_of(ctx).database().reading() as session:
        columns = ("id", "name", "domains", "country", "language", "timezone", "owner", "records", "last_at")
        listing(client_rows(session), columns, as_json=as_json, empty="No clients yet.", zone=context_of(ctx).zone)


def find_client(session: Session, which: str) -> Client:
    """By id, domain, address or name. Raises WrongUse when there is none or more than one."""
    from sqlalchemy import func, select

    from assistant.errors import WrongUse
    from assistant.store.clients import client_by_key
    from assistant.store.tables import Client

    if which.isdigit() and (found := session.get(Client, int(which))):
        return found
    if found := client_by_key(session, which.lower()):
        return found
    named = session.scalars(
        select(Client).where(func.lower(Client.name).contains(which.lower()), Client.merged_into.is_(None))
    ).all()
    exact = [client for client in named if client.name == which]
    if len(exact or named) == 1:
        return (exact or named)[0]
    if not named:
        raise WrongUse(f"there is no client {which!r}; `assistant clients` lists them.")
    raise WrongUse(
        f"{which!r} fits {len(named)} clients ({', '.join(client.name for client in named[:5])}); use the id."
    )


@app.command("add")
def add(
    ctx: typer.Context,
    which: Annotated[str, typer.Argument(metavar="DOMAIN", help="Its mail domain; of free mail the whole address.")],
    name: _Text = None,
) -> None:
    """Make DOMAIN a client of its own: one that was kept apart because it looks like another, or has yet to write."""
    from assistant.intake.introduction import introduce_client
    from assistant.intake.moves import client_key
    from assistant.store.audit import note_decision
    from assistant.upkeep import agency_side

    workplace = context_of(ctx).workplace()
    now = workplace.clock.now()
    with workplace.database.session() as session:
        client = introduce_client(session, which, name or "", agency_side(workplace), now)
        details = {"client": client_key(session, client), "name": client.name}
        note_decision(session, now, COMMAND_LINE, "client-added", f"client:{client.id}", **details)
        say(f"{client.name} is client {client.id} now; what came from there before is its own.")


@app.command("merge")
def merge(ctx: typer.Context, source: str, target: str) -> None:
    """Join SOURCE into TARGET: a subsidiary, a second domain, a person who turned out to be of a company."""
    from assistant.intake.moves import client_key
    from assistant.store.audit import note_decision
    from assistant.store.clients import merge_clients
    from assistant.store.runs import look_again

    workplace = context_of(ctx).workplace()
    with workplace.database.session() as session:
        first, second = find_client(session, source), find_client(session, target)
        if first.id == second.id:
            say("They are one client already.")
            return
        keys = {"source": client_key(session, first), "target": client_key(session, second)}
        merge_clients(session, first, second)
        look_again(session, clients=[second.id])
        note_decision(session, workplace.clock.now(), COMMAND_LINE, "clients-merged", f"client:{second.id}", **keys)
        say(f"{first.name} is now part of {second.name}.")


@app.command("set")
def set_client(
    ctx: typer.Context,
    which: Annotated[str, typer.Argument(metavar="CLIENT", help="Id, domain or name.")],
    name: _Text = None,
    country: _Text = None,
    language: _Text = None,
    timezone: _Text = None,
    owner: _Text = None,
    tag: Annotated[
        Optional[list[str]],
        typer.Option(help="Add a tag; `muted` stops all automatic mail, `confirmed` lets it begin."),
    ] = None,
    untag: Annotated[Optional[list[str]], typer.Option(help="Remove a tag.")] = None,
    domain: Annotated[
        Optional[str], typer.Option(help="Mail from this domain is theirs too; it is no look-alike.")
    ] = None,
) -> None:
    """Correct what was guessed about CLIENT."""
    from assistant.intake.moves import client_key
    from assistant.store.audit import note_decision
    from assistant.store.clients import give_domain
    from assistant.store.runs import look_again

    workplace = context_of(ctx).workplace()
    with workplace.database.session() as session:
        client = find_client(session, which)
        given = {"name": name, "country": country, "language": language, "timezone": timezone, "owner": owner}
        changed: dict[str, object] = {}
        for key, value in given.items():
            if value is not None and value != getattr(client, key):
                changed[key] = [getattr(client, key), value]
                setattr(client, key, value)
        tags = sorted((set(client.tags) | set(tag or ())) - set(untag or ()))
        if tags != client.tags:
            changed["tags"], client.tags = [client.tags, tags], tags
        key = client_key(session, client)
        if domain is not None and give_domain(session, client, domain):
            changed |= {"domain": domain.lower(), "client": key}
        if changed:
            look_again(session, clients=[client.id])
            note_decision(
                session, workplace.clock.now(), COMMAND_LINE, "client-changed", f"client:{client.id}", **changed
            )
        say(f"{client.name}: saved.")
