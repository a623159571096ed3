"""HTML mail to text that reads like the mail looked.

Blocks become lines, paragraphs are set apart, lists get their marks, cells of a row stand on one line with tabs between
(as browsers copy them), links keep an address that their text does not show; what was hidden stays hidden.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

from parsers.html_styles import HIDING, is_hidden, is_quotation, is_tight, keeps_space
from parsers.limits import MAX_HTML_NESTING, MAX_TEXT

WRITTEN, QUOTED, SIGNATURE = 0, 1, 2
"""Shares of a body: what was newly written, and what structure shows to be something else."""
Line = tuple[int, str, int]
"""Depth of quotation, text, share."""
RULER = "_" * 32
"""What a horizontal rule becomes: the line that Outlook writes for it in plain text."""

_BLOCKS_NAMES = (
    "address article aside body caption center dd details div dl dt fieldset figcaption figure footer form h1 "
    "h2 h3 h4 h5 h6 header hgroup html legend li main menu nav ol p pre section summary table tbody tfoot "
    "thead tr ul blockquote"
)
_BLOCKS = frozenset(_BLOCKS_NAMES.split())
_SPACED_NAMES = "p h1 h2 h3 h4 h5 h6 ul ol dl pre blockquote"
_SPACED = frozenset(_SPACED_NAMES.split())
_SKIPPED_NAMES = (
    "head script style title template object embed applet select option map area meta link base colgroup col "
    "video audio svg math iframe textarea noframes xml button -comment _comment -doctype !doctype -document "
    "#comment"
)
_SKIPPED = frozenset(_SKIPPED_NAMES.split())
_SHAPING = _BLOCKS | {"br", "a", "img", "hr", "td", "th"}
"""Every other element lets its text run on."""
_RUN = re.compile(r"[ \t\n\r\f]+")
_BREAK_BETWEEN_WIDE = re.compile(
    r"(?<=[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60])[ \t]*\r?\n[ \t]*(?=[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60])"
)
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60]")
_NO_SPACE, _SPACE, _LINE_END = 0, 1, 2
"""White space owed: the end of a source line is none between wide characters (CSS Text 3 §4.1.3), also across elements."""
_INVISIBLE_CHARACTERS = "\u200b\u200c\u2060\ufeff\u00ad\u034f\u061c\u180e"
_NOTHING = f" \t\xa0\u3000{_INVISIBLE_CHARACTERS}"
_INVISIBLE = re.compile(f"[{_INVISIBLE_CHARACTERS}]+")
_MAY_HIDE = ("hidden", "display", "mso-hide", "max-height", "opacity", "font-size:0", "font-size: 0")
_EMOJI_ALT = re.compile(r"\[[^\[\]]{1,8}\]|[^\w\s]{1,6}|:[a-z_]{2,20}:")
_ANY_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]*)[^<>]{0,5000}>")
_OPEN_OR_CLOSE = re.compile(
    r"<(/?)(?:div|blockquote|ul|ol|li|table|td|tr|section|article|span|font|b|i|u|em|strong|a|p|center|dl|dd)\b",
    re.IGNORECASE,
)
_TAGS = re.compile(r"<[a-zA-Z][^<>]*")
_LINE_SPACE = re.compile(r"[ \t]+\n")
_MANY_LINES = re.compile(r"\n{3,}")
_LONGEST_LINK = 300


def html_to_text(html: str) -> str:
    """Text of an HTML document or fragment, lines ended by LF, no blank line at either end. Never raises, linear time."""
    html = html[:MAX_TEXT]
    if "<" not in html or is_nested_too_deep(html):
        return text_without_tree(html)
    tree, tags = grow(html)
    return text_of_lines(walk(tree.root, tags)) if tree.root is not None else ""


def text_without_tree(html: str) -> str:
    """The same for what has no tags, or too many within each other: tags are taken off as they stand."""
    return _strip_tags(html) if "<" in html else _tidy(unescape(html).replace("\xa0", " "))


def grow(html: str) -> tuple[LexborHTMLParser, str]:
    """The tree, and every distinct tag as written but in lower case, in which attributes can be looked for cheaply."""
    return LexborHTMLParser(html), "".join(set(_TAGS.findall(html))).lower()


def walk(root: LexborNode, tags: str, marks: Marks | None = None) -> list[Line]:
    """The lines of the tree in order. `tags` is what `grow` gave with it."""
    return _Walk(
        marks,
        may_hide=" hidden" in tags or (any(map(tags.__contains__, _MAY_HIDE)) and HIDING.search(tags) is not None),
        may_be_tight="mso" in tags or "margin" in tags or 'class="p' in tags,
        may_keep_space="white-space" in tags,
    ).run(root)


def text_of_lines(lines: list[Line], share: int | None = None) -> str:
    """The lines, or those of one share (`WRITTEN`, `QUOTED` or `SIGNATURE`), as text with quotations marked by `>`."""
    return _plain(
        "\n".join(
            [
                text if not depth else "> " * depth + text if text else ">" * depth
                for depth, text, its in lines
                if share is None or its == share
            ]
        )
    )


def is_nested_too_deep(html: str) -> bool:
    """True for documents on which building a tree takes more than linear time."""
    if html.count("<") < MAX_HTML_NESTING:
        return False
    depth = deepest = 0
    for match in _OPEN_OR_CLOSE.finditer(html):
        depth += -1 if match[1] else 1
        if depth > deepest:
            deepest = depth
        elif depth < 0:
            depth = 0
    return deepest > MAX_HTML_NESTING


def _strip_tags(html: str) -> str:
    def replace(match: re.Match[str]) -> str:
        return "\n" if match[2].lower() in _BLOCKS or match[2].lower() == "br" else ""

    text = re.sub(r"(?is)<(script|style|head)\b.{0,100000}?</\1\s*>", "", html)
    return _tidy(unescape(_ANY_TAG.sub(replace, text)).replace("\xa0", " "))


@dataclass(slots=True)
class Marks:
    """Nodes by `mem_id` that belong to another share with all they hold, and the one from which on all is quoted."""

    nodes: dict[int, int] = field(default_factory=dict)
    from_node: int | None = None


class _Walk:
    """One walk through a tree in document order, without recursion; collects lines."""

    __slots__ = (
        "_gap",
        "_line",
        "_links",
        "_lists",
        "_marker",
        "_marks",
        "_may_be_tight",
        "_may_hide",
        "_may_keep_space",
        "_preserve",
        "_quote",
        "_rows",
        "_share",
        "_space",
        "lines",
    )

    def __init__(self, marks: Marks | None, *, may_hide: bool, may_be_tight: bool, may_keep_space: bool) -> None:
        self.lines: list[Line] = []
        self._marks = marks
        self._share = WRITTEN
        self._line: list[str] = []
        self._gap = 0  # empty lines owed before the next text
        self._space = _NO_SPACE  # what is owed before the next text on this line
        self._marker = False  # the line holds nothing but the mark of a list item
        self._preserve = 0  # depth of elements that keep white space
        self._quote = 0
        self._lists: list[int | None] = []  # the next number, or None for bullets
        self._rows: list[list[int]] = []  # of each open row: cells seen, lines before it
        self._links: list[tuple[str, int, int]] = []
        # Attributes are costly to read: only where the document has any of that kind at all.
        self._may_hide = may_hide
        self._may_be_tight = may_be_tight
        self._may_keep_space = may_keep_space

    def run(self, root: LexborNode) -> list[Line]:  # noqa: C901 - the hot loop of all HTML: calls cost more than branches
        stack: list[LexborNode | str | int] = [root]
        pop, push, may_hide, enter, write_text = stack.pop, stack.append, self._may_hide, self._enter, self._text
        bare_divs = not self._may_keep_space
        marks = self._marks or Marks()
        shares, from_node = marks.nodes, marks.from_node
        marked = bool(shares) or from_node is not None
        while stack:
            node = pop()
            if isinstance(node, LexborNode):
                following = node.next
                if following is not None:
                    push(following)
                if marked:
                    identity = node.mem_id
                    if identity == from_node:
                        marked = False  # nothing turns back any more
                        self._turn_to(QUOTED)
                    elif identity in shares and self._share != QUOTED:
                        # A quotation holds the signatures of others.
                        push(self._share)
                        self._turn_to(shares[identity])
                tag = node.tag or ""
                if tag == "-text":
                    write_text(node.text_content or "")
                elif tag not in _SKIPPED and not (may_hide and is_hidden(node)):
                    if tag == "div" and bare_divs:
                        self._finish()
                        push("div")
                    elif tag in _SHAPING and (mark := enter(tag, node)):
                        push(mark)
                    child = node.child
                    if child is not None:
                        push(child)
            elif node == "div":
                self._finish()
            elif isinstance(node, str):
                self._leave(node)
            elif marked:
                self._turn_to(node)
        self._finish()
        return self.lines

    def _turn_to(self, share: int) -> None:
        self._finish()
        self._share = share

    def _text(self, text: str) -> None:
        if self._preserve:
            for index, piece in enumerate(text.replace("\r\n", "\n").split("\n")):
                if index:
                    self._break_line()
                self._write(piece)
            return
        owed = _SPACE
        if "\n" in text:
            text = _BREAK_BETWEEN_WIDE.sub("", text)
            if "\n" in text[: len(text) - len(text.lstrip())]:
                self._space = _LINE_END
            if "\n" in text[len(text.rstrip()) :]:
                owed = _LINE_END
        words = _RUN.sub(" ", text) if "\n" in text or "  " in text or "\t" in text or "\r" in text else text
        if words[:1] == " ":
            self._space = self._space or _SPACE
            words = words[1:]
        if words[-1:] == " ":
            self._write(words[:-1])
            self._space = owed
        elif words:
            self._write(words)

    def _write(self, words: str) -> None:
        if not words:
            return
        if self._line:
            if self._space and not (
                self._space == _LINE_END and _WIDE.match(words) and _WIDE.match(self._line[-1][-1:])
            ):
                self._line.append(" ")
        elif self._gap:
            if self.lines:
                self.lines.append((min(self.lines[-1][0], self._quote), "", self._share))
            self._gap = 0
        self._space = _NO_SPACE
        self._marker = False
        self._line.append(words)

    def _finish(self) -> None:
        line = self._line
        self._space = _NO_SPACE
        if not line:
            return
        if not self._marker:
            text = line[0] if len(line) == 1 else "".join(line)
            if text.strip(_NOTHING):
                self.lines.append((self._quote, text.rstrip(), self._share))
            else:
                self._gap = 1  # a line that only looked empty
            self._line = []

    def _break_line(self) -> None:
        """What <br> does: ends the line, or leaves an empty one."""
        if self._line and not self._marker:
            self._finish()
        else:
            self._gap += 1

    def _break_block(self, tag: str) -> None:
        self._finish()
        if tag in _SPACED and not self._lists and not self._gap:
            self._gap = 1

    def _enter(self, tag: str, node: LexborNode) -> str:
        """Start an element; a mark that is not empty is handed to `_leave` when its children are done."""
        if tag == "br":
            self._break_line()
        elif tag == "a":
            self._links.append(((node.attributes.get("href") or "").strip(), len(self.lines), len(self._line)))
            return "a"
        elif tag == "img":
            attributes = node.attributes
            alt = attributes.get("data-emoji") or attributes.get("alt") or ""
            if alt and _EMOJI_ALT.fullmatch(alt):
                self._write(alt)
        elif tag == "hr":
            self._finish()
            self._write(RULER)
            self._finish()
        elif tag in ("td", "th"):
            self._cell()
        elif tag in _BLOCKS:
            return self._enter_block(tag, node)
        return ""

    def _cell(self) -> None:
        if not self._rows:
            return
        row = self._rows[-1]
        if row[0] and not self._line and len(self.lines) == row[1] + 1:
            # The cell before was one line, ended by a block in it: the row goes on there.
            self._line.append(self.lines.pop()[1])
            self._gap = 0
        if row[0] and self._line:
            self._line.append("\t")
            self._space, self._marker = _NO_SPACE, True
        row[0] += 1

    def _enter_block(self, tag: str, node: LexborNode) -> str:
        mark = tag
        if tag == "p" and (self._rows or (self._may_be_tight and is_tight(node))):
            self._finish()
            return "div"
        if tag == "blockquote" and not is_quotation(node):
            mark = "div"
        self._break_block(mark)
        if tag == "pre" or (self._may_keep_space and tag == "div" and keeps_space(node)):
            self._preserve += 1
            return "pre" if tag == "pre" else "pre-div"
        if tag == "tr":
            self._rows.append([0, len(self.lines)])
        elif tag == "li":
            self._item()
        elif tag in ("ul", "menu"):
            self._lists.append(None)
        elif tag == "ol":
            start = node.attributes.get("start") or "1"
            self._lists.append(int(start) if start.isascii() and start.isdigit() and len(start) < 6 else 1)
        elif mark == "blockquote":
            self._quote += 1
        return mark

    def _item(self) -> None:
        number = self._lists[-1] if self._lists else None
        indent = "  " * min(len(self._lists) - 1, 10)
        self._line = []
        self._write(f"{indent}- " if number is None else f"{indent}{number}. ")
        self._marker = True
        if number is not None:
            self._lists[-1] = number + 1

    def _leave(self, mark: str) -> None:
        if mark == "div":
            self._finish()
            return
        if mark == "a":
            self._leave_link()
            return
        if self._marker and mark in ("li", "tr"):
            self._line, self._marker = ([], False) if mark == "li" else (self._line, False)
        self._finish()
        if mark in ("pre", "pre-div"):
            self._preserve -= 1
        elif mark == "tr":
            self._rows.pop()
        elif mark in ("ul", "ol", "menu"):
            self._lists.pop()
        elif mark == "blockquote":
            self._quote -= 1
        self._break_block(mark)

    def _leave_link(self) -> None:
        href, line, piece = self._links.pop()
        if not href or len(href) > _LONGEST_LINK or line != len(self.lines):
            return
        text = "".join(self._line[piece:]).strip()
        lowered = href.lower()
        if not text:
            return
        if lowered.startswith("mailto:"):
            address = href[7:].partition("?")[0]
            if "@" in address and address.lower() not in text.lower():
                self._write(f" <{address}>")
        elif lowered.startswith(("http:", "https:", "ftp:")):
            shown = text.lower().removeprefix("http://").removeprefix("https://").rstrip("/")
            if shown not in lowered:
                self._write(f" <{href}>")


def _plain(text: str) -> str:
    if text.isascii():
        return text.strip("\n").rstrip()
    if any(char in text for char in _INVISIBLE_CHARACTERS):
        text = _INVISIBLE.sub("", text)
    return text.replace("\xa0", " ").strip("\n").rstrip()


def _tidy(text: str) -> str:
    text = _plain(text)
    text = _LINE_SPACE.sub("\n", text)
    return _MANY_LINES.sub("\n\n", text).strip("\n").rstrip()
