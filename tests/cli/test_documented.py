"""Every command helps, is documented, and lists one object a line with the keys that programs rely on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from assistant.cli.app import app
from tests.offices import ASSISTANT, CHEN, HAN, LILEI, MONDAY, CommandOutcome, command, mail, open_office, write_config

ROOT = Path(__file__).parent.parent.parent


def commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that call it."""
    children = getattr(group, "commands", {})
    if not children or getattr(group, "invoke_without_command", False):
        yield words, group
    for name, child in children.items():
        yield from commands(child, (*words, name))


ALL = [(words, found) for words, found in commands(typer.main.get_command(app)) if words]
DOCUMENTS = "\n".join(
    path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
)


@pytest.mark.parametrize(("words", "found"), ALL, ids=[" ".join(words) for words, _ in ALL])
def test_every_command_says_what_it_does(words: tuple[str, ...], found: Any) -> None:
    assert found.help, words
    assert len(found.help.strip()) > 15


@pytest.mark.parametrize("words", [words for words, _ in ALL], ids=" ".join)
def test_every_command_is_documented(words: tuple[str, ...]) -> None:
    assert re.search(rf"\bassistant( --config \S+)? {re.escape(' '.join(words))}\b", DOCUMENTS) or _in_a_choice(words)


def _in_a_choice(words: tuple[str, ...]) -> bool:
    """Written as `assistant rules check|test` or with spaces around the bar."""
    *nouns, last = words
    listed = re.compile(
        rf"\bassistant {re.escape(' '.join(nouns))}{' ' if nouns else ''}[a-z|\s·]*\b{re.escape(last)}\b"
    )
    return bool(listed.search(DOCUMENTS))


def test_help_is_printed_and_all_is_well() -> None:
    outcome = command(None, "--help")
    assert outcome.status == 0
    for noun in ("demo", "init", "doctor", "run", "import", "records", "rules", "outbox", "quarantine", "ledger"):
        assert noun in outcome.out


def test_the_version_is_told() -> None:
    assert command(None, "--version").out.startswith("cc-assistant ")


def test_a_command_that_does_not_exist_is_wrong_use() -> None:
    assert command(None, "frobnicate").status == 2


# --- listings --------------------------------------------------------------------------------------------------------

KEYS = {
    ("records",): {
        "message_id", "sent_at", "direction", "channel", "kind", "client", "project", "thread", "stage",
        "stage_confidence", "intents", "approval", "waiting_on", "summary",
    },
    ("clients",): {"id", "name", "domains", "country", "language", "timezone", "owner", "records", "last_at"},
    ("projects",): {"id", "client", "project", "stage", "stage_since", "waiting_on", "waiting_since", "state", "owner"},
    ("threads",): {"id", "subject", "client", "project", "project_confidence", "messages", "last_at"},
    ("contacts",): {"id", "client", "name", "address", "language", "absent_until", "suppressed", "last_inbound_at"},
    ("outbox", "list", "--all"): {"id", "state", "reason", "due_at", "purpose", "client", "recipients", "subject", "rule", "step"},
    ("quarantine",): {"id", "phase", "reason", "since", "attempts", "folder", "uid"},
    ("ledger",): {"mailbox", "folder", "uidvalidity", "outcome", "messages", "last_uid"},
}  # fmt: skip


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation in which something of everything has happened."""
    path = write_config(tmp_path_factory.mktemp("agency"))
    office = open_office(path, now=MONDAY)
    office.hear(
        mail("请报价。#discovery", message_id="a@mingshan.example", at=MONDAY - timedelta(hours=3)),
        mail("方案附上。#proposal", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,), at=MONDAY - timedelta(hours=2), message_id="b@lanhai.example", answers=("a@mingshan.example",)),
        mail("坏了 #broken", originator="x@broken.example"),
    )  # fmt: skip
    office.move(days=3)
    office.workplace.decide_due()
    office.workplace.database.close()
    return path


@pytest.mark.parametrize("noun", list(KEYS), ids=" ".join)
def test_listings_are_one_object_a_line_with_keys_to_rely_on(config: Path, noun: tuple[str, ...]) -> None:
    outcome = command(config, *noun, "--json")
    assert outcome.status == 0, outcome.err
    rows = [json.loads(line) for line in outcome.out.splitlines()]
    assert rows
    assert all(set(row) >= KEYS[noun] for row in rows)


@pytest.mark.parametrize("noun", list(KEYS), ids=" ".join)
def test_listings_are_tables_for_people(config: Path, noun: tuple[str, ...]) -> None:
    outcome = command(config, *noun)
    assert outcome.status == 0
    assert len(outcome.out.splitlines()) > 2


def test_an_empty_listing_says_so_to_the_person_alone(tmp_path: Path) -> None:
    outcome = command(write_config(tmp_path), "records")
    assert (outcome.status, outcome.out) == (0, "")
    assert "No records yet" in outcome.err


def test_records_can_be_chosen(config: Path) -> None:
    def ids(*options: str) -> list[str]:
        outcome = command(config, "records", "--json", *options)
        assert outcome.status == 0, outcome.err
        return [json.loads(line)["message_id"] for line in outcome.out.splitlines()]

    assert ids("--direction", "inbound") == ["a@mingshan.example"]
    assert ids("--stage", "proposal") == ["b@lanhai.example"]
    assert ids("--limit", "1") == ["a@mingshan.example"]
    assert ids("--since", "2026-03-02T07:30") == ["b@lanhai.example"]
    assert ids("--client", "nobody") == []
    assert command(config, "records", "--since", "yesterday").status == 2


# --- setting right ---------------------------------------------------------------------------------------------------


def test_a_label_is_set_right_and_moves_the_project(config: Path) -> None:
    outcome = command(config, "message", "correct", "b@lanhai.example", "--stage", "agreement")
    assert outcome.status == 0, outcome.err
    (project,) = [json.loads(line) for line in command(config, "projects", "--json").out.splitlines()]
    assert project["stage"] == "agreement"
    shown = json.loads(command(config, "message", "show", "b@lanhai.example", "--json").out)
    assert (shown["stage"], shown["stage_confidence"]) == ("agreement", 1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        ("b@lanhai.example", "--stage", "finished"),
        ("b@lanhai.example", "--intent", "joy"),
        ("b@lanhai.example", "--project", "no such project"),
        ("b@lanhai.example", "--client", "no such client"),
        ("b@lanhai.example",),
        ("nobody@nowhere.example", "--stage", "proposal"),
    ],
    ids=lambda wrong: " ".join(wrong[1:]) or wrong[0],
)
def test_a_correction_that_makes_no_sense_is_wrong_use(config: Path, wrong: tuple[str, ...]) -> None:
    outcome = command(config, "message", "correct", *wrong)
    assert outcome.status == 2
    assert outcome.err.startswith("assistant: ")


def test_clients_are_set_right_and_joined(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    office = open_office(config)
    first = office.log(mail("请报价。"))
    second = office.log(mail("请报价。", originator="lin@mingshan-retail.example"))
    assert first.client_id != second.client_id
    assert (
        command(config, "clients", "set", "mingshan.example", "--country", "HK", "--owner", HAN, "--tag", "vip").status
        == 0
    )
    assert command(config, "clients", "merge", "mingshan-retail.example", "mingshan.example").status == 0
    (client,) = _rows(command(config, "clients", "--json"))
    assert (client["country"], client["owner"], client["tags"], client["records"]) == ("HK", HAN, ["vip"], 2)
    assert office.log(mail("还有一个问题。", originator="lin@mingshan-retail.example")).client_id == first.client_id
    assert command(config, "clients", "set", "nobody.example", "--country", "HK").status == 2


def _rows(outcome: CommandOutcome) -> list[dict[str, object]]:
    assert outcome.status == 0, outcome.err
    return [json.loads(line) for line in outcome.out.splitlines()]


def test_a_mail_of_ours_can_be_looked_at_before_it_leaves(config: Path) -> None:
    (row,) = [row for row in _rows(command(config, "outbox", "list", "--json")) if row["audience"] == "client"]
    readable = command(config, "outbox", "show", str(row["id"]))
    assert readable.status == 0
    assert f"Subject: {row['subject']}" in readable.out
    assert "=?utf-8" not in readable.out
    outcome = command(config, "outbox", "show", "--raw", str(row["id"]))
    assert outcome.status == 0
    assert "Auto-Submitted: auto-generated" in outcome.out
    assert command(config, "outbox", "show", "999").status == 2
    vetoed = command(config, "outbox", "veto", str(row["id"]))
    assert (vetoed.status, vetoed.out) == (0, "")
    assert command(config, "outbox", "veto", str(row["id"])).status == 2


def test_any_mail_can_be_parsed_without_configuration(tmp_path: Path) -> None:
    path = tmp_path / "mail.eml"
    path.write_bytes(mail("请报价。", message_id="a@mingshan.example"))
    assert json.loads(command(None, "message", "parse", "--json", str(path)).out)["message_id"] == "a@mingshan.example"
    assert "请报价" in command(None, "message", "parse", str(path)).out
    assert command(None, "message", "parse", str(tmp_path / "none.eml")).status == 2
