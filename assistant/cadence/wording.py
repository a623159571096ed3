"""The words of tasks: a line of a rule file with the names of the project filled in."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from assistant.model.cadence import ContactFacts, ProjectFacts, WaitedMessage

if TYPE_CHECKING:
    from jinja2 import Template


@lru_cache(maxsize=512)
def _compiled(line: str) -> Template:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(autoescape=False).from_string(line)


def fill_in(line: str, facts: ProjectFacts, contact: ContactFacts | None, anchor: WaitedMessage | None) -> str:
    """`Call {{ contact.name }}` with the name. A line that fails in spite of its check is shown as it stands."""
    if "{" not in line:
        return line
    from jinja2 import TemplateError

    try:
        text = _compiled(line).render(
            contact=contact,
            project=facts,
            client=facts.client,
            owner=facts.owner or facts.client.owner,
            waited=anchor,
            language=facts.client.language,
        )
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError):
        return line
    return " ".join(text.split())
