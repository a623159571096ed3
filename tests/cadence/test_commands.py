"""`assistant rules` and `assistant calendar`, as they are called."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from assistant.cli import calendar, rules
from assistant.cli.context import CommandContext
from assistant.errors import ProblemsFound, WrongUse
from tests.cadence.worlds import RULES, TEMPLATES

app = typer.Typer()
app.add_typer(rules.app, name="rules")
app.add_typer(calendar.app, name="calendar")


@app.callback()
def root(ctx: typer.Context) -> None:
    """The root command as far as these need it: no configuration, so the shipped rules."""
    ctx.obj = CommandContext(Path("no-such-folder/config.toml"))


def call(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "rules"
    shutil.copytree(RULES, path)
    return path


def test_business_days_are_added() -> None:
    assert call("calendar", "add", "CN", "2026-02-12", "3").stdout == "2026-02-24\n"
    assert call("calendar", "add", "CN", "2026-09-30", "3").stdout == "2026-10-10\n"
    assert call("calendar", "add", "GB-SCT", "2026-04-02", "1").stdout == "2026-04-06\n"


def test_a_year_is_one_object_a_day() -> None:
    days = [json.loads(line) for line in call("calendar", "CN", "2026", "--json").stdout.splitlines()]
    assert len(days) == 365
    by_date = {day["date"]: day for day in days}
    assert by_date["2026-02-14"] == {
        "date": "2026-02-14", "working": True, "name": "调休上班", "festival": None, "provisional": False,
    }  # fmt: skip
    assert by_date["2026-02-17"]["festival"] == "spring-festival"
    assert not by_date["2026-02-17"]["working"]


def test_a_year_is_a_picture() -> None:
    shown = call("calendar", "CN", "2026")
    assert "CN 2026" in shown.stdout
    assert "248 working days" in shown.stdout
    assert "14班" in shown.stdout
    assert "中秋节 Mid-Autumn Festival" in shown.stdout


@pytest.mark.parametrize(("width", "abreast"), [(80, 2), (50, 1), (120, 3)])
def test_a_year_fits_the_terminal(width: int, abreast: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    shown = call("calendar", "CN", "2026").stdout
    assert "14班" in shown
    assert next(line for line in shown.splitlines() if "1月" in line).count("月") == abreast


def test_a_forecast_says_so() -> None:
    assert "provisional" in call("calendar", "CN", "2029", "--json").stderr
    assert "provisional" not in call("calendar", "US", "2029", "--json").stderr


def test_overrides_count_in_commands(folder: Path) -> None:
    (folder / "calendar.toml").write_text(
        'schema = 1\n[[calendar]]\ncountry = "CN"\noff = [2026-02-24]\n', encoding="utf-8"
    )
    assert call("calendar", "add", "CN", "2026-02-12", "3", "--rules", str(folder)).stdout == "2026-02-25\n"


@pytest.mark.parametrize(
    "words",
    [("CNN", "2026"), ("add", "CN", "tomorrow", "3"), ("GB-XX", "2026"), ("add", "CN", "2026-02-12", "99999999")],
)
def test_wrong_use_of_the_calendar_says_what_is_right(words: tuple[str, ...]) -> None:
    assert isinstance(call("calendar", *words).exception, WrongUse)


def test_good_rules_are_counted() -> None:
    done = call("rules", "check")
    assert done.exit_code == 0, done.output
    assert "6 cadences" in done.stderr


def test_bad_rules_are_shown_with_line_and_mark(folder: Path) -> None:
    path = folder / "followups.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("proposal-nudge-1", "proposal-nudge-one"), encoding="utf-8"
    )
    done = call("rules", "check", "--rules", str(folder), "--templates", str(TEMPLATES))
    assert done.exit_code == 1
    assert 'R012 unknown template "followups/proposal-nudge-one"' in done.stdout
    assert "^^^^" in done.stdout
    assert 'Did you mean "followups/proposal-nudge-1"?' in done.stdout
    rows = [json.loads(line) for line in call("rules", "check", "--rules", str(folder), "--json").stdout.splitlines()]
    assert [(row["code"], row["file"]) for row in rows] == [("R012", "rules/followups.toml")]


def test_the_shipped_tests_pass_and_a_failing_one_fails(folder: Path) -> None:
    done = call("rules", "test", "answer")
    assert done.exit_code == 0, done.output
    assert "✓ an answer ends the cadence" in done.stdout
    path = folder / "followups.test.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("on = 2026-02-12", "on = 2026-02-13"), encoding="utf-8")
    failed = call("rules", "test", "--rules", str(folder))
    assert failed.exit_code == 1
    assert "came on 2026-02-12" in failed.stdout
    rows = [json.loads(line) for line in call("rules", "test", "--rules", str(folder), "--json").stdout.splitlines()]
    assert sum(not row["passed"] for row in rows) == 1


def test_the_schema_and_the_reference_are_printed() -> None:
    assert json.loads(call("rules", "schema").stdout)["required"] == ["schema"]
    assert "test" in json.loads(call("rules", "schema", "--tests").stdout)["properties"]
    assert call("rules", "reference").stdout.startswith("# Rule files")


def test_two_folders_are_compared(folder: Path) -> None:
    path = folder / "followups.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('"12 weeks"', '"10 weeks"'), encoding="utf-8")
    done = call("rules", "diff", str(folder))
    assert done.stdout == "~ cadence relationship-checkin: step 1 after: 10 weeks → 12 weeks\n"
    assert call("rules", "diff", str(RULES)).stdout == ""


def test_broken_rules_stop_every_command_with_the_problems(folder: Path) -> None:
    (folder / "extra.toml").write_text("schema = 1\n[[cadence]]\n", encoding="utf-8")
    assert isinstance(call("rules", "diff", str(folder)).exception, ProblemsFound)
