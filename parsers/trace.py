"""The fields that servers on the way wrote, in their order: what a verdict is worth depends on where it stands."""

from __future__ import annotations

import re

from parsers.limits import MAX_FIELD_BYTES
from parsers.types import TraceField

MAX_TRACE_FIELDS = 100
"""Fields of the trace that are looked at: the topmost, which the last servers wrote."""
_MAX_HEADER = 1_000_000
_TRACE_FIELD = re.compile(
    rb"^(received|authentication-results):([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE | re.MULTILINE
)


def read_trace(data: bytes) -> tuple[TraceField, ...]:
    """Received and Authentication-Results fields (RFC 5321 §4.4, RFC 8601), top first; line ends of `data` are LF.

    Stricter than the reading of other fields, because proof hangs on it: nothing is repaired, no encoded word is read,
    and a field with bytes that a server would not write (NUL, a bare carriage return, anything but ASCII) is left out.
    """
    end = data.find(b"\n\n", 0, _MAX_HEADER)
    header = data[: end + 1] if end >= 0 else data[:_MAX_HEADER]
    found: list[TraceField] = []
    for match in _TRACE_FIELD.finditer(header):
        if len(found) == MAX_TRACE_FIELDS:
            break
        value = match[2]
        if len(value) <= MAX_FIELD_BYTES and value.isascii() and b"\0" not in value and b"\r" not in value:
            unfolded = value.replace(b"\n", b"").decode("ascii").strip()
            found.append(TraceField(match[1].lower().decode("ascii"), unfolded))
    return tuple(found)
