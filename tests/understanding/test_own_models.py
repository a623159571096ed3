"""The agency's own models: made of corrections in seconds, taken up while reading, set aside when they cannot be used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assistant.errors import AssistantError
from assistant.learning import Learning, LearningPlace, refit_model
from assistant.model.reading import TextToRead
from assistant.store import Database, open_database
from assistant.store.tables import Base, Correction
from assistant.understanding import load_reader
from assistant.understanding.corpus import Example
from assistant.understanding.history import SHIPPED, models_in, read_seed, use_model
from assistant.understanding.in_use import ReaderInUse
from assistant.understanding.pipeline import MODEL_FOLDER
from assistant.understanding.reader import PipelineReader
from assistant.understanding.refit import refit
from tests.understanding.conftest import WriteMail, earlier
from tests.understanding.test_corrections import correction, record

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ODD = "The hoarding drawings look fine to our regional lead, nothing further from the landlord on the corner piece."


def example(number: int, text: str = ODD, stage: str = "relationship") -> Example:
    return Example(
        id=f"correction/{number}@client.example",
        project="",
        group="corrected/1",
        language="en",
        subject="Corner piece",
        text=text,
        direction="inbound",
        sent_at=NOON,
        is_answer=True,
        attachments=(),
        stage=stage,
        intents=frozenset({"satisfaction"}),
        approval="",
        waiting_on="nobody",
        weight=2.0,
    )


@pytest.fixture(autouse=True)
def without_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The n-grams alone: the same way, a few seconds quicker."""
    for module in ("encoder", "refit"):
        monkeypatch.setattr(f"assistant.understanding.{module}.encoder_installed", lambda: False)


@pytest.fixture(scope="module")
def refitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one model made of the shipped one and one corrected mail."""
    folder = tmp_path_factory.mktemp("own") / "understanding"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assistant.understanding.refit.encoder_installed", lambda: False)
        assert refit(MODEL_FOLDER, folder, (example(1),), "1.0.0", NOON.isoformat(), 7) == "1.0.0+1"
    return folder


@pytest.fixture
def own(refitted: Path, tmp_path: Path) -> Path:
    shutil.copytree(refitted, tmp_path / "understanding")
    return tmp_path / "understanding"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'assistant.db'}")
    Base.metadata.create_all(opened.engine)
    yield opened
    opened.close()


def words_of(reader: PipelineReader, text: str = ODD) -> dict[str, float]:
    from assistant.model.process import STAGE_LABELS

    (prepared,) = reader.prepare([TextToRead("Corner piece", text, "en")])
    return dict(zip(STAGE_LABELS, prepared.words.tolist(), strict=True))


def test_a_refit_learns_what_was_corrected_and_forgets_nothing(own: Path) -> None:
    """Not the very text: a memory would know that. Its words weigh from now on."""
    before, after = load_reader("off"), load_reader("off", own)
    near = (
        "Hoarding drawings fine with the regional lead; the landlord has nothing further on that corner piece either."
    )
    assert words_of(after, near)["relationship"] > words_of(before, near)["relationship"] + 0.1
    seed = read_seed(MODEL_FOLDER).examples[::9]
    same = sum(
        max(first := words_of(before, item.text), key=first.__getitem__)
        == max(second := words_of(after, item.text), key=second.__getitem__)
        for item in seed
    )
    assert same >= 0.93 * len(seed)


def test_the_corrected_text_is_kept_in_the_database_alone(own: Path) -> None:
    """What is erased there must be nowhere else."""
    assert read_seed(own / "1.0.0+1") == read_seed(MODEL_FOLDER)
    (model,) = models_in(own)
    assert (model.corrections, model.corrections_to, model.in_use) == (1, 7, True)


def test_corrections_that_would_do_harm_are_not_taken(tmp_path: Path) -> None:
    wrong = tuple(
        replace(item, id=f"correction/{number}@client.example", stage="unrelated", weight=2.0)
        for number, item in enumerate(read_seed(MODEL_FOLDER).examples)
        if item.stage == "execution"
    )
    with pytest.raises(AssistantError, match="read known mail worse"):
        refit(MODEL_FOLDER, tmp_path / "understanding", wrong, "1.0.0", "", 1)
    assert models_in(tmp_path / "understanding") == ()


def test_one_can_go_back_to_the_shipped_model(own: Path) -> None:
    use_model(own, SHIPPED)
    assert load_reader("off", own).folder == MODEL_FOLDER
    use_model(own, "1.0.0+1")
    assert load_reader("off", own).folder == own / "1.0.0+1"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda model: (model / "meta.json").write_text("{"), "broken or incomplete"),
        (lambda model: (model / "config.cfg").unlink(), "broken"),
        (lambda model: (model / "mail_stage" / "n-grams.npz").write_bytes(b"PK\x03\x04"), "broken"),
        (lambda model: shutil.rmtree(model / "mail_labels"), "broken"),
        (shutil.rmtree, "broken or incomplete"),
        (lambda model: change_meta(model, features="0"), "made by another version"),
        (lambda model: (model / "held_out.npz").write_bytes(b"of an earlier model"), "earlier cc-assistant"),
    ],
    ids=["damaged-papers", "no-config", "truncated", "part-missing", "gone", "other-version", "shipped-one-changed"],
)
def test_a_model_that_cannot_be_used_is_set_aside_with_a_sentence(own: Path, spoil: object, said: str) -> None:
    assert callable(spoil)
    spoil(own / "1.0.0+1")
    reader = load_reader("off", own)
    assert reader.folder == MODEL_FOLDER
    assert said in reader.notice
    assert "mail is read with the model of the package" in reader.notice


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    reader = load_reader("off", tmp_path / "modles")
    assert "there is no folder" in reader.notice
    assert reader.folder == MODEL_FOLDER


def change_meta(model: Path, **training: object) -> None:
    meta = json.loads((model / "meta.json").read_text())
    meta["training"].update(training)
    (model / "meta.json").write_text(json.dumps(meta))


# --- while it reads ---------------------------------------------------------------------------------------------------


def in_use(folder: Path) -> ReaderInUse:
    return ReaderInUse(lambda: load_reader("off", folder if folder.is_dir() else None), folder)


def test_a_new_model_is_taken_up_without_a_restart(
    refitted: Path, tmp_path: Path, database: Database, write: WriteMail
) -> None:
    folder = tmp_path / "understanding"
    reader = in_use(folder)
    mail = write(ODD, "Corner piece", history=(earlier("execution"),))
    (prepared,) = reader.prepare([TextToRead(mail.subject, mail.text, mail.language)])
    assert "1.0.0+1" not in reader.read(mail, prepared).model
    shutil.copytree(refitted, folder)
    with database.session() as session:
        reader.follow(session)
    assert (reader.mode, "less accurate" in reader.notice) == ("n-grams", True)
    # What the old model prepared is prepared again: its numbers mean nothing to the new one.
    assert "1.0.0+1" in reader.read(mail, prepared).model


def test_a_correction_stored_by_anybody_is_learned_at_the_next_turn(
    tmp_path: Path, database: Database, write: WriteMail
) -> None:
    reader = in_use(tmp_path / "understanding")
    mail = write(ODD, "KV", is_answer=True)
    with database.session() as session:
        session.add(record("a@x.example", ODD))
        session.add(correction("a@x.example", "stage", "closing", 1))
        reader.follow(session)
        assert reader.read(mail).stage == "closing"
        session.add(correction("a@x.example", "stage", "execution", 2))
        reader.follow(session)
        assert reader.read(mail).stage == "execution"
        for row in session.query(Correction):
            session.delete(row)
        reader.follow(session)
        assert "+memory" not in reader.read(mail).model


def test_a_thousand_corrections_are_searched_quickly(plain_reader: PipelineReader) -> None:
    import time

    from assistant.understanding.memory import Corrected, Memory

    texts = [
        TextToRead("KV", f"{item.text} {number}", item.language)
        for number, item in enumerate(read_seed(MODEL_FOLDER).examples * 2)
    ][:1000]
    features = [item.features for item in plain_reader.prepare(texts)]
    memory = Memory()
    memory.learn(
        [Corrected(f"{number}@x.example", text, "inbound", NOON, "closing") for number, text in enumerate(texts)],
        features,
    )
    memory.recall(texts[0], "inbound", features[0])
    began = time.process_time()
    for place in range(0, 1000, 10):
        found = memory.recall(texts[place], "inbound", features[place])
        assert found is not None or len(texts[place].text) < 20
    assert (time.process_time() - began) / 100 < 0.02


# --- in the background ------------------------------------------------------------------------------------------------


def sleep_for_long(place: LearningPlace, now: datetime) -> None:
    import time

    time.sleep(60)


def place_in(tmp_path: Path) -> LearningPlace:
    return LearningPlace(f"sqlite:///{tmp_path / 'assistant.db'}", tmp_path, tmp_path / "understanding", "off")


def test_a_refit_waits_until_people_are_done_and_runs_once(tmp_path: Path, database: Database) -> None:
    learning = Learning(place_in(tmp_path), sleep_for_long)
    try:
        assert not learning.tend(database, NOON)
        with database.session() as session:
            session.add(record("a@x.example", ODD))
            session.add(correction("a@x.example", "stage", "closing", 0))
        assert not learning.tend(database, NOON + timedelta(seconds=30))
        assert learning.tend(database, NOON + timedelta(minutes=5))
        assert learning.tend(database, NOON + timedelta(minutes=6))
    finally:
        learning.close()
    # Ended from outside: the same corrections are not tried again at once.
    assert not learning.tend(database, NOON + timedelta(minutes=7))


def test_a_correction_of_the_project_alone_begins_no_refit(tmp_path: Path, database: Database) -> None:
    learning = Learning(place_in(tmp_path), sleep_for_long)
    with database.session() as session:
        session.add(record("a@x.example", ODD))
        session.add(correction("a@x.example", "project", "new", 0))
    assert not learning.tend(database, NOON + timedelta(minutes=5))


def test_corrections_become_a_model_that_knows_how_far_it_learned(tmp_path: Path, database: Database) -> None:
    place = place_in(tmp_path)
    assert refit_model(place, NOON) == ""
    with database.session() as session:
        session.add(record("a@x.example", ODD))
        session.add(correction("a@x.example", "stage", "closing", 0))
    assert refit_model(place, NOON).endswith("+1")
    assert not Learning(place, sleep_for_long).tend(database, NOON + timedelta(days=1))
    (model,) = models_in(place.folder)
    assert (model.corrections, model.corrections_to) == (1, 1)
