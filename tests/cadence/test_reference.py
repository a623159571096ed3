"""The reference page and the schema say what the checker does, and both languages are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assistant.cadence.codes import CODES
from assistant.cadence.load import load_rulebook
from assistant.cadence.reference import EXAMPLE, reference
from assistant.cadence.rulefile import Key, Table
from assistant.cadence.scenario_tables import TEST_FILE
from assistant.cadence.schema import rule_schema, scenario_schema
from assistant.cadence.tables import FILE
from assistant.cadence.testing import run_test_text
from tests.cadence.worlds import RULES, parsed

ROOT = Path(__file__).parents[2]


def test_the_page_is_the_one_in_the_documentation() -> None:
    """When this fails: `assistant rules reference > docs/rules.md`."""
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == reference()


def test_every_code_in_the_program_is_explained_and_the_other_way_round() -> None:
    folder = ROOT / "assistant" / "cadence"
    used = {
        code
        for path in folder.glob("*.py")
        if path.name != "codes.py"
        for code in re.findall(r'"(R\d{3})"', path.read_text(encoding="utf-8"))
    }
    assert used == set(CODES)


def keys_of(table: Table) -> Iterator[Key]:
    for key in table.keys:
        yield key
        if isinstance(key.kind, Table):
            yield from keys_of(key.kind)


def test_every_key_is_explained_in_both_languages_and_in_the_page() -> None:
    page = reference()
    for key in (*keys_of(FILE), *keys_of(TEST_FILE)):
        assert key.doc, key.name
        assert re.search("[一-鿿]", key.doc_zh), key.name
    for key in keys_of(FILE):
        assert f"`{key.name}`" in page or isinstance(key.kind, Table) or key.name == "schema", key.name


def test_the_examples_of_the_page_run() -> None:
    rulebook, _ = load_rulebook(RULES)
    assert rulebook is not None
    text = EXAMPLE.split("```toml\n")[1].split("```")[0]
    results, problems = run_test_text(text, "rules/followups.test.toml", rulebook)
    assert problems == []
    assert [result.message for result in results] == ["", ""]


def fits(schema: dict[str, Any], value: Any) -> bool:
    """Enough of JSON Schema for our own."""
    if "anyOf" in schema:
        return any(fits(one, value) for one in schema["anyOf"])
    if "const" in schema:
        return bool(value == schema["const"])
    if "enum" in schema:
        return value in schema["enum"]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    words = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    kind = words.get(type(value), "string")
    if kind not in kinds and not (kind == "integer" and "number" in kinds):
        return False
    if kind == "object" and "properties" in schema:
        known = schema["properties"]
        needed = all(key in value for key in schema.get("required", ()))
        return needed and all(key in known and fits(known[key], item) for key, item in value.items())
    if kind == "array" and "items" in schema:
        return all(fits(schema["items"], item) for item in value)
    return not (
        kind == "string" and "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value)
    )


def test_the_shipped_files_fit_the_schema_and_a_wrong_key_does_not() -> None:
    for path in sorted(RULES.glob("*.toml")):
        schema = scenario_schema() if path.name.endswith(".test.toml") else rule_schema()
        assert fits(schema, parsed(path.read_text(encoding="utf-8"))), path.name
    assert not fits(rule_schema(), {"schema": 1, "cadance": []})
    assert not fits(rule_schema(), {"schema": 2})
