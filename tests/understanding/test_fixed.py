"""A finished model measured on mail that it has never seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.cli.understanding import app
from assistant.errors import AssistantError
from assistant.understanding.corpus import load_corpus
from assistant.understanding.fixed import misreadings, read_with, refuse_known_clients
from assistant.understanding.history import read_seed
from assistant.understanding.pipeline import MODEL_FOLDER, load_pipeline

_PROJECT = """
schema = 1
id = "{id}"
language = "en"
client = "Osprey Kayaks"
client_domain = "{domain}"
project = "Catalogue"
outcome = "running"

[[person]]
id = "ada"
name = "Ada"
address = "ada@{domain}"
side = "client"
role = "Owner"

[[person]]
id = "ben"
name = "Ben"
address = "ben@studio.example"
side = "agency"
role = "Designer"

[[message]]
id = "m01"
at = 2025-03-03T09:00:00+00:00
from = "ada"
to = ["ben"]
subject = "A catalogue for our kayaks"
answers = ""
attachments = []
stage = "discovery"
intents = ["requirement", "question"]
approval = ""
waiting_on = "us"
text = "We need a printed catalogue of 32 pages by May. What would it cost?"

[[message]]
id = "m02"
at = 2025-03-04T09:00:00+00:00
from = "ben"
to = ["ada"]
subject = "Re: A catalogue for our kayaks"
answers = "m01"
attachments = []
stage = "relationship"
intents = ["greeting"]
approval = ""
waiting_on = "nobody"
text = "Which kayaks must be in it, and what is the budget?"
"""


@pytest.fixture
def unseen(tmp_path: Path) -> Path:
    """Two mails of a new client; the second is labelled as nobody would read it."""
    return _corpus(tmp_path / "unseen", "osprey-kayaks.example")


def _corpus(folder: Path, domain: str) -> Path:
    (folder / "projects").mkdir(parents=True)
    text = _PROJECT.format(id="en-kayaks", domain=domain)
    (folder / "projects" / "en-kayaks.toml").write_text(text, "utf-8")
    return folder


def test_reading_trains_nothing_and_tells_what_was_read_otherwise_than_labelled(unseen: Path) -> None:
    data, found = read_with(load_pipeline(), load_corpus(unseen), "n-grams")
    assert found.both.sum(axis=1) == pytest.approx([1.0, 1.0], abs=1e-3)
    wrong = {misread.id: misread for misread in misreadings(data, found)}
    second = wrong["en-kayaks/m02"]
    assert second.stage.startswith("relationship > ")
    assert "-greeting" in second.intents
    assert second.waiting_on == "nobody > client"
    assert second.head == "Which kayaks must be in it, and what is the budget?"


def test_a_client_that_the_model_has_learned_from_is_refused(tmp_path: Path) -> None:
    seed = read_seed(MODEL_FOLDER)
    known = next(example.group for example in seed.examples if example.project and "." in example.group)
    with pytest.raises(AssistantError, match="measure it on mail of other clients"):
        refuse_known_clients(load_corpus(_corpus(tmp_path / "known", known)), seed)


def test_the_command_lists_misread_mail_as_text_and_as_json(unseen: Path) -> None:
    asked = ["evaluate", "--on", str(unseen), "--mode", "n-grams", "--wrong"]
    text = CliRunner().invoke(app, asked)
    assert text.exit_code == 0, text.output
    assert "n-grams: 2 mails" in text.stdout
    assert "en-kayaks/m02 | outbound | relationship > " in text.stdout
    lines = [json.loads(line) for line in CliRunner().invoke(app, [*asked, "--json"]).stdout.splitlines()]
    assert lines[0]["mails"] == 2
    assert lines[-1]["id"] == "en-kayaks/m02"


def test_what_is_learned_from_one_corpus_is_never_measured_on_the_same_clients(unseen: Path) -> None:
    refused = CliRunner().invoke(app, ["evaluate", "--on", str(unseen), "--corpus", str(unseen), "--mode", "n-grams"])
    assert isinstance(refused.exception, AssistantError)
    assert "measure it on mail of other clients" in str(refused.exception)
