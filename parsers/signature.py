"""Signatures."""

from __future__ import annotations


def split_signature(lines: list[str], *, last: bool) -> tuple[list[str], list[str]]:
    """First version: the delimiter of RFC 3676 §4.3."""
    for index in range(len(lines) - 1, -1, -1):
        if lines[index].rstrip() == "--":
            return lines[:index], lines[index:]
    return lines, []
