"""Runs the rules over what has happened: what would have been sent, and which answers would have stopped it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from assistant.cadence.preview import Planned, planned_of
from assistant.cadence.rules import Rulebook
from assistant.cadence.world import World
from assistant.calendar.business import Calendars
from assistant.model.cadence import ClientFacts, FactsSource, Happening, ProjectFacts


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would have left, what would have been stopped and why, and how often each reason occurred."""

    sent: tuple[Planned, ...]
    stopped: tuple[tuple[datetime, str, str, str], ...]
    """(when, rule, project, reason)."""
    happenings: int

    def reasons(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for _, _, _, reason in self.stopped:
            counts[reason] = counts.get(reason, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def rehearse(
    source: FactsSource, rulebook: Rulebook, calendars: Calendars, since: datetime, until: datetime
) -> Rehearsal:
    """Plays the history of [since, until) through the rules. Automatic mail that really left is not counted."""
    happenings = sorted(source.history(since, until), key=lambda item: (item.at, item.record_id or 0))
    world = _empty_world(source, rulebook, calendars, since, happenings)
    world.tick(since)
    for item in happenings:
        if item.kind == "automatic":
            continue
        world.advance(item.at - timedelta(seconds=1))
        world.happen(item)
        world.tick(max(item.at, world.now))
    world.advance(until)
    stopped = tuple(
        (one.at, one.rule, world.projects[one.project_id].name, one.reason)
        for one in sorted(world.log, key=lambda one: one.at)
        if one.kind == "stop" and one.project_id in world.projects
    )
    return Rehearsal(tuple(planned_of(world)), stopped, len(happenings))


def _empty_world(
    source: FactsSource, rulebook: Rulebook, calendars: Calendars, since: datetime, happenings: Iterable[Happening]
) -> World:
    """Clients and projects as they are called, but with nothing having happened yet."""
    clients: dict[int, ClientFacts] = {client.client_id: _fresh(client) for client in source.clients()}
    projects: dict[int, ProjectFacts] = {}
    for item in happenings:
        if item.project_id in projects:
            continue
        project = source.project(item.project_id)
        if project is None:
            continue
        client = clients.setdefault(project.client.client_id, _fresh(project.client))
        projects[item.project_id] = ProjectFacts(
            project_id=project.project_id,
            name=project.name,
            client=client,
            stage=item.stage or project.stage,
            stage_since=min(since, item.at),
            owner=project.owner,
            staff=project.staff,
            tags=project.tags,
            value=project.value,
        )
    staff = next((project.staff for project in projects.values() if project.staff), ())
    return World(rulebook, calendars, since, clients, projects, staff, assume_approved=True)


def _fresh(client: ClientFacts) -> ClientFacts:
    contacts = tuple(
        replace(contact, absence=None, bouncing=False, opt_outs=(), sent=(), planned=()) for contact in client.contacts
    )
    return replace(client, contacts=contacts, open_complaint=False, muted=False)
