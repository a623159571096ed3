"""What automatic mail and short wishes change: absences, bounces, opt-outs. Facts for the cadence, no answers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from assistant.model.opt_out import read_opt_out
from assistant.model.people import Directory
from assistant.model.report_proof import proof_of_report
from assistant.store.audit import note_decision, says_something
from assistant.store.bounces import UNPROVED, Reported, reported_mail
from assistant.store.outbox import BOUNCED
from assistant.store.suppressions import REVIEW_AFTER, may_be_suppressed, suppress
from assistant.store.tables import AuditEntry, Contact, OutboxMessage, Record, Suppression
from parsers import Message


def note_signals(
    session: Session, message: Message, record: Record, contact: Contact | None, directory: Directory, now: datetime
) -> None:
    """Stores what this message says about reaching its sender."""
    if message.kind == "bounce":
        _note_bounce(session, message, record, directory, now)
    elif message.kind == "auto_reply" and contact is not None:
        if message.absent_until is not None:
            contact.absent_until = message.absent_until
    elif record.direction == "inbound" and message.kind == "human" and contact is not None:
        if contact.last_inbound_at is None or record.sent_at > contact.last_inbound_at:
            contact.last_inbound_at = record.sent_at
        _lift_bounce(session, contact.addr_spec)
        if wish := read_opt_out(message.reply):
            scope, evidence = wish
            suppress(
                session,
                contact.addr_spec,
                scope,
                "opt-out",
                evidence,
                now,
                thread_id=(record.thread_id or 0) if scope == "thread" else 0,
            )


def _note_bounce(session: Session, message: Message, record: Record, directory: Directory, now: datetime) -> None:
    """Settles the mail that the report speaks of, and stops writing to addresses that are gone for good.

    A report that speaks of no mail of ours changes nothing: else whoever knows a client's address could silence us. One
    that speaks of one by recipient and time alone changes nothing either unless something shows that it is genuine; then
    a person is asked.
    """
    failed = [item.addr_spec for item in message.bounced]
    reported = reported_mail(session, message.bounced_message_id, failed, record.sent_at) if failed else None
    lost = any(item.permanent for item in message.bounced)
    if reported is None:
        if lost:
            details = {"record": record.id, "message_id": message.bounced_message_id or ""}
            note_decision(session, now, "assistant", "bounce-not-ours", "bounce", **details)
        return
    proof = "message-id"
    if not reported.by_id:
        proof = proof_of_report(message, reported.recipients, reported.subject, directory)
    record.evidence = [*record.evidence, ["report-proved-by", proof or "nothing"]]
    if proof:
        _believe(session, message, reported, now)
    else:
        said = {
            item.addr_spec.lower(): f"{item.status} {item.action}".strip() for item in message.bounced if item.permanent
        }
        claims = [[address, said[address]] for address in reported.recipients if address in said]
        details = {"claims": claims, "outbox": reported.outbox.id if reported.outbox is not None else None}
        if claims:
            note_decision(session, now, "assistant", UNPROVED, f"record:{record.id}", **details)


def believe_report(session: Session, record: Record, who: str, now: datetime) -> tuple[str, ...]:
    """Takes a report that nothing proves at its word, because a person says so.

    Returns the addresses that get no automatic mail any more; none where the record is no such report.
    """
    wanted = AuditEntry.event == UNPROVED, AuditEntry.subject == f"record:{record.id}"
    entry = session.scalar(select(AuditEntry).where(*wanted).order_by(AuditEntry.id.desc()).limit(1))
    if entry is None or not says_something(entry):
        return ()
    claims = [(str(address), str(evidence)) for address, evidence in entry.details["claims"]]
    for address, evidence in claims:
        suppress(session, address, "delivery", "bounce", evidence, now, review_at=now + REVIEW_AFTER)
    row = session.get(OutboxMessage, entry.details["outbox"]) if entry.details["outbox"] else None
    if row is not None:
        _settle_bounced(session, row, permanent=True, now=now)
    note_decision(session, now, who, "bounce-believed", entry.subject)
    return tuple(address for address, _ in claims)


def _believe(session: Session, message: Message, reported: Reported, now: datetime) -> None:
    permanent = {failed.addr_spec.lower(): failed for failed in message.bounced if failed.permanent}
    for address in reported.recipients:
        if (gone := permanent.get(address)) is not None:
            evidence = f"{gone.status} {gone.action}".strip()
            suppress(session, address, "delivery", "bounce", evidence, now, review_at=now + REVIEW_AFTER)
    if reported.outbox is not None:
        _settle_bounced(session, reported.outbox, permanent=bool(permanent), now=now)


def _settle_bounced(session: Session, row: OutboxMessage, *, permanent: bool, now: datetime) -> None:
    """A report proves that the server had taken the mail: what was uncertain is uncertain no more."""
    if row.state == "uncertain":
        row.state, row.settled_at, row.reason = "sent", row.settled_at or now, "a report speaks of it"
    if permanent and row.reason != BOUNCED:
        row.reason = BOUNCED
        note_decision(session, now, "assistant", "bounced", f"outbox:{row.id}")


def _lift_bounce(session: Session, addr_spec: str) -> None:
    """Somebody who writes can be reached again; of several bounces over the years the last one is remembered."""
    if not may_be_suppressed(session, addr_spec):
        return
    bounced = (Suppression.addr_spec == addr_spec, Suppression.reason == "bounce")
    latest = session.scalar(select(Suppression.id).where(*bounced, Suppression.scope != "lifted"))
    if latest is None:
        return
    session.execute(delete(Suppression).where(*bounced, Suppression.scope == "lifted"))
    session.execute(update(Suppression).where(Suppression.id == latest).values(scope="lifted"))
