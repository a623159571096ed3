"""What ships with us: locked with hashes, under licences that let an agency use it, and none of the releases known as bad."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
_COPYLEFT = re.compile(
    r"\b(?:A?GPL|GNU (?:Affero )?General Public|SSPL|Commons Clause|BUSL|proprietary)", re.IGNORECASE
)
_LESSER = re.compile(r"LGPL|Lesser General Public|Library General Public", re.IGNORECASE)


@cache
def locked() -> dict[str, Version]:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return {canonicalize_name(name): Version(version) for name, version in _PINNED.findall(text)}


def _project() -> dict[str, object]:
    project: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def _wanted_by_us() -> list[Requirement]:
    project = _project()
    lines = list(project["dependencies"])  # type: ignore[call-overload]  # a list of lines, as the standard says
    for extra in project["optional-dependencies"].values():  # type: ignore[attr-defined]  # a table of such lists
        lines += extra
    return [Requirement(line) for line in lines]


def shipped() -> dict[str, Distribution]:
    """Everything that an installation with all extras brings, and that is installed here."""
    found: dict[str, Distribution] = {}
    waiting = _wanted_by_us()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in found or (wanted.marker and not wanted.marker.evaluate({"extra": ",".join(wanted.extras)})):
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # for another system or version of Python
        waiting += [Requirement(line) for line in found[name].requires or ()]
    return found


def test_everything_we_want_is_locked_with_hashes() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = [block for block in re.split(r"\n(?=[A-Za-z0-9])", text) if _PINNED.match(block)]
    assert len(blocks) == len(_PINNED.findall(text)) > 50
    assert [block.split("==")[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert re.findall(r"https?://|git\+|file:|--index|--extra-index|--trusted", text) == []
    missing = [wanted.name for wanted in _wanted_by_us() if canonicalize_name(wanted.name) not in locked()]
    assert missing == []


def test_no_version_is_one_that_nobody_released() -> None:
    """A pin such as 999 or 0 comes from confusing a private index with the public one."""
    strange = {
        name: str(version)
        for name, version in locked().items()
        if version.major in range(999, 2000) or version == Version("0")
    }
    assert strange == {}


def test_the_lock_fits_what_we_say_we_need() -> None:
    outside = [
        str(wanted)
        for wanted in _wanted_by_us()
        if not wanted.specifier.contains(locked()[canonicalize_name(wanted.name)])
    ]
    assert outside == []


def test_none_of_the_releases_that_are_known_as_bad_is_locked() -> None:
    bad = []
    for line in (ROOT / ".ci" / "bad-pins.txt").read_text(encoding="utf-8").splitlines():
        entry, _, reason = line.partition("#")
        if not entry.strip():
            continue
        assert reason.strip(), f"{entry.strip()}: say why"
        name, versions = entry.split(maxsplit=1)
        found = locked().get(canonicalize_name(name))
        if found is not None and SpecifierSet(versions.strip()).contains(found, prereleases=True):
            bad.append(f"{name} {found}: {reason.strip()}")
    assert bad == []


def _licence(found: Distribution) -> str:
    """The expression where there is one (PEP 639), else the classifiers, else the field, in that order of worth."""
    metadata = found.metadata
    if expressions := metadata.get_all("License-Expression"):
        return str(expressions[0])
    classifiers = [line for line in metadata.get_all("Classifier") or () if line.startswith("License ::")]
    return "; ".join(classifiers) or "; ".join(metadata.get_all("License") or ())[:200]


def test_what_ships_may_be_used_and_passed_on() -> None:
    """No GPL or AGPL, whose terms would bind the whole; the lesser one binds only itself. None without any licence."""
    found = shipped()
    assert len(found) > 40
    licences = {name: _licence(one) for name, one in found.items()}
    assert {name for name, licence in licences.items() if not licence.strip()} <= KNOWN_OTHERWISE.keys()
    strict = {name: licence for name, licence in licences.items() if _COPYLEFT.search(_LESSER.sub("", licence))}
    assert {name: licence for name, licence in strict.items() if name not in KNOWN_OTHERWISE} == {}


KNOWN_OTHERWISE: dict[str, str] = {"imapclient": "BSD-3-Clause"}
"""Packages whose metadata say nothing or offer a choice, with what their licence file says."""
