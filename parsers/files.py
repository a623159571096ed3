"""The files of a mail with their bytes: what `Message.attachments` only describes."""

from __future__ import annotations

from parsers.bodies import Block, Reader, read_mail
from parsers.headers import normalise_lines
from parsers.limits import Defects
from parsers.message import guarded
from parsers.types import Attachment


class _KeepingReader(Reader):
    """Keeps what it finds."""

    def __init__(self, defects: Defects, *, crlf: bool) -> None:
        super().__init__(defects, crlf=crlf)
        self.files: list[tuple[Attachment, bytes]] = []

    def _found(self, attachment: Attachment, data: bytes) -> None:
        super()._found(attachment, data)
        self.files.append((attachment, data))


def files_of(raw: bytes) -> tuple[tuple[Attachment, bytes], ...]:
    """Every attachment of the mail with its bytes after transfer decoding, in order. Never raises on content."""
    defects = Defects()
    data = normalise_lines(raw, defects)
    root = guarded("parts", lambda: read_mail(data, defects, where="", hint=None, depth=0)[0], None, defects)
    if root is None:
        return ()
    line_end = raw.find(b"\n")
    reader = _KeepingReader(defects, crlf=line_end > 0 and raw[line_end - 1 : line_end] == b"\r")
    nothing: list[Block] = []
    guarded("bodies", lambda: reader.read(root), nothing, defects)
    return tuple(reader.files)
