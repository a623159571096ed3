"""The rules as they are after reading: frozen, complete with defaults, and found by name, version and stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Final, Literal

from assistant.calendar.overrides import Overrides
from assistant.model.cadence import Release, TraceEntry

Unit = Literal["business days", "business hours", "days", "weeks", "hours", "minutes"]
DAY_UNITS: Final[tuple[Unit, ...]] = ("business days", "days", "weeks")
DEFAULT_AT: Final = time(10, 0)


@dataclass(frozen=True, slots=True)
class Duration:
    """An amount of time as people say it. Day units land on a date, the others on a moment."""

    amount: int
    unit: Unit

    def __str__(self) -> str:
        unit = self.unit.removesuffix("s") if self.amount == 1 else self.unit
        return f"{self.amount} {unit}"

    @property
    def is_days(self) -> bool:
        return self.unit in DAY_UNITS

    def elapsed(self) -> timedelta:
        """The span on the clock. Only for units that do not depend on a calendar; business units are approximated."""
        match self.unit:
            case "minutes":
                return timedelta(minutes=self.amount)
            case "hours":
                return timedelta(hours=self.amount)
            case "business hours":
                return timedelta(hours=self.amount * 24 * 7 / 5 / 8)
            case "days":
                return timedelta(days=self.amount)
            case "weeks":
                return timedelta(weeks=self.amount)
            case "business days":
                return timedelta(days=self.amount * 7 / 5)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`>= 100000` and its like."""

    operator: str
    number: float

    def holds(self, value: float) -> bool:
        match self.operator:
            case ">=":
                return value >= self.number
            case "<=":
                return value <= self.number
            case ">":
                return value > self.number
            case "<":
                return value < self.number
        return value == self.number


@dataclass(frozen=True, slots=True)
class Match:
    """Which projects or clients a rule is for. Empty means any; several values of one key mean any of them."""

    stage: frozenset[str] = frozenset()
    waiting_on: frozenset[str] = frozenset()
    intent: frozenset[str] = frozenset()
    client: frozenset[str] = frozenset()
    tag: frozenset[str] = frozenset()
    country: frozenset[str] = frozenset()
    language: frozenset[str] = frozenset()
    owner: frozenset[str] = frozenset()
    relationship: frozenset[str] = frozenset()
    value: tuple[Comparison, ...] = ()

    @property
    def is_empty(self) -> bool:
        return self == Match()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do some time after the anchor: exactly one of `send` and `task` is set."""

    after: Duration
    at: time | None = None
    send: str = ""
    task: str = ""
    to: str = "owner"
    cc: tuple[str, ...] = ()
    release: Release = field(default_factory=Release)
    days: Literal["both", "client"] = "both"


@dataclass(frozen=True, slots=True)
class Cadence:
    """Steps that follow a message nobody answered (or a silence), until something ends the waiting."""

    name: str
    steps: tuple[Step, ...]
    when: Match = field(default_factory=Match)
    unless: Match = field(default_factory=Match)
    why: str = ""
    anchor: Literal["waited", "last-contact"] = "waited"
    ignore: frozenset[str] = frozenset()
    apply: Literal["new", "running"] = "new"
    importance: int = 50
    cap: int = 3
    version: str = ""
    definition: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Greeting:
    name: str
    festival: str
    send: str
    when: Match = field(default_factory=Match)
    unless: Match = field(default_factory=Match)
    why: str = ""
    days_before: int = 0
    at: time = time(9, 30)
    cc: tuple[str, ...] = ()
    release: Release = field(default_factory=Release)
    on_holiday: bool = False
    importance: int = 75
    version: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Reminder:
    """What staff are reminded of. Which of the durations count depends on `about`."""

    name: str
    about: str
    when: Match = field(default_factory=Match)
    unless: Match = field(default_factory=Match)
    why: str = ""
    promise: Duration = field(default_factory=lambda: Duration(8, "business hours"))
    before: Duration = field(default_factory=lambda: Duration(2, "business hours"))
    escalate_after: Duration | None = None
    escalate_to: str = ""
    after: Duration = field(default_factory=lambda: Duration(4, "weeks"))
    days_before: int = 1
    to: str = "owner"
    urgent: bool = False
    at: time = time(8, 30)
    version: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    name: str
    weekday: int = 4
    at: time = time(17, 0)
    to: tuple[str, ...] = ("owner",)
    when_empty: Literal["skip", "short"] = "short"
    when: Match = field(default_factory=Match)
    unless: Match = field(default_factory=Match)
    why: str = ""
    version: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class StageRule:
    """What people call a stage, who is responsible, how long it may take, and what belongs to it."""

    id: str
    name: Mapping[str, str]
    responsible: tuple[str, ...] = ()
    target: Duration | None = None
    buffer: Duration = field(default_factory=lambda: Duration(0, "business days"))
    sign_off: str = ""
    checklist: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    documents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Restraint:
    """What holds over all rules."""

    per_contact: Duration = field(default_factory=lambda: Duration(2, "business days"))
    quiet_from: time = time(20, 0)
    quiet_until: time = time(8, 30)
    late: Duration = field(default_factory=lambda: Duration(2, "business days"))
    absence: Duration = field(default_factory=lambda: Duration(5, "business days"))
    after_lost_pitch: Duration = field(default_factory=lambda: Duration(60, "days"))

    def is_quiet(self, at: time) -> bool:
        if self.quiet_from == self.quiet_until:
            return False
        if self.quiet_from < self.quiet_until:
            return self.quiet_from <= at < self.quiet_until
        return at >= self.quiet_from or at < self.quiet_until


@dataclass(frozen=True)
class Rulebook:
    """All rules of a folder at one moment. `versions` keeps the text of versions that runs may still be on."""

    cadences: tuple[Cadence, ...] = ()
    greetings: tuple[Greeting, ...] = ()
    reminders: tuple[Reminder, ...] = ()
    summaries: tuple[Summary, ...] = ()
    stages: Mapping[str, StageRule] = field(default_factory=dict)
    restraint: Restraint = field(default_factory=Restraint)
    overrides: Overrides = field(default_factory=Overrides)
    version: str = ""
    versions: Mapping[tuple[str, str], Cadence] = field(default_factory=dict)
    by_name: Mapping[str, Cadence] = field(default_factory=dict)
    by_stage: Mapping[str, tuple[Cadence, ...]] = field(default_factory=dict)
    misses: Mapping[str, tuple[TraceEntry, ...]] = field(default_factory=dict)
    """Stage → what to say of the cadences that are for other stages."""

    def cadence(self, name: str) -> Cadence | None:
        return self.by_name.get(name)

    def for_run(self, name: str, version: str) -> Cadence | None:
        """The definition that a run of this name and version is on; None when the cadence was removed.

        The version it began with, unless the present one says `apply = "running"` or the old text is not known.
        """
        present = self.by_name.get(name)
        if present is None or present.version == version or present.apply == "running":
            return present
        return self.versions.get((name, version), present)

    def importance(self, rule: str) -> int:
        """Of a cadence or greeting by name; 50 for a rule that is no longer there."""
        found = self.by_name.get(rule)
        if found is not None:
            return found.importance
        return next((greeting.importance for greeting in self.greetings if greeting.name == rule), 50)
