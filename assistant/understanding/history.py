"""Models on disk: each refit is a folder of its own, one is in use, the old ones stay to go back to."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from assistant.errors import AssistantError
from assistant.understanding.corpus import Corpus, Example

SEED_FILE: Final = "seed.json.gz"
"""The examples a model was trained on lie in its folder, so that a refit needs nothing else."""

HELD_OUT_FILE: Final = "held_out.npz"
"""How each example was read by models that had not seen it: what a refit of the heads needs beside the examples."""

SHIPPED: Final = "shipped"
"""The name by which `use_model` goes back to the model of the package."""

UNFINISHED: Final = ".unfinished"

_IN_USE: Final = "in-use"
_META: Final = "meta.json"
_KEPT: Final = 10
"""So many of the agency's own models are kept to go back to."""


@dataclass(frozen=True, slots=True)
class KeptModel:
    """One model of a history folder."""

    version: str
    trained_at: str
    mails: int
    corrections: int
    in_use: bool
    corrections_to: int = 0
    """The id of the last correction that it learned from."""


def current_model(folder: Path) -> Path | None:
    """`folder` itself if it is a model, else the model in use there; None where the package's is in use."""
    if (folder / "config.cfg").exists():
        return folder
    pointer = folder / _IN_USE
    return folder / pointer.read_text("utf-8").strip() if pointer.exists() else None


def stamp_of(folder: Path | None) -> str:
    """Changes whenever another model comes into use in `folder`; "" where the package's is."""
    for file in (folder / _IN_USE, folder / _META) if folder else ():
        with contextlib.suppress(OSError):
            return str(file.stat().st_mtime_ns)
    return ""


def read_meta(folder: Path) -> Mapping[str, Any]:
    """What is said about the model in `folder` where it was trained; nothing if that cannot be read."""
    try:
        meta = json.loads((folder / _META).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    about = meta.get("training", {}) if isinstance(meta, dict) else {}
    return about if isinstance(about, dict) else {}


def models_in(folder: Path) -> tuple[KeptModel, ...]:
    """The models of a history folder, oldest first; none if it does not exist."""
    used = (folder / _IN_USE).read_text("utf-8").strip() if (folder / _IN_USE).exists() else ""
    found = []
    for meta in sorted(folder.glob(f"*/{_META}")):
        if meta.parent.suffix == UNFINISHED:
            continue
        about = read_meta(meta.parent)
        found.append(
            KeptModel(
                meta.parent.name,
                str(about.get("trained_at", "")),
                _number(about.get("mails")),
                _number(about.get("corrections")),
                meta.parent.name == used,
                _number(about.get("corrections_to")),
            )
        )
    return tuple(sorted(found, key=lambda model: (model.trained_at, model.version)))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def use_model(folder: Path, version: str) -> None:
    """Takes the model `version` into use, "shipped" for the package's. Raises AssistantError if it is not there."""
    if version == SHIPPED:
        (folder / _IN_USE).unlink(missing_ok=True)
        return
    if not (folder / version / "config.cfg").exists():
        names = ", ".join((*(model.version for model in models_in(folder)), SHIPPED))
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


def begin_model(folder: Path, base: str) -> tuple[str, Path]:
    """The version of the next model, and an empty folder to write it into, readable by its owner alone."""
    version = next_version(folder, base)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = folder / f"{version}{UNFINISHED}"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700)
    return version, beside


def finish_model(folder: Path, version: str, beside: Path) -> None:
    """Takes what was written to `beside` into use; the oldest models beyond ten are removed."""
    beside.rename(folder / version)
    use_model(folder, version)
    for model in models_in(folder)[:-_KEPT]:
        if not model.in_use:
            shutil.rmtree(folder / model.version, ignore_errors=True)


def mark_of(folder: Path) -> str:
    """Of which training a model is: a refit has the mark of the model it began with. "" where it cannot be told."""
    digest = hashlib.sha256()
    try:
        for name in (SEED_FILE, HELD_OUT_FILE):
            digest.update((folder / name).read_bytes())
    except OSError:
        return ""
    return digest.hexdigest()[:16]


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
