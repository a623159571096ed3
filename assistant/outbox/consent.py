"""Commercial mail: only to who consented, and marked as an advertisement at the start of its subject.

Mainland China's rules for e-mail services (互联网电子邮件服务管理办法, articles 13 and 14) ask for the recipient's consent and
for `广告` or `AD` at the start of the subject of every commercial mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

CONSENT_TAG: Final = "consent"
"""The tag on a contact or client that says: they agreed to be sent offers."""
_MARKED: Final = re.compile(r"[\[【(（<《]?\s*(?:广告|廣告|AD(?![A-Za-z]))", re.IGNORECASE)


def commercial_refusal(subject: str, tags: Iterable[str]) -> str:
    """Why a commercial mail may not be sent, in a word; "" when it may."""
    if CONSENT_TAG not in {tag.lower() for tag in tags}:
        return "no-consent"
    return "" if _MARKED.match(subject.strip()) else "not-marked-as-advertisement"
