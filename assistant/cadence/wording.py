"""The words of tasks: a line of a rule file with the names of the project filled in.

Only the names in `NAMES` can be used, so that what is checked when rules are loaded is what is there when a task is set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from assistant.cadence.values import did_you_mean
from assistant.model.cadence import ContactFacts, ProjectFacts, WaitedMessage

if TYPE_CHECKING:
    from jinja2 import Template, nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment

NAMES: Final[dict[str, tuple[str, ...]]] = {
    "contact": ("name", "address"),
    "client": ("name", "country", "language"),
    "project": ("name", "stage"),
    "owner": ("name", "address"),
    "waited": ("subject", "sent_on"),
}
_SIMPLE: Final = re.compile(r"\{\{\s*([a-z_]+)\.([a-z_]+)\s*\}\}")


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(autoescape=False, undefined=StrictUndefined)


@lru_cache(maxsize=512)
def _compiled(line: str) -> Template:
    return _environment().from_string(line)


def check_line(line: str) -> list[tuple[str, str]]:
    """What is wrong with a line, as (message, hint); most lines are answered without asking Jinja."""
    rest = _SIMPLE.sub("", line)
    if "{" not in rest and "}" not in rest:
        return [wrong for root, name in _SIMPLE.findall(line) for wrong in _unknown((root, name))]
    from jinja2 import TemplateSyntaxError

    try:
        tree = _environment().parse(line)
    except TemplateSyntaxError as error:
        return [(f"cannot be read: {error.message}", "Write names like {{ contact.name }}.")]
    own = {*_assigned(tree), "loop"}
    found = [wrong for path in _paths(tree) if path[0] not in own for wrong in _unknown(path)]
    return found or _fails(line)


def _fails(line: str) -> list[tuple[str, str]]:
    """What only shows when the line is filled in: a filter that there is not, a sum of words."""
    from jinja2 import TemplateError

    sample = {root: dict.fromkeys(names, "x") for root, names in NAMES.items()}
    try:
        _compiled(line).render(sample)
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        return [(f"cannot be filled in: {error}", "Write names like {{ contact.name }}.")]
    return []


def _unknown(path: tuple[str, ...]) -> list[tuple[str, str]]:
    root = path[0]
    if root not in NAMES:
        return [(f'"{root}" is not known here', did_you_mean(root, NAMES))]
    if len(path) > 1 and path[1] not in NAMES[root]:
        meant = did_you_mean(path[1], NAMES[root]).replace('"', f'"{root}.', 1)
        return [(f'"{root}.{path[1]}" is not known here', meant)]
    return []


def _assigned(tree: nodes.Template) -> Iterator[str]:
    from jinja2 import nodes as kinds

    return (name.name for name in tree.find_all(kinds.Name) if name.ctx != "load")


def _paths(node: nodes.Node) -> Iterator[tuple[str, ...]]:
    from jinja2 import nodes as kinds

    if isinstance(node, kinds.Getattr) and isinstance(node.node, kinds.Name):
        yield node.node.name, node.attr
        return
    if isinstance(node, kinds.Name) and node.ctx == "load":
        yield (node.name,)
        return
    for child in node.iter_child_nodes():
        yield from _paths(child)


def fill_in(line: str, facts: ProjectFacts, contact: ContactFacts | None, anchor: WaitedMessage | None) -> str:
    """`Call {{ contact.name }}` with the name, on one line. A line that fails in spite of its check is left as it is."""
    if "{" not in line:
        return line
    from jinja2 import TemplateError

    owner = facts.owner or facts.client.owner
    try:
        text = _compiled(line).render(
            contact={"name": contact.name if contact else "", "address": contact.address if contact else ""},
            client={"name": facts.client.name, "country": facts.client.country, "language": facts.client.language},
            project={"name": facts.name, "stage": facts.stage},
            owner={"name": owner.name if owner else "", "address": owner.address if owner else ""},
            waited={
                "subject": anchor.subject if anchor else "",
                "sent_on": f"{anchor.sent_at:%Y-%m-%d}" if anchor else "",
            },
        )
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError):
        return line
    return " ".join(text.split())
