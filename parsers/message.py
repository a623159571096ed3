"""One mail's bytes to one `Message`: the order in which everything else in this room is asked."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from parsers.addresses import read_addresses, read_return_path
from parsers.bodies import Block, Contents, Nested, Reader, read_mail
from parsers.dates import read_date
from parsers.forwards import NestedMessage, read_forward
from parsers.headers import Headers, normalise_lines
from parsers.identifiers import read_id, read_ids, read_parents
from parsers.kinds import KindFacts, KindInput, PartFacts, read_kind
from parsers.language import read_language
from parsers.limits import MAX_TEXT, Defects
from parsers.mime import Part
from parsers.quotation import Cut, mark_quotation, may_hide_answers, split_marked, split_reply
from parsers.quotation_html import HtmlText, read_html
from parsers.subjects import SubjectFacts, read_subject
from parsers.trace import read_trace
from parsers.types import Address, Forwarded, Message, Reply

T = TypeVar("T")
_ALIASES = (
    b"x-microsoft-original-message-id",
    b"x-original-message-id",
    b"x-google-original-message-id",
    b"resent-message-id",
    b"original-message-id",
)
_DELIVERED_TO = (
    b"delivered-to",
    b"x-original-to",
    b"envelope-to",
    b"x-envelope-to",
    b"x-delivered-to",
    b"x-forwarded-to",
    b"apparently-to",
)
_ANSWERS_OF_MACHINES = frozenset({"bounce", "receipt", "feedback_report", "auto_reply"})
_LIST_ID = re.compile(r"<([^<>\s]{1,500})>")


def parse(raw: bytes) -> Message:
    """All facts of one mail. Never raises on content; pure; linear time and bounded memory.

    `raw` is the mail as received (RFC 5322, MIME) with any line ends. Whatever had to be repaired, guessed or cut is in
    `Message.defects`.
    """
    defects = Defects()
    data = normalise_lines(raw, defects)
    root = guarded("parts", lambda: read_mail(data, defects, where="", hint=None, depth=0)[0], None, defects)
    if root is None:
        root = Part(Headers({}, defects), "text/plain", {}, "", body=data)
    headers = root.headers
    headers.hint = headers.hint or _first_charset(root.children)
    line_end = raw.find(b"\n")
    reader = Reader(defects, crlf=line_end > 0 and raw[line_end - 1 : line_end] == b"\r")
    contents = reader.contents
    contents.blocks = guarded("bodies", lambda: reader.read(root), [], defects)
    text = _body_text(contents.blocks, defects)
    unread: tuple[Reply, Cut | None] = Reply(text, "", ""), None
    cut, marked = guarded("reply", lambda: _cut(contents.blocks, text), unread, defects)
    return _assemble(raw, data, headers, contents, text, cut, marked, defects)


def guarded(stage: str, read: Callable[[], T], otherwise: T, defects: Defects) -> T:
    """Keep the promise that content never raises: one stage's bug costs that stage's facts, and is told as a defect."""
    try:
        return read()
    except Exception as error:  # noqa: BLE001 - whatever a bug raises; tests allow no such defect
        defects.add("reader-failed", stage, f"{type(error).__name__}: {error}")
        return otherwise


def _first_charset(parts: object) -> str | None:
    for part in parts if isinstance(parts, list) else ():
        charset: str | None = part.parameters.get("charset") or _first_charset(part.children)
        if charset:
            return charset
    return None


def _body_text(blocks: list[Block], defects: Defects) -> str:
    if not blocks:
        return ""
    texts = [text for block in blocks if (text := block.text().strip("\n").rstrip())]
    joined = "\n\n".join(texts)
    if len(joined) > MAX_TEXT:
        defects.add("text-cut", "body", f"{MAX_TEXT} of {len(joined)} characters")
        joined = joined[:MAX_TEXT]
    return joined


def _cut(blocks: list[Block], text: str) -> tuple[Reply, Cut | None]:
    """(reply and what goes with it, the marks of all of the text if they were made). Reply, quotation and signature: by the HTML's structure where a client is recognised, else by the text.

    Where a plain alternative was taken as the text and shows where its quotation begins and ends, the HTML has nothing
    to add: on mail with both the two agree, and building the tree costs more than all the rest.
    """
    htmls = [block for block in blocks if block.html]
    plain_taken = all(block.takes_plain() for block in blocks)
    marked = mark_quotation(text) if plain_taken else None
    if marked is not None and (not htmls or (marked.first is not None and not may_hide_answers(marked))):
        return split_marked(marked), marked
    if htmls:
        # Quotation may begin in one stretch of HTML and go on in the next.
        read = htmls[0].read_html() if len(htmls) == 1 else read_html("".join(block.html or "" for block in htmls))
        if read.rule:
            return _from_structure(read, blocks), marked
    marked = marked or mark_quotation(text)
    return split_marked(marked), marked


def _from_structure(read: HtmlText, blocks: list[Block]) -> Reply:
    beside = [block.plain.strip() for block in blocks if block.html is None and block.plain]
    rest = split_reply("\n\n".join([read.written, *beside]) if beside else read.written)
    return Reply(
        rest.reply,
        "\n\n".join(piece for piece in (rest.quoted, read.quoted) if piece),
        "\n".join(piece for piece in (rest.signature, read.signature) if piece),
        f"html:{read.rule}" if read.quoted else rest.cut_by,
    )


def _assemble(
    raw: bytes,
    data: bytes,
    headers: Headers,
    contents: Contents,
    text: str,
    cut: Reply,
    marked: Cut | None,
    defects: Defects,
) -> Message:
    subject = headers.text(b"subject")
    subject_facts = read_subject(subject)
    date = read_date(headers.line(b"date"), defects, lambda: _received(headers))
    parents = read_parents(headers.lines(b"in-reply-to"), defects)
    references = read_ids(headers.lines(b"references"), defects, "references")
    originator, sender = _authors(headers, defects)
    message_id = read_id(headers.line(b"message-id")) if headers.raw(b"message-id") else None
    return_path = read_return_path(headers.line(b"return-path")) if headers.raw(b"return-path") is not None else None
    language = read_language(cut.reply or text)
    signs = KindInput(
        headers=headers,
        originator=originator,
        return_path=return_path,
        subject=subject,
        text=text,
        reply=cut.reply,
        date=date,
        language=language,
        parts=tuple(PartFacts(content_type, found) for content_type, found in contents.machine_parts),
        invitation=contents.invitation,
        raw=raw,
    )
    kind = guarded("kind", lambda: read_kind(signs), KindFacts("human"), defects)
    if kind.kind in _ANSWERS_OF_MACHINES:
        contents.nested.clear()  # what they carry was returned, not forwarded
    forwarded = guarded(
        "forward", lambda: _forwarded(text, cut, marked, subject_facts, contents, defects), None, defects
    )
    return Message(
        message_id=message_id,
        in_reply_to=parents[0] if parents else None,
        references=tuple(dict.fromkeys((*references, *parents[1:]))) if len(parents) > 1 else references,
        date=date,
        originator=originator,
        sender=sender,
        reply_to=_addresses(headers, b"reply-to", defects),
        to=_addresses(headers, b"to", defects),
        cc=_addresses(headers, b"cc", defects),
        bcc=_addresses(headers, b"bcc", defects),
        return_path=return_path,
        delivered_to=_delivered_to(headers),
        subject=subject,
        base_subject=subject_facts.base,
        subject_is_reply=subject_facts.is_reply,
        subject_is_forward=subject_facts.is_forward,
        text=text,
        reply=cut.reply,
        quoted=cut.quoted,
        signature=cut.signature,
        attachments=tuple(contents.attachments),
        kind=kind.kind,
        evidence=kind.evidence,
        bounced=kind.bounced,
        bounced_message_id=kind.bounced_message_id,
        bounced_subject=kind.bounced_subject,
        absent_until=kind.absent_until,
        forwarded=forwarded,
        invitation=contents.invitation,
        language=language,
        thread_index=_thread_index(headers),
        aliases=_aliases(headers, message_id),
        authentication_results=headers.get("authentication-results") or (),
        list_id=_list_id(headers),
        security=contents.security,
        size=len(raw),
        defects=defects.found(),
        cut_by=cut.cut_by if cut.quoted else "",
        trace=read_trace(data) if kind.kind == "bounce" or b"authentication-results" in headers.fields else (),
    )


def _forwarded(
    text: str, cut: Reply, marked: Cut | None, subject: SubjectFacts, contents: Contents, defects: Defects
) -> Forwarded | None:
    """What was forwarded. What is plainly no forward, most mail, is not looked at closer."""
    nested = _nested_facts(contents.nested[0], defects) if contents.nested else None
    plain_to_see = not cut.quoted and cut.reply.count("\n") > 1 and "@" not in cut.reply
    if nested is None and not subject.is_forward and plain_to_see:
        return None
    return read_forward(text, subject, nested, marked)


def _addresses(headers: Headers, name: bytes, defects: Defects) -> tuple[Address, ...]:
    lines = headers.lines(name)
    if not lines:
        return ()
    where = name.decode("ascii")
    if len(lines) == 1:
        return read_addresses(lines[0], defects, where, headers.hint)
    defects.add("duplicate-header", where)
    return tuple(
        dict.fromkeys(one for line in lines[:100] for one in read_addresses(line, defects, where, headers.hint))
    )


def _authors(headers: Headers, defects: Defects) -> tuple[Address | None, Address | None]:
    """From (the first of several) and Sender; a mail without a readable From was written by its Sender."""
    writers = _addresses(headers, b"from", defects)
    senders = _addresses(headers, b"sender", defects)
    if len(writers) > 1:
        defects.add("several-originators", "from", ", ".join(one.addr_spec for one in writers[:5]))
    if not writers and senders:
        defects.add("originator-from-sender", "from")
    elif not writers:
        defects.add("no-originator", "from")
    writer = writers[0] if writers else senders[0] if senders else None
    return writer, senders[0] if senders else None


def _received(headers: Headers) -> datetime | None:
    """When the first server on the way took the mail, by the lowest Received field that has a time."""
    for line in reversed(headers.lines(b"received")[:50]):
        stamp = line.rpartition(";")[2]
        moment = read_date(stamp, Defects()) if stamp != line else None
        if moment is not None:
            return moment
    return None


def _delivered_to(headers: Headers) -> tuple[str, ...]:
    found: dict[str, None] = {}
    if headers.fields.keys().isdisjoint(_DELIVERED_TO):
        return ()
    for name in _DELIVERED_TO:
        if name in headers.fields:
            for address in _addresses(headers, name, Defects()):
                found[address.addr_spec] = None
    return tuple(found)


def _thread_index(headers: Headers) -> str | None:
    value = headers.raw(b"thread-index")
    if not value:
        return None
    try:
        root = base64.b64decode(value[:4000].replace(b" ", b""), validate=False)[:22]
    except (binascii.Error, ValueError):
        return None
    return root.hex() if len(root) == 22 else None


def _aliases(headers: Headers, own: str | None) -> tuple[str, ...]:
    if headers.fields.keys().isdisjoint(_ALIASES):
        return ()
    ids = dict.fromkeys(
        found
        for name in _ALIASES
        if name in headers.fields
        for line in headers.lines(name)[:10]
        if (found := read_id(line))
    )
    ids.pop(own or "", None)
    return tuple(ids)


def _list_id(headers: Headers) -> str | None:
    value = headers.text(b"list-id")
    if not value:
        return None
    match = _LIST_ID.search(value)
    return (match[1] if match else value[:500]).lower() or None


def _nested_facts(nested: Nested, outer: Defects) -> NestedMessage:
    defects = Defects()
    headers = nested.root.headers
    reader = Reader(defects, depth=1)
    text = _body_text(reader.read(nested.root), defects)
    if reader.contents.nested:
        outer.add("nesting-cut", nested.root.where, "what is attached to an attached mail is not read")
    originator, _ = _authors(headers, defects)
    return NestedMessage(originator, read_date(headers.line(b"date"), defects), headers.text(b"subject"), text)
