"""Word tables: one place that turns a readable block of words into a tuple, and one that looks for them quickly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


def words(table: str) -> tuple[str, ...]:
    """The words of `table` in order; a full stop within a word stands for the blank of a phrase ("sent.on")."""
    return tuple(word.replace(".", " ") for word in table.split())


def lines(table: str) -> tuple[str, ...]:
    """The phrases of `table`, one a line, stripped; empty lines are left out."""
    return tuple(stripped for line in table.splitlines() if (stripped := line.strip()))


_EVERYWHERE: Final = frozenset("一不中为来外出自动動发發件人開会本此声明收寄")
"""Characters that most Chinese mail has somewhere."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases to be looked for in a text, most of which have none. `signs`: one character of every one in `wide`.

    Python finds one character many times as quickly as two, and ASCII in ASCII as quickly as it finds anything.
    """

    ascii: tuple[str, ...]
    wide: tuple[str, ...]
    signs: tuple[str, ...]

    def occur_in(self, text: str) -> bool:
        """Whether any of the phrases stands in the text, as it is spelled."""
        if text.isascii():
            return any(map(text.__contains__, self.ascii))
        if any(map(text.__contains__, self.signs)) and any(map(text.__contains__, self.wide)):
            return True
        latin = text.encode("ascii", "ignore").decode("ascii")
        return any(map(latin.__contains__, self.ascii)) and any(map(text.__contains__, self.ascii))


def phrases(table: Iterable[str]) -> Phrases:
    """The phrases made ready to be looked for."""
    plain = tuple(phrase for phrase in table if phrase.isascii())
    wide = tuple(phrase for phrase in table if not phrase.isascii())
    return Phrases(plain, wide, tuple(dict.fromkeys(map(_rarest, wide))))


def _rarest(phrase: str) -> str:
    telling = [character for character in phrase if not character.isascii()]
    return next((character for character in reversed(telling) if character not in _EVERYWHERE), telling[-1])
