"""The month's review, counted from real rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from assistant.rendering import Templates
from assistant.reports.review import ClientReview, Review, collect_review, month_period
from assistant.store.tables import Client, Contact, Project
from tests.reports.agency import LILEI, TOM, ZONE, Agency, at, opened


@pytest.fixture
def agency(tmp_path: Path, templates: Templates) -> Iterator[Agency]:
    with opened(tmp_path, templates) as built:
        yield built


def march(agency: Agency, client: Client | None = None, now: str = "04-15 09:00") -> Review:
    ids = [client.id] if client is not None else None
    return collect_review(agency.session, agency.office.surroundings, date(2026, 3, 1), at(now), ids)


def only(review: Review) -> ClientReview:
    (client,) = review.clients
    return client


def dairy(agency: Agency) -> tuple[Client, Contact, Project]:
    client = agency.client("青禾乳业")
    return (
        client,
        agency.contact(client, "林晓芸", "linxy@qinghe-dairy.example"),
        agency.project(client, "冬季新品上市"),
    )


def test_a_month_is_one_of_the_agencys_calendar() -> None:
    period = month_period(date(2026, 2, 1), ZONE)
    assert (period.start, period.end) == (at("02-01 00:00"), at("03-01 00:00"))
    assert (period.first_day, period.last_day) == (date(2026, 2, 1), date(2026, 2, 28))


def test_mail_and_response_times_of_both_sides(agency: Agency) -> None:
    _, lin, launch = dairy(agency)
    agency.mail(launch, lin, "02-27 10:00", "上个月的", waiting_on="nobody")
    agency.mail(launch, lin, "03-02 10:00", "报价？")
    agency.mail(launch, lin, "03-02 11:00", "附上报价，请确认", from_us=True)
    agency.mail(launch, lin, "03-03 11:00", "可以", waiting_on="nobody")
    found = only(march(agency))
    assert (found.received, found.sent) == (2, 1)
    assert (found.us_hours, found.us_answers, found.client_hours, found.client_answers) == (1.0, 1, 8.0, 1)


def test_whoever_answered_is_credited_with_it(agency: Agency) -> None:
    _, lin, launch = dairy(agency)
    agency.mail(launch, lin, "03-02 10:00", "报价？")
    agency.mail(launch, lin, "03-02 11:00", "附上", from_us=True, originator=TOM, waiting_on="nobody")
    agency.mail(launch, lin, "03-03 10:00", "还有一事", from_us=True, waiting_on="nobody")
    people = {
        person.address: (person.person, person.sent, person.hours, person.answers) for person in march(agency).people
    }
    assert people == {TOM: ("Tom Fowler", 1, 1.0, 1), LILEI: ("李雷", 1, None, 0)}


def test_time_in_a_stage_is_counted_when_it_is_left_and_against_its_target(agency: Agency) -> None:
    _, lin, launch = dairy(agency)
    first = agency.mail(launch, lin, "02-26 10:00", "需求如下")
    agency.stage_change(launch, first, "", "discovery")
    second = agency.mail(launch, lin, "03-12 10:00", "需求确认")
    agency.stage_change(launch, second, "discovery", "proposal")
    stages = {stage.stage: stage for stage in only(march(agency)).stages}
    assert (stages["discovery"].median_days, stages["discovery"].target_days, stages["discovery"].over) == (11.0, 5, 1)
    assert (stages["proposal"].projects, stages["proposal"].over) == (1, 0)


def test_steps_back_are_counted_but_a_new_enquiry_is_none(agency: Agency) -> None:
    _, lin, launch = dairy(agency)
    for day, (before, after) in enumerate(
        (("agreement", "proposal"), ("relationship", "discovery"), ("proposal", "closing"))
    ):
        agency.stage_change(launch, agency.mail(launch, lin, f"03-0{day + 2} 10:00", "进展"), before, after)
    assert only(march(agency)).stages_back == 1


def test_feedback_without_an_answer_is_counted_by_project(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    packaging = agency.project(client, "包装升级")
    agency.mail(launch, lin, "03-02 10:00", "颜色太冷", intents=["feedback"])
    agency.mail(launch, lin, "03-03 10:00", "收到，我们改", from_us=True)
    agency.mail(packaging, lin, "03-04 10:00", "字体太小", intents=["feedback"])
    agency.mail(packaging, lin, "03-04 11:00", "谢谢", intents=["satisfaction"])
    found = only(march(agency))
    assert (found.feedback_open, found.satisfaction) == (1, 1)


def test_problems_open_at_the_end_of_the_month_and_those_overdue(agency: Agency) -> None:
    _, lin, launch = dairy(agency)
    agency.mail(launch, lin, "03-02 10:00", "有问题")
    agency.item("complaint", launch, "拖了很久", "03-02 10:00")
    agency.item("complaint", launch, "刚提", "03-31 10:00")
    agency.item("complaint", launch, "解决了", "03-02 10:00", settled_at=at("03-05 10:00"))
    agency.item("complaint", launch, "四月才解决", "03-30 10:00", settled_at=at("04-02 10:00"))
    found = only(march(agency))
    assert (found.problems_open, found.problems_overdue) == (3, 1)


def test_a_follow_up_is_answered_by_what_came_before_the_next_one(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    rule = {"rule": "proposal-unanswered", "rule_version": "v1", "project_id": launch.id}
    for day in ("03-03", "03-10"):
        agency.outgoing(client, lin, "Re: 方案", f"{day} 10:00", state="sent", settled=f"{day} 10:00", **rule)
    agency.outgoing(client, lin, "Re: 方案", "03-17 10:00", state="vetoed", settled="03-17 09:00", **rule)
    agency.outgoing(
        client, lin, "Re: 方案", "03-18 10:00", state="cancelled", settled="03-18 09:00", reason="reply", **rule
    )
    agency.mail(launch, lin, "03-12 10:00", "看过了，不错")
    (found,) = march(agency).rules
    assert (found.rule, found.sent, found.answered, found.vetoed, found.cancelled) == (
        "proposal-unanswered",
        2,
        1,
        1,
        1,
    )


def test_an_answer_after_two_weeks_or_in_another_project_does_not_count(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    other = agency.project(client, "包装升级")
    rule = {"rule": "proposal-unanswered", "project_id": launch.id}
    agency.outgoing(client, lin, "Re: 方案", "03-03 10:00", state="sent", settled="03-03 10:00", **rule)
    agency.mail(other, lin, "03-04 10:00", "包装的事")
    agency.mail(launch, lin, "03-19 10:00", "方案的事")
    assert march(agency).rules[0].answered == 0


def test_versions_of_a_rule_stand_side_by_side(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    for day, version in (("03-03", "v1"), ("03-10", "v1"), ("03-17", "v2")):
        agency.outgoing(
            client,
            lin,
            "Re: 方案",
            f"{day} 10:00",
            state="sent",
            settled=f"{day} 10:00",
            rule="nudge",
            rule_version=version,
            project_id=launch.id,
        )
    assert [(rule.version, rule.sent) for rule in march(agency).rules] == [("v1", 2), ("v2", 1)]


def test_a_review_of_one_client_has_nothing_of_another(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    other = agency.client("北辰家居")
    zhou = agency.contact(other, "周一", "zhou@beichen.example")
    agency.mail(launch, lin, "03-02 10:00", "报价？")
    agency.mail(agency.project(other, "开业"), zhou, "03-02 10:00", "几点？")
    agency.outgoing(other, zhou, "Re: 开业", "03-03 10:00", state="sent", settled="03-03 10:00", rule="nudge")
    assert [one.client for one in march(agency).clients] == ["北辰家居", "青禾乳业"]
    found = march(agency, client)
    assert ([one.client for one in found.clients], found.rules) == (["青禾乳业"], ())


def test_a_month_without_mail_is_empty(agency: Agency) -> None:
    dairy(agency)
    found = march(agency)
    assert (found.clients, found.people, found.rules) == ((), (), ())
