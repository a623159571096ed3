"""The sentence that shows a label: chosen by cues and by what its words add to the model's score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assistant.understanding.sentences import Sentence, shorten

EVIDENCE_LENGTH = 240


@dataclass(frozen=True, slots=True)
class Span:
    """A cue found in the text, by characters."""

    label: str
    start: int
    end: int


def sentence_for(
    sentences: tuple[Sentence, ...], spans: Sequence[Span], cues: Sequence[str], fallback: bool = True
) -> str:
    """Of sentences that say something the one with the most of `cues`; without any, the first, or "" if not `fallback`."""
    if not sentences:
        return ""
    wanted = set(cues)
    scores = np.zeros(len(sentences))
    for span in spans:
        if span.label in wanted:
            for number, sentence in enumerate(sentences):
                if sentence.start <= span.start < sentence.end:
                    # Long cues say more than short ones; long sentences catch cues by chance.
                    scores[number] += (span.end - span.start) ** 0.5 / (1 + len(sentence.text) / 200)
    best = int(scores.argmax())
    if scores[best] <= 0 and not fallback:
        return ""
    return shorten(sentences[best].text, EVIDENCE_LENGTH)
