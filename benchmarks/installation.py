"""An installation in a folder of its own, for benchmarks that run the real commands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

AGENCY_DOMAIN = "agency.example"
ASSISTANT = f"assistant@{AGENCY_DOMAIN}"
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
