"""What would be sent to whom when, if nobody answered and every approval were given; and what an edit changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from assistant.cadence.matching import contact_of, zone_of
from assistant.cadence.rules import Rulebook
from assistant.cadence.world import Outcome, World
from assistant.calendar.business import Calendars
from assistant.model.cadence import FactsSource

SHOWN = ("send", "task", "ask")


@dataclass(frozen=True, slots=True)
class Planned:
    """One line of a preview: at `local` (the client's wall time in `zone`) this goes to that person."""

    at: datetime
    local: str
    zone: str
    kind: str
    what: str
    rule: str
    step: int
    client: str
    project: str
    to: str
    release: str

    @property
    def identity(self) -> tuple[str, str, str, str, int, str]:
        return self.kind, self.client, self.project, self.rule, self.step, self.to

    def as_json(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat(),
            "local": self.local,
            "zone": self.zone,
            "kind": self.kind,
            "what": self.what,
            "rule": self.rule,
            "step": self.step,
            "client": self.client,
            "project": self.project,
            "to": self.to,
            "release": self.release,
        }


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit does to one line: it comes, goes, or differs (`before` and `after` are both set)."""

    kind: Literal["added", "removed", "changed"]
    before: Planned | None
    after: Planned | None


def world_of(source: FactsSource, rulebook: Rulebook, calendars: Calendars, now: datetime) -> World:
    """A world in the state of the database."""
    projects = {project.project_id: project for project in source.projects()}
    clients = {client.client_id: client for client in source.clients()}
    for project in projects.values():
        clients.setdefault(project.client.client_id, project.client)
    staff = next((project.staff for project in projects.values() if project.staff), ())
    world = World(rulebook, calendars, now, clients, projects, staff, assume_approved=True)
    world.versions.update(rulebook.versions)
    for project_id in projects:
        world.runs.update({run.key: run for run in source.runs(project_id)})
    return world


def preview(
    source: FactsSource, rulebook: Rulebook, calendars: Calendars, now: datetime, days: int = 14
) -> list[Planned]:
    """Everything due in the next `days` days, in the order of time."""
    world = world_of(source, rulebook, calendars, now)
    world.tick(now)
    world.advance(now + timedelta(days=days))
    return planned_of(world)


def planned_of(world: World) -> list[Planned]:
    return [_planned(world, outcome) for outcome in sorted(world.log, key=_when) if outcome.kind in SHOWN]


def _when(outcome: Outcome) -> tuple[datetime, str]:
    return outcome.at, outcome.key


def _planned(world: World, outcome: Outcome) -> Planned:
    project = world.projects.get(outcome.project_id) if outcome.project_id is not None else None
    client_id = project.client.client_id if project is not None else outcome.client_id
    client = world.clients.get(client_id) if client_id is not None else None
    zone = world.calendars.agency_timezone
    if client is not None:
        contact = contact_of(client, outcome.contact_id) if outcome.contact_id is not None else None
        zone = zone_of(client, contact)
    from assistant.calendar.localtime import zone as zone_info

    return Planned(
        at=outcome.at,
        local=f"{outcome.at.astimezone(zone_info(zone)):%Y-%m-%d %H:%M}",
        zone=zone,
        kind=outcome.kind,
        what=outcome.what,
        rule=outcome.rule,
        step=outcome.step,
        client=client.name if client is not None else "",
        project=project.name if project is not None else "",
        to=outcome.to,
        release=outcome.release,
    )


def compare(before: list[Planned], after: list[Planned]) -> list[Change]:
    """What is different in the second preview."""
    first = {line.identity: line for line in before}
    second = {line.identity: line for line in after}
    changes: list[Change] = []
    for identity in {**first, **second}:
        old, new = first.get(identity), second.get(identity)
        if old is None:
            changes.append(Change("added", None, new))
        elif new is None:
            changes.append(Change("removed", old, None))
        elif (old.at, old.what, old.release) != (new.at, new.what, new.release):
            changes.append(Change("changed", old, new))
    return sorted(changes, key=lambda change: (change.after or change.before).at)  # type: ignore[union-attr]  # one of the two is set
