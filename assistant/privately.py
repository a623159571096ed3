"""Files with clients' words in them: readable by their owner alone, whatever the umask."""

from __future__ import annotations

import os
from pathlib import Path


def write_privately(path: Path, content: str | bytes) -> None:
    """Writes a file of mode 0600, also where one of a wider mode stood; folders that are missing become 0700."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    raw = content.encode("utf-8") if isinstance(content, str) else content
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        make_private(path)
        stream.write(raw)


def make_private(path: Path) -> None:
    """Takes the file away from group and others, where it is ours to do so."""
    if path.stat().st_mode & 0o077 and path.stat().st_uid == os.geteuid():
        path.chmod(0o600)
