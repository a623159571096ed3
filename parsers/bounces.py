"""Bounces: what could not be delivered to whom and whether for good, by RFC 3464 and in the free forms that servers write."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message as StandardMessage
from typing import TYPE_CHECKING, Final

from parsers.bounces_tables import (
    DAEMON_NAMES,
    DAEMONS,
    DELAYS,
    FAILURES,
    LEADS,
    ORIGINAL_BEGINS,
    STRONG_BODY,
    STRONG_DAEMONS,
    SUBJECTS,
    WEAK_DAEMONS,
)
from parsers.encoded_words import decode_words
from parsers.types import Bounced, Evidence

if TYPE_CHECKING:
    from parsers.kinds import KindInput

_LONGEST_BODY: Final = 20_000
_LONGEST_RAW: Final = 64_000
"""Bytes of a bounce that the library is given; its own words come first, and its detectors are slow."""
_MOST_RECIPIENTS: Final = 200
_ADDRESS: Final = re.compile(r"[A-Za-z0-9_.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_ADDRESS_LINE: Final = re.compile(
    r"^[ \t<*>-]{0,12}[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9.-]{3,200}[ \t>:]{0,4}$", re.MULTILINE
)
_STATUS: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_CODE: Final = re.compile(r"(?<![\d.:])([45])[0-7]\d(?![\d.:])")
_FIELD: Final = re.compile(r"^([!-9;-~]{1,60}):[ \t]*(.*(?:\n[ \t]+\S.*)*)", re.MULTILINE)
_MESSAGE_ID: Final = re.compile(
    r"^[ \t>]*+Message-ID:\s*<?([^\s<>]{1,250}@[^\s<>]{1,250})>?", re.IGNORECASE | re.MULTILINE
)
_SUBJECT: Final = re.compile(
    r"^Subject:[ \t]*([^\n]{0,500}(?:\n[ \t]+[^\n]{1,500}){0,8})", re.IGNORECASE | re.MULTILINE
)
_RETURNED: Final = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})
_INLINE_REPORT: Final = re.compile(
    r"^Final-Recipient:[^\n]*@[^\n]*\n(?:[^\n]+\n){0,6}?Action:\s*\w", re.IGNORECASE | re.MULTILINE
)
_ANSWERED: Final = re.compile(r"\s*(?:re|aw|sv|回复|答复|回覆)\s*[:：]", re.IGNORECASE)
_IDS: Final = re.compile(r"<([^\s<>]{3,250})>")
_TO_FIELD: Final = re.compile(r"^[ \t>]*+To:\s*(.{3,400})", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class BounceFacts:
    """The recipients that a delivery status speaks of, and the Message-ID of the mail it returns, if it says so."""

    bounced: tuple[Bounced, ...]
    message_id: str | None
    evidence: tuple[Evidence, ...]
    delivered: bool = False
    """All recipients were reached: a delivery receipt (RFC 3464 §2.3.3 "delivered", "relayed", "expanded"), no bounce."""


def read_bounce(signs: KindInput) -> BounceFacts | None:
    """Returns the facts of a delivery status notification, or None if the mail is none."""
    if signs.parts and any(
        part.content_type in ("message/feedback-report", "message/disposition-notification") for part in signs.parts
    ):
        return None
    standard = _read_standard(signs)
    if standard:
        bad = tuple(entry for entry in standard if entry.action not in ("delivered", "relayed", "expanded"))
        if not bad:
            return BounceFacts(
                standard, _returned_id(signs), (Evidence("delivery-status", standard[0].action),), delivered=True
            )
        return BounceFacts(
            bad, _returned_id(signs), (Evidence("delivery-status", f"{bad[0].action} {bad[0].status}".strip()),)
        )
    evidence = _free_form_evidence(signs)
    if not evidence:
        return None
    return BounceFacts(_free_form_recipients(signs), _returned_id(signs), evidence)


def _first(signs: KindInput, name: str) -> str:
    values = signs.headers.get(name, ())
    return values[0] if values else ""


def _read_standard(signs: KindInput) -> tuple[Bounced, ...]:
    """RFC 3464 §2: groups of fields divided by blank lines, one group a recipient. Broken groups give what they hold."""
    entries: dict[str, Bounced] = {}
    reports = [
        part.text
        for part in signs.parts
        if part.content_type in ("message/delivery-status", "message/global-delivery-status")
    ]
    if not reports and _INLINE_REPORT.search(signs.text[:_LONGEST_BODY]):
        reports = [signs.text[:_LONGEST_BODY]]
    for report in reports:
        for group in re.split(r"\n[ \t\r]*\n", report.replace("\r\n", "\n"))[:_MOST_RECIPIENTS]:
            fields = {name.lower(): " ".join(value.split()) for name, value in _FIELD.findall(group)}
            recipient = fields.get("final-recipient") or fields.get("original-recipient") or ""
            action = fields.get("action", "").split(" ")[0].strip("().,;").lower()
            if not recipient or not (action or "status" in fields or "diagnostic-code" in fields):
                continue
            entry = _entry(fields, action)
            entries.setdefault(entry.addr_spec, entry)
    return tuple(entries.values())


def _entry(fields: dict[str, str], action: str) -> Bounced:
    original, final = fields.get("original-recipient", ""), fields.get("final-recipient", "")
    address = (
        _recipient(final)
        or _recipient(original)
        or _recipient(fields.get("x-actual-recipient", ""))
        or _typed(final or original)
    )
    diagnostic = fields.get("diagnostic-code", "")
    status = _STATUS.search(fields.get("status", "")) or _STATUS.search(diagnostic)
    code = status[1] if status else ""
    detailed = _STATUS.search(diagnostic)
    if detailed and code in ("5.0.0", "4.0.0", "") and detailed[1][0] == (code or detailed[1])[0]:
        code = detailed[1]
    action = action or ("delayed" if code.startswith("4") else "failed" if not code.startswith("2") else "delivered")
    return Bounced(address, action, code, action == "failed" and not code.startswith("4"))


def _recipient(value: str) -> str:
    found = _ADDRESS.search(_typed(value).replace("+AEA-", "@"))
    return _normal(found[0]) if found else ""


def _typed(value: str) -> str:
    """The address behind its type of RFC 3464 §2.3.2 (`rfc822; a@b`)."""
    return value.partition(";")[2].strip(" <>") if ";" in value else value.strip(" <>")


def _normal(address: str) -> str:
    local, _, domain = address.strip("'\"`.").rpartition("@")
    return f"{local.lstrip(chr(39))}@{domain.lower().rstrip('.')}"


def _free_form_evidence(signs: KindInput) -> tuple[Evidence, ...]:
    """The signs that a mail without a readable report is a bounce; () unless they agree.

    A person's mail may speak of failed deliveries, but has no null return path and comes from no daemon.
    """
    local, name = (
        (signs.originator.addr_spec.partition("@")[0], signs.originator.name) if signs.originator else ("", "")
    )
    reported = _is_report(signs) or bool(_first(signs, "x-failed-recipients"))
    daemon = bool(DAEMONS.match(local) or DAEMON_NAMES.search(name))
    null_path = signs.return_path == ""
    answered = bool(_ANSWERED.match(signs.subject))
    subject = None if answered else SUBJECTS.search(signs.subject)
    machine = reported or daemon or null_path
    if not machine and subject is None:
        return ()
    own = _own_text(signs.text)
    body = STRONG_BODY.search(own[:6000])
    if not machine:
        weak = bool(WEAK_DAEMONS.match(local) and _ADDRESS.search(own))
        proven = (
            bool(subject and body)
            and (weak or _has_code_and_address(own) or bool(_ADDRESS_LINE.search(own[:2000])))
            and not _is_personal(signs)
        )
    else:
        strong = bool(STRONG_DAEMONS.match(local) or (daemon and DAEMON_NAMES.search(name)))
        addressed = bool(_ADDRESS.search(own)) if strong else (daemon or null_path) and _has_code_and_address(own)
        proven = (
            reported
            or (bool(subject) and (bool(body) or strong))
            or (bool(body) and addressed)
            or (local.lower().startswith("mailer-daemon") and not answered)
        )
    if not proven:
        return ()
    seen = (
        ("reported-failure", _first(signs, "x-failed-recipients")[:120] or "delivery-status", reported),
        ("mail-daemon", signs.originator.addr_spec if signs.originator else name, daemon),
        ("null-return-path", "<>", null_path),
        ("subject-undelivered", signs.subject[:120], bool(subject)),
        ("says-undelivered", body[0][:120] if body else "", bool(body)),
    )
    return tuple(Evidence(sign, text) for sign, text, holds in seen if holds)


def _is_report(signs: KindInput) -> bool:
    content_type = _first(signs, "content-type").lower().replace('"', "").replace(" ", "")
    return "report-type=delivery-status" in content_type or any(
        "delivery-status" in part.content_type for part in signs.parts
    )


def _is_personal(signs: KindInput) -> bool:
    """Signs that a person answers or forwards a bounce to somebody."""
    return any(name in signs.headers for name in ("in-reply-to", "references", "list-id", "list-post")) or bool(
        re.match(r"\s*(?:fwd?|转发|轉寄)\s*[:：]", signs.subject, re.IGNORECASE)
    )


def _has_code_and_address(text: str) -> bool:
    return bool((_STATUS.search(text) or _CODE.search(text)) and _ADDRESS.search(text))


def _own_text(text: str) -> str:
    """The bounce's own words: everything before the copy of what is returned."""
    sample = text[:_LONGEST_BODY]
    for found in ORIGINAL_BEGINS.finditer(sample):
        if _ADDRESS.search(sample[: found.start()]) or found.start() > 400:
            return sample[: found.start()]
    return sample


def _free_form_recipients(signs: KindInput) -> tuple[Bounced, ...]:
    own = _own_text(signs.text)
    delayed = bool(DELAYS.search(own)) and not re.search(
        r"gave up|giving up|permanent|5\.\d\.\d|\b55\d\b|have given up|放弃", own, re.IGNORECASE
    )
    addresses = _failed_header(signs) or _scored(own, _not_recipients(signs)) or _by_flufl(signs) or _returned_to(signs)
    return tuple(_free_entry(address, own, delayed=delayed) for address in addresses[:_MOST_RECIPIENTS])


def _free_entry(address: str, own: str, *, delayed: bool) -> Bounced:
    place = own.lower().find(address.lower())
    near = own[max(0, place - 200) : place + 700] if place >= 0 else own[:3000]
    behind = own[place : place + 700] if place >= 0 else near
    status = _STATUS.search(behind) or _STATUS.search(near) or _STATUS.search(own)
    code = _CODE.search(behind) or _CODE.search(near)
    digit = status[1][0] if status else code[1] if code else "4" if delayed else "5"
    if delayed:
        return Bounced(address, "delayed", status[1] if status else "", permanent=False)
    return Bounced(address, "failed", status[1] if status else "", permanent=digit != "4")


def _failed_header(signs: KindInput) -> list[str]:
    found = [
        _normal(match) for value in signs.headers.get("x-failed-recipients", ()) for match in _ADDRESS.findall(value)
    ]
    return list(dict.fromkeys(found))


def _not_recipients(signs: KindInput) -> set[str]:
    """The daemon's own address and the one the bounce came to, which its text may mention."""
    out = {signs.originator.addr_spec.lower()} if signs.originator else set()
    for name in ("to", "delivered-to", "x-original-to", "envelope-to", "reply-to"):
        for value in signs.headers.get(name, ()):
            out.update(match.lower() for match in _ADDRESS.findall(value))
    return out


def _scored(own: str, excluded: set[str]) -> list[str]:
    """The addresses of the text that stand where bounces put failed recipients; best first, all with the best's form."""
    scores: dict[str, int] = {}
    rows = own.split("\n")
    lead_at = -100
    for number, row in enumerate(rows[:600]):
        text = row[:1000]
        if "@" in text:
            window = "\n".join(line[:300] for line in rows[number : number + 4])
            for found in _ADDRESS.finditer(text):
                address = _normal(found[0])
                if (
                    address.lower() in excluded
                    or STRONG_DAEMONS.match(address.partition("@")[0])
                    or _is_noise(text, found)
                ):
                    continue
                scores[address] = max(scores.get(address, 0), _score(text, found, window, number - lead_at))
        if LEADS.search(text):
            lead_at = number
    best = max(scores.values(), default=0)
    return [address for address, score in scores.items() if score >= max(2, best - 1)] if best >= 2 else []


def _score(row: str, found: re.Match[str], window: str, after_lead: int) -> int:
    before, after = row[: found.start()].strip(), row[found.end() :].strip()
    score = 0
    if before in ("", "<", ">>>", "*", "-", "'", "(", "'<", "•", "[", '"', "To:", "to:") and (
        after[:1] in (">", ":", "", "'", ")", ";", ",", "]", '"', "<") or after.startswith("(")
    ):
        score += 2
    if after.startswith((">:", ":")):
        score += 2
    if re.search(
        r"rcpt to:?\s*<?$|(?:recipient|address|user|mailbox|delivered|deliver|account|to)\W{0,4}$|收件人\W{0,4}$|收件者\W{0,4}$|地址\W{0,4}$|[到给至]\W{0,4}$",
        before,
        re.IGNORECASE,
    ):
        score += 2
    if FAILURES.search(row.replace(found[0], "")):
        score += 2
    elif FAILURES.search(window.replace(found[0], "")):
        score += 1
    if after_lead <= 4:
        score += 2
    return score


def _is_noise(row: str, found: re.Match[str]) -> bool:
    """Addresses of help desks, senders and message ids."""
    before = row[: found.start()].lower()
    return bool(
        re.search(
            r"(?:message-id|from|sender|contact|mailto:postmaster|support|help|发件人|寄件者|x-[\w-]+|return-path|in-reply-to|references|reply-to|mail from)\s*[:：]?\s*<?$|id=$",
            before,
        )
    )


def _by_flufl(signs: KindInput) -> list[str]:
    """The recipients that the detectors of the flufl.bounce library find: a second voice for what our table does not know."""
    if not signs.raw:
        return []
    from flufl.bounce import all_failures

    # Its detectors tell damaged mail to the log with a traceback; what they find or not is all that counts here.
    logging.getLogger("flufl.bounce").disabled = True
    try:
        message: StandardMessage = message_from_bytes(signs.raw[:_LONGEST_RAW])
        temporary, permanent = all_failures(message)
    except Exception:  # noqa: BLE001  # its detectors raise whatever a broken mail makes them; a bounce must not stop the parse
        return []
    found = [
        address.decode("utf-8", "replace") if isinstance(address, bytes) else str(address)
        for address in (*permanent, *temporary)
    ]
    return list(dict.fromkeys(_normal(address) for address in sorted(found) if "@" in address))


def _returned_to(signs: KindInput) -> list[str]:
    """As a last resort the recipient of the returned mail, if it had but one."""
    for text in [
        part.text for part in signs.parts if part.content_type in ("message/rfc822", "text/rfc822-headers")
    ] + [signs.text[:_LONGEST_BODY]]:
        found = _TO_FIELD.search(text)
        if found:
            addresses = list(dict.fromkeys(_normal(match) for match in _ADDRESS.findall(found[1])))
            if len(addresses) == 1:
                return addresses
    return []


def _returned_id(signs: KindInput) -> str | None:
    """The Message-ID of the returned mail: from its copy, from the text's quote of its headers, else from In-Reply-To."""
    for part in signs.parts:
        if part.content_type in _RETURNED:
            found = _MESSAGE_ID.search(part.text[:_LONGEST_BODY])
            if found:
                return found[1]
    found = _MESSAGE_ID.search(signs.text[:100_000])
    if found:
        return found[1]
    for name in ("in-reply-to", "references", "x-ms-exchange-parent-message-id", "original-message-id"):
        ids = _IDS.findall(_first(signs, name))
        if ids:
            return str(ids[-1])
    return None


def returned_subject(signs: KindInput) -> str:
    """The subject in the copy of the returned mail, decoded and on one line; "" where none is returned."""
    for part in signs.parts:
        if part.content_type in _RETURNED and (found := _SUBJECT.search(part.text[:_LONGEST_BODY])):
            unfolded = " ".join(found[1].replace("\r", "").split())
            return " ".join(decode_words(unfolded).split())[:1000]
    return ""
