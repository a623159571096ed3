"""Completes a record that was made from a part of its message, once the whole of it is there: in place, under its number."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from assistant.intake.interpretation import KEPT_IN_PART, Candidate, Interpretation
from assistant.store.hindsight import note_late
from assistant.store.tables import Location, Record, Thread

_FROM_BYTES: Final = (
    "message_id",
    "fingerprint",
    "raw_id",
    "sent_at",
    "direction",
    "kind",
    "automatic",
    "originator",
    "originator_name",
    "recipients",
    "thread_id",
    "trust",
    "subject",
    "base_subject",
    "subject_key",
    "thread_index",
    "is_answer",
    "language",
    "reply_text",
    "attachments",
    "defects",
    "evidence",
)
"""What the bytes alone tell. When it was received and logged, and what a person set right, stays."""


def shows_a_part(defects: list[Any]) -> bool:
    """Whether a record with these defects was made from a part of its message."""
    return any(defect[0] == KEPT_IN_PART for defect in defects)


def complete_record(
    session: Session, one: Interpretation, mail: Candidate, record: Record, thread: Thread | None
) -> None:
    """Everything that was read of the part is read anew with what was written after it (`intake.hindsight`)."""
    whole = one.blank_record(mail, thread)
    for name in _FROM_BYTES:
        setattr(record, name, getattr(whole, name))
    record.context, record.text_probabilities = "", []
    # The record is made from this copy now; one that is still a part is another of it.
    session.execute(
        update(Location)
        .where(Location.record_id == record.id, Location.id != mail.location.id, Location.outcome == "logged")
        .values(outcome="duplicate", outcome_reason=f"same as record {record.id}"),
        execution_options={"synchronize_session": "fetch"},
    )
    at = mail.location.order_at
    note_late(session, at, {record.client_id: at} if record.client_id is not None else {})
