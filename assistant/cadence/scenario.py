"""One test of a test file, made into a world and played through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, cast

from assistant.cadence.check import read_file
from assistant.cadence.load import assemble, make_rulebook
from assistant.cadence.rules import Rulebook
from assistant.cadence.timing import add_days
from assistant.cadence.values import Fault, read_duration, read_time
from assistant.cadence.world import Outcome, World
from assistant.calendar.business import Calendars
from assistant.calendar.localtime import local_date, local_moment, local_time
from assistant.model.cadence import (
    ClientFacts,
    ContactFacts,
    Happening,
    HappeningKind,
    OptOutScope,
    ProjectFacts,
    StaffFacts,
)
from assistant.model.process import STAGES, Stage

ZONES: Final = {
    "CN": "Asia/Shanghai",
    "HK": "Asia/Hong_Kong",
    "MO": "Asia/Macau",
    "TW": "Asia/Taipei",
    "SG": "Asia/Singapore",
    "MY": "Asia/Kuala_Lumpur",
    "JP": "Asia/Tokyo",
    "KR": "Asia/Seoul",
    "US": "America/New_York",
    "CA": "America/Toronto",
    "GB": "Europe/London",
    "DE": "Europe/Berlin",
    "FR": "Europe/Paris",
    "AU": "Australia/Sydney",
}
"""The usual zone of a country in tests that name none."""

OWNER: Final = StaffFacts("owner@agency.example", "Owner", ("account", "project", "strategy", "creative", "finance"))
DIRECTOR: Final = StaffFacts("director@agency.example", "Director", ("director",))
RELATIONSHIP_STAGES: Final[dict[str, tuple[Stage, ...]]] = {
    "prospect": ("discovery",),
    "active": ("execution",),
    "past": ("relationship",),
}
CLIENT_ID: Final = 1


@dataclass
class Scenario:
    """The world of one test, with the names that its file uses."""

    world: World
    start: datetime
    zone: str
    template: ProjectFacts
    given: list[Mapping[str, Any]]
    projects: dict[str, int] = field(default_factory=dict)
    contacts: dict[str, int] = field(default_factory=lambda: {"contact": 1})
    threads: dict[str, int] = field(default_factory=dict)
    records: int = 0

    # ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def project_name(self, project_id: int | None) -> str:
        return next((name for name, known in self.projects.items() if known == project_id), "")

    def contact_name(self, contact_id: int | None) -> str:
        return next((name for name, known in self.contacts.items() if known == contact_id), "")

    def moment(self, written: str | datetime | date) -> datetime:
        """A moment of the file in UTC: from the start, in the client's zone, or as it stands."""
        if isinstance(written, datetime):
            if written.tzinfo is not None:
                return written.astimezone(UTC)
            return local_moment(written.date(), written.time(), self.zone)
        if isinstance(written, date):
            return local_moment(written, time(0, 0), self.zone)
        words = written.split()
        at = read_time(words.pop()) if len(words) > 1 and ":" in words[-1] else None
        try:
            after = read_duration(" ".join(words))
        except Fault:
            return self.moment(datetime.fromisoformat(written))
        if not after.is_days:
            return self.start + after.elapsed()
        table = self.world.calendars.country(self.template.client.country, self.template.client.subdivision)
        day = (
            add_days(table, local_date(self.start, self.zone), after)
            if after.amount
            else local_date(self.start, self.zone)
        )
        return local_moment(day, at or local_time(self.start, self.zone), self.zone)

    # ── The play ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def play(self, until: datetime) -> list[Outcome]:
        """Everything that came of the rules up to `until`, in the order of time."""
        world = self.world
        items = sorted(
            ((self.moment(item["at"]), number, item) for number, item in enumerate(self.given)), key=lambda x: x[:2]
        )
        down_until = self.start
        for at, _, item in items:
            if at > until:
                break
            if at >= down_until:
                world.advance(at - timedelta(seconds=1))
            self._do(item, at)
            if "down" in item:
                down_until = max(down_until, at + item["down"].elapsed())
                world.now = max(world.now, down_until)
            if at >= down_until and not self._same_moment_follows(items, at, item):
                world.tick(at)
        if down_until > world.now - timedelta(seconds=1) and down_until > self.start:
            world.tick(down_until)
        if not items:
            world.tick(self.start)
        world.advance(until)
        return sorted(world.log, key=lambda outcome: outcome.at)

    @staticmethod
    def _same_moment_follows(
        items: list[tuple[datetime, int, Mapping[str, Any]]], at: datetime, item: Mapping[str, Any]
    ) -> bool:
        """Several things at one moment are read in one pass."""
        return any(other[0] == at and other[2] is not item and other[1] > _number(items, item) for other in items)

    def _do(self, item: Mapping[str, Any], at: datetime) -> None:
        world = self.world
        if "clock" in item:
            sign = -1 if item["clock"].startswith("-") else 1
            world.skew += sign * read_duration(item["clock"].lstrip("+-")).elapsed()
        if "edit" in item or "remove" in item:
            world.edit(edited(world.rulebook, item.get("edit", ""), item.get("remove", "")))
        for key, kind in _KINDS.items():
            if key in item and item[key] is not False:
                self._happen(item, kind, at)
        if "paused" in item:
            self._happen(item, "project-paused" if item["paused"] else "project-resumed", at)

    def _happen(self, item: Mapping[str, Any], kind: HappeningKind, at: datetime) -> None:
        project_id = self._project(item.get("project", "project"), at)
        self.records += 1
        thread = self.threads.setdefault(item.get("thread", item.get("project", "project")), len(self.threads) + 1)
        waiting_on = item.get("waiting_on")
        stage: Stage | None = item.get("stage")
        if kind == "sent" and item.get("sent") in STAGES:
            stage = cast("Stage", item["sent"])
        if "staff_wrote" in item:
            waiting_on = waiting_on or "nobody"
        absence = item.get("absence")
        who = item.get("to" if kind == "sent" else "by", "contact")
        self.world.happen(
            Happening(
                at=at,
                kind=kind,
                project_id=project_id,
                record_id=self.records,
                message_id=f"{self.records}@test.example",
                thread_id=thread,
                contact_id=self._contact(who),
                staff=OWNER.address,
                subject=item.get("subject", str(item.get("received", item.get("sent", "")))),
                stage=stage,
                waiting_on=waiting_on,
                intents=item.get("intent", ()),
                until=absence if isinstance(absence, date) else None,
                scope=cast("OptOutScope | None", item.get("opt_out")),
            )
        )
        if item.get("old"):
            self._mark_old(project_id)

    def _mark_old(self, project_id: int) -> None:
        project = self.world.projects[project_id]
        if project.waited is not None:
            waited = replace(project.waited, may_start=False)
            self.world.projects[project_id] = replace(project, waited=waited)

    def _project(self, name: str, at: datetime) -> int:
        if name not in self.projects:
            number = len(self.projects) + 1
            self.projects[name] = number
            self.world.projects[number] = replace(
                self.template, project_id=number, name=name, stage_since=min(at, self.start)
            )
        return self.projects[name]

    def _contact(self, name: str) -> int:
        if name not in self.contacts:
            number = len(self.contacts) + 1
            self.contacts[name] = number
            client = self.world.clients[CLIENT_ID]
            contact = ContactFacts(number, name, f"person{number}@client.example")
            self.world.clients[CLIENT_ID] = replace(client, contacts=(*client.contacts, contact))
        return self.contacts[name]


_KINDS: Final[dict[str, HappeningKind]] = {
    "stage": "stage",
    "sent": "sent",
    "staff_wrote": "sent",
    "received": "received",
    "absence": "absence",
    "bounce": "bounce",
    "complaint": "complaint",
    "resolved": "complaint-resolved",
    "meeting": "meeting",
    "opt_out": "opt-out",
    "hand_over": "hand-over",
}


def _number(items: list[tuple[datetime, int, Mapping[str, Any]]], item: Mapping[str, Any]) -> int:
    return next(number for _, number, known in items if known is item)


def edited(rulebook: Rulebook, text: str, remove: str) -> Rulebook:
    """The rulebook after an edit: rules of the same name are replaced, others added, one removed."""
    changed = rulebook
    if text:
        report, read = read_file(
            text if "schema" in text.split("[", maxsplit=1)[0] else f"schema = 1\n{text}", "edit", None
        )
        fresh = assemble([(report, read)], rulebook.restraint)
        names = {rule.name for rule in fresh.cadences} | {rule.name for rule in fresh.greetings}
        changed = replace(
            changed,
            cadences=tuple(rule for rule in changed.cadences if rule.name not in names) + fresh.cadences,
            greetings=tuple(rule for rule in changed.greetings if rule.name not in names) + fresh.greetings,
        )
    if remove:
        changed = replace(
            changed,
            cadences=tuple(rule for rule in changed.cadences if rule.name != remove),
            greetings=tuple(rule for rule in changed.greetings if rule.name != remove),
        )
    return make_rulebook(changed)


def build_scenario(test: Mapping[str, Any], rulebook: Rulebook, *, reminders: bool = False) -> Scenario:
    """The world at the start of a test that was read without errors."""
    about = test.get("client", {})
    agency = test.get("agency", {})
    country = about.get("country", "CN")
    zone = about.get("timezone") or ZONES.get(country, "UTC")
    contact = ContactFacts(
        1,
        "Contact",
        "person1@client.example",
        birthday=about.get("birthday"),
        cooperation_since=about.get("cooperation_since"),
    )
    language = about.get("language", "zh-Hans" if country == "CN" else "en")
    client = ClientFacts(
        client_id=CLIENT_ID,
        name=about.get("name", "Client"),
        country=country,
        subdivision=about.get("subdivision", ""),
        timezone=zone,
        language=language,
        tags=tuple(about.get("tags", ())),
        owner=OWNER,
        contacts=(contact,),
        closing_days=tuple(sorted(day for days in about.get("closing_days", ()) for day in days)),
        stages=RELATIONSHIP_STAGES.get(about.get("relationship", ""), ()),
        lost_pitch_on=about.get("lost_pitch"),
    )
    start = test["start"].astimezone(UTC)
    setting = test.get("project", {})
    template = ProjectFacts(
        project_id=0,
        name="project",
        client=client,
        stage=setting.get("stage", "proposal"),
        stage_since=start,
        owner=OWNER,
        staff=(OWNER, DIRECTOR),
        tags=tuple(setting.get("tags", ())),
        value=setting.get("value"),
    )
    agency_country = agency.get("country", "CN")
    agency_zone = agency.get("timezone") or ZONES.get(agency_country, "UTC")
    calendars = Calendars(agency_country, agency.get("subdivision", ""), agency_zone, rulebook.overrides)
    world = World(rulebook, calendars, start, {CLIENT_ID: client}, {}, (OWNER, DIRECTOR), reminders=reminders)
    return Scenario(world, start, zone, template, list(test.get("given", ())))
