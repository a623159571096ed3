"""`assistant doctor`: is everything there that a run needs? Each check says what to do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from assistant.cli.context import CommandContext, context_of
from assistant.cli.output import console, json_line, result

if TYPE_CHECKING:
    from assistant.model.people import Directory, MailboxProof
    from assistant.setup import Trial


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(
    ctx: typer.Context,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no server.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Check configuration, rules, templates, model, database, each mailbox, submission and DNS."""
    context = context_of(ctx)
    worst = 0
    for check in _checks(context, offline):
        with _running(check.name):
            trial = check.run()
        if as_json:
            result(json_line({"check": trial.name, "ok": trial.ok, "sentence": trial.sentence}))
        else:
            result(f"{'ok  ' if trial.ok else 'FAIL'} {trial.name:<11} {trial.sentence}")
        sys.stdout.flush()  # on a pipe too each line comes when its check is done
        if not trial.ok:
            worst = max(worst, check.failing)
    if worst:
        raise typer.Exit(worst)


@dataclass(frozen=True, slots=True)
class _Check:
    """One thing to try, and the exit status that its failure means."""

    name: str
    failing: int
    run: Callable[[], Trial]


def _checks(context: CommandContext, offline: bool) -> Iterator[_Check]:
    """Without a configuration nothing else can be asked."""
    from assistant.setup import try_mailbox, try_submission

    def staff() -> str:
        return f"{context.config_path}: {len(context.config.staff)} of the staff are known"

    configured = _guarded("config", staff)
    yield _Check("config", 1, lambda: configured)
    if not configured.ok:
        return
    for name, failing, sentence in (
        ("rules", 1, _rules),
        ("templates", 1, _templates),
        ("model", 3, _model),
        ("database", 3, _database),
        ("senders", 1, _senders),
    ):
        yield _Check(name, failing, partial(_guarded, name, partial(sentence, context)))
    if offline:
        return
    config, base = context.config, context.base
    for box in config.mailbox or (None,):
        yield _Check(f"mailbox {box.name}" if box else "mailbox", 3, partial(try_mailbox, config, base, box))
    yield _Check("submission", 3, partial(try_submission, config, base))
    yield _Check("DNS", 3, partial(_guarded, "DNS", partial(_dns, context)))


def _running(name: str) -> AbstractContextManager[Any]:
    """Says at a terminal which check is under way; some take seconds."""
    if not sys.stderr.isatty():
        return nullcontext()
    return cast("AbstractContextManager[Any]", console(stderr=True).status(f"checking {name} …"))


def _guarded(name: str, check: Callable[[], str]) -> Trial:
    from assistant.errors import AssistantError
    from assistant.setup import Trial

    try:
        return Trial(name, True, check())
    except AssistantError as error:
        return Trial(name, False, str(error))


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
    directory = context.workplace().directory
    if not directory.can_prove:
        return (
            "nothing proves who wrote a mail, so no colleague is obeyed by mail; set mailbox.authserv_id or verify_dkim"
        )
    ways = directory.mailboxes or (directory,)
    return "colleagues' mail is proved by " + "; ".join(_proof(way) for way in ways)


def _proof(way: Directory | MailboxProof) -> str:
    means = [f"the verdicts of {way.authserv_id}"] if way.authserv_id else []
    means += ["DKIM signatures"] if way.verifies_signatures else []
    where = f" in {mailbox}" if (mailbox := getattr(way, "mailbox", "")) else ""
    return f"{' and '.join(means) or 'nothing'}{where}"


def _dns(context: CommandContext) -> str:
    """Only that the domain exists: whether it may send is said by SPF and DKIM, which a resolver library would read."""
    import socket

    from assistant.errors import AssistantError

    domain = context.config.assistant.address.rpartition("@")[2]
    hosts = list(dict.fromkeys(server.host for server in context.config.servers))
    for host in hosts:
        try:
            socket.getaddrinfo(host, None)
        except OSError as error:
            raise AssistantError(f"the name {host} is not known: check the spelling and this machine's DNS.") from error
    return f"{', '.join(hosts) or 'no servers'} resolve; let {domain} publish SPF and DKIM for the submission server"
