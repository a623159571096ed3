"""Writes docs/commands.md from the command line itself: `python docs/write_commands.py`. A test compares the two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from assistant.cli.app import app

PAGE = Path(__file__).parent / "commands.md"

HEAD = """# Commands · 命令

<!-- Written by `python docs/write_commands.py`; do not edit. 由脚本生成，请勿手改。 -->

Results go to standard output, talk to people to standard error. `--config FILE` stands before the command; without it `./config.toml` is read.
Listings take `--json`: one object a line. Exit status: 0 fine, 1 problems found, 2 wrong use, 3 the world is broken (no server, no database).
结果写到标准输出，提示写到标准错误。退出码：0 正常，1 发现问题，2 用法不对，3 环境有故障（服务器、数据库）。
"""


def page() -> str:
    """The whole page as text."""
    root = get_command(app)
    return HEAD + "".join(_sections(root, ("assistant",)))


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its path, groups before what is in them."""
    yield from _walk(get_command(app), ("assistant",))


def _walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _walk(inner, (*path, name))


def _sections(root: Any, path: tuple[str, ...]) -> Iterator[str]:
    for names, command in _walk(root, path):
        title = " ".join(names)
        yield f"\n{'##' if len(names) < 3 else '###'} `{title}`\n\n{_sentence(command.help)}\n"
        rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            yield "\n| | |\n| --- | --- |\n" + "".join(f"| {name} | {text} |\n" for name, text in rows)


def _row(parameter: Any) -> tuple[str, str]:
    argument = parameter.param_type_name == "argument"
    metavar = parameter.metavar or ""
    if argument:
        name = f"`{metavar or parameter.name.upper()}`"
    else:
        spelled = [*parameter.opts, *parameter.secondary_opts]
        shown = ", ".join(f"`{option}`" for option in spelled)
        name = shown if parameter.is_flag or not metavar else f"{shown} {metavar}"
    return name.replace("|", "\\|"), _sentence(getattr(parameter, "help", "") or "")


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
