"""The language of `*.test.toml`: the shipped scenarios hold, and a wrong expectation says what came instead."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assistant.cadence.load import require_rulebook
from assistant.cadence.testing import check_test_files, run_test_text, run_tests
from tests.cadence.worlds import RULES

RULEBOOK = require_rulebook(RULES)
RESULTS, PROBLEMS = run_tests(RULES)
HEAD = 'schema = 1\n[[test]]\nname = "t"\nstart = 2026-03-09T10:00:00+08:00\n'
SENT = 'given = [{ at = "0d", sent = "proposal" }]\n'


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.name)
def test_a_shipped_scenario_holds(result: object) -> None:
    assert getattr(result, "passed"), getattr(result, "message")  # noqa: B009  (pytest must not collect the class)


def test_there_are_scenarios_enough_and_no_problems() -> None:
    assert PROBLEMS == []
    assert len(RESULTS) >= 50


def message_of(body: str) -> str:
    results, problems = run_test_text(HEAD + body, "rules/followups.test.toml", RULEBOOK)
    assert problems == []
    return results[0].message


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ('[{ until = "4d", effects = [] }]', "more came than was expected: 2026-03-12 10:00 send followups/proposal-nudge-1"),
        ('[{ until = "2d", effects = [{ send = "followups/proposal-nudge-1" }] }]', "nothing came"),
        ('[{ until = "4d", effects = [{ send = "followups/proposal-nudge-2" }] }]', "was followups/proposal-nudge-1"),
        ('[{ until = "4d", effects = [{ send = "followups/proposal-nudge-1", on = 2026-03-13 }] }]', "came on 2026-03-12"),
        ('[{ until = "4d", effects = [{ send = "followups/proposal-nudge-1", at = "11:00" }] }]', "came at 2026-03-12 10:00"),
        ('[{ until = "4d", effects = [{ send = "followups/proposal-nudge-1", at = 2026-03-13T10:00:00+08:00 }] }]', "came at 2026-03-12 10:00"),
        ('[{ until = "4d", effects = [{ send = "followups/proposal-nudge-1", step = 2 }] }]', "was step 1"),
        ('[{ until = "4d", effects = [{ send = "followups/proposal-nudge-1", rule = "x" }] }]', "came by proposal-unanswered"),
        ('[{ until = "4d", effects = [{ task = "Call" }] }]', "came as send"),
        ('[{ until = "4d", count = 2 }]', "2 mails were expected, 1 left"),
    ],
)  # fmt: skip
def test_a_wrong_expectation_says_what_came(expect: str, words: str) -> None:
    assert words in message_of(SENT + f"expect = {expect}\n")


def test_a_moment_may_be_written_whole_or_as_wall_time() -> None:
    for at in ("10:00:00", '"10:00"', "2026-03-12T10:00:00+08:00", "2026-03-12T02:00:00Z", "2026-03-12T10:00:00"):
        expect = f'expect = [{{ until = "4d", effects = [{{ send = "followups/proposal-nudge-1", at = {at} }}] }}]'
        assert message_of(SENT + expect) == ""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (SENT, "R005"),
        (SENT + 'expect = [{ until = "soon", effects = [] }]\n', "R072"),
        (SENT + 'expect = [{ until = "4d" }]\n', "R071"),
        (SENT + 'expect = [{ until = "4d", effects = [{ on = 2026-03-12 }] }]\n', "R071"),
        (SENT + 'expect = [{ until = "4d", effects = [{ sent = "x" }] }]\n', "R004"),
        ('given = [{ at = "0d" }]\nexpect = [{ until = "4d", effects = [] }]\n', "R071"),
        ('given = [{ at = "0d", recieved = "x" }]\nexpect = [{ until = "4d", effects = [] }]\n', "R004"),
        ('given = [{ at = "0d", remove = "no-such-rule" }]\nexpect = [{ until = "4d", count = 0 }]\n', "R071"),
        ('given = [{ at = "0d", edit = "[[cadence]]" }]\nexpect = [{ until = "4d", count = 0 }]\n', "R005"),
        ('client = { timezone = "Mars/Base" }\nexpect = [{ until = "4d", count = 0 }]\n', "R032"),
        ('client = { country = "China" }\nexpect = [{ until = "4d", count = 0 }]\n', "R022"),
    ],
)
def test_a_wrong_test_file_is_a_problem_with_its_place(body: str, code: str) -> None:
    results, problems = run_test_text(HEAD + body, "rules/followups.test.toml", RULEBOOK)
    assert results == []
    assert code in {problem.code for problem in problems}
    assert all(problem.line for problem in problems)


def test_problems_of_test_files_are_checked_without_running(tmp_path: Path) -> None:
    (tmp_path / "a.test.toml").write_text("[[test]]\nname = 5\n", encoding="utf-8")
    (tmp_path / "b.test.toml").write_text("[[test]\n", encoding="utf-8")
    codes = {problem.code for problem in check_test_files(tmp_path)}
    assert codes == {"R001", "R005", "R006"}


def test_the_tests_of_a_file_see_its_rules_only() -> None:
    body = 'client = { relationship = "active" }\nexpect = [{ until = 2026-12-31T23:00:00+08:00, count = 0 }]\n'
    assert message_of(body) == ""
    assert "greetings/dragon-boat" in message_of('rules = "*"\n' + body)


def test_broken_rules_keep_tests_from_running(tmp_path: Path) -> None:
    shutil.copytree(RULES, tmp_path / "rules")
    (tmp_path / "rules" / "extra.toml").write_text("schema = 1\n[[cadence]]\n", encoding="utf-8")
    results, problems = run_tests(tmp_path / "rules")
    assert results == []
    assert {problem.code for problem in problems} == {"R005"}


@pytest.mark.parametrize(
    ("release", "kind"), [("approval", "approval"), ("draft", "draft"), ("now", "send"), ("veto 2h", "send")]
)
def test_what_needs_approval_is_told_apart(release: str, kind: str) -> None:
    body = (
        f"""given = [{{ at = "0d", edit = '[[cadence]]
name = "proposal-unanswered"
when = {{ stage = "proposal" }}
step = [{{ after = "1 business day", send = "x", release = "{release}" }}]' }}, {{ at = "1h", sent = "proposal" }}]\n"""
        f'expect = [{{ until = "2d", effects = [{{ {kind} = "x" }}] }}]\n'
    )
    multi = body.replace("edit = '", "edit = '''").replace("}]' }", "}]''' }")
    assert message_of(multi) == ""
