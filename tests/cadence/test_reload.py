"""An edit of the files: taken as a whole or not at all, said to the operator once, and decided with for what is under way."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.errors import Problem
from assistant.resources import shipped
from assistant.store.tables import CadenceRunRow, OutboxMessage
from parsers import parse
from tests.offices import ASSISTANT, CHEN, LILEI, MONDAY, Office, mail, open_office, write_config
from tests.servers.processes import wait_until

FIRST_STEP = 'after = "3 business days"\n  at    = "10:00"\n  send  = "followups/proposal-nudge-1"'


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """An agency with its own rules and templates, and one proposal that waits for its client."""
    for folder in ("rules", "templates"):
        shutil.copytree(shipped(folder), tmp_path / folder)
    office = open_office(write_config(tmp_path))
    office.clock.move_to(MONDAY + timedelta(hours=1))
    office.hear(mail("方案请见附件。#proposal", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,)))
    office.workplace.decide_all()
    return office


def edit(office: Office, old: str, new: str, file: str = "rules/followups.toml") -> None:
    path = office.config_file.parent / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def reload(office: Office) -> bool:
    taken = office.workplace.cadence.reload_if_changed(office.workplace.report_problems)
    office.workplace.decide_all()
    return taken


def run_of(office: Office) -> CadenceRunRow:
    with office.session() as session:
        (row,) = session.scalars(select(CadenceRunRow).where(CadenceRunRow.cadence == "proposal-unanswered"))
        return row


def notices(office: Office) -> list[OutboxMessage]:
    with office.session() as session:
        return list(session.scalars(select(OutboxMessage).where(OutboxMessage.purpose == "notice")))


def test_a_wrong_edit_keeps_the_whole_last_good_set_and_tells_the_operator_once(office: Office) -> None:
    good = office.workplace.cadence.rules
    edit(office, FIRST_STEP, FIRST_STEP.replace("3", "4", 1))
    edit(office, "[[greeting]]", "[[greetings]]", "rules/greetings.toml")
    assert not reload(office)
    assert office.workplace.cadence.rules is good, "not even the file that is right"
    (notice,) = notices(office)
    assert notice.recipients == [LILEI]
    assert "greetings.toml" in parse(notice.raw).text
    edit(office, "[[greetings]]", "# still wrong\n[[greetings]]", "rules/greetings.toml")
    reload(office)
    reload(office)
    assert len(notices(office)) == 2, "another change, another place, another mail; none for looking again"
    edit(office, "[[greetings]]", "[[greeting]]", "rules/greetings.toml")
    assert reload(office)
    assert office.workplace.cadence.rules.version != good.version
    assert office.workplace.cadence.refused == ()


def test_a_broken_template_is_refused_like_a_broken_rule(office: Office) -> None:
    template = next((office.config_file.parent / "templates" / "followups").rglob("proposal-nudge-1*"))
    if template.is_dir():
        template = next(path for path in template.rglob("*") if path.is_file())
    template.write_text("{{ contact.nmae }}", encoding="utf-8")
    assert not reload(office)
    assert any(problem.code.startswith("T") for problem in office.workplace.cadence.refused)
    assert len(notices(office)) == 1


def test_a_run_under_way_keeps_its_version_unless_the_rule_says_running(office: Office) -> None:
    before = run_of(office)
    edit(office, FIRST_STEP, FIRST_STEP.replace("3", "5", 1))
    assert reload(office)
    assert (run_of(office).version, run_of(office).due_at) == (before.version, before.due_at)
    edit(office, 'name  = "proposal-unanswered"', 'name  = "proposal-unanswered"\napply = "running"')
    assert reload(office)
    assert run_of(office).version != before.version
    assert run_of(office).due_at == before.due_at + timedelta(days=4), "a weekend lies between"


def test_a_rule_that_is_gone_ends_its_runs_and_a_new_one_begins_where_it_fits(office: Office) -> None:
    edit(office, 'name  = "proposal-unanswered"', 'name  = "proposal-forgotten"')
    assert reload(office)
    with office.session() as session:
        found = {row.cadence: (row.status, row.reason) for row in session.scalars(select(CadenceRunRow))}
    assert found["proposal-unanswered"] == ("stopped", "rule-removed")
    assert found["proposal-forgotten"] == ("active", "")


def test_an_edit_while_the_daemon_stood_still_is_decided_with_at_its_next_start(office: Office) -> None:
    edit(office, 'name  = "proposal-unanswered"', 'name  = "proposal-unanswered"\napply = "running"')
    edit(office, FIRST_STEP, FIRST_STEP.replace("3", "5", 1))
    office.workplace.database.close()
    later = open_office(office.config_file, now=office.clock.now())
    due = run_of(later).due_at
    later.workplace.decide_all()
    assert run_of(later).due_at == due + timedelta(days=4)
    assert later.workplace.decide_all() == 0


def test_a_change_on_disk_is_noticed_at_once_even_if_its_time_does_not_tell(office: Office) -> None:
    stop, noticed = threading.Event(), threading.Event()
    told: list[Sequence[Problem]] = []
    watcher = office.workplace.cadence.watch(noticed.set, stop)
    path = office.config_file.parent / "rules" / "extra.toml"
    try:
        for _ in range(40):
            path.write_text("[[", encoding="utf-8")
            if noticed.wait(0.5):
                break
        assert noticed.is_set()
        assert not office.workplace.cadence.reload_if_changed(told.append)
        assert len(told) == 1
        noticed.clear()
        path.unlink()
        wait_until(noticed.is_set, "a file that is gone is a change")
        assert office.workplace.cadence.reload_if_changed(told.append)
    finally:
        stop.set()
        watcher.join(10)
    assert not watcher.is_alive()
