"""A folder of rule files → a `Rulebook`, whole or not at all, and every problem at once."""

from __future__ import annotations

import functools
import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.cadence import build
from assistant.cadence.check import check_together, parse_text, read_file, read_text
from assistant.cadence.reading import KnowsTemplates, Report, read_table
from assistant.cadence.roles import check_roles
from assistant.cadence.rules import Cadence, Restraint, Rulebook, StageRule
from assistant.cadence.tables import CADENCE
from assistant.calendar.overrides import Overrides
from assistant.errors import Problem, ProblemsFound
from assistant.model.cadence import TraceEntry
from assistant.model.process import STAGES

TEST_SUFFIX = ".test.toml"


def rule_files(folder: Path) -> list[Path]:
    """The rule files of a folder by name; test files are not among them."""
    return sorted(path for path in folder.glob("*.toml") if not path.name.endswith(TEST_SUFFIX))


def test_files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{TEST_SUFFIX}"))


test_files.__test__ = False  # type: ignore[attr-defined]  # pytest would take an imported one for a test


def load_rulebook(
    folder: Path, templates: KnowsTemplates | None = None, roles: Collection[str] | None = None
) -> tuple[Rulebook | None, list[Problem]]:
    """All rules of `folder`, or None when any file has an error; warnings are among the problems of a good set, too.

    With `templates` every template a rule names must exist, and the problems of all templates are joined in.
    With `roles`, those of the staff, a role that nobody has is a warning.
    """
    shown_folder = folder.name or str(folder)
    if not folder.is_dir():
        hint = "`assistant init` makes one; --rules names another."
        return None, [Problem(str(folder), 0, 0, "R002", "there is no such folder of rules", hint)]
    problems: list[Problem] = []
    files: list[tuple[Report, dict[str, Any]]] = []
    for path in rule_files(folder):
        shown = f"{shown_folder}/{path.name}"
        text, unread = read_text(path, shown)
        data, unparsed = (None, []) if unread else parse_text(text, shown)
        problems += unread + unparsed
        if data is not None:
            files.append(read_file(text, shown, templates))
    restraint = _restraint(files)
    check_together(files, restraint)
    if roles is not None:
        check_roles([report for report, _ in files], roles)
    for report, _ in files:
        problems += report.problems()
    if templates is not None:
        problems += templates.check()
    problems.sort()
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    return assemble(files, restraint), problems


def require_rulebook(folder: Path, templates: KnowsTemplates | None = None) -> Rulebook:
    """As `load_rulebook`, but raises `ProblemsFound` when there is an error."""
    rulebook, problems = load_rulebook(folder, templates)
    if rulebook is None:
        raise ProblemsFound(tuple(problems))
    return rulebook


def _restraint(files: list[tuple[Report, dict[str, Any]]]) -> Restraint:
    for report, read in files:
        if "restraint" in read and not any(finding.path[:1] == ("restraint",) for finding in report.findings):
            return build.build_restraint(read["restraint"])
    return Restraint()


def assemble(files: list[tuple[Report, dict[str, Any]]], restraint: Restraint) -> Rulebook:
    """Rules from files that were read without errors."""
    parts: dict[str, list[Any]] = defaultdict(list)
    stages: dict[str, StageRule] = {}
    digest = hashlib.sha256()
    for report, read in files:
        name = report.shown.rpartition("/")[2].removesuffix(".toml")
        digest.update(build.canonical(report.data).encode())
        for kind, builder in (
            ("cadence", build.build_cadence),
            ("greeting", build.build_greeting),
            ("reminder", build.build_reminder),
            ("summary", build.build_summary),
        ):
            pairs = zip(read.get(kind, ()), report.data.get(kind, ()), strict=True)
            parts[kind] += [builder(item, raw, name) for item, raw in pairs]
        stages.update({item["id"]: build.build_stage(item) for item in read.get("stage", ())})
        parts["calendar"] += [build.build_calendar(item) for item in read.get("calendar", ())]
    return make_rulebook(
        Rulebook(
            cadences=tuple(parts["cadence"]),
            greetings=tuple(parts["greeting"]),
            reminders=tuple(parts["reminder"]),
            summaries=tuple(parts["summary"]),
            stages=stages,
            restraint=restraint,
            overrides=Overrides(tuple(parts["calendar"])),
            version=digest.hexdigest()[:12],
        )
    )


def make_rulebook(rulebook: Rulebook) -> Rulebook:
    """The same with its look-up tables filled: by name, and by stage with the more important cadences first."""
    ordered = sorted(rulebook.cadences, key=lambda cadence: (-cadence.importance, cadence.name))
    by_stage: dict[str, tuple[Cadence, ...]] = {
        stage: tuple(cadence for cadence in ordered if not cadence.when.stage or stage in cadence.when.stage)
        for stage in STAGES
    }
    misses: dict[str, tuple[TraceEntry, ...]] = {
        stage: tuple(
            TraceEntry(cadence.name, False, "no-match", f"stage is {stage}")
            for cadence in ordered
            if cadence.when.stage and stage not in cadence.when.stage
        )
        for stage in STAGES
    }
    by_name = {cadence.name: cadence for cadence in rulebook.cadences}
    return replace(rulebook, by_name=by_name, by_stage=by_stage, misses=misses)


def with_versions(rulebook: Rulebook, definitions: Mapping[tuple[str, str], str]) -> Rulebook:
    """The same, knowing the old versions that open runs are on: (name, version) → `StartRun.definition`.

    A definition that this program can no longer read is left out; its runs go on with the present version.
    """
    versions = dict(rulebook.versions)
    for key, definition in definitions.items():
        cadence = cadence_from(definition)
        if cadence is not None:
            versions[key] = cadence
    return replace(rulebook, versions=versions)


@functools.lru_cache(maxsize=1000)
def cadence_from(definition: str) -> Cadence | None:
    """A cadence from its stored canonical text, or None when it cannot be read."""
    try:
        raw = json.loads(definition)
    except ValueError:
        return None
    if not isinstance(raw, dict):
        return None
    report = Report("stored rule", "", raw)
    read = read_table(CADENCE, raw, (), report, None)
    return None if report.has_errors else build.build_cadence(read, raw, "")


def narrowed(rulebook: Rulebook, file: str) -> Rulebook:
    """Only the rules that stand in `file` (its name without ending), with what holds for all; for its tests."""
    return make_rulebook(
        replace(
            rulebook,
            cadences=tuple(rule for rule in rulebook.cadences if rule.file == file),
            greetings=tuple(rule for rule in rulebook.greetings if rule.file == file),
            reminders=tuple(rule for rule in rulebook.reminders if rule.file == file),
            summaries=tuple(rule for rule in rulebook.summaries if rule.file == file),
        )
    )
