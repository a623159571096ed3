"""The reader: from newly written text and its surroundings to a `Reading`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from spacy.language import Language

from assistant.model.carried import carry_by_fields
from assistant.model.process import INTENTS, STAGE_LABELS, UNRELATED, WAITING_ON
from assistant.model.reading import Amount, MailToRead, Reading, ReadMail, Sign, TextToRead
from assistant.understanding.amounts import find_amounts
from assistant.understanding.arrays import Floats
from assistant.understanding.commitments import find_commitments
from assistant.understanding.cues import FOR_INTENT, FOR_STAGE, FOR_WAITING
from assistant.understanding.evidence import Span, sentence_for
from assistant.understanding.features import BODY, FEATURES, SENTENCES, SPANS, TextFeatures, mail_words
from assistant.understanding.hindsight import look_back, vector_of
from assistant.understanding.labels import read_approval
from assistant.understanding.memory import Corrected, Memory, with_stage
from assistant.understanding.pipeline import labels_of, stage_of
from assistant.understanding.sentences import Sentence, informative, split_sentences, summarise
from assistant.understanding.tokenizer import text_of

_LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Prepared:
    """A text after the costly part: what `Reader.read` needs of its words."""

    summary: str
    amounts: tuple[Amount, ...]
    sentences: tuple[Sentence, ...]
    """Those that say something, without salutation and closing."""
    spans: tuple[Span, ...]
    features: TextFeatures
    words: Floats
    """Stage probabilities of the words alone, shape (7,)."""
    model: str = ""
    """Which model's numbers these are: another one must prepare the text again."""


carry_by_fields(Prepared, Sentence, Span, TextFeatures, Amount)


class PipelineReader:
    """Reads mail with the spaCy pipeline. Not for use by two threads at once."""

    def __init__(
        self, nlp: Language, mode: str, notice: str = "", memory: Memory | None = None, folder: Path | None = None
    ) -> None:
        self.mode = mode
        self.folder = folder
        """Where its model lies; None while one is being trained."""
        self.memory = memory if memory is not None else Memory()
        self.notice = notice
        self._nlp = nlp
        self._stage = stage_of(nlp)
        self._labels = labels_of(nlp)
        self.model = f"{nlp.meta['name']}-{nlp.meta['version']}-{mode}"

    def prepare(self, texts: Sequence[TextToRead]) -> Sequence[Prepared]:
        """The costly part, for many texts at once."""
        prepared: list[Prepared] = []
        # What spaCy remembers of each new word is forgotten with the batch: a daemon reads for months.
        with self._nlp.memory_zone():
            docs = []
            for item in texts:
                mail, body = mail_words(item.subject, item.text[:_LONGEST].strip())
                doc = self._nlp.make_doc(mail)
                doc.user_data[BODY] = body
                docs.append(doc)
            for doc, item in zip(self._nlp.pipe(docs), texts, strict=True):
                body = doc.user_data[BODY]
                spans = tuple(
                    Span(span.label_, span.start_char - body, span.end_char - body)
                    for span in doc.spans.get(SPANS, ())
                    if span.start_char >= body
                )
                text = text_of(doc)[body:]
                words = np.array([doc.cats.get(label, 0.0) for label in STAGE_LABELS], np.float32)
                sentences = doc.user_data[SENTENCES]
                prepared.append(
                    Prepared(
                        summarise(sentences, item.subject),
                        find_amounts(text),
                        informative(sentences),
                        spans,
                        doc.user_data[FEATURES],
                        words,
                        self.model,
                    )
                )
        return prepared

    def words(self, text: TextToRead, prepared: object | None = None) -> tuple[tuple[str, float], ...]:
        """Stage probabilities of the words alone, the likeliest first."""
        if not isinstance(prepared, Prepared) or prepared.model != self.model:
            prepared = self.prepare([text])[0]
        return _ranked(prepared.words)

    def read(self, mail: MailToRead, prepared: object | None = None) -> Reading:
        """What the mail says, in the light of the project's earlier mail."""
        if mail.automatic and mail.direction == "inbound":
            return self._machine_mail(mail)
        if not isinstance(prepared, Prepared) or prepared.model != self.model:
            prepared = self.prepare([TextToRead(mail.subject, mail.text, mail.language)])[0]
        stage = self._stage.models[self.mode].in_context(mail, prepared.words, prepared.features)
        known = self._recall(mail, prepared)
        if known is None:
            return self._reading(mail, prepared, stage)
        return _corrected(self._reading(mail, prepared, with_stage(stage, known.stage)), known)

    def look_back(self, mails: Sequence[ReadMail]) -> tuple[tuple[tuple[str, float], ...], ...]:
        """Stage probabilities of a project's mail with what came later in mind, best first; the last one as it was read."""
        model = self._stage.models[self.mode]
        return tuple(_ranked(row) for row in look_back(mails, model.hindsight, model.transitions))

    def read_as(self, mail: MailToRead, stage_probabilities: tuple[tuple[str, float], ...]) -> Reading:
        """The mail read as one of the stage that looking back gave it."""
        prepared = self.prepare([TextToRead(mail.subject, mail.text, mail.language)])[0]
        return self._reading(mail, prepared, vector_of(stage_probabilities))

    def learn(self, corrections: Sequence[Corrected]) -> None:
        """Remembers what people set right: applied at once to nearly the same text in the same direction."""
        prepared = self.prepare([correction.text for correction in corrections])
        self.memory.learn(corrections, [item.features for item in prepared])

    def _recall(self, mail: MailToRead, prepared: Prepared) -> Corrected | None:
        if not len(self.memory):
            return None
        return self.memory.recall(TextToRead(mail.subject, mail.text, mail.language), mail.direction, prepared.features)

    def _machine_mail(self, mail: MailToRead) -> Reading:
        """By definition a notice, bounce or out-of-office reply belongs to no stage, whatever it quotes."""
        rest = 0.02 / (len(STAGE_LABELS) - 1)
        surely = tuple((label, 0.98 if label == UNRELATED else rest) for label in (UNRELATED, *STAGE_LABELS[:-1]))
        summary = summarise(split_sentences(mail.text[:_LONGEST].strip()), mail.subject)
        return Reading(UNRELATED, 0.98, summary, surely, (), "", "", "nobody", "", (), (), summary, surely, self.model)

    def _reading(self, mail: MailToRead, prepared: Prepared, stage: Floats) -> Reading:
        model = self._labels.models[self.mode]
        intents, approvals, waiting = model.read(prepared.features, mail, stage)
        ranked = _ranked(stage)
        label, confidence = ranked[0]
        approval = read_approval(approvals, prepared.features, mail, model.approval_limit)
        next_to_act = WAITING_ON[int(waiting.argmax())]
        if label == UNRELATED:
            next_to_act, approval = "nobody", ""
        said = self._intents(prepared, intents, model.intent_limits, approval)
        return Reading(
            stage=label,
            stage_confidence=confidence,
            stage_evidence=sentence_for(prepared.sentences, prepared.spans, FOR_STAGE[label]),
            stage_probabilities=ranked,
            intents=said if label != UNRELATED else (),
            approval=approval,
            approval_evidence=self._evidence(prepared, FOR_INTENT["approval"]) if approval else "",
            waiting_on=next_to_act,
            waiting_evidence=self._evidence(prepared, FOR_WAITING[next_to_act]),
            commitments=find_commitments(prepared.sentences, mail.direction, mail.sent_at, mail.timezone),
            amounts=prepared.amounts,
            summary=prepared.summary,
            text_probabilities=_ranked(prepared.words),
            model=self.model,
        )

    @staticmethod
    def _evidence(prepared: Prepared, cues: Sequence[str]) -> str:
        return sentence_for(prepared.sentences, prepared.spans, cues)

    def _intents(self, prepared: Prepared, probabilities: Floats, limits: Floats, approval: str) -> tuple[Sign, ...]:
        found = []
        for intent, probability, limit in zip(INTENTS, probabilities, limits, strict=True):
            # An approval is recorded as a sign-off: its intent needs the better half of the probability at least.
            least = max(0.5, limit) if intent == "approval" else limit
            if probability >= least or (intent == "approval" and approval):
                found.append(Sign(intent, float(probability), self._evidence(prepared, FOR_INTENT[intent])))
        return tuple(sorted(found, key=lambda sign: -sign.confidence))


def _corrected(reading: Reading, known: Corrected) -> Reading:
    """The reading with what a person said of nearly the same text."""
    if known.intents is not None:
        kept = {sign.label: sign for sign in reading.intents}
        signs = (kept.get(label, Sign(label, 0.9, reading.summary)) for label in INTENTS if label in known.intents)
        reading = replace(reading, intents=tuple(signs))
    if known.approval is not None:
        reading = replace(
            reading,
            approval=known.approval,
            approval_evidence=reading.approval_evidence or (reading.summary if known.approval else ""),
        )
    if known.waiting_on:
        reading = replace(reading, waiting_on=known.waiting_on)
    return replace(reading, model=f"{reading.model}+memory")


def _ranked(probabilities: Floats) -> tuple[tuple[str, float], ...]:
    pairs = [(label, float(value)) for label, value in zip(STAGE_LABELS, probabilities, strict=True)]
    return tuple(sorted(pairs, key=lambda pair: -pair[1]))
