"""What every table shares: names of constraints, and how Python types become columns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, MetaData, Text, text
from sqlalchemy.orm import DeclarativeBase

from assistant.store.types import UtcDateTime


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can speak of them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    # What the database fills in by itself is what a row says anyway: it need not be asked for, and many rows go at once.
    __mapper_args__ = {"eager_defaults": False}  # noqa: RUF012  # SQLAlchemy reads it as a plain class attribute
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON, str: Text}  # noqa: RUF012  # SQLAlchemy reads it as a plain class attribute


def partial_index(name: str, *columns: str, where: str, on_sqlite: str = "") -> Index:
    """An index of those rows alone; `on_sqlite`: the same condition as statements say it there, where it is another."""
    return Index(name, *columns, sqlite_where=text(on_sqlite or where), postgresql_where=text(where))


UID = BigInteger().with_variant(Integer(), "sqlite")
"""UIDs and UIDVALIDITY go up to 2^32 - 1 (RFC 3501 section 2.3.1.1); SQLite's integers do anyway."""
