"""Every table, in the order a message meets them: kept, threaded, related, recorded, answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from assistant.store.types import UtcDateTime
from assistant.store.writing import write_in_order


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can speak of them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON, str: Text}  # noqa: RUF012  # SQLAlchemy reads it as a plain class attribute


UID = BigInteger().with_variant(Integer(), "sqlite")
"""UIDs and UIDVALIDITY go up to 2^32 - 1 (RFC 3501 section 2.3.1.1); SQLite's integers do anyway."""


# --- kept -----------------------------------------------------------------------------------------------------------


class RawMail(Base):
    """The exact bytes of a message, compressed; each content once."""

    __tablename__ = "raw_mail"

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    size: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    truncated: Mapped[bool] = mapped_column(default=False)
    erased_at: Mapped[datetime | None]
    """When the bytes were taken away, because somebody is to be forgotten or their time was over; the sum stays."""


class FolderCursor(Base):
    """How far a folder was read: everything up to `last_uid` of this UIDVALIDITY is kept."""

    __tablename__ = "folder_cursor"

    mailbox: Mapped[str] = mapped_column(String(200), primary_key=True)
    folder: Mapped[str] = mapped_column(String(200), primary_key=True)
    uidvalidity: Mapped[int] = mapped_column(UID)
    last_uid: Mapped[int] = mapped_column(UID)
    read_at: Mapped[datetime]
    first_uidnext: Mapped[int] = mapped_column(UID, default=0, server_default="0")
    """UIDNEXT when this numbering was first read: mail below it that is not there was gone before us."""


class Location(Base):
    """Where a message was seen, and what became of it. `outcome` is pending until interpretation settles it."""

    __tablename__ = "location"
    __table_args__ = (
        UniqueConstraint("mailbox", "folder", "uidvalidity", "uid"),
        Index("ix_location_outcome", "outcome", "order_at", "id"),
        Index("ix_location_raw", "raw_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox: Mapped[str] = mapped_column(String(200))
    folder: Mapped[str] = mapped_column(String(200))
    uidvalidity: Mapped[int] = mapped_column(UID)
    uid: Mapped[int] = mapped_column(UID)
    raw_id: Mapped[int] = mapped_column(ForeignKey("raw_mail.id"))
    problem: Mapped[str] = mapped_column(default="", server_default="")
    """Why only a part of the message is kept; empty when it is whole."""
    received_at: Mapped[datetime]
    order_at: Mapped[datetime]
    """When it was written as far as its header says: history is interpreted in this order."""
    kept_at: Mapped[datetime]
    may_start: Mapped[bool] = mapped_column(default=True)
    """False for imported history: it is logged, but no cadence begins with it."""
    outcome: Mapped[str] = mapped_column(String(20), default="pending")
    """pending | logged | duplicate | ignored | quarantined."""
    outcome_reason: Mapped[str] = mapped_column(default="")
    record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"))


class UidGap(Base):
    """UIDs that the server gave out, and whose mail people moved or deleted before it was read: accounted for, not kept."""

    __tablename__ = "uid_gap"

    mailbox: Mapped[str] = mapped_column(String(200), primary_key=True)
    folder: Mapped[str] = mapped_column(String(200), primary_key=True)
    uidvalidity: Mapped[int] = mapped_column(UID, primary_key=True)
    first_uid: Mapped[int] = mapped_column(UID, primary_key=True)
    last_uid: Mapped[int] = mapped_column(UID)
    reason: Mapped[str] = mapped_column(String(20))
    """vanished: shown, gone before it was read | skipped: given out, never shown."""
    noticed_at: Mapped[datetime]


class Quarantine(Base):
    """A message that broke a phase: kept with phase and reason until someone retries or dismisses it."""

    __tablename__ = "quarantine"

    id: Mapped[int] = mapped_column(primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"), unique=True)
    raw_id: Mapped[int] = mapped_column(ForeignKey("raw_mail.id"))
    phase: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str]
    since: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=1)
    settled_at: Mapped[datetime | None]


# --- threaded -------------------------------------------------------------------------------------------------------


class Thread(Base):
    """One conversation. A merged thread keeps its row and points to the one it became."""

    __tablename__ = "thread"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(default="")
    started_at: Mapped[datetime]
    last_at: Mapped[datetime]
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"), index=True)
    project_confidence: Mapped[float] = mapped_column(default=0.0)
    project_evidence: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime | None]
    """The time (`Location.order_at`) of the mail that decided its project; None: nothing did, or a person."""
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("thread.id"))
    continues_id: Mapped[int | None] = mapped_column(ForeignKey("thread.id"))
    """Weak evidence, apart from the ids: the thread that this one probably goes on from."""
    continues_evidence: Mapped[str] = mapped_column(default="", server_default="")


class ThreadKey(Base):
    """An id that belongs to a thread: of a message, a ghost (seen in References only) or an alias."""

    __tablename__ = "thread_key"

    message_id: Mapped[str] = mapped_column(String(998), primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))


# --- related --------------------------------------------------------------------------------------------------------


class Client(Base):
    """A company, or a person writing from free mail."""

    __tablename__ = "client"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(String(10), default="company")
    country: Mapped[str] = mapped_column(String(8), default="")
    language: Mapped[str] = mapped_column(String(12), default="")
    timezone: Mapped[str] = mapped_column(String(64), default="")
    owner: Mapped[str] = mapped_column(default="")
    """The addr-spec of the staff member who answers for this client."""
    tags: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime]
    known_since: Mapped[datetime | None]
    """The time (`Location.order_at`) of the mail that made it known; None: a person did."""
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("client.id"))


class ClientDomain(Base):
    """A mail domain, or for free mail a whole address, that belongs to a client."""

    __tablename__ = "client_domain"

    domain: Mapped[str] = mapped_column(String(320), primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)


class Contact(Base):
    """A person at a client."""

    __tablename__ = "contact"

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    addr_spec: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(default="")
    role: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(String(40), default="", server_default="")
    language: Mapped[str] = mapped_column(String(12), default="")
    country: Mapped[str] = mapped_column(String(8), default="")
    timezone: Mapped[str] = mapped_column(String(64), default="")
    tags: Mapped[list[Any]] = mapped_column(default=list)
    absent_until: Mapped[date | None]
    birthday: Mapped[str] = mapped_column(String(10), default="")
    """`MM-DD`, or empty."""
    since: Mapped[date | None]
    created_at: Mapped[datetime]
    known_since: Mapped[datetime | None]
    """The time (`Location.order_at`) of the mail that made the person known; None: a person did."""
    last_inbound_at: Mapped[datetime | None]
    formerly_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    """The same person at the company they worked for before."""


class Suppression(Base):
    """An address that gets no automatic mail, in which scope, why, and when to look again."""

    __tablename__ = "suppression"
    __table_args__ = (UniqueConstraint("addr_spec", "scope", "thread_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    addr_spec: Mapped[str] = mapped_column(String(320), index=True)
    scope: Mapped[str] = mapped_column(String(20))
    """thread | follow-ups | greetings | all, or delivery for an address that bounces."""
    thread_id: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(40))
    evidence: Mapped[str] = mapped_column(default="")
    since: Mapped[datetime]
    review_at: Mapped[datetime | None]


class Project(Base):
    """One piece of work for one client, and where it stands."""

    __tablename__ = "project"
    __table_args__ = (Index("ix_project_waiting", "state", "waiting_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    name: Mapped[str]
    owner: Mapped[str] = mapped_column(default="")
    stage: Mapped[str] = mapped_column(String(20), default="discovery")
    stage_since: Mapped[datetime]
    stage_confidence: Mapped[float] = mapped_column(default=0.0)
    state: Mapped[str] = mapped_column(String(12), default="running")
    """running | paused | lost | over."""
    waiting_on: Mapped[str] = mapped_column(String(10), default="nobody")
    waiting_since: Mapped[datetime | None]
    waiting_record_id: Mapped[int | None]
    waiting_evidence: Mapped[str] = mapped_column(default="")
    opened_at: Mapped[datetime]
    known_since: Mapped[datetime | None]
    """The time (`Location.order_at`) of the mail that began it; None: a person did."""
    last_at: Mapped[datetime]
    tags: Mapped[list[Any]] = mapped_column(default=list)
    value: Mapped[float | None]
    currency: Mapped[str] = mapped_column(String(3), default="")


class StageChange(Base):
    """One step of a project's stage history, with what showed it."""

    __tablename__ = "stage_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    from_stage: Mapped[str] = mapped_column(String(20), default="")
    to_stage: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]
    record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"))
    confidence: Mapped[float]
    evidence: Mapped[str] = mapped_column(default="")
    asked: Mapped[bool] = mapped_column(default=False)


# --- recorded -------------------------------------------------------------------------------------------------------


class Record(Base):
    """One contact with a client, whatever the channel: the communication record."""

    __tablename__ = "record"
    __table_args__ = (
        Index("ix_record_project", "project_id", "sent_at"),
        Index("ix_record_client", "client_id", "sent_at"),
        Index("ix_record_thread", "thread_id", "sent_at"),
        Index("ix_record_sent", "sent_at", "id"),
        Index("ix_record_message_id", "message_id"),
        Index("ix_record_subject_key", "subject_key"),
        Index(
            "ix_record_absence",
            "contact_id",
            sqlite_where=text("kind = 'auto_reply'"),
            postgresql_where=text("kind = 'auto_reply'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(String(998))
    fingerprint: Mapped[str] = mapped_column(String(64), default="")
    raw_id: Mapped[int | None] = mapped_column(ForeignKey("raw_mail.id"), index=True)
    sent_at: Mapped[datetime]
    received_at: Mapped[datetime]
    logged_at: Mapped[datetime]
    channel: Mapped[str] = mapped_column(String(12), default="email")
    direction: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(20))
    automatic: Mapped[bool] = mapped_column(default=False)
    """Written by the assistant itself."""
    originator: Mapped[str] = mapped_column(String(320), default="")
    originator_name: Mapped[str] = mapped_column(default="")
    recipients: Mapped[list[Any]] = mapped_column(default=list)
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"))
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("thread.id"))
    trust: Mapped[str] = mapped_column(String(12), default="none")
    """Proof of the sender: pass | fail | none."""
    subject: Mapped[str] = mapped_column(default="")
    base_subject: Mapped[str] = mapped_column(default="")
    subject_key: Mapped[str] = mapped_column(String(32), default="", server_default="")
    """A digest of the base subject without spaces and case: by it mail that lost its references is looked for."""
    thread_index: Mapped[str] = mapped_column(String(44), default="", server_default="")
    """Outlook's Thread-Index, the part that all answers share."""
    is_answer: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(String(12), default="")
    reply_text: Mapped[str] = mapped_column(default="")
    summary: Mapped[str] = mapped_column(default="")
    stage: Mapped[str] = mapped_column(String(20), default="")
    stage_confidence: Mapped[float] = mapped_column(default=0.0)
    stage_evidence: Mapped[str] = mapped_column(default="")
    stage_probabilities: Mapped[list[Any]] = mapped_column(default=list)
    text_probabilities: Mapped[list[Any]] = mapped_column(default=list)
    model: Mapped[str] = mapped_column(String(40), default="")
    context: Mapped[str] = mapped_column(String(16), default="", server_default="")
    """A digest of the history it was read in: while that is the same, reading again would say the same."""
    intents: Mapped[list[Any]] = mapped_column(default=list)
    """`[[id, confidence, evidence], …]`."""
    approval: Mapped[str] = mapped_column(String(20), default="")
    waiting_on: Mapped[str] = mapped_column(String(10), default="nobody")
    waiting_evidence: Mapped[str] = mapped_column(default="")
    attachments: Mapped[list[Any]] = mapped_column(default=list)
    defects: Mapped[list[Any]] = mapped_column(default=list)
    evidence: Mapped[list[Any]] = mapped_column(default=list)
    may_start: Mapped[bool] = mapped_column(default=True)


class SignOff(Base):
    """What was approved, by whom, when, in which message."""

    __tablename__ = "sign_off"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"), index=True)
    what: Mapped[str] = mapped_column(String(20))
    by: Mapped[str]
    at: Mapped[datetime]
    evidence: Mapped[str]
    confidence: Mapped[float]


class OpenItem(Base):
    """A change request, complaint, question or commitment that someone must settle."""

    __tablename__ = "open_item"
    __table_args__ = (Index("ix_open_item_open", "project_id", "settled_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    """change_request | complaint | question | commitment | task."""
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"), index=True)
    record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"), index=True)
    by: Mapped[str] = mapped_column(String(10))
    """Who must act: us | client."""
    owner: Mapped[str] = mapped_column(default="")
    what: Mapped[str]
    opened_at: Mapped[datetime]
    due: Mapped[date | None]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str] = mapped_column(default="")
    dedupe_key: Mapped[str | None] = mapped_column(String(200), unique=True)


class Correction(Base):
    """A label that a person set right. Survives `assistant rebuild`: it is kept by Message-ID."""

    __tablename__ = "correction"
    __table_args__ = (Index("ix_correction_message_id", "message_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(String(998))
    field: Mapped[str] = mapped_column(String(20))
    value: Mapped[str]
    previous: Mapped[str] = mapped_column(default="")
    by: Mapped[str]
    at: Mapped[datetime]


# --- answered -------------------------------------------------------------------------------------------------------


class CadenceRunRow(Base):
    """A cadence under way for a project (`assistant.model.cadence.CadenceRun`), and when its next step is due."""

    __tablename__ = "cadence_run"
    __table_args__ = (
        UniqueConstraint("project_id", "cadence", "anchor_record_id"),
        Index("ix_cadence_run_due", "status", "due_at"),
        Index("ix_cadence_run_contact", "contact_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    cadence: Mapped[str] = mapped_column(String(120))
    version: Mapped[str] = mapped_column(String(64))
    definition: Mapped[str] = mapped_column(default="")
    """The cadence as it was when this run began: edits to the file do not change what is under way."""
    anchor_record_id: Mapped[int] = mapped_column(ForeignKey("record.id"))
    anchor_sent_at: Mapped[datetime]
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id"))
    step_index: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    paused_until: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(String(12), default="active")
    """active | paused | stopped | completed."""
    reason: Mapped[str] = mapped_column(String(40), default="")
    detail: Mapped[str] = mapped_column(default="")
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    last_sent_at: Mapped[datetime | None]
    sent_count: Mapped[int] = mapped_column(default=0)
    delayed_business_days: Mapped[int] = mapped_column(default=0)


class OutboxMessage(Base):
    """One mail of ours: exact bytes and Message-ID stored before anything is sent."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "state", "due_at"),
        Index("ix_outbox_settled", "audience", "settled_at"),
        Index("ix_outbox_message_id", "message_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(String(300), unique=True)
    message_id: Mapped[str] = mapped_column(String(998))
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    envelope_from: Mapped[str] = mapped_column(String(320))
    recipients: Mapped[list[Any]]
    subject: Mapped[str] = mapped_column(default="")
    purpose: Mapped[str] = mapped_column(String(20))
    """follow-up | greeting | reminder | summary | digest | notice."""
    audience: Mapped[str] = mapped_column(String(10))
    """client | staff."""
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"), index=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("thread.id"))
    anchor_record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("cadence_run.id"), index=True)
    rule: Mapped[str] = mapped_column(String(120), default="")
    rule_version: Mapped[str] = mapped_column(String(64), default="")
    step: Mapped[int] = mapped_column(default=0)
    template: Mapped[str] = mapped_column(String(120), default="")
    language: Mapped[str] = mapped_column(String(12), default="")
    release: Mapped[str] = mapped_column(String(20), default="now")
    state: Mapped[str] = mapped_column(String(20), default="queued")
    """waiting_approval | queued | claimed | sent | deferred | refused | uncertain | cancelled | vetoed."""
    reason: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str] = mapped_column(String(80), default="")
    claimed_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    settled_at: Mapped[datetime | None]
    answer_code: Mapped[int | None]
    answer_text: Mapped[str] = mapped_column(default="")
    results: Mapped[list[Any]] = mapped_column(default=list)
    """Per recipient: `[addr_spec, accepted, code, text, permanent]`."""
    decided_by: Mapped[str] = mapped_column(default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


class StaffNote(Base):
    """Something a colleague is to be told once; bundled into one mail when `not_before` has come."""

    __tablename__ = "staff_note"
    __table_args__ = (Index("ix_staff_note_open", "outbox_id", "not_before"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(String(300), unique=True)
    kind: Mapped[str] = mapped_column(String(30))
    to_address: Mapped[str] = mapped_column(String(320))
    urgent: Mapped[bool] = mapped_column(default=False)
    not_before: Mapped[datetime]
    text: Mapped[str] = mapped_column(default="")
    rule: Mapped[str] = mapped_column(String(120), default="")
    rule_version: Mapped[str] = mapped_column(String(64), default="")
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"))
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    outbox_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"))


class WorkLease(Base):
    """Something that one of several workers does at a time, who does it, and until when (`assistant.store.leases`)."""

    __tablename__ = "work_lease"

    name: Mapped[str] = mapped_column(String(400), primary_key=True)
    holder: Mapped[str] = mapped_column(String(80), default="")
    until: Mapped[datetime]
    fence: Mapped[int] = mapped_column(default=0)


class Setting(Base):
    """Small facts about the installation itself: last tick, last summary, model in use."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[dict[str, Any]]


class AuditEntry(Base):
    """Append-only (the database refuses changes, see `assistant.store.audit`): who or which rule decided what, about what."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    who: Mapped[str]
    event: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(120))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


write_in_order(Base)
