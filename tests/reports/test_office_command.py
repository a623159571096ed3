"""`assistant report` as a person calls it, on a database and configuration of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

import pytest
import structlog
import typer
from typer.testing import CliRunner, Result

from assistant.bootstrap import Options, Workplace
from assistant.cli import report
from assistant.cli.context import CommandContext
from assistant.errors import WrongUse
from assistant.rendering import Templates
from tests.databases import new_database, store_url
from tests.reports.agency import Agency
from tests.reports.sample_files import TEMPLATES

CONFIG = """
[agency]
name = "蓝海广告"
domains = ["lanhai-ad.example"]
[assistant]
address = "assistant@lanhai-ad.example"
[[staff]]
name = "李雷"
address = "lilei@lanhai-ad.example"
roles = ["account"]
"""
Run = Callable[..., Result]


class OneWorkplace(CommandContext):
    """As for a single command, but the rules are loaded once for all of them."""

    @cached_property
    def shared(self) -> Workplace:
        return super().workplace()

    def workplace(self, options: Options | None = None) -> Workplace:
        return self.shared


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> CommandContext:
    """Two clients with mail in the tenth week of 2026, and one without any."""
    folder = tmp_path_factory.mktemp("agency")
    (folder / "config.toml").write_text(f'{CONFIG}\n[store]\nurl = "{store_url(folder)}"\n', encoding="utf-8")
    database = new_database(folder)
    with database.session() as session:
        agency = Agency(session, Templates(TEMPLATES))
        for name, domain in (("青禾乳业", "qinghe-dairy.example"), ("北辰/家居", "beichen.example")):
            client = agency.client(name)
            contact = agency.contact(client, "林晓芸", f"lin@{domain}")
            project = agency.project(client, f"{name}新品")
            agency.mail(project, contact, "03-03 10:00", f"{name}的问题", intents=["question"])
        agency.client("安静的客户")
    database.close()
    return OneWorkplace(folder / "config.toml", explicit=True)


@pytest.fixture
def run(context: CommandContext) -> Iterator[Run]:
    app = typer.Typer()
    app.add_typer(report.app, name="report")

    def call(*words: str) -> Result:
        return CliRunner().invoke(app, ["report", *words], obj=context)

    yield call
    structlog.reset_defaults()  # the command's log went to a stream that is closed by now


def test_weekly_prints_every_client_that_has_something_to_tell(run: Run) -> None:
    outcome = run("weekly", "--week", "2026-W10")
    assert outcome.exit_code == 0, outcome.output
    assert "青禾乳业的问题" in outcome.stdout
    assert "北辰/家居的问题" in outcome.stdout
    assert "安静的客户" not in outcome.stdout


def test_weekly_of_one_client_in_another_language(run: Run) -> None:
    outcome = run("weekly", "--client", "青禾", "--week", "2026-w10", "--language", "en")
    assert "青禾乳业 · weekly summary" in outcome.stdout
    assert "北辰" not in outcome.stdout


def test_weekly_as_json_is_one_object_a_line(run: Run) -> None:
    rows = [json.loads(line) for line in run("weekly", "--week", "2026-W10", "--json").stdout.splitlines()]
    assert {row["client"] for row in rows} == {"青禾乳业", "北辰/家居"}
    assert {(row["period_from"], row["period_to"]) for row in rows} == {("2026-03-02", "2026-03-08")}


def test_weekly_writes_one_html_file_for_each_client_whatever_it_is_called(run: Run, tmp_path: Path) -> None:
    outcome = run("weekly", "--week", "2026-W10", "--html", str(tmp_path / "weeks"))
    files = sorted(path.name for path in (tmp_path / "weeks").iterdir())
    assert len(files) == 2
    assert sorted(Path(line).name for line in outcome.stdout.splitlines()) == files
    assert all((tmp_path / "weeks" / name).read_text(encoding="utf-8").startswith("<!") for name in files)


def test_weekly_writes_a_single_file_for_one_client_only(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "week.html"
    assert run("weekly", "--client", "青禾", "--week", "2026-W10", "--html", str(target)).exit_code == 0
    assert "青禾乳业" in target.read_text(encoding="utf-8")
    assert isinstance(run("weekly", "--week", "2026-W10", "--html", str(target)).exception, WrongUse)


@pytest.mark.parametrize(
    "words", [("weekly", "--week", "2026-W54"), ("weekly", "--week", "last"), ("review", "--month", "March")]
)
def test_what_is_no_week_or_month_says_how_to_write_one(run: Run, words: tuple[str, ...]) -> None:
    error = run(*words).exception
    assert isinstance(error, WrongUse)
    assert "such as 2026" in str(error)


def test_a_week_in_which_nothing_happened_says_so(run: Run) -> None:
    outcome = run("weekly", "--week", "2026-W02")
    assert (outcome.exit_code, outcome.stdout) == (0, "")
    assert "Nothing happened between 2026-01-05 and 2026-01-11" in outcome.stderr


def test_review_shows_tables_or_json(run: Run) -> None:
    shown = run("review", "--month", "2026-03")
    assert shown.exit_code == 0, shown.output
    assert "青禾乳业" in shown.stdout
    rows = [json.loads(line) for line in run("review", "--month", "2026-03", "--json").stdout.splitlines()]
    assert {row["about"] for row in rows} == {"client"}
    assert all(row["feedback_open"] == 1 for row in rows)
