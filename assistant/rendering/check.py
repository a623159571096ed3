"""Finding every problem of the templates before anything is sent."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import TemplateSyntaxError, UndefinedError

from assistant.errors import Problem, ProblemsFound
from assistant.rendering.library import PARTS, SHARED, Library
from assistant.rendering.names import unknown_names

if TYPE_CHECKING:
    from assistant.rendering.templates import Templates

CODES: Final[Mapping[str, str]] = {
    "T001": "The template cannot be read: a tag, a filter or an expression is wrong.",
    "T002": "The template names something that it is not given.",
    "T003": "A part of the mail is missing: each language needs a subject and a text.",
    "T004": "The sample data or the words of a template are bad.",
    "T005": "The template fails with its sample data.",
    "T006": "The html part would load something from the network, which mail programs block and clients distrust.",
    "T007": "The html part is so long that Gmail clips it.",
}
MAX_HTML_BYTES: Final = 100_000
"""Gmail clips messages at 102 KB; see the findings on mail that looks right in the documentation of templates."""

_REMOTE: Final = re.compile(
    r"""<(?:img|iframe|video|audio|source|embed|script)\b[^>]*\bsrc\s*=\s*["']?\s*(?:https?:)?//"""
    r"""|<link\b[^>]*\bhref\s*=|url\(\s*["']?\s*(?:https?:)?//|@import|\bbackground\s*=\s*["']?\s*(?:https?:)?//""",
    re.IGNORECASE,
)
_UNDEFINED: Final = re.compile(r"^'(?P<root>[^']+)' is undefined|has no (?:attribute|element) '?(?P<name>[^']+)'?")
_UNKNOWN_THING: Final = re.compile(r"No (filter|test) named '([^']+)'")


def remote_resources(html: str) -> list[str]:
    """Everything in `html` that a mail program would fetch from the network; links that people click are none."""
    return [match.group(0) for match in _REMOTE.finditer(html)]


def check_templates(templates: Templates) -> list[Problem]:
    """Every problem in order of file and line, each once."""
    library = templates.library
    problems: set[Problem] = set()
    broken: set[str] = set()
    for key in sorted(key for key in library.files if key.endswith(".j2")):
        try:
            _parse(templates, key)
        except (TemplateSyntaxError, UnicodeDecodeError) as error:
            broken.add(key)
            problems.add(explained(error, library, key))
    shared_is_broken = any(key.startswith(f"{SHARED}/") for key in broken)
    for name in library.names():
        problems.update(_missing_parts(library, name))
        for language in library.languages(name):
            problems.update(_check_language(templates, name, language, broken, render=not shared_is_broken))
    return sorted(problems)


def _missing_parts(library: Library, name: str) -> Iterator[Problem]:
    languages = library.languages(name)
    if not languages:
        yield Problem(library.shown(name), 0, 0, "T003", "no language has a subject and a text part")
    for language in languages:
        for part in ("subject", "text"):
            if not library.part(name, part, language):
                file = library.shown(f"{name}/{part}.{language}.j2")
                hint = f"Write this file, or remove the other parts in {language}."
                yield Problem(file, 0, 0, "T003", f"the {part} part is missing", hint)


def _check_language(
    templates: Templates, name: str, language: str, broken: set[str], *, render: bool
) -> Iterator[Problem]:
    library = templates.library
    try:
        context = {**templates.sample(name, language), "language": language, "words": library.words(name, language)}
    except ProblemsFound as error:
        yield from error.problems
        return
    keys = [key for part in PARTS if (key := library.part(name, part, language))]
    placed: set[tuple[str, int]] = set()
    given = {**context, "mail": {"subject": "", "text": "", "body": "", "footer": ""}}
    for key in keys:
        if key not in broken:
            shown = given if key.rpartition("/")[2].startswith("html.") else context
            unknown = unknown_names(templates.environment, _source(library, key), shown, library.shown(key))
            placed.update((problem.file, problem.line) for problem in unknown)
            yield from unknown
    complete = library.part(name, "subject", language) and library.part(name, "text", language)
    if not render or not complete or broken.intersection(keys):
        return
    try:
        rendered = templates.render_unchecked(name, language, context)
    except ProblemsFound as error:
        # Rendering stops at the first unknown name, which reading the names has mostly placed better already.
        yield from (p for p in error.problems if p.code != "T002" or (p.file, p.line) not in placed)
        return
    html_key = library.part(name, "html", language)
    if rendered.html is not None and html_key:
        for resource in remote_resources(rendered.html):
            yield Problem(library.shown(html_key), 0, 0, "T006", f"loads from the network: {resource[:80]}")
        if len(rendered.html.encode()) > MAX_HTML_BYTES:
            yield Problem(library.shown(html_key), 0, 0, "T007", "the html part is over 100 KB", severity="warning")


def check_line(templates: Templates, source: str, group: str) -> list[Problem]:
    """The problems of a one-line template that stands in a rule file; the line counts from its own start."""
    try:
        templates.environment.parse(source)
        templates.environment.compile(source)
    except TemplateSyntaxError as error:
        return [explained(error, templates.library, "", source)]
    context = {**templates.sample(f"{group}/any", templates.agency_language), "language": "en"}
    problems = unknown_names(templates.environment, source, context, "")
    if not problems:
        try:
            templates.render_line(source, "en", context)
        except ProblemsFound as error:
            problems.extend(error.problems)
    return problems


def explained(error: Exception, library: Library, key: str, source: str | None = None) -> Problem:
    """What went wrong in a template, with the place in the innermost template that took part."""
    if isinstance(error, ProblemsFound):
        return error.problems[0]
    if isinstance(error, UnicodeDecodeError):
        return Problem(library.shown(key), 0, 0, "T001", "the file is not UTF-8", str(error))
    if isinstance(error, TemplateSyntaxError):
        place, line, message = _key_of(library, error.filename) or key, error.lineno, error.message or "syntax error"
    else:
        place, line = _innermost(error, library) or (key, 1)
        message = str(error)
    text = source if source is not None else _source(library, place)
    file = library.shown(place) if place else ""
    return _worded(error, message, file, line, text.splitlines()[line - 1] if line <= len(text.splitlines()) else "")


def _worded(error: Exception, message: str, file: str, line: int, text: str) -> Problem:
    if isinstance(error, TemplateSyntaxError):
        unknown = _UNKNOWN_THING.search(message)
        if not unknown:
            column = len(text) - len(text.lstrip()) + 1
            return Problem(file, line, column, "T001", message.rstrip("."))
        kind, word = unknown.groups()
        hint = _suggestion(word, _names_of(kind))
        return Problem(file, line, _column(text, word), "T001", f'there is no {kind} "{word}"', hint)
    if isinstance(error, UndefinedError):
        found = _UNDEFINED.search(message)
        word = (found["root"] or found["name"]) if found else ""
        return Problem(file, line, _column(text, word), "T002", f'"{word}" is not known here' if word else message)
    name = type(error).__name__
    return Problem(file, line, 1, "T005", f"rendering the sample data fails: {message} ({name})")


def _names_of(kind: str) -> list[str]:
    from jinja2.filters import FILTERS as DEFAULT_FILTERS
    from jinja2.tests import TESTS as DEFAULT_TESTS

    from assistant.rendering.filters import FILTERS

    return [*FILTERS, *DEFAULT_FILTERS] if kind == "filter" else list(DEFAULT_TESTS)


def _suggestion(word: str, choices: list[str]) -> str:
    near = difflib.get_close_matches(word, choices, n=1)
    return f'Did you mean "{near[0]}"?' if near else ""


def _column(line: str, word: str) -> int:
    match = re.search(rf"\b{re.escape(word)}\b", line) if word else None
    return match.start() + 1 if match else 1


def _innermost(error: BaseException, library: Library) -> tuple[str, int] | None:
    """The last template on the traceback: Jinja gives its frames the template's file and line."""
    found, traceback = None, error.__traceback__
    while traceback is not None:
        key = _key_of(library, traceback.tb_frame.f_code.co_filename)
        if key:
            found = (key, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found


def _key_of(library: Library, filename: str | None) -> str | None:
    for folder in library.folders:
        if filename and Path(filename).is_relative_to(folder):
            return Path(filename).relative_to(folder).as_posix()
    return None


def _source(library: Library, key: str) -> str:
    path = library.files.get(key)
    return path.read_text(encoding="utf-8") if path else ""


def _parse(templates: Templates, key: str) -> Any:
    # Compiling also finds unknown filters and tests, which parsing leaves to the first use; rendering then has it at hand.
    return templates.environment.get_template(key)
