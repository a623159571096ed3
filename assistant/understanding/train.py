"""Learns the stage from examples: from words, and in context from words as models that never saw the client read them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language

from assistant.model.process import INTENTS, STAGE_LABELS, WAITING_ON
from assistant.model.reading import ContextItem, MailToRead, ReadMail, TextToRead
from assistant.understanding.arrays import Floats, Linear, Trees, softmax
from assistant.understanding.corpus import Corpus, Example, is_automatic
from assistant.understanding.features import PLAIN
from assistant.understanding.fit import (
    Space,
    Table,
    fit_classes,
    fit_many,
    fit_trees,
    gram_matrix,
    score_all,
    sharpness_for,
)
from assistant.understanding.hindsight import HINDSIGHT_WIDTH, hindsight_features
from assistant.understanding.labels import APPROVAL_LABELS
from assistant.understanding.reader import PipelineReader, Prepared
from assistant.understanding.situation import HISTORY, LABELS, context
from assistant.understanding.stage import StageModel, hints_from, reliance

Indices = NDArray[np.intp]
Progress = Callable[[str], None]

HINTS: Final = len(INTENTS) + len(APPROVAL_LABELS) + len(WAITING_ON)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What was tried and chosen; docs/understanding.md says what each brought."""

    words_strength: float = 1.0
    gram_weight: float = 2.0
    cue_weight: float = 0.5
    context_strength: float = 0.05
    bare_weight: float = 0.5
    """Of examples whose attachments were taken away."""
    hindsight_strength: float = 0.03
    hint_strength: float = 1.0
    schooling: float = 0.8
    schooling_weight: float = 0.3
    rare_lift: float = 8.0
    label_strength: float = 3.0
    label_gram_weight: float = 1.0
    signing_strength: float = 1.0
    situation_weight: float = 1.0
    ours_weight: float = 0.7
    readings: int = 2
    rounds: int = 60
    depth: int = 3
    rate: float = 0.1
    blend: float = 0.5
    folds: int = 5
    approved_cue_weight: float = 0.3
    label_cue_weight: float = 0.6
    approval_precision: float = 0.91


@dataclass(slots=True)
class Data:
    """Examples with their features. `before[i]`: the places of the earlier mail of the same project, oldest first."""

    examples: Sequence[Example]
    prepared: Sequence[Prepared]
    table: Table
    before: list[list[int]] = field(default_factory=list)

    def stages(self, rows: Indices) -> Indices:
        return np.array([STAGE_LABELS.index(self.examples[row].stage) for row in rows], np.intp)

    def weights(self, rows: Indices) -> NDArray[np.float64]:
        return np.array([self.examples[row].weight for row in rows])


def make_data(corpus: Corpus, nlp: Language, grams: int) -> Data:
    """Features of the whole corpus, by the pipeline as it will read later."""
    examples = corpus.examples
    reader = PipelineReader(nlp, "learning")
    prepared = reader.prepare([TextToRead(item.subject, item.text, item.language) for item in examples])
    table = Table(
        np.array([item.features.dense for item in prepared]),
        gram_matrix([(item.features.indices, item.features.weights) for item in prepared], grams),
    )
    before: list[list[int]] = []
    seen: dict[str, list[int]] = {}
    for place, example in enumerate(examples):
        earlier = seen.setdefault(example.project, []) if example.project else []
        before.append(list(earlier))
        earlier.append(place)
    return Data(examples, prepared, table, before)


def fold_of(group: str, folds: int, salt: str = "") -> int:
    """The fold of a client, the same on every machine."""
    return int.from_bytes(hashlib.sha256(f"{salt}{group}".encode()).digest()[:4], "big") % folds


def balanced_folds(data: Data, rows: Indices, folds: int, salt: str = "") -> NDArray[np.intp]:
    """A fold for each row: clients stay whole, and every fold gets as many mails of each language as can be."""
    sizes: dict[tuple[str, str], int] = {}
    for row in rows:
        example = data.examples[row]
        key = ("stray" if example.sort else example.language[:2], example.group)
        sizes[key] = sizes.get(key, 0) + 1
    order = sorted(sizes, key=lambda key: (key[0], -sizes[key], hashlib.sha256(f"{salt}{key[1]}".encode()).digest()))
    if salt:
        order = sorted(order, key=lambda key: (key[0], hashlib.sha256(f"{salt}{key[1]}".encode()).digest()))
    load: dict[str, list[int]] = {}
    place: dict[str, int] = {}
    for kind, group in order:
        if group in place:
            continue
        filled = load.setdefault(kind, [0] * folds)
        place[group] = int(np.argmin(filled))
        filled[place[group]] += sizes[kind, group]
    return np.array([place[data.examples[row].group] for row in rows], np.intp)


def mail_of(
    data: Data,
    row: int,
    words: Floats,
    history: Sequence[int] | None = None,
    known: bool | None = None,
    bare: bool = False,
    read: Floats | None = None,
) -> MailToRead:
    """The mail as intake would hand it over: history carries what the words' model said, never the truth.

    With `read`, the stages of earlier mail are as they were read in context. With `bare` nothing was attached to it or to earlier mail: some send links, and what says "attached" must do alone.

    `words` has one row of probabilities for each example.
    """
    example = data.examples[row]
    earlier = data.before[row] if history is None else list(history)
    items = tuple(
        ContextItem(
            stage=STAGE_LABELS[int((words if read is None else read)[place].argmax())],
            stage_probabilities=tuple(zip(STAGE_LABELS, (float(value) for value in words[place]), strict=True)),
            direction=data.examples[place].direction,
            sent_at=data.examples[place].sent_at,
            attachments=() if bare else data.examples[place].attachments,
        )
        for place in earlier[-HISTORY:]
    )
    sent_at = example.sent_at
    if history is not None and history:
        sent_at = data.examples[history[-1]].sent_at + (example.sent_at - example.sent_at.replace(hour=0, minute=0))
    return MailToRead(
        subject=example.subject,
        text=example.text,
        language=example.language,
        direction=example.direction,
        sent_at=sent_at,
        is_answer=example.is_answer,
        attachments=() if bare else example.attachments,
        automatic=is_automatic(example),
        known_client=bool(items) if known is None else known,
        history=items,
    )


def truths(data: Data, rows: Indices) -> tuple[Indices, Indices, Indices]:
    """True intents (mails, 15) as zeros and ones, approvals and waiting_on as places in their label lists."""
    chosen = [data.examples[row] for row in rows]
    return (
        np.array([[int(intent in item.intents) for intent in INTENTS] for item in chosen], np.intp),
        np.array(
            [APPROVAL_LABELS.index(item.approval if item.direction == "inbound" else "") for item in chosen], np.intp
        ),
        np.array([WAITING_ON.index(item.waiting_on) for item in chosen], np.intp),
    )


# --- words ------------------------------------------------------------------------------------------------------------


def _word_scale(width: int, recipe: Recipe) -> Floats:
    scale = np.ones(width, np.float32)
    scale[width - PLAIN :] = recipe.cue_weight
    return scale


def fit_words(data: Data, rows: Indices, recipe: Recipe) -> tuple[Linear, Linear]:
    """The words' models of the stage, and of the other labels as hints."""
    table = data.table.rows(rows)
    space = Space(table, _word_scale(table.dense.shape[1], recipe), recipe.gram_weight)
    stage = fit_classes(space, data.stages(rows), LABELS, recipe.words_strength, data.weights(rows))
    intents, approvals, waiting = truths(data, rows)
    others = [
        fit_many(space, intents, recipe.hint_strength),
        fit_classes(space, approvals, len(APPROVAL_LABELS), recipe.hint_strength),
        fit_classes(space, waiting, len(WAITING_ON), recipe.hint_strength),
    ]
    hints = Linear(
        np.hstack([model.dense for model in others]),
        np.hstack([model.grams for model in others]),
        np.concatenate([model.bias for model in others]),
    )
    return stage, hints


@dataclass(slots=True)
class HeldOut:
    """What models that have not seen its client say of each mail, one row for each example; zero for those not asked."""

    words: Floats
    hints: Floats
    sharpness: float


def held_out_words(data: Data, rows: Indices, recipe: Recipe, salt: str) -> HeldOut:
    """Reads each of `rows` by models of the other folds; `sharpness` makes the stage's probabilities honest."""
    folds = balanced_folds(data, rows, recipe.folds, salt)
    scores = np.zeros((len(rows), LABELS), np.float32)
    found = HeldOut(
        np.zeros((len(data.examples), LABELS), np.float32), np.zeros((len(data.examples), HINTS), np.float32), 1.0
    )
    for fold in range(recipe.folds):
        tested = rows[folds == fold]
        if len(tested):
            stage, hints = fit_words(data, rows[folds != fold], recipe)
            scores[folds == fold] = score_all(stage, data.table.rows(tested))
            found.hints[tested] = hints_from(score_all(hints, data.table.rows(tested)))
    trust = np.array([reliance(data.prepared[row].features.letters) for row in rows], np.float32)
    scores *= trust[:, None]
    found.sharpness = sharpness_for(scores, data.stages(rows))
    found.words[rows] = softmax(scores * found.sharpness)
    return found


# --- context ----------------------------------------------------------------------------------------------------------


def transitions_of(data: Data, rows: Indices) -> Floats:
    """How projects move from mail to mail, smoothed: staying and the next stage are likely, nothing is impossible."""
    counts = np.full((LABELS, LABELS), 0.3)
    counts += np.eye(LABELS) * 4
    chosen = set(rows.tolist())
    for row in rows:
        earlier = [place for place in data.before[row] if place in chosen and data.examples[place].stage != "unrelated"]
        if earlier and data.examples[row].stage != "unrelated":
            counts[
                STAGE_LABELS.index(data.examples[earlier[-1]].stage), STAGE_LABELS.index(data.examples[row].stage)
            ] += 1
    counts[:-1, -1] = counts[:-1, :-1].sum(axis=1) * 0.01
    counts[-1] = 1.0
    result: Floats = (counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)
    return result


@dataclass(slots=True)
class ContextRows:
    """Rows of the second step: real mail, and unrelated mail put where it might stray to."""

    features: Floats
    labels: Indices
    weights: NDArray[np.float64]
    owner: Indices
    """Which example each row comes from."""


def context_rows(
    data: Data, rows: Indices, said: HeldOut, transitions: Floats, recipe: Recipe, seed: int = 7
) -> ContextRows:
    """The second step's examples, with the history as `said` it."""
    words = said.words
    random = np.random.default_rng(seed)
    features, owner, weights = [], [], []
    projects = [row for row in rows if data.examples[row].project]
    for row in rows:
        if data.examples[row].id.startswith("correction/") and not data.examples[row].sort:
            continue  # its project's earlier mail is not at hand: it teaches words, not context
        mails = [(mail_of(data, row, words), 1.0)]
        if not data.before[row]:
            mails.append((mail_of(data, row, words, known=True), 0.5))
        if any(data.examples[place].attachments for place in (row, *data.before[row][-HISTORY:])):
            mails.append((mail_of(data, row, words, bare=True), recipe.bare_weight))
        if data.examples[row].sort and projects:
            strayed = data.before[int(random.choice(projects))]
            mails.append((mail_of(data, row, words, history=strayed, known=True), 0.5))
        for mail, weight in mails:
            features.append(context(replace(mail, automatic=False), words[row], said.hints[row], transitions))
            owner.append(row)
            weights.append(weight * data.examples[row].weight)
    owners = np.array(owner, np.intp)
    return ContextRows(np.array(features, np.float32), data.stages(owners), np.array(weights), owners)


def fit_scaled(
    features: Floats, labels: Indices, strength: float, weights: NDArray[np.float64] | None = None
) -> Linear:
    """Logistic regression over features of any scale; the model takes them as they are."""
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-3
    table = Table((features - mean) / spread, None)
    space = Space(table, np.ones(features.shape[1], np.float32), 0.0)
    model = fit_classes(space, labels, LABELS, strength, weights)
    dense = model.dense / spread[:, None]
    return Linear(dense, model.grams, model.bias - mean @ dense)


def schooled_rows(data: Data, rows: Indices, said: HeldOut, transitions: Floats, recipe: Recipe) -> ContextRows:
    """Examples whose history was read nearly right: they teach how far a sure history is to be trusted.

    Held-out words are seldom sure; a project whose labels people corrected is.
    """
    history = (1 - recipe.schooling) * said.words
    for place, example in enumerate(data.examples):
        history[place] += recipe.schooling * 0.01
        history[place, STAGE_LABELS.index(example.stage)] += recipe.schooling * 0.93
    owner = np.array([row for row in rows if data.before[row]], np.intp)
    features = [
        context(replace(mail_of(data, row, history), automatic=False), said.words[row], said.hints[row], transitions)
        for row in owner
    ]
    return ContextRows(
        np.array(features, np.float32), data.stages(owner), np.full(len(owner), recipe.schooling_weight), owner
    )


def _subset(found: ContextRows, chosen: NDArray[np.bool_]) -> ContextRows:
    return ContextRows(found.features[chosen], found.labels[chosen], found.weights[chosen], found.owner[chosen])


def joined(parts: Sequence[ContextRows]) -> ContextRows:
    """Several readings of the same mail as one set; together they weigh as much as one."""
    return ContextRows(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.weights for part in parts]) / len(parts),
        np.concatenate([part.owner for part in parts]),
    )


def fit_second_step(found: ContextRows, schooled: ContextRows, recipe: Recipe) -> tuple[Linear, Trees]:
    # Schooled examples are many, and half of them teach the trees as much.
    features, labels, weights = (
        np.concatenate([getattr(found, name), getattr(schooled, name)[::2]])
        for name in ("features", "labels", "weights")
    )
    trees = fit_trees(features, labels, LABELS, recipe.rounds, recipe.depth, recipe.rate, weights=weights)
    both = joined([found, schooled])
    both.weights *= 2.0  # two kinds of examples, not two readings of the same
    return fit_scaled(both.features, both.labels, recipe.context_strength, both.weights), trees


def as_read(data: Data, row: int, words: Floats, stages: Floats) -> ReadMail:
    """An example as it was read: rows of `words` and `stages` are the examples."""
    example = data.examples[row]
    return ReadMail(
        tuple(zip(STAGE_LABELS, stages[row].tolist(), strict=True)),
        tuple(zip(STAGE_LABELS, words[row].tolist(), strict=True)),
        example.direction,
        example.sent_at,
        example.is_answer,
    )


def projects_in(data: Data, rows: Indices) -> list[list[int]]:
    """The rows of each project that has more than one mail, in order of time."""
    found: dict[str, list[int]] = {}
    for row in rows:
        if data.examples[row].project:
            found.setdefault(data.examples[row].project, []).append(int(row))
    return [sorted(places, key=lambda row: data.examples[row].sent_at) for places in found.values() if len(places) > 1]


def fit_hindsight(
    data: Data, rows: Indices, words: Floats, stages: Floats, transitions: Floats, strength: float
) -> Linear:
    """The third step, from how held-out mail was read in the order it came. The last mail of a project has no later one."""
    features, labels = [], []
    for places in projects_in(data, rows):
        mails = [as_read(data, row, words, stages) for row in places]
        features.append(hindsight_features(mails, transitions)[:-1])
        labels.append(data.stages(np.array(places[:-1], np.intp)))
    if not features:
        return Linear(
            np.zeros((HINDSIGHT_WIDTH, LABELS), np.float32),
            np.zeros((0, LABELS), np.float32),
            np.zeros(LABELS, np.float32),
        )
    return fit_scaled(np.concatenate(features), np.concatenate(labels), strength)


def fit_stage(
    data: Data, rows: Indices, recipe: Recipe, salt: str, progress: Progress
) -> tuple[StageModel, HeldOut, Floats]:
    """The stage model; what was held out of the words; and held-out probabilities in context, a row for each example."""
    readings = [held_out_words(data, rows, recipe, f"{salt}{number or ''}") for number in range(recipe.readings)]
    progress("words")
    transitions = transitions_of(data, rows)
    found = joined(
        [context_rows(data, rows, said, transitions, recipe, number) for number, said in enumerate(readings)]
    )
    schooled = joined([schooled_rows(data, rows, said, transitions, recipe) for said in readings])
    words, hints = fit_words(data, rows, recipe)
    words = replace(words, sharpness=float(np.mean([said.sharpness for said in readings])))
    folds = dict(zip(rows.tolist(), balanced_folds(data, rows, recipe.folds, salt).tolist(), strict=True))
    fold_of_row = np.array([folds[int(owner)] for owner in found.owner])
    fold_of_schooled = np.array([folds[int(owner)] for owner in schooled.owner])
    mixed = np.zeros((len(found.owner), LABELS), np.float32)

    untrained = fit_hindsight(data, rows[:0], readings[0].words, readings[0].words, transitions, 1.0)

    def model_from(part: ContextRows, school: ContextRows) -> StageModel:
        linear, trees = fit_second_step(part, school, recipe)
        return StageModel(words, hints, linear, trees, untrained, transitions, recipe.blend, 1.0)

    for fold in range(recipe.folds):
        model = model_from(_subset(found, fold_of_row != fold), _subset(schooled, fold_of_schooled != fold))
        for place in np.flatnonzero(fold_of_row == fold):
            mixed[place] = model.mixed(found.features[place])
        progress("context")
    sharpness = sharpness_for(mixed, found.labels, found.weights)
    stages = np.zeros((len(data.examples), LABELS), np.float32)
    stages[found.owner[::-1]] = softmax(mixed * sharpness)[::-1]
    hindsight = fit_hindsight(data, rows, readings[0].words, stages, transitions, recipe.hindsight_strength)
    return replace(model_from(found, schooled), sharpness=sharpness, hindsight=hindsight), readings[0], stages
