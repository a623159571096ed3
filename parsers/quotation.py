"""Cuts a text into what its sender newly wrote, what was quoted, and the signature.

Works line by line on a folded form, so that time and memory are linear in the text whatever it holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from parsers.quotation_attributions import find_attribution, is_attribution, may_end_attribution
from parsers.quotation_collapsed import break_collapsed
from parsers.quotation_headers import (
    is_bare_marker,
    is_marker,
    is_quoted_header,
    is_ruler,
    read_header_block,
    starts_block,
)
from parsers.quotation_lines import OPENS_QUOTE, fold, quote_depth
from parsers.quotation_tables import MARKERS, VERBS_AT_END
from parsers.signature import split_signature
from parsers.types import Reply

_COLLAPSED_FROM: Final = 60
"""A quote header within a line needs at least this many characters."""
_MOST_LOOKS: Final = 4000
"""Lines of one text that are looked at closely as quote headers; what a mail has more of is not looked at."""
_GROUPWISE_MARKS: Final = 3
_LABEL_WITHIN: Final = 60
_LONGEST_MARKER: Final = 140
_DASHES: Final = frozenset("-=_*~+#[<|>—–─━－＊")
_MARKER_ENDS: Final = " \t\u00a0\u3000:：.,，-*_"
_BLANK_OR_DASH: Final = " \t\u00a0\u3000-*_="
_DASH_OR_BLANK: Final = _DASHES | frozenset(_BLANK_OR_DASH)
_LONGEST_WORDED: Final = max(map(len, MARKERS))
_LONGEST_VERB_LINE: Final = 24
_VERB_LINES: Final = frozenset(VERBS_AT_END)
MOST_LINES: Final = 40_000
"""Lines that are looked at; a mail of more is a log file or an attack."""
_MOST_SEGMENTS: Final = 400
WRITTEN: Final = 0
QUOTED: Final = 1


class Span(NamedTuple):
    """A quote header on the lines `start` up to `end`. `delimited`: what it heads shows by marks where it ends."""

    start: int
    end: int
    delimited: bool
    rule: str


@dataclass(slots=True)
class Cut:
    """Each line of a text marked as written or quoted, and where the first quotation begins (or None)."""

    lines: list[str]
    marks: list[int]
    depths: list[int]
    bodies: list[str]
    first: int | None = None
    first_written: int | None = None
    """The first line that was passed as written by the sender, rulers aside."""
    looks: int = 0
    rest: str = ""
    """What follows the first `MOST_LINES` lines, unread."""
    header_spans: list[Span] = field(default_factory=list)
    """Every quote header (marker, block or attribution) that was found at depth 0."""

    @property
    def rule(self) -> str:
        """What showed where the first quotation begins, in the words of `Message.cut_by`."""
        if self.first is None:
            return ""
        if self.header_spans and self.header_spans[0].start <= self.first:
            return self.header_spans[0].rule
        return "quote-marks"


def split_reply(text: str) -> Reply:
    """Cuts a plain text: `reply` is what its sender newly wrote, inline answers in order; never raises, linear time.

    Lines beyond `MOST_LINES` go where the lines before them end: to `quoted` if anything was quoted, else to `reply`.
    """
    return split_marked(mark_quotation(text))


def split_marked(cut: Cut) -> Reply:
    """The same from a text that is marked already."""
    head = _split(cut)
    if not cut.rest:
        return head
    if head.quoted:
        return Reply(head.reply, f"{head.quoted}\n{cut.rest}", head.signature, head.cut_by)
    return Reply(f"{head.reply}\n{cut.rest}".strip(), "", head.signature)


def _split(cut: Cut) -> Reply:
    if cut.first is None:
        reply, signature = split_signature(cut.lines, last=True)
        return Reply(_joined(reply), "", _joined(signature))
    written: list[str] = []
    quoted: list[str] = []
    signatures: list[str] = []
    segments = _segments(cut)
    last_written = max((number for number, (mark, _) in enumerate(segments) if mark == WRITTEN), default=-1)
    for number, (mark, lines) in enumerate(segments):
        if mark == QUOTED:
            quoted.extend(lines)
            continue
        outermost = number in (0, last_written)
        if not outermost and len(segments) > _MOST_SEGMENTS:
            written.append(_joined(lines))
            continue
        reply, signature = split_signature(lines, last=outermost)
        if any(line.strip() for line in reply):
            written.append(_joined(reply))
        if any(line.strip() for line in signature):
            signatures.extend(signature)
    return Reply("\n\n".join(written), _joined(quoted), _joined(signatures), cut.rule)


def _joined(lines: list[str]) -> str:
    """The lines as one text without blank ends; QQ's literal `&nbsp;` at the ends counts as blank."""
    text = "\n".join(lines).strip()
    while text.endswith("&nbsp;"):
        text = text[:-6].rstrip()
    while text.startswith("&nbsp;"):
        text = text[6:].lstrip()
    return text


def _segments(cut: Cut) -> list[tuple[int, list[str]]]:
    """Runs of lines of one mark; blank lines between two quoted runs belong to the quotation."""
    segments: list[tuple[int, list[str]]] = []
    for line, mark in zip(cut.lines, cut.marks, strict=True):
        if segments and segments[-1][0] == mark:
            segments[-1][1].append(line)
        else:
            segments.append((mark, [line]))
    merged: list[tuple[int, list[str]]] = []
    for mark, lines in segments:
        blank_between = mark == WRITTEN and not any(line.strip() for line in lines)
        if merged and (blank_between or merged[-1][0] == mark):
            merged[-1][1].extend(lines)
        else:
            merged.append((mark, lines))
    return merged


def mark_quotation(text: str) -> Cut:
    """Marks every line of `text`. The rules, in order of a line's appearance:

    a line under quote marks is quoted; a marker line, a quoted header or an attribution is quoted together with what it
    heads: the marked lines below it, or everything to the end where the client does not mark the lines.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    rest = ""
    if text.count("\n") > MOST_LINES:
        *rows, rest = text.split("\n", MOST_LINES)
        text = "\n".join(rows)
    lines = text.split("\n")
    if max(map(len, lines)) > _COLLAPSED_FROM:
        lines = [
            piece for line in lines for piece in (break_collapsed(line) if len(line) > _COLLAPSED_FROM else [line])
        ]
    depths: list[int] = []
    bodies: list[str] = []
    for line in lines:
        depth, body = quote_depth(line) if line[:1] in OPENS_QUOTE else (0, line)
        if depth == 1 and len(line) <= _LONGEST_VERB_LINE and depths and not depths[-1] and _is_verb_alone(body):
            depth, body = 0, line
        depths.append(depth)
        bodies.append(body)
    cut = Cut(lines, [QUOTED if depth else WRITTEN for depth in depths], depths, bodies, rest=rest.rstrip())
    _scan(cut)
    if any(depths):
        _unmark_false_quotes(cut)
        _mark_wrapped_remainders(cut)
    if "</" in text:
        _mark_closing_tags(cut)
    cut.first = cut.marks.index(QUOTED) if QUOTED in cut.marks else None
    return cut


def may_hide_answers(cut: Cut) -> bool:
    """Whether only a line like "On … wrote:" stands over unmarked lines: nothing shows where what it heads ends.

    Under a block of headers or a marker nobody answers; the client quotes all below.
    """
    if not cut.header_spans or cut.marks[-1] != QUOTED:
        return False
    last = cut.header_spans[-1]
    return last.rule == "attribution" and not any(cut.depths[last.start :])


def _is_verb_alone(body: str) -> bool:
    """`> wrote:` is the end of an attribution broken after its address, not a quoted line."""
    return fold(body).rstrip(": ").lower() in _VERB_LINES


def _scan(cut: Cut) -> None:
    index = lowest = 0
    total = len(cut.lines)
    while index < total:
        if cut.depths[index] == _GROUPWISE_MARKS and _is_groupwise_header(cut, index):
            cut.header_spans.append(Span(index, index + 1, delimited=False, rule="attribution"))
            cut.marks[index:] = [QUOTED] * (total - index)
            return
        if cut.depths[index] or not cut.lines[index].strip():
            if cut.depths[index]:
                lowest = index + 1
            index += 1
            continue
        span = _header_at(cut, index, lowest) if _may_head(cut.bodies[index]) and cut.looks < _MOST_LOOKS else None
        if span is None or span.start < 0:
            if cut.first_written is None and not is_ruler(cut.lines[index]):
                cut.first_written = index
            index = index + 1 if span is None else span.end
            continue
        start = span.start
        if cut.first_written is not None and cut.first_written >= start:
            cut.first_written = None
        cut.header_spans.append(span)
        stop = span.end if span.delimited else total
        cut.marks[start:stop] = [QUOTED] * (stop - start)
        index = lowest = stop


def _is_groupwise_header(cut: Cut, index: int) -> bool:
    """GroupWise writes `>>> Kay Wong <kay@…> 03/05/24 9:12 AM >>>` over a quotation that it does not mark."""
    if (
        cut.looks >= _MOST_LOOKS
        or (index and cut.depths[index - 1])
        or (index + 1 < len(cut.depths) and cut.depths[index + 1])
    ):
        return False
    body = fold(cut.bodies[index])
    closed = body.endswith(">>>")
    cut.looks += closed or may_end_attribution(body)
    if closed:
        return any(character.isdigit() for character in body) and (":" in body or "@" in body) and "://" not in body
    return may_end_attribution(body) and is_attribution(body, followed=False)


def _header_at(cut: Cut, index: int, lowest: int) -> Span | None:
    """The quote header on line `index`; start -1 if a block was read and refused."""
    raw = cut.bodies[index]
    labelled = raw.find(":", 0, _LABEL_WITHIN) > 0 or raw.find("：", 0, _LABEL_WITHIN) > 0 or "|" in raw[:8]
    ends = may_end_attribution(raw)
    marker = len(raw) <= _LONGEST_MARKER and _may_be_marker(raw)
    if not (labelled or marker):
        return _at_attribution(cut, index, lowest) if ends else None
    folded = fold(raw)
    if not folded:
        return None
    if marker and (is_marker(folded) or is_bare_marker(folded)):
        span = _at_marker(cut, index, lowest, folded)
        if span is not None:
            return span
    if labelled and starts_block(folded):
        block = read_header_block(cut.bodies, cut.depths, index)
        if block is not None:
            cut.looks += 1
            on_top = cut.first_written is None and lowest == 0
            if is_quoted_header(block, marked=False, on_top=on_top):
                start = _with_ruler_above(cut, index, lowest)
                return Span(start, block.end, _is_delimited(cut, start, block.end), "header-block")
            if block.end > index + 1 and not ends:
                return Span(-1, block.end, delimited=False, rule="")
    return _at_attribution(cut, index, lowest) if ends else None


def _may_head(raw: str) -> bool:
    """The cheapest look at a line: most lines of most mail have nothing that a quote header needs."""
    if ":" in raw or "：" in raw or "@" in raw or "|" in raw[:8]:
        return True
    if len(raw) > _LONGEST_MARKER:
        return False
    if raw[0] in _DASH_OR_BLANK or raw[-1] in _BLANK_OR_DASH or "above" in raw or "上" in raw:
        return True
    return len(raw) <= _LONGEST_WORDED and raw.lower() in MARKERS


def _may_be_marker(raw: str) -> bool:
    """A cheap first look: a marker has dashes in front, or is one of the known phrases, or asks to answer above."""
    stripped = raw.strip(_MARKER_ENDS)
    if not stripped:
        return False
    return raw.lstrip()[:1] in _DASHES or stripped.lower() in MARKERS or "above" in raw or "上" in raw


def _at_marker(cut: Cut, index: int, lowest: int, folded: str) -> Span | None:
    cut.looks += 1
    following = _next_text(cut, index + 1)
    if following is None:
        return Span(index, index + 1, delimited=False, rule="marker") if is_marker(folded) else None
    block = read_header_block(cut.bodies, cut.depths, following) if following - index <= 4 else None
    if block is not None and is_quoted_header(block, marked=True, on_top=False):
        if is_marker(folded) or is_quoted_header(block, marked=False, on_top=False):
            start = _with_ruler_above(cut, index, lowest)
            return Span(start, block.end, _is_delimited(cut, start, block.end), "marker")
        return None
    if is_marker(folded):
        return Span(index, index + 1, _is_delimited(cut, index, index + 1), "marker")
    return Span(index, index + 1, delimited=True, rule="marker") if cut.depths[following] else None


def _at_attribution(cut: Cut, index: int, lowest: int) -> Span | None:
    cut.looks += 1
    following = _next_text(cut, index + 1)
    followed = following is not None and cut.depths[following] > 0
    start = find_attribution(cut.bodies, cut.depths, index, lowest, followed=followed)
    return None if start is None else Span(start, index + 1, followed, "attribution")


def _next_text(cut: Cut, index: int) -> int | None:
    """The next line that holds anything, quote marks included."""
    return next((number for number in range(index, len(cut.lines)) if cut.lines[number].strip()), None)


def _with_ruler_above(cut: Cut, index: int, lowest: int) -> int:
    """The line of underscores or dashes that clients draw over a quoted header belongs to the quotation."""
    above = index - 1
    while above >= lowest and index - above <= 3 and not cut.lines[above].strip():
        above -= 1
    if above >= lowest and index - above <= 3 and is_ruler(fold(cut.bodies[above])):
        return above
    return index


def _is_delimited(cut: Cut, start: int, end: int) -> bool:
    """Whether what a header block heads ends by itself: its lines carry quote marks and nothing is written above.

    With something written above, marks below the block are those of the quoted mail itself, and all of it is quoted.
    """
    if any(
        cut.lines[number].strip() and not cut.depths[number] and cut.marks[number] == WRITTEN for number in range(start)
    ):
        return False
    following = _next_text(cut, end)
    return following is not None and cut.depths[following] > 0


def _unmark_false_quotes(cut: Cut) -> None:
    """Takes back marks from lines that only look quoted: a prompt, a comparison, the end of a broken link."""
    if cut.header_spans:
        return
    quoted = [index for index, depth in enumerate(cut.depths) if depth and cut.marks[index] == QUOTED]
    if all(cut.lines[index].startswith(">>> ") for index in quoted):
        doubtful = quoted
    else:
        alone = [index for index in quoted if not _has_quoted_neighbour(cut, index)]
        doubtful = [index for index in alone if _is_comparison(cut.lines[index]) or _closes_link(cut, index)]
    for index in doubtful:
        cut.marks[index] = WRITTEN


def _has_quoted_neighbour(cut: Cut, index: int) -> bool:
    return (index > 0 and cut.depths[index - 1] > 0) or (index + 1 < len(cut.depths) and cut.depths[index + 1] > 0)


def _is_comparison(line: str) -> bool:
    return len(line) > 1 and line[0] == ">" and (line[1].isdigit() or line[1] == "=")


def _closes_link(cut: Cut, index: int) -> bool:
    above = cut.lines[index - 1] if index else ""
    return above.rfind("<") > above.rfind(">") and "://" in above


_CLOSED_ADDRESSES: Final = re.compile(r"\s*(?:</[^\s<>/]{1,64}@[^\s<>]{1,250}>\s*)+")


def _mark_closing_tags(cut: Cut) -> None:
    """Coremail takes addresses of the quotation for tags and closes them under it: `</lina@agency.example>`."""
    if QUOTED in cut.marks:
        for index in range(cut.marks.index(QUOTED), len(cut.lines)):
            if cut.lines[index].lstrip().startswith("</") and _CLOSED_ADDRESSES.fullmatch(cut.lines[index][:4000]):
                cut.marks[index] = QUOTED


_WRAPS_FROM: Final = 64
_REMAINDER: Final = 40


def _mark_wrapped_remainders(cut: Cut) -> None:
    """A short unmarked line squeezed between two marked ones after a long one is the rest of a wrapped line."""
    for index in range(1, len(cut.lines) - 1):
        if cut.marks[index] == WRITTEN and cut.depths[index - 1] and cut.depths[index + 1]:
            line = cut.lines[index]
            if 0 < len(line.strip()) <= _REMAINDER and len(cut.lines[index - 1]) >= _WRAPS_FROM:
                cut.marks[index] = QUOTED
