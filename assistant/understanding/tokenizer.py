"""The tokenizer: Han by character, Latin by word, numbers whole, everything else by character."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import spacy
from spacy.attrs import NORM
from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

from assistant.understanding.normal import normalise

# Digits stand alone ("3月5日", "v2") so that a cue may be followed by a number.
_TOKEN = re.compile(
    r"[^\W\d_\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\u3040-\u30ff]+(?:['’][^\W\d_]+)?|\d+|\s+|.", re.DOTALL
)


_TEXT = "mail_text"


def text_of(doc: Doc) -> str:
    """As `doc.text`, which puts the tokens together again each time it is asked."""
    text: str | None = doc.user_data.get(_TEXT)
    return doc.text if text is None else text


class MailTokenizer:
    """Cuts text into tokens without losing a character: `"".join(token.text_with_ws) == text`."""

    def __init__(self, vocab: Vocab) -> None:
        self.vocab = vocab
        # Matching by NORM then sees traditional as simplified and capitals as small letters, at no cost per token.
        vocab.lex_attr_getters[NORM] = normalise  # type: ignore[attr-defined]  # compiled, not in its types

    def __call__(self, text: str) -> Doc:
        words: list[str] = []
        spaces: list[bool] = []
        for piece in _TOKEN.findall(text):
            if piece == " " and words and not spaces[-1]:
                spaces[-1] = True
            else:
                words.append(piece)
                spaces.append(False)
        doc = Doc(self.vocab, words=words, spaces=spaces)
        doc.user_data[_TEXT] = text
        return doc

    def to_bytes(self, **_: Any) -> bytes:
        return b""

    def from_bytes(self, _bytes: bytes, **_: Any) -> MailTokenizer:
        return self

    def to_disk(self, _path: str | Path, **_: Any) -> None:
        return None

    def from_disk(self, _path: str | Path, **_: Any) -> MailTokenizer:
        return self


@spacy.registry.tokenizers("assistant.MailTokenizer.v1")  # type: ignore[attr-defined,untyped-decorator]  # spaCy exports it without saying so
def create_mail_tokenizer() -> Callable[[Language], MailTokenizer]:
    """For the config of the saved model."""
    return lambda nlp: MailTokenizer(nlp.vocab)
