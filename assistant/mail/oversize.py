"""What is kept of a message that is too large to keep: its headers, its words, and a list of the parts that were left out.

The extract is a message itself (RFC 2045), so that everything after it reads it like any other. A part that was left out
stands there with its own header, an empty body, and its size in the `size` parameter (RFC 2183 section 2.7).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from imapclient.exceptions import ProtocolError
from imapclient.response_parser import parse_fetch_response

from assistant.mail.fetching import ResponseItem

PART_LIMIT = 100
"""So many parts are listed; a message of more is listed as far as that."""

_DEEPEST = 30
_ENCODED_SHARE = 57 / 78
"""Octets of content in a base64 line of 78 octets (RFC 2045 section 6.8)."""
_FIELD = re.compile(rb"[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n?")
_CONTENT_FIELD = re.compile(rb"(?:content-[!-9;-~]+|mime-version)[ \t]*:", re.IGNORECASE)
_DISPOSITION = re.compile(rb"content-disposition[ \t]*:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*", re.IGNORECASE)
_SIZE_PARAMETER = re.compile(rb";\s*size\s*=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LeafPart:
    """One part that holds content. `number` is its section (RFC 3501 section 6.4.5), `TEXT` where the message has only
    one; `octets` are counted as the part is encoded."""

    number: str
    content_type: str
    encoding: str
    octets: int
    attached: bool


@dataclass(slots=True)
class Extract:
    """What was fetched of a message: its header, the headers of its parts by number, the beginning of its words."""

    header: bytes
    parts: list[LeafPart]
    headers: dict[str, bytes] = field(default_factory=dict)
    text: bytes = b""

    @property
    def words(self) -> LeafPart | None:
        """The part that says what the sender wrote: the first plain text, else the first HTML, that is no attachment."""
        for wanted in ("text/plain", "text/html"):
            for part in self.parts[:PART_LIMIT]:
                if part.content_type == wanted and not part.attached:
                    return part
        return None


def parse_structure(data: Iterable[ResponseItem], uid: int) -> Any | None:
    """The BODYSTRUCTURE of message `uid` as nested tuples; None when the server gave none that can be read."""
    try:
        found = parse_fetch_response(list(data), normalise_times=False, uid_is_key=True)
    except (ProtocolError, ValueError, IndexError, TypeError, AssertionError):
        return None
    return found.get(uid, {}).get(b"BODYSTRUCTURE")


def leaf_parts(structure: Any) -> list[LeafPart]:
    """The parts of a BODYSTRUCTURE (RFC 3501 section 7.4.2) in order. A nested message counts as one part."""
    try:
        if not isinstance(structure[0], list):
            return [_leaf(structure, "TEXT")]
        return list(_leaves(structure, "", 0))
    except (IndexError, TypeError, ValueError, AttributeError):
        return []  # a structure that follows no rule: the caller takes the first bytes instead


def compose_extract(extract: Extract) -> bytes:
    """The message that is kept."""
    fields = [found for found in _FIELD.findall(extract.header) if found.strip()]
    others = b"".join(_whole_line(found) for found in fields if not _CONTENT_FIELD.match(found))
    content = b"".join(_whole_line(found) for found in fields if _CONTENT_FIELD.match(found))
    words = extract.words
    if extract.parts[0].number == "TEXT":
        # A lone text is kept as far as it was fetched; a lone file is listed, with the message's own content fields.
        own = content if words is not None else _with_size(content, extract.parts[0])
        return others + own + b"\r\n" + extract.text
    boundary = b"=_kept_" + hashlib.sha256(extract.header + extract.text).hexdigest()[:32].encode()
    pieces = [others, b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary="', boundary, b'"\r\n\r\n']
    for part in extract.parts[:PART_LIMIT]:
        header = extract.headers.get(part.number, b"").rstrip(b"\r\n") or b"Content-Type: " + part.content_type.encode()
        kept = part is words
        if not kept and part.content_type in ("text/plain", "text/html") and not part.attached:
            continue  # another form of the words that are kept
        pieces += [b"--", boundary, b"\r\n", header if kept else _with_size(header, part).rstrip(b"\r\n"), b"\r\n\r\n"]
        if kept:
            pieces += [extract.text, b"\r\n"]
    return b"".join([*pieces, b"--", boundary, b"--\r\n"])


def _leaves(structure: Any, number: str, depth: int) -> Iterator[LeafPart]:
    for position, part in enumerate(structure[0], 1):
        inner = f"{number}.{position}" if number else str(position)
        if isinstance(part[0], list) and depth < _DEEPEST:
            yield from _leaves(part, inner, depth + 1)
        elif not isinstance(part[0], list):
            yield _leaf(part, inner)


def _leaf(part: Any, number: str) -> LeafPart:
    content_type = f"{_word(part[0])}/{_word(part[1])}"
    disposition = next((item for item in part[7:] if _is_disposition(item)), None)
    name = disposition[0].lower() if disposition else b""
    return LeafPart(number, content_type, _word(part[5]), int(part[6] or 0), name == b"attachment")


def _is_disposition(item: Any) -> bool:
    return isinstance(item, tuple) and bool(item) and item[0] in (b"attachment", b"inline", b"ATTACHMENT", b"INLINE")


def _word(value: Any) -> str:
    return value.decode("ascii", "replace").lower() if isinstance(value, bytes) else ""


def _whole_line(found: bytes) -> bytes:
    return found if found.endswith(b"\n") else found + b"\r\n"


def _with_size(header: bytes, part: LeafPart) -> bytes:
    """The header of a part that was left out, saying how large it is when decoded, near enough."""
    octets = int(part.octets * _ENCODED_SHARE) if part.encoding == "base64" else part.octets
    size = b"size=%d" % octets
    found = _DISPOSITION.search(header)
    if found is None:
        return _whole_line(header) + b"Content-Disposition: attachment; " + size + b"\r\n"
    if _SIZE_PARAMETER.search(found[0]):
        return header
    return header[: found.end()] + b";\r\n " + size + header[found.end() :]
