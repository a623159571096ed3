"""Makes the model folder: vocabulary, both modes' models, written as a spaCy pipeline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from spacy.language import Language

from assistant.understanding.corpus import Corpus
from assistant.understanding.encoder import Encoder, encoder_installed
from assistant.understanding.history import write_seed
from assistant.understanding.learn import fit_models
from assistant.understanding.pipeline import blank_pipeline, features_of, labels_of, stage_of
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


def build_model(
    corpus: Corpus, folder: Path, version: str, trained_at: str = "", progress: Progress = lambda _: None
) -> Language:
    """Trains on all of `corpus` and writes model and examples to `folder`; without the encoder package n-grams alone."""
    nlp = blank_pipeline()
    nlp.meta["version"] = version
    nlp.meta["description"] = "Stage, intents, sign-off and who acts next in an agency's client mail"
    nlp.meta["training"] = {
        "trained_at": trained_at,
        "mails": len(corpus.examples),
        "corrections": sum(example.id.startswith("correction/") for example in corpus.examples),
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
    write_seed(corpus, folder)
    return nlp
