"""Kind of a mail with evidence: what wrote it, a person or a machine, and which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from parsers.types import Address, Bounced, Evidence, Invitation


@dataclass(frozen=True, slots=True)
class PartFacts:
    """One part that speaks to machines or holds another mail: `text` is its decoded content, headers and all."""

    content_type: str
    text: str


@dataclass(frozen=True, slots=True)
class KindInput:
    """The signs a kind is read from. `headers` maps lower-case names to decoded values in order of appearance.

    `parts` are the parts of type message/delivery-status, message/rfc822, text/rfc822-headers,
    message/disposition-notification and message/feedback-report, outermost first.
    """

    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    originator: Address | None = None
    return_path: str | None = None
    subject: str = ""
    text: str = ""
    reply: str = ""
    date: datetime | None = None
    language: str = "unknown"
    parts: tuple[PartFacts, ...] = ()
    invitation: Invitation | None = None
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class KindFacts:
    """`kind` is one of `KINDS`; `evidence` is never empty but for a plain human mail."""

    kind: str
    evidence: tuple[Evidence, ...] = ()
    bounced: tuple[Bounced, ...] = ()
    bounced_message_id: str | None = None
    absent_until: date | None = None


def read_kind(signs: KindInput) -> KindFacts:
    """Reads the kind of one mail: bounce before auto-reply before the rest."""
    if "list-id" in signs.headers:
        return KindFacts("list", (Evidence("list-id", signs.headers["list-id"][0]),))
    return KindFacts("human")
