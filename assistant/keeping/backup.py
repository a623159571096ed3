"""`assistant backup` and `restore`: one file that checks itself and goes back into SQLite or PostgreSQL alike."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from assistant import __version__
from assistant.errors import AssistantError, StoreUnavailable, WrongUse
from assistant.store import Database, open_database
from assistant.store.migrate import current_revision, known_revisions, migrate
from assistant.store.restored import note_restore
from assistant.store.secret import carry_secret, installation_secret
from assistant.store.snapshot import (
    Progress,
    copy_tables,
    copy_to_file,
    file_digests,
    is_filled,
    is_plain,
    new_private_file,
    no_progress,
    plain_sqlite,
    replace_rows,
    settle_journal,
    table_digests,
    used_by_others,
)

_log = structlog.get_logger("assistant.keeping")
_FORMAT = 1
_NO_FACTS = (sqlite3.DatabaseError, LookupError, ValueError, TypeError, AttributeError, RecursionError, OverflowError)
"""What reading the facts of a file that is none, or that was made to deceive, may raise."""


@dataclass(frozen=True, slots=True)
class BackupFacts:
    """What a backup says of itself. `tables`: name → (rows, SHA-256 over them)."""

    made_at: datetime
    version: str
    revision: str
    origin: str
    """The kind of database it was taken from: sqlite or postgresql."""
    tables: dict[str, tuple[int, str]]

    @property
    def rows(self) -> int:
        return sum(count for count, _ in self.tables.values())


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    backup: BackupFacts
    held: int
    """Mails that wait for a look into Sent or a person's yes, because they may have left after the backup."""
    replaced: Path | None
    """Where the file that was replaced lies now; None on PostgreSQL or where there was none."""


# --- out ------------------------------------------------------------------------------------------------------------


def back_up(
    database: Database, target: Path, now: datetime, *, force: bool = False, progress: Progress = no_progress
) -> BackupFacts:
    """Writes a consistent copy to `target` (mode 0600) while others go on writing, and checks what it wrote.

    The file appears under its name only when it is whole. Raises WrongUse where there is one and no `force`.
    """
    if target.exists() and not force:
        raise WrongUse(f"there is a {target} already; name another file, or replace it with --force.")
    partial = target.with_name(target.name + ".partial")
    try:
        partial.unlink(missing_ok=True)
        with database.session() as session:
            installation_secret(session)  # what is ordered again after a restore must get the same Message-ID
        copy_to_file(database, partial, progress)
        revision = current_revision(database)
        _write_facts(partial, BackupFacts(now, __version__, revision or "", _kind(database), file_digests(partial)))
        facts = check_backup(partial)
        partial.replace(target)
    except OSError as error:
        raise AssistantError(
            f"cannot write {target}: {error.strerror}. Check the folder and the space left."
        ) from error
    except sqlite3.OperationalError as error:
        raise AssistantError(f"the backup {target} could not be written: {error}. Check the space left.") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    _log.info("backup_made", rows=facts.rows, size=target.stat().st_size)
    return facts


def _kind(database: Database) -> str:
    return "sqlite" if database.is_sqlite else "postgresql"


def _write_facts(path: Path, facts: BackupFacts) -> None:
    described = {
        "format": _FORMAT,
        "made_at": facts.made_at.isoformat(),
        "version": facts.version,
        "revision": facts.revision,
        "origin": facts.origin,
        "tables": facts.tables,
    }
    with plain_sqlite(path) as connection:
        connection.execute("CREATE TABLE backup (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        rows = [(name, json.dumps(value)) for name, value in described.items()]
        connection.executemany("INSERT INTO backup VALUES (?, ?)", rows)
    settle_journal(path)


# --- looking at a file ----------------------------------------------------------------------------------------------


def check_backup(path: Path) -> BackupFacts:
    """What the backup is, after every row was compared with the sums in it.

    Raises WrongUse for a file that is none, AssistantError for one that is damaged or newer than this program.
    """
    facts = _read_facts(path)
    try:
        with plain_sqlite(path, read_only=True) as connection:
            sound = connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
            sound = sound and connection.execute("PRAGMA foreign_key_check").fetchone() is None
        if sound and file_digests(path) == facts.tables:
            return facts
    except sqlite3.DatabaseError:
        pass
    raise AssistantError(f"the backup {path} is damaged: its contents do not match its sums. Use another one.")


def _read_facts(path: Path) -> BackupFacts:
    if not path.is_file():
        raise WrongUse(f"there is no {path}.")
    try:
        if not is_plain(path):
            raise WrongUse(f"{path} is no backup of cc-assistant: it holds views or computed columns, which none has.")
        with plain_sqlite(path, read_only=True) as connection:
            read = {name: json.loads(value) for name, value in connection.execute("SELECT name, value FROM backup")}
        if read["format"] > _FORMAT:
            raise _too_new(path, read.get("version", ""))
        tables = {name: (int(count), str(digest)) for name, (count, digest) in read["tables"].items()}
        made_at = datetime.fromisoformat(read["made_at"]).astimezone(UTC)
        facts = BackupFacts(made_at, str(read["version"]), str(read["revision"]), str(read["origin"]), tables)
    except _NO_FACTS as error:
        raise WrongUse(f"{path} is no backup of cc-assistant, or its beginning is damaged.") from error
    if facts.revision not in known_revisions():
        raise _too_new(path, facts.version)
    return facts


def _too_new(path: Path, version: str) -> AssistantError:
    return AssistantError(
        f"the backup {path} was made by a newer cc-assistant ({version or 'of unknown version'}); this is {__version__}."
        " Install that version or a later one, then restore."
    )


# --- in -------------------------------------------------------------------------------------------------------------


def restore(
    path: Path,
    open_target: Callable[[], Database],
    now: datetime,
    *,
    force: bool = False,
    after: Callable[[Database, Database | None], object] = lambda _fresh, _old: None,
    progress: Progress = no_progress,
) -> Restored:
    """Puts the backup in the place of the database that `open_target` opens, brought to the newest schema.

    Mail that waited is held, see `assistant.store.restored`. `after` is given the fresh database and the one that it
    replaces (None when that cannot be read) before they change places: what must outlive a restore is carried over
    there. Raises WrongUse for a filled database without `force` or one in use, AssistantError for a bad backup.
    """
    facts = check_backup(path)
    target = open_target()
    try:
        if used_by_others(target):
            raise WrongUse("the database is in use by another process: stop the assistant first, then restore.")
        old = _readable(target)
        worth = old is None or is_filled(old)
        if worth and not force:
            what = "holds mail already" if old is not None else "cannot be read"
            raise WrongUse(
                f"the database {what}; to replace it by the backup of {facts.made_at:%Y-%m-%d %H:%M} UTC, say --force."
            )
        with _fresh_copy(path, facts, target) as copy:
            fresh = open_database(f"sqlite:///{copy}")
            try:
                migrate(fresh)
                with fresh.session() as session:
                    held = note_restore(session, facts.made_at, now)
                    if old is not None:
                        with old.reading() as before:
                            carry_secret(before, session)
                after(fresh, old)
            finally:
                fresh.close()
            settle_journal(copy)
            replaced = _put_in_place(copy, target, now if worth else None, progress)
    finally:
        target.close()
    _log.info("backup_restored", rows=facts.rows, held=held)
    return Restored(facts, held, replaced)


def _readable(database: Database) -> Database | None:
    """The database, brought to the newest schema, or None when it is damaged. Raises when its server is away."""
    try:
        migrate(database)
        is_filled(database)
    except StoreUnavailable:
        if not database.is_sqlite:
            raise
        return None
    return database


@contextlib.contextmanager
def _fresh_copy(path: Path, facts: BackupFacts, target: Database) -> Iterator[Path]:
    """The backup's rows in tables that our own migrations made, in a file beside the target (on PostgreSQL in a scratch
    folder). Whatever else somebody put into the backup (triggers, indexes, further tables) does not come along."""
    beside = _place(target).parent if target.is_sqlite else None
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=beside) as folder:
        copy = Path(folder) / "assistant.db"
        new_private_file(copy)
        empty = open_database(f"sqlite:///{copy}")
        try:
            migrate(empty, facts.revision)
        finally:
            empty.close()
        try:
            copy_tables(path, copy, but=("backup",))
            same = file_digests(copy) == facts.tables
        except sqlite3.DatabaseError:
            same = False
        if not same:
            raise AssistantError(
                f"the backup {path} does not have the tables of the version that it says it is of"
                f" ({facts.version}): somebody has changed it. Use another one."
            )
        yield copy


def _place(target: Database) -> Path:
    """Where the file itself lies, also if the configuration names a link to it."""
    return Path(target.engine.url.database or "").resolve()


def _put_in_place(copy: Path, target: Database, aside_at: datetime | None, progress: Progress) -> Path | None:
    """Puts the file's rows in the target's place; a SQLite file worth it is kept aside under the time `aside_at`."""
    target.close()
    if not target.is_sqlite:
        source = open_database(f"sqlite:///{copy}")
        replace_rows(target, copy, progress)
        same = table_digests(source) == table_digests(target)
        source.close()
        if not same:
            raise AssistantError("the restored rows differ from the backup's; try again, the backup itself is sound.")
        return None
    place = _place(target)
    replaced = None
    if place.exists() and aside_at is not None:
        replaced = place.with_name(f"{place.name}.replaced-{aside_at:%Y%m%dT%H%M%SZ}")
        place.replace(replaced)
    for leftover in ("-wal", "-shm"):
        place.with_name(place.name + leftover).unlink(missing_ok=True)
    copy.replace(place)
    return replaced
