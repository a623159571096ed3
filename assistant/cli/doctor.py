"""`assistant doctor`: is everything there that a run needs? Each check says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.context import CommandContext, context_of
from assistant.cli.output import json_line, result

if TYPE_CHECKING:
    from assistant.setup import Trial


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(
    ctx: typer.Context,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no server.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Check configuration, rules, templates, model, database, mailbox, submission and DNS."""
    context = context_of(ctx)
    worst = 0
    for trial, status in _trials(context, offline):
        if as_json:
            result(json_line({"check": trial.name, "ok": trial.ok, "sentence": trial.sentence}))
        else:
            result(f"{'ok  ' if trial.ok else 'FAIL'} {trial.name:<11} {trial.sentence}")
        if not trial.ok:
            worst = max(worst, status)
    if worst:
        raise typer.Exit(worst)


def _trials(context: CommandContext, offline: bool) -> Iterator[tuple[Trial, int]]:
    """Each check with the exit status its failure means. Without a configuration nothing else can be asked."""
    from assistant.setup import try_mailbox, try_submission

    configured = _guarded(
        "config", lambda: f"{context.config_path}: {len(context.config.staff)} of the staff are known"
    )
    configured_trial = configured(context)
    yield configured_trial, 1
    if not configured_trial.ok:
        return
    for name, check in (("rules", _rules), ("templates", _templates)):
        yield _guarded(name, lambda check=check: check(context))(context), 1  # type: ignore[misc]  # the default binds the loop's value
    yield _guarded("model", lambda: _model(context))(context), 3
    yield _guarded("database", lambda: _database(context))(context), 3
    yield _guarded("senders", lambda: _senders(context))(context), 1
    if offline:
        return
    yield try_mailbox(context.config, context.base), 3
    yield try_submission(context.config, context.base), 3
    yield _guarded("DNS", lambda: _dns(context))(context), 3


def _guarded(name: str, check: Callable[[], str]) -> Callable[[CommandContext], Trial]:
    def run(_context: CommandContext) -> Trial:
        from assistant.errors import AssistantError
        from assistant.setup import Trial

        try:
            return Trial(name, True, check())
        except AssistantError as error:
            return Trial(name, False, str(error))

    return run


def _rules(context: CommandContext) -> str:
    workplace = context.workplace()
    office = workplace.cadence
    _raise_errors(office.problems)
    rulebook = office.rulebook
    assert rulebook is not None, "an office without a rulebook has raised"
    return f"{workplace.rules_folder}: {len(rulebook.cadences)} cadences, {len(rulebook.greetings)} greetings, {len(rulebook.reminders)} reminders"


def _templates(context: CommandContext) -> str:
    templates = context.templates()
    _raise_errors(templates.check())
    return f"{len(templates.names())} templates, each rendered with its sample"


def _raise_errors(problems: object) -> None:
    from assistant.errors import Problem, ProblemsFound

    errors = tuple(problem for problem in problems if isinstance(problem, Problem) and problem.severity == "error")  # type: ignore[attr-defined]  # any iterable of problems
    if errors:
        raise ProblemsFound(errors)


def _model(context: CommandContext) -> str:
    reader = context.workplace().reader
    return getattr(reader, "notice", "") or f"reads with the {getattr(reader, 'mode', 'shipped')} model"


def _database(context: CommandContext) -> str:
    from sqlalchemy import func, select

    from assistant.store.migrate import current_revision
    from assistant.store.tables import Record

    database = context.database()
    with database.session() as session:
        count = session.scalar(select(func.count()).select_from(Record))
    return f"{database.engine.url.render_as_string(hide_password=True)}: {count} records, schema {current_revision(database)}"


def _senders(context: CommandContext) -> str:
    """By what a colleague's mail is proved; without proof nobody is obeyed by mail."""
    workplace = context.workplace()
    directory = workplace.directory
    means = [f"the verdicts of {directory.authserv_id}"] if directory.authserv_id else []
    if workplace.signature_proof is not None:
        means.append("DKIM signatures")
    if not means:
        return (
            "nothing proves who wrote a mail, so no colleague is obeyed by mail; set mailbox.authserv_id or verify_dkim"
        )
    return f"colleagues' mail is proved by {' and '.join(means)}"


def _dns(context: CommandContext) -> str:
    """Only that the domain exists: whether it may send is said by SPF and DKIM, which a resolver library would read."""
    import socket

    from assistant.errors import AssistantError

    domain = context.config.assistant.address.rpartition("@")[2]
    hosts = [server.host for server in (context.config.mailbox, context.config.submission) if server is not None]
    for host in hosts:
        try:
            socket.getaddrinfo(host, None)
        except OSError as error:
            raise AssistantError(f"the name {host} is not known: check the spelling and this machine's DNS.") from error
    return f"{', '.join(hosts) or 'no servers'} resolve; let {domain} publish SPF and DKIM for the submission server"
