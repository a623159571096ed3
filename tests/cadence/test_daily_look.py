"""Once a day every open project is looked at anew: for what no message and no due step shows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from assistant.store.tables import CadenceRunRow, Client, Location
from tests.offices import DUE, INQUIRY, MONDAY, PROPOSAL, Office, command, open_office, write_config


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """An agency that mutes a client before it sends them a proposal."""
    office = open_office(write_config(tmp_path))
    office.clock.move_to(MONDAY + timedelta(hours=2))
    office.hear(INQUIRY)
    mark(office, "muted")
    office.hear(PROPOSAL)
    office.workplace.decide_all()
    return office


def mark(office: Office, *tags: str) -> None:
    with office.session() as session:
        session.scalars(select(Client)).one().tags = list(tags)


def runs(office: Office) -> list[tuple[str, str]]:
    with office.session() as session:
        return [(row.cadence, row.status) for row in session.scalars(select(CadenceRunRow))]


def test_a_client_who_is_let_go_on_is_followed_up_without_another_mail(office: Office) -> None:
    assert runs(office) == []
    mark(office)
    office.workplace.decide_all()
    assert runs(office) == [], "all was decided today"
    office.clock.move_to(MONDAY + timedelta(days=1))
    office.workplace.decide_all()
    assert runs(office) == [("proposal-unanswered", "active")]


def test_a_client_who_is_muted_has_no_run_left_the_next_day(office: Office) -> None:
    mark(office)
    office.clock.move_to(MONDAY + timedelta(days=1))
    office.workplace.decide_all()
    mark(office, "muted")
    office.clock.move_to(DUE)
    office.workplace.decide_all()
    assert runs(office) == [("proposal-unanswered", "stopped")]


def test_another_process_that_looked_today_has_looked_for_all(office: Office) -> None:
    mark(office)
    later = MONDAY + timedelta(days=1)
    office.clock.move_to(later)
    other = open_office(office.config_file, now=later)
    assert other.workplace.decide_all() == 1
    assert office.workplace.decide_all() == 0
    assert office.workplace.all_decided.stood == other.workplace.all_decided.stood


def test_what_a_person_changes_is_decided_with_in_the_next_turn(office: Office) -> None:
    assert command(office.config_file, "clients", "set", "mingshan.example", "--untag", "muted").status == 0
    assert office.workplace.decide_due() == 1
    assert runs(office) == [("proposal-unanswered", "active")]
    assert office.workplace.decide_due() == 0, "once"


def test_a_label_set_right_ends_the_follow_ups_that_stood_on_it(office: Office) -> None:
    assert command(office.config_file, "clients", "set", "mingshan.example", "--untag", "muted").status == 0
    office.workplace.decide_due()
    assert command(office.config_file, "message", "correct", "2", "--waiting-on", "nobody").status == 0
    office.workplace.decide_due()
    assert runs(office) == [("proposal-unanswered", "stopped")]


def test_mail_that_a_clock_ahead_took_for_old_is_followed_up_once_the_clock_is_right(tmp_path: Path) -> None:
    ahead = open_office(write_config(tmp_path), now=MONDAY + timedelta(days=30))
    ahead.hear(INQUIRY, PROPOSAL)
    ahead.workplace.decide_all()
    assert runs(ahead) == [], "a month old, it seemed"
    ahead.workplace.database.close()
    right = open_office(ahead.config_file, now=MONDAY + timedelta(hours=3))
    right.workplace.decide_all()
    assert runs(right) == [("proposal-unanswered", "active")]


def test_history_that_was_imported_stays_history_whatever_the_clock_says(tmp_path: Path) -> None:
    ahead = open_office(write_config(tmp_path), now=MONDAY + timedelta(days=30))
    ahead.hear(INQUIRY, PROPOSAL)
    with ahead.session() as session:
        session.execute(update(Location).values(may_start=False))
    ahead.workplace.database.close()
    right = open_office(ahead.config_file, now=MONDAY + timedelta(hours=3))
    right.workplace.decide_all()
    assert runs(right) == []
