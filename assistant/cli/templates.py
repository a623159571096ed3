"""`assistant templates`: look at the mails before a client does."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.context import CommandContext, context_of
from assistant.cli.output import listing, result, say

if TYPE_CHECKING:
    from assistant.rendering import Rendered

app = typer.Typer(help="List, check and preview the mails.", no_args_is_help=True)


@app.command("list")
def list_(
    ctx: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False
) -> None:
    """List templates and their languages."""
    templates = context_of(ctx).templates()
    rows = ({"name": name, "languages": templates.languages(name)} for name in templates.names())
    listing(rows, ("name", "languages"), as_json=as_json, empty="There are no templates.")


@app.command("check")
def check(ctx: typer.Context) -> None:
    """Render every template with its sample data; print every problem."""
    templates = context_of(ctx).templates()
    problems = templates.check()
    for problem in problems:
        result(str(problem))
    if problems:
        raise typer.Exit(1)
    say(f"{len(templates.names())} templates are fine.")


@app.command("preview")
def preview(
    ctx: typer.Context,
    name: str,
    client: Annotated[
        str, typer.Option(metavar="NAME", help="With the facts of this client instead of the sample data: name or id.")
    ] = "",
    language: Annotated[str, typer.Option(help="zh-Hans, zh-Hant or en; default: the reader's.")] = "",
    open_it: Annotated[bool, typer.Option("--open", help="Open the HTML part in a browser.")] = False,
) -> None:
    """Render one template: subject and text here, HTML into a file."""
    from assistant.errors import WrongUse

    if client:
        rendered = _for_client(context_of(ctx), name, client, language)
    else:
        templates = context_of(ctx).templates()
        if name not in templates.names():
            raise WrongUse(f"there is no template {name!r}; `assistant templates list` names them.")
        language = language or templates.agency_language
        rendered = templates.render(name, language, templates.sample(name, language))
    result(f"Subject: {rendered.subject}\n\n{rendered.text}")
    if rendered.html is None:
        return
    from assistant.privately import write_privately

    path = Path(tempfile.mkdtemp(prefix="cc-assistant-")) / f"{name.replace('/', '-')}.{rendered.language}.html"
    write_privately(path, rendered.html)
    say(f"HTML: {path}")
    if open_it:
        typer.launch(str(path))


def _for_client(context: CommandContext, name: str, which: str, language: str) -> Rendered:
    from assistant.cadence.matching import language_of
    from assistant.cli.clients import find_client
    from assistant.outbox.preview import preview_for
    from assistant.store.facts import DatabaseFacts

    workplace = context.workplace()
    now = workplace.clock.now()
    with workplace.database.reading() as session:
        facts = DatabaseFacts(session, workplace.directory, now)
        client = facts.client(find_client(session, which).id)
        projects = facts.reminders_of((client.client_id,))[client.client_id].projects
        found = preview_for(
            name,
            client,
            projects,
            workplace.cadence.use_of(name),
            workplace.sender,
            workplace.cadence.templates(),
            language_of,
            now,
            language,
        )
    about = f", {found.project.name}" if found.project is not None else ""
    say(f"To: {found.contact.name} <{found.contact.address}> ({client.name}{about})")
    return found.rendered
