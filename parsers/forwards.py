"""Forwards: who wrote what was forwarded, when, under which subject, whether attached or inline, by prefix or not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from parsers.quotation import Cut, mark_quotation
from parsers.quotation_headers import (
    HeaderBlock,
    is_bare_marker,
    is_forward_marker,
    is_marker,
    is_quoted_header,
    is_ruler,
    read_header_block,
    read_label,
    role_of,
    starts_block,
)
from parsers.quotation_lines import fold
from parsers.quotation_tables import FORWARD_SIGNS
from parsers.subjects import SubjectFacts, read_subject
from parsers.tables import phrases
from parsers.types import Address, Forwarded
from parsers.written_dates import read_written_datetime

_ADDRESS: Final = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_SIGNS: Final = phrases(FORWARD_SIGNS)
_LOOKED_AT: Final = 8_000
"""Characters in which a mail that does not call itself a forward must show that it is one."""
_FIRST_LINES: Final = 14
"""Lines of the first quotation in which its marker and header stand."""
_ATTRIBUTION_NAME: Final = re.compile(r"(?:^|[,，]|\d\s|[日月]|[ap]m\s)\s*([^,，<>\d]{1,60}?)\s*[(<]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NestedMessage:
    """The facts of an attached message/rfc822 part that a forward is read from."""

    originator: Address | None
    date: datetime | None
    subject: str
    text: str


def read_forward(
    text: str, subject: SubjectFacts, nested: NestedMessage | None, cut: Cut | None = None
) -> Forwarded | None:
    """Returns what a mail forwards, or None if it forwards nothing.

    `text` is the whole body, of which the first `MOST_LINES` lines are read; `cut` is what `mark_quotation` says of it,
    if it was asked before. An attached mail counts unless the mail is a reply with a quotation of its own. Inline, a
    header block counts under a forward's marker, or under any marker or none if the subject says that the mail is a
    forward, or if nothing stands above a block in a mail that is no reply.
    """
    inline = _read_inline(text, subject, cut)
    if inline is not None:
        return inline
    if nested is not None:
        return Forwarded(nested.originator, nested.date, nested.subject, nested.text.strip())
    return None


def _read_inline(text: str, subject: SubjectFacts, cut: Cut | None) -> Forwarded | None:
    if not subject.is_forward and not _may_forward(text, cut):
        return None
    cut = cut or mark_quotation(text)
    if cut.first is None:
        return None
    start = cut.header_spans[0][0] if cut.header_spans else cut.first
    marker, block_at = _first_block(cut, start)
    says_so = marker is not None and is_forward_marker(marker)
    nothing_above = not any(line.strip() for line in cut.lines[:start])
    if not (
        says_so
        or (subject.is_forward and not _is_answer(subject))
        or (nothing_above and not subject.is_reply and block_at is not None)
    ):
        return None
    if block_at is None:
        return _from_attribution(cut, start) if subject.is_forward or says_so else None
    block = read_header_block(cut.bodies, cut.depths, block_at)
    if block is None:
        return None
    body = "\n".join(_unquoted(cut, block.end, cut.depths[block_at])).strip()
    inner = read_subject(block.fields.get("subject", ""))
    chinese = any(
        "\u4e00" <= line.strip("*|> \u3000\u2003")[:1] <= "\u9fff" for line in cut.bodies[block.start : block.end]
    )
    written_subject = _as_written(cut, block, block.fields.get("subject", "")) if inner.base else ""
    return Forwarded(
        read_written_address(block.fields.get("from", "")),
        read_written_datetime(block.fields.get("date", ""), chinese=chinese),
        written_subject,
        body,
    )


def _as_written(cut: Cut, block: HeaderBlock, folded: str) -> str:
    """The subject with the punctuation that its sender chose, if it stands on lines of its own in the block."""
    for index in range(block.start, block.end):
        label = read_label(fold(cut.bodies[index]))
        if label is None or role_of(label[0]) != "subject":
            continue
        raw = re.split(r"[:：|\t]", cut.bodies[index].lstrip("*|_# \u3000"), maxsplit=1)[-1]
        for following in range(index + 1, block.end + 1):
            if fold(raw).strip("*|; ") == folded:
                return " ".join(raw.strip("*|;； \t\u3000").split())
            if following < block.end:
                raw = f"{raw.rstrip()} {cut.bodies[following].strip()}"
    return folded


def _may_forward(text: str, cut: Cut | None) -> bool:
    """A cheap look at a mail that does not call itself a forward: a forward's word, or a header or marker on top."""
    if cut is None:
        looked = text[:_LOOKED_AT]
    elif cut.first is None:
        return False
    else:
        start = cut.header_spans[0][0] if cut.header_spans else cut.first
        looked = "\n".join(cut.lines[start : start + _FIRST_LINES])[:_LOOKED_AT]
    lowered = looked.lower()
    if _SIGNS.occur_in(lowered):
        return True
    first = fold(text[:_LOOKED_AT].lstrip().split("\n", 1)[0]).lstrip("> ")
    return starts_block(first) or is_marker(first) or is_bare_marker(first) or is_ruler(first)


def _is_answer(subject: SubjectFacts) -> bool:
    """ "Re: Fwd: x" with a quotation answers a forward; it forwards nothing itself unless a marker says so."""
    return subject.is_reply and not subject.is_forward


def _first_block(cut: Cut, start: int) -> tuple[str | None, int | None]:
    """(the marker line above, index of the first line of the block) of the first quotation, looked for in its first lines."""
    marker: str | None = None
    for index in range(start, min(len(cut.lines), start + _FIRST_LINES)):
        folded = fold(cut.bodies[index])
        if not folded:
            continue
        if is_marker(folded) or is_bare_marker(folded):
            marker = marker or folded
            continue
        block = read_header_block(cut.bodies, cut.depths, index)
        if block is not None and is_quoted_header(block, marked=marker is not None, on_top=False):
            return marker, index
    return marker, None


def _unquoted(cut: Cut, start: int, depth: int) -> list[str]:
    """The lines from `start` with as many quote marks taken off as the header had."""
    if not depth:
        return [line.rstrip() for line in cut.lines[start:]]
    taken: list[str] = []
    for line, mark, body in zip(cut.lines[start:], cut.marks[start:], cut.bodies[start:], strict=True):
        if not mark:
            break
        taken.append(_less_marked(line, depth, body))
    return taken


def _less_marked(line: str, depth: int, body: str) -> str:
    rest = line
    for _ in range(depth):
        stripped = rest.lstrip(" ")
        if not stripped.startswith((">", "＞")):
            return body.rstrip()
        rest = stripped[1:]
    return rest.removeprefix(" ").rstrip()


def _from_attribution(cut: Cut, start: int) -> Forwarded | None:
    """A forward under an attribution line only ("On … John <john@…> wrote:")."""
    span = next((span for span in cut.header_spans if span[0] >= start), None)
    if span is None:
        return None
    line = " ".join(fold(cut.bodies[index]) for index in range(span[0], span[1])).strip()
    address = _ADDRESS.search(line)
    name = _ATTRIBUTION_NAME.search(line)
    originator = Address(name[1].strip(" \"'") if name else "", _lower_domain(address[0])) if address else None
    body = "\n".join(body.strip() for body in cut.bodies[span[1] :]).strip()
    return Forwarded(originator, read_written_datetime(line), "", body) if originator or body else None


def read_written_address(value: str) -> Address | None:
    """The first mailbox of a quote header's sender as clients write it: `"王珂" <w@…>;`, `John [mailto:j@…]`, `w@…`, a bare name.

    A name without an address gives an `addr_spec` of "".
    """
    folded = fold(value).replace("[mailto:", "<").replace("mailto:", "")
    found = _ADDRESS.search(folded)
    if found is None:
        name = re.split(r"[;<\[]", folded)[0].strip(" \"',:;")
        return Address(name, "") if name else None
    before = folded[: found.start()]
    name = re.split(r"[;]", before.rstrip(" <([\"'"))[-1].strip(" \"',:;<([")
    if not name and found.end() < len(folded):
        behind = re.match(r"[\s>]*[(]([^()@]{1,60})[)]", folded[found.end() :])
        name = behind[1].strip(" \"'") if behind else ""
    return Address("" if "@" in name else " ".join(name.split()), _lower_domain(found[0]))


def _lower_domain(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"
