"""What follows for one project: started, stopped, paused, put off, sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from assistant.cadence.decide import decide
from assistant.cadence.load import with_versions
from assistant.cadence.rules import Rulebook
from assistant.model.cadence import (
    Absence,
    AskOwner,
    CadenceRun,
    CreateTask,
    Decision,
    MoveStep,
    OptOut,
    PauseRun,
    PlannedMail,
    ProjectEvent,
    ProjectFacts,
    SendMail,
    SkipStep,
    StartRun,
    StopRun,
)
from tests.cadence.worlds import CALENDARS, NUDGES, OWNER, at, kinds, project, rules, run_after, waited, with_contact

RULEBOOK = rules()


def decided(
    facts: ProjectFacts, now: str, runs: tuple[CadenceRun, ...] = (), rulebook: Rulebook = RULEBOOK
) -> Decision:
    return decide(facts, runs, rulebook, CALENDARS, at(now))


def begun(facts: ProjectFacts | None = None, rulebook: Rulebook = RULEBOOK) -> CadenceRun:
    """The run as it is right after the message was read."""
    return run_after(decided(facts or project(), "2026-03-09 10:05", (), rulebook))


def only(decision: Decision, kind: type[Any]) -> Any:
    found = [effect for effect in decision.effects if isinstance(effect, kind)]
    assert len(found) == 1, kinds(decision)
    return found[0]


def test_a_message_that_waits_starts_a_run_due_on_the_third_business_day() -> None:
    start = only(decided(project(), "2026-03-09 10:05"), StartRun)
    assert start.run.due_at == at("2026-03-12 10:00")
    assert start.dedupe_key == "run:5:nudges:7"
    assert start.definition == RULEBOOK.cadences[0].definition


def test_what_was_decided_once_is_decided_the_same_again() -> None:
    assert decided(project(), "2026-03-12 10:00") == decided(project(), "2026-03-12 10:00")


def test_a_due_step_is_sent_in_the_thread_of_what_is_waited_on() -> None:
    decision = decided(project(), "2026-03-12 10:00", (begun(),))
    mail = only(decision, SendMail)
    assert (mail.template, mail.step, mail.dedupe_key) == ("followups/proposal-nudge-1", 1, "send:5:nudges:7:1")
    assert mail.anchor == waited()
    assert mail.owner == OWNER.address
    assert mail.version == RULEBOOK.cadences[0].version
    moved = only(decision, MoveStep)
    assert (moved.step_index, moved.due_at, moved.sent_count) == (1, at("2026-03-18 10:00"), 1)
    assert decision.look_again_at == at("2026-03-18 10:00")


def test_before_it_is_due_nothing_happens() -> None:
    decision = decided(project(), "2026-03-12 09:59", (begun(),))
    assert decision.effects == ()
    assert [(one.hit, one.reason) for one in decision.trace] == [(True, "waiting")]


def test_the_last_step_completes_the_run() -> None:
    run = replace(begun(), step_index=2, due_at=at("2026-03-23 10:00"), sent_count=2)
    decision = decided(project(), "2026-03-23 10:00", (run,))
    assert kinds(decision) == ["CreateTask", "CompleteRun"]
    assert only(decision, CreateTask).text == "Call 王芳 about 新品发布"


def test_a_completed_run_does_not_start_again_on_the_same_message() -> None:
    decision = decided(project(), "2026-03-24 10:00", (replace(begun(), status="completed"),))
    assert decision.effects == ()
    assert decision.trace[0].reason == "ran-completed"


EVENTS = ("reply", "meeting", "staff-wrote", "hand-over", "stage-change")


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_after_the_message_stops(kind: Any) -> None:
    facts = project(events=(ProjectEvent(kind, at("2026-03-10 09:00"), 8),))
    assert only(decided(facts, "2026-03-12 10:00", (begun(),)), StopRun).reason == kind


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_before_the_message_does_not(kind: Any) -> None:
    facts = project(events=(ProjectEvent(kind, at("2026-03-06 09:00"), 6),))
    assert kinds(decided(facts, "2026-03-12 10:00", (begun(),))) == ["SendMail", "MoveStep"]


def test_an_answer_whose_clock_was_slow_still_answers() -> None:
    facts = project(events=(ProjectEvent("reply", at("2026-03-09 09:00"), 8, in_answer_to=7),))
    assert only(decided(facts, "2026-03-12 10:00", (begun(),)), StopRun).reason == "reply"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (with_contact(project(), bouncing=True), "bounce"),
        (with_contact(project(), left=True), "hand-over"),
        (with_contact(project(), contact_id=99), "hand-over"),
        (with_contact(project(), opt_outs=(OptOut("all", at("2026-03-01 10:00")),)), "opt-out"),
        (with_contact(project(), opt_outs=(OptOut("follow-ups", at("2026-03-01 10:00")),)), "opt-out"),
        (with_contact(project(), opt_outs=(OptOut("thread", at("2026-03-01 10:00"), 3),)), "opt-out"),
        (project(closed=True), "project-closed"),
        (project(lost=True), "project-closed"),
        (project(waiting_on="us", waited=None), "not-waiting"),
        (project(waited=waited("2026-03-10 11:00", 8)), "staff-wrote"),
        (project(stage="agreement", stage_since=at("2026-03-10 10:00")), "stage-change"),
        (project(client=replace(project().client, muted=True)), "by-hand"),
    ],
)
def test_a_state_that_forbids_it_stops(facts: ProjectFacts, reason: str) -> None:
    decision = decided(facts, "2026-03-12 10:00", (begun(),))
    assert only(decision, StopRun).reason == reason
    assert not any(isinstance(effect, SendMail) for effect in decision.effects)


@pytest.mark.parametrize("scope", ["greetings", "thread"])
def test_an_opt_out_from_something_else_does_not_stop(scope: Any) -> None:
    facts = with_contact(project(), opt_outs=(OptOut(scope, at("2026-03-01 10:00"), 99),))
    assert "SendMail" in kinds(decided(facts, "2026-03-12 10:00", (begun(),)))


def test_what_a_rule_ignores_does_not_stop_it() -> None:
    rulebook = rules(NUDGES.replace('name = "nudges"', 'name = "nudges"\nignore = ["meeting"]'))
    facts = project(events=(ProjectEvent("meeting", at("2026-03-10 09:00"), 8),))
    assert "SendMail" in kinds(decided(facts, "2026-03-12 10:00", (begun(facts, rulebook),), rulebook))


def test_an_absence_with_a_date_pauses_to_the_business_day_after_the_return() -> None:
    facts = with_contact(project(), absence=Absence(at("2026-03-09 10:01"), date(2026, 3, 20)))
    pause = only(decided(facts, "2026-03-09 10:30", (begun(),)), PauseRun)
    assert (pause.reason, pause.paused_until) == ("absence", at("2026-03-23 00:00"))
    paused = run_after(decided(facts, "2026-03-09 10:30", (begun(),)), begun())
    decision = decided(facts, "2026-03-23 10:00", (paused,))
    assert only(decision, SendMail).step == 1
    assert run_after(decision, paused).due_at == at("2026-03-27 10:00")  # four business days on, as planned


def test_an_absence_is_prolonged_by_a_later_one() -> None:
    first = with_contact(project(), absence=Absence(at("2026-03-09 10:01"), date(2026, 3, 20)))
    paused = run_after(decided(first, "2026-03-09 10:30", (begun(),)), begun())
    longer = with_contact(project(), absence=Absence(at("2026-03-19 10:00"), date(2026, 3, 30)))
    assert only(decided(longer, "2026-03-19 10:05", (paused,)), PauseRun).paused_until == at("2026-03-31 00:00")


def test_a_complaint_pauses_and_its_end_lets_go_on() -> None:
    paused = run_after(decided(project(open_complaint=True), "2026-03-10 10:00", (begun(),)), begun())
    assert (paused.status, paused.reason) == ("paused", "complaint")
    still = decided(project(open_complaint=True), "2026-03-10 12:00", (paused,))
    assert still.effects == ()
    solved = project(complaint_resolved_at=at("2026-03-16 15:00"))
    assert run_after(decided(solved, "2026-03-16 15:05", (paused,)), paused).due_at == at("2026-03-17 10:00")


def test_a_pause_is_seen_at_the_start_too() -> None:
    assert begun(project(paused=True)).status == "paused"
    assert begun(project(paused=True)).reason == "project-paused"


def test_mail_that_may_not_start_never_does() -> None:
    decision = decided(project(waited=waited(may_start=False)), "2026-03-09 10:05")
    assert decision.effects == ()
    assert decision.trace[0].reason == "before-cut-off"


def test_a_message_from_a_clock_ahead_of_ours_begins_its_run_and_its_steps_keep_their_days() -> None:
    for now in ("2026-03-08 10:00", "2026-03-09 09:59"):
        decision = decided(project(), now)
        assert only(decision, StartRun).run.due_at == begun().due_at
        assert not any(isinstance(effect, SendMail) for effect in decision.effects)


def test_a_step_too_late_asks_the_owner_once_and_waits_for_the_answer() -> None:
    run = begun()
    decision = decided(project(), "2026-03-17 16:00", (run,))
    ask = only(decision, AskOwner)
    assert (ask.to, ask.step, ask.dedupe_key) == (OWNER.address, 1, "ask:5:nudges:7:1")
    paused = run_after(decision, run)
    assert (paused.status, paused.reason) == ("paused", "late")
    assert not any(isinstance(one, AskOwner) for one in decided(project(), "2026-03-18 16:00", (paused,)).effects)
    allowed = replace(paused, status="active", reason="", due_at=at("2026-03-18 15:00"))
    assert only(decided(project(), "2026-03-18 16:00", (allowed,)), SendMail).step == 1


def test_a_step_a_day_late_is_sent_and_the_next_keeps_its_distance() -> None:
    decision = decided(project(), "2026-03-13 15:00", (begun(),))
    assert only(decision, SendMail).step == 1
    assert only(decision, MoveStep).due_at == at("2026-03-19 10:00")


def test_after_hours_it_waits_for_the_morning() -> None:
    decision = decided(project(), "2026-03-12 22:00", (begun(),))
    moved = only(decision, MoveStep)
    assert (moved.reason, moved.due_at, moved.step_index) == ("quiet-hours", at("2026-03-13 10:00"), 0)


def test_a_person_who_just_got_mail_is_left_alone_for_two_business_days() -> None:
    from assistant.model.cadence import AutomaticMail

    facts = with_contact(project(), sent=(AutomaticMail(at("2026-03-11 10:00"), "other", 6),))
    moved = only(decided(facts, "2026-03-12 10:00", (begun(),)), MoveStep)
    assert (moved.reason, moved.due_at) == ("restraint", at("2026-03-13 10:00"))


TWO = NUDGES + NUDGES.split("schema = 1")[1].replace('"nudges"', '"money"\nimportance = 90').replace('"proposal"', '"agreement"')  # fmt: skip


@pytest.mark.parametrize(("rule", "sent"), [("money", False), ("nudges", True)])
def test_of_two_mails_the_more_important_goes_first(rule: str, sent: bool) -> None:
    rulebook = rules(TWO)
    other = PlannedMail(at("2026-03-12 10:30"), rule, f"send:6:{rule}:9:1", 6)
    facts = with_contact(project(), planned=(other,))
    decision = decided(facts, "2026-03-12 10:00", (begun(facts, rulebook),), rulebook)
    assert ("SendMail" in kinds(decision)) == sent


def test_a_task_that_is_planned_for_the_same_person_disturbs_nobody() -> None:
    task = PlannedMail(at("2026-03-12 09:00"), "money", "send:6:money:9:3", 6)
    facts = with_contact(project(), planned=(task,))
    assert "SendMail" in kinds(decided(facts, "2026-03-12 10:00", (begun(facts, rules(TWO)),), rules(TWO)))


def test_an_earlier_mail_of_the_run_that_waits_for_approval_holds_the_next() -> None:
    run = replace(begun(), step_index=1, due_at=at("2026-03-18 10:00"), sent_count=1)
    facts = with_contact(project(), planned=(PlannedMail(at("2026-03-12 10:00"), "nudges", "send:5:nudges:7:1", 5),))
    assert only(decided(facts, "2026-03-18 10:00", (run,)), MoveStep).due_at == at("2026-03-19 10:00")


def test_the_cap_is_kept() -> None:
    rulebook = rules(NUDGES.replace('name = "nudges"', 'name = "nudges"\ncap = 1'))
    run = replace(begun(rulebook=rulebook), step_index=1, due_at=at("2026-03-18 10:00"), sent_count=1)
    assert only(decided(project(), "2026-03-18 10:00", (run,), rulebook), SkipStep).reason == "cap"


def test_a_veto_gives_the_owner_time_and_keeps_out_of_the_night() -> None:
    rulebook = rules(NUDGES.replace('nudge-1"', 'nudge-1"\n  release = "veto 4h"', 1))
    mail = only(decided(project(), "2026-03-12 10:00", (begun(rulebook=rulebook),), rulebook), SendMail)
    assert mail.not_before == at("2026-03-12 14:00")
    late = rules(NUDGES.replace('nudge-1"', 'nudge-1"\n  release = "veto 11h"', 1))
    mail = only(decided(project(), "2026-03-12 10:00", (begun(rulebook=late),), late), SendMail)
    assert mail.not_before == at("2026-03-13 10:00")


def test_an_edit_leaves_a_run_alone_unless_the_rule_says_running() -> None:
    run = begun()
    known = {("nudges", run.version): RULEBOOK.cadences[0].definition}
    edited = NUDGES.replace("3 business days", "5 business days")
    assert "SendMail" in kinds(decided(project(), "2026-03-12 10:00", (run,), with_versions(rules(edited), known)))
    running = rules(edited.replace('name = "nudges"', 'name = "nudges"\napply = "running"'))
    moved = only(decided(project(), "2026-03-12 10:00", (run,), with_versions(running, known)), MoveStep)
    assert (moved.reason, moved.due_at, moved.version) == (
        "rule-edited",
        at("2026-03-16 10:00"),
        running.cadences[0].version,
    )


def test_an_edit_that_takes_the_next_step_away_completes_the_run() -> None:
    short = NUDGES.split('  [[cadence.step]]\n  after = "7')[0].replace(
        'name = "nudges"', 'name = "nudges"\napply = "running"'
    )
    run = replace(begun(), step_index=1, due_at=at("2026-03-18 10:00"), sent_count=1)
    assert kinds(decided(project(), "2026-03-18 10:00", (run,), rules(short))) == ["MoveStep", "CompleteRun"]
    paused = replace(run, status="paused", reason="complaint")
    assert kinds(decided(project(), "2026-03-18 10:00", (paused,), rules(short))) == ["MoveStep", "CompleteRun"]


def test_a_rule_that_is_gone_stops_its_runs() -> None:
    assert only(decided(project(), "2026-03-12 10:00", (begun(),), Rulebook()), StopRun).reason == "rule-removed"


@pytest.mark.parametrize(
    ("when", "facts", "detail"),
    [
        ('{ tag = "vip" }', project(), "tag"),
        ('{ country = "US" }', project(), "country"),
        ('{ language = "en" }', project(), "language"),
        ('{ client = "另一家" }', project(), "client"),
        ('{ owner = "nobody@agency.example" }', project(), "owner"),
        ('{ intent = "contract" }', project(), "intent"),
        ('{ value = ">= 10万" }', project(value=99_999), "value"),
        ('{ value = ">= 10万" }', project(), "value"),
        ('{ relationship = "past" }', project(), "relationship"),
    ],
)
def test_a_miss_names_the_key_that_does_not_fit(when: str, facts: ProjectFacts, detail: str) -> None:
    rulebook = rules(NUDGES.replace('{ stage = "proposal", waiting_on = "client" }', when))
    decision = decided(facts, "2026-03-09 10:05", (), rulebook)
    assert decision.effects == ()
    assert decision.trace[0].reason == "no-match"
    assert decision.trace[0].detail.startswith(detail)


@pytest.mark.parametrize(
    ("when", "facts"),
    [
        ('{ tag = ["vip", "new"] }', project(tags=("new",))),
        ('{ country = "HK" }', with_contact(project(), country="HK")),
        ('{ language = "zh" }', project()),
        ('{ owner = "李雷" }', project()),
        ('{ intent = ["contract", "payment"] }', project(waited=waited(intents=("payment",)))),
        ('{ value = [">= 100", "< 200"] }', project(value=150)),
        ('{ client = "云杉茶业" }', project()),
    ],
)
def test_a_rule_that_fits_starts(when: str, facts: ProjectFacts) -> None:
    rulebook = rules(NUDGES.replace('{ stage = "proposal", waiting_on = "client" }', when))
    assert kinds(decided(facts, "2026-03-09 10:05", (), rulebook)) == ["StartRun"]


def test_unless_excludes() -> None:
    rulebook = rules(NUDGES.replace('name = "nudges"', 'name = "nudges"\nunless = { tag = "vip" }'))
    assert kinds(decided(project(tags=("vip",)), "2026-03-09 10:05", (), rulebook)) == []
    assert kinds(decided(project(), "2026-03-09 10:05", (), rulebook)) == ["StartRun"]


def test_steps_in_hours_come_when_mail_may_leave() -> None:
    rulebook = rules(
        'schema = 1\n[[cadence]]\nname = "fast"\n[[cadence.step]]\nafter = "4 business hours"\nsend = "a"\n'
        '[[cadence.step]]\nafter = "14h"\nsend = "b"\n'
    )
    run = begun(rulebook=rulebook)
    assert run.due_at == at("2026-03-09 15:00")  # lunch does not count
    moved = only(decided(project(), "2026-03-09 15:00", (run,), rulebook), MoveStep)
    assert moved.due_at == at("2026-03-10 10:00")  # midnight is no time to write


def test_every_cadence_is_in_the_trace_hit_or_miss() -> None:
    rulebook = rules(TWO)
    assert {one.rule for one in decided(project(), "2026-03-09 10:05", (), rulebook).trace} == {"nudges", "money"}


def test_a_hundred_thousand_threads_cost_nothing_when_nothing_is_due() -> None:
    """A tick reads due runs only; what a decision says about when to look again is what makes that safe."""
    run = begun()
    look = decided(project(), "2026-03-09 10:06", (run,)).look_again_at
    assert look == run.due_at
    before = look - timedelta(seconds=1)
    assert decide(project(), (run,), RULEBOOK, CALENDARS, before).effects == ()
