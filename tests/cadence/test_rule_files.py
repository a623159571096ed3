"""Rule files are read whole or not at all, and every problem says where it is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from assistant.cadence.codes import CODES
from assistant.cadence.load import (
    cadence_from,
    load_rulebook,
    narrowed,
    require_rulebook,
    rule_files,
    with_versions,
)
from assistant.cadence.report import reader_of, with_excerpt
from assistant.cadence.rules import Duration
from assistant.errors import ProblemsFound
from assistant.rendering import Templates
from assistant.resources import shipped
from tests.cadence.worlds import NUDGES, RULES, SHIPPED, TEMPLATES, rules

BAD = sorted((Path(__file__).parent / "bad").glob("*.toml"))
EXPECTED = re.compile(r"# expect: (\w+) (\d+):(\d+)")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_one_error_is_one_problem_in_its_place(path: Path, tmp_path: Path) -> None:
    expected = EXPECTED.match(path.read_text(encoding="utf-8"))
    assert expected is not None
    shutil.copy(path, tmp_path)
    rulebook, problems = load_rulebook(tmp_path, SHIPPED)
    assert [(one.code, str(one.line), str(one.column)) for one in problems] == [expected.groups()]
    assert (rulebook is None) == (not CODES[expected.group(1)].warning)
    assert (problems[0].severity == "warning") == CODES[expected.group(1)].warning


def test_every_code_has_a_bad_file_or_needs_two() -> None:
    shown = {match.group(1) for path in BAD if (match := EXPECTED.match(path.read_text(encoding="utf-8")))}
    only_elsewhere = {"R002", "R032", "R036", "R060", "R071", "R072"}
    assert set(CODES) - shown == only_elsewhere


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    for path in BAD:
        shutil.copy(path, tmp_path)
    rulebook, problems = load_rulebook(tmp_path, SHIPPED)
    assert rulebook is None
    assert {problem.file.rpartition("/")[2] for problem in problems} == {path.name for path in BAD}


def test_the_problem_shows_line_mark_and_what_was_meant(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    text = (
        "schema = 1\n\n[[cadence]]\n"
        'name  = "proposal-unanswered"\nwhen  = { stage = "proposal" }\n\n'
        '  [[cadence.step]]\n  after   = "3 business days"\n  send    = "followups/proposal-nudge-one"\n'
    )
    (folder / "followups.toml").write_text(text, encoding="utf-8")
    _, problems = load_rulebook(folder, SHIPPED)
    assert "\n".join(with_excerpt(problem, reader_of(folder)) for problem in problems) == (
        'rules/followups.toml:9:13: R012 unknown template "followups/proposal-nudge-one"\n'
        '  9 |   send    = "followups/proposal-nudge-one"\n'
        "    |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        '  cadence "proposal-unanswered", step 1. Did you mean "followups/proposal-nudge-1"?'
    )


def test_the_mark_stands_under_the_value_after_chinese(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        'schema = 1\n[[summary]]\nname = "周"\nwhen = { client = "茶", stage = "x" }\n', "utf-8"
    )
    _, problems = load_rulebook(tmp_path)
    shown = with_excerpt(problems[0], reader_of(tmp_path)).split("\n")
    assert shown[2].index("^") == shown[1].index('"x"') + 1  # one character before it is two cells wide


def test_the_shipped_rules_and_templates_are_fine() -> None:
    rulebook, problems = load_rulebook(RULES, Templates(TEMPLATES))
    assert problems == []
    assert rulebook is not None
    assert {stage for cadence in rulebook.cadences for stage in cadence.when.stage} == {
        "discovery", "proposal", "agreement", "execution", "closing", "relationship",
    }  # fmt: skip
    assert set(rulebook.stages) >= {"discovery", "relationship"}


def test_a_file_that_is_not_utf_8_is_named_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes("schema = 1\n# 云杉".encode() + "茶业".encode("gbk") + b"\n")
    _, problems = load_rulebook(tmp_path)
    assert [(one.code, one.line, one.column) for one in problems] == [("R002", 2, 5)]


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbf" + NUDGES.strip().replace("\n", "\r\n").encode())
    rulebook, problems = load_rulebook(tmp_path)
    assert problems == []
    assert rulebook is not None


def test_a_missing_folder_is_a_problem_and_an_empty_one_is_not(tmp_path: Path) -> None:
    assert [one.code for one in load_rulebook(tmp_path / "nowhere")[1]] == ["R002"]
    rulebook, problems = load_rulebook(tmp_path)
    assert rulebook is not None
    assert problems == []


def test_restraint_in_two_files_is_an_error(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text('schema = 1\n[restraint]\nlate = "3 days"\n', encoding="utf-8")
    assert [(one.code, one.file.rpartition("/")[2], one.line) for one in load_rulebook(tmp_path)[1]] == [
        ("R036", "b.toml", 2)
    ]


def test_a_rule_that_is_required_raises_with_all_problems(tmp_path: Path) -> None:
    shutil.copy(BAD[0], tmp_path)
    with pytest.raises(ProblemsFound) as caught:
        require_rulebook(tmp_path, SHIPPED)
    assert len(caught.value.problems) == 1


def test_the_version_changes_with_the_meaning_and_not_with_the_looks() -> None:
    first = rules().cadences[0].version
    assert rules(NUDGES.replace("name = ", "name   =   ")).cadences[0].version == first
    assert rules(NUDGES.replace('name = "nudges"', 'why = "because"\nname = "nudges"')).cadences[0].version == first
    assert rules(NUDGES.replace("7 business", "8 business")).cadences[0].version != first


def test_a_stored_definition_is_the_same_cadence_again() -> None:
    cadence = rules().cadences[0]
    again = cadence_from(cadence.definition)
    assert again is not None
    assert (again.steps, again.when, again.version) == (cadence.steps, cadence.when, cadence.version)
    assert cadence_from("{not json") is None
    assert cadence_from('{"name": "x", "step": [{"after": "soon"}]}') is None


def test_a_run_keeps_the_version_it_began_with() -> None:
    old, new = rules(), rules(NUDGES.replace("3 business", "5 business"))
    began = old.cadences[0]
    known = with_versions(new, {(began.name, began.version): began.definition})
    kept = known.for_run(began.name, began.version)
    assert kept is not None
    assert kept.steps[0].after == Duration(3, "business days")
    assert new.for_run(began.name, began.version) is new.cadences[0]
    assert new.for_run("gone", "x") is None


def test_only_the_rules_of_one_file_are_kept_for_its_tests() -> None:
    rulebook, _ = load_rulebook(RULES)
    assert rulebook is not None
    only = narrowed(rulebook, "greetings")
    assert only.greetings
    assert not only.cadences
    assert only.stages == rulebook.stages
    assert all(".test." not in path.name for path in rule_files(RULES))


def test_a_thousand_rules_are_checked_with_every_place_right(tmp_path: Path) -> None:
    body = NUDGES.split("[[cadence]]")[1]
    parts = [
        "[[cadence]]"
        + body.replace('"nudges"', f'"n{n}"')
        .replace('stage = "proposal"', f'tag = "t{n}"')
        .replace("nudge-1", "nudge-9")
        for n in range(1000)
    ]
    text = "schema = 1\n" + "".join(parts)
    (tmp_path / "a.toml").write_text(text, encoding="utf-8")
    _, problems = load_rulebook(tmp_path, SHIPPED)
    lines = text.split("\n")
    assert len(problems) == 1000
    assert all(lines[one.line - 1][one.column - 1 :] == '"followups/proposal-nudge-9"' for one in problems)


def test_a_role_that_nobody_has_is_a_warning_where_it_is_named_first(tmp_path: Path) -> None:
    (tmp_path / "summaries.toml").write_text(
        'schema = 1\n[[summary]]\nname = "weekly"\nto = ["owner", "boss@lanhai.example", "acount"]\n'
        '[[summary]]\nname = "other"\nto = "acount"\nwhen = { tag = "x" }\n',
        encoding="utf-8",
    )
    assert load_rulebook(tmp_path, SHIPPED)[1] == []
    rulebook, problems = load_rulebook(tmp_path, SHIPPED, {"account", "director"})
    assert rulebook is not None
    assert [(one.code, one.line, one.severity) for one in problems] == [("R060", 4, "warning")]
    assert 'Did you mean "account"?' in problems[0].hint
    shipped_roles = {"account", "project", "strategy", "creative", "finance", "director"}
    assert load_rulebook(shipped("rules"), None, shipped_roles)[1] == []
