"""Structured logging: one line per event, no client text, no secrets, addresses redacted unless asked for."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog

_ADDRESS = re.compile(r"([A-Za-z0-9._%+\-]{1,64})@([A-Za-z0-9.\-]{1,255})")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def _redact(value: Any) -> Any:
    if isinstance(value, str):
        return _ADDRESS.sub(lambda match: f"{match.group(1)[:1]}…@{match.group(2)}", value)
    if isinstance(value, (list, tuple)):
        return [_redact(item) for item in value]
    return value


def redact_addresses(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Leaves the first letter and the domain: enough to follow a message, too little to write to someone."""
    return {key: _redact(value) for key, value in event.items()}


def set_up_logging(
    level: str = "info",
    form: Literal["text", "json"] = "text",
    *,
    show_addresses: bool = False,
    stream: TextIO | None = None,
) -> None:
    """Configures structlog for this process; lines go to standard error unless `stream` is given."""
    stream = stream or sys.stderr
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=24)
    )
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    if not show_addresses:
        processors.append(redact_addresses)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
