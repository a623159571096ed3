"""What attributes and inline styles say of an element: hidden, tight, a quotation."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborNode

HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|max-height\s*:\s*0(?![.\d])|opacity\s*:\s*0(?![.\d])|font-size\s*:\s*0(?![.\d])",
    re.IGNORECASE,
)
_NO_MARGIN = re.compile(r"margin(?:-top|-bottom)?\s*:\s*0", re.IGNORECASE)
_QUOTE_BORDER = re.compile(r"border-left[^;]*\d", re.IGNORECASE)


def is_hidden(node: LexborNode) -> bool:
    """Whether the element and what it holds is not shown."""
    attributes = node.attributes
    if not attributes:
        return False
    if "hidden" in attributes:
        return True
    style = attributes.get("style")
    if not style:
        return False
    match = HIDING.search(style)
    if match is None:
        return False
    if match[0].lower().startswith("font-size"):
        # Layout tables set the size to nothing around cells that set it again.
        # Asked of the children, for the element would find itself.
        return all(
            child.css_first("table,div,td,p,a,[style*=font-size]") is None for child in node.iter(include_text=False)
        )
    return not (match[0].lower().startswith(("max-height", "opacity")) and (node.tag or "") in ("body", "html"))


def keeps_space(node: LexborNode) -> bool:
    """Whether white space in it stays as it is."""
    style = node.attributes.get("style") or ""
    return "white-space" in style and "pre" in style


def is_tight(node: LexborNode) -> bool:
    """Whether the paragraph has no space above and below, like Outlook's."""
    attributes = node.attributes
    if not attributes:
        return False
    return (attributes.get("class") or "").startswith(("Mso", "p1", "p2")) or _NO_MARGIN.search(
        attributes.get("style") or ""
    ) is not None


def is_quotation(node: LexborNode) -> bool:
    """Whether the blockquote quotes, rather than only indents."""
    attributes = node.attributes
    return (
        attributes.get("type") == "cite"
        or "cite" in attributes
        or "quote" in (attributes.get("class") or "").lower()
        or _QUOTE_BORDER.search(attributes.get("style") or "") is not None
    )
