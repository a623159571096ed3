"""The README's picture of the demonstration is what the demonstration is about."""

from __future__ import annotations

import inspect
import re
import tomllib

from assistant.cli import demo
from assistant.demo.scenario import load_scenario
from tests.docs.pages import ROOT, text_of

README = text_of(ROOT / "README.md")
SHOWN = README.split("<!-- demo-output -->")[1].split("```")[1]


def test_it_starts_with_the_two_commands() -> None:
    first = README.split("```")[1].splitlines()
    assert [line.split("#")[0].strip() for line in first if line.strip()] == ["make demo", "make test"]
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"demo", "test", "wheel"} <= set(targets)


def test_the_first_line_is_that_of_the_sample_mailbox() -> None:
    scenario = load_scenario()
    line = f"{scenario.agency.name}: {len(scenario.messages)} mails from {scenario.start:%Y-%m-%d} to {scenario.end:%Y-%m-%d}"
    assert line in SHOWN, "the sample mailbox has changed: put the new output of `make demo` into README.md"


def test_its_labels_are_printed_by_the_demonstration() -> None:
    source = inspect.getsource(demo)
    for label in ("logged", "follow-ups", "stopped", "greetings", "reminders", "summaries", "Projects at the end"):
        assert label in SHOWN
        assert label in source
    columns = {cell.strip() for line in SHOWN.splitlines() if "┃" in line for cell in line.split("┃")}
    assert {
        name for name in columns if f'"{name}"' not in source and f'"{name.replace(" ", "_")}"' not in source
    } == set()


def test_its_people_and_rules_are_those_of_the_sample() -> None:
    addresses = set(re.findall(r"[\w.]+@[\w.-]+\.example", SHOWN))
    mailbox = "".join(
        path.read_text(encoding="utf-8") for path in sorted((ROOT / "assistant" / "demo" / "mailbox").glob("*.toml"))
    )
    assert addresses
    assert {address for address in addresses if address not in mailbox} == set()
    names = {
        row["name"]
        for path in (ROOT / "rules" / "followups.toml", ROOT / "rules" / "greetings.toml")
        for rows in tomllib.loads(path.read_text(encoding="utf-8")).values()
        if isinstance(rows, list)
        for row in rows
    }
    rows = [line.split("│") for line in SHOWN.splitlines() if line.count("│") == 4]
    assert rows
    assert {cells[3].split()[0] for cells in rows} <= names
