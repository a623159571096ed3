"""The facts that `parse` returns: frozen, hashable where it is useful, free of behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date as calendar_date
from datetime import datetime

KINDS = (
    "human",
    "bounce",
    "auto_reply",
    "receipt",
    "feedback_report",
    "calendar_reply",
    "list",
    "notification",
    "spam",
)
"""Every value that `Message.kind` may take, most machine-like evidence first looked at."""

LANGUAGES = ("zh-Hans", "zh-Hant", "en", "mixed", "unknown")


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of RFC 5322 §3.4: display name (decoded, may be empty) and addr-spec (domain in lower case)."""

    name: str
    addr_spec: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """One part that is not body text. `size` is in bytes after transfer decoding; `sha256` is hexadecimal."""

    filename: str
    content_type: str
    size: int
    sha256: str
    content_id: str | None = None
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Defect:
    """Something that had to be repaired, guessed or cut. `code` is stable and kebab-case, `where` a header or part."""

    code: str
    where: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TraceField:
    """One field that a server on the way wrote: `name` in lower case, `value` unfolded and otherwise as it stands."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a label was given: what was seen (`sign`, stable kebab-case) and the text or header that shows it."""

    sign: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Bounced:
    """One recipient of a delivery status (RFC 3464 §2.3). `status` is the enhanced code (RFC 3463) or empty."""

    addr_spec: str
    action: str
    status: str
    permanent: bool


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What was forwarded: by whom it was written first, when, under which subject, and its text."""

    originator: Address | None
    date: datetime | None
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """A calendar object (RFC 5546): its method, and what is needed to speak of the meeting."""

    method: str
    summary: str
    starts_at: datetime | None
    ends_at: datetime | None
    location: str
    organizer: str | None
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A text cut in three. Concatenating them is not promised; inline answers keep their order in `reply`."""

    reply: str
    quoted: str
    signature: str
    cut_by: str = field(default="", compare=False)
    """What showed where the quotation begins; see `Message.cut_by`."""


@dataclass(frozen=True, slots=True)
class Message:
    """All facts of one mail. Ids are without angle brackets; texts have `\\n` line ends; times are aware."""

    message_id: str | None
    in_reply_to: str | None
    references: tuple[str, ...]
    date: datetime | None
    originator: Address | None
    sender: Address | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    return_path: str | None
    """The envelope sender of RFC 5321 §4.4; the empty string is the null return path, None means no header."""
    delivered_to: tuple[str, ...]
    """Addresses of Delivered-To, X-Original-To and Envelope-To: how a Bcc of us shows."""
    subject: str
    base_subject: str
    subject_is_reply: bool
    subject_is_forward: bool
    text: str
    reply: str
    quoted: str
    signature: str
    attachments: tuple[Attachment, ...]
    kind: str
    evidence: tuple[Evidence, ...]
    bounced: tuple[Bounced, ...]
    bounced_message_id: str | None
    bounced_subject: str
    """The subject of the mail that a delivery report returns or quotes the header of, decoded; "" where it shows none."""
    """The Message-ID of the mail that a delivery status or receipt speaks of."""
    absent_until: calendar_date | None
    """The day an out-of-office answer says its writer is back, where it says so."""
    forwarded: Forwarded | None
    invitation: Invitation | None
    language: str
    thread_index: str | None
    """Outlook's Thread-Index root (first 22 bytes, hexadecimal): weak evidence of one conversation."""
    aliases: tuple[str, ...]
    """Other Message-IDs of this same message (X-Microsoft-Original-Message-ID and the like)."""
    authentication_results: tuple[str, ...]
    """The Authentication-Results fields (RFC 8601) as received, top first; whom to trust is the reader's decision."""
    list_id: str | None
    security: str
    """"" or what cryptographic envelope was recognised: "smime-signed", "smime-encrypted", "pgp-signed", "pgp-encrypted"."""
    size: int
    defects: tuple[Defect, ...] = field(default=())
    cut_by: str = ""
    """Why `quoted` was cut: "quote-marks", "attribution" (On … wrote:), "header-block" (From, Date, Subject), "marker"
    (-----Original Message-----), or "html:" and the client whose structure was recognised; "" if nothing was."""
    trace: tuple[TraceField, ...] = field(default=())
    """Received and Authentication-Results fields in their order, top first; empty unless it has Authentication-Results or is a bounce."""
