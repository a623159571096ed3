"""Pipeline component: intents, sign-off and who acts next, from words, direction, thread and stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc

from assistant.model.process import APPROVALS
from assistant.model.reading import MailToRead
from assistant.understanding.arrays import Floats, Linear, load_arrays, save_arrays, sigmoid, softmax
from assistant.understanding.features import JUDGED, TextFeatures
from assistant.understanding.situation import before, situation

APPROVAL_LABELS: Final = ("", *APPROVALS)

_BARE = 12.0
"""Letters of a mail that names nothing: what it says yes to can only be seen from what came before."""

_BARE_LIMIT = 0.65
_DENIED_LIMIT = 0.9


@dataclass(frozen=True, slots=True)
class LabelModel:
    """All labels but the stage, for one kind of features."""

    intents: Linear
    intent_limits: Floats
    """From which probability on each intent is said."""
    signing: Linear
    """Whether anything is approved at all: one score. Learned from clients' mail alone, for only they approve."""
    approval_limit: float
    """The probability of `signing` must reach this."""
    approved: Linear
    """What is approved, where something is."""
    waiting: Linear

    def read(self, features: TextFeatures, mail: MailToRead, stage: Floats) -> tuple[Floats, Floats, Floats]:
        """Probabilities of the intents (15), of what is approved (7, the first: nothing) and of who acts next (3)."""
        dense = label_features(features, mail, stage)
        sparse = features.indices, features.weights
        return (
            sigmoid(self.intents.scores(dense, *sparse)),
            approval_probabilities(self.signing.scores(dense, *sparse), self.approved.scores(dense, *sparse)),
            softmax(self.waiting.scores(dense, *sparse)),
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {
            **self.intents.to_arrays("intents"),
            **self.signing.to_arrays("signing"),
            **self.approved.to_arrays("approved"),
            **self.waiting.to_arrays("waiting"),
            "intent_limits": self.intent_limits,
            "approval_limit": np.array([self.approval_limit], np.float32),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> LabelModel:
        return cls(
            Linear.from_arrays("intents", arrays),
            arrays["intent_limits"],
            Linear.from_arrays("signing", arrays),
            float(arrays["approval_limit"][0]),
            Linear.from_arrays("approved", arrays),
            Linear.from_arrays("waiting", arrays),
        )


def approval_probabilities(signing: Floats, approved: Floats) -> Floats:
    """Nothing first, then each of what may be approved; along the last axis."""
    sure = sigmoid(signing)
    result: Floats = np.concatenate([1 - sure, sure * softmax(approved)], axis=-1).astype(np.float32)
    return result


def read_approval(probabilities: Floats, features: TextFeatures, mail: MailToRead, limit: float) -> str:
    """What is approved, or "". Only a client approves; a yes in a sentence with a no must be far likelier, and a bare "OK" where
    nothing was laid before the client a little. `probabilities` as `approval_probabilities` gives them."""
    if mail.direction == "outbound":
        return ""
    seen = dict(zip(JUDGED, features.dense[len(features.dense) - len(JUDGED) :].tolist(), strict=True))
    if seen["approves_negated"] and not seen["approves_plainly"]:
        limit = max(limit, _DENIED_LIMIT)
    if features.letters < _BARE and not _laid_before(mail):
        limit = max(limit, _BARE_LIMIT)
    if 1.0 - probabilities[0] < limit:
        return ""
    return APPROVAL_LABELS[1 + int(probabilities[1:].argmax())]


def _laid_before(mail: MailToRead) -> bool:
    """Whether our last mail before this one brought a document; the client's own counts as well. Unknown counts as yes."""
    ours = [item for item in mail.history if item.direction == "outbound"]
    return bool(mail.attachments) or not ours or bool(ours[-1].attachments)


def label_features(features: TextFeatures, mail: MailToRead, stage: Floats) -> Floats:
    """Words, situation and stage; and all of it once more where we wrote, for the same words mean another thing then."""
    plain = np.concatenate([features.dense, situation(mail), before(mail), stage])
    ours = plain if mail.direction == "outbound" else np.zeros_like(plain)
    return np.concatenate([plain, ours]).astype(np.float32)


class MailLabels:
    """Holds the models; they are asked by the reader once direction and history are known."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.mode = "n-grams"
        self.models: dict[str, LabelModel] = {}

    def __call__(self, doc: Doc) -> Doc:
        return doc

    def pipe(self, stream: Iterable[Doc], batch_size: int = 64) -> Iterator[Doc]:
        del batch_size
        return iter(stream)

    def to_disk(self, path: str | Path, **_: Any) -> None:
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        for mode, model in self.models.items():
            save_arrays(folder / f"{mode}.npz", model.to_arrays())

    def from_disk(self, path: str | Path, **_: Any) -> MailLabels:
        self.models = {
            file.stem: LabelModel.from_arrays(load_arrays(file)) for file in sorted(Path(path).glob("*.npz"))
        }
        return self


@Language.factory("mail_labels")
def create_mail_labels(nlp: Language, name: str) -> MailLabels:
    """For the config of the saved model."""
    del nlp
    return MailLabels(name)
