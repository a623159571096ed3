"""The header block that clients put over a quotation: 发件人/From and its companions on lines of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from parsers.quotation_lines import fold, without_bold
from parsers.quotation_tables import FORWARD_SIGNS, MARKERS, NOT_MAIL_LABELS, ROLES
from parsers.tables import phrases

CORE_ROLES: Final = frozenset(("from", "date", "to", "cc", "subject"))
_ADDRESS_ROLES: Final = frozenset(("from", "to", "cc", "bcc", "reply-to"))
_LONGEST_BLOCK: Final = 60
"""Lines of one header block; more recipients than that are left to the quotation's text."""
_LONGEST_LABEL: Final = 34
_BARE_LABELS: Final = frozenset(("From", "To", "Cc", "Date", "Sent", "Subject"))
_TIME: Final = re.compile(
    r"\d{1,2}\s?[:.h時点时시]\s?\d{2}|\d{1,2}\s?[点點时時시]|\b\d{1,2}\s?[ap]\.?m\b|[上下]午\s?\d|\d{1,2}:\d{2}=|:\d{2}",
    re.IGNORECASE,
)
_PHONE: Final = re.compile(r"(?<![\d@])(?:\+?86[- ]?)?1[3-9]\d{9}(?!\d)|(?<!\d)0\d{2,3}-\d{7,8}(?!\d)")
_INNER_LABEL: Final = re.compile(
    r"(?:(?<=[\s;>\])|])|(?<=\d))\**([^\W\d_]{1,12}(?:[ ]{1,3}[^\W\d_]{1,8}){0,3})\**\s{0,3}:"
)
_FORWARD_SIGNS: Final = phrases(FORWARD_SIGNS)
_MAY_MARK: Final = re.compile(r"[-=_*~]{2}|above|[上之]")
_REPLY_ABOVE: Final = re.compile(
    r"^(?:please )?(?:type |write |enter )?(?:your )?(?:reply|respon[ds]e?)s? (?:is )?above (?:this|the) (?:line|dotted line)|^请?在(?:此|这|本)(?:行|线|条线)(?:以上|上方|之上)(?:回复|输入|填写)"
)
"""Help desks draw such a line; what is below it is theirs."""
_MARKER_WORDS: Final = re.compile(
    r"(?:原|回复|回覆|答复|答覆|转发|轉寄|轉發|转寄|引用).{0,8}(?:邮件|郵件|信件|信息|訊息|消息|内容|原文)|(?:邮件|郵件)(?:原|内容|信息)"
    r"|(?:original|forwarded|replied|quoted|previous).{0,12}(?:message|mail|text)|message.{0,4}(?:original|forward)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class HeaderBlock:
    """Lines `start` up to but not including `end`; `fields` maps roles to values as written (folded)."""

    start: int
    end: int
    fields: dict[str, str] = field(default_factory=dict)
    strange: bool = False
    """A label of a delivery slip or letterhead, or a phone number for a sender, stands in or at the block."""


def label_key(text: str) -> str:
    return text.replace(" ", "").strip("*_[]【】\"'").lower()


def read_label(folded: str) -> tuple[str, str] | None:
    """(label in look-up form, value) of one folded line such as `发 件 人: 张三`, `*From:* John`, `| From | John |`."""
    line = folded.strip("*|_# ")
    if "|" in line and folded.startswith("|"):
        key, _, value = line.partition("|")
        if len(key) <= _LONGEST_LABEL and ":" not in key:
            return label_key(key), value.strip("*| ")
    colon = line.find(":", 0, _LONGEST_LABEL + 1)
    if colon <= 0:
        return None
    return label_key(line[:colon]), line[colon + 1 :].strip("*| ")


def role_of(key: str) -> str | None:
    """The role of a label; of a bilingual one ("发件人/From") that of the first known half."""
    role = ROLES.get(key)
    if role is None and ("/" in key or "(" in key):
        return next((ROLES[half] for half in re.split(r"[/()]", key) if half in ROLES), None)
    return role


def starts_block(folded: str) -> bool:
    """Whether the folded line has a label with which a quoted header may begin."""
    label = read_label(folded)
    return label is not None and role_of(label[0]) in CORE_ROLES


def read_header_block(bodies: Sequence[str], depths: Sequence[int], start: int) -> HeaderBlock | None:
    """Reads the run of label lines that begins at `start`, folded values joined; None if that line has no label.

    One or two blank lines between labels, values on the line below and wrapped recipients are part of it.
    """
    block = HeaderBlock(start, start)
    depth, blanks, last = depths[start], 0, ""
    total = min(len(bodies), start + _LONGEST_BLOCK)
    index = start
    while index < total:
        body = fold(_untabbed(bodies[index]))
        if not body:
            blanks += 1
            if blanks > 2:
                break
        elif depths[index] != depth:
            break
        else:
            label = read_label(body)
            role = role_of(label[0]) if label else None
            if label is not None and label[0] == "sender" and "from" in block.fields:
                role = "other"
            if label is not None and role is not None and _belongs(block, role, blanks):
                _add(block, role, label[1])
                last, block.end = role, index + 1
            elif label is not None and label[0] in NOT_MAIL_LABELS and blanks == 0:
                block.strange = True
                break
            elif not block.fields or blanks or not _continues(block, last, body, bodies, index):
                break
            else:
                block.fields[last] = (block.fields[last] + " " + body).strip()
                block.end = index + 1
            blanks = 0
        index += 1
    if not block.fields:
        return None
    block.strange = block.strange or _is_strange(block, bodies, depths)
    return block


def _untabbed(line: str) -> str:
    """A header drawn as a table comes as `发件人<tab>王珂`, eM Client's as `发件人 王珂`; both are read as if with a colon."""
    cut = line.find("\t", 0, _LONGEST_LABEL)
    if cut <= 0:
        cut = line.find(" ", 1, 12)
        if cut <= 0 or not (line[0] > "\u3000" or line[:cut] in _BARE_LABELS):
            return line
    if (
        ":" in line[:cut]
        or "：" in line[:cut]
        or role_of(label_key(fold(line[:cut]))) not in CORE_ROLES
        or line[cut:].lstrip()[:1] in ":："
    ):
        return line
    return f"{line[:cut]}: {line[cut + 1 :]}"


def _belongs(block: HeaderBlock, role: str, blanks: int) -> bool:
    if role in block.fields and role in ("from", "date", "subject"):
        return False
    if blanks == 0:
        return True
    if role not in CORE_ROLES and role not in _ADDRESS_ROLES:
        return False
    return not {"from", "subject"} <= block.fields.keys() or ("date" not in block.fields and role == "date")


def _add(block: HeaderBlock, role: str, value: str) -> None:
    """Adds a field; a value that holds further labels (a block on one line) is taken apart."""
    if ":" in value:
        cuts = [
            (match.start(), match.end(), role_of(label_key(match.group(1)))) for match in _INNER_LABEL.finditer(value)
        ]
        inner = [(begin, end, found) for begin, end, found in cuts if found in CORE_ROLES and found != role]
        if inner:
            _put(block, role, value[: inner[0][0]])
            for number, (_, end, found) in enumerate(inner):
                stop = inner[number + 1][0] if number + 1 < len(inner) else len(value)
                _put(block, str(found), value[end:stop])
            return
    _put(block, role, value)


def _put(block: HeaderBlock, role: str, value: str) -> None:
    value = without_bold(value.strip("*|; "))
    block.fields[role] = f"{block.fields[role]}; {value}" if block.fields.get(role) else value


def _continues(block: HeaderBlock, last: str, body: str, bodies: Sequence[str], index: int) -> bool:
    """Whether an unlabelled line without a blank before it carries on the value of the last label."""
    before = bodies[index - 1].rstrip()
    if not block.fields[last]:
        return len(body) < 300
    if last in _ADDRESS_ROLES:
        return (
            "@" in body
            or ";" in body
            or body.lower().startswith(("代表", "on behalf"))
            or before.endswith((";", ",", "；", "，", "、", "<"))
            or body.endswith((";", ","))
            or body[0] in "<[("
        )
    indented = bodies[index][:1] in " \t\u3000"
    following = fold(bodies[index + 1]) if index + 1 < len(bodies) else ""
    if last == "subject":
        return (indented or len(before) >= 60) and (not following or starts_block(following))
    return last == "date" and starts_block(following)


def _is_strange(block: HeaderBlock, bodies: Sequence[str], depths: Sequence[int]) -> bool:
    if _PHONE.search(block.fields.get("from", "")) or _PHONE.search(block.fields.get("to", "")):
        return True
    if block.start and depths[block.start - 1] == depths[block.start]:
        above = read_label(fold(bodies[block.start - 1]))
        return above is not None and above[0] in NOT_MAIL_LABELS
    return False


def is_quoted_header(block: HeaderBlock, *, marked: bool, on_top: bool) -> bool:
    """Whether the block heads a quotation. `marked`: a line like "-----Original Message-----" stands over it.

    A quoted header names its sender and a date or a subject, and has values that only mail has: an address, or a date
    with the time of day. A delivery slip (people, phones, a day) and a letterhead (people, a day, a subject) have not.
    """
    core = CORE_ROLES & block.fields.keys()
    if marked:
        return bool(core)
    if block.strange or len(core) < 2 or not core & {"date", "subject"}:
        return False
    fields = block.fields
    when = fields.get("date", "")
    timed = bool(_TIME.search(when)) and any(character.isdigit() for character in when)
    has_address = any("@" in fields.get(role, "") for role in _ADDRESS_ROLES)
    if "from" not in core:
        return has_address and timed and len(core) >= 3
    if not 0 < len(fields["from"]) <= 300:
        return False
    if timed:
        return has_address or (len(core) >= 3 and bool(core & {"subject"})) or len(core) >= 4
    if on_top:
        return False
    if when:
        return "@" in fields["from"] and ("@" in fields.get("to", "") or len(core) >= 4)
    return has_address and len(core) >= 3


def is_marker(folded: str) -> bool:
    """Whether the line says in words that the original mail follows, with dashes around it."""
    if len(folded) > 140 or not _MAY_MARK.search(folded):
        return False
    core, dashes = _undashed(folded)
    lowered = core.lower()
    if _REPLY_ABOVE.search(lowered):
        return True
    if not core or dashes < 2:
        return False
    return lowered in MARKERS or (dashes >= 4 and len(core) <= 40 and bool(_MARKER_WORDS.search(core)))


def is_bare_marker(folded: str) -> bool:
    """The same without dashes ("原始邮件", "Begin forwarded message:"): a marker only if a quoted header follows."""
    return len(folded) <= 60 and without_bold(folded).strip(": .,-").lower() in MARKERS


def is_forward_marker(folded: str) -> bool:
    """Whether a marker speaks of a forwarded mail."""
    lowered = folded.lower()
    return _FORWARD_SIGNS.occur_in(lowered)


def is_ruler(folded: str) -> bool:
    """A line of nothing but dashes, underscores or the like, at least five."""
    return len(folded) >= 5 and not folded.strip("-_=*~#. ") and len(set(folded.replace(" ", ""))) <= 2


def _undashed(folded: str) -> tuple[str, int]:
    core = folded.strip("-=_*~+<>|:# ")
    return core, sum(folded.count(mark) for mark in "-=_*~") - sum(core.count(mark) for mark in "-=_*~")
