"""`assistant understanding`: train the model of client mail, measure it honestly, go back to an older one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from assistant.cli.context import CommandContext, context_of
from assistant.cli.output import json_line, listing, result, say

if TYPE_CHECKING:
    from assistant.understanding.corpus import Corpus
    from assistant.understanding.evaluate import Figure, Predictions, Scores
    from assistant.understanding.train import Data

app = typer.Typer(help="How mail is understood: train, evaluate, history.", no_args_is_help=True)

_MODES = {"encoder": ("encoder",), "n-grams": ("n-grams",), "both": ("encoder", "n-grams")}
CorpusOption = Annotated[
    Optional[Path],  # typer reads this form on every supported version
    typer.Option("--corpus", metavar="DIR", help="Seed corpus; without it the examples that lie beside the model."),
]
FolderOption = Annotated[
    Optional[Path],
    typer.Option("--in", metavar="DIR", help="Where the agency's own models are; without it as config.toml says."),
]


def _load(corpus: Path | None) -> Corpus:
    from assistant.understanding.corpus import load_corpus
    from assistant.understanding.history import read_seed
    from assistant.understanding.pipeline import MODEL_FOLDER

    return load_corpus(corpus) if corpus else read_seed(MODEL_FOLDER)


@app.command()
def train(
    ctx: typer.Context,
    corpus: CorpusOption = None,
    folder: FolderOption = None,
    to: Annotated[
        Optional[Path],  # as above
        typer.Option("--to", metavar="DIR", help="Write the model here and nowhere else; corrections are left out."),
    ] = None,
) -> None:
    """Learn from the seed corpus and every correction; the old model is kept, the new one comes into use."""
    from assistant import __version__
    from assistant.clock import SystemClock
    from assistant.understanding.build import build_model
    from assistant.understanding.corrections import examples_from, newest_lesson, with_examples
    from assistant.understanding.history import begin_model, finish_model

    learned_from, learned_to = _load(corpus), 0
    if to is not None:
        with _progress("training") as step:
            build_model(learned_from, to, __version__, progress=step)
        say(f"The model is in {to}.")
        return
    context = context_of(ctx)
    if context.has_config():
        with context.database().session() as session:
            learned_from = with_examples(learned_from, examples_from(session))
            learned_to = newest_lesson(session)
    own = _own_models(context, folder)
    version, beside = begin_model(own, __version__)
    now = SystemClock().now().isoformat(timespec="seconds")
    with _progress("training") as step:
        build_model(learned_from, beside, version, now, step, learned_to)
    finish_model(own, version, beside)
    say(f"Model {version} is in use; a running daemon takes it up by itself. It lies in {own}.")


@app.command()
def refit(ctx: typer.Context) -> None:
    """Learn from every correction within seconds, upon the model in use; the daemon does this by itself."""
    from assistant.learning import LearningPlace, refit_model

    workplace = context_of(ctx).workplace()
    workplace.database  # noqa: B018  # opened now, so that its schema is the newest
    place = LearningPlace.of(workplace.config, workplace.base)
    with _progress("learning"):
        version = refit_model(place, workplace.clock.now())
    say(f"Model {version} is in use." if version else "Nothing was corrected that words can be learned from.")


def _own_models(context: CommandContext, folder: Path | None) -> Path:
    if folder is not None:
        return context.base / folder
    if context.has_config():
        return context.base / (context.config.understanding.model or "understanding")
    return context.base / "understanding"


@app.command()
def evaluate(
    corpus: CorpusOption = None,
    on: Annotated[
        Optional[Path],  # as above
        typer.Option(
            "--on",
            metavar="DIR",
            help="Read this corpus, whose clients must be others: with the package's model, or with one learned from --corpus.",
        ),
    ] = None,
    wrong: Annotated[bool, typer.Option("--wrong", help="List every mail that was not read as labelled.")] = False,
    mode: Annotated[str, typer.Option(help="encoder, n-grams or both.")] = "both",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Measure how mail of clients that were not learned from is read; history is what was predicted, never the truth."""
    from dataclasses import asdict

    from assistant.errors import WrongUse
    from assistant.understanding.encoder import encoder_installed
    from assistant.understanding.evaluate import score
    from assistant.understanding.fixed import misreadings

    if mode not in _MODES:
        raise WrongUse(f"--mode {mode}: choose encoder, n-grams or both")
    for name in _MODES[mode]:
        if name == "encoder" and not encoder_installed():
            say("The sentence encoder is not installed: only the n-grams are measured.")
            continue
        if on and corpus:
            data, found = _read_by_another(corpus, on, name)
        else:
            data, found = _read_unseen(on, name) if on else _read_in_folds(corpus, name)
        scores = score(data, found)
        if as_json:
            result(json_line({"mode": name, **asdict(scores)}))
        else:
            _print(name, scores)
        for misread in misreadings(data, found) if wrong else ():
            row = asdict(misread)
            result(json_line(row) if as_json else "  " + " | ".join(_cell(value) for value in row.values()))


def _read_unseen(corpus: Path, mode: str) -> tuple[Data, Predictions]:
    """The package's model on mail of clients that it has not learned from."""
    from assistant.understanding.fixed import read_with, refuse_known_clients
    from assistant.understanding.pipeline import load_pipeline

    read = _load(corpus)
    refuse_known_clients(read, _load(None))
    with _progress(f"reading by {mode}"):
        return read_with(load_pipeline(), read, mode)


def _read_by_another(corpus: Path, on: Path, mode: str) -> tuple[Data, Predictions]:
    """A model learned from `corpus` alone on mail of clients that are not in it."""
    import numpy as np

    from assistant.understanding.build import RECIPES, data_for, learn_vocabulary
    from assistant.understanding.evaluate import blank_predictions, read_examples
    from assistant.understanding.fixed import refuse_known_clients
    from assistant.understanding.learn import fit_models
    from assistant.understanding.pipeline import blank_pipeline

    learned_from, read = _load(corpus), _load(on)
    refuse_known_clients(read, learned_from)
    nlp = blank_pipeline()
    learn_vocabulary(nlp, learned_from)
    known, unseen = data_for(nlp, learned_from, mode), data_for(nlp, read, mode)
    with _progress(f"learning {mode}") as step:
        learned = fit_models(known, np.arange(len(known.examples)), RECIPES[mode], "", step)
    found = blank_predictions(len(unseen.examples))
    read_examples(unseen, np.arange(len(unseen.examples)), learned, found)
    return unseen, found


def _read_in_folds(corpus: Path | None, mode: str) -> tuple[Data, Predictions]:
    """Models trained for the occasion, each on mail of clients that the others read."""
    from assistant.understanding.build import RECIPES, data_for, learn_vocabulary
    from assistant.understanding.evaluate import cross_validate
    from assistant.understanding.pipeline import blank_pipeline

    read = _load(corpus)
    nlp = blank_pipeline()
    learn_vocabulary(nlp, read)
    data = data_for(nlp, read, mode)
    with _progress(f"evaluating {mode}") as step:
        return data, cross_validate(data, RECIPES[mode], progress=step)


def _cell(value: float | str) -> str:
    return f"{value:.2f}" if isinstance(value, float) else value or "-"


@app.command()
def history(
    ctx: typer.Context,
    folder: FolderOption = None,
    use: Annotated[
        str, typer.Option(metavar="VERSION", help="Go back to this model; `shipped` is the package's.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the agency's own models, oldest first, or take an older one into use again."""
    from dataclasses import asdict

    from assistant.understanding.history import models_in, use_model

    own = _own_models(context_of(ctx), folder)
    if use:
        use_model(own, use)
        say(f"Model {use} is in use; a running daemon takes it up by itself.")
    listing(
        (asdict(model) for model in models_in(own)),
        ("version", "trained_at", "mails", "corrections", "in_use"),
        as_json=as_json,
        empty="No model of your own yet: the one that came with the package reads the mail.",
    )


class _progress:  # noqa: N801  # reads like a verb where it is used
    """Says what is under way on stderr: training takes minutes."""

    def __init__(self, what: str) -> None:
        from assistant.cli.output import console

        self._status = console(stderr=True).status(what)
        self._what = what
        self._steps = 0

    def __enter__(self) -> Any:
        self._status.start()
        return self._step

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def _step(self, words: str) -> None:
        self._steps += 1
        self._status.update(f"{self._what}: step {self._steps}, {words}")


def _print(name: str, scores: Scores) -> None:
    result(f"{name}: {scores.mails} mails, every client read by models that never saw it (95 % intervals over clients)")
    rows: list[tuple[str, str]] = [
        ("stage accuracy", _figure(scores.accuracy)),
        ("stage macro-F1", _figure(scores.macro_f1)),
        *((f"  projects in {language}", _figure(figure)) for language, figure in scores.by_language.items()),
        ("  as first read", _figure(scores.first_read)),
        ("  words only", _figure(scores.words_only)),
        ("  context only", _figure(scores.context_only)),
        ("unrelated found", f"{_figure(scores.unrelated_found)}, precision {scores.unrelated_precision:.3f}"),
        ("calibration error", f"{scores.calibration_error:.3f}"),
        ("surest 60 %", _figure(scores.surest)),
        ("waiting_on", _figure(scores.waiting_on)),
        ("intents micro-F1", _figure(scores.intents_micro_f1)),
        ("approval said", f"precision {scores.signed_precision:.3f}, recall {scores.signed_recall:.3f}"),
        ("  and of what", f"precision {scores.approval_precision:.3f}, recall {scores.approval_recall:.3f}"),
    ]
    for label, value in rows:
        result(f"  {label:<22}{value}")
    result("  F1 by stage           " + ", ".join(f"{stage} {value:.2f}" for stage, value in scores.stage_f1.items()))
    result(
        "  F1 by intent          " + ", ".join(f"{intent} {value:.2f}" for intent, value in scores.intents_f1.items())
    )
    result("  accuracy by coverage  " + ", ".join(f"{share:.0%} {value:.3f}" for share, value in scores.coverage))
    result("  confusion (rows: truth, columns in the order of F1 by stage)")
    for stage, row in zip(scores.stage_f1, scores.confusion, strict=True):
        result(f"    {stage:<14}" + "".join(f"{count:>6}" for count in row))


def _figure(figure: Figure) -> str:
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"
