"""What people get wrong and what breaks around them: every problem at once, one sentence that says what to do."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from assistant.resources import shipped
from assistant.store.snapshot import table_digests
from tests.databases import new_database
from tests.offices import (
    ASSISTANT,
    CHEN,
    LILEI,
    MONDAY,
    CommandOutcome,
    TaggedReader,
    command,
    mail,
    write_config,
)
from tests.servers.dovecot import Mailbox
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink


def run_once(config: Path, *more: str) -> CommandOutcome:
    return command(config, "run", "--once", *more, reader=lambda *_: TaggedReader())


@pytest.fixture
def config(tmp_path: Path, mailbox: Mailbox, smtp_sink: SmtpSink) -> Path:
    return write_config(
        tmp_path,
        imap_port=mailbox.server.plain_port,
        smtp_port=smtp_sink.port,
        user=mailbox.user,
        password=mailbox.password,
    )


def one_sentence(outcome: CommandOutcome) -> str:
    """What was said to the person, beside the log."""
    (said,) = [line for line in outcome.err.splitlines() if line.startswith("assistant: ")]
    assert "Traceback" not in outcome.err
    return said


# --- files that people edit ------------------------------------------------------------------------------------------


def test_a_wrong_configuration_is_told_with_every_problem_and_its_place(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[agency]\nname = "x"\ndomains = ["x.example"]\ntimezone = "Mars/Olympus"\n'
        '[assistant]\nadress = "a@x.example"\n'
        '[mailbox]\nhost = "h"\nport = 99999\nuser = "u"\npassword = "hunter22"\n'
    )
    outcome = command(path, "run", "--once")
    assert outcome.status == 1
    for expected in (
        f"{path}:4:",
        "time zone",
        'unknown key "adress"',
        "address",
        "port",
        "env:NAME",
        "nothing was sent",
    ):
        assert expected in outcome.err
    assert "hunter22" not in outcome.err, "a secret that stands in the file is not repeated"


def test_a_configuration_that_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[agency]\nname = "x\n')
    outcome = command(path, "run", "--once")
    assert outcome.status == 1
    assert f"{path}:2:" in outcome.err


def test_without_a_configuration_it_says_how_to_make_one(tmp_path: Path) -> None:
    outcome = command(tmp_path / "config.toml", "run", "--once")
    assert outcome.status == 3
    assert "assistant init" in one_sentence(outcome)


def test_wrong_rules_and_templates_are_all_told_and_nothing_is_sent(
    tmp_path: Path, config: Path, mailbox: Mailbox, smtp_sink: SmtpSink
) -> None:
    shutil.copytree(shipped("rules"), tmp_path / "rules")
    shutil.copytree(shipped("templates"), tmp_path / "templates")
    followups = tmp_path / "rules" / "followups.toml"
    text = followups.read_text(encoding="utf-8")
    text = text.replace('after = "3 business days"', 'aftr = "3 business days"', 1)
    text = text.replace('at    = "10:30"', 'at    = "25:30"', 1)
    followups.write_text(text, encoding="utf-8")
    template = tmp_path / "templates" / "followups" / "proposal-nudge-1" / "text.en.j2"
    template.write_text("Dear {{ contact.nmae }}, {% if %}", encoding="utf-8")
    mailbox.deliver(mail("请报价。"))
    outcome = run_once(config)
    assert outcome.status == 1
    for expected in ('"aftr"', "25:30", "followups.toml:", "text.en.j2", "nothing was sent"):
        assert expected in outcome.err
    assert smtp_sink.received == []


def test_a_secret_that_is_not_set_is_named_and_not_shown(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_SECRET", raising=False)
    config.write_text(
        config.read_text(encoding="utf-8").replace("file:password", "env:NO_SUCH_SECRET"), encoding="utf-8"
    )
    outcome = run_once(config)
    assert outcome.status == 3
    assert "export NO_SUCH_SECRET" in one_sentence(outcome)


# --- a world that is broken ------------------------------------------------------------------------------------------


def test_no_server(tmp_path: Path) -> None:
    port = free_port()
    outcome = run_once(write_config(tmp_path, imap_port=port, smtp_port=port, password="x"))
    assert outcome.status == 3
    assert f"127.0.0.1:{port}" in one_sentence(outcome)


def test_a_wrong_password(tmp_path: Path, config: Path) -> None:
    (tmp_path / "password").write_text("wrong")
    outcome = run_once(config)
    assert outcome.status == 3
    assert "password" in one_sentence(outcome).lower()
    assert "wrong" not in outcome.err


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process holds the database."""
    with sqlite3.connect(database) as other:
        other.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            other.rollback()
    other.close()


@pytest.mark.sqlite_file
def test_a_locked_database(tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_once(config).status == 0
    monkeypatch.setattr("assistant.store.database._BUSY_TIMEOUT_SECONDS", 0.1)
    with locked(tmp_path / "assistant.db"):
        for arguments in (("records",), ("outbox", "list"), ("run", "--once")):
            outcome = command(config, *arguments, reader=lambda *_: TaggedReader())
            assert outcome.status == 3, outcome.err
            assert "locked by another process" in one_sentence(outcome)
    assert run_once(config).status == 0


@pytest.mark.sqlite_file
def test_a_database_that_is_none(tmp_path: Path, config: Path) -> None:
    (tmp_path / "assistant.db").write_bytes(b"This is a shopping list, not a database. " * 50)
    outcome = run_once(config)
    assert outcome.status == 3
    assert "assistant.db" in one_sentence(outcome)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    outcome = command(write_config(tmp_path / "agency", store=f"sqlite:///{tmp_path}/file/assistant.db"), "records")
    assert outcome.status == 3
    assert "cannot open the database" in one_sentence(outcome)


# --- time travel and dry runs ----------------------------------------------------------------------------------------


def test_time_travel_does_not_write_to_real_people(tmp_path: Path) -> None:
    config = write_config(tmp_path, imap_port=143, smtp_port=25)
    config.write_text(config.read_text(encoding="utf-8").replace("127.0.0.1", "mx.lanhai.example"), encoding="utf-8")
    outcome = run_once(config, "--now", "2026-03-05T10:05:00+08:00")
    assert outcome.status == 2
    assert "--dry-run" in one_sentence(outcome)


def test_now_needs_once_and_a_time(config: Path) -> None:
    assert command(config, "run", "--now", "2026-03-05T10:05:00+08:00").status == 2
    assert run_once(config, "--now", "tomorrow").status == 2


def _contents(folder: Path) -> dict[str, tuple[int, str]]:
    database = new_database(folder)
    found = table_digests(database)
    database.close()
    return found


def test_a_dry_run_says_what_would_be_sent_and_leaves_no_trace(
    tmp_path: Path, config: Path, mailbox: Mailbox, smtp_sink: SmtpSink
) -> None:
    asked_at = MONDAY - timedelta(hours=1)
    mailbox.deliver(mail("请报价。#discovery", message_id="a@mingshan.example", at=asked_at))
    mailbox.deliver(
        mail("方案附上。#proposal", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,), answers=("a@mingshan.example",))
    )
    assert run_once(config, "--now", MONDAY.isoformat()).status == 0
    before, files = _contents(tmp_path), [path.name for path in mailbox.files()]
    outcome = run_once(config, "--dry-run", "--now", "2026-03-05T10:05:00+08:00")
    assert outcome.status == 0, outcome.err
    assert CHEN in outcome.out
    assert "proposal-unanswered" in outcome.out
    assert _contents(tmp_path) == before
    assert [path.name for path in mailbox.files()] == files
    assert smtp_sink.received == []


@pytest.mark.sqlite_file
def test_a_dry_run_of_a_new_installation_makes_no_database(tmp_path: Path, config: Path, mailbox: Mailbox) -> None:
    mailbox.deliver(mail("请报价。"))
    assert run_once(config, "--dry-run").status == 0
    assert not (tmp_path / "assistant.db").exists()
    assert mailbox.seen() == []
