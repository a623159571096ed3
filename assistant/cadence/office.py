"""The rules at work: the loaded rulebook with its calendars, asked about projects, clients and waiting mail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from assistant.cadence.decide import decide, may_start_any
from assistant.cadence.greetings import decide_greetings
from assistant.cadence.guards import recheck, recheck_greeting
from assistant.cadence.load import load_rulebook, rule_files, with_versions
from assistant.cadence.reminders import decide_reminders
from assistant.cadence.rules import Rulebook
from assistant.cadence.summaries import decide_summaries
from assistant.cadence.watch import watch_files
from assistant.calendar.business import Calendars
from assistant.errors import Problem
from assistant.model.cadence import (
    ClientFacts,
    Decision,
    FactsSource,
    ProjectFacts,
    Refusal,
    ReminderFacts,
    SendMail,
    TemplateUse,
)
from assistant.model.people import Directory
from assistant.rendering import Templates
from assistant.store.runs import definitions, standing

_log = structlog.get_logger("assistant.cadence")
_LOGGED_PROBLEMS = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Where the agency is: country (with a subdivision after a hyphen, if any) and IANA zone."""

    country: str
    timezone: str


class CadenceOffice:
    """Holds the last good set of rules and answers with it; reloads when a file has changed."""

    def __init__(self, rules: Path, new_templates: Callable[[], Templates], directory: Directory, place: Place) -> None:
        self._rules = rules
        self._new_templates = new_templates
        self._directory = directory
        self._place = place
        self._templates: Templates | None = None
        self._rulebook: Rulebook | None = None
        self._calendars: Calendars | None = None
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self._touched = threading.Event()
        self._told: tuple[Problem, ...] = ()
        self.problems: tuple[Problem, ...] = ()

    # --- the set of rules -------------------------------------------------------------------------------------------

    def load(self) -> list[Problem]:
        """Reads everything anew. With an error the last good set stays; the problems are returned and kept."""
        self._seen = self._fingerprint()
        templates = self._new_templates()
        rulebook, problems = load_rulebook(self._rules, templates)
        self.problems = tuple(problems)
        if rulebook is None:
            _log.error(
                "rules_refused",
                problems=len(problems),
                first=[str(problem) for problem in problems[:_LOGGED_PROBLEMS]],
                last_good=self._rulebook.version[:12] if self._rulebook is not None else None,
            )
            return problems
        country, _, subdivision = self._place.country.partition("-")
        self._rulebook, self._templates = rulebook, templates
        self._calendars = Calendars(country, subdivision, self._place.timezone, rulebook.overrides)
        _log.info("rules_loaded", version=rulebook.version[:12], cadences=len(rulebook.cadences))
        return problems

    def watch(self, on_change: Callable[[], None], stop: threading.Event) -> threading.Thread:
        """Has the files watched until `stop`; after a change the next `reload_if_changed` reads them, whatever their times."""

        def touched() -> None:
            self._touched.set()
            on_change()

        return watch_files((self._rules, *self._new_templates().library.folders[:1]), touched, stop)

    def reload_if_changed(self, told: Callable[[Sequence[Problem]], None]) -> bool:
        """Reads rules and templates again if one of their files changed: the whole set is taken, or nothing of it.

        `told` gets the errors of a set that is not taken, once for each different set of errors.
        """
        if not self._touched.is_set() and self._fingerprint() == self._seen:
            return False
        self._touched.clear()
        errors = tuple(problem for problem in self.load() if problem.severity == "error")
        if errors and errors != self._told:
            told(errors)
        self._told = errors
        return not errors

    def _fingerprint(self) -> tuple[tuple[str, int, int], ...]:
        files = rule_files(self._rules) if self._rules.is_dir() else []
        library = self._new_templates().library
        for folder in library.folders[:1]:
            files.extend(sorted(path for path in Path(folder).rglob("*") if path.is_file()))
        found = []
        for path in files:
            try:
                status = path.stat()
            except OSError:
                continue
            found.append((str(path), status.st_mtime_ns, status.st_size))
        return tuple(found)

    @property
    def refused(self) -> tuple[Problem, ...]:
        """Why the files as they are now are not in use; empty when they are."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def rulebook(self) -> Rulebook | None:
        """The last good set, or None when there never was one."""
        return self._rulebook

    @property
    def rules(self) -> Rulebook:
        assert self._rulebook is not None, "rules are loaded before anything is decided"
        return self._rulebook

    @property
    def calendars(self) -> Calendars:
        assert self._calendars is not None, "rules are loaded before anything is decided"
        return self._calendars

    def templates(self) -> Templates:
        assert self._templates is not None, "rules are loaded before anything is rendered"
        return self._templates

    def stage_name(self, stage: str, language: str) -> str:
        """What people call a stage, in the nearest language there is."""
        rule = self.rules.stages.get(stage)
        if rule is None:
            return stage
        for wanted in (language, language.partition("-")[0], "zh-Hans", "zh", "en"):
            if wanted in rule.name:
                return rule.name[wanted]
        return next(iter(rule.name.values()), stage)

    def stage_target(self, stage: str) -> tuple[int | None, int]:
        """Business days that a stage should take, and its buffer; None where the rules give none."""
        rule = self.rules.stages.get(stage)
        if rule is None or rule.target is None:
            return None, 0
        return rule.target.amount, rule.buffer.amount

    def steps_of(self, cadence: str) -> int:
        """How many mails a cadence has."""
        rule = self.rules.cadence(cadence)
        return sum(1 for step in rule.steps if step.send) if rule else 0

    def use_of(self, template: str) -> TemplateUse:
        """The first rule that sends this template; an empty one when none does."""
        for cadence in self.rules.cadences:
            for number, step in enumerate(cadence.steps, 1):
                if step.send == template:
                    return TemplateUse(cadence.name, number)
        for greeting in self.rules.greetings:
            if greeting.send == template:
                return TemplateUse(greeting.name, festival=greeting.festival)
        return TemplateUse()

    # --- decisions --------------------------------------------------------------------------------------------------

    def decide_project(self, session: Session, facts: FactsSource, project_id: int, now: datetime) -> Decision:
        """What the rules make of one project now; runs under way keep the version they began with.

        Of a project in which nothing is under way and nothing could begin no more than that is asked.
        """
        stands = standing(session, project_id)
        if stands is None or not (stands.under_way or may_start_any(self.rules, stands.stage, stands.waiting_on)):
            return Decision()
        project = facts.project(project_id)
        if project is None:
            return Decision()
        runs = facts.runs(project_id)
        open_runs = any(run.is_open for run in runs)
        rulebook = self.rules_of(session, (project_id,)) if open_runs else self.rules
        return decide(project, runs, rulebook, self.calendars, now)

    def rules_of(self, session: Session, project_ids: Sequence[int]) -> Rulebook:
        """The set in use, knowing the versions that the open runs of these projects began with."""
        rows = definitions(session, project_ids)
        known = {(key.cadence, version): text for key, (version, text) in rows.items()}
        return with_versions(self.rules, known) if known else self.rules

    def decide_planned(self, clients: Sequence[ClientFacts], reminders: ReminderFacts, now: datetime) -> Decision:
        """Greetings, reminders and summaries that are due now, and when to look again if nothing happens meanwhile."""
        staff = self._directory.staff
        decisions = [
            *(decide_greetings(client, self.rules, self.calendars, now, staff=staff) for client in clients),
            decide_reminders(reminders, self.rules, self.calendars, now),
            decide_summaries(clients, staff, self.rules, self.calendars, now),
        ]
        return Decision(
            tuple(effect for decision in decisions for effect in decision.effects),
            tuple(entry for decision in decisions for entry in decision.trace),
            min((decision.look_again_at for decision in decisions if decision.look_again_at), default=None),
        )

    def recheck(
        self, send: SendMail, client: ClientFacts, project: ProjectFacts | None, now: datetime
    ) -> Refusal | None:
        """Every stop condition and restraint once more, just before a mail leaves."""
        if send.purpose == "greeting":
            return recheck_greeting(send, client, now, self.rules, self.calendars)
        if project is None:
            return Refusal("project-closed", "the project is gone")
        return recheck(send, project, now, self.rules, self.calendars)
