"""Who is greeted when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from assistant.cadence.decide import decide
from assistant.cadence.greetings import decide_greetings
from assistant.model.cadence import (
    Absence,
    AutomaticMail,
    ClientFacts,
    Decision,
    MoveStep,
    OptOut,
    PlannedMail,
    SendMail,
)
from tests.cadence.worlds import CALENDARS, CLIENT, CONTACT, NUDGES, at, project, rules

MOON = '[[greeting]]\nname = "moon"\nfestival = "mid-autumn"\nsend = "greetings/mid-autumn"\ndays_before = 1\n'
RULEBOOK = rules("schema = 1\n" + MOON)


def greeted(client: ClientFacts = CLIENT, now: str = "2026-09-24 09:30", text: str = MOON) -> Decision:
    return decide_greetings(client, rules("schema = 1\n" + text), CALENDARS, at(now))


def sent(decision: Decision) -> list[SendMail]:
    return [effect for effect in decision.effects if isinstance(effect, SendMail)]


def with_one(**more: Any) -> ClientFacts:
    return replace(CLIENT, contacts=(replace(CONTACT, **more),))


def test_a_greeting_leaves_the_day_before_in_the_morning() -> None:
    [mail] = sent(greeted())
    assert (mail.dedupe_key, mail.template, mail.language) == (
        "greeting:1:mid-autumn:2026",
        "greetings/mid-autumn",
        "zh-Hans",
    )
    assert (mail.not_before, mail.festival_date) == (at("2026-09-24 09:30"), date(2026, 9, 25))
    assert greeted(now="2026-09-24 09:29").effects == ()
    assert greeted(now="2026-09-01 10:00").look_again_at == at("2026-09-24 09:30")


@pytest.mark.parametrize(
    ("client", "reason"),
    [
        (with_one(bouncing=True), "bounce"),
        (with_one(left=True), "by-hand"),
        (with_one(opt_outs=(OptOut("greetings", at("2026-01-01 10:00")),)), "opt-out"),
        (with_one(absence=Absence(at("2026-09-20 10:00"), date(2026, 9, 28))), "absence"),
        (with_one(sent=(AutomaticMail(at("2026-09-23 10:00"), "nudges"),)), "restraint"),
        (with_one(sent=(AutomaticMail(at("2026-09-01 10:00"), "moon", dedupe_key="greeting:1:mid-autumn:2026"),)), "already-greeted"),
        (with_one(planned=(PlannedMail(at("2026-09-24 09:30"), "moon", "greeting:1:mid-autumn:2026"),)), "already-ordered"),
        (replace(CLIENT, open_complaint=True), "complaint"),
        (replace(CLIENT, lost_pitch_on=date(2026, 8, 20)), "lost-pitch"),
        (replace(CLIENT, muted=True), "by-hand"),
    ],
)  # fmt: skip
def test_what_forbids_a_greeting_is_named(client: ClientFacts, reason: str) -> None:
    decision = greeted(client)
    assert decision.effects == ()
    assert [one.reason for one in decision.trace] == [reason]


def test_an_opt_out_from_follow_ups_leaves_greetings() -> None:
    assert sent(greeted(with_one(opt_outs=(OptOut("follow-ups", at("2026-01-01 10:00")),))))


def test_a_pitch_lost_long_ago_forbids_nothing() -> None:
    assert sent(greeted(replace(CLIENT, lost_pitch_on=date(2026, 5, 1))))


def test_a_country_that_does_not_keep_it_is_left_out_unless_named() -> None:
    american = replace(CLIENT, country="US", timezone="America/New_York")
    assert greeted(american, "2026-09-24 22:00").effects == ()
    named = MOON + 'when = { country = "US" }\n'
    [mail] = sent(greeted(american, "2026-09-24 21:30", named))
    assert mail.festival_date == date(2026, 9, 25)


def test_two_rules_for_one_festival_greet_once_by_the_more_important() -> None:
    two = MOON + MOON.replace('"moon"', '"vip"') + "importance = 99\n"
    assert [mail.rule for mail in sent(greeted(text=two))] == ["vip"]


def test_after_the_festival_it_is_too_late() -> None:
    on_the_day = MOON.replace("days_before = 1", "days_before = 3")
    assert [mail.template for mail in sent(greeted(now="2026-09-24 15:00", text=on_the_day))] == [
        "greetings/mid-autumn"
    ]
    assert greeted(now="2026-09-28 10:00").effects == ()


def test_on_the_holiday_only_when_the_rule_says_so() -> None:
    itself = MOON.replace("days_before = 1", "on_holiday = true")
    [mail] = sent(greeted(now="2026-09-25 09:30", text=itself))
    assert mail.any_day
    assert greeted(now="2026-09-25 09:30").trace[0].reason in ("holiday", "day-off")


def test_a_veto_begins_early_enough_to_leave_on_time() -> None:
    asked = MOON + 'release = "veto 24h"\n'
    [mail] = sent(greeted(now="2026-09-23 09:30", text=asked))
    assert mail.not_before == at("2026-09-24 09:30")


def test_birthdays_and_anniversaries_come_from_the_contact() -> None:
    personal = (
        '[[greeting]]\nname = "b"\nfestival = "birthday"\nsend = "greetings/birthday"\n'
        '[[greeting]]\nname = "a"\nfestival = "anniversary"\nsend = "greetings/anniversary"\n'
    )
    born = with_one(birthday=date(1990, 3, 11), cooperation_since=date(2023, 5, 12))
    assert [mail.rule for mail in sent(greeted(born, "2026-03-11 09:30", personal))] == ["b"]
    [mail] = sent(greeted(born, "2026-05-12 09:30", personal))
    assert (mail.rule, mail.years) == ("a", 3)
    assert greeted(CLIENT, "2026-03-11 09:30", personal).trace == ()


def test_everybody_at_the_client_is_greeted_once() -> None:
    two = replace(CLIENT, contacts=(CONTACT, replace(CONTACT, contact_id=2, name="赵", address="zhao@client.example")))
    assert [mail.contact_id for mail in sent(greeted(two))] == [1, 2]


def test_a_nudge_keeps_clear_of_a_greeting_that_is_coming() -> None:
    rulebook = rules(NUDGES + MOON)
    facts = project(waited=replace(project().waited, sent_at=at("2026-09-18 10:00")))  # type: ignore[type-var]  # it is set
    facts = replace(facts, stage_since=at("2026-09-01 10:00"))
    decision = decide(facts, (), rulebook, CALENDARS, at("2026-09-23 10:00"))
    [moved] = [effect for effect in decision.effects if isinstance(effect, MoveStep)]
    assert (moved.reason, moved.due_at) == ("restraint", at("2026-09-29 10:00"))
