"""What a text looks like to the models: encoder vectors, n-grams and cues, computed once and kept on the spaCy Doc."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from assistant.understanding.arrays import Floats, Integers, load_arrays, save_arrays
from assistant.understanding.cues import CUES
from assistant.understanding.encoder import WIDTH, Encoder
from assistant.understanding.normal import normalise, simplify
from assistant.understanding.sentences import Sentence, informative, split_sentences
from assistant.understanding.tokenizer import text_of

BODY: Final = "body"
SENTENCES: Final = "sentences"
FEATURES: Final = "features"
SPANS: Final = "evidence"

_READ = 4000
_SUBJECT_WEIGHT = 0.7
_SUBJECTS_KEPT = 500
_PREFIX = re.compile(
    r"^\s*(?:(?:re|fw|fwd|aw|wg|回复|回覆|答复|答覆|转发|轉發)\s*(?:\[\d+\])?\s*[:：]\s*)+", re.IGNORECASE
)
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_RUN = re.compile(r"[a-z][a-z']*|[\u3400-\u9fff]+|\d+|[?!]|[^\w\s]")
_CUE_INDEX = {label: number for number, label in enumerate(CUES)}

SURFACE: Final = (
    "length", "lines", "questions", "exclamations", "digits", "money", "percent", "address", "link", "list",
    "ends_with_question", "chinese", "subject_length", "empty", "very_short", "short",
)  # fmt: skip


JUDGED: Final = (
    "approves_plainly", "approves_first", "approves_with_condition", "approves_in_question", "approves_negated",
    "ends_asking", "ends_requesting", "ends_promising", "ends_thanking", "ends_closing", "asks_anywhere", "requests_anywhere",
)  # fmt: skip
"""Cues seen together in a sentence: a yes that stands alone is another thing than a yes with a condition."""

PLAIN: Final = 2 * len(CUES) + len(SURFACE) + len(JUDGED)
"""Width of what is known without the encoder: cues of the text and of the subject, surface, cues together."""


@dataclass(frozen=True, slots=True)
class TextFeatures:
    """`dense`: encoder vectors of text and subject (nothing without the encoder), cues, surface. `indices`, `weights`: tf-idf."""

    dense: Floats
    indices: Integers
    weights: Floats
    vector: Floats
    """What the memory of corrections compares: the text's encoder vector, or nothing."""
    letters: float = 0.0
    """How much is written, in Latin letters; a Chinese character says as much as two and a half."""


def base_subject(subject: str) -> str:
    """The subject without reply and forward prefixes."""
    return _PREFIX.sub("", subject).strip()


@lru_cache(maxsize=2_000)
def _latin(word: str) -> tuple[str, ...]:
    if len(word) <= 3:
        return (word,)
    edged = f"<{word}>"
    return (
        word,
        *(edged[i : i + 4] for i in range(len(edged) - 3)),
        *(edged[i : i + 5] for i in range(len(edged) - 4)),
    )


def grams(text: str) -> list[str]:
    """Latin words, their pieces and pairs; Han by one, two and three characters; numbers as one sign."""
    found: list[str] = []
    before = ""
    for run in _RUN.findall(normalise(text)):
        first = run[0]
        if "a" <= first <= "z":
            found.extend(_latin(run))
            if before:
                found.append(f"{before} {run}")
            before = run
        elif first >= "\u3400" and first <= "\u9fff":
            found.extend(run)
            found.extend(run[i : i + 2] for i in range(len(run) - 1))
            found.extend(run[i : i + 3] for i in range(len(run) - 2))
            before = run[-1] if len(run) == 1 else ""
        else:
            found.append("0" if first.isdigit() else first)
            before = ""
    return found


def letters(text: str) -> float:
    """See `TextFeatures.letters`."""
    han = len(_HAN.findall(text))
    return 2.5 * han + (sum(map(str.isalnum, text)) - han)


def surface(subject: str, text: str) -> list[float]:
    """What can be seen without reading: see `SURFACE`."""
    stripped = text.strip()
    han = sum(1 for character in stripped[:400] if "\u3400" <= character <= "\u9fff")
    length = len(stripped) * (2.5 if han * 3 > len(stripped[:400]) else 1.0)
    return [
        math.log1p(length) / 6.0,
        math.log1p(stripped.count("\n")) / 3.0,
        math.log1p(stripped.count("?") + stripped.count("？")),
        math.log1p(stripped.count("!") + stripped.count("！")) / 2.0,
        math.log1p(sum(map(str.isdigit, stripped))) / 4.0,
        float(re.search(r"[¥￥$€£]|\d\s*万|\d[kK]\b|\d元|RMB|rmb|HK\$|NT\$", stripped) is not None),
        float("%" in stripped or "％" in stripped),
        float("@" in stripped),
        float("http" in stripped or "www." in stripped),
        float(re.search(r"(?m)^\s*(?:[-•*·]|\d{1,2}[.、)）]|[（(]\d{1,2}[)）])", stripped) is not None),
        float(stripped.endswith(("?", "？"))),
        float(han > 0),
        math.log1p(len(subject)) / 4.0,
        float(not stripped),
        float(length <= 20),
        float(length <= 80),
    ]


_NEGATION = re.compile(r"不|没|未|\bnot\b|n't\b|\bnever\b|\bcannot\b|\bcan't\b|\bno\b", re.IGNORECASE)
_NO_OBJECTION = re.compile(
    r"没问题|没有问题|没意见|没有意见|无异议|不用改|没别的|不错|no (?:objection|further|more|other|issue|problem|change)s?|nothing to add",
    re.IGNORECASE,
)
_HEDGE = frozenset({"condition", "change", "internal_wait", "holding"})
_YES = frozenset({"approve", "accepts", "signing_done"})


def judged(sentences: Sequence[Sentence], spans: Sequence[tuple[str, int]]) -> list[float]:
    """See `JUDGED`. `spans`: label and first character of each cue."""
    inside: list[set[str]] = [set() for _ in sentences]
    for label, start in spans:
        for number, sentence in enumerate(sentences):
            if sentence.start <= start < sentence.end:
                inside[number].add(label)
                break
    found = dict.fromkeys(JUDGED, 0.0)
    for number, (labels, sentence) in enumerate(zip(inside, sentences, strict=True)):
        asks = "?" in sentence.text or "？" in sentence.text
        found["asks_anywhere"] = max(found["asks_anywhere"], float(asks or "asking" in labels))
        found["requests_anywhere"] = max(found["requests_anywhere"], float("request" in labels))
        if not labels & _YES:
            continue
        negated = _NEGATION.search(_NO_OBJECTION.sub("", normalise(sentence.text))) is not None
        hedged = bool(labels & _HEDGE)
        kind = "negated" if negated else "in_question" if asks else "with_condition" if hedged else "plainly"
        found[f"approves_{kind}"] = 1.0
        if kind == "plainly" and number == 0:
            found["approves_first"] = 1.0
    if sentences:
        last, labels = sentences[-1].text, inside[-1]
        found["ends_asking"] = float("?" in last or "？" in last or "asking" in labels)
        for name, label in (
            ("requesting", "request"),
            ("promising", "promising"),
            ("thanking", "thanks"),
            ("closing", "closed"),
        ):
            found[f"ends_{name}"] = float(label in labels)
    return list(found.values())


def mail_words(subject: str, text: str) -> tuple[str, int]:
    """The text of a mail's Doc, which is its subject, a line break and its text; and where its text begins."""
    head = base_subject(subject).replace("\n", " ")[:300]
    return f"{head}\n{text}", len(head) + 1


class MailFeatures:
    """Pipeline component: leaves `TextFeatures` in `doc.user_data`. Where the text begins after the subject lies there before."""

    def __init__(self, nlp: Language, name: str) -> None:
        self.name = name
        self.vocab = nlp.vocab
        self.encoder: Encoder | None = None
        self._subjects: dict[str, Floats] = {}
        """Vectors of the subjects seen last: the mail of one conversation shares its subject."""
        self._number: dict[str, int] = {}
        self._idf: Floats = np.zeros(0, np.float32)

    @property
    def gram_count(self) -> int:
        return len(self._number)

    @property
    def dense_width(self) -> int:
        return (2 * WIDTH if self.encoder else 0) + PLAIN

    def learn_vocabulary(self, texts: Sequence[tuple[str, str, str]], limit: int, least: int) -> None:
        """From (subject, text, source): n-grams that occur in at least `least` sources, the most frequent `limit` of them."""
        sources: dict[str, set[str]] = {}
        frequency: Counter[str] = Counter()
        for subject, text, source in texts:
            for gram in {*grams(text), *(f"^{gram}" for gram in grams(base_subject(subject)))}:
                frequency[gram] += 1
                sources.setdefault(gram, set()).add(source)
        kept = [gram for gram, where in sources.items() if len(where) >= least]
        kept = sorted(kept, key=lambda gram: (-frequency[gram], gram))[:limit]
        self._number = {gram: number for number, gram in enumerate(sorted(kept))}
        counts = np.array([frequency[gram] for gram in sorted(kept)], np.float32)
        self._idf = (np.log((1 + len(texts)) / (1 + counts)) + 1).astype(np.float32)

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], batch_size: int = 64) -> Iterator[Doc]:
        """Encodes many at once, which is where the encoder is quick."""
        waiting = iter(stream)
        while batch := list(islice(waiting, batch_size)):
            for doc in batch:
                doc.user_data[SENTENCES] = split_sentences(text_of(doc)[doc.user_data.get(BODY, 0) :])
            vectors = self._vectors(batch)
            for number, doc in enumerate(batch):
                doc.user_data[FEATURES] = self._features(doc, None if vectors is None else vectors[number])
            yield from batch

    def _vectors(self, batch: Sequence[Doc]) -> Floats | None:
        if self.encoder is None:
            return None
        texts = [simplify(" ".join(item.text for item in informative(doc.user_data[SENTENCES]))) for doc in batch]
        subjects = [simplify(text_of(doc)[: doc.user_data.get(BODY, 0)].strip()) for doc in batch]
        new = [subject for subject in dict.fromkeys(subjects) if subject not in self._subjects]
        found = self.encoder.encode([*texts, *new])
        # Copies: a view would keep the vectors of the whole batch.
        known = self._subjects | {subject: row.copy() for subject, row in zip(new, found[len(texts) :], strict=True)}
        self._subjects = dict(list(known.items())[-_SUBJECTS_KEPT:])
        return np.hstack([found[: len(texts)], np.stack([known[subject] for subject in subjects])])

    def _features(self, doc: Doc, vectors: Floats | None) -> TextFeatures:
        body = doc.user_data.get(BODY, 0)
        whole = text_of(doc)
        subject, text = whole[:body].strip(), whole[body : body + _READ]
        in_text, in_subject = [0.0] * len(CUES), [0.0] * len(CUES)
        for span in doc.spans.get(SPANS, ()):
            place = _CUE_INDEX.get(span.label_)
            if place is not None:
                (in_subject if span.end_char <= body else in_text)[place] += 1.0
        counts = [math.log1p(count) for count in (*in_text, *in_subject)]
        together = judged(
            informative(doc.user_data[SENTENCES]),
            [(span.label_, span.start_char - body) for span in doc.spans.get(SPANS, ()) if span.start_char >= body],
        )
        plain = np.array([*counts, *surface(subject, text), *together], np.float32)
        dense = plain if vectors is None else np.concatenate([vectors, plain])
        indices, weights = self._tfidf(subject, text)
        return TextFeatures(
            dense, indices, weights, np.zeros(0, np.float32) if vectors is None else vectors[:WIDTH], letters(text)
        )

    def _tfidf(self, subject: str, text: str) -> tuple[Integers, Floats]:
        number = self._number
        body = Counter(place for gram in grams(text) if (place := number.get(gram)) is not None)
        head = Counter(place for gram in grams(subject) if (place := number.get(f"^{gram}")) is not None)
        parts = [self._weighted(body, 1.0), self._weighted(head, _SUBJECT_WEIGHT)]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _weighted(self, counts: Counter[int], weight: float) -> tuple[Integers, Floats]:
        indices = np.fromiter(counts.keys(), np.int32, len(counts))
        values = (1.0 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))) * self._idf[indices]
        length = float(np.sqrt(values @ values)) or 1.0
        return indices, (values * (weight / length)).astype(np.float32)

    def to_disk(self, path: str | Path, **_: Any) -> None:
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "grams.json").write_text(json.dumps(list(self._number), ensure_ascii=False), "utf-8")
        save_arrays(folder / "idf.npz", {"idf": self._idf})

    def from_disk(self, path: str | Path, **_: Any) -> MailFeatures:
        folder = Path(path)
        kept = json.loads((folder / "grams.json").read_text("utf-8"))
        self._number = {gram: number for number, gram in enumerate(kept)}
        self._idf = load_arrays(folder / "idf.npz")["idf"]
        return self


@Language.factory("mail_features")
def create_mail_features(nlp: Language, name: str) -> MailFeatures:
    """For the config of the saved model."""
    return MailFeatures(nlp, name)
