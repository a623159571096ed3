"""Golden files: what a mail looked like when a person last looked at it. UPDATE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"


def agree(actual: str, file: Path) -> None:
    """Fails with a readable difference where `actual` is not what `file` holds."""
    if UPDATE:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(actual, encoding="utf-8")
    assert file.exists(), f"{file.name} is missing: look at the mail, then run with UPDATE_GOLDEN=1"
    assert actual == file.read_text(encoding="utf-8"), f"{file.name} differs: look at it, then run with UPDATE_GOLDEN=1"
