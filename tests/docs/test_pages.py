"""What the pages say exists: commands, options, configuration keys, files, versions."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from assistant import __version__
from assistant.config import Config, OAuth, load_config
from tests.docs.pages import PAGES, ROOT, called_commands, code_of, command_named, text_of

NOT_HERE_YET = {"rebuild", "backup", "restore", "export", "forget"}
"""Named only where a page says that they do not exist."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_a_page_exists_with_its_options(page: Path) -> None:
    wrong = []
    for words in called_commands(page):
        if set(words) & NOT_HERE_YET:
            continue
        alternatives = words[-1].split("|") if "|" in words[-1] else [words[-1]]
        for last in alternatives:
            try:
                command, rest = command_named([*words[:-1], last])
            except LookupError as unknown:
                wrong.append(f"assistant {' '.join(words)}: there is no {unknown}")
                continue
            known = {"--help", "-h", "--version"}
            known |= {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
            wrong += [
                f"assistant {' '.join(words)}: no option {word}"
                for word in rest
                if word.startswith("--") and word.split("=")[0] not in known
            ]
    assert wrong == []


def test_the_page_of_commands_is_what_the_command_line_says() -> None:
    script = _script(ROOT / "docs" / "write_commands.py")
    assert text_of(ROOT / "docs" / "commands.md") == script.page(), "run `python docs/write_commands.py`"


def test_every_command_says_what_it_does() -> None:
    script = _script(ROOT / "docs" / "write_commands.py")
    assert [" ".join(path) for path, command in script.commands() if not command.help] == []


def test_the_configuration_page_names_every_key_and_no_other() -> None:
    table = text_of(ROOT / "docs" / "running.md").split("## Configuration")[1].split("\n## ")[0]
    named = re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", table, re.MULTILINE)
    assert sorted(named) == sorted({*_keys(Config), *(f"oauth.{name}" for name in OAuth.model_fields)})


def test_the_defaults_on_the_configuration_page_are_those_of_the_code() -> None:
    table = text_of(ROOT / "docs" / "running.md").split("## Configuration")[1].split("\n## ")[0]
    shown = dict(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \| ([^|]*?) \|", table, re.MULTILINE))
    for key, (required, default) in _defaults().items():
        assert (shown[key] == "required") == required, key
        if isinstance(default, (bool, int)):
            assert shown[key] == f"`{str(default).lower()}`", key
        elif isinstance(default, str) and default:
            assert shown[key] in {f'`"{default}"`', '`"assistant-health.json"`'}, key


def test_the_example_configuration_loads() -> None:
    example = ROOT / "config.example.toml"
    assert load_config(example).agency.domains == ("lanhai-ad.example",)
    commented = re.sub(r"^# (?=[a-z_\[]+.*[=\]])", "", example.read_text(encoding="utf-8"), flags=re.MULTILINE)
    keys = {f"{table}.{key}" for table, values in tomllib.loads(commented).items() for key in _flat(values)}
    assert keys <= {*_keys(Config), *(f"mailbox.{name}" for name in OAuth.model_fields)}, "a key that is no key"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    text = text_of(page)
    for target in (*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r'src="([^"]+)"', text)):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        if not other.exists() or (anchor and anchor not in _anchors(other)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_of_the_project_that_a_page_names_exists(page: Path) -> None:
    top = r"(?:assistant|parsers|tests|docs|rules|templates|benchmarks|corpus|deploy)"
    named = {
        found
        for code in code_of(page)
        for found in re.findall(rf"(?<![\w/.-]){top}/[\w./-]+\.(?:py|md|toml|j2|service)\b", code)
    }
    places = (ROOT, page.parent)
    assert {name for name in named if not any((place / name).exists() for place in places)} <= {"rules/calendar.toml"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_speaks_of_a_machine(page: Path) -> None:
    assert re.findall(r"/(?:home|root|Users|work|workspace)/\S*|file:///\S*|\blocalhost:\d+", text_of(page)) == []


def test_the_changelog_has_this_version() -> None:
    headings = re.findall(r"^## (\S+)", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert headings[0] == __version__ == project["version"]


def _script(path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None, path
    assert specification.loader is not None, path
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def _tables() -> dict[str, type[BaseModel]]:
    found: dict[str, type[BaseModel]] = {}
    for name, field in Config.model_fields.items():
        annotation: Any = field.annotation
        candidates = (annotation, *getattr(annotation, "__args__", ()))
        found[name] = next(one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel))
    return found


def _keys(_config: type[Config]) -> list[str]:
    return [f"{table}.{name}" for table, model in _tables().items() for name in model.model_fields]


def _defaults() -> dict[str, tuple[bool, Any]]:
    """Key to (required, default) of everything that has a plain default."""
    tables: dict[str, type[BaseModel]] = {**_tables(), "oauth": OAuth}
    return {
        f"{table}.{name}": (field.is_required(), field.default)
        for table, model in tables.items()
        for name, field in model.model_fields.items()
        if not (table == "submission" and name == "user")
    }


def _flat(values: Any) -> list[str]:
    rows = values if isinstance(values, list) else [values]
    return [
        key for row in rows for name, value in row.items() for key in (value if isinstance(value, dict) else [name])
    ]


def _anchors(page: Path) -> set[str]:
    """The ids that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.*)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
