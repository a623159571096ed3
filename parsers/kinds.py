"""Kind of a mail with evidence: whether a person or a machine wrote it, and which machine.

The rules stand in `RULES` in the order in which they are asked; the first that answers gives the kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from parsers.absence import AbsenceFacts, read_absence
from parsers.bounces import read_bounce, returned_subject
from parsers.kinds_tables import (
    AUTO_REPLY_HEADERS,
    LIST_HEADERS,
    MACHINE_LOCAL_PARTS,
    NOTIFICATION_HEADERS,
    PROMOTION,
    RECEIPT_SUBJECT,
    SPAM_HEADERS,
    SPAM_SUBJECT,
    SPAM_TEXT,
    SPAM_WORDS,
)
from parsers.tables import phrases
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
    message/disposition-notification and message/feedback-report, outermost first. `raw` is only read for a bounce whose
    recipients are found in no other way.
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
    bounced_subject: str = ""
    absent_until: date | None = None


def read_kind(signs: KindInput) -> KindFacts:
    """Reads the kind of one mail. Bounces come before automatic answers because bounces bear their signs, too."""
    for rule in RULES:
        facts = rule(signs)
        if facts is not None:
            return facts
    return KindFacts("human")


def _values(signs: KindInput, name: str) -> tuple[str, ...]:
    return signs.headers.get(name, ())


def _found(signs: KindInput, table: Mapping[str, tuple[tuple[re.Pattern[str], str], ...]]) -> list[Evidence]:
    """Evidence of every header that the table knows and whose value has its form, in the mail's order."""
    names = [name for name in signs.headers if name in table]
    return [
        Evidence(sign, f"{name}: {value}"[:160])
        for name in names
        for pattern, sign in table[name]
        for value in _values(signs, name)
        if pattern.search(value.strip())
    ]


def _bounce(signs: KindInput) -> KindFacts | None:
    bounce = read_bounce(signs)
    if bounce is None:
        return None
    if bounce.delivered:
        return KindFacts("receipt", bounce.evidence, (), bounce.message_id)
    proven = {sign.sign for sign in bounce.evidence} & {"delivery-status", "reported-failure", "mail-daemon"}
    if not proven and _absence(signs).automatic:
        # An out-of-office answer with a null return path that speaks of mail not read is no bounce.
        return None
    return KindFacts("bounce", bounce.evidence, bounce.bounced, bounce.message_id, returned_subject(signs))


def _absence(signs: KindInput) -> AbsenceFacts:
    return read_absence(signs.subject, signs.reply or signs.text, signs.date.date() if signs.date else None)


def _auto_reply(signs: KindInput) -> KindFacts | None:
    """RFC 3834 §5 and what was in use before it; then subject and text."""
    headers = tuple(_found(signs, AUTO_REPLY_HEADERS))
    absence = _absence(signs)
    generated = any(value.strip().lower().startswith("auto-generated") for value in _values(signs, "auto-submitted"))
    suppressed = any(value.strip() for value in _values(signs, "x-auto-response-suppress"))
    null_path = signs.return_path == ""
    backed = (generated or suppressed or null_path) and absence.absent
    if not headers and not absence.automatic and not backed:
        return None
    if not headers and not backed and _is_list(signs):
        return None
    evidence = headers + absence.evidence
    if not evidence:
        evidence = (Evidence("absent-and-machine-sent", signs.subject[:120]),)
    return KindFacts("auto_reply", evidence, absent_until=absence.returns_on)


def _receipt(signs: KindInput) -> KindFacts | None:
    """A message disposition notification (RFC 8098), or what Outlook and QQ send in its place."""
    for part in signs.parts:
        if part.content_type == "message/disposition-notification":
            found = re.search(r"^Original-Message-ID:\s*<?([^\s<>]+)>?", part.text, re.IGNORECASE | re.MULTILINE)
            disposition = re.search(r"^Disposition:\s*(.{1,120})", part.text, re.IGNORECASE | re.MULTILINE)
            seen = disposition[1].strip() if disposition else "message/disposition-notification"
            return KindFacts("receipt", (Evidence("disposition-notification", seen),), (), found[1] if found else None)
    content_type = " ".join(_values(signs, "content-type")).lower()
    if "disposition-notification" in content_type:
        return KindFacts("receipt", (Evidence("report-type", "disposition-notification"),))
    if RECEIPT_SUBJECT.match(signs.subject) and re.search(
        r"\bwas read on\b|\bmessage was (?:read|displayed|opened)|was displayed on|read receipt|\bdeleted without being read\b|已(?:于|在|經|经)?.{0,30}(?:阅读|閱讀|读取|已读)|未经阅读|未經閱讀|未閱讀即|未阅读即|这是.{0,10}(?:已读|阅读|閱讀)回(?:执|條|执)|收条|回执|to your message|您的邮件.{0,80}已",
        signs.text[:2000],
        re.IGNORECASE,
    ):
        return KindFacts("receipt", (Evidence("subject-receipt", signs.subject[:120]),))
    return None


def _feedback_report(signs: KindInput) -> KindFacts | None:
    """The abuse reporting format of RFC 5965."""
    for part in signs.parts:
        if part.content_type == "message/feedback-report":
            kind = re.search(r"^Feedback-Type:\s*(\S+)", part.text, re.IGNORECASE | re.MULTILINE)
            return KindFacts("feedback_report", (Evidence("feedback-report", kind[1] if kind else ""),))
    if "report-type=feedback-report" in " ".join(_values(signs, "content-type")).lower().replace('"', "").replace(
        " ", ""
    ):
        return KindFacts("feedback_report", (Evidence("report-type", "feedback-report"),))
    return None


def _calendar_reply(signs: KindInput) -> KindFacts | None:
    """An answer to an invitation (RFC 5546 §3.2.3, §3.2.7); an invitation itself is sent by a person."""
    if signs.invitation is not None and signs.invitation.method.upper() in (
        "REPLY",
        "COUNTER",
        "DECLINECOUNTER",
        "REFRESH",
    ):
        return KindFacts("calendar_reply", (Evidence("calendar-method", signs.invitation.method.upper()),))
    return None


_LIST_HEADERS: Final = frozenset(LIST_HEADERS)
_SPAM_WORDS: Final = phrases(SPAM_WORDS)


def _is_list(signs: KindInput) -> bool:
    return not _LIST_HEADERS.isdisjoint(signs.headers)


def _list(signs: KindInput) -> KindFacts | None:
    """RFC 2919 and RFC 2369, and the older marks of list managers. Precedence bulk alone is no list's."""
    evidence = (
        [Evidence(name, _values(signs, name)[0][:120]) for name in LIST_HEADERS if name in signs.headers]
        if _is_list(signs)
        else []
    )
    evidence += [
        Evidence("precedence", value) for value in _values(signs, "precedence") if value.strip().lower() == "list"
    ]
    if not evidence:
        return None
    if {sign.sign for sign in evidence} <= {"list-id"} and _promotes(signs):
        # Senders of newsletters give their campaigns a List-Id, too.
        return None
    return KindFacts("list", tuple(evidence))


def _promotes(signs: KindInput) -> bool:
    return any(
        name in signs.headers
        for name in ("list-unsubscribe", "feedback-id", "x-campaign", "x-mailgun-sid", "x-mc-user")
    ) and bool(PROMOTION.search(signs.text[-3000:]))


def _notification(signs: KindInput) -> KindFacts | None:
    """Mail of a machine that answers nobody: tickets, alerts, shops, calendars."""
    evidence = _found(signs, NOTIFICATION_HEADERS)
    local = signs.originator.addr_spec.partition("@")[0] if signs.originator else ""
    if MACHINE_LOCAL_PARTS.match(local) and signs.originator:
        evidence.append(Evidence("machine-address", signs.originator.addr_spec))
    if not evidence and signs.return_path == "":
        evidence.append(Evidence("null-return-path", "<>"))
    return KindFacts("notification", tuple(evidence)) if evidence else None


def _spam(signs: KindInput) -> KindFacts | None:
    """A filter's verdict in headers or subject, or bulk mail that offers to be unsubscribed from."""
    evidence = _found(signs, SPAM_HEADERS)
    if SPAM_SUBJECT.match(signs.subject):
        evidence.append(Evidence("subject-spam", signs.subject[:120]))
    bulk = "list-unsubscribe" in signs.headers or any(
        value.strip().lower() in ("bulk", "junk") for value in _values(signs, "precedence")
    )
    if bulk and (PROMOTION.search(signs.text[-3000:]) or PROMOTION.search(signs.subject)):
        evidence.append(Evidence("bulk-promotion", signs.subject[:120]))
    answers = "in-reply-to" in signs.headers or "references" in signs.headers
    offers: set[str] = set()
    if not answers:
        sample = f"{signs.subject}\n{signs.text[:3000]}".lower()
        if _SPAM_WORDS.occur_in(sample):
            offers = {str(found) for found in SPAM_TEXT.findall(sample)}
    if len(offers) >= 2:
        evidence.append(Evidence("spam-words", ", ".join(sorted(offers))[:160]))
    return KindFacts("spam", tuple(evidence)) if evidence else None


RULES: Final[tuple[Callable[[KindInput], KindFacts | None], ...]] = (
    _bounce,
    _auto_reply,
    _receipt,
    _feedback_report,
    _calendar_reply,
    _list,
    _notification,
    _spam,
)
