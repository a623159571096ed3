"""Bytes in, facts out: reads the mail that Chinese and English clients really send.

`parse` and `split_reply` never raise on content, know no clock, network or settings, and return frozen facts.
"""

from __future__ import annotations

from parsers.message import parse
from parsers.quotation import split_reply
from parsers.types import (
    Address,
    Attachment,
    Bounced,
    Defect,
    Evidence,
    Forwarded,
    Invitation,
    Message,
    Reply,
)

__all__ = [
    "Address",
    "Attachment",
    "Bounced",
    "Defect",
    "Evidence",
    "Forwarded",
    "Invitation",
    "Message",
    "Reply",
    "parse",
    "split_reply",
]
