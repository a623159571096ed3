"""Which mail of ours a delivery report speaks of, and how well it knows it. Anybody can write one that speaks of none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.store.tables import Contact, OutboxMessage, Record

_TRIED_FOR: Final = timedelta(days=5)
"""How long servers try before they give up and report (RFC 5321 §4.5.4.1)."""
UNPROVED: Final = "bounce-unproved"
"""The audit event of a report that fits a mail of ours and that nothing proves; its owner is asked."""
_LEFT: Final = ("sent", "uncertain", "sending", "refused", "deferred")


@dataclass(frozen=True, slots=True)
class Reported:
    """A mail of ours and those of its recipients that the report names. `outbox` is None for a colleague's own mail."""

    recipients: tuple[str, ...]
    outbox: OutboxMessage | None
    by_id: bool = True
    """Whether the report names its Message-ID. If not, it was found by recipient and time, which outsiders can guess."""
    subject: str = ""
    """Its subject, where it was found so and no other client had mail with the same one."""


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
            Contact.addr_spec.in_(addresses),
        )
        .order_by(OutboxMessage.settled_at.desc())
        .limit(1)
    )
    if found is not None:
        subject = found.subject if not _went_elsewhere(session, found) else ""
        return Reported(_among(found.recipients, addresses), found, by_id=False, subject=subject)
    return _by_colleague(session, addresses, at)


def _went_elsewhere(session: Session, mail: OutboxMessage) -> bool:
    """Whether somebody at another client has its subject in the inbox, as with greetings to all."""
    same = OutboxMessage.subject == mail.subject, OutboxMessage.audience == "client"
    other = select(OutboxMessage.id).where(*same, OutboxMessage.client_id.is_distinct_from(mail.client_id))
    return session.scalar(other.limit(1)) is not None


def _by_colleague(session: Session, addresses: set[str], at: datetime) -> Reported | None:
    """What a colleague wrote to one of these people lately, of which the assistant had a copy."""
    session.flush()
    written = session.execute(
        select(Contact.addr_spec, Record.subject, Record.client_id, Record.subject_key)
        .join(Record, Record.contact_id == Contact.id)
        .where(
            Contact.addr_spec.in_(addresses),
            Record.client_id == Contact.client_id,
            Record.direction == "outbound",
            Record.kind == "human",
            Record.sent_at <= at,
            Record.sent_at >= at - _TRIED_FOR,
        )
        .order_by(Record.sent_at.desc(), Record.id.desc())
    ).all()
    if not written:
        return None
    _, subject, client_id, key = written[0]
    elsewhere = select(Record.id).where(
        Record.subject_key == key, Record.direction == "outbound", Record.client_id.is_distinct_from(client_id)
    )
    known = session.scalar(elsewhere.limit(1)) is not None
    people = tuple(sorted({row[0] for row in written}))
    return Reported(people, None, by_id=False, subject="" if known else subject)


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
