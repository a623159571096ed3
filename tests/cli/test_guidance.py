"""What a command says when there is nothing to do, or nobody to ask."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.offices import CHEN, command, mail, open_office, write_config


def test_a_folder_without_mail_is_said(tmp_path: Path) -> None:
    office = open_office(write_config(tmp_path))
    office.workplace.database.close()
    (tmp_path / "holiday-photos").mkdir()
    outcome = command(office.config_file, "import", str(tmp_path / "holiday-photos"))
    assert "No mail was found there" in outcome.err


def test_an_unknown_template_is_no_problem_of_the_template(tmp_path: Path) -> None:
    office = open_office(write_config(tmp_path))
    outcome = command(office.config_file, "templates", "preview", "nosuch")
    assert outcome.status == 2
    assert "`assistant templates list`" in outcome.err


def test_forgetting_without_a_terminal_erases_nothing_and_names_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = open_office(write_config(tmp_path))
    office.log(mail("想做推广。", originator=CHEN))
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    outcome = command(office.config_file, "forget", CHEN)
    assert outcome.status == 2
    assert "--yes" in outcome.err
    assert len(office.records()) == 1
