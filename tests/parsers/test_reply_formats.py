"""What each client's mail looks like and what is written in it: two files an example, text or HTML and its facts."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from parsers.quotation import split_reply
from parsers.quotation_html import read_html

FORMATS = Path(__file__).parent / "formats"
TEXTS = sorted(FORMATS.glob("*.txt"))
HTMLS = sorted(FORMATS.glob("*.html"))


def facts_of(example: Path) -> dict[str, Any]:
    return tomllib.loads(example.with_suffix(".toml").read_text(encoding="utf-8"))


def words(text: str) -> str:
    return " ".join(text.split())


def test_there_is_an_example_of_every_client() -> None:
    assert len(TEXTS) + len(HTMLS) >= 70
    assert {path.stem for path in FORMATS.glob("*.toml")} == {path.stem for path in FORMATS.iterdir()}


@pytest.mark.parametrize("example", TEXTS, ids=lambda path: path.stem)
def test_a_text_is_cut_where_its_client_begins_to_quote(example: Path) -> None:
    facts, parted = facts_of(example), split_reply(example.read_text(encoding="utf-8"))
    if "reply" in facts:
        assert parted.reply == facts["reply"].strip()
    if "quoted" in facts:
        assert parted.quoted == facts["quoted"]
    if "signature" in facts:
        assert parted.signature == facts["signature"].strip()
    assert parted.quoted.startswith(facts.get("quoted_begins", ""))
    assert parted.reply.startswith(facts.get("reply_begins", ""))
    assert parted.reply.endswith(facts.get("reply_ends", ""))
    assert not [words_ for words_ in facts.get("reply_lacks", []) if words_ in parted.reply]
    assert all(words_ in parted.signature for words_ in facts.get("signature_has", []))


@pytest.mark.parametrize("example", HTMLS, ids=lambda path: path.stem)
def test_html_is_cut_by_the_marks_of_its_client(example: Path) -> None:
    facts, html = facts_of(example), example.read_text(encoding="utf-8")
    read = read_html(html)
    assert read.rule == facts.get("rule", read.rule)
    assert words(split_reply(read.written if read.rule else read.text).reply) == facts["reply"]
    assert words(read.signature).startswith(facts.get("signature", ""))
    assert all(piece in read.quoted for piece in facts.get("quoted_has", []))


@pytest.mark.parametrize("example", TEXTS, ids=lambda path: path.stem)
def test_windows_line_ends_change_nothing(example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    assert split_reply(text.replace("\n", "\r\n")) == split_reply(text)


@pytest.mark.parametrize("example", TEXTS, ids=lambda path: path.stem)
def test_what_was_written_has_nothing_left_to_cut(example: Path) -> None:
    reply = split_reply(example.read_text(encoding="utf-8")).reply
    again = split_reply(reply)
    assert (again.reply, again.quoted) == (reply, "")
