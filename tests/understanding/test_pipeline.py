"""The spaCy pipeline: tokens, normal spelling, cues, what is saved and loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from assistant.understanding.arrays import Linear, Trees, load_arrays, save_arrays
from assistant.understanding.cues import CUES, FOR_INTENT, FOR_STAGE, FOR_WAITING, phrases
from assistant.understanding.features import SPANS, grams
from assistant.understanding.normal import normalise, simplify
from assistant.understanding.pipeline import MODEL_FOLDER, blank_pipeline

BLANK = blank_pipeline()


def test_han_are_tokens_by_character_and_latin_by_word() -> None:
    assert [token.text for token in BLANK.make_doc("请看brief v2，ok？")] == [
        "请",
        "看",
        "brief",
        "v",
        "2",
        "，",
        "ok",
        "？",
    ]


@given(some.text(max_size=300))
def test_tokens_lose_no_character(text: str) -> None:
    assert "".join(token.text_with_ws for token in BLANK.make_doc(text)) == text


@given(some.text(max_size=300))
def test_normal_spelling_keeps_every_position(text: str) -> None:
    assert len(normalise(text)) == len(text) == len(simplify(text))


@given(some.text(max_size=300))
def test_any_text_has_n_grams(text: str) -> None:
    assert all(grams(text))


@pytest.mark.parametrize("words", ["合同已签", "合同已簽", "The CONTRACT is signed"])
def test_cues_are_found_in_every_script(words: str) -> None:
    doc = BLANK.get_pipe("cues")(BLANK.make_doc(words))
    assert "contract" in {span.label_ for span in doc.spans[SPANS]}


def test_every_cue_has_phrases_and_every_label_has_cues() -> None:
    assert all(phrases()[cue] for cue in CUES)
    for table in (FOR_STAGE, FOR_INTENT, FOR_WAITING):
        assert all(set(cues) <= set(CUES) and cues for cues in table.values())


def test_phrases_are_written_in_the_normal_spelling() -> None:
    assert [phrase for words in phrases().values() for phrase in words if phrase != normalise(phrase)] == []


def test_the_shipped_model_is_small() -> None:
    assert sum(file.stat().st_size for file in MODEL_FOLDER.rglob("*") if file.is_file()) < 8_000_000


def test_arrays_come_back_as_they_went(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    model = Linear(
        random.normal(size=(50, 3)).astype(np.float32), np.zeros((0, 3), np.float32), np.ones(3, np.float32), 0.7
    )
    save_arrays(tmp_path / "model.npz", model.to_arrays("m"))
    again = Linear.from_arrays("m", load_arrays(tmp_path / "model.npz"))
    features = random.normal(size=50).astype(np.float32)
    nothing = np.zeros(0, np.int32), np.zeros(0, np.float32)
    assert again.scores(features, *nothing) == pytest.approx(model.scores(features, *nothing), rel=1e-4)


def test_trees_give_what_the_training_library_gives() -> None:
    from sklearn.ensemble import GradientBoostingClassifier

    from assistant.understanding.fit import SEED, fit_trees

    random = np.random.default_rng(2)
    features = random.normal(size=(120, 6)).astype(np.float32)
    labels = (features[:, 0] + features[:, 1] > 0).astype(np.intp) + (features[:, 2] > 1)
    trees: Trees = fit_trees(features, labels, 3, 8, 3, 0.1)
    same = GradientBoostingClassifier(
        n_estimators=8,
        max_depth=3,
        learning_rate=0.1,
        subsample=0.6,
        max_features=0.3,
        min_samples_leaf=15,
        random_state=SEED,
    ).fit(features, labels)
    ours = np.array([trees.scores(row) for row in features])
    theirs = same.decision_function(features)
    assert ours - ours[:, :1] == pytest.approx(theirs - theirs[:, :1], abs=1e-3)
