"""Mail that is kept in files: mbox, Maildir, .eml, folders of them, and archives of them.

What cannot be read is a `SourceProblem` in its place, and the rest goes on.
"""

from __future__ import annotations

import gzip
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from assistant.mail.mbox import split_mbox

LARGEST_MESSAGE = 100 * 1024 * 1024
"""Bytes. Of a larger message only the beginning is kept, and a problem says so."""

MAIL_SUFFIXES = frozenset({".eml", ".mail", ".rfc822"})
MBOX_SUFFIXES = frozenset({".mbox", ".mbx"})
_BEGINNING = 1024
_CHUNK = 1024 * 1024
_FIRST_HEADER = re.compile(rb"^(?:\xef\xbb\xbf)?[!-9;-~]+[ \t]*:[ \t\r\n]")
_NOTHING = re.compile(rb"[\s\0]*+\Z")
_UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class SourceMessage:
    """One message. `source` is the file or Maildir it lies in, `position` where in it (byte offset, unique name, or
    member), so that source and position together name it for ever. `received_at` is aware, None where nobody knows."""

    source: str
    position: str
    raw: bytes
    received_at: datetime | None


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """Something that is not mail or cannot be read, with a sentence for the person who imports."""

    source: str
    position: str
    message: str


SourceItem = SourceMessage | SourceProblem


def iterate_messages(paths: Sequence[Path]) -> Iterator[SourceItem]:
    """The messages in `paths`, files in the order of their names. Memory holds one message at a time."""
    for path in paths:
        try:
            kind = _kind(path, asked=True)
            if kind is None:
                sentence = "does not look like mail: neither mbox nor Maildir nor a message."
                yield SourceProblem(str(path), "", f"{path} {sentence}")
            else:
                yield from _READERS[kind](path)
        except _UNREADABLE as error:
            yield _unreadable(path, error)


def count_messages(paths: Sequence[Path]) -> int:
    """About how many messages `iterate_messages` will give: quick, for a progress bar."""
    return sum(_count(path) for path in paths)


def _kind(path: Path, *, asked: bool) -> str | None:
    """What lies at `path`. Somebody who names a file means it; one found in a folder must look like mail."""
    if path.is_dir():
        return "maildir" if (path / "cur").is_dir() or (path / "new").is_dir() else "folder"
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    last = suffixes[-1] if suffixes else ""
    if last == ".zip":
        return "zip"
    if last == ".gz":
        return "gzip"
    if last in MBOX_SUFFIXES:
        return "mbox"
    if last in MAIL_SUFFIXES:
        return "eml"
    if not asked and suffixes:
        return None
    with path.open("rb") as stream:
        beginning = stream.read(_BEGINNING)
    if beginning.startswith(b"From ") or (asked and not beginning):
        return "mbox"
    return "eml" if asked and _FIRST_HEADER.match(beginning) else None


def _folder(path: Path) -> Iterator[SourceItem]:
    for child in sorted(path.iterdir()):
        if child.is_symlink() and child.is_dir():
            continue  # it may lead back here
        try:
            kind = _kind(child, asked=False)
            if kind is not None:
                yield from _READERS[kind](child)
        except _UNREADABLE as error:
            yield _unreadable(child, error)


def _maildir(path: Path) -> Iterator[SourceItem]:
    for part in ("cur", "new"):
        folder = path / part
        if not folder.is_dir():
            continue
        for file in sorted(folder.iterdir()):
            if file.is_file() and not file.name.startswith("."):
                unique = file.name.partition(":2,")[0]  # what follows are flags, which change
                received_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
                yield from _message(file, str(path), unique, received_at)
    for child in sorted(path.iterdir()):  # Maildir++ folders .Name, and nested ones of other programs
        if child.is_dir() and not child.is_symlink() and child.name not in {"cur", "new", "tmp"}:
            yield from _maildir(child) if (child / "cur").is_dir() or (child / "new").is_dir() else _folder(child)


def _eml(path: Path) -> Iterator[SourceItem]:
    yield from _message(path, str(path), "", None)


def _message(path: Path, source: str, position: str, received_at: datetime | None) -> Iterator[SourceItem]:
    try:
        with path.open("rb") as stream:
            yield from _whole(stream, source, position, received_at)
    except OSError as error:
        yield _unreadable(path, error)


def _whole(stream: BinaryIO, source: str, position: str, received_at: datetime | None) -> Iterator[SourceItem]:
    raw = stream.read(LARGEST_MESSAGE + 1)
    if len(raw) > LARGEST_MESSAGE:
        yield _too_large(source, position)
    if is_empty(raw):
        yield _empty(source, position)
        return
    yield SourceMessage(source, position, raw[:LARGEST_MESSAGE], received_at)


def _mbox(path: Path) -> Iterator[SourceItem]:
    with path.open("rb") as stream:
        yield from _split(stream, str(path))


def _gzip(path: Path) -> Iterator[SourceItem]:
    with gzip.open(path, "rb") as stream:
        yield from _split(cast("BinaryIO", stream), str(path))


def _split(stream: BinaryIO, source: str, prefix: str = "") -> Iterator[SourceItem]:
    for message in split_mbox(stream, LARGEST_MESSAGE):
        position = f"{prefix}{message.offset}"
        if message.truncated:
            yield _too_large(source, position)
        if is_empty(message.raw):
            yield _empty(source, position)
            continue
        yield SourceMessage(source, position, message.raw, message.received_at)


def _zip(path: Path) -> Iterator[SourceItem]:
    with zipfile.ZipFile(path) as archive:
        for member in sorted(archive.namelist()):
            suffix = PurePosixPath(member).suffix.lower()
            if suffix not in MAIL_SUFFIXES | MBOX_SUFFIXES:
                continue
            try:
                with closing(archive.open(member)) as stream:
                    if suffix in MAIL_SUFFIXES:
                        yield from _whole(cast("BinaryIO", stream), str(path), member, None)
                    else:
                        yield from _split(cast("BinaryIO", stream), str(path), f"{member}:")
            except _UNREADABLE as error:
                yield _unreadable(path, error, member)


def is_empty(raw: bytes) -> bool:
    """Whether there is nothing but white space and NULs, as in a file whose disk was full."""
    return _NOTHING.match(raw) is not None


def _empty(source: str, position: str) -> SourceProblem:
    where = f"{source} ({position})" if position else source
    return SourceProblem(source, position, f"{where} is empty: no message.")


def _too_large(source: str, position: str) -> SourceProblem:
    limit = LARGEST_MESSAGE // (1024 * 1024)
    return SourceProblem(
        source, position, f"A message in {source} is larger than {limit} MiB; its beginning is imported."
    )


def _unreadable(path: Path, error: BaseException, position: str = "") -> SourceProblem:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return SourceProblem(str(path), position, f"{path} cannot be read: {reason}.")


_READERS: dict[str, Callable[[Path], Iterator[SourceItem]]] = {
    "folder": _folder,
    "maildir": _maildir,
    "eml": _eml,
    "mbox": _mbox,
    "gzip": _gzip,
    "zip": _zip,
}


def _count(path: Path) -> int:
    try:
        kind = _kind(path, asked=True)
        if kind in {"folder", "maildir"}:
            return sum(_count_file(Path(folder), name) for folder, _, names in os.walk(path) for name in names)
        return _count_kind(path, kind)
    except _UNREADABLE:
        return 0


def _count_file(folder: Path, name: str) -> int:
    if folder.name in {"cur", "new"}:
        return 0 if name.startswith(".") else 1
    path = folder / name
    try:
        return _count_kind(path, _kind(path, asked=False)) if path.is_file() and folder.name != "tmp" else 0
    except _UNREADABLE:
        return 0


def _count_kind(path: Path, kind: str | None) -> int:
    if kind == "mbox":
        with path.open("rb") as stream:
            return _separators(stream)
    if kind == "gzip":
        with gzip.open(path, "rb") as packed:
            return _separators(cast("BinaryIO", packed))
    if kind == "zip":
        with zipfile.ZipFile(path) as archive:
            return sum(
                PurePosixPath(name).suffix.lower() in MAIL_SUFFIXES | MBOX_SUFFIXES for name in archive.namelist()
            )
    return 1 if kind == "eml" else 0


def _separators(stream: BinaryIO) -> int:
    found, tail = 0, b"\n"
    while chunk := stream.read(_CHUNK):
        found += (tail + chunk).count(b"\nFrom ")
        tail = chunk[-5:]
    return found
