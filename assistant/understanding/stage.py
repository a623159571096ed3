"""Pipeline component: which stage the words speak of, and which stage the mail belongs to in its project's context."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc

from assistant.model.process import STAGE_LABELS, UNRELATED
from assistant.model.reading import MailToRead
from assistant.understanding.arrays import Floats, Linear, Trees, load_arrays, save_arrays, softmax
from assistant.understanding.features import FEATURES, TextFeatures
from assistant.understanding.situation import context

TERSE = 30.0
"""Letters up to which a mail has no stage of its own: a dozen Chinese characters, half a dozen English words."""

_BY_DEFINITION = 0.6
_ANSWERED_WITHIN, _SAID_WITHIN = 21.0, 3.0
"""Days. After a silence a word may begin something else: a greeting, the next project."""

_SENTENCE = 40.0
_LEAST_RELIANCE = 0.15


@dataclass(frozen=True, slots=True)
class StageModel:
    """Both steps for one kind of features. `blend` is the trees' share in the second step, `sharpness` its inverse temperature."""

    words: Linear
    hints: Linear
    """Intents, sign-off and who acts next from the words alone: learned from other labels, they tell of the stage too."""
    linear: Linear
    trees: Trees
    hindsight: Linear
    """The third step: what later mail says about earlier mail."""
    transitions: Floats
    blend: float
    sharpness: float

    def from_words(self, features: TextFeatures) -> Floats:
        """Probabilities of the seven labels from the words alone; of terse mail, which has no stage of its own, flatter."""
        scores = self.words.scores(features.dense, features.indices, features.weights)
        return softmax(scores * reliance(features.letters))

    def in_context(self, mail: MailToRead, words: Floats, features: TextFeatures) -> Floats:
        """Probabilities of the seven labels from the words' probabilities and the project's history."""
        hints = hints_from(self.hints.scores(features.dense, features.indices, features.weights))
        found = softmax(self.sharpness * self.mixed(context(mail, words, hints, self.transitions)))
        stage = projects_stage(mail) if features.letters < TERSE else ""
        if stage:
            found = (found * (1 - _BY_DEFINITION)).astype(np.float32)
            found[STAGE_LABELS.index(stage)] += _BY_DEFINITION
        return found

    def mixed(self, features: Floats) -> Floats:
        """Log scores of both second steps, blended; `features` as `situation.context` makes them."""
        nothing = np.zeros(0, np.int32), np.zeros(0, np.float32)
        straight = np.log(softmax(self.linear.scores(features, *nothing)) + 1e-6)
        grown = np.log(softmax(self.trees.scores(features)) + 1e-6)
        result: Floats = (self.blend * grown + (1 - self.blend) * straight).astype(np.float32)
        return result

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {
            **self.words.to_arrays("words"),
            **self.hints.to_arrays("hints"),
            **self.linear.to_arrays("linear"),
            **self.trees.to_arrays("trees"),
            **self.hindsight.to_arrays("hindsight"),
            "transitions": self.transitions,
            "mixing": np.array([self.blend, self.sharpness], np.float32),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> StageModel:
        return cls(
            Linear.from_arrays("words", arrays),
            Linear.from_arrays("hints", arrays),
            Linear.from_arrays("linear", arrays),
            Trees.from_arrays("trees", arrays),
            Linear.from_arrays("hindsight", arrays),
            arrays["transitions"],
            *(float(value) for value in arrays["mixing"]),
        )


def projects_stage(mail: MailToRead) -> str:
    """The stage that a terse mail takes by definition: the one its project was in a moment ago; "" if it can have moved on.

    In the labelled mail all but one of a hundred such mails have the stage of the mail before.
    """
    earlier = [item for item in mail.history if item.stage != UNRELATED]
    if not earlier or mail.attachments:
        return ""
    days = (mail.sent_at - earlier[-1].sent_at).total_seconds() / 86400.0
    return earlier[-1].stage if days <= (_ANSWERED_WITHIN if mail.is_answer else _SAID_WITHIN) else ""


def reliance(letters: float) -> float:
    """How far the words' scores are trusted: fully from a sentence's length on, hardly for "ok"."""
    return min(1.0, max(_LEAST_RELIANCE, letters / _SENTENCE))


def hints_from(scores: Floats) -> Floats:
    """Scores of intents (15), sign-off (7) and who acts next (3) as the second step takes them; along the last axis."""
    approval, waiting = softmax(scores[..., 15:22]), softmax(scores[..., 22:25])
    parts = (np.clip(scores[..., :15], -6, 6), np.log(approval + 1e-4), np.log(waiting + 1e-4))
    result: Floats = np.concatenate(parts, axis=-1).astype(np.float32)
    return result


class MailStage:
    """Sets `doc.cats` to the words' stage probabilities. `models` holds one model for each mode; `mode` chooses."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.mode = "n-grams"
        self.models: dict[str, StageModel] = {}

    def __call__(self, doc: Doc) -> Doc:
        model = self.models.get(self.mode)
        if model is not None:
            found = model.from_words(doc.user_data[FEATURES])
            doc.cats = {label: float(value) for label, value in zip(STAGE_LABELS, found, strict=True)}
        return doc

    def pipe(self, stream: Iterable[Doc], batch_size: int = 64) -> Iterator[Doc]:
        del batch_size
        return map(self, stream)

    def to_disk(self, path: str | Path, **_: Any) -> None:
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        for mode, model in self.models.items():
            save_arrays(folder / f"{mode}.npz", model.to_arrays())

    def from_disk(self, path: str | Path, **_: Any) -> MailStage:
        self.models = {
            file.stem: StageModel.from_arrays(load_arrays(file)) for file in sorted(Path(path).glob("*.npz"))
        }
        return self


@Language.factory("mail_stage")
def create_mail_stage(nlp: Language, name: str) -> MailStage:
    """For the config of the saved model."""
    del nlp
    return MailStage(name)
