"""Models on disk: each refit is a folder of its own, one is in use, the old ones stay to go back to."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from assistant.errors import AssistantError
from assistant.understanding.corpus import Corpus, Example

SEED_FILE: Final = "seed.json.gz"
"""The examples a model was trained on lie in its folder, so that a refit needs nothing else."""

_IN_USE: Final = "in-use"
_META: Final = "meta.json"


@dataclass(frozen=True, slots=True)
class KeptModel:
    """One model of a history folder."""

    version: str
    trained_at: str
    mails: int
    corrections: int
    in_use: bool


def current_model(folder: Path) -> Path:
    """`folder` itself if it is a model, else the model that is in use there. Raises AssistantError if there is none."""
    if (folder / "config.cfg").exists():
        return folder
    pointer = folder / _IN_USE
    if not pointer.exists():
        raise AssistantError(f"there is no model in {folder}; assistant understanding train --to {folder} makes one")
    return folder / pointer.read_text("utf-8").strip()


def models_in(folder: Path) -> tuple[KeptModel, ...]:
    """The models of a history folder, oldest first; none if it does not exist."""
    used = (folder / _IN_USE).read_text("utf-8").strip() if (folder / _IN_USE).exists() else ""
    found = []
    for meta in sorted(folder.glob(f"*/{_META}")):
        about = json.loads(meta.read_text("utf-8")).get("training", {})
        found.append(
            KeptModel(
                meta.parent.name,
                about.get("trained_at", ""),
                int(about.get("mails", 0)),
                int(about.get("corrections", 0)),
                meta.parent.name == used,
            )
        )
    return tuple(sorted(found, key=lambda model: (model.trained_at, model.version)))


def use_model(folder: Path, version: str) -> None:
    """Takes the model `version` into use. Raises AssistantError if it is not there."""
    if not (folder / version / "config.cfg").exists():
        names = ", ".join(model.version for model in models_in(folder)) or "none"
        raise AssistantError(f"there is no model {version} in {folder}; there are: {names}")
    beside = folder / f"{_IN_USE}.new"
    beside.write_text(version + "\n", "utf-8")
    # One rename: a daemon that starts at this moment reads either the old name or the new one.
    beside.replace(folder / _IN_USE)


def next_version(folder: Path, base: str) -> str:
    """The version of the next refit: the package's, and a number that was never used here."""
    numbers = [
        int(model.version.rpartition("+")[2])
        for model in models_in(folder)
        if model.version.rpartition("+")[2].isdigit()
    ]
    return f"{base}+{max(numbers, default=0) + 1}"


def write_seed(corpus: Corpus, folder: Path) -> None:
    """The examples beside the model, in the same bytes for the same examples."""
    data = {
        "projects": [[_plain(example) for example in project] for project in corpus.projects],
        "strays": [_plain(example) for example in corpus.strays],
    }
    packed = gzip.compress(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(), 9, mtime=0)
    (folder / SEED_FILE).write_bytes(packed)


def read_seed(folder: Path) -> Corpus:
    """The examples that the model in `folder` was trained on. Raises AssistantError if they are not there."""
    file = folder / SEED_FILE
    if not file.exists():
        raise AssistantError(f"{folder} holds a model without its examples; give the seed corpus with --corpus")
    data = json.loads(gzip.decompress(file.read_bytes()))
    return Corpus(
        tuple(tuple(_example(row) for row in project) for project in data["projects"]),
        tuple(_example(row) for row in data["strays"]),
    )


def _plain(example: Example) -> dict[str, Any]:
    row = asdict(example)
    row["sent_at"] = example.sent_at.isoformat()
    row["intents"] = sorted(example.intents)
    return row


def _example(row: Mapping[str, Any]) -> Example:
    values = dict(row)
    values["sent_at"] = datetime.fromisoformat(values["sent_at"])
    values["intents"] = frozenset(values["intents"])
    values["attachments"] = tuple(values["attachments"])
    return Example(**values)
