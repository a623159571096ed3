"""Whatever happens in whatever order: nothing twice, nothing after an answer, nothing at night or in the holidays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from assistant.cadence.load import require_rulebook
from assistant.cadence.world import Outcome, World
from assistant.calendar import Calendars
from assistant.calendar.business import business_days_between
from assistant.calendar.localtime import local_date, local_time
from assistant.model.cadence import ClientFacts, ContactFacts, Happening, ProjectFacts
from assistant.model.process import Stage
from tests.cadence.worlds import OWNER, RULES

RULEBOOK = require_rulebook(RULES)
START = datetime(2026, 1, 26, 2, 0, tzinfo=UTC)
COUNTRIES = {"CN": "Asia/Shanghai", "US": "America/New_York", "GB": "Europe/London", "HK": "Asia/Hong_Kong"}
KINDS = st.sampled_from(
    ["sent", "sent", "sent", "received", "absence", "bounce", "meeting", "stage", "complaint", "complaint-resolved",
     "opt-out", "project-paused", "project-resumed"]
)  # fmt: skip
HAPPENINGS = st.lists(
    st.tuples(st.integers(0, 60 * 24), KINDS, st.integers(1, 2), st.integers(1, 2), st.integers(0, 20)),
    min_size=1,
    max_size=12,
).map(sorted)
STAGES: tuple[Stage, ...] = ("discovery", "proposal", "agreement", "execution", "closing")


def new_world(country: str) -> World:
    contacts = tuple(ContactFacts(number, f"C{number}", f"c{number}@client.example") for number in (1, 2))
    client = ClientFacts(1, "Client", country, timezone=COUNTRIES[country], owner=OWNER, contacts=contacts)
    base = ProjectFacts(1, "A", client, "proposal", START - timedelta(days=9), owner=OWNER, staff=(OWNER,))
    projects = {1: base, 2: replace(base, project_id=2, name="B")}
    calendars = Calendars("CN", overrides=RULEBOOK.overrides)
    return World(RULEBOOK, calendars, START, {1: client}, projects, (OWNER,))


def happening(item: tuple[int, str, int, int, int], number: int) -> Happening:
    hours, kind, project_id, contact_id, more = item
    moment = START + timedelta(hours=hours, seconds=number)
    return Happening(
        at=moment,
        kind=kind,  # type: ignore[arg-type]  # one of the words above
        project_id=project_id,
        record_id=number,
        thread_id=project_id,
        contact_id=contact_id,
        stage=STAGES[more % 5] if kind == "stage" else None,
        until=moment.date() + timedelta(days=more) if kind == "absence" else None,
    )


def play(country: str, items: list[tuple[int, str, int, int, int]], ticks: int = 1, every: int = 0) -> list[Outcome]:
    world = new_world(country)
    for number, item in enumerate(items, 1):
        event = happening(item, number)
        world.advance(event.at - timedelta(milliseconds=1))
        world.happen(event)
        for _ in range(ticks):
            world.tick(event.at)
    end = START + timedelta(days=100)
    while every and world.now < end:
        following = world.now + timedelta(minutes=every)
        world.advance(following)
        for _ in range(ticks):
            world.tick(following)
    world.advance(end)
    return world.log


def sends(log: list[Outcome]) -> list[Outcome]:
    return [one for one in log if one.kind == "send"]


@settings(max_examples=60)
@given(st.sampled_from(sorted(COUNTRIES)), HAPPENINGS)
def test_restraint_holds_whatever_happens(country: str, items: list[tuple[int, str, int, int, int]]) -> None:
    log = sends(play(country, items))
    client, zone = Calendars("CN").client(country), COUNTRIES[country]
    assert len({one.key for one in log}) == len(log)
    for one in log:
        day = local_date(one.at, zone)
        assert client.is_working(day)
        assert not RULEBOOK.restraint.is_quiet(local_time(one.at, zone))
        if one.project_id is not None:
            assert Calendars("CN").agency.is_working(day)
    for contact in (1, 2):
        days = [local_date(one.at, zone) for one in log if one.contact_id == contact]
        assert all(business_days_between(client, a, b) >= 2 for a, b in pairwise(days))


@settings(max_examples=60)
@example("CN", [(0, "sent", 1, 1, 0), (0, "stage", 1, 1, 1)])
@given(st.sampled_from(sorted(COUNTRIES)), HAPPENINGS)
def test_nothing_leaves_after_what_ends_it(country: str, items: list[tuple[int, str, int, int, int]]) -> None:
    log = sends(play(country, items))
    events = [happening(item, number) for number, item in enumerate(items, 1)]
    for mail in log:
        before = [event for event in events if event.at <= mail.at and event.project_id == mail.project_id]
        if mail.project_id is None:
            continue
        spoken = [event.kind for event in _changing(before) if event.kind in ("sent", "received", "meeting", "stage")]
        assert spoken
        assert spoken[-1] == "sent"
        assert not _is_on(before, "project-paused", "project-resumed")
        assert not _is_on(before, "complaint", "complaint-resolved")
        for event in events:
            if event.at <= mail.at and event.contact_id == mail.contact_id and event.kind == "opt-out":
                raise AssertionError("opted out")


def _changing(events: list[Happening]) -> list[Happening]:
    """Without the news of a stage that the project is in already: nothing ends by it."""
    kept: list[Happening] = []
    stage: Stage | None = "proposal"
    for event in events:
        if event.kind != "stage" or event.stage != stage:
            kept.append(event)
        stage = event.stage if event.kind == "stage" else stage
    return kept


def _is_on(events: list[Happening], begins: str, ends: str) -> bool:
    kinds = [event.kind for event in events if event.kind in (begins, ends)]
    return bool(kinds) and kinds[-1] == begins


@settings(max_examples=25)
@given(HAPPENINGS)
def test_ticking_more_often_changes_nothing(items: list[tuple[int, str, int, int, int]]) -> None:
    once = play("CN", items)
    assert play("CN", items, ticks=3) == once
    often = play("CN", items, every=7 * 60 + 13)
    assert {one.key for one in sends(often)} == {one.key for one in sends(once)}


@settings(max_examples=25)
@given(HAPPENINGS, st.integers(1, 60))
def test_an_assistant_that_was_away_sends_nothing_twice_and_nothing_stale(
    items: list[tuple[int, str, int, int, int]], days: int
) -> None:
    world = new_world("CN")
    for number, item in enumerate(items, 1):
        world.happen(happening(item, number))
    back = START + timedelta(days=days)
    world.tick(back)
    world.tick(back)
    keys = [one.key for one in world.log if one.kind in ("send", "task", "ask")]
    assert len(keys) == len(set(keys))
    calendar = Calendars("CN").agency
    for one in sends(world.log):
        assert one.at == back
        assert calendar.is_working(local_date(back, "Asia/Shanghai"))


def test_the_year_of_a_quiet_client_is_only_greetings() -> None:
    client = ClientFacts(
        1, "C", contacts=(ContactFacts(1, "A", "a@client.example"),), stages=("execution",), owner=OWNER
    )
    world = World(RULEBOOK, Calendars("CN"), START, {1: client}, {}, (OWNER,))
    world.tick(START)
    world.advance(START + timedelta(days=365))
    days = [(one.what, local_date(one.at, "Asia/Shanghai")) for one in sends(world.log)]
    assert days == [
        ("greetings/spring-festival", date(2026, 2, 14)),
        ("greetings/dragon-boat", date(2026, 6, 18)),
        ("greetings/mid-autumn", date(2026, 9, 24)),
        ("greetings/national-day", date(2026, 9, 30)),
        ("greetings/new-year", date(2026, 12, 31)),
    ]
