"""A few rounds of chaos, and a few kills at boundaries; `make chaos` does many."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.boundaries import Kill, differences, uninterrupted
from tests.chaos.invariants import everything_said
from tests.chaos.plan_files import plan_from
from tests.chaos.plans import FaultPlan, Life
from tests.chaos.rounds import Stage, run_round, seed_of, stage
from tests.chaos.sabotage import WAYS
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
        (Life(mode="once", smtp=Faults(drop="accepted"), seconds=5.0), Life(mode="once", workers=2, seconds=5.0)),
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
        ("monday = 1", "1: monday: input should be a valid list"),
        ("[[tuesday]]", "1: tuesday: unknown key; known are monday, thursday"),
        ('[[monday]]\nmod = "once"', '2: monday, 1, mod: unknown key.*Did you mean "mode"'),
        ('[[monday]]\nmode = "twice"', "2: monday, 1, mode: input should be 'once' or 'daemon', not 'twice'"),
        ("[[monday]]\nseconds = 0", "seconds: input should be greater than 0, not 0"),
        ('[[thursday]]\nimap = [{ending = "bang"}]', "imap, 1, ending: input should be 'fin'"),
        ('[[thursday]]\nsmtp = {dropp = "mail"}', 'dropp: unknown key.*Did you mean "drop"'),
        ("[[thursday", "Expected"),
        ('[[monday]]\nimap = [{cut_after = "many"}]', "cut_after: input should be a valid integer, not 'many'"),
        ("[[monday]]\nkill_at = -1", "kill_at: input should be greater than or equal to 0, not -1"),
        ('[[monday]]\nimap = [{replace = ["one"]}]', "replace: list should have at least 2 items"),
        ('[[monday]]\nsmtp = {drop = "lunch"}', "drop: input should be 'connect'"),
        ('[[monday]]\nsmtp = {replies = {accepted = "250 2.0.0 yes"}}', "accepted"),
        ('[[monday]]\nsmtp = {replies = {rcpt = "later"}}', 'rcpt: write a reply as a server gives it, such as "451'),
        ('[[monday]]\nclock = "late"', 'clock: write how far it is wrong, as "\\+20 min"'),
        ("[[monday]]\npause = {minutes = 3.0}", "pause: write either at"),
        ("[[monday]]\nworkers = 90", "workers: input should be less than or equal to 8, not 90"),
        ('[[monday]]\nevent = ["renumber", "explode"]', "event"),
        ('[[monday]]\nstore = "gone"', "add --database postgresql"),
        ('[[monday]]\ncertificate = "expired"\nimap = [{throttle = true}]', "before a byte of imap can be counted"),
        ("", "no life in it"),
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
    assert [len(plan.monday), len(plan.thursday)] == [2, 4]
    assert plan.thursday[0].imap[1] == Plan(corrupt_at=900)


def test_the_examples_can_be_read() -> None:
    found = [plan_from(path) for path in sorted((Path(__file__).parent / "examples").glob("*.toml"))]
    assert [len(plan.lives) for plan in found] == [7, 7, 5]


def test_a_product_that_sends_twice_is_noticed(on: Stage) -> None:
    name = "send uncertain mail again"
    outcome = run_round(on, 1, seed_of(1, 1), WAYS[name][1], sabotage=name)
    assert any("was accepted 2 times" in text for text in outcome.wrong)


def test_a_product_that_writes_to_who_answered_is_noticed(on: Stage) -> None:
    name = "write to who answered"
    outcome = run_round(on, 1, seed_of(1, 1), WAYS[name][1], sabotage=name)
    assert any("could be read before" in text or "was on record" in text for text in outcome.wrong)


def test_a_mark_is_found_however_it_is_encoded() -> None:
    raw = mail("内容 QK7ZZ23BBH " + "长" * 200, subject="编号 XH7ZZ23BBH 的方案")
    said = everything_said(raw)
    assert "qk7zz23bbh" in said
    assert "xh7zz23bbh" in said
    assert b"QK7ZZ23BBH" not in raw
