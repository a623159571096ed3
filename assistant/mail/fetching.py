"""Pure parts of fetching: what a FETCH response says, and how messages are put into batches.

Rows are read one by one, so that a server that garbles one message (it happens) does not hide the others.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from imapclient.datetime_util import parse_to_datetime

_UID = re.compile(rb"(?:^|[( ])UID (\d+)(?=[) ]|$)", re.IGNORECASE)
_NUMBER = re.compile(rb"\s*(\d+) \(")
_SIZE = re.compile(rb"(?:^|[( ])RFC822\.SIZE (\d+)(?=[) ]|$)", re.IGNORECASE)
_DATE = re.compile(rb'(?:^|[( ])INTERNALDATE "([^"]{1,40})"', re.IGNORECASE)
_BODY_LITERAL = re.compile(rb"(?:^|[( ])BODY\[[^\]]*\](?:<\d+>)? \{\d+\+?\}$", re.IGNORECASE)
_BODY_QUOTED = re.compile(rb'(?:^|[( ])BODY\[[^\]]*\](?:<\d+>)? "((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_QUOTED_PAIR = re.compile(rb"\\(.)")

ResponseItem = bytes | tuple[bytes, bytes] | None
"""What imaplib collects of untagged responses: lines, and pairs of a line that ends in {n} with its literal."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A message that the server has shown. `size` is RFC822.SIZE in bytes, 0 when it did not say; `number` is its place
    in the folder from 1 (RFC 3501 section 2.3.1.2), 0 when that could not be read."""

    uid: int
    size: int
    internal_date: datetime | None
    number: int = 0


@dataclass(frozen=True, slots=True)
class Fetched:
    """One message as the server gave it. `internal_date` is aware, in UTC. With `truncated`, `raw` is only the beginning
    (or headers, words and a list of the other parts, or, where the server could give no more, nothing), `size` is what
    the server said the whole measures, and `problem` says why. With `gone` somebody has moved or deleted it after the
    server had shown it and before it was read: there is no `raw`."""

    uid: int
    internal_date: datetime
    raw: bytes
    truncated: bool = False
    size: int = 0
    problem: str = ""
    gone: bool = False
    again: bool = False
    """Only a part came for the server's sake: it is worth asking another time."""


def records(data: Iterable[ResponseItem]) -> Iterator[tuple[bytes, tuple[bytes, ...]]]:
    """Joins imaplib's pieces into one (text, literals) for each FETCH response; in the text each literal is a mark {n}
    followed by a NUL, so that what follows a literal is not taken for what precedes one."""
    text, literals = b"", []
    for item in data:
        if isinstance(item, tuple):
            text += item[0] + b"\0"
            literals.append(item[1])
        elif item is not None:
            yield text + item, tuple(literals)
            text, literals = b"", []
    if literals:
        yield text, tuple(literals)


def parse_listing(data: Iterable[ResponseItem]) -> list[Listed]:
    """The messages of a FETCH (UID RFC822.SIZE INTERNALDATE), ascending by UID. Rows without UID are unsolicited."""
    sizes: dict[int, int] = {}
    dates: dict[int, datetime | None] = {}
    places: dict[int, int] = {}
    for text, _ in records(data):
        uid = _UID.search(text)
        if uid is None:
            continue
        number = int(uid.group(1))
        size, date = _SIZE.search(text), _DATE.search(text)
        sizes[number] = int(size.group(1)) if size else sizes.get(number, 0)
        dates[number] = internal_date(date.group(1)) if date else dates.get(number)
        if place := _NUMBER.match(text):
            places[number] = int(place.group(1))
    return [Listed(uid, sizes[uid], dates[uid], places.get(uid, 0)) for uid in sorted(sizes)]


def has_holes(data: Iterable[ResponseItem], listed: Sequence[Listed]) -> bool:
    """Whether an answer that `listed` was read from left messages out: garbled rows, or numbers that do not follow."""
    if any(_SIZE.search(text) and not _UID.search(text) for text, _ in records(data)):
        return True
    return any(after.number != before.number + 1 for before, after in itertools.pairwise(listed))


def parse_bodies(data: Iterable[ResponseItem]) -> dict[int, bytes | None]:
    """UID → the octets of its BODY[…]; None where the server said NIL. Messages it left out are not there."""
    found: dict[int, bytes | None] = {}
    for text, literals in records(data):
        uid = _UID.search(text.replace(b"\0", b" "))
        if uid is None or b"BODY[" not in text.upper():
            continue
        body = None
        for piece, literal in zip(text.split(b"\0"), literals, strict=False):
            if _BODY_LITERAL.search(piece):
                body = literal
        if body is None and (quoted := _BODY_QUOTED.search(text)):
            body = _QUOTED_PAIR.sub(rb"\1", quoted.group(1))
        found[int(uid.group(1))] = body
    return found


def internal_date(text: bytes) -> datetime | None:
    """An INTERNALDATE (RFC 3501 section 6.3.11 date-time) in UTC; None when it is nonsense."""
    try:
        moment = parse_to_datetime(text.strip(), normalise=False)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError, TypeError):
        return None


def batches(listed: Sequence[Listed], messages: int, size: int) -> Iterator[list[Listed]]:
    """Cuts `listed` into runs of at most `messages` messages and, unless one alone is larger, `size` bytes."""
    batch: list[Listed] = []
    held = 0
    for message in listed:
        if batch and (len(batch) >= messages or held + message.size > size):
            yield batch
            batch, held = [], 0
        batch.append(message)
        held += message.size
    if batch:
        yield batch


def uid_set(uids: Sequence[int]) -> str:
    """`[1, 2, 3, 7]` → `1:3,7` (RFC 3501 section 9, sequence-set). `uids` ascend."""
    runs: list[list[int]] = []
    for uid in uids:
        if runs and uid == runs[-1][1] + 1:
            runs[-1][1] = uid
        else:
            runs.append([uid, uid])
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in runs)


class Stumbles:
    """Counts failed attempts at single messages, across connections, so that one broken message cannot stop a mailbox."""

    def __init__(self) -> None:
        self._attempts: dict[tuple[str, int, int], int] = {}

    def again(self, folder: str, uidvalidity: int, uid: int) -> int:
        key = (folder, uidvalidity, uid)
        self._attempts[key] = self._attempts.get(key, 0) + 1
        return self._attempts[key]

    def attempts(self, folder: str, uidvalidity: int, uid: int) -> int:
        """How often this message has failed without an `over` since."""
        return self._attempts.get((folder, uidvalidity, uid), 0)

    def over(self, folder: str, uidvalidity: int, uid: int) -> None:
        self._attempts.pop((folder, uidvalidity, uid), None)
