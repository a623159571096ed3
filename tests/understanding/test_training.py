"""Training and honest evaluation, on a few small projects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assistant.errors import AssistantError
from assistant.understanding.build import build_model, data_for, learn_vocabulary
from assistant.understanding.corpus import Corpus, load_corpus
from assistant.understanding.evaluate import calibration_error
from assistant.understanding.history import current_model, models_in, next_version, read_seed, use_model, write_seed
from assistant.understanding.pipeline import MODEL_FOLDER, blank_pipeline
from assistant.understanding.train import Data, balanced_folds, mail_of

CORPUS = Path(__file__).parents[2] / "corpus"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus(CORPUS)


@pytest.fixture(scope="module")
def data(corpus: Corpus) -> Data:
    small = Corpus(corpus.projects[:12], corpus.strays[:20])
    nlp = blank_pipeline()
    learn_vocabulary(nlp, small)
    return data_for(nlp, small, "n-grams")


def test_the_corpus_is_read_in_order_of_time(corpus: Corpus) -> None:
    assert len(corpus.projects) >= 40
    assert len(corpus.strays) >= 150
    for project in corpus.projects:
        assert [example.sent_at for example in project] == sorted(example.sent_at for example in project)


def test_a_folder_without_corpus_is_said(tmp_path: Path) -> None:
    with pytest.raises(AssistantError, match="--corpus"):
        load_corpus(tmp_path)


def test_no_client_is_torn_apart_between_folds(data: Data) -> None:
    rows = np.arange(len(data.examples))
    folds = balanced_folds(data, rows, 4, "salt")
    homes: dict[str, set[int]] = {}
    for row in rows:
        homes.setdefault(data.examples[int(row)].group, set()).add(int(folds[row]))
    assert all(len(places) == 1 for places in homes.values())
    assert set(folds.tolist()) == {0, 1, 2, 3}


def test_history_is_what_was_predicted_never_the_truth(data: Data) -> None:
    words = np.full((len(data.examples), 7), 1 / 7, np.float32)
    row = next(place for place, before in enumerate(data.before) if len(before) == 5)
    mail = mail_of(data, row, words)
    assert len(mail.history) == 5
    assert all(value == pytest.approx(1 / 7) for item in mail.history for _, value in item.stage_probabilities)


def test_certainty_that_is_right_as_often_as_it_says_has_no_calibration_error() -> None:
    sure = np.array([0.75] * 4 + [0.5] * 2, np.float32)
    assert calibration_error(sure, np.array([True, True, True, False, True, False])) == pytest.approx(0.0)
    assert calibration_error(np.full(4, 0.95, np.float32), np.zeros(4, bool)) == pytest.approx(0.95)


def test_the_same_examples_give_the_same_model(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.understanding.build.encoder_installed", lambda: False)
    monkeypatch.setattr("assistant.understanding.build.RECIPES", {"n-grams": small_recipe()})
    small = Corpus(corpus.projects[:6], corpus.strays[:8])
    for name in ("one", "two"):
        build_model(small, tmp_path / name, "1.0.0")
    for file in ("mail_stage/n-grams.npz", "mail_labels/n-grams.npz", "seed.json.gz"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def small_recipe() -> object:
    from assistant.understanding.train import Recipe

    return Recipe(folds=2, readings=1, rounds=3)


def test_the_shipped_model_was_trained_on_the_corpus(corpus: Corpus) -> None:
    assert read_seed(MODEL_FOLDER) == corpus


def test_a_refit_keeps_the_old_model_to_go_back_to(corpus: Corpus, tmp_path: Path) -> None:
    for version in ("0.1.0+1", "0.1.0+2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "config.cfg").write_text("")
        (tmp_path / version / "meta.json").write_text('{"training": {"trained_at": "2026-03-0' + version[-1] + '"}}')
        write_seed(Corpus(corpus.projects[:1], ()), tmp_path / version)
        use_model(tmp_path, version)
    assert current_model(tmp_path) == tmp_path / "0.1.0+2"
    use_model(tmp_path, "0.1.0+1")
    assert current_model(tmp_path) == tmp_path / "0.1.0+1"
    assert [model.in_use for model in models_in(tmp_path)] == [True, False]
    assert next_version(tmp_path, "0.1.0") == "0.1.0+3"
    with pytest.raises(AssistantError, match=r"there are: 0\.1\.0\+1, 0\.1\.0\+2, shipped"):
        use_model(tmp_path, "9")


def test_a_folder_without_a_model_in_use_leaves_it_to_the_shipped_one(tmp_path: Path) -> None:
    assert current_model(tmp_path) is None
    use_model(tmp_path, "shipped")
    assert current_model(tmp_path) is None
