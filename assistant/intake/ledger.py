"""The ledger: every UID that a server ever showed is kept, or stands in a gap with the reason why it is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from assistant.mail.reconcile import FolderAccount
from assistant.store.tables import AuditEntry, FolderCursor, Location, OutboxMessage, Quarantine, Setting, UidGap

SETTING: Final = "ledger"
_NAMED: Final = 50
"""So many missing UIDs are kept with the result of a comparison."""

Reason = Literal["vanished", "skipped"]


@dataclass(frozen=True, slots=True)
class Folder:
    """One numbering of one folder: UIDs mean something only within it (RFC 3501 section 2.3.1.1)."""

    mailbox: str
    name: str
    uidvalidity: int

    def of(self, table: type[Location | UidGap]) -> ColumnElement[bool]:
        return and_(table.mailbox == self.mailbox, table.folder == self.name, table.uidvalidity == self.uidvalidity)


def kept_uids(session: Session, folder: Folder, first_uid: int, last_uid: int) -> set[int]:
    """The UIDs in this range whose messages are kept, whatever became of them."""
    return set(
        session.scalars(select(Location.uid).where(folder.of(Location), Location.uid.between(first_uid, last_uid)))
    )


def account_for_gaps(session: Session, folder: Folder, uids: Sequence[int], gone: Sequence[int], now: datetime) -> None:
    """Before `uids` are kept and the cursor moves: what is `gone` has vanished, and what lies between the cursor and them
    was given out and never shown. A UID that turns up after all leaves its gap."""
    cursor = session.get(FolderCursor, (folder.mailbox, folder.name))
    if cursor is None or cursor.uidvalidity != folder.uidvalidity:
        for uid in sorted(gone):
            _note(session, folder, uid, uid, "vanished", now)
        return
    _close_gaps(session, folder, [uid for uid in uids if uid <= cursor.last_uid])
    vanished = set(gone)
    before = max(cursor.last_uid, cursor.first_uidnext - 1)
    for uid in sorted({*uids, *gone}):
        if uid > before + 1:
            _note(session, folder, before + 1, uid - 1, "skipped", now)
        if uid in vanished:
            _note(session, folder, uid, uid, "vanished", now)
        before = max(before, uid)


def _note(session: Session, folder: Folder, first: int, last: int, reason: Reason, now: datetime) -> None:
    known = session.get(UidGap, (folder.mailbox, folder.name, folder.uidvalidity, first))
    if known is not None:
        known.last_uid = max(known.last_uid, last)
        return
    session.add(
        UidGap(
            mailbox=folder.mailbox,
            folder=folder.name,
            uidvalidity=folder.uidvalidity,
            first_uid=first,
            last_uid=last,
            reason=reason,
            noticed_at=now,
        )
    )
    session.flush()


def _close_gaps(session: Session, folder: Folder, uids: Sequence[int]) -> None:
    for uid in uids:
        gap = session.scalar(select(UidGap).where(folder.of(UidGap), UidGap.first_uid <= uid, UidGap.last_uid >= uid))
        if gap is None:
            continue
        first, last, reason, noticed_at = gap.first_uid, gap.last_uid, gap.reason, gap.noticed_at
        session.delete(gap)
        session.flush()
        for start, end in ((first, uid - 1), (uid + 1, last)):
            if start <= end:
                _note(session, folder, start, end, "vanished" if reason == "vanished" else "skipped", noticed_at)


# --- comparing with the server --------------------------------------------------------------------------------------


def store_reconciliation(session: Session, mailbox: str, folders: Sequence[FolderAccount], now: datetime) -> None:
    """Remembers what a comparison found; a gap goes into the audit as well."""
    row = session.get(Setting, SETTING)
    if row is None:
        row = Setting(name=SETTING, value={})
        session.add(row)
    found = [{**asdict(account), "missing_uids": list(account.missing_uids[:_NAMED])} for account in folders]
    row.value = {**row.value, mailbox: {"at": now.isoformat(), "folders": found}}
    for account in folders:
        if not account.even:
            session.add(
                AuditEntry(
                    at=now,
                    who="assistant",
                    event="ledger-gap",
                    subject=f"folder:{account.folder}"[:120],
                    details={"missing": account.missing, "fetched": account.fetched, "error": account.error},
                )
            )


def last_reconciliation(session: Session, mailbox: str) -> datetime | None:
    """When this mailbox was last compared with the server."""
    row = session.get(Setting, SETTING)
    found = row.value.get(mailbox) if row is not None else None
    return datetime.fromisoformat(found["at"]) if found else None


def reconciliations(session: Session) -> dict[str, dict[str, Any]]:
    """Per mailbox the last comparison: `at` (ISO 8601) and `folders`, each with the fields of a FolderAccount."""
    row = session.get(Setting, SETTING)
    return dict(row.value) if row is not None else {}


def is_canary(session: Session, message_id: str) -> bool:
    """Whether this is a mail that we sent to ourselves to see whether it comes back."""
    sent = select(OutboxMessage.id).where(OutboxMessage.message_id == message_id, OutboxMessage.purpose == "canary")
    return session.scalar(sent.limit(1)) is not None


# --- what is in the ledger ------------------------------------------------------------------------------------------


def ledger_rows(session: Session) -> Iterator[dict[str, Any]]:
    """Per folder, outcome and rule: how many messages the server showed and what became of them."""
    # Of what was ignored the reason is the rule; of other outcomes it names single records or phases.
    rule = func.coalesce(func.nullif(Location.outcome_reason, ""), "").label("rule")
    ignored = (
        select(
            Location.mailbox,
            Location.folder,
            Location.uidvalidity,
            Location.outcome,
            rule,
            func.count(),
            func.max(Location.uid),
        )
        .where(Location.outcome == "ignored")
        .group_by(Location.mailbox, Location.folder, Location.uidvalidity, Location.outcome, rule)
    )
    others = (
        select(
            Location.mailbox,
            Location.folder,
            Location.uidvalidity,
            Location.outcome,
            func.count(),
            func.max(Location.uid),
        )
        .where(Location.outcome != "ignored")
        .group_by(Location.mailbox, Location.folder, Location.uidvalidity, Location.outcome)
    )
    gaps = select(
        UidGap.mailbox,
        UidGap.folder,
        UidGap.uidvalidity,
        UidGap.reason,
        func.sum(UidGap.last_uid - UidGap.first_uid + 1),
        func.max(UidGap.last_uid),
    ).group_by(UidGap.mailbox, UidGap.folder, UidGap.uidvalidity, UidGap.reason)
    rows = [_row(*found) for found in session.execute(ignored)]
    rows += [_row(*found[:4], "", *found[4:]) for found in session.execute(others)]
    rows += [_row(*found[:4], "", int(found[4]), found[5]) for found in session.execute(gaps)]
    yield from sorted(
        rows, key=lambda row: (row["mailbox"], row["folder"], row["uidvalidity"], row["outcome"], row["rule"])
    )


def _row(
    mailbox: str, folder: str, uidvalidity: int, outcome: str, rule: str, messages: int, last_uid: int
) -> dict[str, Any]:
    return {
        "mailbox": mailbox,
        "folder": folder,
        "uidvalidity": uidvalidity,
        "outcome": outcome,
        "rule": rule,
        "messages": messages,
        "last_uid": last_uid,
    }


def unaccounted(session: Session) -> list[tuple[int, str]]:
    """Locations whose outcome lacks its consequence: (id, what is wrong). Empty unless something has a fault."""
    quarantined = exists().where(Quarantine.location_id == Location.id, Quarantine.settled_at.is_(None))
    wrong = {
        "logged or duplicate, without a record": and_(
            Location.outcome.in_(("logged", "duplicate")), Location.record_id.is_(None)
        ),
        "quarantined, without an entry in quarantine": and_(Location.outcome == "quarantined", ~quarantined),
        "ignored, without a rule": and_(Location.outcome == "ignored", Location.outcome_reason == ""),
        "in no known state": ~or_(
            Location.outcome.in_(("pending", "logged", "duplicate", "ignored", "quarantined")),
        ),
    }
    return [
        (found, text)
        for text, condition in wrong.items()
        for found in session.scalars(select(Location.id).where(condition))
    ]
