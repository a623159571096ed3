"""A secret that is known is looked for in every byte that is written while everything goes wrong; files are private."""

from __future__ import annotations

import base64
import json
import logging
import os
import signal
import stat
import subprocess
import sys
import urllib.parse
from datetime import timedelta
from pathlib import Path

import pytest

from assistant.bootstrap import Workplace
from assistant.config import load_config
from assistant.mail.settings import Secret
from assistant.privately import write_privately
from tests.databases import SQLITE
from tests.offices import ASSISTANT, LILEI, MONDAY, TaggedReader, command, mail, open_office, write_config
from tests.servers.dovecot import Mailbox
from tests.servers.oauth_endpoint import OAuthEndpoint
from tests.servers.processes import free_port, wait_until
from tests.servers.smtp_sink import SmtpSink

SECRET = "Pferd-richtig!99#batterie"
"""With characters that are written otherwise in a URL, in base64 and in a shell."""


def forms(secret: str) -> set[bytes]:
    """The secret as it is, as PLAIN and LOGIN send it, and as a URL has it."""
    raw = secret.encode()
    plain = [base64.b64encode(b"\0" + user.encode() + b"\0" + raw) for user in (ASSISTANT, "x")]
    return {raw, base64.b64encode(raw), urllib.parse.quote(secret).encode(), *plain}


def check_hidden(*written: bytes | str | Path, secret: str = SECRET) -> None:
    for item in written:
        files = [path for path in item.rglob("*") if path.is_file()] if isinstance(item, Path) else [item]
        for found in files:
            if isinstance(found, Path) and found.name in {"password", "token"}:
                continue
            data = found.read_bytes() if isinstance(found, Path) else found
            data = data.encode() if isinstance(data, str) else data
            for form in forms(secret):
                assert form not in data, f"{found if isinstance(found, Path) else 'output'} has the secret"


def config_with(
    folder: Path, *, imap: int, smtp: int, user: str = "x", reference: str = "env:CC_SECRET", more: str = ""
) -> Path:
    mailbox = (
        f'host = "127.0.0.1"\nport = {imap}\ntls = "none"\nuser = "{user}"\npassword = "{reference}"\ntimeout = "3s"'
    )
    submission = (
        f'host = "127.0.0.1"\nport = {smtp}\ntls = "none"\nuser = "{user}"\npassword = "{reference}"\ntimeout = "3s"'
    )
    tables = f'[mailbox]\n{mailbox}\n[submission]\n{submission}\nmin_interval = 0\n[log]\nlevel = "debug"\nshow_addresses = true\n'
    return write_config(folder, more=tables + more)


COMMANDS = (("doctor",), ("run", "--once"), ("records",), ("outbox", "list"), ("audit",), ("ledger",), ("--version",))


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What libraries say to the standard logging at its most talkative."""
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.mark.parametrize("reference", ["env:CC_SECRET", "file:password"])
@pytest.mark.parametrize("trouble", ["nobody there", "wrong password"])
def test_no_command_shows_a_secret_when_servers_fail(
    tmp_path: Path, trouble: str, reference: str, mailbox: Mailbox, smtp_sink: SmtpSink,
    monkeypatch: pytest.MonkeyPatch, everything_logged: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setenv("CC_SECRET", SECRET)
    (tmp_path / "password").write_text(SECRET)
    there = trouble == "wrong password"
    imap, smtp = (mailbox.server.plain_port, smtp_sink.port) if there else (free_port(), free_port())
    config = config_with(tmp_path, imap=imap, smtp=smtp, user=mailbox.user if there else "x", reference=reference)
    for arguments in COMMANDS:
        outcome = command(config, *arguments, reader=lambda *_: TaggedReader())
        check_hidden(outcome.out, outcome.err)
        assert "Traceback" not in outcome.err
    check_hidden(everything_logged.text, tmp_path)


def test_tokens_stay_hidden_when_the_endpoint_refuses(
    tmp_path: Path, mailbox: Mailbox, oauth_endpoint: OAuthEndpoint, monkeypatch: pytest.MonkeyPatch,
    everything_logged: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setenv("CC_SECRET", SECRET)
    oauth = f'auth = "oauth2"\noauth = {{ token_endpoint = "{oauth_endpoint.token_endpoint}", client_id = "c", refresh_token = "env:CC_SECRET", client_secret = "env:CC_SECRET" }}'
    more = f'[mailbox]\nhost = "127.0.0.1"\nport = {mailbox.server.plain_port}\ntls = "none"\nuser = "{mailbox.user}"\n{oauth}\n[log]\nlevel = "debug"\n'
    config = write_config(tmp_path, more=more)
    for arguments in COMMANDS:
        outcome = command(config, *arguments, reader=lambda *_: TaggedReader())
        check_hidden(outcome.out, outcome.err)
    check_hidden(everything_logged.text, tmp_path)


def test_the_daemon_writes_no_secret_anywhere(tmp_path: Path) -> None:
    config = config_with(
        tmp_path, imap=free_port(), smtp=free_port(), more='[daemon]\nhealth_file = "health.json"\ntick = "200ms"\n'
    )
    line = [sys.executable, "-m", "assistant", "--config", str(config), "run"]
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(line, env={**os.environ, "CC_SECRET": SECRET}, stdout=log, stderr=log)
        try:
            wait_until(
                lambda: (tmp_path / "health.json").exists() and b"mailbox" in (tmp_path / "log").read_bytes(),
                "the daemon tries its mailbox",
                60,
            )
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(30)
    assert json.loads((tmp_path / "health.json").read_text())["state"] == "stopped"
    check_hidden(tmp_path)


def test_a_password_in_the_databases_address_stays_hidden(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://user:{urllib.parse.quote(SECRET)}@127.0.0.1:{free_port()}/none"
    config = write_config(tmp_path, store=url)
    for arguments in (("doctor", "--offline"), ("records",), ("run", "--once"), ("ledger",)):
        outcome = command(config, *arguments, reader=lambda *_: TaggedReader())
        assert outcome.status
        check_hidden(outcome.out, outcome.err)
        assert "Traceback" not in outcome.err


def test_what_holds_a_secret_never_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC_SECRET", SECRET)
    config = load_config(config_with(tmp_path, imap=1, smtp=1))
    workplace = Workplace(config, tmp_path)
    settings = (workplace.mailbox_settings(), workplace.submission_settings(), Secret(SECRET))
    for thing in (config, *settings):
        check_hidden(repr(thing), str(thing), f"{thing}")
    check_hidden(config.model_dump_json(), str(config.model_dump()))


def test_a_secret_that_stands_in_the_file_is_refused_without_being_repeated(tmp_path: Path) -> None:
    config = config_with(tmp_path, imap=1, smtp=1, reference=SECRET)
    outcome = command(config, "doctor", "--offline")
    assert outcome.status
    check_hidden(outcome.out, outcome.err)


# --- files ------------------------------------------------------------------------------------------------------------


def wide_files(folder: Path) -> list[str]:
    """Files that somebody else may read."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077]


def test_what_holds_clients_words_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        office = open_office(write_config(tmp_path / "config", store=SQLITE), now=MONDAY + timedelta(hours=1))
        office.log(mail("请报价。#proposal"))
        office.log(mail("方案附上。#proposal", originator=LILEI, to=("chen@mingshan.example",)))
        out = tmp_path / "out"
        out.mkdir()
        assert command(office.config_file, "backup", str(out / "copy")).status == 0
        assert command(office.config_file, "report", "weekly", "--html", str(out / "weekly")).status == 0
        database = office.config_file.parent / "assistant.db"
        assert database.with_name("assistant.db-wal").exists()
        assert wide_files(out) == []
        assert [name for name in wide_files(tmp_path / "config") if "assistant.db" in name or "reading" in name] == []
    finally:
        os.umask(before)


def test_a_database_that_others_could_read_is_taken_from_them(tmp_path: Path) -> None:
    office = open_office(write_config(tmp_path, store=SQLITE), now=MONDAY)
    office.workplace.database.close()
    database = tmp_path / "assistant.db"
    database.chmod(0o644)
    command(office.config_file, "records")
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


def test_a_file_that_was_wide_becomes_private(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "summary.html"
    write_privately(path, "x")
    path.chmod(0o666)
    write_privately(path, b"y")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"y", 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
