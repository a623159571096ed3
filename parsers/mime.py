"""The tree of MIME parts (RFC 2046), found in one pass over the bytes, however boundaries are missing or doubled.

No recursion: a stack of open boundaries. An outer boundary ends every multipart inside it that was never closed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from parsers.headers import Headers, read_headers
from parsers.limits import MAX_DEPTH, MAX_PARTS, Defects
from parsers.parameters import read_parameters, read_short

_DELIMITER = re.compile(rb"-(?<=\n-)-")
"""Two dashes that begin a line; looking for the dash first is quick, for Base64 has none."""
_GUESSED_BOUNDARY = re.compile(rb"^--([^\n]{1,200}?)[ \t]*\n(?=[A-Za-z-]{4,40}[ \t]*:)", re.MULTILINE)
_TOP_LEVEL = frozenset(["text", "image", "audio", "video", "application", "multipart", "message", "font", "model"])
_LONE_TYPES = {
    "text": "text/plain",
    "html": "text/html",
    "plain": "text/plain",
    "multipart": "multipart/mixed",
    "text/html5": "text/html",
}


_LOST_MULTIPART = re.compile(
    rb"\s*(?:This is a multi-?part message in MIME format\.?\s*)?--([^\n]{4,200}?)[ \t]*\nContent-[A-Za-z-]{4,30}[ \t]*:",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Part:
    """One node: its header, its type, and either children or the raw body (transfer encoding not undone)."""

    headers: Headers
    content_type: str
    parameters: dict[str, str]
    where: str
    """Place in the tree as IMAP counts (RFC 9051 §6.4.5): "1.2" is the second part of the first; "" the mail itself."""
    body: bytes = b""
    children: list[Part] = field(default_factory=list)
    disposition: str = ""
    disposition_parameters: dict[str, str] = field(default_factory=dict)

    @property
    def is_multipart(self) -> bool:
        return self.content_type.startswith("multipart/")


@dataclass(slots=True)
class _Open:
    """A multipart whose end has not been seen."""

    part: Part
    boundary: bytes
    start: int
    depth: int


def read_part(headers: Headers, where: str, default: str = "text/plain", inherited: str | None = None) -> Part:
    """The node that a header section announces; types that are no types become what they were meant to be."""
    defects = headers.defects
    line = _type_line(headers)
    parameters: dict[str, str] = {}
    content_type = default
    if line:
        read, parameters = (
            read_short(line, inherited) if len(line) < 60 and "name" not in line else read_parameters(line, inherited)
        )
        content_type = _mend_type(read, default, parameters)
        if content_type != read:
            defects.add("content-type-unreadable", where, line)
    part = Part(headers, content_type, parameters, where)
    disposition = headers.line(b"content-disposition")
    if disposition:
        part.disposition, part.disposition_parameters = read_parameters(disposition, inherited)
    return part


def _type_line(headers: Headers) -> str:
    """The Content-Type; of several the one that tells how to cut the body."""
    lines = headers.lines(b"content-type")
    if len(lines) < 2:
        return lines[0] if lines else ""
    headers.defects.add("duplicate-header", "content-type")
    return next((line for line in lines if "boundary" in line.lower()), lines[0])


def _mend_type(read: str, default: str, parameters: dict[str, str]) -> str:
    top, slash, sub = read.partition("/")
    if slash and sub and top in _TOP_LEVEL:
        return read
    if read in _LONE_TYPES:
        return _LONE_TYPES[read]
    if "boundary" in parameters:
        return "multipart/mixed"
    if "charset" in parameters and not slash:
        return "text/plain"
    if slash and sub and read.isprintable():
        return read  # an unregistered type, such as chemical/x-pdb
    return (
        default
        if not slash
        else "application/octet-stream"
        if top not in _TOP_LEVEL
        else f"{top}/plain"
        if top == "text"
        else default
    )


def read_tree(data: bytes, start: int, root: Part, defects: Defects) -> Part:
    """Fill `root` from `data[start:]`: children if it is a multipart, else its body."""
    if not root.is_multipart and not _hides_parts(data, start, root):
        root.body = data[start:]
        return root
    waiting: list[tuple[Part, int, int, int]] = [(root, start, len(data), 0)]
    count = 0
    guesses = 0
    while waiting:
        part, begin, end, depth = waiting.pop()
        boundary = part.parameters.get("boundary", "").rstrip().encode("utf-8", "surrogateescape")
        known = bool(boundary) and _occurs(data, boundary, begin, end)
        if not known:
            guess = _GUESSED_BOUNDARY.search(data, max(begin - 1, 0), end) if guesses < 20 else None
            guesses += 1
            if guess is None or guess.start() < begin:
                _read_without_boundary(data, begin, end, part, defects)
                continue
            boundary = guess[1].removesuffix(b"--") or guess[1]
            defects.add("boundary-guessed" if part.parameters.get("boundary") else "boundary-missing", part.where)
        count, childless = _walk(data, begin, end, _Open(part, boundary, begin, depth), count, defects)
        waiting += childless
    return root


def _hides_parts(data: bytes, start: int, root: Part) -> bool:
    """A mail that lost its Content-Type field, but whose body begins with a boundary and the header of a part."""
    if root.content_type != "text/plain" or "content-type" in root.headers:
        return False
    guess = _LOST_MULTIPART.match(data, start)
    if guess is None or data.find(b"\n--" + guess[1], guess.end()) < 0:
        return False
    root.content_type = "multipart/mixed"
    return True


def _occurs(data: bytes, boundary: bytes, begin: int, end: int) -> bool:
    delimiter = b"--" + boundary
    return data.startswith(delimiter, begin, end) or data.find(b"\n" + delimiter, begin, end) >= 0


def _read_without_boundary(data: bytes, begin: int, end: int, part: Part, defects: Defects) -> None:
    """A multipart with nothing to cut it by is read as the text it holds."""
    if data[begin:end].strip():
        defects.add("multipart-without-parts", part.where)
        part.children.append(
            Part(Headers({}, defects), "text/plain", {}, f"{part.where}.1".lstrip("."), body=data[begin:end])
        )


def _walk(
    data: bytes, begin: int, end: int, first: _Open, count: int, defects: Defects
) -> tuple[int, list[tuple[Part, int, int, int]]]:
    """Cut `data[begin:end]` at the boundaries of `first` and of the multiparts found inside."""
    stack = [first]
    depth_of = {first.boundary: 0}
    childless: list[tuple[Part, int, int, int]] = []
    current: Part | None = None
    current_start = begin
    at = begin if data.startswith(b"--", begin, end) else _next_delimiter(data, begin, end)
    while 0 <= at < end:
        line_end = data.find(b"\n", at, end)
        line_end = end if line_end < 0 else line_end
        line = data[at + 2 : min(line_end, at + 400)].rstrip(b" \t\r")
        closing = False
        level = depth_of.get(line)
        if level is None and line.endswith(b"--"):
            level, closing = depth_of.get(line[:-2]), True
        if level is None:
            at = _next_delimiter(data, line_end, end)
            continue
        if current is not None:
            current.body = data[current_start : max(at - 1, current_start)]
            current = None
        while len(stack) - 1 > level:
            _close(stack, at, depth_of, childless, defects, closed=False)
        if closing:
            if level:
                _close(stack, at, depth_of, childless, defects, closed=True)
            else:
                return count, childless
            at = _next_delimiter(data, line_end, end)
            continue
        count += 1
        if count > MAX_PARTS:
            defects.add("parts-cut", detail=f"more than {MAX_PARTS} parts")
            return count, childless
        current, current_start = _open_part(data, min(line_end + 1, end), end, stack, depth_of, defects)
        if stack[-1].part is current:
            current = None
        following = data.startswith(b"--", current_start, end)
        at = current_start if following else _next_delimiter(data, max(current_start - 1, 0), end)
    if current is not None:
        current.body = data[current_start:end]
    while stack:
        _close(stack, end, depth_of, childless, defects, closed=False)
    return count, childless


def _next_delimiter(data: bytes, start: int, end: int) -> int:
    found = _DELIMITER.search(data, start + 1, end)
    return found.start() if found else -1


def _close(
    stack: list[_Open],
    at: int,
    depth_of: dict[bytes, int],
    childless: list[tuple[Part, int, int, int]],
    defects: Defects,
    *,
    closed: bool,
) -> None:
    open_part = stack.pop()
    part = open_part.part
    del depth_of[open_part.boundary]
    for level, outer in enumerate(stack):
        if outer.boundary == open_part.boundary:
            depth_of[outer.boundary] = level  # the same boundary, shadowed until now
    if not closed:
        defects.add("multipart-unterminated", part.where)
    if not part.children and open_part.depth > 0:
        part.parameters = {name: value for name, value in part.parameters.items() if name != "boundary"}
        childless.append((part, open_part.start, max(at - 1, open_part.start), open_part.depth))


def _open_part(
    data: bytes, start: int, end: int, stack: list[_Open], depth_of: dict[bytes, int], defects: Defects
) -> tuple[Part, int]:
    """Read the header of the part that begins at `start`; push it if it is a multipart of its own."""
    parent = stack[-1].part
    where = f"{parent.where}.{len(parent.children) + 1}".lstrip(".")
    limit = _header_limit(data, start, end, depth_of)
    headers, body_start = read_headers(data, start, limit, defects, where)
    headers.hint = parent.headers.hint
    default = "message/rfc822" if parent.content_type == "multipart/digest" else "text/plain"
    part = read_part(headers, where, default, parent.headers.hint)
    parent.children.append(part)
    if part.is_multipart:
        boundary = part.parameters.get("boundary", "").rstrip().encode("utf-8", "surrogateescape")
        if stack[-1].depth + 1 >= MAX_DEPTH:
            defects.add("nesting-cut", where, f"deeper than {MAX_DEPTH}")
        else:
            if boundary in depth_of:
                defects.add("boundary-repeated", where)
            boundary = boundary or b"\x00"  # never found: guessed afterwards, once its extent is known
            stack.append(_Open(part, boundary, body_start, stack[-1].depth + 1))
            depth_of[boundary] = len(stack) - 1
    return part, body_start


def _header_limit(data: bytes, start: int, end: int, depth_of: dict[bytes, int]) -> int:
    """A part without a blank line must not swallow the next boundary with its header."""
    blank = data.find(b"\n\n", start, end)
    blank = end if blank < 0 else blank
    if data.startswith(b"\n", start):
        return end
    at = start if data.startswith(b"--", start, end) else _next_delimiter(data, start, blank)
    while 0 <= at < blank:
        line_end = data.find(b"\n", at, end)
        line = data[at + 2 : line_end if 0 <= line_end < at + 400 else at + 400].rstrip()
        if line in depth_of or line.removesuffix(b"--") in depth_of:
            return at
        at = _next_delimiter(data, line_end, blank) if line_end >= 0 else -1
    return end
