"""From what was read to the rules themselves. Called only with tables that have no errors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Any

from assistant.cadence.rules import Cadence, Greeting, Match, Reminder, Restraint, StageRule, Step, Summary
from assistant.calendar.overrides import CalendarRule


def canonical(table: Mapping[str, Any]) -> str:
    """A table as one text that is the same for the same content, whatever the order, spacing and comments."""
    kept = {key: value for key, value in table.items() if key != "why"}
    return json.dumps(kept, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain)


def version_of(table: Mapping[str, Any]) -> str:
    """12 hexadecimal digits that change when the rule means something else."""
    return hashlib.sha256(canonical(table).encode()).hexdigest()[:12]


def _plain(value: Any) -> str:
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a rule file cannot hold {type(value).__name__}")


def build_match(read: Mapping[str, Any]) -> Match:
    sets = {key: frozenset(values) for key, values in read.items() if key != "value"}
    return Match(**sets, value=tuple(read.get("value", ())))


def build_step(read: Mapping[str, Any]) -> Step:
    return Step(**read)


def _matches(read: Mapping[str, Any]) -> dict[str, Any]:
    return {key: build_match(read[key]) for key in ("when", "unless") if key in read}


def _rest(read: Mapping[str, Any], *without: str) -> dict[str, Any]:
    return {key: value for key, value in read.items() if key not in ("when", "unless", *without)}


def build_cadence(read: Mapping[str, Any], raw: Mapping[str, Any], file: str) -> Cadence:
    return Cadence(
        **_rest(read, "step", "ignore", "stop", "pause"),
        **_matches(read),
        steps=tuple(build_step(step) for step in read["step"]),
        ignore=frozenset(read.get("ignore", ())),
        version=version_of(raw),
        definition=canonical(raw),
        file=file,
    )


def build_greeting(read: Mapping[str, Any], raw: Mapping[str, Any], file: str) -> Greeting:
    return Greeting(**_rest(read), **_matches(read), version=version_of(raw), file=file)


def build_reminder(read: Mapping[str, Any], raw: Mapping[str, Any], file: str) -> Reminder:
    return Reminder(**_rest(read), **_matches(read), version=version_of(raw), file=file)


def build_summary(read: Mapping[str, Any], raw: Mapping[str, Any], file: str) -> Summary:
    return Summary(**_rest(read), **_matches(read), version=version_of(raw), file=file)


def build_stage(read: Mapping[str, Any]) -> StageRule:
    return StageRule(**{**read, "responsible": tuple(read.get("responsible", ()))})


def build_restraint(read: Mapping[str, Any]) -> Restraint:
    quiet = read.get("quiet_hours")
    rest = {key: value for key, value in read.items() if key != "quiet_hours"}
    if quiet is None:
        return Restraint(**rest)
    return Restraint(**rest, quiet_from=quiet[0], quiet_until=quiet[1])


def build_calendar(read: Mapping[str, Any]) -> CalendarRule:
    opens, closes = read.get("hours", (None, None))
    return CalendarRule(
        country=read.get("country", ""),
        client=read.get("client", ""),
        agency=read.get("agency", False),
        off=_union(read.get("off", ())),
        on=_union(read.get("on", ())),
        years=frozenset(read.get("years", ())),
        opens=opens,
        closes=closes,
        lunch=read.get("lunch"),
        why=read.get("why", ""),
    )


def _union(parts: Iterable[frozenset[date]]) -> frozenset[date]:
    return frozenset().union(*parts)
