"""A colleague's reply to a veto digest or an approval request: obeyed with proof of the sender, else answered with why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.desk.orders import Order, Verb, read_orders
from assistant.desk.wording import refusal_mail
from assistant.model.cadence import StaffFacts
from assistant.model.people import Directory
from assistant.rendering.staff_mail import StaffMail
from assistant.store.tables import AuditEntry, OutboxMessage, Record
from parsers import Message

_log = structlog.get_logger("assistant.desk")

Decide = Callable[[Session, int, str, datetime], bool]
"""Stops or approves one mail of the outbox: (session, number, by whom, now) → whether something changed."""

_LONGEST_WAIT = timedelta(days=60)
"""No mail waits longer than this before its owner is told of it."""

Why = Literal["no-proof", "not-understood", "which", "not-in-digest", "too-late"]


@dataclass(frozen=True, slots=True)
class Deciders:
    """What an order does; the outbox room gives both."""

    stop: Decide
    approve: Decide


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a reply: numbers stopped and approved, and the mail to its sender when not all of it was done."""

    stopped: tuple[int, ...] = ()
    approved: tuple[int, ...] = ()
    notice: StaffMail | None = None


def hear_reply(
    session: Session, record: Record, message: Message, directory: Directory, deciders: Deciders, now: datetime
) -> Heard | None:
    """Does what a colleague's reply to a digest says. None when the message is no such reply.

    Only a listed colleague whose mail the configured server vouches for (`trust` is "pass") is obeyed; of anybody else
    and of anything that is no order the sender gets one notice with the reason, and nothing changes.
    """
    if record.kind != "human" or record.automatic or record.direction != "internal":
        return None
    digest = _digest_answered(session, message)
    person = directory.person(record.originator)
    if digest is None or person is None:
        return None
    if record.trust != "pass":
        _log.warning("reply_not_obeyed", record=record.id, reason="no-proof", trust=record.trust)
        _audit(session, person, "reply-not-obeyed", record, {"reason": "no-proof", "trust": record.trust}, now)
        return Heard(notice=refusal_mail(person, record.id, "no-proof", (), now))
    return _obey(session, record, message, digest, person, deciders, now)


def _obey(
    session: Session,
    record: Record,
    message: Message,
    digest: OutboxMessage,
    person: StaffFacts,
    deciders: Deciders,
    now: datetime,
) -> Heard:
    listed = mails_of_digest(session, digest)
    read = read_orders(message.reply)
    if not read.obeyed:
        return _refused(session, record, person, "not-understood", (), now)
    wanted: dict[int, Verb] = {}
    for order in sorted(read.obeyed, key=lambda order: order.verb == "stop"):  # a stop has the last word
        numbers, why = _meant(order, listed)
        if why is not None:
            return _refused(session, record, person, why, numbers, now)
        wanted.update(dict.fromkeys(numbers, order.verb))
    done: dict[Verb, list[int]] = {"stop": [], "approve": []}
    late: list[int] = []
    for number, verb in sorted(wanted.items()):
        decide = deciders.stop if verb == "stop" else deciders.approve
        (done[verb] if decide(session, number, person.address, now) else late).append(number)
    _log.info("reply_obeyed", record=record.id, stopped=done["stop"], approved=done["approve"], late=late)
    details = {"stopped": done["stop"], "approved": done["approve"], "late": late}
    _audit(session, person, "reply-obeyed", record, details, now)
    notice = refusal_mail(person, record.id, "too-late", late, now) if late else None
    return Heard(tuple(done["stop"]), tuple(done["approve"]), notice)


def _meant(order: Order, listed: Sequence[int]) -> tuple[tuple[int, ...], Why | None]:
    """The mails an order speaks of; or those that it cannot mean, with the reason."""
    if order.numbers:
        strange = tuple(number for number in order.numbers if number not in listed)
        return (strange, "not-in-digest") if strange else (order.numbers, None)
    if order.everything or len(listed) == 1:
        return tuple(listed), None
    return tuple(listed), "which"


def _digest_answered(session: Session, message: Message) -> OutboxMessage | None:
    """The digest that the message answers by In-Reply-To, or the latest named in its References."""
    named = [*((message.in_reply_to,) if message.in_reply_to else ()), *reversed(message.references)]
    if not named:
        return None
    rows = session.scalars(
        select(OutboxMessage).where(
            OutboxMessage.message_id.in_(named[:50]),
            OutboxMessage.audience == "staff",
            OutboxMessage.purpose == "digest",
        )
    ).all()
    return min(rows, key=lambda row: named.index(row.message_id), default=None)


def mails_of_digest(session: Session, digest: OutboxMessage) -> tuple[int, ...]:
    """The numbers of the mails that a digest told of.

    A mail keeps when its owner was told (`details.told_at`), which is when the digest was made.
    """
    told = digest.created_at.isoformat()
    kind, address = digest.dedupe_key.split(":")[1:3]
    rows = session.execute(
        select(OutboxMessage.id, OutboxMessage.release, OutboxMessage.details)
        .where(
            OutboxMessage.audience == "client",
            OutboxMessage.created_at <= digest.created_at,
            OutboxMessage.created_at >= digest.created_at - _LONGEST_WAIT,
        )
        .order_by(OutboxMessage.id)
    )
    return tuple(
        row.id
        for row in rows
        if row.details.get("told_at") == told
        and row.release.startswith("veto") == (kind == "veto")
        and row.details.get("owner") in (address, "", None)
    )


def _refused(
    session: Session, record: Record, person: StaffFacts, why: Why, numbers: Sequence[int], now: datetime
) -> Heard:
    _log.info("reply_not_obeyed", record=record.id, reason=why)
    _audit(session, person, "reply-not-obeyed", record, {"reason": why, "numbers": list(numbers)}, now)
    return Heard(notice=refusal_mail(person, record.id, why, numbers, now))


def _audit(
    session: Session, person: StaffFacts, event: str, record: Record, details: Mapping[str, object], now: datetime
) -> None:
    session.add(
        AuditEntry(at=now, who=person.address, event=event, subject=f"record:{record.id}", details=dict(details))
    )
