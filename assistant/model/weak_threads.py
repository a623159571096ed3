"""Weak evidence that a conversation goes on from another although no id says so.

A mail program that drops References, or a gateway that rewrites Message-IDs, breaks a conversation in two. What speaks
for joining them is weaker than ids: it is kept apart from the threads, is computed from the set of messages and not from
the order in which they arrived, and is taken back when a message that comes later makes it ambiguous. The same subject
alone is never evidence.
"""

from __future__ import annotations

import hashlib
import re

_FROM_LETTERS = 24


def subject_key(base_subject: str) -> str:
    """The same for subjects that differ in case and spaces alone; "" for those that have no letters or digits."""
    folded = "".join(base_subject.casefold().split())
    if not re.search(r"\w", folded):
        return ""
    return hashlib.sha256(folded.encode("utf-8", "replace")).hexdigest()[:_FROM_LETTERS]
