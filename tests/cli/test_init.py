"""`assistant init` without a terminal, with wrong answers, and where nothing can be written: a sentence, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMPLETE = [
    "--no-test",
    "--language",
    "en",
    "--timezone",
    "Europe/London",
    "--country",
    "gb-eng",
    "--agency",
    "North",
    "--password",
    "env:NORTH",
    "--imap",
    "imap.north.example:993",
    "--smtp",
    "smtp.north.example:465",
]
PEOPLE = ("--address", "assistant@north.example", "--staff", "Ann Lee <ann@north.example>")


def _init(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "assistant", "init", str(folder), *options],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )


def test_it_asks_nothing_when_everything_is_said(tmp_path: Path) -> None:
    from assistant.config import load_config

    done = _init(tmp_path / "office", *PEOPLE, *COMPLETE)
    assert done.returncode == 0, done.stderr
    agency = load_config(tmp_path / "office" / "config.toml").agency
    assert (agency.timezone, agency.country, agency.language) == ("Europe/London", "GB-ENG", "en")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give --address"),
        (PEOPLE, "give --language"),
        ((*PEOPLE, "--language", "en"), "give --agency"),
        (("--language", "fr"), "'fr' is no language of the agency"),
        (("--password", "hunter2"), "env:NAME, file:PATH or keyring:NAME"),
        (("--timezone", "Mars/Olympus"), "'Mars/Olympus' is no time zone"),
    ],
)
def test_what_is_missing_or_wrong_is_named_and_nothing_is_written(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    done = _init(tmp_path / "office", *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert "hunter2" not in done.stderr
    assert not (tmp_path / "office").exists()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = _init(tmp_path / "file" / "office", *PEOPLE, *COMPLETE)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert str(tmp_path / "file") in done.stderr
