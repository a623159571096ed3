"""Cuts an mbox file into messages as it streams by, however large the file is.

RFC 4155 describes the format badly and programs differ: a separator here is a line "From … time … year" after an empty
line (or a full asctime date without one) that is followed by a header. Content-Length is ignored, because copies lie
about it. `>From ` loses one `>` (mboxrd, and mboxo where it matters).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import BinaryIO

LONGEST_PIECE = 64 * 1024
"""Longer lines are read in pieces of this size; no separator or header field name is longer."""

_MONTHS = {name: number for number, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_DATED = re.compile(rb"^From (?=.*\b\d{1,2}:\d{2}\b).*\b\d{4}\b")
_ASCTIME = re.compile(
    rb"\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? +(?P<month>[a-z]{3})[a-z]* +(?P<day>\d{1,2}) +"
    rb"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
    rb"(?: +(?P<zone_before>[+-]\d{4})| +[a-z]{3,5})? +(?P<year>\d{4})(?: +(?P<zone_after>[+-]\d{4}))?",
    re.IGNORECASE,
)
_HEADER = re.compile(rb"^(?:[!-9;-~]+[ \t]*:|>?From )")
_QUOTED_FROM = re.compile(rb"^>+From ")


@dataclass(frozen=True, slots=True)
class MboxMessage:
    """One message: where it begins in the file, its bytes, when the separator says it came, and whether it was cut
    because it is larger than allowed."""

    offset: int
    raw: bytes
    received_at: datetime | None
    truncated: bool


class _Collector:
    """The message that is being read."""

    def __init__(self, offset: int, separator: bytes, largest: int) -> None:
        self._offset = offset
        self._received_at = separator_date(separator)
        self._largest = largest
        self._pieces: list[bytes] = []
        self._size = 0
        self._truncated = False

    def add(self, piece: bytes) -> None:
        if self._truncated or self._size + len(piece) > self._largest:
            self._truncated = True
        else:
            self._pieces.append(piece)
            self._size += len(piece)

    def finish(self) -> MboxMessage:
        if len(self._pieces) > 1 and not self._pieces[-1].strip(b"\r\n"):
            self._pieces.pop()  # the empty line belongs to the separator that follows
        return MboxMessage(self._offset, b"".join(self._pieces), self._received_at, self._truncated)


def split_mbox(stream: BinaryIO, largest: int) -> Iterator[MboxMessage]:
    """The messages of `stream`, in order. At most one message, cut at `largest` bytes, is held at a time. A file that does
    not begin with a separator is one message up to the first separator."""
    collector: _Collector | None = None
    offset, blank, line_start = 0, True, True
    piece = stream.readline(LONGEST_PIECE)
    while piece:
        following = stream.readline(LONGEST_PIECE)
        if line_start and _separates(piece, following, blank, first=offset == 0):
            if collector is not None:
                yield collector.finish()
            collector = _Collector(offset, piece, largest)
        else:
            if collector is None:
                collector = _Collector(offset, b"", largest)
            collector.add(piece[1:] if line_start and _QUOTED_FROM.match(piece) else piece)
        offset += len(piece)
        blank = line_start and not piece.strip(b"\r\n")
        line_start = piece.endswith(b"\n")
        piece = following
    if collector is not None:
        yield collector.finish()


def _separates(line: bytes, following: bytes, blank: bool, *, first: bool) -> bool:
    if not line.startswith(b"From "):
        return False
    headed = _HEADER.match(following) is not None
    if first:
        return headed or not following.strip(b"\r\n")
    if _ASCTIME.search(line) is not None:
        return headed or (blank and not following.strip(b"\r\n"))
    return blank and headed and _DATED.match(line) is not None


def separator_date(line: bytes) -> datetime | None:
    """When a separator says that its message came, in UTC, which it is in unless it names a zone."""
    found = _ASCTIME.search(line)
    if found is None:
        return None
    zone = found["zone_before"] or found["zone_after"] or b"+0000"
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5])) * (-1 if zone[:1] == b"-" else 1)
    try:
        return datetime(
            int(found["year"]),
            _MONTHS[found["month"].lower()],
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            min(59, int(found["second"] or 0)),
            tzinfo=timezone(offset),
        ).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return None
