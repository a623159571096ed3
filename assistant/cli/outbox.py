"""`assistant outbox`: what will leave, what left, and stopping or releasing it."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant.cli.context import CommandContext, context_of
from assistant.cli.output import listing, result, say

app = typer.Typer(help="What will leave and what left; approve, veto, show.", no_args_is_help=True)


@app.command("list")
def list_(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also what was sent, refused, cancelled.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List mails that wait, by the time they are due."""
    from assistant.store.listings import outbox_rows

    with context_of(ctx).database().reading() as session:
        columns = (
            "id",
            "state",
            "reason",
            "due_at",
            "purpose",
            "client",
            "recipients",
            "subject",
            "rule",
            "step",
            "release",
        )
        listing(
            outbox_rows(session, everything=everything),
            columns,
            as_json=as_json,
            empty="Nothing waits to be sent.",
            zone=context_of(ctx).zone,
        )


@app.command("show")
def show(
    ctx: typer.Context,
    number: int,
    raw: Annotated[bool, typer.Option("--raw", help="The bytes of the message, as they go to the server.")] = False,
) -> None:
    """Print mail NUMBER as its reader will see it; --raw as it was or will be sent."""
    from assistant.cli.message_display import printable
    from assistant.errors import WrongUse
    from assistant.store.tables import OutboxMessage

    with context_of(ctx).database().reading() as session:
        row = session.get(OutboxMessage, number)
        if row is None:
            raise WrongUse(f"there is no mail {number} in the outbox; `assistant outbox list --all` lists them.")
        result(row.raw.decode("utf-8", "replace").replace("\r\n", "\n") if raw else printable(_readable(row.raw)))


def _readable(raw: bytes) -> str:
    """Headers in plain words, and the text: what somebody who approves it wants to see."""
    from email import message_from_bytes, policy

    message = message_from_bytes(raw, policy=policy.default)
    names = ("From", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To")
    head = [f"{name}: {message[name]}" for name in names if message[name]]
    text = message.get_body(("plain", "html"))
    head += [f"Attachment: {part.get_filename() or part.get_content_type()}" for part in message.iter_attachments()]
    return "\n".join(head) + "\n\n" + (text.get_content().rstrip() if text is not None else "")


@app.command("approve")
def approve(ctx: typer.Context, numbers: list[int]) -> None:
    """Let mails that wait for approval, a veto or an answer about their fate leave now."""
    _decide(context_of(ctx), numbers, "approve")


@app.command("veto")
def veto(ctx: typer.Context, numbers: list[int]) -> None:
    """Stop mails that have not left."""
    _decide(context_of(ctx), numbers, "veto")


@app.command("stopped")
def stopped(
    ctx: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False
) -> None:
    """List where sending to clients is stopped, and why."""
    from dataclasses import asdict

    from assistant.store.breaker import trips

    with context_of(ctx).database().reading() as session:
        rows = [asdict(trip) for trip in trips(session)]
    columns = ("scope", "name", "cause", "count", "limit", "at")
    listing(rows, columns, as_json=as_json, empty="Sending is not stopped.", zone=context_of(ctx).zone)


@app.command("stop")
def stop(ctx: typer.Context) -> None:
    """Stop all automatic mail to clients; what is due waits in the queue. Mail to colleagues goes on."""
    from assistant.store.breaker import EVERYBODY, Trip
    from assistant.store.breaker import stop as stop_sending

    workplace = context_of(ctx).workplace()
    with workplace.database.session() as session:
        stop_sending(session, Trip(EVERYBODY, "by-hand", 0, 0, workplace.clock.now()), "command line")
    say("Stopped. `assistant outbox resume` lets mail leave again.")


@app.command("resume")
def resume(
    ctx: typer.Context,
    client: Annotated[str, typer.Option(metavar="NAME", help="Only for this client, by name or id.")] = "",
) -> None:
    """Let mail leave again after the breaker, or a person, has stopped it; what is counted begins anew."""
    from assistant.cli.clients import find_client
    from assistant.errors import WrongUse
    from assistant.store.breaker import EVERYBODY, go_on

    workplace = context_of(ctx).workplace()
    with workplace.database.session() as session:
        scope = f"client:{find_client(session, client).id}" if client else EVERYBODY
        done = go_on(session, scope, "command line", workplace.clock.now())
    if not done:
        raise WrongUse("sending is not stopped there; `assistant outbox stopped` says where it is.")
    say("Mail leaves again at the next turn.")


def _decide(context: CommandContext, numbers: list[int], what: str) -> None:
    from assistant.errors import WrongUse
    from assistant.outbox.decisions import approve_mail, veto_mail

    decide = approve_mail if what == "approve" else veto_mail
    workplace = context.workplace()
    refused = []
    with workplace.database.session() as session:
        for number in numbers:
            outcome = decide(session, number, "command line", workplace.clock.now())
            say(f"{number}: {outcome.sentence}")
            if not outcome.done:
                refused.append(number)
    if refused:
        raise WrongUse(f"nothing was changed for {', '.join(str(number) for number in refused)}.")
