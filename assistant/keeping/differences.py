"""What a rebuilt database says otherwise than the original, in the original's numbers, and writing that down there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.orm import Session

from assistant.keeping.numbering import Numbering, Row, Rows
from assistant.store.snapshot import key_of
from assistant.store.tables import Base, Quarantine

DERIVED = ("client", "client_domain", "contact", "project", "thread", "thread_key", "record", "stage_change", "sign_off", "open_item")  # fmt: skip
"""In the order in which rows refer to each other."""
_KEPT_WHOLE = frozenset({"client", "client_domain", "contact"})
"""People's book: who is there stays as people left it, only who is missing is added."""
_KEPT: Mapping[str, frozenset[str]] = {
    "project": frozenset({"name", "owner", "tags", "value", "currency", "look_again"}),
    "record": frozenset({"logged_at", "may_start", "trust"}),
    "open_item": frozenset({"owner"}),
}
"""What people, or the moment, decided about a row and no message says."""
_NO_KEYS = {"waiting_record_id": "record"}
"""Columns that refer without a foreign key."""
_OF_RECORD = re.compile(r"([a-z_]+:)(\d+)((?::\d+)?)")
_NUMBERED = re.compile(r"\b(record )(\d+)\b")


@dataclass(slots=True)
class Differences:
    """Per table: rows that are new, rows with the columns that change, and keys of rows that are no more."""

    added: dict[str, list[Row]] = field(default_factory=dict)
    changed: dict[str, list[tuple[Row, dict[str, tuple[Any, Any]]]]] = field(default_factory=dict)
    removed: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(len(rows) for kind in (self.added, self.changed, self.removed) for rows in kind.values())

    def sentences(self) -> Iterator[str]:
        """One line for each difference: no text of mails, only which row and which columns."""
        for table in (*DERIVED, "location"):
            for row in self.added.get(table, ()):
                yield f"{table} {_name(table, row)}: new"
            for row, columns in self.changed.get(table, ()):
                words = ", ".join(f"{name} {_short(was)} → {_short(now)}" for name, (was, now) in columns.items())
                yield f"{table} {_name(table, row)}: {words}"
            for row in self.removed.get(table, ()):
                yield f"{table} {_name(table, row)}: gone"


def _name(table: str, row: Row) -> str:
    return str(row[key_of(Base.metadata.tables[table])[0].name])


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}…"


def rows_of(session: Session, tables: tuple[str, ...] = DERIVED) -> dict[str, Rows]:
    """Every row of these tables, by key."""
    found: dict[str, Rows] = {}
    for name in tables:
        table = Base.metadata.tables[name]
        found[name] = [dict(row) for row in session.execute(select(table).order_by(*key_of(table))).mappings()]
    return found


def compare(scratch: Mapping[str, Rows], original: Mapping[str, Rows], numbering: Numbering) -> Differences:
    """`scratch` and `original` have `DERIVED` and `location`."""
    differences = Differences()
    for name in (*DERIVED, "location"):
        table = Base.metadata.tables[name]
        keys = [column.name for column in key_of(table)]
        before = {tuple(row[key] for key in keys): row for row in original[name]}
        after: dict[tuple[Any, ...], Row] = {}
        for row in scratch[name]:
            translated = _translate(table, row, numbering)
            after.setdefault(tuple(translated[key] for key in keys), translated)
        for key, row in after.items():
            was = before.get(key)
            if was is None:
                differences.added.setdefault(name, []).append(row)
            elif columns := _changes(name, was, row):
                differences.changed.setdefault(name, []).append((row, columns))
        if name not in _KEPT_WHOLE and name != "location":
            gone = [row for key, row in before.items() if key not in after and not _is_peoples(name, row)]
            if gone:
                differences.removed[name] = gone
    return differences


def _is_peoples(table: str, row: Row) -> bool:
    """Not made by interpreting mail: tasks of rules, and projects that people opened."""
    return (table == "open_item" and (row["record_id"] is None or row["kind"] == "task")) or (
        table == "project" and row["known_since"] is None and row["waiting_record_id"] is None
    )


def _translate(table: Table, row: Row, numbering: Numbering) -> Row:
    """The row in the original's numbers."""
    translated = dict(row)
    if table.name in DERIVED and "id" in translated:
        translated["id"] = numbering.of(table.name, row["id"])
    for column in table.columns:
        for key in column.foreign_keys:
            translated[column.name] = numbering.of(key.column.table.name, row[column.name])
    for name, target in _NO_KEYS.items():
        if name in translated:
            translated[name] = numbering.of(target, row[name])
    if table.name == "open_item" and (named := _OF_RECORD.fullmatch(row["dedupe_key"] or "")):
        translated["dedupe_key"] = f"{named[1]}{numbering.of('record', int(named[2]))}{named[3]}"
    for name in ("settled_by", "outcome_reason"):
        if isinstance(row.get(name), str):
            translated[name] = _NUMBERED.sub(
                lambda match: f"{match[1]}{numbering.of('record', int(match[2]))}", row[name]
            )
    return translated


def _changes(table: str, was: Row, now: Row) -> dict[str, tuple[Any, Any]]:
    if table in _KEPT_WHOLE:
        return {}
    names = {"outcome", "outcome_reason", "record_id"} if table == "location" else set(was) - _KEPT.get(table, set())
    if table == "project" and was["state"] in {"paused", "over"}:
        names.discard("state")
    if table == "open_item" and now["dedupe_key"] is None:
        names.discard("dedupe_key")
    if table == "open_item" and was["settled_at"] is not None and not was["settled_by"].startswith("record "):
        names -= {"settled_at", "settled_by"}
    return {name: (was[name], now[name]) for name in sorted(names) if was[name] != now[name]}


# --- writing --------------------------------------------------------------------------------------------------------


def write(session: Session, differences: Differences, broken: Rows, now: datetime) -> int:
    """Brings the original to what was rebuilt; returns how many rows had to stay because mail or rules refer to them.

    `broken` are the rows of quarantine after rebuilding.
    """
    stay = 0
    for name in ("open_item", "sign_off", "stage_change"):
        _delete(session, name, differences.removed.get(name, ()))
    for name in DERIVED:
        table = Base.metadata.tables[name]
        own = [column.name for column in table.columns for key in column.foreign_keys if key.column.table is table]
        for row in differences.added.get(name, ()):
            session.execute(insert(table).values({**row, **dict.fromkeys(own)}))
        for row in differences.added.get(name, ()):
            if held := {key: row[key] for key in own if row[key] is not None}:
                session.execute(update(table).where(table.c.id == row["id"]).values(held))
    for name in (*DERIVED, "location"):
        table = Base.metadata.tables[name]
        for row, columns in differences.changed.get(name, ()):
            same = [key == row[key.name] for key in key_of(table)]
            session.execute(update(table).where(*same).values({key: now for key, (_, now) in columns.items()}))
    for name in ("record", "thread_key", "thread", "project"):
        free = [row for row in differences.removed.get(name, ()) if not _referred_to(session, name, row)]
        stay += len(differences.removed.get(name, ())) - len(free)
        _delete(session, name, free)
    _quarantine(session, differences, broken, now)
    return stay


def _quarantine(session: Session, differences: Differences, broken: Rows, now: datetime) -> None:
    """What breaks now and did not before is in quarantine, and what goes through now is not."""
    why = {row["location_id"]: row for row in broken}
    for row, columns in differences.changed.get("location", ()):
        if "outcome" not in columns:
            continue
        found = session.scalar(select(Quarantine).where(Quarantine.location_id == row["id"]))
        if row["outcome"] != "quarantined":
            if found is not None:
                found.settled_at = found.settled_at or now
        elif found is None:
            named = {name: why[row["id"]][name] for name in ("location_id", "raw_id", "phase", "reason")}
            session.add(Quarantine(**named, since=now))
        else:
            found.settled_at = None


def _delete(session: Session, name: str, rows: Rows | tuple[()]) -> None:
    table = Base.metadata.tables[name]
    for row in rows:
        session.execute(delete(table).where(*(key == row[key.name] for key in key_of(table))))


def _referred_to(session: Session, name: str, row: Row) -> bool:
    """Whether anything that is not rebuilt still speaks of it: a run, a mail of ours, a note."""
    if "id" not in row:
        return False
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            for key in column.foreign_keys:
                if (
                    key.column.table.name == name
                    and session.execute(select(column).where(column == row["id"]).limit(1)).first()
                ):
                    return True
    return False
