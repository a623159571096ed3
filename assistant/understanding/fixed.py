"""A finished model on labelled mail that it has not learned from: nothing is trained, only read and compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from spacy.language import Language

from assistant.errors import AssistantError
from assistant.model.process import INTENTS, STAGE_LABELS, UNRELATED, WAITING_ON
from assistant.understanding.build import data_for
from assistant.understanding.corpus import Corpus, Example
from assistant.understanding.evaluate import Predictions, blank_predictions, read_examples
from assistant.understanding.labels import APPROVAL_LABELS
from assistant.understanding.learn import HeldOutLabels, Learned
from assistant.understanding.pipeline import labels_of, set_mode, stage_of
from assistant.understanding.train import Data

_HEAD = 80


@dataclass(frozen=True, slots=True)
class Misreading:
    """One mail of which something was read otherwise than it is labelled; a field is "" where both agree."""

    id: str
    direction: str
    stage: str
    """`truth > reading`, as in the three fields that follow."""
    intents: str
    approval: str
    waiting_on: str
    confidence: float
    """How sure the reading of the stage was, from 0 to 1."""
    head: str
    """The first characters of the text."""


def read_with(nlp: Language, corpus: Corpus, mode: str) -> tuple[Data, Predictions]:
    """Reads all of `corpus` with the model `nlp`, in order of time, with the history as the model read it."""
    set_mode(nlp, mode)
    data = data_for(nlp, corpus, mode)
    found = blank_predictions(len(data.examples))
    nothing = np.zeros((0, len(STAGE_LABELS)), np.float32)  # what a refit would need, not what reading needs
    learned = Learned(stage_of(nlp).models[mode], labels_of(nlp).models[mode], HeldOutLabels(nothing, nothing))
    read_examples(data, np.arange(len(data.examples)), learned, found)
    return data, found


def refuse_known_clients(corpus: Corpus, learned_from: Corpus) -> None:
    """Raises AssistantError if the model has learned from a client whose mail it shall be measured on."""
    known = {example.group for example in learned_from.examples}
    shared = sorted({example.group for example in corpus.examples} & known)
    if shared:
        raise AssistantError(
            f"the model has learned from mail of {', '.join(shared[:5])}: measure it on mail of other clients"
        )


def misreadings(data: Data, found: Predictions) -> Iterator[Misreading]:
    """Every mail that was not read as it is labelled, in the order of the corpus."""
    for row, example in enumerate(data.examples):
        stage = STAGE_LABELS[int(found.later[row].argmax())]
        stray = UNRELATED in (stage, example.stage)
        said = frozenset(name for name, yes in zip(INTENTS, found.intents[row], strict=True) if yes)
        misread = Misreading(
            example.id,
            example.direction,
            _differing(example.stage, stage),
            "" if stray else _differing_sets(example.intents, said),
            "" if stray else _differing(_signed(example), APPROVAL_LABELS[int(found.approval[row])]),
            "" if stray else _differing(example.waiting_on, WAITING_ON[int(found.waiting[row])]),
            float(found.later[row].max()),
            " ".join(example.text.split())[:_HEAD],
        )
        if misread.stage or misread.intents or misread.approval or misread.waiting_on:
            yield misread


def _signed(example: Example) -> str:
    return example.approval if example.direction == "inbound" else ""


def _differing(truth: str, reading: str) -> str:
    return "" if truth == reading else f"{truth or 'none'} > {reading or 'none'}"


def _differing_sets(truth: frozenset[str], reading: frozenset[str]) -> str:
    """What was missed with a minus, what was said in vain with a plus."""
    missed, extra = sorted(truth - reading), sorted(reading - truth)
    return " ".join([*(f"-{name}" for name in missed), *(f"+{name}" for name in extra)])


__all__ = ["Misreading", "misreadings", "read_with", "refuse_known_clients"]
