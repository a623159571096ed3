"""The pages that people read, and how they speak of commands, files and places."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from typer.main import get_command

from assistant.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("templates/*.md"), *ROOT.glob("corpus/*.md"))
    if path.name != "LICENSE.md"
)
_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code_of(page: Path) -> list[str]:
    """Every line of the page's code blocks and every piece of inline code."""
    text = text_of(page)
    blocks = [line for block in _FENCE.findall(text) for line in block.splitlines()]
    return [*blocks, *_INLINE.findall(_FENCE.sub("", text))]


def called_commands(page: Path) -> list[list[str]]:
    """Each `assistant …` on the page as words after the name, comments and what follows a pipe or `;` left out."""
    found = []
    for line in code_of(page):
        for part in re.split(r"[;|]|&&|\s#\s|\s{2,}#", line):
            match = re.match(r"^(?:for .* do )?(?:\S*/)?assistant\s+(?=[a-z-])(.*)", part.strip().removeprefix("do "))
            if match:
                found.append(match[1].split())
    return found


def command_named(words: list[str]) -> tuple[Any, list[str]]:
    """The command that `words` call and the words that are left; raises LookupError when there is none."""
    command: Any = get_command(app)
    rest = list(words)
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in {"--config", "-c"} else rest[1:]
    while rest and getattr(command, "commands", None):
        inner = command.commands.get(rest[0])
        if inner is None:
            if getattr(command, "invoke_without_command", False):
                break
            raise LookupError(rest[0])
        command, rest = inner, rest[1:]
    return command, rest
