"""What a person should confirm, what is ahead, and that no client's week holds anything of another's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from assistant.rendering import Templates
from assistant.reports.weekly import render_weekly
from assistant.store.tables import Client, Correction, Record, Suppression
from tests.reports.agency import LILEI, TOM, Agency, at, dairy, opened, weekly


@pytest.fixture
def agency(tmp_path: Path, templates: Templates) -> Iterator[Agency]:
    with opened(tmp_path, templates) as built:
        yield built


# --- unsure ---------------------------------------------------------------------------------------------------------


def doubtful(agency: Agency) -> tuple[Client, Record]:
    client, lin, launch = dairy(agency)
    ranked = [["agreement", 0.44], ["execution", 0.41], ["closing", 0.15]]
    record = agency.mail(
        launch, lin, "03-03 10:00", "改到几点？", stage="agreement", stage_confidence=0.44, stage_probabilities=ranked
    )
    return client, record


def test_a_doubtful_stage_is_asked_with_two_candidates_and_the_command(agency: Agency) -> None:
    client, record = doubtful(agency)
    (label,) = weekly(agency, client).unsure
    assert label.about == "stage"
    assert [(one.value, one.name, one.confidence) for one in label.candidates] == [
        ("agreement", "方案确认", 0.44),
        ("execution", "项目执行", 0.41),
    ]
    assert label.correct_with == f"assistant message correct {record.id} --stage"


def test_what_a_person_set_right_is_not_asked_again(agency: Agency) -> None:
    client, record = doubtful(agency)
    agency.session.add(
        Correction(message_id=record.message_id, field="stage", value="agreement", by=LILEI, at=at("03-03 11:00"))
    )
    agency.session.flush()
    assert weekly(agency, client).unsure == ()


def test_a_step_back_is_asked_with_the_stage_that_it_came_from(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    record = agency.mail(launch, lin, "03-03 10:00", "方案还要再想想", stage="proposal", stage_confidence=0.8)
    agency.stage_change(launch, record, "agreement", "proposal", asked=True)
    (label,) = weekly(agency, client).unsure
    assert [one.value for one in label.candidates] == ["proposal", "agreement"]


def test_a_doubtful_project_is_asked_once_a_thread_among_this_clients_projects(agency: Agency) -> None:
    client, lin, launch = dairy(agency)
    other = agency.project(client, "抖音达人种草", last="03-02 10:00")
    thread = agency.thread(launch, "一些想法", confidence=0.46)
    for hour in (10, 11):
        agency.mail(launch, lin, f"03-03 {hour}:00", "一些想法", thread_id=thread.id, base_subject="一些想法")
    (label,) = weekly(agency, client).unsure
    assert label.about == "project"
    assert [one.value for one in label.candidates] == [str(launch.id), str(other.id)]
    assert label.candidates[0].confidence >= label.candidates[1].confidence


# --- ahead ----------------------------------------------------------------------------------------------------------


def test_festivals_of_the_clients_country_come_with_the_days_it_is_closed(agency: Agency) -> None:
    client, _, _ = dairy(agency)
    ahead = weekly(agency, client, due="02-06 17:00").festivals_next
    assert [(one.name, one.day, one.closed_from, one.closed_to) for one in ahead] == [
        ("春节", date(2026, 2, 17), date(2026, 2, 15), date(2026, 2, 23))
    ]


def test_a_client_elsewhere_has_its_own_festivals(agency: Agency) -> None:
    client = agency.client("Fennick Oats", country="US", zone="America/New_York", language="en")
    agency.project(client, "Winter launch", since="11-01 10:00")
    ahead = weekly(agency, client, reader=TOM, due="11-20 17:00").festivals_next
    assert [(one.name, one.day) for one in ahead] == [("Thanksgiving", date(2026, 11, 26))]
    assert ahead[0].closed_from == date(2026, 11, 26)


def test_a_planned_greeting_is_named_with_its_festival(agency: Agency) -> None:
    client, lin, _ = dairy(agency)
    agency.outgoing(
        client,
        lin,
        "新春",
        "02-14 09:00",
        created="02-06 09:00",
        purpose="greeting",
        details={"festival": "spring-festival"},
    )
    summary = weekly(agency, client, due="02-06 17:00")
    assert [(one.name, one.greeted) for one in summary.festivals_next] == [("春节", ("林晓芸",))]
    assert [(step.kind, step.what) for step in summary.greetings_next] == [("greeting", "春节")]


# --- nobody else's --------------------------------------------------------------------------------------------------


def busy_client(agency: Agency, mark: str) -> Client:
    """A client with a row of every kind, each text of which carries `mark`."""
    client = agency.client(f"{mark}公司")
    contact = agency.contact(client, f"{mark}人", f"{mark.lower()}@{mark.lower()}.example")
    project, other = agency.project(client, f"{mark}项目"), agency.project(client, f"{mark}另一项目")
    thread = agency.thread(project, f"{mark}主题", confidence=0.46)
    for number, intents in enumerate((["question"], ["complaint"], ["change_request"], ["approval"], ["meeting"])):
        record = agency.mail(
            project,
            contact,
            f"03-0{number + 2} 10:00",
            f"{mark}第{number}封",
            intents=intents,
            thread_id=thread.id,
            stage_confidence=0.4,
        )
        agency.mail(project, contact, f"03-0{number + 2} 14:00", f"{mark}回复{number}", from_us=True)
        agency.stage_change(project, record, "proposal", "agreement", asked=True)
        agency.sign_off(record, "proposal")
    for kind in ("complaint", "commitment", "task", "question", "change_request"):
        agency.item(kind, project, f"{mark}{kind}", "03-03 10:00", due=date(2026, 3, 9))
    agency.run(project, record, f"{mark}-cadence", "03-10 10:00")
    for state, settled in (("queued", None), ("sent", "03-04 10:00"), ("cancelled", "03-04 11:00")):
        agency.outgoing(
            client,
            contact,
            f"{mark}跟进",
            "03-06 18:00",
            created="03-03 10:00",
            state=state,
            settled=settled,
            project_id=other.id,
            reason="reply",
        )
    agency.outgoing(client, contact, f"{mark}问候", "03-08 09:00", created="03-05 09:00", purpose="greeting")
    row = Suppression(
        addr_spec=contact.addr_spec, scope="all", reason="opt-out", evidence=mark, since=at("03-04 10:00")
    )
    agency.session.add(row)
    agency.session.flush()
    return client


def test_a_summary_never_contains_anything_of_another_client(agency: Agency) -> None:
    one, other = busy_client(agency, "ALPHA"), busy_client(agency, "OMEGA")
    for client, own, foreign in ((one, "ALPHA", "OMEGA"), (other, "OMEGA", "ALPHA")):
        summary = weekly(agency, client)
        mail = render_weekly(summary, agency.templates)
        everything = f"{summary!r}{mail.subject}{mail.text}{mail.html}".upper()
        assert own in everything
        assert foreign not in everything


def test_a_record_moved_to_another_client_takes_its_contacts_name_not_along(agency: Agency) -> None:
    client, lin, _ = dairy(agency)
    other = agency.client("北辰家居")
    project = agency.project(other, "旗舰店开业")
    agency.mail(project, lin, "03-03 10:00", "请确认", from_us=True)
    assert "林晓芸" not in repr(weekly(agency, other))
    assert weekly(agency, client).happened == ()
