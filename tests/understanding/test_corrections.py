"""Corrections out of the database become memory and examples."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assistant.store import Database
from assistant.store.tables import Correction, Record
from assistant.understanding.corpus import Corpus
from assistant.understanding.corrections import corrections_in, examples_from, with_examples
from tests.databases import new_database

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = new_database(tmp_path)
    yield opened
    opened.close()


def record(message_id: str, text: str) -> Record:
    return Record(
        message_id=message_id,
        sent_at=NOON,
        received_at=NOON,
        logged_at=NOON,
        direction="inbound",
        kind="human",
        subject="Re: KV",
        base_subject="KV",
        language="en",
        reply_text=text,
        stage="proposal",
        intents=[["question", 0.7, ""]],
        waiting_on="us",
        attachments=[["kv.pdf", "application/pdf", 3]],
    )


def correction(message_id: str, field: str, value: str, minute: int) -> Correction:
    return Correction(
        message_id=message_id, field=field, value=value, by="lin@agency.example", at=NOON.replace(minute=minute)
    )


def test_the_latest_word_on_a_field_counts(database: Database) -> None:
    with database.session() as session:
        session.add(record("a@x.example", "Could you move the logo and send it again please?"))
        session.add(correction("a@x.example", "stage", "agreement", 1))
        session.add(correction("a@x.example", "stage", "execution", 2))
        session.add(correction("a@x.example", "intents", "change_request question", 3))
        session.flush()
        [(found, _)] = corrections_in(session)
        assert (found.stage, found.intents) == ("execution", frozenset({"change_request", "question"}))
        [example] = examples_from(session)
        assert (example.stage, example.waiting_on, example.attachments) == ("execution", "us", ("kv.pdf",))


def test_a_terse_mail_is_no_example(database: Database) -> None:
    with database.session() as session:
        session.add(record("a@x.example", "OK!"))
        session.add(correction("a@x.example", "stage", "closing", 1))
        session.flush()
        assert len(corrections_in(session)) == 1
        assert examples_from(session) == ()


def test_a_correction_of_the_client_teaches_nothing_about_words(database: Database) -> None:
    with database.session() as session:
        session.add(record("a@x.example", "Could you move the logo and send it again please?"))
        session.add(correction("a@x.example", "client", "Fok", 1))
        session.flush()
        assert corrections_in(session) == ()


def test_corrected_mail_joins_the_examples_once(database: Database) -> None:
    with database.session() as session:
        session.add(record("a@x.example", "Could you move the logo and send it again please?"))
        session.add(correction("a@x.example", "stage", "execution", 1))
        session.flush()
        examples = examples_from(session)
    corpus = with_examples(with_examples(Corpus((), ()), examples), examples)
    assert [example.stage for example in corpus.examples] == ["execution"]
