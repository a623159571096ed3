"""An installation in a folder of its own, for benchmarks that run the real commands."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

AGENCY_DOMAIN = "agency.example"
ASSISTANT = f"assistant@{AGENCY_DOMAIN}"
PATIENCE_SECONDS = 180.0
PASSWORD_VARIABLE = "ASSISTANT_PASSWORD"  # the name of a variable, not a secret


def write_config(folder: Path, extra: str = "") -> Path:
    """A small agency; `extra` adds tables such as [mailbox]."""
    path = folder / "config.toml"
    path.write_text(
        f'[agency]\nname = "Harbour Lane"\ndomains = ["{AGENCY_DOMAIN}"]\nlanguage = "en"\n'
        f'timezone = "Asia/Shanghai"\ncountry = "CN"\n\n[assistant]\naddress = "{ASSISTANT}"\n\n'
        f'[[staff]]\nname = "Li Lei"\naddress = "lilei@{AGENCY_DOMAIN}"\nroles = ["account"]\n\n{extra}',
        encoding="utf-8",
    )
    return path


def command(config: Path, *arguments: str) -> list[str]:
    """`assistant --config CONFIG …` with this interpreter."""
    program = "import sys; sys.argv[0] = 'assistant'; from assistant.cli import main; main()"
    return [sys.executable, "-c", program, "--config", str(config), *arguments]


def run(arguments: Sequence[str], **secrets: str) -> str:
    """What the command printed; raises with its complaint when it fails."""
    done = subprocess.run(arguments, check=False, capture_output=True, text=True, env={**os.environ, **secrets})
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments[3:])} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def settled(database: Path) -> int:
    """How many messages have been interpreted: logged, duplicate, ignored or quarantined."""
    if not database.exists():
        return 0
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    try:
        found = connection.execute("SELECT count(*) FROM location WHERE outcome <> 'pending'").fetchone()
    except sqlite3.OperationalError:  # the tables are not there yet
        return 0
    finally:
        connection.close()
    return int(found[0])


def wait_for_mails(database: Path, wanted: int) -> None:
    """Waits until so many messages have been interpreted; gives up after a while, saying so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while settled(database) < wanted:
        if time.monotonic() > deadline:
            raise SystemExit(f"mail {wanted} was not logged within {PATIENCE_SECONDS:g} s")
        time.sleep(0.01)


def end(daemon: subprocess.Popen[bytes]) -> float:
    """Asks the daemon to stop, and kills it if it does not; returns the seconds it took."""
    began = time.monotonic()
    daemon.terminate()
    try:
        daemon.wait(60)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()
    return time.monotonic() - began
