"""Encoded-words (RFC 2047), also where clients break them: split in mid-character, glued to text, cut short."""

from __future__ import annotations

import binascii
import re

from parsers.charsets import decode, find_codec

_HEAD = re.compile(r"=\?([^?\s=]{1,60})\?([bBqQ])\?")
_ALONE = re.compile(
    r"=\?([A-Za-z0-9_-]{1,40})\?[bB]\?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?="
)
"""What nearly every encoded value is: one sound Base64 word."""
_HEX_PAIR = re.compile(r"[0-9A-Fa-f]{2}")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]+")
_BASE64_TAIL = re.compile(r"[A-Za-z0-9+/=\s]+$")
_Word = tuple[str, str, str]


def decode_words(value: str, hint: str | None = None) -> str:
    """Text of an unfolded header value. Neighbouring words of one charset are joined as bytes before decoding."""
    if "=?" not in value:
        return value
    alone = _ALONE.fullmatch(value)
    if alone is not None:
        text = decode(binascii.a2b_base64(alone[2]), alone[1], hint).text
        if "=?" not in text:
            return text
    text = _decode_once(value, hint)
    # Some gateways encode what is encoded already.
    return _decode_once(text, hint) if "=?" in text and "?=" in text else text


def _decode_once(value: str, hint: str | None) -> str:
    pieces: list[str] = []
    run: list[_Word] = []
    at = 0
    for start, end, word in _find_words(value):
        between = value[at:start]
        if between.strip() or not run:
            _flush(run, pieces, hint)
            pieces.append(between)
        run.append(word)
        at = end
    _flush(run, pieces, hint)
    pieces.append(value[at:])
    return "".join(pieces)


def _find_words(value: str) -> list[tuple[int, int, _Word]]:
    found: list[tuple[int, int, _Word]] = []
    at = 0
    while (head := _HEAD.search(value, at)) is not None:
        end = value.find("?=", head.end())
        if end == head.end() and head[2] in "qQ" and _HEX_PAIR.match(value, end + 2):
            end = value.find("?=", end + 2)  # a raw question mark before an encoded byte
        if end < 0:
            # Cut short by whoever limited the length: the rest is the word if it can be one.
            rest = value[head.end() :]
            if head[2] in "qQ" or _BASE64_TAIL.match(rest):
                found.append((head.start(), len(value), (head[1], head[2].upper(), rest.rstrip("?"))))
            break
        found.append((head.start(), end + 2, (head[1], head[2].upper(), value[head.end() : end])))
        at = end + 2
    return found


def _flush(run: list[_Word], pieces: list[str], hint: str | None) -> None:
    """Decode a run of neighbouring words, charset by charset, and empty it."""
    at = 0
    while at < len(run):
        codec = find_codec(run[at][0])
        end = at + 1
        while end < len(run) and find_codec(run[end][0]) == codec:
            end += 1
        pieces.append(decode(_join(run[at:end]), run[at][0], hint).text)
        at = end
    run.clear()


def _join(words: list[_Word]) -> bytes:
    if len(words) > 1 and all(kind == "B" for _, kind, _ in words):
        compact = ["".join(text.split()) for _, _, text in words]
        if any(len(text) % 4 for text in compact[:-1]) and not any(text.endswith("=") for text in compact[:-1]):
            return _decode_base64("".join(compact))  # the Base64 itself was cut, not the text
    return b"".join(_decode_base64(text) if kind == "B" else _decode_q(text) for _, kind, text in words)


def _decode_base64(text: str) -> bytes:
    chunks = []
    for chunk in text.replace("-", "+").replace("_", "/").split("="):
        letters = _NOT_BASE64.sub("", chunk)
        if len(letters) % 4 == 1:
            letters = letters[:-1]  # six bits are no byte
        if letters:
            chunks.append(binascii.a2b_base64(letters + "=" * (-len(letters) % 4)))
    return b"".join(chunks)


def _decode_q(text: str) -> bytes:
    return binascii.a2b_qp(text.encode("utf-8", "surrogateescape"), header=True)
