"""A week of one client, collected from real rows: right, told in the reader's language, and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from assistant.rendering import Templates
from assistant.reports.collect import collect_weekly, is_empty
from assistant.reports.facts import WeeklySummary
from assistant.reports.period import Period
from assistant.store.tables import Suppression
from tests.reports.agency import HANMEI, LILEI, TOM, Agency, at, dairy, opened, weekly


@pytest.fixture
def agency(tmp_path: Path, templates: Templates) -> Iterator[Agency]:
    with opened(tmp_path, templates) as built:
        yield built


def kinds(summary: WeeklySummary) -> list[str]:
    return [item.kind for item in summary.happened]


# --- what happened --------------------------------------------------------------------------------------------------


def test_decisions_and_troubles_are_told_before_plain_mail(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    agency.mail(launch, lin, "03-02 10:00", "周五的会照常")
    agency.mail(launch, lin, "03-03 10:00", "画面被裁掉了，很着急", intents=["complaint"])
    agreed = agency.mail(launch, lin, "03-04 10:00", "方案可以，就按这个走", intents=["approval"])
    agency.sign_off(agreed, "proposal")
    assert kinds(weekly(agency, client)) == ["problem", "sign_off", "received"]


def test_a_sign_off_names_the_thing_in_the_readers_language(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    agreed = agency.mail(launch, lin, "03-04 10:00", "方案可以", intents=["approval"], base_subject="传播方案 V2")
    agency.sign_off(agreed, "proposal")
    told = {reader: weekly(agency, client, reader=reader).happened[0].what for reader in (LILEI, HANMEI, TOM)}
    assert told == {
        LILEI: "方案（传播方案 V2）",
        HANMEI: "提案（传播方案 V2）",
        TOM: "the proposal (传播方案 V2)",
    }


def test_a_conversation_is_told_with_the_last_word_of_each_side(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    thread = agency.thread(launch, launch.name)
    for day, text in ((2, "几点开会"), (3, "改到三点"), (4, "好的，三点见")):
        agency.mail(launch, lin, f"03-0{day} 10:00", text, thread_id=thread.id)
        agency.mail(launch, lin, f"03-0{day} 11:00", f"{text}，收到", from_us=True, thread_id=thread.id)
    told = [(item.kind, item.what) for item in weekly(agency, client).happened]
    assert told == [("received", "好的，三点见"), ("sent", "好的，三点见，收到")]


def test_moves_of_a_stage_within_the_week_are_one_line_and_there_and_back_is_none(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    other = agency.project(client, "包装升级")
    records = [agency.mail(launch, lin, f"03-0{day} 10:00", "进展") for day in (2, 3)]
    agency.stage_change(launch, records[0], "discovery", "proposal")
    agency.stage_change(launch, records[1], "proposal", "agreement")
    back = [agency.mail(other, lin, f"03-0{day} 12:00", "进展") for day in (2, 3)]
    agency.stage_change(other, back[0], "proposal", "agreement")
    agency.stage_change(other, back[1], "agreement", "proposal")
    moves = [item for item in weekly(agency, client).happened if item.kind == "stage"]
    assert [(item.project, item.before, item.what) for item in moves] == [("冬季新品上市", "需求确认", "方案确认")]


def test_what_the_assistant_sent_and_left_unsent_is_told_with_the_reason(agency: Agency) -> None:
    client, lin, _ = dairy(agency)
    agency.outgoing(client, lin, "Re: 方案", "03-03 10:00", state="sent", settled="03-03 10:00")
    agency.outgoing(client, lin, "Re: 方案", "03-05 10:00", state="cancelled", settled="03-05 09:00", reason="reply")
    greeting = {"festival": "lantern"}
    agency.outgoing(
        client, lin, "元宵", "03-03 09:00", purpose="greeting", state="sent", settled="03-03 09:00", details=greeting
    )
    told = [(item.kind, item.who, item.what) for item in weekly(agency, client).happened]
    assert told == [
        ("follow_up", "林晓芸", "Re: 方案"),
        ("follow_up_cancelled", "林晓芸", "客户已回复"),
        ("greeting", "林晓芸", "元宵节"),
    ]


def test_an_opt_out_and_a_bounce_are_told_of_this_clients_people_only(agency: Agency) -> None:
    client, lin, _ = dairy(agency)
    other = agency.client("北辰家居")
    agency.contact(other, "周一", "zhou@beichen.example")
    for addr_spec, reason in ((lin.addr_spec, "opt-out"), ("zhou@beichen.example", "bounce")):
        row = Suppression(addr_spec=addr_spec, scope="all", reason=reason, evidence="停止提醒", since=at("03-04 10:00"))
        agency.session.add(row)
    agency.session.flush()
    assert [(item.kind, item.who) for item in weekly(agency, client).happened] == [("opt_out", "林晓芸")]
    assert kinds(weekly(agency, other)) == ["bounce"]


def test_automatic_answers_and_our_own_automatic_mail_are_no_correspondence(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    agency.mail(launch, lin, "03-03 10:00", "我在休假", kind="auto_reply")
    agency.mail(launch, lin, "03-03 11:00", "跟进", from_us=True, automatic=True)
    summary = weekly(agency, client)
    assert summary.happened == ()
    assert sum(day.received + day.sent for day in summary.messages_by_day) == 0


# --- projects -------------------------------------------------------------------------------------------------------


def test_a_project_says_how_long_it_is_in_its_stage_on_the_agencys_calendar(agency: Agency) -> None:
    client, _, _ = dairy(agency)
    project = weekly(agency, client).projects[0]
    # Thursday 26 February to Friday 6 March; Saturday 28 February 2026 is a working day of the Spring Festival.
    assert (project.business_days_in_stage, project.target_days, project.buffer_days) == (7, 10, 3)
    assert (project.stage, project.stage_name, project.stage_since) == ("proposal", "方案沟通", date(2026, 2, 26))


def test_who_waits_for_whom_since_when_and_for_which_words(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    sent = agency.mail(launch, lin, "03-03 15:00", "请您看看第二稿，周四前回复", from_us=True)
    project = weekly(agency, client).projects[0]
    assert (project.waiting_on, project.waiting_who, project.waiting_for) == (
        "client",
        "林晓芸",
        "请您看看第二稿，周四前回复",
    )
    assert (project.waiting_since, project.waiting_business_days) == (date(2026, 3, 3), 3)
    assert project.waiting_message is not None
    assert project.waiting_message.message_id == sent.message_id


def test_waiting_is_counted_on_the_calendar_of_the_side_that_has_to_act(agency: Agency) -> None:
    client = agency.client("Fennick Oats", country="US", zone="America/New_York", language="en")
    grace = agency.contact(client, "Grace", "grace@fennick.example")
    theirs, ours = agency.project(client, "A"), agency.project(client, "B")
    agency.mail(theirs, grace, "10-01 10:00", "Please confirm", from_us=True)
    agency.mail(ours, grace, "10-01 10:00", "When can we see it?")
    summary = weekly(agency, client, reader=TOM, due="10-09 17:00")
    days = {project.name: project.waiting_business_days for project in summary.projects}
    # The first week of October is off in mainland China; nobody in New York has heard of that.
    assert days == {"A": 6, "B": 2}


def test_an_owner_is_named_as_the_one_who_has_to_act(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    agency.mail(launch, lin, "03-05 10:00", "门店物料哪天到仓？", intents=["question"])
    project = weekly(agency, client).projects[0]
    assert (project.waiting_on, project.waiting_who) == ("us", "李雷")


def test_questions_of_both_sides_stay_open_until_the_other_side_writes(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    agency.mail(launch, lin, "03-02 10:00", "预算多少？", from_us=True, intents=["question"])
    agency.mail(launch, lin, "03-03 10:00", "大约三十万。哪天提案？", intents=["question"])
    asked = weekly(agency, client).projects[0].open_questions
    assert [(question.asked_by, question.who, question.text) for question in asked] == [
        ("client", "林晓芸", "大约三十万。哪天提案？")
    ]
    agency.mail(launch, lin, "03-04 10:00", "周五提案，几位参加？", from_us=True, intents=["question"])
    asked = weekly(agency, client).projects[0].open_questions
    assert [(question.asked_by, question.who, question.business_days) for question in asked] == [("us", "李雷", 2)]


def test_promises_falling_due_say_how_many_days_are_left_or_over(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    told = agency.mail(launch, lin, "03-02 10:00", "质检报告下周三给", from_us=False)
    agency.item("commitment", launch, "核价表", "03-02 09:00", due=date(2026, 3, 5))
    agency.item("commitment", launch, "质检报告", "03-02 10:00", due=date(2026, 3, 11), by="client", record_id=told.id)
    agency.item("commitment", launch, "年度总结", "03-02 10:00", due=date(2026, 6, 30))
    agency.item("commitment", launch, "已交的", "03-02 10:00", due=date(2026, 3, 3), settled_at=at("03-03 10:00"))
    promises = weekly(agency, client).projects[0].commitments
    assert [(promise.text, promise.by, promise.who, promise.days_left) for promise in promises] == [
        ("核价表", "us", "李雷", -1),
        ("质检报告", "client", "林晓芸", 3),
    ]


def test_a_promise_due_on_friday_is_late_on_saturday(agency: Agency) -> None:
    client, _, launch = dairy(agency)
    agency.item("commitment", launch, "核价表", "03-02 09:00", due=date(2026, 3, 6))
    assert weekly(agency, client, due="03-07 12:00").projects[0].commitments[0].days_left == -1


def test_an_open_problem_has_an_owner_and_ends_when_it_is_solved(agency: Agency) -> None:
    client, _, launch = dairy(agency)
    problem = agency.item("complaint", launch, "开屏图被裁", "03-03 10:00")
    found = weekly(agency, client).projects[0].problems
    assert [(one.text, one.owner, one.business_days) for one in found] == [("开屏图被裁", "李雷", 3)]
    problem.settled_at = at("03-05 10:00")
    summary = weekly(agency, client)
    assert (summary.projects[0].problems, kinds(summary)) == ((), ["solved"])


def test_next_steps_are_the_mail_that_waits_then_the_next_step_of_the_run_then_tasks(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    sent = agency.mail(launch, lin, "03-03 15:00", "请看方案", from_us=True)
    steps = [
        {"after": "3 business days", "send": "followups/proposal-nudge-1", "release": "veto 4h"},
        {"after": "7 business days", "task": "给{{ contact.name }}打电话，聊聊{{ project.name }}"},
    ]
    run = agency.run(
        launch, sent, "proposal-unanswered", "03-12 10:00", step_index=1, definition=json.dumps({"step": steps})
    )
    agency.outgoing(
        client,
        lin,
        "Re: 请看方案",
        "03-06 20:00",
        created="03-06 16:00",
        project_id=launch.id,
        run_id=run.id,
        step=1,
        release="veto 4h",
    )
    agency.item("task", launch, "寄样品", "03-02 09:00", due=date(2026, 3, 20))
    planned = weekly(agency, client).projects[0].next_steps
    assert [(step.kind, step.what, step.to, step.release) for step in planned] == [
        ("follow_up", "Re: 请看方案", "林晓芸", "veto"),
        ("task", "给林晓芸打电话，聊聊冬季新品上市", "李雷", "now"),
        ("task", "寄样品", "李雷", "now"),
    ]


def test_a_mail_in_the_outbox_is_not_told_again_as_the_step_of_its_run(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    sent = agency.mail(launch, lin, "03-03 15:00", "请看方案", from_us=True)
    run = agency.run(launch, sent, "proposal-unanswered", "03-06 20:00")
    assert [step.what for step in weekly(agency, client).projects[0].next_steps] == ["Re: 冬季新品上市"]
    agency.outgoing(
        client, lin, "Re: 请看方案", "03-06 20:00", created="03-06 16:00", project_id=launch.id, run_id=run.id, step=1
    )
    assert [step.what for step in weekly(agency, client).projects[0].next_steps] == ["Re: 请看方案"]


def test_a_week_long_past_is_told_as_it_stood_then(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    agency.mail(launch, lin, "03-03 10:00", "请看方案", from_us=True, stage="proposal")
    agency.mail(launch, lin, "03-10 10:00", "合同寄出了吗？", stage="agreement")
    launch.stage, launch.stage_since = "agreement", at("03-10 10:00")
    past = weekly(agency, client, now="04-20 09:00").projects[0]
    assert (past.stage, past.waiting_on, past.next_steps) == ("proposal", "client", ())
    assert weekly(agency, client, due="03-13 17:00").projects[0].stage == "agreement"


def test_lost_and_finished_projects_are_told_only_in_the_week_of_their_last_mail(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    agency.mail(launch, lin, "03-03 10:00", "这次先不做了", waiting_on="nobody")
    launch.state = "lost"
    assert [project.waiting_on for project in weekly(agency, client).projects] == ["nobody"]
    assert weekly(agency, client, due="03-13 17:00").projects == ()


def test_those_that_wait_for_us_come_first(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    packaging = agency.project(client, "包装升级")
    agency.mail(launch, lin, "03-02 10:00", "请确认", from_us=True)
    agency.mail(packaging, lin, "03-05 10:00", "报价什么时候给？")
    assert [project.name for project in weekly(agency, client).projects] == ["包装升级", "冬季新品上市"]


# --- figures --------------------------------------------------------------------------------------------------------


def test_response_times_are_medians_of_business_hours_without_night_lunch_and_weekend(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    agency.mail(launch, lin, "03-02 17:00", "报价？")  # Monday evening: one hour left
    agency.mail(launch, lin, "03-03 10:00", "附上报价，请确认", from_us=True)  # 1 h + 1 h
    agency.mail(launch, lin, "03-03 15:00", "收到。能便宜些吗？")  # 10 to 15 without lunch: 4 h
    agency.mail(launch, lin, "03-03 15:30", "补充：要含税")
    agency.mail(launch, lin, "03-04 10:00", "可以降两个点", from_us=True, waiting_on="nobody")  # 3 h + 1 h since 15:00
    times = weekly(agency, client).response_times
    assert (times.us_hours, times.us_count) == (3.0, 2)
    assert (times.client_hours, times.client_count) == (4.0, 1)


def test_the_week_before_is_there_to_compare(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    agency.mail(launch, lin, "02-26 10:00", "在吗？")
    agency.mail(launch, lin, "02-26 11:00", "在的", from_us=True, waiting_on="nobody")
    summary = weekly(agency, client)
    assert (summary.response_times.us_hours, summary.response_times_before.us_hours) == (None, 1.0)


def test_thanks_that_ask_for_nothing_start_no_clock(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    agency.mail(launch, lin, "03-02 10:00", "谢谢！", waiting_on="nobody")
    agency.mail(launch, lin, "03-05 10:00", "不客气，另发方案", from_us=True)
    assert weekly(agency, client).response_times.us_count == 0


def test_messages_are_counted_by_the_agencys_day_and_every_one_once(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    agency.mail(launch, lin, "02-27 18:30", "周五晚上的信")  # after the summary of the week before
    agency.mail(launch, lin, "03-05 23:30", "夜里的信")
    agency.mail(launch, lin, "03-06 16:59", "刚好赶上", from_us=True)
    agency.mail(launch, lin, "03-06 17:00", "下一周的", from_us=True)
    days = {count.day.isoformat(): (count.received, count.sent) for count in weekly(agency, client).messages_by_day}
    assert list(days) == [f"2026-{day}" for day in ("02-28", "03-01", "03-02", "03-03", "03-04", "03-05", "03-06")]
    assert {day: both for day, both in days.items() if any(both)} == {
        "2026-02-28": (1, 0),
        "2026-03-05": (1, 0),
        "2026-03-06": (0, 1),
    }


# --- empty ----------------------------------------------------------------------------------------------------------


def test_a_week_without_anything_is_empty_and_one_in_which_somebody_waits_for_us_is_not(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    assert is_empty(weekly(agency, client))
    agency.mail(launch, lin, "02-26 11:00", "报价？")
    assert not is_empty(weekly(agency, client))


def test_an_unknown_client_is_an_error(agency: Agency) -> None:
    period = Period(
        datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC), date(2026, 3, 1), date(2026, 3, 7)
    )
    around = agency.office.surroundings
    with pytest.raises(LookupError, match="no client 99"):
        collect_weekly(agency.session, around, 99, around.colleague(LILEI), period, at("03-08 09:00"))


def test_a_flood_of_mail_is_capped_but_counted(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    for number in range(150):
        agency.mail(
            launch,
            lin,
            f"03-0{2 + number % 5} 10:{number // 5:02}",
            f"第{number}封",
            thread_id=None,
            intents=["meeting"],
        )
    summary = weekly(agency, client)
    assert len(summary.happened) == 40
    assert sum(day.received for day in summary.messages_by_day) == 150
