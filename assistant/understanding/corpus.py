"""Reads the seed corpus: whole projects with true labels, and mail that belongs to no client."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from assistant.errors import AssistantError

_AUTOMATIC = frozenset({"automatic_notice", "out_of_office", "bounce"})


@dataclass(frozen=True, slots=True)
class Example:
    """One mail with its true labels. `group` is what must not be torn apart between training and test: the client."""

    id: str
    project: str
    group: str
    language: str
    subject: str
    text: str
    direction: str
    sent_at: datetime
    is_answer: bool
    attachments: tuple[str, ...]
    stage: str
    intents: frozenset[str]
    approval: str
    waiting_on: str
    sort: str = ""
    """Of unrelated mail: vendor_offer, personal, job_application … ; "" for a project's."""
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Corpus:
    """`projects`: each project's mail in order of time; `strays`: unrelated mail, each alone."""

    projects: tuple[tuple[Example, ...], ...]
    strays: tuple[Example, ...]

    @property
    def examples(self) -> tuple[Example, ...]:
        return (*(example for project in self.projects for example in project), *self.strays)


def load_corpus(folder: Path) -> Corpus:
    """The corpus under `folder` (projects/*.toml, unrelated/*.toml). Raises AssistantError if there is none."""
    files = sorted((folder / "projects").glob("*.toml"))
    if not files:
        raise AssistantError(
            f"there is no seed corpus in {folder}; give the folder that has projects/*.toml with --corpus"
        )
    projects = [_project(tomllib.loads(file.read_text("utf-8"))) for file in files]
    strays = [
        _stray(message)
        for file in sorted((folder / "unrelated").glob("*.toml"))
        for message in tomllib.loads(file.read_text("utf-8"))["message"]
    ]
    return Corpus(tuple(projects), tuple(strays))


def _project(data: dict[str, Any]) -> tuple[Example, ...]:
    people = {person["id"]: person for person in data["person"]}
    # One company is one client, with however many projects; people who write from free mail are known by name.
    group = data["client_domain"] or data["client"]
    return tuple(
        Example(
            id=f"{data['id']}/{message['id']}",
            project=data["id"],
            group=group,
            language="en" if data["language"] == "en" else _main_language(message["text"]),
            subject=message["subject"],
            text=message["text"].strip(),
            direction="inbound" if people.get(message["from"], {}).get("side") == "client" else "outbound",
            sent_at=message["at"],
            is_answer=bool(message.get("answers")),
            attachments=tuple(message.get("attachments", ())),
            stage=message["stage"],
            intents=frozenset(message["intents"]),
            approval=message.get("approval", ""),
            waiting_on=message["waiting_on"],
        )
        for message in sorted(data["message"], key=lambda message: message["at"])
    )


def _main_language(text: str) -> str:
    return "zh" if any("\u3400" <= character <= "\u9fff" for character in text) else "en"


def _stray(message: dict[str, Any]) -> Example:
    return Example(
        id=message["id"],
        project="",
        group=message["from_address"].rpartition("@")[2] + message["from_address"],
        language="en" if message["language"] == "en" else _main_language(message["text"]),
        subject=message["subject"],
        text=message["text"].strip(),
        direction="inbound",
        sent_at=message["at"],
        is_answer=False,
        attachments=tuple(message.get("attachments", ())),
        stage="unrelated",
        intents=frozenset(),
        approval="",
        waiting_on="nobody",
        sort=message["sort"],
    )


def is_automatic(example: Example) -> bool:
    """Whether a parser would know the mail for a machine's by its headers."""
    return example.sort in _AUTOMATIC


def languages(examples: Sequence[Example]) -> tuple[str, ...]:
    return tuple(sorted({example.language for example in examples}))
