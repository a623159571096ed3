"""The archive of raw mail: the exact bytes as the server gave them, compressed, each content once."""

from __future__ import annotations

import hashlib
import zlib
from typing import Protocol

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from assistant.store.tables import RawMail

_COMPRESSION_LEVEL = 3  # measured: level 3 is three times as quick as 6 for 4% more bytes on mail


class Archive(Protocol):
    """Keeps raw mail. `put` returns an id; the same bytes give the same id."""

    def put(self, session: Session, raw: bytes, *, truncated: bool = False) -> int: ...

    def get(self, session: Session, raw_id: int) -> bytes: ...


class DatabaseArchive:
    """Raw mail in its own table of the same database, so that it commits together with location and cursor."""

    def put(self, session: Session, raw: bytes, *, truncated: bool = False) -> int:
        digest = hashlib.sha256(raw).hexdigest()
        known = session.scalar(select(RawMail.id).where(RawMail.sha256 == digest))
        if known is not None:
            return known
        statement = (
            insert(RawMail)
            .values(sha256=digest, size=len(raw), body=zlib.compress(raw, _COMPRESSION_LEVEL), truncated=truncated)
            .returning(RawMail.id)
        )
        return session.execute(statement).scalar_one()

    def get(self, session: Session, raw_id: int) -> bytes:
        body = session.scalar(select(RawMail.body).where(RawMail.id == raw_id))
        if body is None:
            raise LookupError(f"raw mail {raw_id} is not in the archive")
        return zlib.decompress(body)
