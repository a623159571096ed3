"""Mailboxes out of address fields (RFC 5322 §3.4), and out of everything that is written there instead.

Structure is read before names are decoded: an encoded name may hold commas, quotes and `@`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import idna

from parsers.encoded_words import decode_words
from parsers.limits import MAX_ADDRESSES, Defects
from parsers.types import Address

_LISTED = re.compile(
    r"""\s*+(?:(?:"([^"\\<>]*+)"\s*+|([^"<>@,;:()\\']*+))<([^\s<>@,;:()"']++@[A-Za-z0-9.-]++)>|([A-Za-z0-9!#$%&*+/=?^_`{|}~.-]++@[A-Za-z0-9.-]++))\s*+(?:,|$)"""
)
"""One mailbox of a list in a usual form, and the comma after it: a name or none and brackets, or a bare address."""
_PLAIN_RUN = re.compile(r"""[^"(<,;:\\]+""")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_ADDR_SPEC = re.compile(
    r"""(?<![^\s<>()"',;:@\[\]])[^\s<>()"',;:@\[\]]++@[^\s<>()"',;:@\[\]]++|(?<![^\s<>()"',;:@])[^\s<>()"',;:@]++@\[[^\s\]]++\]"""
)
"""Looked for from the beginning of a word only, so that a long word without an address costs its length once."""
_COMMENT_MARK = re.compile(r"\\.|[()]", re.DOTALL)
_SPACE = re.compile(r"\s+")
_AROUND_AT = re.compile(r"\s*([@.])\s*")
_FULL_WIDTH = str.maketrans("＠＜＞，；：（）．", "@<>,;:().")
_CONTROL = re.compile("[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")


@dataclass(slots=True)
class _Mailbox:
    """What was read of one mailbox so far."""

    words: list[tuple[str, bool]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    angle: str | None = None

    def is_empty(self) -> bool:
        return not self.words and not self.comments and self.angle is None


def read_addresses(line: str, defects: Defects, where: str, hint: str | None = None) -> tuple[Address, ...]:
    """Every mailbox of a field's unfolded value (encoded-words still encoded), groups flattened, in order."""
    if not line:
        return ()
    found: list[Address] = []
    at, end = 0, len(line)
    while at < end:
        match = _LISTED.match(line, at)
        if match is None:
            return _read_carefully(line, defects, where, hint)
        quoted, name, bracketed, bare = match.groups()
        found.append(_finish(quoted or (name or "").rstrip(), bracketed or bare, defects, where, hint))
        at = match.end()
        if len(found) >= MAX_ADDRESSES:
            defects.add("addresses-cut", where, f"more than {MAX_ADDRESSES} mailboxes")
            break
    return tuple(found)


def read_return_path(value: str) -> str:
    """The path without brackets; "" for the null path (RFC 5321 §4.5.5)."""
    match = _ADDR_SPEC.search(value)
    return normalise_addr_spec(match[0]) if match else _SPACE.sub("", value.strip("<> \t\"'"))


def normalise_addr_spec(addr_spec: str) -> str:
    """Local part as it is, domain in lower case and as A-labels (RFC 5891), without stray characters around."""
    if not addr_spec.isascii():
        addr_spec = unicodedata.normalize("NFKC", addr_spec)
    local, at, domain = addr_spec.rpartition("@")
    if not at:
        return addr_spec.strip()
    domain = domain.strip(" \t.>\"';,").lower()
    if not domain.isascii():
        with suppress(idna.IDNAError, UnicodeError):
            domain = idna.encode(domain, uts46=True).decode("ascii")
    return f"{local.strip()}@{domain}"


def _finish(name: str, addr_spec: str, defects: Defects, where: str, hint: str | None) -> Address:
    address = (
        _remembered(name, addr_spec, hint) if len(name) + len(addr_spec) < 300 else _to_address(name, addr_spec, hint)
    )
    if "\ufffd" in address.name:
        defects.add("encoded-word-damaged", where, name)
    return address


def _to_address(name: str, addr_spec: str, hint: str | None) -> Address:
    if "=?" in name:
        name = decode_words(name, hint)
    if not name.isprintable():
        name = _SPACE.sub(" ", _CONTROL.sub(" ", name))
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] and name[0] in "\"'":
        name = name[1:-1].strip()
    if "=?" in addr_spec and "?=" in addr_spec:
        addr_spec = decode_words(addr_spec, hint)
        inner = _ADDR_SPEC.search(addr_spec)
        addr_spec = inner[0] if inner else addr_spec
    return Address(name, normalise_addr_spec(addr_spec))


_remembered = lru_cache(maxsize=2048)(_to_address)
"""The same few correspondents write to each other all day."""


def _read_carefully(line: str, defects: Defects, where: str, hint: str | None) -> tuple[Address, ...]:
    if not line.isascii() and (("＠" in line and "@" not in line) or ("＜" in line and "<" not in line)):
        line = line.translate(_FULL_WIDTH)
        defects.add("full-width-address", where)
    found: list[Address] = []
    carried = ""
    for mailbox, separator in _Scanner(line).scan():
        address, name_only = _resolve(mailbox, carried, defects, where, hint)
        carried = ""
        if address is not None:
            found.append(address)
        elif name_only and separator == ",":
            carried = name_only  # a comma in an unquoted name: "Zhang, San <…>"
        elif name_only:
            defects.add("address-without-mailbox", where, name_only)
        if len(found) >= MAX_ADDRESSES:
            defects.add("addresses-cut", where, f"more than {MAX_ADDRESSES} mailboxes")
            break
    if carried:
        defects.add("address-without-mailbox", where, carried)
    if not found and "=?" in line:
        decoded = decode_words(line, hint)
        if "@" in decoded and "=?" not in decoded:
            defects.add("address-in-encoded-word", where, decoded)
            return read_addresses(decoded, defects, where)
    return tuple(found)


class _Scanner:
    """Cuts a field into mailboxes in one pass; quotes, comments and brackets are opaque."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._last_semicolon = line.rfind(";")
        self._comments_close = self._brackets_close = True
        self._current = _Mailbox()
        self._words_before = 0  # the angle

    def _take_complete(self) -> _Mailbox:
        complete = self._current
        self._current = _Mailbox(words=complete.words[self._words_before :])
        del complete.words[self._words_before :]
        return complete

    def scan(self) -> Iterator[tuple[_Mailbox, str]]:
        """Each mailbox with the separator after it."""
        at, end = 0, len(self._line)
        while at < end:
            char = self._line[at]
            if char in ",;" or (char == ":" and self._names_group(at)):
                if char != ":" and not self._current.is_empty():
                    yield self._current, char
                self._current = _Mailbox()
                at += 1
            elif char == '"':
                at = self._quoted(at)
            elif char == "(" and self._comments_close:
                at = self._comment(at)
            elif char == "<" and self._brackets_close:
                if self._current.angle is not None and "@" in self._current.angle and "@" in self._line[at:]:
                    yield self._take_complete(), ","  # two mailboxes and no comma between them
                at = self._angle(at)
            else:
                at = self._plain(at)
        if not self._current.is_empty():
            yield self._current, ""

    def _names_group(self, at: int) -> bool:
        current = self._current
        return at < self._last_semicolon and current.angle is None and not any("@" in word for word, _ in current.words)

    def _quoted(self, at: int) -> int:
        quoted = _QUOTED.match(self._line, at)
        if quoted is None:
            return at + 1
        self._current.words.append((_QUOTED_PAIR.sub(r"\1", quoted[1]), True))
        return quoted.end()

    def _comment(self, at: int) -> int:
        close = _end_of_comment(self._line, at)
        if close < 0:
            self._comments_close = False
            return at
        self._current.comments.append(self._line[at + 1 : close])
        return close + 1

    def _angle(self, at: int) -> int:
        close = self._line.find(">", at)
        if close < 0:
            self._brackets_close = False
            inside = self._line[at + 1 :].partition(",")[0]
            close = at + len(inside)
        else:
            inside = self._line[at + 1 : close].lstrip("<")
        if self._current.angle is None or "@" in inside:
            self._current.angle = inside
            self._words_before = len(self._current.words)
        return close + 1

    def _plain(self, at: int) -> int:
        run = _PLAIN_RUN.match(self._line, at)
        text = run[0] if run else self._line[at : at + 2] if self._line[at] == "\\" else self._line[at]
        if text.strip() not in ("", ">"):
            self._current.words.append((text, False))
        return at + len(text)


def _end_of_comment(line: str, start: int) -> int:
    depth = 0
    for match in _COMMENT_MARK.finditer(line, start):
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth -= 1
            if depth == 0:
                return match.start()
    return -1


def _resolve(
    mailbox: _Mailbox, carried: str, defects: Defects, where: str, hint: str | None
) -> tuple[Address | None, str]:
    """The address, or None and the words that stood there without one."""
    words = _join_words(mailbox.words)
    comment = " ".join(mailbox.comments)
    if mailbox.angle is not None and mailbox.angle.strip():
        addr_spec = _clean_angle(mailbox.angle, defects, where)
        name = words or comment
        if carried:
            defects.add("unquoted-comma-in-name", where)
            name = f"{carried}, {name}" if name else carried
        return _finish(name, addr_spec, defects, where, hint), ""
    local_quoted = _quoted_local_part(mailbox.words)
    if local_quoted:
        return _finish(comment, local_quoted, defects, where, hint), ""
    text = _AROUND_AT.sub(r"\1", words) if " @" in words or "@ " in words else words
    match = _ADDR_SPEC.search(text.replace("mailto:", "").replace("MAILTO:", ""))
    if match is None:
        return None, words or comment
    name = text.replace("mailto:", "").replace(match[0], " ", 1).strip(" \t<>[]\"'-")
    if name or mailbox.angle is not None:
        defects.add("address-without-brackets", where, words)
    if not name and carried:
        # A name before the comma and the bare address after it can only belong together.
        name = carried if not comment else ""
        defects.add("unquoted-comma-in-name", where)
    return _finish(name or comment, match[0], defects, where, hint), ""


def _join_words(words: list[tuple[str, bool]]) -> str:
    if len(words) == 1:
        return _SPACE.sub(" ", words[0][0]).strip() if not words[0][1] else words[0][0]
    return _SPACE.sub(" ", "".join(f" {word} " if quoted else word for word, quoted in words)).strip()


def _quoted_local_part(words: list[tuple[str, bool]]) -> str:
    for (first, quoted), (second, _) in pairwise(words):
        if quoted and second.startswith("@"):
            local = first if re.fullmatch(r"[^\s\"(),:;<>@\[\\\]]+", first) else f'"{first}"'
            return local + second.split()[0]
    return ""


def _clean_angle(angle: str, defects: Defects, where: str) -> str:
    addr_spec = angle.strip()
    if addr_spec.lower().startswith("mailto:"):
        addr_spec = addr_spec[7:]
    if addr_spec.startswith("@") and ":" in addr_spec:
        defects.add("route-address", where, addr_spec)  # RFC 5322 §4.4
        addr_spec = addr_spec.rpartition(":")[2]
    if " " in addr_spec or "\t" in addr_spec:
        if not addr_spec.startswith('"'):
            addr_spec = _SPACE.sub("", addr_spec)
            defects.add("space-in-address", where, angle)
    elif addr_spec.startswith('"') and '"@' in addr_spec:
        local, _, domain = addr_spec[1:].partition('"@')
        if re.fullmatch(r"[^\s\"(),:;<>@\[\\\]]+", local):
            addr_spec = f"{local}@{domain}"
    return addr_spec.strip("<>'") if not addr_spec.startswith('"') else addr_spec
