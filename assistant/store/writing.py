"""How new rows are written: numbered when they are added, and in the order in which they refer to each other.

A row has its id as soon as it is added to a session, so that others can refer to it before anything is written, and what
a whole batch of messages brings can be written at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import Table, event, func, inspect, select, text
from sqlalchemy.orm import DeclarativeBase, Session, relationship

from assistant.store.remembering import parts_of

NUMBERED = frozenset({"client", "contact", "thread", "project", "record", "stage_change", "sign_off", "open_item"})
"""Tables whose rows others refer to while a message is interpreted, and those that get many rows: SQLite says the number
of a row only where it is written alone."""

_NUMBERS = "numbers of new rows"
_NEW_ROWS = "new rows"
_Row = TypeVar("_Row")
_LARGEST_BLOCK = 256


def write_in_order(base: type[DeclarativeBase]) -> None:
    """Tells the mappers which table refers to which: rows that are referred to are written first.

    SQLAlchemy orders what it writes by relationships and not by foreign keys. These serve for nothing else, and can
    be neither read nor set. A table that refers to itself has none: its rows are written in the order they came in.
    """
    mappers = {mapper.local_table: mapper for mapper in base.registry.mappers}
    for table, mapper in mappers.items():
        for column in table.columns:
            for key in column.foreign_keys:
                other = mappers[key.column.table]
                if other is not mapper:
                    order = relationship(other, foreign_keys=[column], lazy="raise", cascade="")
                    mapper.add_property(f"row_of_{column.name}", order)


def number_new_rows(session: Session) -> None:
    """From now on rows of the numbered tables get their ids when they are added to this session.

    On SQLite a transaction that writes is the only one, so that the largest id says which comes next; on PostgreSQL the
    table's sequence does, asked for several at a time. Nothing may be inserted into these tables without the session.
    """
    event.listen(session, "transient_to_pending", _number)


def _number(session: Session, row: Any) -> None:
    table = row.__table__
    if table.name not in NUMBERED:
        return
    if row.id is None:
        _give_id(session, table, row)
    session.info.setdefault(_NEW_ROWS, {})[type(row), row.id] = row


def row_of(session: Session, table: type[_Row], number: int) -> _Row | None:
    """As `session.get`, which knows nothing of rows that are not written yet and writes them all to find out."""
    found: _Row | None = session.info.get(_NEW_ROWS, {}).get((table, number))
    return found if found is not None and found in session else session.get(table, number)


def rows_of(session: Session, table: type[_Row], numbers: Sequence[int]) -> list[_Row]:
    """The same for several, in no particular order, without those that are not there."""
    new = session.info.get(_NEW_ROWS, {})
    rows = [row for number in numbers if (row := new.get((table, number))) is not None and row in session]
    written = [number for number in numbers if (table, number) not in new]
    (key,) = inspect(table).primary_key
    for part in parts_of(written):
        with session.no_autoflush:
            rows.extend(session.scalars(select(table).where(key.in_(part))))
    return rows


def _give_id(session: Session, table: Table, row: Any) -> None:
    numbers: dict[str, Iterator[int]] = session.info.setdefault(_NUMBERS, {})
    if table.name not in numbers:
        numbers[table.name] = _following_ids(session, table)
    row.id = next(numbers[table.name])


def _following_ids(session: Session, table: Table) -> Iterator[int]:
    if session.get_bind().dialect.name == "sqlite":
        with session.no_autoflush:
            largest = session.execute(select(func.max(table.c.id))).scalar()
        yield from count((largest or 0) + 1)
    block = 1
    while True:
        taken = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :block)")
        with session.no_autoflush:
            numbers = session.execute(taken, {"table": table.name, "block": block}).scalars().all()
        yield from sorted(numbers)
        block = min(2 * block, _LARGEST_BLOCK)
