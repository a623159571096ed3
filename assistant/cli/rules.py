"""`assistant rules`: check, test, explain, preview, rehearse and compare the rules of the cadence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional, Self

import typer

from assistant.cli.context import CommandContext, context_of, parse_time
from assistant.cli.output import counted, json_line, listing, result, say

if TYPE_CHECKING:
    from assistant.cadence.rules import Rulebook
    from assistant.calendar.business import Calendars
    from assistant.errors import Problem
    from assistant.model.cadence import FactsSource
    from assistant.rendering import Templates

app = typer.Typer(help="Check, test, explain and preview the rules.", no_args_is_help=True)

# typer reads Optional on every supported version of Python
RulesOption = Annotated[
    Optional[Path],
    typer.Option("--rules", metavar="DIR", help="Another folder of rules."),
]
TemplatesOption = Annotated[
    Optional[Path],
    typer.Option("--templates", metavar="DIR", help="Another folder of templates."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
NowOption = Annotated[str, typer.Option("--now", metavar="TIME", help="As if it were this time.")]


@app.command("check")
def check(
    ctx: typer.Context, rules: RulesOption = None, templates: TemplatesOption = None, as_json: JsonOption = False
) -> None:
    """Read all rule files, templates and tests; print every problem at once. Exit 1 when there is an error."""
    from assistant.cadence.load import load_rulebook
    from assistant.cadence.testing import check_test_files

    folder, mails = _folders(ctx, rules, templates)
    rulebook, problems = load_rulebook(folder, mails, _roles(context_of(ctx)))
    problems = sorted([*problems, *check_test_files(folder, rulebook)])
    _show_problems(problems, folder, as_json=as_json)
    errors = sum(problem.severity == "error" for problem in problems)
    if rulebook is None or errors:
        say(f"{counted(errors, 'error')}. Nothing of this set would be used.")
        raise typer.Exit(1)
    counts = {
        "cadence": len(rulebook.cadences),
        "greeting": len(rulebook.greetings),
        "reminder": len(rulebook.reminders),
        "summary": len(rulebook.summaries),
    }
    say(
        ", ".join(counted(count, what, "summaries" if what == "summary" else "") for what, count in counts.items())
        + ": fine."
    )


def _roles(context: CommandContext) -> frozenset[str] | None:
    """Those of the staff; None without a configuration."""
    if not (context.has_config() or context.explicit):
        return None
    return frozenset(role for person in context.config.staff for role in person.roles)


@app.command("test")
def run(
    ctx: typer.Context,
    only: Annotated[str, typer.Argument(help="Run the tests whose name contains this.")] = "",
    rules: RulesOption = None,
    templates: TemplatesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the *.test.toml beside the rules. Exit 1 when one fails."""
    from assistant.cadence.testing import run_tests

    folder = rules or context_of(ctx).rules_folder()
    # Tests look at who gets which template when; rendering them all is what `check` is for, unless asked.
    mails = _folders(ctx, rules, templates)[1] if templates is not None else None
    results, problems = run_tests(folder, mails, only)
    _show_problems(problems, folder, as_json=as_json)
    for one in results:
        if as_json:
            row = {"file": one.file, "line": one.line, "name": one.name, "passed": one.passed, "message": one.message}
            result(json_line(row))
        elif one.passed:
            result(f"✓ {one.name}")
        else:
            result(f"✗ {one.name}  ({one.file}:{one.line})\n    {one.message}")
    failed = sum(not one.passed for one in results)
    say(f"{len(results) - failed} of {len(results)} tests passed.")
    if failed or problems:
        raise typer.Exit(1)


@app.command("schema")
def schema(
    tests: Annotated[bool, typer.Option("--tests", help="Of the *.test.toml instead.")] = False,
) -> None:
    """Print the JSON Schema of rule files, for editors."""
    import json

    from assistant.cadence.schema import rule_schema, scenario_schema

    result(json.dumps(scenario_schema() if tests else rule_schema(), ensure_ascii=False, indent=2))


@app.command("reference")
def reference() -> None:
    """Print docs/rules.md: every table, key and code."""
    from assistant.cadence.reference import reference as page

    result(page().rstrip("\n"))


@app.command("diff")
def diff(
    ctx: typer.Context,
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A folder of rules.")],
    new: Annotated[Optional[Path], typer.Argument(metavar="NEW", help="Another; default: the rules in use.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what differs between two folders of rules."""
    from assistant.cadence.diff import compare_rulebooks
    from assistant.cadence.load import require_rulebook

    before, after = require_rulebook(old), require_rulebook(new or context_of(ctx).rules_folder())
    changes = compare_rulebooks(before, after)
    for change in changes:
        if as_json:
            row = {"kind": change.kind, "what": change.what, "name": change.name, "key": change.key}
            result(json_line({**row, "before": change.before, "after": change.after}))
        else:
            result(str(change))
    if not changes:
        say("The two sets mean the same.")


@app.command("explain")
def explain(
    ctx: typer.Context,
    project: Annotated[str, typer.Argument(metavar="THREAD|PROJECT", help="Id or name of a project, or thread:ID.")],
    now: NowOption = "",
    rules: RulesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say for every rule why it fires for a project or not, and when its next step is due."""
    from assistant.cadence.explain import explain as explain_project

    with _desk(ctx, rules, now) as desk:
        project_id = _project_id(desk.source, project)
        facts = desk.source.project(project_id)
        assert facts is not None, "the id was just found"
        runs = desk.source.runs(project_id)
        found = explain_project(facts, runs, desk.rulebook, desk.calendars, desk.now, desk.language)
    if as_json:
        for one in found:
            result(json_line(one.as_json()))
        return
    chinese = desk.language.startswith("zh")
    stage = desk.workplace.cadence.stage_name(facts.stage, desk.language)
    waiting = {"client": "等客户", "us": "等我方", "nobody": "无人待办"}[facts.waiting_on]
    say(f"{facts.client.name} · {facts.name} · {stage} · {waiting if chinese else f'waiting on {facts.waiting_on}'}")
    for one in found:
        result(
            f"{'●' if one.hit else '○'} {one.kind} {one.rule}: {one.sentence}"
            + (f" ({one.detail})" if one.detail else "")
        )
        if one.due_at is not None:
            there = f"{one.due_client} ({one.reader})" if one.reader else one.due_client
            here = f"{one.due_staff} ({one.owner})" if one.owner else one.due_staff
            result(
                f"    {'下一步' if chinese else 'next'}: {there}"
                + ("" if one.due_client == one.due_staff else f" = {here}")
            )


@app.command("preview")
def preview(
    ctx: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=400, help="How far to look ahead.")] = 14,
    rules: RulesOption = None,
    now: NowOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show what would be sent to whom when; with --rules, what an edited copy changes."""
    from assistant.cadence.load import require_rulebook
    from assistant.cadence.preview import compare
    from assistant.cadence.preview import preview as look_ahead

    with _desk(ctx, None, now) as desk:
        before = look_ahead(desk.source, desk.rulebook, desk.calendars, desk.now, days)
        if rules is not None:
            edited = require_rulebook(rules, context_of(ctx).templates())
            after = look_ahead(desk.source, edited, desk.calendars_of(edited), desk.now, days)
    if rules is None:
        columns = ("local", "kind", "what", "client", "project", "to", "rule", "step", "release")
        listing((line.as_json() for line in before), columns, as_json=as_json, empty="Nothing would be sent.")
        return
    rows = []
    for change in compare(before, after):
        line = change.after or change.before
        assert line is not None, "a change has a before or an after"
        was = f"{change.before.local} {change.before.what}" if change.kind == "changed" and change.before else ""
        rows.append({"change": change.kind, **line.as_json(), "was": was})
    shown = ("change", "local", "kind", "what", "client", "project", "to", "rule", "step", "was")
    listing(rows, shown, as_json=as_json, empty="The edit changes nothing in that time.")


@app.command("rehearse")
def rehearse(
    ctx: typer.Context,
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="First day.")],
    until: Annotated[str, typer.Option("--to", metavar="DATE", help="Day after the last.")],
    rules: RulesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the rules over past mail: what would have been sent, and which answers would have stopped it."""
    from assistant.cadence.rehearse import rehearse as play

    with _desk(ctx, rules, "") as desk:
        zone = desk.calendars.agency_timezone
        found = play(desk.source, desk.rulebook, desk.calendars, parse_time(since, zone), parse_time(until, zone))
    rows: list[dict[str, Any]] = [line.as_json() for line in found.sent]
    if as_json:
        rows += [
            {"at": at.isoformat(), "kind": "stop", "rule": rule, "project": project, "reason": reason}
            for at, rule, project, reason in found.stopped
        ]
    columns = ("local", "kind", "what", "client", "project", "to", "rule", "step")
    listing(rows, columns, as_json=as_json, empty="Nothing would have been sent.")
    reasons = ", ".join(f"{reason} {count}" for reason, count in found.reasons().items()) or "none"
    say(f"{found.happenings} happenings; {len(found.sent)} would have been sent; cadences stopped: {reasons}.")


# ── What the commands share ──────────────────────────────────────────────────────────────────────────────────────────


class _Desk:
    """Facts, rules and calendars for the commands that need the database."""

    def __init__(self, context: CommandContext, rules: Path | None, now: str) -> None:
        from assistant.cadence.load import require_rulebook

        self._context = context
        self.workplace = context.workplace()
        self.rulebook: Rulebook = require_rulebook(rules or context.rules_folder(), context.templates())
        self.calendars = self.calendars_of(self.rulebook)
        self.now: datetime = parse_time(now, self.calendars.agency_timezone) if now else self.workplace.clock.now()
        self.language = self.workplace.language

    def calendars_of(self, rulebook: Rulebook) -> Calendars:
        from assistant.calendar.business import Calendars

        agency = self._context.config.agency
        country, _, subdivision = agency.country.partition("-")
        return Calendars(country, subdivision, agency.timezone, rulebook.overrides)

    def __enter__(self) -> Self:
        from assistant.store.facts import DatabaseFacts

        self._opened = self.workplace.database.session()
        session = self._opened.__enter__()
        self.source: FactsSource = DatabaseFacts(session, self.workplace.directory, self.now)
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.__exit__(None, None, None)


def _desk(ctx: typer.Context, rules: Path | None, now: str) -> _Desk:
    return _Desk(context_of(ctx), rules, now)


def _folders(ctx: typer.Context, rules: Path | None, templates: Path | None) -> tuple[Path, Templates]:
    """The rules and templates meant: as given, the agency's own, or the shipped ones."""
    from assistant.rendering import Templates
    from assistant.resources import shipped

    context = context_of(ctx)
    folder = rules or context.rules_folder()
    if templates is not None:
        return folder, Templates(templates, shipped("templates"), "zh-Hans")
    beside = folder.resolve().parent / "templates"
    if rules is not None and not context.has_config() and beside.is_dir():
        return folder, Templates(beside, shipped("templates"), "zh-Hans")
    return folder, context.templates()


def _show_problems(problems: Iterable[Problem], folder: Path, *, as_json: bool) -> None:
    from dataclasses import asdict

    from assistant.cadence.report import reader_of, with_excerpt

    read = reader_of(folder)
    for problem in problems:
        result(json_line(asdict(problem)) if as_json else with_excerpt(problem, read))


def _project_id(source: FactsSource, words: str) -> int:
    """The project by id, by `thread:ID`, or by its name or a part of it. Raises WrongUse."""
    from assistant.cadence.values import did_you_mean
    from assistant.errors import WrongUse

    if words.startswith("thread:") and words[7:].isdigit():
        found = source.project_of_thread(int(words[7:]))
        if found is None:
            raise WrongUse(f"No project belongs to thread {words[7:]}.")
        return found
    if words.isdigit():
        number = int(words)
        if source.project(number) is not None:
            return number
        found = source.project_of_thread(number)
        if found is not None:
            return found
        raise WrongUse(f"There is no project or thread {words}; `assistant projects` lists them.")
    names = {project.name: project.project_id for project in source.projects()}
    matching = [name for name in names if words.lower() in name.lower()]
    if words in names or len(matching) == 1:
        return names[words if words in names else matching[0]]
    hint = f"It could be {', '.join(sorted(matching)[:5])}." if matching else did_you_mean(words, names)
    raise WrongUse(f"No single project is called {words!r}. {hint}".strip())
