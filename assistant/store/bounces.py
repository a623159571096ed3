"""Which mail of ours a delivery report speaks of. A report that speaks of none is not believed: anybody can write one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.store.tables import Contact, OutboxMessage, Record

_TRIED_FOR: Final = timedelta(days=5)
"""How long servers try before they give up and report (RFC 5321 §4.5.4.1)."""
_LEFT: Final = ("sent", "uncertain", "sending", "refused", "deferred")


@dataclass(frozen=True, slots=True)
class Reported:
    """A mail of ours and those of its recipients that the report names. `outbox` is None for a colleague's own mail."""

    recipients: tuple[str, ...]
    outbox: OutboxMessage | None


def reported_mail(session: Session, message_id: str | None, failed: Sequence[str], at: datetime) -> Reported | None:
    """The mail by the Message-ID in the report; only where the report has none, by recipient and time.

    `failed` are the addresses that the report names, `at` is when it was written. None when no mail of ours fits.
    """
    addresses = {address.lower() for address in failed}
    if message_id:
        return _by_id(session, message_id, addresses)
    found = session.scalar(
        select(OutboxMessage)
        .join(Contact, Contact.id == OutboxMessage.contact_id)
        .where(
            OutboxMessage.state.in_(("sent", "uncertain")),
            OutboxMessage.settled_at <= at + timedelta(minutes=5),
            OutboxMessage.settled_at >= at - _TRIED_FOR,
            func.lower(Contact.addr_spec).in_(addresses),
        )
        .order_by(OutboxMessage.settled_at.desc())
        .limit(1)
    )
    if found is not None:
        return Reported(_among(found.recipients, addresses), found)
    return _by_colleague(session, addresses, at)


def _by_colleague(session: Session, addresses: set[str], at: datetime) -> Reported | None:
    """What a colleague wrote to one of these people lately, of which the assistant had a copy."""
    session.flush()
    written = session.scalars(
        select(func.lower(Contact.addr_spec))
        .join(Record, Record.contact_id == Contact.id)
        .where(
            func.lower(Contact.addr_spec).in_(addresses),
            Record.client_id == Contact.client_id,
            Record.direction == "outbound",
            Record.kind == "human",
            Record.sent_at <= at,
            Record.sent_at >= at - _TRIED_FOR,
        )
        .distinct()
    ).all()
    return Reported(tuple(sorted(written)), None) if written else None


def _by_id(session: Session, message_id: str, addresses: set[str]) -> Reported | None:
    row = session.scalar(
        select(OutboxMessage).where(OutboxMessage.message_id == message_id, OutboxMessage.state.in_(_LEFT)).limit(1)
    )
    if row is not None:
        return Reported(_among(row.recipients, addresses), row)
    session.flush()
    record = session.scalar(
        select(Record).where(Record.message_id == message_id, Record.direction == "outbound").limit(1)
    )
    if record is None:
        return None
    return Reported(_among([_address(item) for item in record.recipients], addresses), None)


def _address(item: object) -> str:
    """Of a recipient as records keep them: `[name, addr_spec]`, or the address alone."""
    return str(item[-1]) if isinstance(item, (list, tuple)) and item else str(item)


def _among(recipients: Sequence[object], addresses: set[str]) -> tuple[str, ...]:
    return tuple(str(address).lower() for address in recipients if str(address).lower() in addresses)
