"""How a parsed mail is shown to a person: what was kept, what was cut and by what sign, and what was damaged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parsers import Message
    from parsers.types import Address

MOST_LINES = 40
"""Lines shown of what was cut; what was written is shown in full."""
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?|\x9b[0-?]*[ -/]*[@-~]|\x1b[ -~]?"
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CUT_BY = {
    "quote-marks": "its lines are marked",
    "attribution": "a line says who wrote it",
    "header-block": "a header stands over it",
    "marker": "a line says that the original follows",
}


def printable(text: str) -> str:
    """The text without what a terminal would obey: escape sequences, control characters, changes of direction."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n")))


def escaped(line: str) -> str:
    """A line of JSON in which what a terminal would obey is written as an escape; its value is the same."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def facts(message: Message) -> Iterator[tuple[str, str]]:
    """(label, value) of everything but the texts, printable, each on one line; what is empty is left out."""
    for label, value in _facts(message):
        shown = " ".join(printable(value).split())
        if shown:
            yield label, shown


def sections(message: Message) -> Iterator[tuple[str, str, bool]]:
    """(title, printable text, whether it was kept) of each piece of the body that holds anything."""
    if message.text.strip():
        yield "newly written (kept)", printable(message.reply).strip() or "(nothing: all of the text is quoted)", True
    if message.signature.strip():
        yield "signature (cut)", _shortened(message.signature), False
    if message.quoted.strip():
        yield f"quoted (cut: {_reason(message.cut_by)})", _shortened(message.quoted), False
    if message.forwarded is not None:
        inner = message.forwarded
        when = f"{inner.date.isoformat(sep=' ')} " if inner.date else ""
        head = " ".join(printable(f"{_person(inner.originator)} {when}{inner.subject}").split())
        yield "forwarded", f"{head}\n{printable(inner.text).strip()}".strip(), True


def _facts(message: Message) -> Iterator[tuple[str, str]]:
    yield "from", _person(message.originator)
    if message.sender is not None and message.sender != message.originator:
        yield "sender", _person(message.sender)
    for label, people in (("to", message.to), ("cc", message.cc), ("bcc", message.bcc), ("reply to", message.reply_to)):
        yield label, ", ".join(map(_person, people))
    yield "date", message.date.isoformat() if message.date else "unknown"
    yield "subject", message.subject
    if message.base_subject != message.subject:
        stack = (("reply", message.subject_is_reply), ("forward", message.subject_is_forward))
        kinds = ", ".join(word for word, holds in stack if holds)
        yield "base subject", f"{message.base_subject or '(empty)'} {f'({kinds})' if kinds else ''}"
    yield "message-id", message.message_id or "none"
    yield "in reply to", message.in_reply_to or ""
    yield "references", " ".join(message.references)
    yield "kind", message.kind
    yield "evidence", "; ".join(f"{sign.sign}: {sign.text}" if sign.text else sign.sign for sign in message.evidence)
    yield "bounced", ", ".join(f"{one.addr_spec} {one.action} {one.status}".strip() for one in message.bounced)
    yield "absent until", message.absent_until.isoformat() if message.absent_until else ""
    if message.invitation is not None:
        starts = message.invitation.starts_at
        yield (
            "invitation",
            f"{message.invitation.method} {message.invitation.summary} {starts.isoformat() if starts else ''}",
        )
    yield "list", message.list_id or ""
    yield "language", message.language
    for attachment in message.attachments:
        inline = ", inline" if attachment.inline else ""
        yield (
            "attachment",
            f"{attachment.filename or '(no name)'} ({attachment.content_type}, {attachment.size:,} bytes{inline})",
        )
    yield "security", message.security
    for defect in message.defects:
        yield (
            "defect",
            " ".join(filter(None, (defect.code, f"in {defect.where}" if defect.where else "", defect.detail))),
        )


def _person(address: Address | None) -> str:
    if address is None:
        return "nobody"
    return f"{address.name} <{address.addr_spec}>" if address.name else address.addr_spec


def _reason(cut_by: str) -> str:
    if cut_by.startswith("html:"):
        return f"the structure of {cut_by[5:]}'s HTML"
    return _CUT_BY.get(cut_by, "what stands over it")


def _shortened(text: str) -> str:
    lines = printable(text).strip().split("\n")
    if len(lines) <= MOST_LINES:
        return "\n".join(lines)
    return "\n".join([*lines[:MOST_LINES], f"… {len(lines) - MOST_LINES} more lines"])
