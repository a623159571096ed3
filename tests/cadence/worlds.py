"""Facts and rules for the tests of the cadence, written briefly."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.cadence.check import read_file
from assistant.cadence.load import assemble
from assistant.cadence.rules import Restraint, Rulebook
from assistant.calendar import Calendars
from assistant.errors import Problem
from assistant.model.cadence import (
    CadenceRun,
    ClientFacts,
    ContactFacts,
    Decision,
    Effect,
    MoveStep,
    PauseRun,
    ProjectFacts,
    StaffFacts,
    StartRun,
    StopRun,
    WaitedMessage,
)

RULES = Path(__file__).parents[2] / "rules"
TEMPLATES = Path(__file__).parents[2] / "templates"
CALENDARS = Calendars()
OWNER = StaffFacts("lilei@agency.example", "李雷", ("account",))
MANAGER = StaffFacts("mei@agency.example", "梅", ("project", "director"))
CONTACT = ContactFacts(1, "王芳", "wang@client.example")
CLIENT = ClientFacts(1, "云杉茶业", owner=OWNER, contacts=(CONTACT,))
NUDGES = """
schema = 1
[[cadence]]
name = "nudges"
when = { stage = "proposal", waiting_on = "client" }
  [[cadence.step]]
  after = "3 business days"
  send  = "followups/proposal-nudge-1"
  [[cadence.step]]
  after = "7 business days"
  send  = "followups/proposal-nudge-2"
  [[cadence.step]]
  after = "10 business days"
  task  = "Call {{ contact.name }} about {{ project.name }}"
"""


class KnownTemplates:
    """Template names without files: for rules whose mails are not rendered."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)

    def exists(self, name: str) -> bool:
        return name in self._names

    def names(self) -> tuple[str, ...]:
        return self._names

    def check(self) -> list[Problem]:
        return []


STAGES = ("discovery", "proposal", "agreement", "execution", "closing")
SHIPPED = KnownTemplates(
    [f"followups/{stage}-nudge-{number}" for stage in STAGES for number in (1, 2)]
    + ["followups/relationship-checkin"]
    + [f"greetings/{name}" for name in ("christmas", "mid-autumn", "spring-festival", "thanksgiving")]
)


def at(text: str) -> datetime:
    """`2026-03-09 10:00` in Shanghai, as a moment."""
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


def rules(text: str = NUDGES) -> Rulebook:
    """A rulebook from text that has no errors."""
    report, read = read_file(text, "rules/test.toml", None)
    assert not report.has_errors, report.problems()
    return assemble([(report, read)], _restraint(read))


def _restraint(read: dict[str, Any]) -> Restraint:
    from assistant.cadence.build import build_restraint

    return build_restraint(read["restraint"]) if "restraint" in read else Restraint()


def waited(sent: str = "2026-03-09 10:00", record_id: int = 7, **more: Any) -> WaitedMessage:
    return WaitedMessage(record_id, f"{record_id}@agency.example", 3, "方案", at(sent), 1, **more)


def project(**more: Any) -> ProjectFacts:
    """A proposal that waits for 王芳 since Monday, 9 March 2026, ten o'clock."""
    facts = ProjectFacts(
        project_id=5,
        name="新品发布",
        client=CLIENT,
        stage="proposal",
        stage_since=at("2026-03-02 10:00"),
        waiting_on="client",
        waited=waited(),
        owner=OWNER,
        staff=(OWNER, MANAGER),
    )
    return replace(facts, **more)


def with_contact(facts: ProjectFacts, **more: Any) -> ProjectFacts:
    contact = replace(CONTACT, **more)
    return replace(facts, client=replace(facts.client, contacts=(contact,)))


def run_after(decision: Decision, run: CadenceRun | None = None) -> CadenceRun:
    """The one run as it is stored after a decision."""
    for effect in decision.effects:
        run = _after(effect, run)
    assert run is not None, "no run was started"
    return run


def _after(effect: Effect, run: CadenceRun | None) -> CadenceRun | None:
    if isinstance(effect, StartRun):
        return effect.run
    if run is None:
        return None
    if isinstance(effect, MoveStep):
        return replace(
            run,
            status="active",
            step_index=effect.step_index,
            due_at=effect.due_at,
            sent_count=effect.sent_count,
            version=effect.version,
            delayed_business_days=effect.delayed_business_days,
        )
    if isinstance(effect, PauseRun):
        return replace(
            run, status="paused", reason=effect.reason, paused_until=effect.paused_until, due_at=effect.due_at
        )
    if isinstance(effect, StopRun):
        return replace(run, status="stopped", reason=effect.reason)
    return run


def kinds(decision: Decision) -> list[str]:
    return [type(effect).__name__ for effect in decision.effects]


def parsed(text: str) -> dict[str, Any]:
    return tomllib.loads(text)
