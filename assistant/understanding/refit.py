"""Takes corrections in for good within seconds: the linear heads are learned anew, all else of a model stays as it is."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from spacy.language import Language
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from assistant.errors import AssistantError
from assistant.model.process import STAGE_LABELS
from assistant.understanding.build import RECIPES, data_for, load_held_out
from assistant.understanding.corpus import Corpus, Example
from assistant.understanding.corrections import is_correction, with_examples
from assistant.understanding.encoder import encoder_installed
from assistant.understanding.history import (
    HELD_OUT_FILE,
    SEED_FILE,
    SHIPPED,
    begin_model,
    finish_model,
    read_meta,
    read_seed,
)
from assistant.understanding.learn import HeldOutLabels, LabelLearner
from assistant.understanding.memory import with_stage
from assistant.understanding.pipeline import (
    MODEL_FOLDER,
    features_of,
    fingerprint,
    labels_of,
    load_pipeline,
    set_mode,
    stage_of,
)
from assistant.understanding.stage import StageModel
from assistant.understanding.train import Data, Recipe, fit_words

_WORSE = 0.02
"""A refit that reads the seed so much worse than its base has learned something wrong."""


def refit(
    base: Path, folder: Path, examples: tuple[Example, ...], version: str, trained_at: str, corrections_to: int
) -> str:
    """A new model in `folder`, in use: the one in `base` with `examples` learned too. Returns its version.

    Every refit begins with the seed and all corrections, so what was corrected twice counts once. Raises AssistantError
    where the seed's mail would be read worse than before; nothing is changed then.
    """
    # Many threads on small matrices wait for one another, and the mail that is being read needs the other cores.
    with threadpool_limits(1):
        return _refit(base, folder, examples, version, trained_at, corrections_to)


def _refit(
    base: Path, folder: Path, examples: tuple[Example, ...], version: str, trained_at: str, corrections_to: int
) -> str:
    nlp = load_pipeline(base)
    set_mode(nlp, "learning")
    seed = read_seed(base)
    corpus = with_examples(seed, examples)
    held_out = load_held_out(base)
    for mode, recipe in RECIPES.items():
        if mode in stage_of(nlp).models and (mode != "encoder" or encoder_installed()):
            data = data_for(nlp, corpus, mode)
            _refit_mode(nlp, mode, data, _said(data, seed, held_out[mode], stage_of(nlp).models[mode]), recipe)
    features_of(nlp).encoder = None
    nlp.meta["training"] = {
        "trained_at": trained_at,
        "mails": len(corpus.examples),
        "corrections": len(examples),
        "corrections_to": corrections_to,
        "features": fingerprint(),
        "root": SHIPPED if base == MODEL_FOLDER else read_meta(base).get("root", ""),
    }
    number, beside = begin_model(folder, version)
    nlp.meta["version"] = number
    nlp.to_disk(beside)
    for name in (SEED_FILE, HELD_OUT_FILE):
        shutil.copyfile(base / name, beside / name)
    finish_model(folder, number, beside)
    return number


def _said(data: Data, seed: Corpus, held_out: HeldOutLabels, stage: StageModel) -> HeldOutLabels:
    """What was said of each example without having seen it; of corrected mail the stage is what the person said."""
    place = {example.id: number for number, example in enumerate(seed.examples)}
    words, stages = [], []
    for example, item in zip(data.examples, data.prepared, strict=True):
        number = place.get(example.id)
        if number is None:
            words.append(stage.from_words(item.features))
            stages.append(with_stage(words[-1], example.stage))
        else:
            words.append(held_out.words[number])
            stages.append(held_out.stages[number])
    return HeldOutLabels(np.array(words, np.float32), np.array(stages, np.float32))


def _refit_mode(nlp: Language, mode: str, data: Data, said: HeldOutLabels, recipe: Recipe) -> None:
    everything = np.arange(len(data.examples))
    stage, labels = stage_of(nlp).models[mode], labels_of(nlp).models[mode]
    words, hints = fit_words(data, everything, recipe)
    fresh = replace(stage, words=replace(words, sharpness=stage.words.sharpness), hints=hints)
    before, after = _share_right(data, stage), _share_right(data, fresh)
    if after < before - _WORSE:
        raise AssistantError(
            f"the corrections would make the model read known mail worse ({after:.0%} right instead of {before:.0%}): it "
            "was not taken into use. Look through the newest corrections; one of them is most likely a slip."
        )
    learner = LabelLearner(data, everything, said, recipe)
    heads = learner.fit(np.ones(len(learner.rows), bool))
    stage_of(nlp).models[mode] = fresh
    labels_of(nlp).models[mode] = replace(
        labels,
        intents=heads.intents,
        waiting=replace(heads.waiting, sharpness=labels.waiting.sharpness),
        signing=heads.signing,
        approved=learner.fit_approved(),
    )


def _share_right(data: Data, stage: StageModel) -> float:
    """How much of the seed the words' model reads right."""
    seed = [number for number, example in enumerate(data.examples) if not is_correction(example)]
    right = [
        STAGE_LABELS[int(stage.from_words(data.prepared[number].features).argmax())] == data.examples[number].stage
        for number in seed
    ]
    return float(np.mean(right)) if right else 1.0
