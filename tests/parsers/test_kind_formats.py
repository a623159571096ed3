"""Mails of machines and of people who speak like machines: kind, recipients and dates as written beside each."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from parsers import parse

FORMATS = Path(__file__).parent / "formats"


@pytest.mark.parametrize("example", sorted(FORMATS.glob("kind-*.eml")), ids=lambda path: path.stem)
def test_the_kind_of_a_mail_is_read_with_its_evidence(example: Path) -> None:
    facts = tomllib.loads(example.with_suffix(".toml").read_text(encoding="utf-8"))
    message = parse(example.read_bytes())
    assert message.kind == facts["kind"]
    assert [[entry.addr_spec, entry.action, entry.status, entry.permanent] for entry in message.bounced] == facts.get(
        "bounced", []
    )
    assert message.bounced_message_id == facts.get("bounced_message_id", message.bounced_message_id)
    assert message.absent_until == facts.get("absent_until")
    assert bool(message.evidence) == (facts["kind"] != "human")
