"""Notes to colleagues: urgent ones at once, the others one mail a morning, none for what is no longer true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.rendering import Templates
from assistant.store.tables import AuditEntry, Client, Contact, OpenItem, Project, Record, StaffNote
from tests.reports.agency import HANMEI, LILEI, TOM, Agency, at, opened


@pytest.fixture
def agency(tmp_path: Path, templates: Templates) -> Iterator[Agency]:
    with opened(tmp_path, templates) as built:
        yield built


def dairy(agency: Agency) -> tuple[Client, Contact, Project]:
    client = agency.client("青禾乳业")
    contact = agency.contact(client, "林晓芸", "linxy@qinghe-dairy.example", birthday="03-05")
    return client, contact, agency.project(client, "冬季新品上市")


def asked(agency: Agency) -> tuple[Project, Contact, Record]:
    _, lin, launch = dairy(agency)
    return launch, lin, agency.mail(launch, lin, "03-02 10:00", "门店物料哪天到仓？", intents=["question"])


def question(agency: Agency, launch: Project, record: Record, **more: object) -> StaffNote:
    key = f"remind:question:{record.id}:{LILEI}"
    values = {"urgent": True, "project_id": launch.id, "record_id": record.id, "contact_id": record.contact_id}
    return agency.note("question", key, "03-03 10:00", text=record.summary, due="03-03 12:00", **{**values, **more})


def left(agency: Agency) -> list[str]:
    return list(agency.session.scalars(select(StaffNote.kind).where(StaffNote.outbox_id.is_(None))))


# --- urgent ---------------------------------------------------------------------------------------------------------


def test_an_urgent_note_is_a_mail_of_its_own_once(agency: Agency) -> None:
    launch, _, record = asked(agency)
    note = question(agency, launch, record)
    assert agency.notes("03-03 09:59") == []
    (mail,) = agency.notes("03-03 10:00")
    assert (mail.to_address, mail.purpose, mail.note_ids) == (LILEI, "reminder", (note.id,))
    assert "门店物料哪天到仓？" in mail.rendered.text
    (row,) = agency.queue([mail], "03-03 10:00")
    agency.session.refresh(note)
    assert note.outbox_id == row.id
    assert agency.notes("03-03 10:01") == []


def test_a_question_answered_meanwhile_is_dropped_and_the_reason_kept(agency: Agency) -> None:
    launch, lin, record = asked(agency)
    question(agency, launch, record)
    agency.mail(launch, lin, "03-03 09:30", "周四到仓", from_us=True)
    assert agency.notes("03-03 10:00") == []
    assert left(agency) == []
    entry = agency.session.scalar(select(AuditEntry).where(AuditEntry.event == "note-dropped"))
    assert entry is not None
    assert entry.details["reason"] == "answered"


def test_an_escalation_says_who_was_told_before_in_the_language_of_who_reads(agency: Agency) -> None:
    launch, _, record = asked(agency)
    question(agency, launch, record)
    agency.queue(agency.notes("03-03 10:00"), "03-03 10:00")
    key = f"remind:escalation:{record.id}:{HANMEI}"
    agency.note(
        "escalation",
        key,
        "03-03 16:00",
        to=HANMEI,
        urgent=True,
        text=record.summary,
        project_id=launch.id,
        record_id=record.id,
    )
    (mail,) = agency.notes("03-03 16:00")
    assert (mail.to_address, mail.rendered.language) == (HANMEI, "zh-Hant")
    assert "李雷" in mail.rendered.text


def test_a_note_to_nobody_goes_to_the_first_of_the_staff(agency: Agency) -> None:
    launch, _, record = asked(agency)
    question(agency, launch, record, to="")
    assert [mail.to_address for mail in agency.notes("03-03 10:00")] == [LILEI]


# --- one mail a morning ---------------------------------------------------------------------------------------------


def some_notes(agency: Agency, when: str = "03-03 09:00") -> Project:
    _, lin, launch = dairy(agency)
    promise = agency.item("commitment", launch, "核价表", "03-01 10:00", due=date(2026, 3, 4))
    agency.note("commitment", f"remind:commitment:{promise.id}:due:{LILEI}", when, text="核价表", project_id=launch.id)
    over = f"remind:stage-over-target:{launch.id}:proposal:2026-02-10:{LILEI}"
    launch.stage_since = at("02-10 10:00")
    agency.note("stage-over-target", over, when, text="14 / 10", project_id=launch.id)
    agency.note(
        "sign-off-missing",
        f"remind:sign-off-missing:{launch.id}:requirements:{LILEI}",
        when,
        text="requirements",
        project_id=launch.id,
    )
    agency.note(
        "birthday",
        f"remind:birthday:{lin.id}:2026:{LILEI}",
        when,
        text="林晓芸 2026-03-05",
        client_id=lin.client_id,
        contact_id=lin.id,
    )
    return launch


def test_what_is_not_urgent_is_one_mail_a_morning_for_each_person(agency: Agency) -> None:
    some_notes(agency)
    agency.note("no-contact", f"remind:no-contact:1:2:{TOM}", "03-03 09:00", to=TOM, text="2026-01-02")
    assert agency.notes("03-03 08:59") == []
    mails = {mail.to_address: mail for mail in agency.notes("03-03 09:00")}
    assert set(mails) == {LILEI, TOM}
    assert len(mails[LILEI].note_ids) == 4
    text = mails[LILEI].rendered.text
    assert all(words in text for words in ("核价表", "需求还没有书面确认", "林晓芸", "方案沟通"))
    assert mails[TOM].rendered.language == "en"


def test_nothing_to_tell_is_no_mail(agency: Agency) -> None:
    assert agency.notes("03-03 09:00") == []


def test_a_second_mail_on_the_same_morning_waits_for_the_next_working_morning(agency: Agency) -> None:
    launch = some_notes(agency, "03-06 09:00")
    agency.queue(agency.notes("03-06 09:00"), "03-06 09:00")
    promise = agency.item("commitment", launch, "样片", "03-01 10:00", due=date(2026, 3, 10))
    agency.note(
        "commitment", f"remind:commitment:{promise.id}:due:{LILEI}", "03-06 09:20", text="样片", project_id=launch.id
    )
    for quiet in ("03-06 09:20", "03-06 18:00", "03-07 09:30", "03-08 09:30", "03-09 03:00", "03-09 09:19"):
        assert agency.notes(quiet) == [], quiet
    (mail,) = agency.notes("03-09 09:20")
    assert "样片" in mail.rendered.text


def test_after_a_morning_without_power_it_is_told_when_the_power_is_back(agency: Agency) -> None:
    some_notes(agency)
    assert len(agency.notes("03-03 15:00")) == 1


def _keep_the_promise(agency: Agency, _launch: Project, _lin: Contact) -> None:
    for item in agency.session.scalars(select(OpenItem)):
        item.settled_at = at("03-02 10:00")


def _move_on(_agency: Agency, launch: Project, _lin: Contact) -> None:
    launch.stage = "agreement"


def _sign(agency: Agency, launch: Project, lin: Contact) -> None:
    agency.sign_off(agency.mail(launch, lin, "03-02 10:00", "需求确认无误"), "requirements")


def _leave(_agency: Agency, _launch: Project, lin: Contact) -> None:
    lin.tags = ["left"]


@pytest.mark.parametrize(
    ("kind", "settle"),
    [
        ("commitment", _keep_the_promise),
        ("stage-over-target", _move_on),
        ("sign-off-missing", _sign),
        ("birthday", _leave),
    ],
)
def test_what_was_settled_before_the_morning_is_not_told(
    agency: Agency, kind: str, settle: Callable[[Agency, Project, Contact], None]
) -> None:
    launch = some_notes(agency)
    lin = agency.session.scalars(select(Contact)).one()
    settle(agency, launch, lin)
    agency.session.flush()
    (mail,) = agency.notes("03-03 09:00")
    assert len(mail.note_ids) == 3
    assert kind not in left(agency)


def test_nothing_is_told_of_a_project_that_is_over(agency: Agency) -> None:
    launch = some_notes(agency)
    launch.state = "over"
    (mail,) = agency.notes("03-03 09:00")
    assert "核价表" not in mail.rendered.text
    assert left(agency) == ["birthday"]


def test_when_all_is_settled_no_mail_is_made(agency: Agency) -> None:
    _, _, launch = dairy(agency)
    promise = agency.item(
        "commitment", launch, "核价表", "03-01 10:00", due=date(2026, 3, 4), settled_at=at("03-02 10:00")
    )
    agency.note("commitment", f"remind:commitment:{promise.id}:due:{LILEI}", "03-03 09:00", project_id=launch.id)
    assert agency.notes("03-03 09:00") == []
    assert left(agency) == []


# --- mail that waits, late steps, tasks -----------------------------------------------------------------------------


def test_mail_that_waits_for_a_yes_is_named_with_the_command_and_dropped_once_decided(agency: Agency) -> None:
    client, lin, _ = dairy(agency)
    row = agency.outgoing(client, lin, "合同", "03-01 10:00", state="waiting_approval", release="approval")
    agency.note("waiting", f"remind:waiting:{row.id}:2026-03-03:{LILEI}", "03-03 09:00", text="合同")
    (mail,) = agency.notes("03-03 09:00")
    assert f"assistant outbox approve {row.id}" in mail.rendered.text
    row.state = "vetoed"
    assert agency.notes("03-03 09:00") == []


def test_an_owner_is_asked_about_a_step_that_is_too_late_until_the_run_goes_on(agency: Agency) -> None:
    _, lin, launch = dairy(agency)
    sent = agency.mail(launch, lin, "02-10 10:00", "请看方案", from_us=True)
    run = agency.run(launch, sent, "proposal-unanswered", "02-16 10:00", status="paused", reason="late")
    key = f"ask:{launch.id}:proposal-unanswered:{sent.id}:1"
    agency.note(
        "ask-owner",
        key,
        "03-03 10:00",
        urgent=True,
        rule="proposal-unanswered",
        project_id=launch.id,
        text="followups/x",
    )
    (mail,) = agency.notes("03-03 10:00")
    assert "proposal-unanswered" in mail.rendered.text
    run.status = "stopped"
    assert agency.notes("03-03 10:00") == []


def test_a_task_is_told_on_the_morning_of_its_day_once(agency: Agency) -> None:
    _, _, launch = dairy(agency)
    agency.item("task", launch, "给林晓芸打电话", "03-03 10:00", due=date(2026, 3, 5))
    assert agency.notes("03-04 12:00") == []
    (mail,) = agency.notes("03-05 09:00")
    assert "给林晓芸打电话" in mail.rendered.text
    agency.queue([mail], "03-05 09:00")
    assert agency.notes("03-06 09:00") == []
