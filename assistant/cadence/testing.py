"""Runs `*.test.toml`: small worlds travel in time through the decisions that the daemon takes."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from assistant.cadence.check import parse_text, read_file, read_text
from assistant.cadence.load import TEST_SUFFIX, load_rulebook, narrowed, test_files
from assistant.cadence.positions import find_places
from assistant.cadence.reading import KnowsTemplates, Report, read_table
from assistant.cadence.rules import Rulebook
from assistant.cadence.scenario import Scenario, build_scenario
from assistant.cadence.scenario_tables import EFFECT_WHAT, GIVEN_WHAT, TEST_FILE
from assistant.cadence.world import Outcome
from assistant.calendar.localtime import is_zone
from assistant.errors import Problem

ALWAYS: Final = ("send", "approval", "draft", "task", "ask")


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test: where it stands, and what was expected and came instead when it failed."""

    __test__ = False
    file: str
    line: int
    name: str
    passed: bool
    message: str = ""


def run_tests(
    folder: Path, templates: KnowsTemplates | None = None, only: str = ""
) -> tuple[list[TestResult], list[Problem]]:
    """All tests of a folder's test files (those whose name contains `only`), and the problems that kept them from running."""
    rulebook, problems = load_rulebook(folder, templates)
    problems = [problem for problem in problems if problem.severity == "error"]
    if rulebook is None:
        return [], problems
    results: list[TestResult] = []
    for path in test_files(folder):
        shown = f"{folder.name or folder}/{path.name}"
        found, wrong = run_test_file(path, shown, rulebook, only)
        results += found
        problems += wrong
    return results, problems


def check_test_files(folder: Path, rulebook: Rulebook | None = None) -> list[Problem]:
    """What is wrong with the test files of a folder, without running them."""
    problems: list[Problem] = []
    for path in test_files(folder):
        shown = f"{folder.name or folder}/{path.name}"
        text, unread = read_text(path, shown)
        data, unparsed = (None, []) if unread else parse_text(text, shown)
        problems += unread + unparsed
        if data is not None:
            problems += read_tests(text, shown, rulebook)[0].problems()
    return problems


def run_test_file(path: Path, shown: str, rulebook: Rulebook, only: str = "") -> tuple[list[TestResult], list[Problem]]:
    """The tests of one file against a rulebook."""
    text, problems = read_text(path, shown)
    if problems:
        return [], problems
    return run_test_text(text, shown, rulebook, only)


def run_test_text(text: str, shown: str, rulebook: Rulebook, only: str = "") -> tuple[list[TestResult], list[Problem]]:
    """As `run_test_file`, for text that is not in a file."""
    data, problems = parse_text(text, shown)
    if data is None:
        return [], problems
    report, read = read_tests(text, shown, rulebook)
    if report.has_errors:
        return [], report.problems()
    places = find_places(text)
    own = shown.rpartition("/")[2].removesuffix(TEST_SUFFIX)
    results = []
    for number, test in enumerate(read.get("test", ())):
        if only.lower() not in test["name"].lower():
            continue
        place = places.get(("test", number))
        line = place.value[0] if place is not None else 0
        message = _run(test, _rules_for(test, own, rulebook))
        results.append(TestResult(shown, line, test["name"], not message, message))
    return results, []


def read_tests(text: str, shown: str, rulebook: Rulebook | None = None) -> tuple[Report, dict[str, Any]]:
    """Report and meanings of a test file whose syntax is right."""
    data = tomllib.loads(text)
    report = Report(shown, text, data)
    read = read_table(TEST_FILE, data, (), report, None)
    for number, test in enumerate(read.get("test", ())):
        _check_test(("test", number), test, report, rulebook)
    return report, read


def _check_test(
    path: tuple[str | int, ...], test: Mapping[str, Any], report: Report, rulebook: Rulebook | None
) -> None:
    start = test.get("start")
    if isinstance(start, datetime) and start.tzinfo is None:
        report.add((*path, "start"), "R072", "start has no zone", "Write it like 2026-02-09T10:00:00+08:00.")
    for table in ("client", "agency"):
        zone = test.get(table, {}).get("timezone")
        if zone is not None and not is_zone(zone):
            report.add((*path, table, "timezone"), "R032", f'unknown zone "{zone}"', 'Write it like "Asia/Shanghai".')
    for number, item in enumerate(test.get("given", ())):
        here = (*path, "given", number)
        if not any(key in item for key in GIVEN_WHAT):
            report.add(here, "R071", "nothing happens here", f"Name one of {', '.join(GIVEN_WHAT)}.", where="table")
        if "edit" in item:
            _check_edit((*here, "edit"), item["edit"], report)
        if "remove" in item and rulebook is not None and rulebook.cadence(item["remove"]) is None:
            report.add((*here, "remove"), "R071", f'no cadence is named "{item["remove"]}"')
    for number, expected in enumerate(test.get("expect", ())):
        here = (*path, "expect", number)
        if ("effects" in expected) == ("count" in expected):
            report.add(here, "R071", 'either "effects" or "count" is needed', where="table")
        for index, effect in enumerate(expected.get("effects", ())):
            if sum(key in effect for key in EFFECT_WHAT) != 1:
                message = f"an effect names one of {', '.join(EFFECT_WHAT)}"
                report.add((*here, "effects", index), "R071", message)


def _check_edit(path: tuple[str | int, ...], text: str, report: Report) -> None:
    data, problems = parse_text(text, report.shown)
    if data is not None:
        problems = read_file(f"schema = 1\n{text}" if "schema" not in data else text, report.shown, None)[0].problems()
    for problem in problems:
        if problem.severity == "error":
            report.add(path, problem.code, problem.message, problem.hint)


def _rules_for(test: Mapping[str, Any], own: str, rulebook: Rulebook) -> Rulebook:
    """The rules that a test is about."""
    wanted = test.get("rules", (own,))
    if "*" in wanted:
        return rulebook
    files = {rule.file for kind in _kinds(rulebook) for rule in kind}
    chosen = [file for file in wanted if file in files]
    return rulebook if not chosen else _joined(rulebook, chosen)


def _kinds(rulebook: Rulebook) -> tuple[Sequence[Any], ...]:
    return (rulebook.cadences, rulebook.greetings, rulebook.reminders, rulebook.summaries)


def _joined(rulebook: Rulebook, files: Iterable[str]) -> Rulebook:
    from assistant.cadence.load import make_rulebook

    parts = [narrowed(rulebook, file) for file in files]
    first = parts[0]
    for part in parts[1:]:
        first = make_rulebook(
            Rulebook(
                cadences=first.cadences + part.cadences,
                greetings=first.greetings + part.greetings,
                reminders=first.reminders + part.reminders,
                summaries=first.summaries + part.summaries,
                stages=first.stages,
                restraint=first.restraint,
                overrides=first.overrides,
                version=first.version,
            )
        )
    return first


def _run(test: Mapping[str, Any], rulebook: Rulebook) -> str:
    """The empty string when all came as expected, else what did not."""
    named = {key for expected in test["expect"] for effect in expected.get("effects", ()) for key in effect}
    scenario = build_scenario(test, rulebook, reminders="remind" in named)
    log = scenario.play(_ends(test, scenario))
    counted = {*ALWAYS, *(named & set(EFFECT_WHAT))}
    begin = scenario.start
    for number, expected in enumerate(test["expect"], 1):
        if "from" in expected:
            begin = scenario.moment(expected["from"])
        until = scenario.moment(expected["until"])
        came = [one for one in log if begin <= one.at <= until and one.kind in counted]
        if number > 1:
            came = [one for one in came if one.at > begin or "from" in expected]
        message = _compare(expected, came, scenario)
        if message:
            return f"expectation {number} (until {expected['until']}): {message}"
        begin = until
    return ""


def _ends(test: Mapping[str, Any], scenario: Scenario) -> datetime:
    return max(scenario.moment(expected["until"]) for expected in test["expect"])


def _compare(expected: Mapping[str, Any], came: Sequence[Outcome], scenario: Scenario) -> str:
    if "count" in expected:
        sent = [one for one in came if one.kind == "send"]
        if len(sent) == expected["count"]:
            return ""
        return f"{expected['count']} mails were expected, {len(sent)} left" + _listing(sent, scenario)
    wanted = expected["effects"]
    for index in range(max(len(wanted), len(came))):
        if index >= len(wanted):
            return f"more came than was expected: {describe(came[index], scenario)}" + _listing(came, scenario)
        shown = ", ".join(f"{key} = {value}" for key, value in wanted[index].items())
        if index >= len(came):
            return f"missing: {shown}" + _listing(came, scenario)
        wrong = ", ".join(_differences(wanted[index], came[index], scenario))
        if wrong:
            return f"{shown}: {wrong}" + _listing(came, scenario)
    return ""


def _differences(wanted: Mapping[str, Any], came: Outcome, scenario: Scenario) -> Iterator[str]:
    kind = next(key for key in EFFECT_WHAT if key in wanted)
    local = came.at.astimezone(ZoneInfo(scenario.zone))
    if came.kind != kind:
        yield f"came as {came.kind}"
        return
    if not _same_words(str(wanted[kind]), came):
        yield f"was {came.what if kind not in ('stop', 'pause', 'refuse') else came.reason}"
    if "on" in wanted and wanted["on"] != local.date():
        yield f"came on {local.date()}"
    if "at" in wanted and not _same_time(wanted["at"], local, scenario):
        yield f"came at {local:%Y-%m-%d %H:%M}"
    if "rule" in wanted and wanted["rule"] != came.rule:
        yield f"came by {came.rule}"
    if "step" in wanted and wanted["step"] != came.step:
        yield f"was step {came.step}"
    if "project" in wanted and wanted["project"] != scenario.project_name(came.project_id):
        yield f"was in project {scenario.project_name(came.project_id)}"
    if "to" in wanted and wanted["to"] != scenario.contact_name(came.contact_id):
        yield f"went to {scenario.contact_name(came.contact_id)}"


def _same_time(wanted: time | datetime, local: datetime, scenario: Scenario) -> bool:
    """To the minute; a whole moment, or the wall time alone."""
    minute = local.replace(second=0, microsecond=0)
    if isinstance(wanted, datetime):
        return scenario.moment(wanted) == minute
    return wanted == minute.time()


def _same_words(wanted: str, came: Outcome) -> bool:
    if wanted == "*":
        return True
    if came.kind in ("stop", "pause", "refuse"):
        return wanted == came.reason
    return wanted in came.what if came.kind == "task" else wanted == came.what


def describe(outcome: Outcome, scenario: Scenario) -> str:
    """`2026-02-12 10:00 send followups/proposal-nudge-1 (proposal-unanswered, step 1)`, in the client's time."""
    local = outcome.at.astimezone(ZoneInfo(scenario.zone))
    step = f", step {outcome.step}" if outcome.step else ""
    reason = f": {outcome.reason}" if outcome.reason and outcome.reason != outcome.what else ""
    return f"{local:%Y-%m-%d %H:%M} {outcome.kind} {outcome.what} ({outcome.rule}{step}){reason}"


def _listing(came: Sequence[Outcome], scenario: Scenario) -> str:
    return "".join(f"\n    {describe(one, scenario)}" for one in came) or "\n    nothing came"
