"""`assistant report`: a client's week and the month's review, on demand."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.context import context_of
from assistant.cli.output import json_line, listing, result, say

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from assistant.bootstrap import Workplace
    from assistant.reports.facts import WeeklySummary
    from assistant.reports.period import Period
    from assistant.reports.review import Review, StageTime

app = typer.Typer(help="A client's week, and the month's review.", no_args_is_help=True)

_NO_NAME = re.compile(r"[^\w.-]+")
_Client = Annotated[str, typer.Option(metavar="CLIENT", help="Only this client: number, domain, address or name.")]
_AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command("weekly")
def weekly(
    ctx: typer.Context,
    client: _Client = "",
    week: Annotated[str, typer.Option(metavar="YEAR-Wnn", help="Such as 2026-W08; default: the last seven days.")] = "",
    language: Annotated[str, typer.Option(help="zh-Hans, zh-Hant or en; default: the owner's.")] = "",
    html: Annotated[
        str, typer.Option(metavar="PATH", help="Write HTML: to one .html file, or one for each client into a folder.")
    ] = "",
    open_it: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    as_json: _AsJson = False,
) -> None:
    """Show the weekly summary of one client, or of all that have something to tell. Nothing is sent."""
    from assistant.reports.collect import is_empty

    workplace = _workplace(ctx)
    period = _period(week, workplace)
    with workplace.database.session() as session:
        ids = _client_ids(session, client)
        now = workplace.clock.now()
        found = [(one, workplace.reports.week_of(session, one, period, now, language)) for one in ids]
    told = [(number, summary) for number, summary in found if client or not is_empty(summary)]
    if as_json:
        _print_json(told)
    elif html or open_it:
        _write_html(workplace, told, html, open_it)
    else:
        _print_text(workplace, told)
    if not told:
        say(f"Nothing happened between {period.first_day} and {period.last_day}.")


def _workplace(ctx: typer.Context) -> Workplace:
    """With a quiet log: what is printed is the report."""
    from assistant.log import set_up_logging

    set_up_logging("warning")
    return context_of(ctx).workplace()


def _period(week: str, workplace: Workplace) -> Period:
    from assistant.calendar.localtime import midnight
    from assistant.errors import WrongUse
    from assistant.reports.period import Period, week_before

    zone = workplace.config.agency.timezone
    if not week:
        return week_before(workplace.clock.now(), zone)
    match = re.fullmatch(r"(\d{4})-?W(\d{1,2})", week.strip(), re.IGNORECASE)
    try:
        monday = date.fromisocalendar(int(match[1]), int(match[2]), 1) if match else None
        following = date.fromordinal(monday.toordinal() + 7) if monday else None
    except ValueError:
        monday = following = None
    if monday is None or following is None:
        raise WrongUse(f"{week!r} is not a week: write the ISO week such as 2026-W08.")
    last = date.fromordinal(following.toordinal() - 1)
    return Period(midnight(monday, zone), midnight(following, zone), monday, last)


def _client_ids(session: Session, client: str) -> list[int]:
    from sqlalchemy import select

    from assistant.cli.clients import find_client
    from assistant.store.tables import Client

    if client:
        return [find_client(session, client).id]
    return list(session.scalars(select(Client.id).where(Client.merged_into.is_(None)).order_by(Client.name, Client.id)))


def _print_json(told: list[tuple[int, WeeklySummary]]) -> None:
    import dataclasses

    for number, summary in told:
        result(json_line({"client_id": number, **dataclasses.asdict(summary)}))


def _print_text(workplace: Workplace, told: list[tuple[int, WeeklySummary]]) -> None:
    for place, (_, summary) in enumerate(told):
        mail = workplace.reports.rendered_week(summary)
        if place:
            result("\n" + "=" * 72 + "\n")
        result(f"{mail.subject}\n\n{mail.text.rstrip()}")


def _write_html(workplace: Workplace, told: list[tuple[int, WeeklySummary]], html: str, open_it: bool) -> None:
    import tempfile
    from html import escape

    from assistant.errors import AssistantError, WrongUse
    from assistant.privately import write_privately

    target = Path(html) if html else Path(tempfile.mkdtemp(prefix="cc-assistant-"))
    single = target.suffix.lower() in {".html", ".htm"}
    if single and len(told) > 1:
        raise WrongUse(f"there are {len(told)} summaries: name a folder instead of {target}, or one --client.")
    try:
        (target.parent if single else target).mkdir(parents=True, exist_ok=True)
        for number, summary in told:
            mail = workplace.reports.rendered_week(summary)
            path = target if single else target / _file_name(number, summary)
            write_privately(path, mail.html or f"<pre>{escape(mail.text)}</pre>")
            result(str(path))
            if open_it:
                typer.launch(str(path))
    except OSError as error:
        raise AssistantError(
            f"{target} cannot be written: {error.strerror}. Choose another place with --html."
        ) from error


def _file_name(number: int, summary: WeeklySummary) -> str:
    """Client and last day; the number keeps clients of the same name apart."""
    name = _NO_NAME.sub("-", summary.client).strip("-.")[:60] or "client"
    return f"{name}-{number}-{summary.period_to.isoformat()}.html"


@app.command("review")
def review(
    ctx: typer.Context,
    month: Annotated[str, typer.Option(metavar="YEAR-MONTH", help="Such as 2026-02; default: this month.")] = "",
    client: _Client = "",
    as_json: _AsJson = False,
) -> None:
    """Show what to improve: response times, time in stages, follow-ups and what came of them."""
    from assistant.reports.review import collect_review

    workplace = _workplace(ctx)
    now = workplace.clock.now()
    with workplace.database.session() as session:
        ids = _client_ids(session, client) if client else None
        around = workplace.reports.surroundings
        found = collect_review(session, around, _month(month, workplace), now, ids)
    if as_json:
        _review_json(found)
    else:
        _review_tables(found)


def _month(month: str, workplace: Workplace) -> date:
    from assistant.calendar.localtime import local_date
    from assistant.errors import WrongUse

    if not month:
        return local_date(workplace.clock.now(), workplace.config.agency.timezone).replace(day=1)
    try:
        return date.fromisoformat(f"{month.strip()}-01")
    except ValueError as error:
        raise WrongUse(f"{month!r} is not a month: write year and month such as 2026-02.") from error


def _review_json(found: Review) -> None:
    """One object a line; `about` tells clients, people and rules apart."""
    import dataclasses

    month = f"{found.month:%Y-%m}"
    for about, rows in (("client", found.clients), ("person", found.people), ("rule", found.rules)):
        for row in rows:
            result(json_line({"about": about, "month": month, **dataclasses.asdict(row)}))


def _review_tables(found: Review) -> None:
    import dataclasses

    title = f"{found.month:%Y-%m}"
    empty = f"Nothing was recorded in {title}."
    if not (found.clients or found.people or found.rules):
        say(empty)
        return
    columns = (
        "client",
        "received",
        "sent",
        "our_hours",
        "client_hours",
        "stages_back",
        "feedback_open",
        "problems_open",
        "problems_overdue",
        "satisfaction",
        "referrals",
    )
    clients: list[dict[str, Any]] = [{**dataclasses.asdict(row), "our_hours": row.us_hours} for row in found.clients]
    listing(clients, columns, as_json=False, empty=empty, title=f"Clients, {title} (median business hours)")
    stages = [{"client": row.client, **_stage_row(stage)} for row in found.clients for stage in row.stages]
    stage_columns = ("client", "stage", "projects", "median_days", "target_days", "over")
    if stages:
        listing(stages, stage_columns, as_json=False, empty="", title="Business days in each stage")
    if found.people:
        people = [dataclasses.asdict(row) for row in found.people]
        listing(people, ("person", "sent", "hours", "answers"), as_json=False, empty="", title="People")
    if found.rules:
        rules = [{**dataclasses.asdict(row), "version": row.version[:8]} for row in found.rules]
        rule_columns = ("rule", "version", "sent", "answered", "vetoed", "cancelled", "refused")
        listing(rules, rule_columns, as_json=False, empty="", title="Rules")


def _stage_row(stage: StageTime) -> dict[str, Any]:
    import dataclasses

    return dataclasses.asdict(stage)
