"""The last look at the HTML of a mail of ours: nothing in it may act, load or lead astray, whoever's words are in it.

Everything that clients write is escaped where templates print it. This is for the template that prints it with `safe`.
"""

from __future__ import annotations

import re
from typing import Final

import structlog
from selectolax.lexbor import LexborHTMLParser

_log = structlog.get_logger("assistant.rendering")

_ACTIVE: Final = (
    "script, iframe, frame, frameset, object, embed, applet, base, form, input, button, textarea, select, svg, math, "
    "audio, video, source, track, template, link, portal, noscript"
)
_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "mid", "cid"})
_SCHEME: Final = re.compile(r"[\s\x00-\x20]*([a-z][a-z0-9+.\-\s\x00-\x20]*):", re.IGNORECASE)
_IN_STYLE: Final = re.compile(r"url\s*\(|@import|expression\s*\(|\\|behavior\s*:|-moz-binding", re.IGNORECASE)
_LEADS: Final = ("href", "action", "formaction", "xlink:href", "background", "poster", "ping")
_LAYOUT: Final = frozenset(
    [
        "html",
        "head",
        "body",
        "title",
        "style",
        "table",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "td",
        "th",
        "caption",
        "colgroup",
        "col",
        "div",
        "span",
        "p",
        "a",
        "b",
        "strong",
        "i",
        "em",
        "u",
        "s",
        "small",
        "big",
        "sub",
        "sup",
        "br",
        "hr",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "blockquote",
        "pre",
        "code",
        "img",
        "center",
        "font",
        "abbr",
    ]
)
_ATTRIBUTES: Final = frozenset(
    [
        "style",
        "class",
        "align",
        "valign",
        "width",
        "height",
        "bgcolor",
        "border",
        "cellpadding",
        "cellspacing",
        "colspan",
        "rowspan",
        "role",
        "lang",
        "dir",
        "title",
        "alt",
        "color",
        "face",
        "size",
        "aria-label",
        "aria-hidden",
    ]
)


def harmless(html: str) -> str:
    """`html` as it is when nothing in it can do harm, which is the rule; else what is left after nh3 has cleaned it."""
    found = harm_in(html)
    if not found:
        return html
    _log.error("template_let_markup_through", what=found, then="the mail was cleaned and lost its style sheets")
    return _cleaned(html)


def harm_in(html: str) -> str:
    """The first thing in `html` that acts, loads from the network or leads elsewhere than it may; "" if there is none."""
    tree = LexborHTMLParser(html)
    if active := tree.css_first(_ACTIVE):
        return f"<{active.tag}>"
    for node in tree.css("*"):
        if node.tag == "meta" and (node.attributes.get("http-equiv") or "").lower() == "refresh":
            return "a redirection"
        if node.tag == "style" and _IN_STYLE.search(node.text()):
            return "a style sheet that loads"
        for name, value in node.attributes.items():
            if harm := _harm_of(node.tag or "", name.lower(), value or ""):
                return harm
    return ""


def _harm_of(tag: str, name: str, value: str) -> str:
    if name.startswith("on") or name in {"srcset", "srcdoc"}:
        return f"{name} of <{tag}>"
    if name == "style" and _IN_STYLE.search(value):
        return "a style that loads"
    if name == "src":
        return "" if value.strip().lower().startswith(("cid:", "data:image/")) else f"src of <{tag}>"
    if name in _LEADS and (scheme := _SCHEME.match(value)):
        plain = re.sub(r"[\s\x00-\x20]", "", scheme[1]).lower()
        return "" if plain in _SCHEMES else f"{name} of <{tag}> to {plain}:"
    return ""


def _cleaned(html: str) -> str:
    import nh3

    def kept(_tag: str, name: str, value: str) -> str | None:
        return None if name == "style" and _IN_STYLE.search(value) else value

    body = nh3.clean(
        html,
        tags=set(_LAYOUT - {"html", "head", "body", "title", "style", "img"}),
        clean_content_tags={"script", "style", "title"},
        attributes={"*": set(_ATTRIBUTES), "a": {"href"}},
        attribute_filter=kept,
        url_schemes=set(_SCHEMES),
    )
    return f'<!doctype html>\n<html><head><meta charset="utf-8"></head><body>\n{body}\n</body></html>\n'
