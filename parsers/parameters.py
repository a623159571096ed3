"""Content-Type and Content-Disposition: the value and its parameters, with RFC 2231 and everything seen instead."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from parsers.charsets import decode
from parsers.encoded_words import decode_words

_PARAMETER = re.compile(r"""([^\s=;"]{1,80})\s*+=\s*+("(?:[^"\\]|\\.)*"?|[^;]*)""")
_QUOTED_PAIR = re.compile(r"\\(.)")
_SECTION = re.compile(r"^([^*]+)(?:\*(\d{1,4}))?(\*)?$")
_EXTENDED = re.compile(r"^([^']*)'([^']*)'(.*)$", re.DOTALL)
_TOKEN = re.compile(r"[^\s;,\"]+")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}){3}")
_UNSAFE = re.compile("[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
MAX_PARAMETERS = 200


@lru_cache(maxsize=256)
def read_short(line: str, hint: str | None = None) -> tuple[str, dict[str, str]]:
    """`read_parameters` remembered: most mail repeats few Content-Types. The dictionary must not be changed."""
    return read_parameters(line, hint)


def read_parameters(line: str, hint: str | None = None) -> tuple[str, dict[str, str]]:
    """Value in lower case, and decoded parameters by lower-case name; the first of a duplicate wins."""
    head, _, tail = line.partition(";")
    token = _TOKEN.match(head.strip())
    value = token[0].lower() if token else ""
    if "=" in value:
        value, tail = "", line
    elif token and "=" in head:
        tail = head.strip()[token.end() :] + ";" + tail  # the semicolon was forgotten
    if not tail:
        return value, {}
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for count, match in enumerate(_PARAMETER.finditer(tail)):
        if count >= MAX_PARAMETERS:
            break
        section = _SECTION.match(match[1].lower())
        if section is None:
            continue
        text = _unquote(match[2])
        if section[2] is None and section[3] is None:
            plain.setdefault(section[1], text)
        else:
            sections.setdefault(section[1], {}).setdefault(int(section[2] or 0), (text, bool(section[3])))
    parameters = {name: decode_words(text, hint) for name, text in plain.items()}
    for name, parts in sections.items():
        parameters[name] = _join_sections(parts, hint)
    return value, parameters


def _unquote(text: str) -> str:
    text = text.strip()
    if text.startswith('"'):
        inside = text[1:-1] if text.endswith('"') and len(text) > 1 else text[1:]
        if "\\" not in inside or re.match(r"[A-Za-z]:\\|\\\\", inside):
            return inside
        return _QUOTED_PAIR.sub(r"\1", inside)
    return text.strip("\"'") if text.startswith("'") else text.rstrip('"')


def _join_sections(parts: dict[int, tuple[str, bool]], hint: str | None) -> str:
    """RFC 2231 §3 and §4: sections in order, percent-encoded or not, one charset for all, joined as bytes."""
    charset: str | None = None
    joined = b""
    for place, number in enumerate(sorted(parts)):
        text, encoded = parts[number]
        if place == 0 and encoded:
            extended = _EXTENDED.match(text)
            if extended is not None:
                charset, text = extended[1] or None, extended[3]
        if "=?" in text and "?=" in text:
            text = decode_words(text, hint)
        joined += unquote_to_bytes(text) if encoded else text.encode("utf-8", "replace")
    return decode_words(decode(joined, charset, hint).text, hint)  # encoded-words get cut into sections too


def clean_filename(name: str) -> str:
    """A file name as its sender saw it: no path, no control or direction-changing characters."""
    if not name:
        return ""
    if "%" in name and _PERCENT.search(name):
        with suppress(UnicodeDecodeError):
            name = unquote_to_bytes(name).decode("utf-8")
    name = _UNSAFE.sub("", name).strip(" \t\"'")
    if re.match(r"[A-Za-z]:[\\/]|\\\\|/|\.\.?[\\/]|file:", name):
        name = re.split(r"[\\/]", name)[-1]
    return name[:255]
