"""Names that a template uses and is not given, found without running it: also in branches that the sample does not take."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping

from jinja2 import Environment, nodes

from assistant.errors import Problem

_ALWAYS = frozenset({"loop", "self", "super", "caller", "varargs", "kwargs"})


def unknown_names(environment: Environment, source: str, context: Mapping[str, object], file: str) -> list[Problem]:
    """A T002 for each dotted name that does not lead to something in `context`, with the nearest name that does.

    What a template defines itself, and what it asks `is defined` or gives a `default`, is left alone.
    """
    tree = environment.parse(source)
    own = _own_names(tree) | set(environment.globals) | _ALWAYS
    lines = source.splitlines()
    problems = []
    for line, path in sorted(set(_paths(tree))):
        if path[0] in own:
            continue
        miss = _first_miss(path, context)
        if miss is None:
            continue
        depth, choices = miss
        dotted = ".".join(path[: depth + 1])
        near = difflib.get_close_matches(path[depth], choices, n=1)
        hint = (
            f'Did you mean "{".".join([*path[:depth], near[0]])}"?' if near else _what_there_is(path[:depth], choices)
        )
        text = lines[line - 1] if line <= len(lines) else ""
        at_line, column = _place(lines, line, dotted) if dotted not in text else (line, text.index(dotted) + 1)
        problems.append(Problem(file, at_line, column, "T002", f'"{dotted}" is not known here', hint))
    return problems


def _own_names(tree: nodes.Template) -> set[str]:
    """Everything that the template gives a name: loops, set, macros, imports, arguments."""
    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx in {"store", "param"}}
    own.update(macro.name for macro in tree.find_all(nodes.Macro))
    own.update(imported.target for imported in tree.find_all(nodes.Import))
    for imported in tree.find_all(nodes.FromImport):
        own.update(name if isinstance(name, str) else name[1] for name in imported.names)
    return own


def _paths(node: nodes.Node) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Line and dotted path of every name that must exist."""
    if isinstance(node, nodes.Test) and node.name in {"defined", "undefined"}:
        return
    if isinstance(node, nodes.Filter) and node.name in {"default", "d"}:
        return
    path = _path(node)
    if path is not None:
        yield node.lineno, path
        return
    for child in node.iter_child_nodes():
        yield from _paths(child)


def _path(node: nodes.Node) -> tuple[str, ...] | None:
    attributes: list[str] = []
    while isinstance(node, nodes.Getattr):
        attributes.append(node.attr)
        node = node.node
    if isinstance(node, nodes.Name) and node.ctx == "load":
        return (node.name, *reversed(attributes))
    return None


def _first_miss(path: tuple[str, ...], context: Mapping[str, object]) -> tuple[int, list[str]] | None:
    """How deep `path` leads before it fails, and the names that there are at that depth; None if it leads all the way."""
    value: object = context
    for depth, name in enumerate(path):
        choices = _names(value)
        if isinstance(value, Mapping) and name in value:
            value = value[name]
        elif depth and hasattr(value, name):
            value = getattr(value, name)
        else:
            return depth, choices
    return None


def _names(value: object) -> list[str]:
    if isinstance(value, Mapping):
        return sorted(str(key) for key in value)
    return [name for name in dir(value) if not name.startswith("_") and not callable(getattr(value, name, None))]


def _what_there_is(parents: tuple[str, ...], choices: list[str]) -> str:
    place = f'"{".".join(parents)}" has' if parents else "There are"
    return f"{place} {', '.join(choices)}." if 0 < len(choices) <= 12 else ""


def _place(lines: list[str], start: int, dotted: str) -> tuple[int, int]:
    """Where `dotted` stands at or after line `start`: an expression over several lines begins before its names."""
    pattern = re.compile(rf"\b{re.escape(dotted)}\b")
    for number in range(start, len(lines) + 1):
        match = pattern.search(lines[number - 1])
        if match:
            return number, match.start() + 1
    return start, 1
