"""Folders: their state, and which one is Sent, Drafts and so on, by SPECIAL-USE (RFC 6154) or by usual names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.errors import ServerUnreachable


class FolderMissing(ServerUnreachable):
    """A folder that is to be read does not exist (any more); the text names those that do."""


@dataclass(frozen=True, slots=True)
class FolderState:
    """A folder as EXAMINE or STATUS shows it. UIDs are comparable only within one `uidvalidity` (RFC 3501 section 2.3.1.1);
    `uidnext` is 0 where the server keeps it to itself."""

    uidvalidity: int
    uidnext: int
    exists: int


SpecialUse = Literal["sent", "drafts", "junk", "trash", "archive"]

_ATTRIBUTES: dict[SpecialUse, bytes] = {
    "sent": b"\\sent",
    "drafts": b"\\drafts",
    "junk": b"\\junk",
    "trash": b"\\trash",
    "archive": b"\\archive",
}
_NAMES: dict[SpecialUse, tuple[str, ...]] = {
    "sent": (
        "sent",
        "sent messages",
        "sent items",
        "sent mail",
        "已发送",
        "已发送邮件",
        "发件箱",
        "已发邮件",
        "寄件備份",
        "已傳送郵件",
        "寄件備份匣",
    ),
    "drafts": ("drafts", "draft", "草稿箱", "草稿", "草稿夹", "草稿匣", "草稿郵件"),
    "junk": ("junk", "spam", "junk e-mail", "junk email", "bulk mail", "垃圾邮件", "垃圾箱", "垃圾郵件"),
    "trash": (
        "trash",
        "deleted messages",
        "deleted items",
        "deleted",
        "bin",
        "已删除",
        "已删除邮件",
        "已刪除的郵件",
        "回收站",
        "垃圾桶",
    ),
    "archive": ("archive", "archives", "all mail", "归档", "存档", "封存", "封存郵件"),
}

ListedFolder = tuple[Sequence[bytes], bytes | None, str]
"""Attributes, hierarchy separator and name, as LIST gives them (RFC 3501 section 7.2.2)."""


def listed_folders(answer: Iterable[object]) -> list[ListedFolder]:
    """What a LIST really says, without the rows that a server garbled."""
    found: list[ListedFolder] = []
    for row in answer:
        if isinstance(row, tuple) and len(row) == 3 and isinstance(row[0], tuple) and isinstance(row[2], str):
            attributes = [attribute for attribute in row[0] if isinstance(attribute, bytes)]
            found.append((attributes, row[1] if isinstance(row[1], bytes) else None, row[2]))
    return found


def names_special(folder: str, use: SpecialUse) -> bool:
    """Whether people would call a folder for `use` so; its last name counts, whatever separates them."""
    return re.split(r"[/.\\]", folder)[-1].lower() in _NAMES[use]


def find_special(folders: Iterable[ListedFolder], use: SpecialUse) -> str | None:
    """The folder for `use`: the server's own word first, then names, the shallowest first. None when there is none."""
    listed = [(attributes, separator, name) for attributes, separator, name in folders if name]
    for attributes, _, name in listed:
        if _ATTRIBUTES[use] in {attribute.lower() for attribute in attributes}:
            return name
    named: dict[str, str] = {}
    for attributes, separator, name in sorted(listed, key=lambda entry: len(entry[2]), reverse=True):
        if b"\\noselect" in {attribute.lower() for attribute in attributes}:
            continue
        last = name.rsplit(separator.decode("ascii", "replace"), 1)[-1] if separator else name
        named[last.lower()] = name
    return next((named[candidate] for candidate in _NAMES[use] if candidate in named), None)
