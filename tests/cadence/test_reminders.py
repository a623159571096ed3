"""What colleagues are told, when, and that it is told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from assistant.cadence.load import require_rulebook
from assistant.cadence.reminders import bundle, decide_reminders
from assistant.cadence.summaries import decide_summaries
from assistant.model.cadence import (
    Commitment,
    OpenQuestion,
    ProjectFacts,
    ReminderFacts,
    RemindStaff,
    SendSummary,
    WaitingItem,
)
from tests.cadence.worlds import CALENDARS, CLIENT, CONTACT, MANAGER, OWNER, RULES, at, project, rules, waited

SHIPPED = require_rulebook(RULES)


def told(now: str, *projects: ProjectFacts, text: str = "", **more: Any) -> list[RemindStaff]:
    rulebook = rules("schema = 1\n" + text) if text else SHIPPED
    facts = ReminderFacts(projects, staff=(OWNER, MANAGER), **more)
    effects = decide_reminders(facts, rulebook, CALENDARS, at(now)).effects
    return [effect for effect in effects if isinstance(effect, RemindStaff)]


def asked(when: str = "2026-03-09 10:00") -> ProjectFacts:
    question = OpenQuestion(8, at(when), 1, "报价能再低一点吗")
    return project(stage="discovery", stage_since=at(when), waiting_on="us", waited=None, questions=(question,))


def test_a_question_is_warned_of_before_the_promised_time_and_then_escalated() -> None:
    assert told("2026-03-09 16:59", asked()) == []
    [warning] = told("2026-03-09 17:00", asked())
    assert (warning.kind, warning.to, warning.urgent) == ("question", OWNER.address, True)
    assert warning.due_at == at("2026-03-10 10:00")
    later = told("2026-03-10 15:00", asked())
    assert [(one.kind, one.to) for one in later] == [("question", OWNER.address), ("escalation", MANAGER.address)]
    assert later[0].dedupe_key == warning.dedupe_key


def test_an_urgent_reminder_waits_for_working_hours() -> None:
    [warning] = told("2026-03-09 21:00", asked())
    assert warning.not_before == at("2026-03-10 09:00")


def test_a_question_over_the_weekend_is_no_hurry() -> None:
    assert told("2026-03-15 12:00", asked("2026-03-13 17:30")) == []


def test_commitments_come_the_day_before_and_again_when_overdue() -> None:
    promise = Commitment(3, "us", "寄出样稿", date(2026, 3, 12), staff=MANAGER.address)
    facts = project(stage="discovery", stage_since=at("2026-03-09 10:00"), commitments=(promise,))
    assert told("2026-03-10 10:00", facts) == []
    [due] = told("2026-03-11 07:00", facts)
    assert (due.to, due.text, due.not_before) == (MANAGER.address, "寄出样稿", at("2026-03-11 08:30"))
    [overdue] = told("2026-03-13 07:00", facts)
    assert overdue.dedupe_key != due.dedupe_key


def test_a_stage_over_its_target_and_buffer_is_told_once() -> None:
    facts = project(stage="discovery", stage_since=at("2026-03-02 10:00"))
    assert told("2026-03-11 08:00", facts) == []
    [first] = told("2026-03-12 08:00", facts)
    assert (first.kind, first.text) == ("stage-over-target", "8 / 5")
    assert told("2026-03-20 08:00", facts)[0].dedupe_key == first.dedupe_key


def test_a_sign_off_that_is_missing_is_told() -> None:
    facts = project(stage="agreement", stage_since=at("2026-03-09 10:00"), signed_off=("requirements",))
    assert [(one.kind, one.text) for one in told("2026-03-10 08:00", facts)] == [("sign-off-missing", "proposal")]


def test_mail_that_waits_too_long_is_told_every_morning() -> None:
    item = WaitingItem(4, "approval", OWNER.address, "跟进方案", at("2026-03-09 10:00"))
    assert told("2026-03-10 09:00", waiting=(item,)) == []
    keys = {told(f"2026-03-{day} 10:00", waiting=(item,))[0].dedupe_key for day in (10, 11)}
    assert len(keys) == 2


def test_a_long_silence_is_told_once_for_the_client() -> None:
    first = project(stage="relationship", waiting_on="nobody", waited=None, last_contact=waited("2026-01-05 10:00"))
    second = replace(first, project_id=6, last_contact=waited("2025-11-05 10:00", 5))
    approved = ("requirements", "proposal", "contract", "deliverable")
    facts = [replace(one, signed_off=approved) for one in (first, second)]
    assert told("2026-02-28 10:00", *facts) == []
    [silence] = told("2026-03-03 10:00", *facts)
    assert (silence.kind, silence.record_id) == ("no-contact", 7)


def test_birthdays_come_two_days_before() -> None:
    client = replace(CLIENT, contacts=(replace(CONTACT, birthday=date(1990, 3, 12)),))
    assert told("2026-03-09 10:00", clients=(client,)) == []
    assert [one.text for one in told("2026-03-10 08:00", clients=(client,))] == ["王芳 2026-03-12"]


def test_the_morning_mail_is_next_morning_s_when_it_has_left() -> None:
    item = WaitingItem(4, "approval", OWNER.address, "跟进方案", at("2026-03-09 10:00"))
    assert told("2026-03-13 15:00", waiting=(item,))[0].not_before == at("2026-03-16 08:30")


def test_one_mail_a_morning_for_each_person() -> None:
    item = WaitingItem(4, "approval", OWNER.address, "跟进方案", at("2026-03-09 10:00"))
    facts = project(stage="discovery", stage_since=at("2026-02-02 10:00"))
    mails = bundle(told("2026-03-12 07:00", facts, waiting=(item,)))
    assert [(key[0], [one.kind for one in items]) for key, items in mails.items()] == [
        (OWNER.address, ["stage-over-target", "waiting"])
    ]
    assert bundle([]) == {}


def summaries(now: str, text: str = '[[summary]]\nname = "w"\n') -> list[SendSummary]:
    decision = decide_summaries([CLIENT], (OWNER, MANAGER), rules("schema = 1\n" + text), CALENDARS, at(now))
    return [effect for effect in decision.effects if isinstance(effect, SendSummary)]


def test_the_summary_leaves_on_friday_afternoon_to_the_owner() -> None:
    assert summaries("2026-03-13 16:59") == []
    [summary] = summaries("2026-03-13 17:00")
    assert (summary.to, summary.week, summary.dedupe_key) == (
        (OWNER.address,),
        date(2026, 3, 9),
        "summary:1:2026-03-09",
    )


def test_in_a_week_that_ends_in_a_holiday_it_leaves_before() -> None:
    assert [one.not_before for one in summaries("2026-09-24 17:00")] == [at("2026-09-24 17:00")]
    assert summaries("2026-02-20 18:00") == []  # the whole week was off


def test_roles_and_addresses_get_it_too() -> None:
    text = '[[summary]]\nname = "w"\nto = ["owner", "director", "boss@agency.example"]\n'
    assert summaries("2026-03-13 17:00", text)[0].to == (OWNER.address, MANAGER.address, "boss@agency.example")
