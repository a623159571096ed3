"""Reads an HTML body once: its text, and which of it is quoted or signature by the marks that clients leave in structure.

A client's mark is a row in `quotation_html_tables`. Clients that leave none are left to the rules on text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from selectolax.lexbor import LexborNode

from parsers.html import (
    QUOTED,
    SIGNATURE,
    WRITTEN,
    Marks,
    grow,
    is_nested_too_deep,
    text_of_lines,
    text_without_tree,
    walk,
)
from parsers.limits import MAX_TEXT
from parsers.quotation_attributions import find_attribution, may_close_attribution
from parsers.quotation_headers import is_bare_marker, is_marker, is_quoted_header, read_header_block
from parsers.quotation_html_tables import CLIENT_MARKS, ClientMark
from parsers.quotation_lines import fold

_MOST_NODES: Final = 300
_HEAD: Final = 1600
"""Characters of a node's text that are looked at for a quote header."""
_MARKS_OF: Final = {
    action: tuple(mark for mark in CLIENT_MARKS if mark.action == action)
    for action in ("container", "titled", "separator", "headed", "signature")
}


@dataclass(frozen=True, slots=True)
class HtmlText:
    """A body as text, and the same text in three pieces if `rule`, the client's mark that told them apart, is not empty.

    What stands between or below quoted nodes (inline and bottom answers) is in `written`, which is empty where all of
    the body is quotation.
    """

    text: str
    written: str = ""
    quoted: str = ""
    signature: str = ""
    rule: str = ""


def read_html(html: str) -> HtmlText:
    """Text and pieces of an HTML body. Never raises, linear time."""
    html = html[:MAX_TEXT]
    if "<" not in html or is_nested_too_deep(html):
        return HtmlText(text_without_tree(html))
    tree, tags = grow(html)
    root = tree.root
    if root is None:
        return HtmlText("")
    body = tree.body
    found = _Finder(tags).find(body) if body is not None else None
    lines = walk(root, tags, found.marks if found else None)
    text = text_of_lines(lines)
    if found is None:
        return HtmlText(text)
    written, signature = text_of_lines(lines, WRITTEN), text_of_lines(lines, SIGNATURE)
    if signature and not written:
        # Some clients put the cursor into the signature: what is all that was written is not a signature.
        written, signature = signature, ""
    rule = found.rule or (found.signature_rule if signature else "")
    return HtmlText(text, written, text_of_lines(lines, QUOTED), signature, rule) if rule else HtmlText(text)


class _Finder:
    """Finds the nodes of one body that are quotation or signature. `tags` is every distinct tag, in lower case."""

    def __init__(self, tags: str) -> None:
        self.tags = tags
        self.marks = Marks()
        self.rule = ""
        self.signature_rule = ""

    def find(self, body: LexborNode) -> _Finder | None:
        """Returns itself if anything was found."""
        containers = self._nodes(body, "container")
        held = {node.mem_id for _, node in containers}
        titled = [
            (mark, node)
            for mark, node in self._nodes(body, "titled")
            if node.mem_id not in held and not _is_within(node, held) and _is_titled(node)
        ]
        containers += titled
        held.update(node.mem_id for _, node in titled)
        for mark, node in self._nodes(body, "separator") + self._nodes(body, "headed"):
            if not _is_within(node, held) and (mark.action == "separator" or _is_headed(node)):
                self.rule = mark.rule
                self.marks.from_node = node.mem_id
                break
        for mark, node in containers:
            if len(held) == 1 or not _is_within(node, held):
                self.rule = self.rule or mark.rule
                self._mark_quotation(node)
        for mark, node in self._nodes(body, "signature"):
            self.signature_rule = self.signature_rule or mark.rule
            self.marks.nodes.setdefault(node.mem_id, SIGNATURE)
        return self if self.rule or self.signature_rule else None

    def _nodes(self, body: LexborNode, action: str) -> list[tuple[ClientMark, LexborNode]]:
        found: list[tuple[ClientMark, LexborNode]] = []
        seen: set[int] = {body.mem_id}
        for mark in _MARKS_OF[action]:
            if mark.needle in self.tags:
                for node in body.css(mark.selector)[:_MOST_NODES]:
                    if node.mem_id not in seen:
                        seen.add(node.mem_id)
                        found.append((mark, node))
        return found

    def _mark_quotation(self, node: LexborNode) -> None:
        """Marks a quoted node with the attribution above it; a wrapper of several quotes keeps the answers between."""
        nodes = self.marks.nodes
        for part in _attribution_above(node, nodes):
            nodes[part.mem_id] = QUOTED
        quotes = [child for child in _children(node) if child.tag == "blockquote"] if node.tag == "div" else []
        if quotes and _holds_answers(node, quotes):
            for child in _children(node):
                if child.tag == "blockquote" or _is_attribution_text(_text(child)):
                    nodes[child.mem_id] = QUOTED
            return
        nodes[node.mem_id] = QUOTED


def _children(node: LexborNode) -> list[LexborNode]:
    return list(node.iter(include_text=False))


def _is_within(node: LexborNode, held: set[int]) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.mem_id in held:
            return True
        parent = parent.parent
    return False


def _text(node: LexborNode) -> str:
    text: str = node.text(deep=True, separator="\n")
    return text[:_HEAD]


_BLOCK_TAGS: Final = frozenset(("div", "p", "tr", "li", "table", "blockquote", "br", "hr", "tbody", "pre"))


def _head_lines(start: LexborNode, *, with_siblings: bool) -> list[str]:
    """The first lines of a node as a reader sees them: inline elements joined, blocks and line breaks on lines of their own."""
    lines_: list[str] = [""]
    size = 0
    stack: list[LexborNode] = []
    sibling = start.next if with_siblings else None
    while sibling is not None and len(stack) < 12:
        stack.append(sibling)
        sibling = sibling.next
    stack.reverse()
    stack.append(start)
    steps = 0
    while stack and size < _HEAD and steps < 400:
        node = stack.pop()
        steps += 1
        tag = node.tag or ""
        if tag == "-text":
            piece = " ".join((node.text(deep=False) or "").split())
            lines_[-1] += (" " if lines_[-1] and piece else "") + piece
            size += len(piece)
            continue
        if tag in ("style", "script", "head", "-comment"):
            continue
        if tag in _BLOCK_TAGS and lines_[-1]:
            lines_.append("")
        child = node.last_child
        while child is not None:
            stack.append(child)
            child = child.prev
    return [line for line in lines_ if line]


def _begins_with_header(head: list[str]) -> bool:
    for index, line in enumerate(head[:3]):
        folded = fold(line)
        if is_marker(folded) or (is_bare_marker(folded) and index + 1 < len(head)):
            return True
        depths = [0] * len(head)
        block = read_header_block(head, depths, index)
        if block is not None and is_quoted_header(block, marked=False, on_top=False):
            return True
        if find_attribution(head, depths, index, 0, followed=False) is not None:
            return True
    return False


def _is_titled(node: LexborNode) -> bool:
    if node.tag == "blockquote" and _attribution_above(node, {}):
        return True
    return _begins_with_header(_head_lines(node, with_siblings=False))


def _is_headed(node: LexborNode) -> bool:
    head = _head_lines(node, with_siblings=node.tag == "hr")
    if not head:
        return False
    if is_marker(fold(head[0])):
        return True
    block = read_header_block(head, [0] * len(head), 0)
    return block is not None and is_quoted_header(block, marked=False, on_top=False)


def _is_attribution_text(text: str) -> bool:
    rows = [row for row in (" ".join(row.split()) for row in text.split("\n")) if row]
    return 0 < len(rows) <= 8 and len(text) <= 600 and _is_attribution_rows(rows)


def _is_attribution_rows(rows: list[str]) -> bool:
    depths = [0] * len(rows)
    return find_attribution(rows, depths, len(rows) - 1, 0, followed=True) == 0 or (
        len(rows) > 1 and find_attribution([" ".join(rows)], [0], 0, 0, followed=True) == 0
    )


def _attribution_above(node: LexborNode, marked: Mapping[int, int]) -> list[LexborNode]:
    """The unmarked sibling nodes right above a quoted node that make up its attribution, in order; [] if there is none."""
    taken: list[LexborNode] = []
    rows: list[str] = []
    sibling = node.prev
    while sibling is not None and len(taken) < 8:
        if sibling.tag in ("blockquote", "hr", "table") or sibling.mem_id in marked:
            break
        text = " ".join(_own_text(sibling).split())
        if text and not rows and not may_close_attribution(text):
            break
        taken.insert(0, sibling)
        if text:
            rows.insert(0, text)
            if _is_attribution_rows(rows):
                return taken
            if len(" ".join(rows)) > 400:
                break
        sibling = sibling.prev
    return []


def _own_text(node: LexborNode) -> str:
    text: str | None = node.text(deep=not node.is_text_node)
    return (text or "")[:_HEAD]


def _holds_answers(node: LexborNode, quotes: list[LexborNode]) -> bool:
    """Whether a wrapper holds text beside its quotes that is no attribution: the sender's answers."""
    last = quotes[-1].mem_id
    beside = [child for child in _children(node) if child.tag != "blockquote"]
    texts = [_text(child) for child in beside]
    written = [
        text
        for text in texts
        if text.strip() and not _is_attribution_text(text) and not _begins_with_header(text.split("\n"))
    ]
    return bool(written) and (len(quotes) > 1 or _is_below(node, last, written))


def _is_below(node: LexborNode, last: int, written: list[str]) -> bool:
    below = False
    for child in _children(node):
        if child.mem_id == last:
            below = True
        elif below and _text(child) in written:
            return True
    return False
