"""Roles that rules name and that nobody in the configuration has: tasks and reminders then go to the owner, unnoticed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from assistant.cadence.positions import Path
from assistant.cadence.reading import Report
from assistant.cadence.values import did_you_mean

_NAMING: Final[Mapping[str, tuple[str, ...]]] = {
    "cadence": ("cc",),
    "step": ("to", "cc"),
    "greeting": ("cc",),
    "reminder": ("to", "escalate_to"),
    "summary": ("to",),
    "stage": ("responsible",),
}
"""Table → keys whose values are `owner`, a role or an address."""


def check_roles(reports: Sequence[Report], roles: Collection[str]) -> None:
    """One warning for each role that nobody has, where it is named first."""
    told: set[str] = set()
    for report in reports:
        for path, role in _named(report.data, ()):
            if role != "owner" and "@" not in role and role not in roles and role not in told:
                told.add(role)
                instead = "The owner or the operator is told instead" if path[-1] != "cc" else "Nobody gets the copy"
                hint = f"{instead}; give it to somebody in [[staff]]. {did_you_mean(role, sorted(roles))}"
                report.warn(path, "R060", f'nobody has the role "{role}"', hint.strip())


def _named(table: Mapping[str, Any], path: Path, kind: str = "") -> Iterator[tuple[Path, str]]:
    for key, value in table.items():
        if key in _NAMING.get(kind, ()):
            for name in value if isinstance(value, list) else [value]:
                if isinstance(name, str):
                    yield (*path, key), name
        elif key in _NAMING and isinstance(value, list):
            for number, item in enumerate(value):
                if isinstance(item, Mapping):
                    yield from _named(item, (*path, key, number), key)
