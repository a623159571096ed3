"""Just before a mail leaves everything is asked again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from assistant.cadence.decide import decide
from assistant.cadence.greetings import decide_greetings
from assistant.cadence.guards import recheck, recheck_greeting
from assistant.model.cadence import Absence, AutomaticMail, OptOut, ProjectEvent, ProjectFacts, SendMail
from tests.cadence.worlds import CALENDARS, CLIENT, CONTACT, NUDGES, at, project, rules, waited, with_contact

RULEBOOK = rules()
NOW = "2026-03-12 10:00"
GREETINGS = rules('schema = 1\n[[greeting]]\nname = "moon"\nfestival = "mid-autumn"\nsend = "g"\ndays_before = 1\n')


def ordered() -> SendMail:
    effects = decide(project(), (), RULEBOOK, CALENDARS, at(NOW)).effects
    return next(effect for effect in effects if isinstance(effect, SendMail))


def greeting() -> SendMail:
    effects = decide_greetings(CLIENT, GREETINGS, CALENDARS, at("2026-09-24 09:30")).effects
    return next(effect for effect in effects if isinstance(effect, SendMail))


def test_nothing_new_lets_it_go() -> None:
    assert recheck(ordered(), project(), at(NOW), RULEBOOK, CALENDARS) is None


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (project(events=(ProjectEvent("reply", at("2026-03-12 09:59"), 8),)), "reply"),
        (project(events=(ProjectEvent("meeting", at("2026-03-12 09:59"), 8),)), "meeting"),
        (project(waited=waited("2026-03-12 09:58", 9)), "staff-wrote"),
        (project(waiting_on="us", waited=None), "not-waiting"),
        (with_contact(project(), bouncing=True), "bounce"),
        (with_contact(project(), opt_outs=(OptOut("all", at("2026-03-12 09:00")),)), "opt-out"),
        (project(closed=True), "project-closed"),
    ],
)
def test_what_ends_a_run_refuses_for_good(facts: ProjectFacts, reason: str) -> None:
    refusal = recheck(ordered(), facts, at(NOW), RULEBOOK, CALENDARS)
    assert refusal is not None
    assert (refusal.reason, refusal.retry_at) == (reason, None)


@pytest.mark.parametrize(
    ("facts", "now", "reason", "retry"),
    [
        (project(), "2026-03-12 21:00", "quiet-hours", "2026-03-13 10:00"),
        (project(), "2026-03-14 10:00", "day-off", "2026-03-16 10:00"),
        (project(), "2026-04-06 10:00", "holiday", "2026-04-07 10:00"),
        (project(open_complaint=True), NOW, "complaint", "2026-03-13 10:00"),
        (project(paused=True), NOW, "project-paused", "2026-03-13 10:00"),
        (
            with_contact(project(), absence=Absence(at("2026-03-12 09:00"), date(2026, 3, 16))),
            NOW,
            "absence",
            "2026-03-17 10:00",
        ),
        (
            with_contact(project(), sent=(AutomaticMail(at("2026-03-12 09:30"), "other"),)),
            NOW,
            "restraint",
            "2026-03-16 10:00",
        ),
    ],
)
def test_what_passes_puts_it_off(facts: ProjectFacts, now: str, reason: str, retry: str) -> None:
    refusal = recheck(ordered(), facts, at(now), RULEBOOK, CALENDARS)
    assert refusal is not None
    assert (refusal.reason, refusal.retry_at) == (reason, at(retry))


def test_an_edit_since_does_not_refuse_what_was_ordered_unless_it_says_running() -> None:
    narrower = NUDGES.replace('stage = "proposal"', 'stage = "closing"')
    assert recheck(ordered(), project(), at(NOW), rules(narrower), CALENDARS) is None
    running = rules(narrower.replace('name = "nudges"', 'name = "nudges"\napply = "running"'))
    refusal = recheck(ordered(), project(), at(NOW), running, CALENDARS)
    assert refusal is not None
    assert refusal.reason == "no-match"


def test_a_greeting_leaves_only_for_its_festival() -> None:
    assert recheck_greeting(greeting(), CLIENT, at("2026-09-24 09:31"), GREETINGS, CALENDARS) is None
    late = recheck_greeting(greeting(), CLIENT, at("2026-09-28 10:00"), GREETINGS, CALENDARS)
    assert late is not None
    assert (late.reason, late.retry_at) == ("too-late", None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"bouncing": True}, "bounce"),
        ({"left": True}, "by-hand"),
        ({"opt_outs": (OptOut("greetings", at("2026-09-01 10:00")),)}, "opt-out"),
        ({"absence": Absence(at("2026-09-23 10:00"), date(2026, 9, 30))}, "absence"),
    ],
)
def test_a_greeting_is_refused_for_what_came_since(change: dict[str, Any], reason: str) -> None:
    client = replace(CLIENT, contacts=(replace(CONTACT, **change),))
    refusal = recheck_greeting(greeting(), client, at("2026-09-24 09:31"), GREETINGS, CALENDARS)
    assert refusal is not None
    assert refusal.reason == reason
