"""A parsed TOML file against the tables: every key read, every problem collected with the path where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from assistant.cadence.positions import Path, Place, find_places
from assistant.cadence.rulefile import TEMPLATE, Key, Kind, Table, read_value, type_name
from assistant.cadence.values import Fault, did_you_mean
from assistant.errors import Problem

Where = Literal["key", "value", "table"]


class KnowsTemplates(Protocol):
    """What checking needs of `assistant.rendering.Templates`."""

    def exists(self, name: str) -> bool: ...

    def names(self) -> tuple[str, ...]: ...

    def check(self) -> list[Problem]: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong at a path of the parsed file."""

    path: Path
    where: Where
    code: str
    message: str
    hint: str = ""
    severity: str = "error"


@dataclass
class Report:
    """The findings of one file."""

    shown: str
    text: str
    data: Mapping[str, Any]
    findings: list[Finding] = field(default_factory=list)

    def add(self, path: Path, code: str, message: str, hint: str = "", *, where: Where = "value") -> None:
        self.findings.append(Finding(path, where, code, message, hint))

    def warn(self, path: Path, code: str, message: str, hint: str = "", *, where: Where = "value") -> None:
        self.findings.append(Finding(path, where, code, message, hint, "warning"))

    @property
    def has_errors(self) -> bool:
        return any(finding.severity == "error" for finding in self.findings)

    def problems(self) -> list[Problem]:
        """All findings with line and column, in the order of the file."""
        if not self.findings:
            return []
        places = find_places(self.text)
        return sorted(self._placed(finding, places) for finding in self.findings)

    def _placed(self, finding: Finding, places: dict[Path, Place]) -> Problem:
        path, where = finding.path, finding.where
        while path and path not in places:
            path, where = path[:-1], "table"
        place = places.get(path)
        line, column = (1, 1) if place is None else (place.key if where == "key" else place.value)
        hint = " ".join(part for part in (self.context(finding.path), finding.hint) if part)
        return Problem(self.shown, line, column, finding.code, finding.message, hint, finding.severity)

    def context(self, path: Path) -> str:
        """`cadence "proposal-unanswered", step 1.`: which rule and which part of it a path belongs to."""
        parts: list[str] = []
        here: Any = self.data
        for number, part in enumerate(path):
            try:
                here = here[part]
            except (KeyError, IndexError, TypeError):
                break
            if isinstance(part, int) and isinstance(here, dict):
                label = str(path[number - 1])
                name = here.get("name", here.get("id"))
                parts.append(f'{label} "{name}"' if isinstance(name, str) and name else f"{label} {part + 1}")
        return ", ".join(parts) + "." if parts else ""


_TABLE_WORDS: Final = ("expected a table", "expected tables")


def read_table(
    table: Table, data: Mapping[str, Any], path: Path, report: Report, templates: KnowsTemplates | None
) -> dict[str, Any]:
    """Meanings by key of what is right in `data`; everything else becomes a finding."""
    result: dict[str, Any] = {}
    for name, value in data.items():
        key = table.key(name)
        here = (*path, name)
        if key is None:
            code = "R009" if not path and isinstance(value, (dict, list)) else "R004"
            what = "table" if code == "R009" else "key"
            hint = did_you_mean(name, [known.name for known in table.keys])
            report.add(here, code, f'unknown {what} "{name}"', hint, where="key")
        elif isinstance(key.kind, Table):
            result[name] = _read_tables(key, key.kind, value, here, report, templates)
        else:
            found = _read_kind(key, key.kind, value, here, report, templates)
            if found is not None:
                result[name] = found
    for key in table.keys:
        if key.required and key.name not in data:
            example = f"Write {key.name} = {key.example}." if key.example else ""
            if key.array:
                example = f"Add at least one [[{'.'.join(str(p) for p in path if isinstance(p, str))}.{key.name}]]."
            report.add(path, "R005", f'"{key.name}" is missing', example, where="table")
    return result


def _read_tables(
    key: Key, table: Table, value: Any, path: Path, report: Report, templates: KnowsTemplates | None
) -> Any:
    if not key.array:
        if not isinstance(value, dict):
            report.add(path, "R006", f"expected a table, not {type_name(value)}", f"Write [{key.name}].")
            return {}
        return read_table(table, value, path, report, templates)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        hint = f"Write [[{'.'.join(str(part) for part in path if isinstance(part, str))}]] with two brackets."
        report.add(path, "R006", f'"{key.name}" stands for several, each under its own header', hint, where="table")
        return []
    if not value and not key.may_be_empty:
        report.add(path, "R008", f'"{key.name}" is empty', "Add one, or leave the key out.")
    return [read_table(table, item, (*path, number), report, templates) for number, item in enumerate(value)]


def _read_kind(key: Key, kind: Kind, value: Any, path: Path, report: Report, templates: KnowsTemplates | None) -> Any:
    if not kind.many:
        return _read_one(key, value, path, report, templates)
    if not isinstance(value, list):
        found = _read_one(key, value, path, report, templates)
        return None if found is None else (found,)
    if not value and not key.may_be_empty:
        report.add(path, "R008", f'"{key.name}" is an empty list', "Name something, or leave the key out.")
    items = (_read_one(key, item, (*path, number), report, templates) for number, item in enumerate(value))
    return tuple(item for item in items if item is not None)


def _read_one(key: Key, value: Any, path: Path, report: Report, templates: KnowsTemplates | None) -> Any:
    try:
        found = read_value(key, value)
    except Fault as fault:
        here = (*path, *fault.inside)
        report.add(here, fault.code, fault.message, fault.hint, where="key" if fault.key else "value")
        return None
    if key.kind is TEMPLATE and templates is not None and not templates.exists(found):
        hint = did_you_mean(found, templates.names()) or "`assistant templates list` shows what there is."
        report.add(path, "R012", f'unknown template "{found}"', hint)
        return None
    return found
