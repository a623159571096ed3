"""The spaCy pipeline: blank language, own tokenizer, cues as phrase patterns, own components; saved and loaded as a model."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, cast

import spacy
from spacy.language import Language

from assistant.model.process import APPROVALS, INTENTS, STAGE_LABELS

# The factories must be known before a model is loaded.
from assistant.understanding import features, labels, situation, stage, tokenizer
from assistant.understanding.cues import phrases

MODEL_FOLDER: Final = Path(__file__).parent / "model"
MODES: Final = ("encoder", "n-grams")


def blank_pipeline() -> Language:
    """A pipeline that has learned nothing yet."""
    nlp = spacy.blank("xx", config={"nlp": {"tokenizer": {"@tokenizers": "assistant.MailTokenizer.v1"}}})
    nlp.meta["name"] = "client_mail"
    ruler = nlp.add_pipe(
        "span_ruler",
        name="cues",
        config={"spans_key": features.SPANS, "phrase_matcher_attr": "NORM", "annotate_ents": False},
    )
    patterns = [{"label": label, "pattern": phrase} for label, words in phrases().items() for phrase in words]
    ruler.add_patterns(patterns)  # type: ignore[attr-defined]  # add_pipe cannot know which component it returns
    nlp.add_pipe("mail_features")
    nlp.add_pipe("mail_stage")
    nlp.add_pipe("mail_labels")
    return nlp


def load_pipeline(folder: Path | None = None) -> Language:
    """The saved model. Raises OSError where there is none."""
    return spacy.load(folder or MODEL_FOLDER)


def fingerprint() -> str:
    """What a model's numbers stand for in this version of the program: a model of another one cannot be read with it."""
    parts = [
        sorted(phrases().items()),
        features.SURFACE,
        features.JUDGED,
        situation.SITUATION,
        situation.CONTEXT_VERSION,
    ]
    parts += [
        [(name, pattern.pattern) for name, pattern in situation.DOCUMENTS.items()],
        STAGE_LABELS,
        INTENTS,
        APPROVALS,
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def features_of(nlp: Language) -> features.MailFeatures:
    return cast("features.MailFeatures", nlp.get_pipe("mail_features"))


def stage_of(nlp: Language) -> stage.MailStage:
    return cast("stage.MailStage", nlp.get_pipe("mail_stage"))


def labels_of(nlp: Language) -> labels.MailLabels:
    return cast("labels.MailLabels", nlp.get_pipe("mail_labels"))


def set_mode(nlp: Language, mode: str) -> None:
    """Which of the two models answers: "encoder" or "n-grams"."""
    stage_of(nlp).mode = mode
    labels_of(nlp).mode = mode


__all__ = [
    "MODEL_FOLDER", "MODES", "blank_pipeline", "features_of", "fingerprint", "labels_of", "load_pipeline", "set_mode", "stage_of", "tokenizer",
]  # fmt: skip
