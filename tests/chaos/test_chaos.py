"""A few rounds of chaos, and a few kills at boundaries; `make chaos` does many."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.boundaries import Kill, differences, uninterrupted
from tests.chaos.invariants import everything_said
from tests.chaos.plans import FaultPlan, Life, plan_from
from tests.chaos.rounds import Stage, run_round, seed_of, stage
from tests.offices import mail
from tests.servers.imap_faults import Plan
from tests.servers.smtp_sink import Faults


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("chaos") / "lives.log") as found:
        yield found


@pytest.mark.parametrize("number", range(1, 4))
def test_random_rounds_keep_every_promise(on: Stage, number: int) -> None:
    outcome = run_round(on, number, seed_of(11, number))
    assert outcome.wrong == (), outcome.lives


def test_a_plan_of_ones_own_is_lived(on: Stage) -> None:
    plan = FaultPlan(
        (Life(imap=(Plan(cut_after=900),), kill_at=30, seconds=2.0),),
        (Life(mode="once", smtp=Faults(drop="accepted"), seconds=5.0), Life(mode="once", twins=True, seconds=5.0)),
    )
    outcome = run_round(on, 1, seed_of(12, 1), plan)
    assert outcome.wrong == ()
    assert outcome.kills >= 1


def test_a_process_that_dies_at_a_boundary_leaves_what_the_uninterrupted_run_leaves(on: Stage) -> None:
    whole = uninterrupted(on, 3)
    assert whole.wrong == ()
    assert min(whole.boundaries[:2]) > 40
    for kill in (
        Kill(0, 2),
        Kill(0, 33),
        Kill(1, 5),
        Kill(1, whole.boundaries[1] // 2),
        Kill(1, whole.boundaries[1] - 3),
    ):
        assert differences(whole, on, 3, kill) == [], kill


# --- the tool itself ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("monday = 1", "one table for each life"),
        ("[[tuesday]]", "unknown key 'tuesday'"),
        ('[[monday]]\nmod = "once"', "unknown key 'mod'"),
        ('[[monday]]\nmode = "twice"', "none of 'once', 'daemon'"),
        ("[[monday]]\nseconds = 0", "above 0"),
        ('[[thursday]]\nimap = [{ending = "bang"}]', "none of 'fin'"),
        ('[[thursday]]\nsmtp = {dropp = "mail"}', "unknown key 'dropp'"),
        ("[[thursday", "Expected"),
        ('[[monday]]\nimap = [{cut_after = "many"}]', "wrong type"),
        ("[[monday]]\nkill_at = -1", "below 0"),
        ('[[monday]]\nimap = [{replace = ["one"]}]', "two strings"),
        ('[[monday]]\nsmtp = {drop = "lunch"}', "none of"),
    ],
)
def test_a_plan_with_a_mistake_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        plan_from(path)


def test_the_plan_of_the_readme_can_be_read(tmp_path: Path) -> None:
    readme = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    path = tmp_path / "plan.toml"
    path.write_text(readme.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    plan = plan_from(path)
    assert [len(plan.monday), len(plan.thursday)] == [1, 2]
    assert plan.thursday[0].imap[1] == Plan(corrupt_at=900)


def test_a_mark_is_found_however_it_is_encoded() -> None:
    raw = mail("内容 QK7ZZ23BBH " + "长" * 200, subject="编号 XH7ZZ23BBH 的方案")
    said = everything_said(raw)
    assert "qk7zz23bbh" in said
    assert "xh7zz23bbh" in said
    assert b"QK7ZZ23BBH" not in raw
