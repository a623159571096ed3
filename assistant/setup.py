"""Setting up a new installation: what to write into a folder, and trying the mailbox before anything relies on it."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import AssistantError, WrongUse
from assistant.resources import shipped

if TYPE_CHECKING:
    from assistant.config import Config, Mailbox

SECRET_FILE = "secrets/mailbox-password"  # noqa: S105  # a path, not a secret


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    host: str
    port: int
    tls: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What the person said. `password` is a reference, never the secret."""

    agency: str
    domain: str
    language: str
    timezone: str
    country: str
    assistant: str
    staff_name: str
    staff_address: str
    imap: ServerAnswer
    smtp: ServerAnswer
    password: str
    oauth: str = ""
    """A ready `[mailbox.oauth]` body, or empty."""


def write_installation(folder: Path, answers: Answers, *, overwrite: bool = False) -> list[Path]:
    """Writes config.toml and copies rules and templates; returns what was written. Never touches what is there already."""
    config = folder / "config.toml"
    if config.exists() and not overwrite:
        raise WrongUse(f"{config} is there already: edit it, or name another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    config.write_text(config_text(answers), encoding="utf-8")
    written = [config]
    for name in ("rules", "templates"):
        target = folder / name
        if not target.exists():
            shutil.copytree(shipped(name), target, ignore=shutil.ignore_patterns("__pycache__"))
            written.append(target)
    return written


def keep_secret(folder: Path, password: str) -> str:
    """Writes the password into a file of its own that only this user can read; returns the reference to it."""
    path = folder / SECRET_FILE
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(password + "\n")
    return f"file:{SECRET_FILE}"


def _text(value: str) -> str:
    """A TOML basic string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(character for character in escaped if character >= " ") + '"'


def config_text(answers: Answers) -> str:
    """The file as a person will find it: short, and saying where more can be read."""
    auth = 'auth     = "oauth2"' if answers.oauth else f"password = {_text(answers.password)}"
    mailbox_oauth = f"[mailbox.oauth]\n{answers.oauth}\n" if answers.oauth else ""
    submission_oauth = f"[submission.oauth]\n{answers.oauth}\n" if answers.oauth else ""
    return f"""# What this installation is told. `assistant doctor` checks it; config.example.toml explains every key.

[agency]
name     = {_text(answers.agency)}
domains  = [{_text(answers.domain)}]
language = {_text(answers.language)}
timezone = {_text(answers.timezone)}
country  = {_text(answers.country)}

[assistant]
address  = {_text(answers.assistant)}

[store]
url      = "sqlite:///assistant.db"

[[staff]]
name     = {_text(answers.staff_name)}
address  = {_text(answers.staff_address)}
roles    = ["account"]

[mailbox]
host     = {_text(answers.imap.host)}
port     = {answers.imap.port}
tls      = {_text(answers.imap.tls)}
user     = {_text(answers.assistant)}
{auth}
folders  = ["INBOX"]
{mailbox_oauth}
[submission]
host     = {_text(answers.smtp.host)}
port     = {answers.smtp.port}
tls      = {_text(answers.smtp.tls)}
user     = {_text(answers.assistant)}
{auth}
daily_limit  = 200
min_interval = "2s"
{submission_oauth}"""


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing that was tried: its name, whether it works, and a sentence."""

    name: str
    ok: bool
    sentence: str


def try_mailbox(config: Config, base: Path, mailbox: Mailbox | None = None) -> Trial:
    """Logs in and looks at the folders; of the first mailbox unless one is named."""
    from assistant.adapters import TokenSources, mailbox_settings
    from assistant.clock import SystemClock
    from assistant.mail.imap import ImapConnection, Stumbles

    if not config.mailbox:
        return Trial("mailbox", False, "config.toml has no [mailbox].")
    mailbox = mailbox or config.mailbox[0]
    name = "mailbox" if len(config.mailbox) == 1 else f"mailbox {mailbox.name}"
    try:
        settings = mailbox_settings(mailbox, base, config.daemon.poll)
        connection = ImapConnection.connect(
            settings, TokenSources(config, base).source(settings.oauth), clock=SystemClock(), stumbles=Stumbles()
        )
        try:
            states = [connection.open(folder) for folder in settings.folders]
            idle = "pushes new mail" if connection.idles else f"is polled every {connection.poll_seconds:.0f} s"
        finally:
            connection.close()
    except AssistantError as error:
        return Trial(name, False, str(error))
    count = sum(state.exists for state in states)
    return Trial(
        name, True, f"{settings.user} at {settings.host}: {count} messages in {', '.join(settings.folders)}; {idle}"
    )


def try_submission(config: Config, base: Path) -> Trial:
    """Connects and logs in; sends nothing."""
    from assistant.adapters import TokenSources, submission_settings
    from assistant.mail.submission import Submission

    if config.submission is None:
        return Trial("submission", False, "config.toml has no [submission].")

    async def check() -> str:
        settings = submission_settings(config.submission, base)  # type: ignore[arg-type]  # checked above
        submission = Submission(settings, TokenSources(config, base).source(settings.oauth))
        try:
            return await submission.check()
        finally:
            await submission.close()

    try:
        asyncio.run(check())
    except AssistantError as error:
        return Trial("submission", False, str(error))
    login = f"logged in as {config.submission.user}" if config.submission.user else "no login"
    return Trial("submission", True, f"{config.submission.host}:{config.submission.port}: {login}")
