"""Whether a model of one's own can be used by this version of the program; if not, a sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from spacy.language import Language

from assistant.errors import AssistantError
from assistant.understanding.arrays import Floats
from assistant.understanding.encoder import WIDTH
from assistant.understanding.features import BODY, FEATURES
from assistant.understanding.history import SHIPPED, current_model, mark_of, models_in, read_meta
from assistant.understanding.pipeline import MODEL_FOLDER, fingerprint, labels_of, load_pipeline, stage_of

_AGAIN = "assistant understanding train makes a new one from the seed corpus and every correction."


def open_own_model(wanted: Path, mode: str) -> tuple[Language, Path] | None:
    """The model in use in `wanted` and its folder; None where the package's is in use there.

    Raises AssistantError with what to do where the folder is missing or broken, or the model another version's.
    """
    if not wanted.is_dir():
        raise AssistantError(f"there is no folder {wanted}: look at [understanding] model in config.toml.")
    folder = current_model(wanted)
    if folder is None:
        return None
    if reason := _why_not(folder):
        raise AssistantError(reason)
    try:
        nlp = load_pipeline(folder)
        _try(nlp, mode)
    except Exception as error:  # a damaged file shows itself by whatever the readers of its format raise
        raise AssistantError(f"the model in {folder} is broken ({type(error).__name__}): {_AGAIN}") from error
    return nlp, folder


def _why_not(folder: Path) -> str:
    """What its papers say against the model in `folder`; "" if nothing."""
    about = read_meta(folder)
    if not about:
        return f"the model in {folder} is broken or incomplete: {_AGAIN}"
    if about.get("features") != fingerprint():
        return f"the model in {folder} was made by another version of cc-assistant: {_AGAIN}"
    if about.get("root") == SHIPPED and mark_of(folder) != mark_of(MODEL_FOLDER):
        return (
            f"the model in {folder} was made from the model of an earlier cc-assistant; "
            "assistant understanding refit makes a new one from this one's and every correction."
        )
    return ""


def learned_to(folder: Path) -> int:
    """The newest correction that a model in `folder` has learned, of those this version can use; 0 if there is none."""
    return max((model.corrections_to for model in models_in(folder) if not _why_not(folder / model.version)), default=0)


def _try(nlp: Language, mode: str) -> None:
    """Raises where the arrays do not have the shapes that this version's features need."""
    doc = nlp.make_doc("Quote\nPlease send us a quote, 请报价。")
    doc.user_data[BODY] = len("Quote\n")
    for name, pipe in nlp.pipeline:
        if name not in {"mail_stage", "mail_labels"}:
            doc = pipe(doc)
    features = doc.user_data[FEATURES]
    vectors = np.zeros(2 * WIDTH if mode == "encoder" else 0, np.float32)
    dense: Floats = np.concatenate([vectors, features.dense])
    stage, labels = stage_of(nlp).models[mode], labels_of(nlp).models[mode]
    for model in (stage.words, stage.hints):
        model.scores(dense, features.indices, features.weights)
    if not np.isfinite(labels.waiting.dense).all() or labels.waiting.dense.shape[0] < 2 * len(dense):
        raise ValueError("the heads do not fit the features")
