"""What a colleague decides about a cadence under way, and how they hear that there is something to decide."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.store.tables import AuditEntry, CadenceRunRow, OutboxMessage
from parsers import parse
from tests.offices import ASSISTANT, CHEN, HAN, LILEI, MONDAY, Office, command, mail, open_office, write_config

LATE = MONDAY + timedelta(days=10)
"""Ten days later, after the daemon stood still: the first follow-up was due a week ago."""


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = open_office(write_config(tmp_path))
    office.clock.move_to(MONDAY + timedelta(hours=1))
    office.hear(
        mail(
            "方案请见附件。#proposal",
            originator=LILEI,
            to=(CHEN,),
            cc=(ASSISTANT,),
            message_id="proposal@lanhai.example",
        )
    )
    office.clock.move_to(LATE)
    office.workplace.decide_all()
    office.workplace.decide_due()
    office.workplace.plan()
    return office


def run_of(office: Office) -> CadenceRunRow:
    with office.session() as session:
        (row,) = session.scalars(select(CadenceRunRow))
        return row


def test_a_late_step_asks_its_owner_and_the_mail_names_the_commands(office: Office) -> None:
    run = run_of(office)
    assert (run.status, run.reason) == ("paused", "late")
    assert office.outbox() == []
    with office.session() as session:
        (asked,) = session.scalars(select(OutboxMessage).where(OutboxMessage.purpose == "reminder"))
    assert asked.recipients == [LILEI]
    text = parse(asked.raw).text
    assert f"assistant runs resume {run.id}" in text
    assert f"assistant runs skip {run.id}" in text


def decide(office: Office, order: str) -> str:
    from assistant.deciding import decide_by_hand

    return decide_by_hand(office.workplace, run_of(office).id, order, LILEI)  # type: ignore[arg-type]  # one of ORDERS


def test_a_run_that_is_resumed_sends_its_step_now_and_keeps_the_distance_of_the_next(office: Office) -> None:
    decide(office, "resume")
    (row,) = office.outbox()
    assert (row.step, row.due_at, row.state) == (1, LATE, "queued")
    run = run_of(office)
    assert (run.status, run.step_index) == ("active", 1)
    assert run.due_at > LATE + timedelta(days=3), "four business days after the first, as the rule has it"
    assert "does not wait for a colleague" in decide(office, "resume")


def test_a_step_that_is_skipped_is_never_sent_and_the_next_comes_in_its_time(office: Office) -> None:
    said = decide(office, "skip")
    assert "step 2 is due" in said
    assert office.outbox() == []
    office.clock.move_to(run_of(office).due_at)
    office.workplace.decide_due()
    assert [row.step for row in office.outbox()] == [2]


def test_a_run_that_is_held_waits_until_it_is_resumed(office: Office) -> None:
    decide(office, "resume")
    decide(office, "hold")
    office.clock.move_to(LATE + timedelta(days=30))
    office.workplace.decide_due()
    assert (run_of(office).status, run_of(office).reason) == ("paused", "by-hand")
    assert len(office.outbox()) == 1


def test_a_run_that_is_stopped_takes_its_mail_with_it_and_says_who_did(office: Office) -> None:
    decide(office, "resume")
    assert decide(office, "stop") == "stopped: by-hand"
    (row,) = office.outbox()
    assert (row.state, row.reason) == ("cancelled", "by-hand")
    assert "stopped already" in decide(office, "skip")
    with office.session() as session:
        events = [(one.who, one.event) for one in session.scalars(select(AuditEntry)) if one.event.startswith("run-")]
    assert events == [(LILEI, "run-resume"), (LILEI, "run-stop")]


def test_the_commands_list_and_decide(office: Office) -> None:
    number = run_of(office).id
    office.workplace.database.close()
    listed = command(office.config_file, "runs", "list", "--json")
    assert '"reason": "late"' in listed.out
    assert command(office.config_file, "runs", "stop", str(number)).status == 0
    assert command(office.config_file, "runs", "list", "--json").out == ""
    unknown = command(office.config_file, "runs", "resume", "999")
    assert unknown.status == 2
    assert "runs list" in unknown.err


def test_a_template_is_shown_with_the_facts_of_one_client(office: Office) -> None:
    office.workplace.database.close()
    shown = command(office.config_file, "templates", "preview", "followups/proposal-nudge-1", "--client", "mingshan")
    assert shown.status == 0, shown.err
    assert CHEN in shown.err
    assert "新茶上市" in shown.out
    greeting = command(office.config_file, "templates", "preview", "greetings/mid-autumn", "--client", "1")
    assert greeting.status == 0, greeting.err
    assert "中秋" in greeting.out
    for wrong in ("staff/veto-digest", "greetings/no-such"):
        assert command(office.config_file, "templates", "preview", wrong, "--client", "1").status == 2


def test_an_escalation_never_goes_to_who_was_told_before(tmp_path: Path) -> None:
    """Nobody is a director here: it goes to the operator."""
    office = open_office(write_config(tmp_path, more=""))
    text = office.config_file.read_text(encoding="utf-8")
    office.config_file.write_text(text.replace("[store]", f'operator = "{HAN}"\n[store]'), encoding="utf-8")
    office = open_office(office.config_file)
    office.hear(mail("预算能再低一点吗？"))
    office.clock.move_to(MONDAY + timedelta(days=3))
    office.workplace.plan()
    with office.session() as session:
        from assistant.store.tables import StaffNote

        told = {(note.kind, note.to_address) for note in session.scalars(select(StaffNote))}
    assert {("question", LILEI), ("escalation", HAN)} <= told
