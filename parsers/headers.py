"""Raw header access: finds the fields of a header section in bytes, however damaged, and decodes what is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from parsers.charsets import decode
from parsers.encoded_words import decode_words
from parsers.limits import MAX_FIELD_BYTES, MAX_FIELDS, Defects

_FIELD = re.compile(rb"^([!-9;-~]{1,200})[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)\n?", re.MULTILINE)
_FIELD_OR_STRAY = re.compile(rb"^(?:([!-9;-~]{1,200})[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)|[^\n]+)\n?", re.MULTILINE)
"""The same; a line that belongs to no field is a match without a name."""
_FROM_LINE = re.compile(rb"[>\s]*From [^\n]*\n?")
_KNOWN = frozenset(
    b"from to cc bcc subject date message-id in-reply-to references reply-to sender return-path received mime-version content-type "
    b"content-transfer-encoding content-disposition content-id x-mailer x-priority delivered-to dkim-signature x-originating-ip "
    b"list-id list-unsubscribe user-agent thread-index thread-topic authentication-results auto-submitted precedence importance".split()
)
_READ = _KNOWN | frozenset(
    b"x-original-to envelope-to x-envelope-to x-auto-response-suppress x-autoreply x-autorespond x-failed-recipients "
    b"content-language content-description x-microsoft-original-message-id".split()
)
_ESSENTIAL = (b"from", b"subject", b"date", b"message-id", b"to")
_CONTROL = re.compile("[\x00-\x1f\x7f]+")
_CARRIAGE_RETURNS = re.compile(rb"(?<!\r)\r++\n")
_STRAY_CARRIAGE_RETURN = re.compile(rb"\r(?!\n)")
_LONG_LISTS = frozenset({b"to", b"cc", b"bcc", b"references", b"in-reply-to", b"reply-to", b"from"})


class Headers(Mapping[str, tuple[str, ...]]):
    """Fields by lower-case name, each the tuple of its decoded values in order. Decoded when first asked for."""

    __slots__ = ("_decoded", "_spelled", "defects", "fields", "hint")

    def __init__(self, fields: dict[bytes, list[bytes]], defects: Defects) -> None:
        self.fields = fields
        self._decoded: dict[str, tuple[str, ...]] = {}
        self._spelled: dict[str, bytes] | None = None
        self.defects = defects
        self.hint: str | None = None
        """Charset to try for raw 8-bit values before guessing."""

    def _names(self) -> dict[str, bytes]:
        if self._spelled is None:
            self._spelled = {name.decode("ascii"): name for name in self.fields}
        return self._spelled

    def __getitem__(self, name: str) -> tuple[str, ...]:
        values = self._decoded.get(name)
        if values is None:
            spelled = self._names()[name]
            values = tuple([self._clean(name, self._to_line(spelled, raw)) for raw in self.fields[spelled]])
            self._decoded[name] = values
        return values

    def get(self, name: str, default: tuple[str, ...] | None = None) -> tuple[str, ...] | None:  # type: ignore[override] # narrower than Mapping.get
        """Decoded values of that name; asking for what is not there is most of the asking and must be cheap."""
        return self[name] if name in self._names() else default

    def __contains__(self, name: object) -> bool:
        return name in self._names()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self.fields)

    def raw(self, name: bytes) -> bytes | None:
        """Raw value of the first field of that name, unfolded; None if there is none."""
        values = self.fields.get(name)
        return unfold(values[0]) if values else None

    def line(self, name: bytes) -> str:
        """Value of the first field as characters, unfolded, encoded-words left as they are; "" if there is none."""
        values = self.fields.get(name)
        if not values:
            return ""
        if len(values) > 1 and name in _ESSENTIAL:
            self.defects.add("duplicate-header", name.decode("ascii"))
        return self._to_line(name, values[0])

    def lines(self, name: bytes) -> list[str]:
        """The same for every field of that name."""
        return [self._to_line(name, value) for value in self.fields.get(name, ())]

    def text(self, name: bytes) -> str:
        """Value of the first field, fully decoded, in one line; "" if there is none."""
        return self._clean(name.decode("ascii"), self.line(name))

    def _to_line(self, name: bytes, value: bytes) -> str:
        if len(value) > MAX_FIELD_BYTES and name not in _LONG_LISTS:
            self.defects.add("header-cut", name.decode("ascii"), f"{len(value)} bytes")
            value = value[:MAX_FIELD_BYTES]
        if value.isascii():
            line = _unfold(value.decode("ascii"))
            if "~{" not in line or "=?" in line:
                return line
        value = unfold(value)
        read = decode(value, None, self.hint)
        if read.codec not in ("utf-8", "ascii"):
            self.defects.add("raw-8bit-header", name.decode("ascii"), f"read as {read.codec}")
        elif "\ufffd" in read.text:
            self.defects.add("header-characters-lost", name.decode("ascii"))
        return read.text

    def _clean(self, name: str, line: str) -> str:
        text = decode_words(line, self.hint) if "=?" in line else line
        if text is not line and "\ufffd" in text and "\ufffd" not in line:
            self.defects.add("encoded-word-damaged", name, line)
        if not text.isprintable():
            text = _CONTROL.sub(" ", text)
        return text.strip()


def unfold(value: bytes) -> bytes:
    """RFC 5322 §2.2.3: line ends before white space go; NULs and stray carriage returns too."""
    return _unfold(value.decode("latin-1")).encode("latin-1")


def _unfold(value: str) -> str:
    if "\n" in value:
        value = value.replace("\n\t", "\n ").replace("\n", "")
    if "\x00" in value or "\r" in value:
        value = value.replace("\x00", "").replace("\r", " ")
    return value.strip(" \t")


def read_headers(data: bytes, start: int, limit: int, defects: Defects, where: str = "") -> tuple[Headers, int]:
    """The header section of `data[start:limit]` (line ends are LF) and the index at which the body begins."""
    fields: dict[bytes, list[bytes]] = {}
    at = start
    for _ in range(4):
        at, ended = _read_section(data, at, limit, fields, defects, where)
        # A stray blank line inside the header of a whole mail: what follows still looks like its header.
        if where or not ended or at >= limit or any(name in fields for name in _ESSENTIAL):
            break
        following = _FIELD.match(data, at, min(limit, at + 2000))
        if following is None or following[1].lower() not in _KNOWN:
            break
        defects.add("blank-line-in-header")
    return Headers(fields, defects), at


def _read_section(
    data: bytes, start: int, limit: int, fields: dict[bytes, list[bytes]], defects: Defects, where: str
) -> tuple[int, bool]:
    """Fill `fields`; return where the body begins, and whether a blank line said so."""
    if data[start : start + 1] == b"\n":
        return start + 1, True
    end = data.find(b"\n\n", start, limit)
    body, ended = (end + 2, True) if end >= 0 else (limit, False)
    block_end = end + 1 if end >= 0 else limit
    at = start
    if not where and data[start : start + 6].lstrip(b">").startswith(b"From "):
        line = _FROM_LINE.match(data, start, block_end)
        if line is not None:
            defects.add("mbox-line", detail=line[0].decode("latin-1").strip())
            at = line.end()
    read_to = _read_sound_fields(data, at, block_end, fields)
    if read_to < 0:
        read_to = _read_damaged_fields(data, at, block_end, fields, defects, where)
    if read_to < block_end:
        defects.add("missing-blank-line", where)
        return read_to, False
    return body, ended


def _read_sound_fields(data: bytes, start: int, end: int, fields: dict[bytes, list[bytes]]) -> int:
    """Fill `fields` and return `end`; -1, with nothing filled, if any line needs a closer look."""
    found = _FIELD_OR_STRAY.findall(data, start, end)
    names = [name.lower() for name, _ in found]
    if b"" in names or sum(map(len, fields.values())) + len(names) > MAX_FIELDS:
        return -1
    for name, (_, value) in zip(names, found, strict=True):
        if name in fields:
            fields[name].append(value)
        else:
            fields[name] = [value]
    return end


def _read_damaged_fields(
    data: bytes, start: int, end: int, fields: dict[bytes, list[bytes]], defects: Defects, where: str
) -> int:
    """Fill `fields` with what can be read between lines that are no field; return where the header seems to end."""
    at = start
    last: bytes | None = None
    count = sum(map(len, fields.values()))
    for match in _FIELD.finditer(data, at, end):
        name = match[1].lower()
        if match.start() != at:
            if name not in _KNOWN or name in fields or (last is None and at != start):
                break
            _append_stray(data[at : match.start()], last, fields, defects, where)
        count += 1
        if count <= MAX_FIELDS or (name in _READ and len(fields.get(name, ())) < 100):
            fields.setdefault(name, []).append(match[2])
            last = name
        else:
            defects.add("headers-cut", where, f"more than {MAX_FIELDS} fields")
        at = match.end()
    return at


def _append_stray(
    stray: bytes, last: bytes | None, fields: dict[bytes, list[bytes]], defects: Defects, where: str
) -> None:
    """Lines that are no field between fields: a folded line whose white space was lost, or rubbish at the top."""
    defects.add("header-line-damaged", where, stray[:100].decode("latin-1").strip())
    if last is not None:
        fields[last][-1] += b" " + stray.replace(b"\n", b" ").strip()


def normalise_lines(raw: bytes, defects: Defects) -> bytes:
    """The mail with LF line ends, without byte-order mark and blank lines at its top."""
    data = raw
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode("utf-8")
        defects.add("utf-16-mail")
    elif data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
        defects.add("byte-order-mark")
    if b"\r" in data:
        if _STRAY_CARRIAGE_RETURN.search(data) is None:
            data = data.replace(b"\r", b"")  # many times as quick as replacing two bytes by one
        else:
            data = _CARRIAGE_RETURNS.sub(b"\n", data)
            if b"\n" not in data or data.count(b"\r") > 4 * data.count(b"\n"):
                data = data.replace(b"\r", b"\n")
            defects.add("stray-carriage-returns")
    if data[:1] in (b"\n", b" ", b"\t") and data.lstrip(b" \t\n")[:1]:
        stripped = data.lstrip(b"\n")
        if stripped is not data:
            data = stripped
            defects.add("blank-lines-at-top")
    return data
