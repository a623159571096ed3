"""What every command is given: where the configuration is, and parts that are built when first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

if TYPE_CHECKING:
    from assistant.bootstrap import Options, Workplace
    from assistant.config import Config
    from assistant.rendering import Templates
    from assistant.store import Database

COMMAND_LINE = "command line"
"""Who decided, in the audit log, where somebody ran a command."""


@dataclass
class CommandContext:
    """`ctx.obj` of every command."""

    config_path: Path
    explicit: bool = False
    """Whether --config was given."""
    logs: bool = False
    """Whether the command logs what happens; others print results, and only what is wrong is logged beside them."""

    @cached_property
    def config(self) -> Config:
        """Raises ProblemsFound or AssistantError with what to do."""
        from assistant.config import load_config

        return load_config(self.config_path)

    @property
    def base(self) -> Path:
        return self.config_path.resolve().parent

    @property
    def zone(self) -> str:
        """The agency's time zone, in which people are shown times."""
        return self.config.agency.timezone

    def has_config(self) -> bool:
        return self.config_path.exists()

    def workplace(self, options: Options | None = None) -> Workplace:
        from assistant.bootstrap import Workplace

        if not self.logs:
            from assistant.log import set_up_logging

            set_up_logging("warning")
        return Workplace(self.config, self.base, options)

    def database(self) -> Database:
        return self.workplace().database

    def rules_folder(self) -> Path:
        """The agency's own rules, or the shipped ones."""
        from assistant.resources import folder_for, shipped

        return (
            folder_for(self.config.folders.rules, self.base) if self.has_config() or self.explicit else shipped("rules")
        )

    def templates(self) -> Templates:
        from assistant.config import full_language
        from assistant.rendering import Templates
        from assistant.resources import folder_for, shipped

        if not self.has_config() and not self.explicit:
            return Templates(shipped("templates"), None, "zh-Hans")
        config = self.config
        folder = folder_for(config.folders.templates, self.base)
        return Templates(folder, shipped("templates"), full_language(config.agency.language))


def context_of(ctx: typer.Context) -> CommandContext:
    return cast("CommandContext", ctx.find_root().obj)


def parse_time(text: str, timezone: str) -> datetime:
    """An ISO 8601 time; without an offset it is meant in `timezone`. Raises WrongUse."""
    from zoneinfo import ZoneInfo

    from assistant.errors import WrongUse

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongUse(
            f"{text!r} is not a time: write 2026-02-24T10:00:00+08:00, or without the offset for {timezone}."
        ) from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(timezone))
