"""Somebody asks to be left alone, or an address dies: what waits for them is taken back, and staff hear of it once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.store.facts import DatabaseFacts
from assistant.store.tables import CadenceRunRow, OutboxMessage, Suppression
from tests.offices import (
    CHEN,
    DUE,
    INQUIRY,
    LILEI,
    MONDAY,
    PROPOSAL,
    WANG,
    Office,
    bounce,
    mail,
    open_office,
    write_config,
)

SHIPPED = Path(__file__).parent.parent.parent / "rules"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A follow-up to Chen waits for its veto period to end."""
    rules = tmp_path / "rules"
    rules.mkdir()
    for file in SHIPPED.glob("*.toml"):
        text = file.read_text(encoding="utf-8")
        wanted = 'send  = "followups/proposal-nudge-1"'
        (rules / file.name).write_text(text.replace(wanted, wanted + '\n  release = "veto 4h"'), encoding="utf-8")
    office = open_office(write_config(tmp_path))
    office.hear(INQUIRY)
    office.clock.move_to(MONDAY + timedelta(hours=2))
    office.hear(PROPOSAL)
    office.clock.move_to(DUE)
    office.workplace.decide_due()
    (row,) = office.outbox()
    assert row.state == "queued"
    return office


def notices(office: Office) -> list[OutboxMessage]:
    with office.session() as session:
        return list(
            session.scalars(select(OutboxMessage).where(OutboxMessage.purpose == "notice").order_by(OutboxMessage.id))
        )


@pytest.mark.parametrize(
    ("words", "scope"),
    [
        ("停止提醒", "follow-ups"),
        ("stop", "follow-ups"),
        ("请停止提醒这件事", "thread"),
        ("退订", "all"),
        ("Unsubscribe", "all"),
    ],
)
def test_an_opt_out_takes_back_the_follow_up_and_staff_hear_once(office: Office, words: str, scope: str) -> None:
    office.hear(mail(words, at=DUE, answers=("proposal@lanhai.example",)))
    (row,) = office.outbox()
    assert (row.state, row.reason) == ("cancelled", "opt-out")
    with office.session() as session:
        assert [item.scope for item in session.scalars(select(Suppression))] == [scope]
    for _ in range(3):
        office.workplace.plan()
        office.move(minutes=10)
    (notice,) = notices(office)
    assert notice.recipients == [LILEI]


def test_no_more_greetings_leaves_the_follow_up_to_its_own_rules(office: Office) -> None:
    """The answer itself ends the follow-up; the wish is not its reason."""
    office.hear(mail("不用再发节日问候了", at=DUE, answers=("proposal@lanhai.example",)))
    (row,) = office.outbox()
    assert (row.state, row.reason) == ("cancelled", "reply")


def test_an_opt_out_by_somebody_else_at_the_client_is_theirs_alone(office: Office) -> None:
    office.hear(mail("退订", originator=WANG, subject="退订", at=DUE))
    with office.session() as session:
        assert [item.addr_spec for item in session.scalars(select(Suppression))] == [WANG]


def test_a_bounce_takes_back_what_waits_and_ends_the_cadence(office: Office) -> None:
    office.hear(bounce(CHEN, at=DUE))
    (row,) = office.outbox()
    assert (row.state, row.reason) == ("cancelled", "bounce")
    with office.session() as session:
        (run,) = session.scalars(select(CadenceRunRow))
        assert (run.status, run.reason) == ("stopped", "bounce")
    office.workplace.plan()
    office.workplace.plan()
    (notice,) = notices(office)
    assert notice.recipients == [LILEI]


def test_a_bounce_of_an_uncertain_mail_proves_that_it_was_taken(office: Office) -> None:
    with office.session() as session:
        (row,) = session.scalars(select(OutboxMessage).where(OutboxMessage.audience == "client"))
        row.state = "uncertain"
        own = row.message_id
    office.hear(bounce(CHEN, at=DUE, original=own))
    (row,) = office.outbox()
    assert (row.state, row.reason) == ("sent", "bounced")


def test_the_next_step_of_every_cadence_counts_as_planned_mail(office: Office) -> None:
    """The order in the outbox and the run's next step are both what Chen will get."""
    with office.session() as session:
        facts = DatabaseFacts(session, office.workplace.directory, DUE)
        (run,) = session.scalars(select(CadenceRunRow))
        (chen,) = [one for one in facts.client(1).contacts if one.address == CHEN]
        head = f"send:{run.project_id}:{run.cadence}:{run.anchor_record_id}"
        assert {mail.dedupe_key for mail in chen.planned} == {f"{head}:1", f"{head}:{run.step_index + 1}"}
