"""What is different between two sets of rules, rule by rule and key by key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import time
from typing import Any, Final, Literal

from assistant.cadence.rules import Cadence, Comparison, Match, Rulebook, Step

_HIDDEN: Final = ("version", "definition", "file")


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One difference. For `changed`, `key` names what, with its old and new meaning as text."""

    kind: Literal["added", "removed", "changed"]
    what: str
    name: str
    key: str = ""
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        if self.kind != "changed":
            return f"{'+' if self.kind == 'added' else '-'} {self.what} {self.name}"
        return f"~ {self.what} {self.name}: {self.key}: {self.before or 'nothing'} → {self.after or 'nothing'}"


def compare_rulebooks(before: Rulebook, after: Rulebook) -> list[RuleChange]:
    """All differences, in the order of kinds and names; nothing for rules that mean the same."""
    changes: list[RuleChange] = []
    for what, first, second in (
        ("cadence", before.cadences, after.cadences),
        ("greeting", before.greetings, after.greetings),
        ("reminder", before.reminders, after.reminders),
        ("summary", before.summaries, after.summaries),
    ):
        changes += _compare_named(what, first, second, "name")
    changes += _compare_named("stage", before.stages.values(), after.stages.values(), "id")
    changes += _fields("restraint", "", before.restraint, after.restraint)
    if before.overrides != after.overrides:
        old, new = len(before.overrides.rules), len(after.overrides.rules)
        changes.append(RuleChange("changed", "calendar", "", "rules", str(old), str(new)))
    return changes


def _compare_named(what: str, before: Iterable[Any], after: Iterable[Any], key: str) -> Iterator[RuleChange]:
    first = {getattr(rule, key): rule for rule in before}
    second = {getattr(rule, key): rule for rule in after}
    for name in sorted({**first, **second}):
        if name not in second:
            yield RuleChange("removed", what, name)
        elif name not in first:
            yield RuleChange("added", what, name)
        else:
            yield from _fields(what, name, first[name], second[name])


def _fields(what: str, name: str, before: Any, after: Any) -> Iterator[RuleChange]:
    for one in fields(before):
        if one.name in _HIDDEN or getattr(before, one.name) == getattr(after, one.name):
            continue
        if isinstance(before, Cadence) and one.name == "steps":
            yield from _steps(what, name, before.steps, after.steps)
            continue
        old, new = _shown(getattr(before, one.name)), _shown(getattr(after, one.name))
        yield RuleChange("changed", what, name, one.name, old, new)


def _steps(what: str, name: str, before: tuple[Step, ...], after: tuple[Step, ...]) -> Iterator[RuleChange]:
    for number in range(max(len(before), len(after))):
        if number >= len(after):
            yield RuleChange("changed", what, name, f"step {number + 1}", _shown(before[number]), "")
        elif number >= len(before):
            yield RuleChange("changed", what, name, f"step {number + 1}", "", _shown(after[number]))
        else:
            for change in _fields(what, name, before[number], after[number]):
                key = f"step {number + 1} {change.key}"
                yield RuleChange("changed", what, name, key, change.before, change.after)


def _shown(value: Any) -> str:
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, Comparison):
        return f"{value.operator} {value.number:g}"
    if isinstance(value, Match):
        keys = (f"{one.name} {_shown(getattr(value, one.name))}" for one in fields(value) if getattr(value, one.name))
        return ", ".join(keys)
    if isinstance(value, Step):
        return f"{value.after}: {value.send or value.task}"
    if isinstance(value, (frozenset, tuple)):
        return ", ".join(sorted(_shown(item) for item in value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(item)}" for key, item in sorted(value.items()))
    return str(value) if value is not None else ""
