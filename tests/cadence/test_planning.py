"""Nothing is looked at twice for nothing, and nothing is overlooked: what makes a client worth another look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select

from assistant.cadence.planning import PlannedMoments
from assistant.store.facts import DatabaseFacts
from assistant.store.tables import AuditEntry, StaffNote
from tests.offices import ASSISTANT, CHEN, LILEI, MONDAY, Office, mail, open_office, write_config

OTHER = "mark@hartleaf.example"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Two clients, each with a proposal that waits for them."""
    office = open_office(write_config(tmp_path))
    office.clock.move_to(MONDAY + timedelta(hours=1))
    for client in (CHEN, OTHER):
        office.hear(mail("方案请见附件。#proposal", originator=LILEI, to=(client,), cc=(ASSISTANT,)))
    return office


def due(office: Office, moments: PlannedMoments, rules: str = "") -> Sequence[int]:
    with office.session() as session:
        return moments.due(session, rules or office.workplace.cadence.rules.version, office.clock.now())


def looked(office: Office) -> PlannedMoments:
    office.workplace.__dict__["moments"] = moments = PlannedMoments()
    office.workplace.plan()
    assert due(office, moments) == []
    return moments


def test_after_a_start_everybody_is_looked_at(office: Office) -> None:
    assert due(office, PlannedMoments()) == [1, 2]


def test_a_message_concerns_its_own_client(office: Office) -> None:
    moments = looked(office)
    office.hear(mail("收到，下周回复。", originator=OTHER, at=office.clock.now()))
    assert due(office, moments) == [2]


def test_edited_rules_and_midnight_and_a_clock_that_went_back_concern_everybody(office: Office) -> None:
    moments = looked(office)
    assert due(office, moments, rules="edited") == [1, 2]
    moments = looked(office)
    office.move(days=1)
    assert list(due(office, moments)) == [1, 2]
    moments = looked(office)
    office.clock.move_to(MONDAY)
    assert due(office, moments) == [1, 2]


def test_what_a_person_changes_concerns_everybody_but_a_veto_does_not(office: Office) -> None:
    moments = looked(office)
    now = office.clock.now()
    with office.session() as session:
        session.add(AuditEntry(at=now, who=LILEI, event="mail-vetoed", subject="outbox:1"))
    assert due(office, moments) == []
    with office.session() as session:
        session.add(AuditEntry(at=now, who="command line", event="client-edited", subject="client:1"))
    assert due(office, moments) == [1, 2]


def test_a_question_is_looked_at_again_when_its_answer_is_nearly_late(office: Office) -> None:
    """With remembered moments the reminder comes as early as without them."""
    office.hear(mail("预算能再低一点吗？", at=office.clock.now()))
    looked(office)
    warned = None
    for _ in range(24 * 4):
        now = office.move(minutes=15)
        office.workplace.plan()
        with office.session() as session:
            if session.scalar(select(StaffNote.id).where(StaffNote.kind == "question")):
                warned = now
                break
    assert warned is not None
    with office.session() as session:
        (note,) = session.scalars(select(StaffNote).where(StaffNote.kind == "question"))
    assert note.due_at is not None
    assert MONDAY < warned < note.due_at


def test_facts_of_many_clients_cost_as_many_queries_as_those_of_one(office: Office) -> None:
    """However many clients and projects there are, the database is asked a fixed number of times."""

    def queries() -> int:
        asked: list[str] = []
        engine = office.workplace.database.engine
        note = lambda *arguments: asked.append(arguments[2])  # noqa: E731  # listened to and taken off again
        event.listen(engine, "before_cursor_execute", note)
        try:
            with office.session() as session:
                facts = DatabaseFacts(session, office.workplace.directory, office.clock.now())
                ids = [client.id for client in office.clients()]
                found = facts.reminders_of(ids)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        assert sorted(found) == ids
        assert all(len(one.projects) == 1 for one in found.values())
        return len(asked)

    few = queries()
    for number in range(20):
        client = f"buyer@client{number}.example"
        office.hear(mail("方案请见附件。#proposal", originator=LILEI, to=(client,), cc=(ASSISTANT,)))
    assert queries() == few


def test_an_answer_from_a_slow_clock_is_an_answer(office: Office) -> None:
    """It came after the proposal and answers in its thread, though its Date header lies before."""
    (_, proposal) = office.records()
    office.move(hours=2)
    behind = mail("我们看一下。", originator=OTHER, at=MONDAY - timedelta(minutes=20), answers=(proposal.message_id,))
    office.hear(behind)
    office.clock.move_to(MONDAY + timedelta(days=3, minutes=5))
    office.workplace.decide_due()
    sent = [row.recipients for row in office.outbox() if row.state == "queued"]
    assert sent == [[CHEN]]
