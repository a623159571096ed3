"""`assistant demo`: the whole thing on embedded servers with sample mail and a simulated clock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.output import console, say

if TYPE_CHECKING:
    from assistant.demo.play import Played, Tally


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    folder: Annotated[
        Path, typer.Option("--output", help="Where the mails that were sent, the summaries and the database go.")
    ] = Path("demo-output"),
    quick: Annotated[bool, typer.Option("--quick", help="The first two and a half weeks only.")] = False,
) -> None:
    """Play some weeks of an agency's mail: logged, read, followed up, greeted, reminded, summarised."""
    from assistant.clock import monotonic
    from assistant.demo.play import play
    from assistant.demo.scenario import load_scenario
    from assistant.log import set_up_logging

    set_up_logging("error")
    started = monotonic()
    scenario = load_scenario(quick=quick)
    out = console()
    out.print(
        f"{scenario.agency.name}: {len(scenario.messages)} mails from {scenario.start:%Y-%m-%d} to {scenario.end:%Y-%m-%d}, "
        "embedded IMAP and SMTP servers, a simulated clock.\n"
    )
    played = _live(out, scenario, folder, play) if out.is_terminal else play(scenario, folder, _plain())
    _tables(out, played, scenario.agency.timezone)
    _further(played, monotonic() - started)


def _live(out: Any, scenario: Any, folder: Path, play: Any) -> Played:
    """A display that is redrawn in place: how far, how many, and what happened last."""
    from rich.live import Live

    with Live(console=out, refresh_per_second=8, transient=True) as live:
        played: Played = play(scenario, folder, lambda tally, share: live.update(_view(tally, share)))
    return played


def _view(tally: Tally, share: float) -> Any:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    head = Text(f"{tally.now:%Y-%m-%d %a %H:%M}", style="bold")
    counts = Text(
        f"logged {tally.logged}   stages moved {tally.stages_moved}   follow-ups sent {tally.followups}   "
        f"stopped by an answer or another reason {tally.cancelled}\n"
        f"greetings {tally.greetings}   reminders {tally.reminders}   weekly summaries {tally.summaries}   "
        f"digests and notices {tally.other}"
    )
    events = Text("\n".join(tally.events[-12:]), style="dim", no_wrap=True, overflow="ellipsis")
    return Group(head, ProgressBar(total=1.0, completed=share, width=72), counts, Text(), events)


def _plain() -> Any:
    """For a pipe: one line a simulated week."""
    seen: set[tuple[int, int]] = set()

    def show(tally: Tally, share: float) -> None:
        week = tally.now.isocalendar()[:2]
        if week in seen and share < 1.0:
            return
        seen.add(week)
        say(
            f"{tally.now:%Y-%m-%d}  {share:4.0%}  logged {tally.logged}, follow-ups {tally.followups}, stopped {tally.cancelled}, "
            f"greetings {tally.greetings}, reminders {tally.reminders}, summaries {tally.summaries}"
        )

    return show


def _tables(out: Any, played: Played, zone: str) -> None:
    from sqlalchemy import select

    from assistant.cli.output import listing, local
    from assistant.store import open_database
    from assistant.store.listings import project_rows
    from assistant.store.tables import OutboxMessage

    database = open_database("sqlite:///assistant.db", played.folder)
    with database.session() as session:
        columns = ("client", "project", "stage", "stage_since", "waiting_on", "waiting_since")
        listing(
            project_rows(session), columns, as_json=False, empty="No projects.", title="Projects at the end", zone=zone
        )
        rows = session.scalars(
            select(OutboxMessage).where(OutboxMessage.audience == "client").order_by(OutboxMessage.due_at)
        )
        sent = [
            {
                "when": local(row.due_at, zone)[5:],
                "to": row.recipients[0],
                "subject": row.subject,
                "rule": f"{row.rule} {row.step or ''}".strip(),
                "outcome": row.state if not row.reason else f"{row.state}: {row.reason}",
            }
            for row in rows
        ]
    database.close()
    out.print()
    shown = ("when", "to", "subject", "rule", "outcome")
    listing(sent, shown, as_json=False, empty="No mail to clients.", title="Mail to clients")
    tally = played.tally
    out.print(
        f"\nlogged {tally.logged}, stages moved {tally.stages_moved}, follow-ups sent {tally.followups}, cadences stopped {tally.cancelled}, "
        f"greetings {tally.greetings}, reminders {tally.reminders}, weekly summaries {tally.summaries}"
    )


def _further(played: Played, seconds: float) -> None:
    command = f"assistant --config {played.config}"
    say(
        f"""
Done in {seconds:.0f} s. Everything lies in {played.folder}/
  sent/        {len(played.sent)} mails as the SMTP server received them (.eml)
  summaries/   {len(played.summaries)} weekly summaries (.html): open one in a browser

Look further:
  {command} records             every mail with stage, confidence and evidence
  {command} projects            who waits for whom
  {command} outbox list --all   what was sent, cancelled and why
  {command} rules check
Your own mailbox: assistant init"""
    )
