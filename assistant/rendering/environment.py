"""Jinja as mails need it: sandboxed, strict, escaping in html only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from assistant.rendering.filters import FILTERS


class MailEnvironment(ImmutableSandboxedEnvironment):
    """Templates of people who are trusted with wording, not with the machine; they cannot change what they are given."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`words.keys` is the entry "keys" of a table, never the method of the same name."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def mail_environment(folders: Sequence[Path]) -> MailEnvironment:
    """Reads each template from the first of `folders` that has it, and keeps it."""
    environment = MailEnvironment(
        loader=FileSystemLoader([str(folder) for folder in folders]),
        undefined=StrictUndefined,
        autoescape=is_html,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.filters.update(FILTERS)
    return environment


def is_html(key: str | None) -> bool:
    """Whether a template is html by its file name: `html.zh-Hans.j2`, `layout/letter.html.j2`."""
    return key is not None and "html" in key.rpartition("/")[2].split(".")
