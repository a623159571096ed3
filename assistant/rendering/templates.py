"""From a template's name, a language and facts to the finished parts of a mail."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from assistant.errors import Problem, ProblemsFound
from assistant.rendering.harmless import harmless
from assistant.rendering.languages import choose
from assistant.rendering.library import Library, TemplateMeta

if TYPE_CHECKING:
    from assistant.rendering.environment import MailEnvironment

MAX_SUBJECT_CHARACTERS: Final = 180
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_SIGNATURE_MARK: Final = "-- "


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished mail. `subject` is one line without control characters; `html` has its styles inlined."""

    subject: str
    text: str
    html: str | None
    language: str


class Templates:
    """The mails of one agency. Nothing is read or compiled before it is used, and what was compiled is kept:
    make a new one after files changed. Thread-safe for rendering.

    `folder` is what the agency edits, `fallback` what is shipped; each file is taken from the first that has it.
    """

    def __init__(self, folder: Path, fallback: Path | None = None, agency_language: str = "en") -> None:
        self.library = Library(folder, fallback)
        self.agency_language = agency_language

    @cached_property
    def environment(self) -> MailEnvironment:
        """Jinja, sandboxed, strict about undefined names, escaping in html parts only."""
        from assistant.rendering.environment import mail_environment

        return mail_environment(self.library.folders)

    def names(self) -> tuple[str, ...]:
        """All mails, as rule files name them: `followups/proposal-nudge-1`."""
        return self.library.names()

    def exists(self, name: str) -> bool:
        """Whether there is such a mail."""
        return name in self.library.names()

    def languages(self, name: str) -> tuple[str, ...]:
        """The languages in which it can be sent."""
        return self.library.complete_languages(name)

    def meta(self, name: str) -> TemplateMeta:
        """Whether it is commercial, and its tone."""
        return self.library.meta(name)

    def sample(self, name: str, language: str) -> Mapping[str, object]:
        """The context of the sample data, for previews and checks. Raises `ProblemsFound` where it is bad."""
        from assistant.rendering.samples import sample_context

        return sample_context(self.library, name, language)

    def render(self, name: str, language: str, context: Mapping[str, object]) -> Rendered:
        """The mail `name` for a reader of `language`, which falls back as `languages.choose` says.

        Raises `ProblemsFound` with file and line when the template does not exist, is broken, or names something
        that `context` does not have. The html can do no harm, whatever the template let through (`harmless`).
        """
        rendered = self.render_unchecked(name, language, context)
        return replace(rendered, html=harmless(rendered.html)) if rendered.html is not None else rendered

    def render_unchecked(self, name: str, language: str, context: Mapping[str, object]) -> Rendered:
        """The same as the template makes it: what `check` looks at."""
        chosen = choose(language, self.library.complete_languages(name), self.agency_language)
        if chosen is None:
            raise ProblemsFound((self._missing(name),))
        given = {**context, "language": chosen, "words": self.library.words(name, chosen)}
        subject = tidy_subject(self._part(name, "subject", chosen, given))
        text = tidy_text(self._part(name, "text", chosen, given))
        html = None
        if self.library.part(name, "html", chosen):
            body, _, footer = text.partition(f"\n{_SIGNATURE_MARK}\n")
            mail = {"subject": subject, "text": text, "body": body, "footer": footer}
            html = inline_styles(self._part(name, "html", chosen, {**given, "mail": mail}))
        return Rendered(subject, text, html, chosen)

    def render_line(self, source: str, language: str, context: Mapping[str, object]) -> str:
        """A short template that stands in a rule file, such as the words of a task, on one line.

        Raises `ProblemsFound`; `check_line` finds the same before anything runs.
        """
        from assistant.rendering.check import explained

        try:
            rendered = self.environment.from_string(source).render({**context, "language": language})
        except Exception as error:  # whatever a template does wrong is the template's problem, not a bug of ours
            raise ProblemsFound((explained(error, self.library, "", source),)) from error
        return tidy_subject(rendered)

    def check(self) -> list[Problem]:
        """Every problem of every template, rendered in each of its languages with its sample data. See `check.CODES`."""
        from assistant.rendering.check import check_templates

        return check_templates(self)

    def check_line(self, source: str, group: str = "followups") -> list[Problem]:
        """The problems of a line as `render_line` takes it, for mails of `group`; their `file` is "" and line 1."""
        from assistant.rendering.check import check_line

        return check_line(self, source, group)

    def _part(self, name: str, part: str, language: str, context: Mapping[str, Any]) -> str:
        key = self.library.part(name, part, language)
        assert key is not None, f"{name} has no {part} in {language}"
        try:
            return self.environment.get_template(key).render(context)
        except Exception as error:  # whatever a template does wrong is the template's problem, not a bug of ours
            from assistant.rendering.check import explained

            raise ProblemsFound((explained(error, self.library, key),)) from error

    def _missing(self, name: str) -> Problem:
        near = difflib.get_close_matches(name, self.names(), n=1)
        hint = f'Did you mean "{near[0]}"?' if near else "`assistant templates list` shows what there is."
        if self.exists(name):
            return Problem(self.library.shown(name), 0, 0, "T003", "no language has both a subject and a text part")
        return Problem(self.library.shown(name), 0, 0, "T003", f'there is no template "{name}"', hint)


def tidy_subject(text: str) -> str:
    """One line that cannot inject a header, cut to a sensible length."""
    from assistant.rendering.filters import shorten

    return shorten(text, MAX_SUBJECT_CHARACTERS)


def tidy_text(text: str) -> str:
    """No trailing spaces but in the signature mark (RFC 3676, section 4.3), one blank line at most, one newline at the end."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = [_SIGNATURE_MARK if line.rstrip() == "--" else line.rstrip() for line in lines]
    return _BLANK_LINES.sub("\n\n", "\n".join(kept)).strip("\n") + "\n"


def inline_styles(html: str) -> str:
    """Rules of plain style sheets become style attributes; sheets marked `data-css-inline="keep"` stay for media queries."""
    import css_inline

    inliner = css_inline.CSSInliner(load_remote_stylesheets=False)
    lines = (line.rstrip() for line in inliner.inline(html).split("\n"))
    return "\n".join(line for line in lines if line) + "\n"
