"""Mail to colleagues: stored once by key like any other, but no guard holds it back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from assistant.outbox.compose import Letter, Person, compose, mint_message_id
from assistant.outbox.letters import Sender
from assistant.rendering.staff_mail import StaffMail
from assistant.store.outbox import enqueue
from assistant.store.restored import PLANNED
from assistant.store.secret import installation_secret
from assistant.store.tables import OutboxMessage, StaffNote


def queue_staff_mail(session: Session, mail: StaffMail, sender: Sender, now: datetime) -> OutboxMessage | None:
    """Stores the mail unless its key is there already; then returns None. The notes that it tells are done with it."""
    letter = Letter(
        originator=Person(sender.name, sender.address),
        to=(Person(mail.to_name, mail.to_address),),
        subject=mail.rendered.subject,
        text=mail.rendered.text,
        html=mail.rendered.html,
        date=max(mail.due_at, now),
        timezone=sender.agency_timezone,
        message_id=mint_message_id(sender.domain, installation_secret(session), *_identity(mail)),
        unsubscribe_address=sender.address if mail.purpose == "summary" else "",
        language=mail.rendered.language,
    )
    stored = enqueue(
        session,
        OutboxMessage(
            dedupe_key=mail.dedupe_key,
            message_id=letter.message_id,
            raw=compose(letter),
            envelope_from=sender.address,
            recipients=[mail.to_address],
            subject=mail.rendered.subject,
            purpose=mail.purpose,
            audience="staff",
            client_id=mail.client_id,
            project_id=mail.project_id,
            rule=mail.rule,
            rule_version=mail.rule_version,
            language=mail.rendered.language,
            state="queued",
            created_at=now,
            due_at=mail.due_at,
            results=[],
            details={PLANNED: (mail.planned_at or mail.due_at).isoformat()},
        ),
    )
    if stored is not None and mail.note_ids:
        told = update(StaffNote).where(StaffNote.id.in_(mail.note_ids), StaffNote.outbox_id.is_(None))
        session.execute(told.values(outbox_id=stored.id))
    return stored


def _identity(mail: StaffMail) -> tuple[str, ...]:
    """What makes it itself after a restore, too; the keys of notices and digests hold numbers, which come again."""
    own = "" if mail.purpose in {"reminder", "summary"} else mail.rendered.text
    return mail.purpose, mail.dedupe_key, mail.to_address, own
