"""Mail as it really arrives: each damaged/*.eml has its expected facts in the .toml of the same name.

A new kind of damage is two files more; the keys are those of `_READ`, `defects` names those that must be among them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from parsers import Address, Message, parse

FOLDER = Path(__file__).parent / "damaged"
NAMES = sorted(path.stem for path in FOLDER.glob("*.eml"))


def _pair(address: Address | None) -> list[str]:
    return [address.name, address.addr_spec] if address else []


_READ: dict[str, Callable[[Message], object]] = {
    "subject": lambda message: message.subject,
    "text": lambda message: message.text,
    "message_id": lambda message: message.message_id,
    "references": lambda message: list(message.references),
    "originator": lambda message: _pair(message.originator),
    "to": lambda message: [_pair(one) for one in message.to],
    "cc": lambda message: [_pair(one) for one in message.cc],
    "date": lambda message: message.date.isoformat() if message.date else None,
    "no_date": lambda message: message.date is None,
    "attachments": lambda message: [one.filename for one in message.attachments],
    "inline": lambda message: [one.content_id for one in message.attachments if one.inline],
}


@pytest.mark.parametrize("name", NAMES)
def test_damaged_mail_gives_its_facts(name: str) -> None:
    expected = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    message = parse((FOLDER / f"{name}.eml").read_bytes())
    wanted_defects = set(expected.pop("defects", []))

    assert {key: _READ[key](message) for key in expected} == expected
    assert wanted_defects <= {defect.code for defect in message.defects}


def test_every_example_has_its_facts_beside_it() -> None:
    assert len(NAMES) >= 45
    assert sorted(path.stem for path in FOLDER.glob("*.toml")) == NAMES
