"""Phase 2: raw mail, its location and the folder's cursor in one transaction. From here on nothing can be lost."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

import structlog
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from assistant.clock import Clock
from assistant.intake.facts import plausible_time
from assistant.intake.ledger import Folder, account_for_gaps, kept_uids, last_reconciliation, store_reconciliation
from assistant.intake.parts import count_attempt, give_up, note_parts, parts_of, replace_part
from assistant.mail.completing import Part
from assistant.mail.reader import Cursor
from assistant.mail.reconcile import FolderAccount
from assistant.store import Archive, Database
from assistant.store.erased import REASON, erased_among
from assistant.store.leases import Lease, Leases
from assistant.store.tables import FolderCursor, Location

_DATE_HEADER = re.compile(rb"^date:[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_REFERENCES = re.compile(rb"^(?:references|in-reply-to):((?:[^\r\n]|\r?\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
_MOST_ANCESTORS = 900

_TROUBLES = frozenset({"unreachable", "refused", "throttled", "folder_missing"})

_log = structlog.get_logger("assistant.intake")

READING_LEASE = timedelta(minutes=5)
"""How long one batch may take to come; every batch that is kept renews it."""
READING_PATIENCE = 60.0
"""How long another worker is waited for that reads the same folder."""


class FetchedMail(Protocol):
    """What reading a mailbox yields for one message."""

    @property
    def uid(self) -> int: ...

    @property
    def internal_date(self) -> datetime: ...

    @property
    def raw(self) -> bytes: ...

    @property
    def truncated(self) -> bool: ...

    @property
    def problem(self) -> str: ...

    @property
    def again(self) -> bool: ...


def keep_batch(
    session: Session,
    archive: Archive,
    mailbox: str,
    folder: str,
    uidvalidity: int,
    batch: Sequence[FetchedMail],
    now: datetime,
    gone: Sequence[int] = (),
) -> int:
    """Keeps what is new of `batch`, accounts for what is `gone`, moves the cursor; returns how many were new. Safe to
    repeat."""
    uids = [mail.uid for mail in batch]
    account_for_gaps(session, Folder(mailbox, folder, uidvalidity), uids, gone, now)
    known = set(
        session.scalars(
            select(Location.uid).where(
                Location.mailbox == mailbox,
                Location.folder == folder,
                Location.uidvalidity == uidvalidity,
                Location.uid.in_(uids),
            )
        )
    )
    new = [mail for mail in batch if mail.uid not in known]
    whole = [mail for mail in new if not mail.truncated]
    raw_ids = dict(
        zip((mail.uid for mail in whole), archive.put_many(session, [mail.raw for mail in whole]), strict=True)
    )
    for mail in new:
        if mail.truncated:
            raw_ids[mail.uid] = archive.put(session, mail.raw, truncated=True)
    erased = erased_among(session, sorted(raw_ids.values()))
    if new:
        values = [
            {
                "mailbox": mailbox,
                "folder": folder,
                "uidvalidity": uidvalidity,
                "uid": mail.uid,
                "raw_id": raw_ids[mail.uid],
                "problem": mail.problem[:500],
                "received_at": mail.internal_date,
                "order_at": order_time(mail.raw, mail.internal_date),
                "kept_at": now,
                "outcome": "ignored" if raw_ids[mail.uid] in erased else "pending",
                "outcome_reason": REASON if raw_ids[mail.uid] in erased else "",
            }
            for mail in new
        ]
        session.execute(insert(Location), values)
        if later := [mail.uid for mail in new if mail.again and raw_ids[mail.uid] not in erased]:
            note_parts(session, Folder(mailbox, folder, uidvalidity).of(Location), later, now)
    _move_cursor(session, mailbox, folder, uidvalidity, max([*uids, *gone], default=0), now)
    return len(batch) - len(known)


def order_time(raw: bytes, received: datetime) -> datetime:
    """The time by which mail is put in order: when it was written, as far as that can be believed.

    A millisecond for each id it refers to: an answer comes after what it answers, though both bear the same second.
    """
    written = plausible_time(header_date(raw), received)
    references = _REFERENCES.search(raw, 0, 65_536)
    ancestors = min(references[1].count(b"<"), _MOST_ANCESTORS) if references else 0
    return written + timedelta(milliseconds=ancestors)


def keep_own(session: Session, archive: Archive, raw: bytes, number: int, now: datetime) -> None:
    """A mail of ours that left: it lies in the mailbox `outbox` under its number there, and starts nothing."""
    session.add(
        Location(
            mailbox="outbox",
            folder="sent",
            uidvalidity=1,
            uid=number,
            raw_id=archive.put(session, raw),
            received_at=now,
            order_at=now,
            kept_at=now,
            may_start=False,
        )
    )


def header_date(raw: bytes) -> datetime | None:
    """The Date header, read quickly and only for ordering; None when it is missing or broken."""
    match = _DATE_HEADER.search(raw, 0, 65_536)
    if match is None:
        return None
    try:
        date = parsedate_to_datetime(match[1].decode("ascii", "replace").strip())
    except (ValueError, IndexError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


def _move_cursor(session: Session, mailbox: str, folder: str, uidvalidity: int, uid: int, now: datetime) -> None:
    cursor = session.get(FolderCursor, (mailbox, folder))
    if cursor is None:
        session.add(FolderCursor(mailbox=mailbox, folder=folder, uidvalidity=uidvalidity, last_uid=uid, read_at=now))
        return
    if cursor.uidvalidity != uidvalidity:
        cursor.uidvalidity, cursor.last_uid = uidvalidity, uid
    cursor.last_uid = max(cursor.last_uid, uid)
    cursor.read_at = now


class StoreSink:
    """Where the mailbox reader puts what it fetched. Compares with the server every `reconcile_every`; None is never."""

    def __init__(
        self, database: Database, archive: Archive, clock: Clock, reconcile_every: timedelta | None = None
    ) -> None:
        self._database = database
        self._archive = archive
        self._clock = clock
        self._reconcile_every = reconcile_every
        self._leases = Leases(database, clock, READING_LEASE)
        self._lease = threading.local()
        self.states: dict[str, tuple[str, str]] = {}
        """Per mailbox: its last state and detail, for the health file."""
        self.troubles: dict[str, datetime] = {}
        """Per mailbox that cannot be read: since when."""
        self.accounts: dict[str, dict[str, object]] = {}
        """Per mailbox: when it was last compared with the server and what was missing, for the health file."""

    def cursor(self, mailbox: str, folder: str) -> Cursor | None:
        """How far the folder was read, or None when it never was."""
        with self._database.session() as session:
            found = session.get(FolderCursor, (mailbox, folder))
            return Cursor(found.uidvalidity, found.last_uid) if found else None

    @contextmanager
    def reading(self, mailbox: str, folder: str) -> Iterator[None]:
        with self._leases.holding(f"reading {mailbox} {folder}", READING_PATIENCE) as lease:
            self._lease.held = lease
            try:
                yield
            finally:
                self._lease.held = None

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        """A transaction in which nobody else keeps mail; undone when the folder is another worker's meanwhile."""
        with self._database.alone() as session:
            lease: Lease | None = getattr(self._lease, "held", None)
            if lease is not None:
                self._leases.renew(session, lease)
            yield session

    def begin(self, mailbox: str, folder: str, uidvalidity: int, uidnext: int, old: int | None) -> None:
        """The folder is new or was rebuilt: everything is read, and what is known is recognised by its content."""
        with self._writing() as session:
            cursor = session.get(FolderCursor, (mailbox, folder))
            if cursor is None:
                cursor = FolderCursor(mailbox=mailbox, folder=folder)
                session.add(cursor)
            cursor.uidvalidity, cursor.last_uid = uidvalidity, 0
            cursor.first_uidnext, cursor.read_at = uidnext, self._clock.now()
        if old is not None:
            _log.warning("folder_renumbered", mailbox=mailbox, folder=folder, old=old, new=uidvalidity)

    def keep(
        self, mailbox: str, folder: str, uidvalidity: int, batch: Sequence[FetchedMail], gone: Sequence[int] = ()
    ) -> None:
        with self._writing() as session:
            kept = keep_batch(session, self._archive, mailbox, folder, uidvalidity, batch, self._clock.now(), gone)
        _log.info("mail_kept", mailbox=mailbox, folder=folder, count=kept, gone=len(gone))

    def parts(self, mailbox: str, *, every: bool) -> Sequence[Part]:
        with self._database.reading() as session:
            return parts_of(session, mailbox, self._clock.now(), every=every)

    def try_part(self, mailbox: str, part: Part, *, every: bool) -> bool:
        with self._database.alone() as session:
            return count_attempt(session, mailbox, part, self._clock.now(), every=every)

    def complete(self, mailbox: str, part: Part, whole: FetchedMail) -> None:
        with self._database.alone() as session:
            raw_id = self._archive.put(session, whole.raw)
            replace_part(session, mailbox, part, raw_id, order_time(whole.raw, whole.internal_date))

    def give_up_part(self, mailbox: str, part: Part, why: str) -> None:
        with self._database.alone() as session:
            give_up(session, mailbox, part, why)

    def accounted(self, mailbox: str, folder: str, uidvalidity: int, first_uid: int, last_uid: int) -> set[int]:
        with self._database.reading() as session:
            return kept_uids(session, Folder(mailbox, folder, uidvalidity), first_uid, last_uid)

    def reconcile_due(self, mailbox: str) -> bool:
        if self._reconcile_every is None:
            return False
        with self._database.reading() as session:
            last = last_reconciliation(session, mailbox)
        return last is None or self._clock.now() - last >= self._reconcile_every

    def reconciled(self, mailbox: str, folders: Sequence[FolderAccount]) -> None:
        now = self._clock.now()
        with self._database.alone() as session:  # another mailbox may be done at the same moment
            store_reconciliation(session, mailbox, folders, now)
        missing, fetched = (
            sum(found) for found in zip(*((item.missing, item.fetched) for item in folders), strict=True)
        )
        self.accounts[mailbox] = {"at": now.isoformat(), "missing": missing, "fetched": fetched}
        _log.info(
            "ledger_compared",
            mailbox=mailbox,
            missing=missing,
            fetched=fetched,
            on_server=sum(item.on_server for item in folders),
        )

    def status(self, mailbox: str, state: str, detail: str) -> None:
        self.states[mailbox] = (state, detail)
        if state in _TROUBLES:
            self.troubles.setdefault(mailbox, self._clock.now())
        elif state != "connecting":
            self.troubles.pop(mailbox, None)
        _log.info("mailbox_state", mailbox=mailbox, state=state, detail=detail)
