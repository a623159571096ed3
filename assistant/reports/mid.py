"""Links to messages by their Message-ID: `mid:` URLs of RFC 2392, section 2."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

_UNENCODED: Final = "@!$*'()+,-._~="
MAX_LENGTH: Final = 500


def mid_url(message_id: str) -> str:
    """`mid:m1@agency.example`, percent-encoded where a URL asks for it; "" for what is no Message-ID.

    The angle brackets are not part of the URL. An id with blanks or control characters, without "@" or of absurd
    length gives no link: it could not be found by it anyway.
    """
    bare = message_id.strip().removeprefix("<").removesuffix(">")
    if not bare or "@" not in bare or len(bare) > MAX_LENGTH:
        return ""
    if any(character.isspace() or not character.isprintable() for character in bare):
        return ""
    return "mid:" + quote(bare, safe=_UNENCODED)
