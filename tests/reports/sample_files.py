"""The sample data beside the templates of staff mail, made from facts, so that it never drifts from what is sent.

UPDATE_GOLDEN=1 pytest tests/reports        writes them and the golden files anew
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from assistant.reports import staff
from assistant.reports.weekly_view import weekly_view
from tests.reports import staff_mail, weeks

TEMPLATES: Final = Path(__file__).parents[2] / "templates"
_HEADER: Final = (
    "# Sample data for `assistant templates preview` and for checking, as the assistant gives it to this mail.\n"
)

VIEWS: Final[Mapping[str, Callable[[str], dict[str, Any]]]] = {
    "summaries/weekly": lambda language: weekly_view(weeks.full_week(language)),
    "reminders/morning": lambda language: staff.morning_view(staff_mail.morning(language)),
    "reminders/urgent": lambda language: staff.urgent_view(staff_mail.urgent(language)),
    "staff/veto-digest": lambda language: staff.pending_view(staff_mail.veto_digest(language)),
    "staff/approval-request": lambda language: staff.pending_view(staff_mail.approval_request(language)),
    "staff/opt-out-notice": lambda language: staff.opt_out_view(staff_mail.opt_out(language)),
    "staff/bounce-notice": lambda language: staff.bounce_view(staff_mail.bounce(language)),
    "staff/operator-notice": lambda language: staff.operator_view(staff_mail.operator(language)),
}
"""Every mail to staff and the context that its facts give it."""


def sample_toml(name: str) -> str:
    """The whole sample file of `name`: simplified Chinese, then what is different in the other languages."""
    first = VIEWS[name]("zh-Hans")
    others = {language: VIEWS[name](language) for language in ("zh-Hant", "en")}
    different = {
        language: {key: value for key, value in view.items() if value != first[key]}
        for language, view in others.items()
    }
    return _HEADER + "\n".join(_lines({**first, **different}, ()))


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    plain = {key: value for key, value in table.items() if not _is_long(value)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    for key, value in table.items():
        if key in plain:
            continue
        below = (*path, _key(key))
        entries = value if isinstance(value, list) else [value]
        brackets = "[[{}]]" if isinstance(value, list) else "[{}]"
        for entry in entries:
            lines += ["", brackets.format(".".join(below)), *_lines(entry, below)]
    return lines if path else [*lines, ""]


def _is_long(value: Any) -> bool:
    """Whether it gets a table of its own: a table or a list of tables, but not a list of very small ones."""
    if isinstance(value, list):
        return any(isinstance(entry, dict) and len(entry) > 2 for entry in value) or any(
            isinstance(entry, dict) and _is_long(list(entry.values())) for entry in value
        )
    return isinstance(value, dict)


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return "[" + ", ".join(_value(entry) for entry in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_value(entry)}" for key, entry in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
