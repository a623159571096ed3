"""`assistant rebuild`: records, threads, projects, stages, sign-offs and items anew, from what was kept and what people said.

Nothing is sent, ordered or decided by it. What people and rules made stays as it is: clients and contacts, names, owners
and tags, corrections, suppressions, cadences under way, the outbox, the audit.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.errors import WrongUse
from assistant.keeping.differences import DERIVED, Differences, compare, rows_of, write
from assistant.keeping.numbering import Numbering
from assistant.keeping.replay import WAITS, Interpreting, Replay, empty_of_derived
from assistant.store import Database, open_database
from assistant.store.snapshot import copy_to_file
from assistant.store.tables import AuditEntry, Correction, Location, OutboxMessage, Record

_log = structlog.get_logger("assistant.keeping")
Progress = Callable[[int, int], None]
"""(messages done since the last call, all of them)."""


@dataclass(frozen=True)
class Rebuilt:
    """What came out otherwise, what could not be said again, and how many rows stay because others refer to them."""

    messages: int
    differences: Differences
    problems: tuple[str, ...]
    stayed: int


def rebuild(
    database: Database,
    interpreting: Interpreting,
    now: datetime,
    *,
    check: bool = False,
    progress: Progress = lambda _done, _all: None,
) -> Rebuilt:
    """Interprets everything again beside the database, compares, and unless `check` writes what differs in one transaction.

    Raises WrongUse, having changed nothing, when mail came in or somebody corrected something meanwhile.
    """
    with tempfile.TemporaryDirectory(prefix=".rebuild-", dir=_beside(database)) as folder:
        path = Path(folder) / "scratch.db"
        copy_to_file(database, path)
        scratch = open_database(f"sqlite:///{path}")
        with contextlib.closing(scratch):
            empty_of_derived(scratch)
            with database.reading() as session:
                state = _state(session)
                messages = session.scalar(select(func.count()).select_from(Location)) or 0
                replay = Replay(session, scratch, interpreting)
                replay.run(lambda done: progress(done, messages))
                original = rows_of(session, (*DERIVED, "location"))
            with scratch.reading() as session:
                rebuilt = rows_of(session, (*DERIVED, "location", "quarantine"))
    # What was not read again, because it is pending or its bytes are erased, stays what it was.
    rebuilt["location"] = [row for row in rebuilt["location"] if row["outcome"] != WAITS]
    differences = compare(rebuilt, original, Numbering(rebuilt, original, replay.copied))
    stayed = 0
    if not check and differences.count:
        with database.session() as session:
            if _state(session) != state:
                raise WrongUse("mail came in or was set right meanwhile: stop the assistant and rebuild again.")
            stayed = write(session, differences, rebuilt["quarantine"], now)
            session.add(
                AuditEntry(
                    at=now,
                    who="rebuild",
                    event="rebuilt",
                    subject="database",
                    details={"differences": differences.count},
                )
            )
    _log.info("rebuilt", messages=messages, differences=differences.count, written=not check)
    return Rebuilt(messages, differences, tuple(replay.problems), stayed)


def _beside(database: Database) -> Path | None:
    """Where a copy has room: beside the database."""
    return Path(database.engine.url.database or "").parent if database.is_sqlite else None


def _state(session: Session) -> tuple[object, ...]:
    """What must not change while everything is interpreted again."""
    counted = (Location, Record, Correction, OutboxMessage)
    found = [session.execute(select(func.count(), func.max(table.id)).select_from(table)).one() for table in counted]
    pending = session.scalar(select(func.count()).select_from(Location).where(Location.outcome == "pending"))
    return (*map(tuple, found), pending)
