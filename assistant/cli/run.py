"""`assistant run`: the daemon; or one pass, perhaps as if it were another time, perhaps without sending."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.context import CommandContext, context_of, parse_time
from assistant.cli.output import counted, result, say

if TYPE_CHECKING:
    from assistant.bootstrap import Options, Workplace


def register(app: typer.Typer) -> None:
    app.command("run")(run)


def run(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="One pass: read, decide, send what is due, and exit.")] = False,
    now: Annotated[
        str | None,
        typer.Option(
            "--now",
            metavar="TIME",
            help="As if it were TIME (ISO 8601). With --once; loopback servers or --dry-run only.",
        ),
    ] = None,  # typer reads this form on every supported version
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Send nothing and keep nothing: say what would be sent.")
    ] = False,
) -> None:
    """Read the mailboxes, log, decide, and send what is due; until stopped, or once."""
    from assistant.adapters import only_loopback
    from assistant.bootstrap import Options
    from assistant.errors import WrongUse
    from assistant.log import set_up_logging

    context = context_of(ctx)
    config = context.config
    context.logs = True
    set_up_logging(config.log.level, config.log.format, show_addresses=config.log.show_addresses)
    if now is not None and not once:
        raise WrongUse("--now moves the clock for one pass: add --once.")
    if now is not None and not dry_run and not only_loopback(config):
        raise WrongUse(
            "--now would let the assistant write to real people at the wrong time: add --dry-run, or use servers on 127.0.0.1."
        )
    moment = parse_time(now, config.agency.timezone) if now else None
    if dry_run:
        _dry_run(context, Options(now=moment, dry_run=True))
        return
    workplace = context.workplace(Options(now=moment))
    _check_rules(workplace)
    if once:
        _once(workplace)
    else:
        _forever(workplace, context)


def _check_rules(workplace: Workplace) -> None:
    """Wrong rules or templates: every problem at once, nothing sent."""
    from assistant.errors import ProblemsFound

    problems = [problem for problem in workplace.cadence.problems if problem.severity == "error"]
    if problems:
        raise ProblemsFound(tuple(problems))


def _once(workplace: Workplace) -> None:
    from assistant.daemon import Passes

    reader = workplace.mailbox_reader() if workplace.config.mailbox else None
    passes = Passes(workplace, reader, workplace.delivery())
    passes.delivery.recover()
    try:
        report = passes.whole()
    finally:
        passes.close()
    intake = report.intake
    say(
        f"read {report.read}, logged {intake.logged if intake else 0}, "
        f"quarantined {intake.quarantined if intake else 0}, sent {report.sent}"
    )


def _forever(workplace: Workplace, context: CommandContext) -> None:
    from assistant.daemon import Daemon, Passes

    workplace.database  # noqa: B018  # opened now, so that a broken database is said at the start
    daemon: Daemon | None = None
    reader = workplace.mailbox_reader(lambda: daemon.wake() if daemon else None) if workplace.config.mailbox else None
    passes = Passes(workplace, reader, workplace.delivery())
    passes.delivery.recover()
    health = workplace.config.daemon.health_file or "assistant-health.json"
    daemon = Daemon(workplace, passes, Path(health) if Path(health).is_absolute() else context.base / health)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: daemon.stop())
    say(f"Reading {', '.join(reader.names) if reader else 'nothing'}. Stop with Ctrl-C.")
    workplace.reader.prepare(())
    try:
        daemon.run()
    finally:
        passes.close()


def _dry_run(context: CommandContext, options: Options) -> None:
    from assistant.rehearsal import dry_run

    mails = dry_run(context.config, context.base, options)
    for mail in mails:
        result(
            f"{mail.due_at:%Y-%m-%d %H:%M} UTC  {mail.state:<9} {', '.join(mail.recipients)}  {mail.subject}  [{mail.rule}]"
        )
    say(f"{counted(len(mails), 'mail')} would be sent or wait; nothing was sent, nothing was kept.")
