"""Lines and columns of keys and values in a TOML file."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from assistant.cadence.positions import Path, find_places, width_at

TEXT = '''# a comment with [brackets] and "quotes"
schema = 1
[[cadence]]
name = "one" # name = "two"
when = { stage = "proposal", tag = ["a", "b"] }
why = """
name = "not me"
[[cadence]]
"""
  [[cadence.step]]
  after.count = 3
  'send'  = 'x'
[[cadence]]
"name" = "zwei"
list = [
  1, # first
  { a = 2026-01-01 10:00:00, b = """x""" },
]
[plain.inner]
k = -1.5
'''


def test_keys_and_values_are_found_where_they_stand() -> None:
    places = find_places(TEXT)
    assert places[("schema",)].value == (2, 10)
    assert places[("cadence", 0)].value == (3, 1)
    assert places[("cadence", 0, "when", "tag", 1)].value == (5, 42)
    assert places[("cadence", 0, "step", 0, "after", "count")].key == (11, 9)
    assert places[("cadence", 0, "step", 0, "send")].key == (12, 3)
    assert places[("cadence", 1, "name")].value == (14, 10)
    assert places[("cadence", 1, "list", 1, "b")].value == (17, 34)
    assert places[("plain", "inner", "k")].value == (20, 5)


def paths_of(tree: Any, path: Path = ()) -> set[Path]:
    found: set[Path] = set()
    items: Any = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        found |= {(*path, key)} | paths_of(value, (*path, key))
    return found


def test_every_path_of_the_file_has_a_place() -> None:
    assert paths_of(tomllib.loads(TEXT)) <= set(find_places(TEXT))


KEYS = st.sampled_from(["a", "b-c", "d_1", "中文", 'with "quote"', "dot.ted"])
SCALARS = st.one_of(
    st.integers(-5, 5),
    st.booleans(),
    st.sampled_from(["x", "#no comment", "[not] {a} = 'table'", "äöü 中文", 'a"b', "back\\slash", "tab\t"]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)


def written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'
    if isinstance(value, list):
        return "[ " + " ,\n".join(written(item) for item in value) + " ]"
    return "{ " + ", ".join(f"{written(key)} = {written(item)}" for key, item in value.items()) + " }"


@given(st.lists(DOCUMENTS, min_size=1, max_size=3))
def test_what_stands_at_a_value_s_place_is_the_value(tables: list[dict[str, Any]]) -> None:
    text = "".join(
        "[[t]]  # table\n" + "".join(f"  {written(key)}\t= {written(value)} # end\n" for key, value in table.items())
        for table in tables
    )
    assert tomllib.loads(text)["t"] == tables
    places, lines = find_places(text), text.split("\n")
    for number, table in enumerate(tables):
        for path in paths_of(table):
            value: Any = table
            for part in path:
                value = value[part]
            line, column = places[("t", number, *path)].value
            assert lines[line - 1][column - 1 :].startswith(written(value).split("\n")[0])


def test_the_mark_is_as_long_as_the_word() -> None:
    assert width_at('send = "a b" # x', 8) == 5
    assert width_at("stpo = 1", 1) == 4
    assert width_at("[[cadance]]", 1) == 11
    assert width_at("x", 9) == 1
