"""How much work one mail may cost. Everything beyond is cut and leaves a `Defect` that says so."""

from __future__ import annotations

from parsers.types import Defect

MAX_FIELDS = 5_000
"""Header fields kept per header section; beyond it only fields that `parse` itself reads are kept."""
MAX_FIELD_BYTES = 262_144
"""Bytes of one ordinary header field that are looked at; address and id lists have their own counts."""
MAX_IDS = 2_000
"""Message-IDs kept of one References field: the first half (the root) and the last half (the parents)."""
MAX_ADDRESSES = 2_000
"""Mailboxes kept of one address field."""
MAX_DEPTH = 50
"""Depth of multipart in multipart."""
MAX_PARTS = 1_000
"""Leaf parts of one mail."""
MAX_NESTED_MESSAGES = 4
"""Depth of mail within mail (message/rfc822) that is read for its own facts."""
MAX_MACHINE_BYTES = 200_000
"""Bytes of a delivery report or returned mail that are shown to whoever reads the kind."""
MAX_TEXT = 4_000_000
"""Characters of body text."""
MAX_HTML_NESTING = 1_500
"""Elements left open at once in HTML; beyond it the tags are taken off without building a tree."""
MAX_TNEF_BYTES = 30_000_000
"""Size of a winmail.dat that is opened."""
MAX_DEFECTS = 200
"""Defects reported of one mail; each code and place is reported once."""


class Defects:
    """Collects defects in the order found, each (code, where) once, at most `MAX_DEFECTS`."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Defect] = {}

    def add(self, code: str, where: str = "", detail: str = "") -> None:
        """Note a defect; a second one of the same code at the same place is the same defect."""
        if (code, where) not in self._found and len(self._found) < MAX_DEFECTS:
            self._found[code, where] = Defect(code, where, detail[:200])

    def found(self) -> tuple[Defect, ...]:
        """All defects noted so far."""
        return tuple(self._found.values())
