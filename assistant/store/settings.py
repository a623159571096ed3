"""Small facts about the installation itself, by name: the rules it last decided with, a breaker that is open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from assistant.store.tables import Setting


def get_setting(session: Session, name: str) -> dict[str, Any] | None:
    """The value stored under `name`, or None."""
    row = session.get(Setting, name, populate_existing=True)
    return dict(row.value) if row is not None else None


def put_setting(session: Session, name: str, value: Mapping[str, Any]) -> None:
    """Stores `value`, in place of what was there; two processes may do it at the same time."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(Setting).values(name=name, value=dict(value))
    session.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": statement.excluded.value}))
