"""The JSON Schema (draft 2020-12) of rule files and test files, for editors that complete and check TOML."""

from __future__ import annotations

from typing import Any

from assistant.cadence.rulefile import Key, Table
from assistant.cadence.scenario_tables import TEST_FILE
from assistant.cadence.tables import FILE


def rule_schema() -> dict[str, Any]:
    """Of `rules/*.toml`."""
    return _document(FILE, "Rule file of cc-assistant")


def scenario_schema() -> dict[str, Any]:
    """Of `rules/*.test.toml`."""
    return _document(TEST_FILE, "Rule tests of cc-assistant")


def _document(table: Table, title: str) -> dict[str, Any]:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return {**head, **_table(table)}


def _table(table: Table) -> dict[str, Any]:
    required = [key.name for key in table.keys if key.required]
    schema: dict[str, Any] = {
        "type": "object",
        "description": f"{table.doc}\n{table.doc_zh}",
        "additionalProperties": False,
        "properties": {key.name: _key(key) for key in table.keys},
    }
    return {**schema, "required": required} if required else schema


def _key(key: Key) -> dict[str, Any]:
    description = f"{key.doc}\n{key.doc_zh}" + (f"\nDefault: {key.default}" if key.default else "")
    if isinstance(key.kind, Table):
        inner = _table(key.kind)
        if key.array:
            return {"type": "array", "items": inner, "description": description}
        return {**inner, "description": description}
    one = dict(key.kind.schema)
    if not key.kind.many:
        return {**one, "description": description}
    return {"anyOf": [one, {"type": "array", "items": one}], "description": description}
