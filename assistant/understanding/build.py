"""Makes the model folder: vocabulary, both modes' models, written as a spaCy pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from spacy.language import Language

from assistant.understanding.arrays import load_arrays, save_arrays
from assistant.understanding.corpus import Corpus
from assistant.understanding.corrections import is_correction, without_corrections
from assistant.understanding.encoder import Encoder, encoder_installed
from assistant.understanding.history import HELD_OUT_FILE, write_seed
from assistant.understanding.learn import HeldOutLabels, fit_models
from assistant.understanding.pipeline import blank_pipeline, features_of, fingerprint, labels_of, stage_of
from assistant.understanding.train import Data, Progress, Recipe, make_data

GRAMS = 24_000
FROM_SOURCES = 2
"""An n-gram of one client alone says who writes, not what about."""

RECIPES = {"encoder": Recipe(), "n-grams": Recipe()}


def learn_vocabulary(nlp: Language, corpus: Corpus) -> None:
    features_of(nlp).learn_vocabulary(
        [(item.subject, item.text, item.group) for item in corpus.examples], GRAMS, FROM_SOURCES
    )


def data_for(nlp: Language, corpus: Corpus, mode: str) -> Data:
    """The corpus as numbers for one mode. "encoder" needs the optional package."""
    component = features_of(nlp)
    component.encoder = Encoder() if mode == "encoder" else None
    return make_data(corpus, nlp, component.gram_count)


def save_held_out(folder: Path, learned: Mapping[str, HeldOutLabels]) -> None:
    """What a refit needs of a training: how each example was read by models that had not seen it."""
    arrays = {f"{mode}.{name}": getattr(said, name) for mode, said in learned.items() for name in ("words", "stages")}
    save_arrays(folder / HELD_OUT_FILE, arrays)


def load_held_out(folder: Path) -> dict[str, HeldOutLabels]:
    """By mode, rows in the order of the seed's examples. Raises OSError where a model was made without."""
    arrays = load_arrays(folder / HELD_OUT_FILE)
    modes = dict.fromkeys(name.rpartition(".")[0] for name in arrays)
    return {mode: HeldOutLabels(arrays[f"{mode}.words"], arrays[f"{mode}.stages"]) for mode in modes}


def build_model(
    corpus: Corpus,
    folder: Path,
    version: str,
    trained_at: str = "",
    progress: Progress = lambda _: None,
    corrections_to: int = 0,
) -> Language:
    """Trains on all of `corpus` and writes model and examples to `folder`; without the encoder package n-grams alone."""
    nlp = blank_pipeline()
    nlp.meta["version"] = version
    nlp.meta["description"] = "Stage, intents, sign-off and who acts next in an agency's client mail"
    nlp.meta["training"] = {
        "trained_at": trained_at,
        "mails": len(corpus.examples),
        "corrections": sum(map(is_correction, corpus.examples)),
        "corrections_to": corrections_to,
        "features": fingerprint(),
    }
    learn_vocabulary(nlp, corpus)
    modes = ("encoder", "n-grams") if encoder_installed() else ("n-grams",)
    learned = {}
    for mode in modes:
        progress(f"features: {mode}")
        data = data_for(nlp, corpus, mode)
        learned[mode] = fit_models(data, np.arange(len(data.examples)), RECIPES[mode], "", progress)
    for mode, models in learned.items():
        stage_of(nlp).models[mode] = models.stage
        labels_of(nlp).models[mode] = models.labels
    features_of(nlp).encoder = None
    nlp.to_disk(folder)
    seed = np.array([not is_correction(example) for example in corpus.examples])
    save_held_out(
        folder,
        {
            mode: HeldOutLabels(models.held_out.words[seed], models.held_out.stages[seed])
            for mode, models in learned.items()
        },
    )
    write_seed(without_corrections(corpus), folder)
    return nlp
