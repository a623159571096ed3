"""Sample data of templates: what a preview shows and a check renders."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from datetime import date
from typing import Any

from assistant.errors import Problem, ProblemsFound
from assistant.rendering.context import GROUP_ROOTS, ROOTS
from assistant.rendering.languages import ENGLISH, SIMPLIFIED, TRADITIONAL
from assistant.rendering.library import SHARED, Library, merged

_SHARED_SAMPLE = f"{SHARED}/sample.toml"


def client_roots(library: Library, name: str) -> frozenset[str] | None:
    """The roots that a mail to a client may name; None for mail to staff, whose sample data says it."""
    roots = GROUP_ROOTS.get(name.split("/", maxsplit=1)[0])
    return None if roots is None else roots - set(library.meta(name).without)


def sample_context(library: Library, name: str, language: str) -> Mapping[str, object]:
    """The context that `name` is given in `language`. Raises `ProblemsFound` with code T004."""
    key = f"{name}/sample.toml"
    own = _in_language(library, name, library.table(key), language)
    roots = client_roots(library, name)
    if roots is None:
        if key not in library.files:
            message = "no sample data, so that nothing can be checked before it is sent"
            raise ProblemsFound((Problem(library.shown(key), 0, 0, "T004", message),))
        return own
    shared = _in_language(library, name, library.table(_SHARED_SAMPLE), language)
    return _client_context(library, key, roots, own, shared)


def _in_language(library: Library, name: str, table: Mapping[str, Any], language: str) -> dict[str, Any]:
    known = {SIMPLIFIED, TRADITIONAL, ENGLISH, *library.languages(name)}
    common = {key: value for key, value in table.items() if key not in known}
    own = table.get(language, {})
    return merged(common, own) if isinstance(own, Mapping) else common


def _client_context(
    library: Library, key: str, roots: frozenset[str], own: Mapping[str, Any], shared: Mapping[str, Any]
) -> dict[str, object]:
    problems: list[Problem] = []

    def bad(word: str, message: str, choices: frozenset[str] | set[str] = frozenset()) -> None:
        near = difflib.get_close_matches(word, sorted(choices), n=1)
        hint = f'Did you mean "{near[0]}"?' if near else ""
        file = key if key in library.files else _SHARED_SAMPLE
        line, column = _find(library, file, word)
        problems.append(Problem(library.shown(file), line, column, "T004", message, hint))

    for root in sorted(set(own) - roots):
        bad(root, f'mails of this folder are not given "{root}"', roots)
    data = merged({root: shared[root] for root in roots if root in shared}, {r: own[r] for r in own if r in roots})
    context: dict[str, object] = {}
    for root in sorted(roots):
        holder, value = ROOTS[root], data.get(root)
        if holder is None:
            if isinstance(value, date):
                context[root] = value
            else:
                bad(root, f'"{root}" must be a day such as 2026-02-24')
        elif not isinstance(value, Mapping):
            bad(root, f'"{root}" must be a table')
        else:
            known = {field.name: field for field in fields(holder)}
            for word in sorted(set(value) - set(known)):
                bad(word, f'"{root}" has no "{word}"', set(known))
            context[root] = _fields(value, known, holder, bad, root)
    if problems:
        raise ProblemsFound(tuple(problems))
    return context


def _fields(value: Mapping[str, Any], known: Mapping[str, Field[Any]], holder: type, bad: Any, root: str) -> object:
    given: dict[str, Any] = {}
    for word, field in known.items():
        if word in value:
            given[word] = value[word]
            # The annotations are strings here; a day in place of a text would only show up in a sent mail.
            if (field.type == "date") != isinstance(value[word], date):
                bad(word, f'"{root}.{word}" must be {"a day" if field.type == "date" else "no day"}')
        elif field.default is MISSING:
            bad(root, f'"{root}" needs "{word}"')
            given[word] = None
    return holder(**given)


def _find(library: Library, key: str, word: str) -> tuple[int, int]:
    """Line and column where `word` stands as a key or in a table's name; 0, 0 if it does not."""
    path = library.files.get(key)
    pattern = re.compile(rf"^\s*(?:\[+[\w.\"'-]*)?\b{re.escape(word)}\b")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path else (), start=1):
        match = pattern.match(line)
        if match:
            return number, match.end() - len(word) + 1
    return 0, 0
