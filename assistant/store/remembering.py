"""What one transaction has asked for and may use again: look-ups that every message of a batch would repeat.

A session remembers only after `remember`, and only what goes through functions that keep it up to date. After a savepoint was
rolled back everything is forgotten by remembering anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from sqlalchemy.orm import Session

_SHELVES = "remembered"
_Shelf = TypeVar("_Shelf")
_Item = TypeVar("_Item")
_AT_ONCE = 5000
"""Parameters of one statement: SQLite takes 32,766, PostgreSQL 65,535."""


def remember(session: Session) -> None:
    """Begins to remember, with nothing."""
    session.info[_SHELVES] = {}


def remembered(session: Session, make: Callable[[], _Shelf]) -> _Shelf | None:
    """The transaction's own `make()`, made when first asked for; None where the session does not remember."""
    shelves: dict[object, _Shelf] | None = session.info.get(_SHELVES)
    if shelves is None:
        return None
    if make not in shelves:
        shelves[make] = make()
    return shelves[make]


def parts_of(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """The items in portions that one statement takes."""
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
