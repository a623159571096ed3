"""Cuts an HTML body by the marks that mail clients leave in its structure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HtmlSplit:
    """Three pieces of HTML and the name of the rule that found the cut."""

    reply_html: str
    quoted_html: str
    signature_html: str
    rule: str


def split_html(html: str) -> HtmlSplit | None:
    """Returns the pieces, or None where no client's structure is recognised."""
    start = html.find('<div class="gmail_quote')
    return HtmlSplit(html[:start], html[start:], "", "gmail-quote") if start > 0 else None
