"""Cuts an HTML body by the marks that mail clients leave in its structure.

A client's mark is a row in `CLIENT_MARKS`. Clients that leave none are left to the rules on text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from parsers.quotation_attributions import find_attribution
from parsers.quotation_headers import is_bare_marker, is_marker, is_quoted_header, read_header_block
from parsers.quotation_lines import fold
from parsers.tables import lines

LARGEST_HTML: Final = 4_000_000
"""Characters beyond which structure is not looked at; the rules on text still are."""
_MOST_NODES: Final = 300
_HEAD: Final = 1600
"""Characters of a node's text that are looked at for a quote header."""


@dataclass(frozen=True, slots=True)
class HtmlSplit:
    """Three pieces of HTML and the name of the rule that found the cut."""

    reply_html: str
    quoted_html: str
    signature_html: str
    rule: str


@dataclass(frozen=True, slots=True)
class ClientMark:
    """`needle` must occur in the HTML in lower case before `selector` is tried, which keeps most bodies quick.

    `action`: "container" (the node is quotation), "separator" (the node and all after it), "headed" (a separator if its
    text begins with a quoted header), "titled" (a container if it begins with one), "signature".
    """

    rule: str
    action: str
    needle: str
    selector: str


def _marks(action: str, table: str) -> tuple[ClientMark, ...]:
    rows = [line.split(" ", 2) for line in lines(table)]
    return tuple(ClientMark(rule, action, needle.lower(), selector) for rule, needle, selector in rows)


CLIENT_MARKS: Final = (
    *_marks(
        "container",
        """
        gmail gmail_quote div.gmail_quote, div.gmail_quote_container, blockquote.gmail_quote
        yahoo yahoo .yahoo_quoted, [id^="yahoo_quoted"], [id*="yahooMailQuoted"], [class*="yahoo-quoted"]
        proton protonmail_quote .protonmail_quote
        thunderbird moz-forward .moz-forward-container
        cite cite blockquote[type="cite"], blockquote[class*="cite"], blockquote[id*="cite"]
        outlook olk_src_body #OLK_SRC_BODY_SECTION
        outlook mail-editor-reference #mail-editor-reference-message-container, [id$="mail-editor-reference-message-container"]
        outlook-mobile reference-message .ms-outlook-mobile-reference-message
        qq original-content [id*="original-content"], [class*="original-content"]
        tencent-exmail xm_compose_origin .xm_compose_origin_mail_container, [class*="xm_compose_origin"]
        netease isreplycontent #isReplyContent, blockquote[id="isReplyContent"]
        netease isforwardcontent #isForwardContent
        netease ntes- [class*="ntes-mailmaster-quote"], [id^="ntes-"][id$="-quote"], [class^="ntes-"][class*="-quote"]
        foxmail foxdiv blockquote[class*="FoxDiv"], div[class^="FoxDiv"]
        foxmail foxmail blockquote[class*="foxmail" i]
        foxmail fmoriginal [id^="FMOriginal"]
        lark history-quote .history-quote-wrapper, [class*="history-quote"], [id*="history-quote"]
        lark lark-mail-quote [id^="lark-mail-quote"], [class*="lark-mail-quote"]
        aliyun aliyun_previous [class*="__aliyun_previous"], [id*="__aliyun_previous"]
        aliyun alimail-quote .alimail-quote, [class*="alimail-quote"]
        dingtalk dingtalk [class*="dingtalk"][class*="quote"], [class*="dingmail"][class*="quote"]
        coremail replycontent blockquote[name="replyContent"], #replyContent, [name="replyContent"]
        coremail referencequote .ReferenceQuote, #ReferenceQuote
        zoho zmail_extra .zmail_extra, [id="blockquote_zmail"], .zmail_extra_hr
        mail-ru auto-quote [id*="mail-app-auto-quote"]
        spark messagereplysection [name="messageReplySection"], .spark_quote
        front front-blockquote .front-blockquote
        hubspot hs_reply .hs_reply
        welink welink [class*="welink"][class*="quote"], [id*="welink"][id*="quote"], [class*="welink"][class*="origin"]
        quoted-mail mail_quote .mail_quote, .mail-quote, #mail_quote, #mail-quote
        quoted-mail mail-quote .mail-quote, #mail-quote
        quoted-mail quotedtext .quotedText, #quotedText, .quoted-text
        evolution evolutioncite .-x-evo-cite, #-x-evo-cite
        """,
    ),
    *_marks(
        "separator",
        """
        outlook divrplyfwdmsg [id$="divRplyFwdMsg"]
        outlook appendonsend [id$="appendonsend"]
        outlook stopspelling hr[id$="stopSpelling"]
        outlook outlookmessageheader .OutlookMessageHeader, [id="OutlookMessageHeader"]
        outlook-mobile mobile-body-separator [id$="mobile-body-separator-line"]
        zimbra __divider__ hr[data-marker="__DIVIDER__"]
        """,
    ),
    *_marks(
        "headed",
        """
        outlook border-top div[style*="border-top" i], p[style*="border-top" i]
        border border: div[style*="border:" i][style*="solid" i]
        ruler <hr hr
        qq arial div[style*="Arial Narrow" i]
        """,
    ),
    *_marks(
        "titled",
        """
        named-quote quote [class*="quote" i], [id*="quote" i]
        named-original origin [class*="origin" i], [id*="origin" i]
        named-reply reply [class*="reply" i], [id*="reply" i]
        named-forward forward [class*="forward" i], [id*="forward" i]
        named-history history [class*="history" i], [id*="history" i]
        blockquote <blockquote blockquote
        """,
    ),
    *_marks(
        "signature",
        """
        signature signature [class*="signature" i], [id*="signature" i], [name*="signature" i]
        tencent-exmail xm_write_sign .xm_write_sign, [class*="xm_write_sign"]
        netease divneteasemailcard #divNeteaseMailCard, .divNeteaseMailCard
        mail-139 signcontainer #signContainer
        qq <sign sign
        """,
    ),
)
_FLAGGED: Final = re.compile("|".join(sorted({re.escape(mark.needle) for mark in CLIENT_MARKS}, key=len, reverse=True)))


def split_html(html: str) -> HtmlSplit | None:
    """Returns the pieces, or None where no client's structure is recognised.

    What stands between or below quoted nodes (inline and bottom answers) stays in `reply_html`. `reply_html` may hold no
    text at all: then all of the body is quotation.
    """
    if len(html) > LARGEST_HTML:
        return None
    lowered = html.lower()
    if not _FLAGGED.search(lowered):
        return None
    wanted = [mark for mark in CLIENT_MARKS if mark.needle in lowered]
    return _Cutter(html).split(wanted)


class _Cutter:
    """One body being cut; nodes are taken out of the tree in the order of the actions."""

    def __init__(self, html: str) -> None:
        self.tree = LexborHTMLParser(html)
        self.quoted: list[str] = []
        self.signature: list[str] = []
        self.rule = ""

    def split(self, wanted: list[ClientMark]) -> HtmlSplit | None:
        body = self.tree.body
        if body is None:
            return None
        containers = self._nodes(body, wanted, "container") + [
            pair for pair in self._nodes(body, wanted, "titled") if _is_titled(pair[1])
        ]
        containers = list({node.mem_id: (mark, node) for mark, node in reversed(containers)}.values())[::-1]
        held = {node.mem_id for _, node in containers}
        separators = self._nodes(body, wanted, "separator") + [
            pair for pair in self._nodes(body, wanted, "headed") if _is_headed(pair[1])
        ]
        for mark, node in separators:
            if not _is_within(node, held) and node.parent is not None:
                self._note(mark)
                self._cut_from(node)
                break
        for mark, node in containers:
            if _is_within(node, held - {node.mem_id}) or not _is_attached(node, body):
                continue
            self._note(mark)
            self._cut_node(node)
        self._cut_signatures(body, wanted)
        if not self.rule:
            return None
        return HtmlSplit(body.html or "", "\n".join(self.quoted), "\n".join(self.signature), self.rule)

    def _nodes(self, body: LexborNode, wanted: list[ClientMark], action: str) -> list[tuple[ClientMark, LexborNode]]:
        found: list[tuple[ClientMark, LexborNode]] = []
        seen: set[int] = set()
        for mark in wanted:
            if mark.action == action:
                for node in body.css(mark.selector)[:_MOST_NODES]:
                    if node.mem_id not in seen and node.mem_id != body.mem_id:
                        seen.add(node.mem_id)
                        found.append((mark, node))
        return found

    def _note(self, mark: ClientMark) -> None:
        self.rule = self.rule or mark.rule

    def _take(self, node: LexborNode, pieces: list[str]) -> None:
        pieces.append(node.html or "")
        node.decompose()

    def _cut_from(self, node: LexborNode) -> None:
        """Takes out the node and everything after it in the document."""
        current: LexborNode | None = node
        after: list[LexborNode] = [node]
        while current is not None and current.tag not in ("body", "html"):
            sibling = current.next
            while sibling is not None:
                after.append(sibling)
                sibling = sibling.next
            current = current.parent
        for part in after:
            self._take(part, self.quoted)

    def _cut_node(self, node: LexborNode) -> None:
        """Takes out a quoted node with the attribution above it; a wrapper of several quotes keeps the answers between."""
        above = _attribution_above(node)
        for part in above:
            self._take(part, self.quoted)
        quotes = [child for child in _children(node) if child.tag == "blockquote"]
        if node.tag == "div" and quotes and _holds_answers(node, quotes):
            for child in _children(node):
                if child.tag == "blockquote" or _is_attribution_text(_text(child)):
                    self._take(child, self.quoted)
            return
        self._take(node, self.quoted)

    def _cut_signatures(self, body: LexborNode, wanted: list[ClientMark]) -> None:
        nodes = self._nodes(body, wanted, "signature")
        held = {node.mem_id for _, node in nodes}
        outer = [(mark, node) for mark, node in nodes if not _is_within(node, held - {node.mem_id})]
        signed = sum(len(_squeezed(node.text(deep=True))) for _, node in outer)
        if not outer or signed >= len(_squeezed(body.text(deep=True))):
            # Some clients put the cursor into the signature: what is all that was written is not a signature.
            return
        for mark, node in outer:
            self._note(mark)
            self._take(node, self.signature)


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _children(node: LexborNode) -> list[LexborNode]:
    return list(node.iter(include_text=False))


def _is_within(node: LexborNode, held: set[int]) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.mem_id in held:
            return True
        parent = parent.parent
    return False


def _is_attached(node: LexborNode, body: LexborNode) -> bool:
    """A node that went out with a separator before it has nothing left to cut."""
    current: LexborNode | None = node
    while current is not None:
        if current.mem_id == body.mem_id:
            return True
        current = current.parent
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
        if node.is_text_node:
            piece = " ".join((node.text(deep=False) or "").split())
            lines_[-1] += (" " if lines_[-1] and piece else "") + piece
            size += len(piece)
            continue
        if node.tag in ("style", "script", "head", "-comment"):
            continue
        if node.tag in _BLOCK_TAGS and lines_[-1]:
            lines_.append("")
        stack.extend(reversed(list(node.iter(include_text=True))))
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
    if node.tag == "blockquote" and _attribution_above(node):
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


def _attribution_above(node: LexborNode) -> list[LexborNode]:
    """The sibling nodes right above a quoted node that make up its attribution, in order; [] if there is none."""
    taken: list[LexborNode] = []
    rows: list[str] = []
    sibling = node.prev
    while sibling is not None and len(taken) < 8:
        text = " ".join((_own_text(sibling)).split())
        if sibling.tag in ("blockquote", "hr", "table"):
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
