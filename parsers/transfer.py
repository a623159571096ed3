"""Content-Transfer-Encoding (RFC 2045 §6): undone where right, noticed where wrong, repaired where damaged."""

from __future__ import annotations

import binascii
import re
from contextlib import suppress

from parsers.limits import Defects

_BASE64_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_ODD = bytes(set(range(256)) - set(_BASE64_LETTERS) - set(b"= \t\r\n-_"))
_WHITE = b" \t\r\n"
_SOFT_BREAK_WITH_SPACE = re.compile(rb"=[ \t]+(?=\n)")
_HIDDEN_BASE64 = re.compile(rb"\s*(?:[A-Za-z0-9+/]{40,}\n)*[A-Za-z0-9+/]{4,}={0,2}\s*")
_HIDDEN_QUOTED_PRINTABLE = re.compile(rb"=(?:[89A-F][0-9A-F]=[89A-F][0-9A-F]|\n)")
_QUOTED_PRINTABLE_PAIRS = re.compile(rb"=[89A-F][0-9A-F](?:=[89A-F][0-9A-F])+")
_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} ([^\n]{1,250})\n", re.MULTILINE)
_NAMES = {
    "base64": "base64", "b64": "base64", "base-64": "base64", "x-base64": "base64",
    "quoted-printable": "quoted-printable", "quotedprintable": "quoted-printable", "quoted_printable": "quoted-printable", "qp": "quoted-printable",
    "x-uuencode": "uuencode", "uuencode": "uuencode", "x-uue": "uuencode", "uue": "uuencode", "x-uu": "uuencode",
    "7bit": "", "8bit": "", "binary": "", "": "", "7-bit": "", "8-bit": "", "8bits": "", "7bits": "", "none": "", "plain": "", "utf-8": "", "utf8": "",
}  # fmt: skip


def decode_transfer(body: bytes, label: str, *, is_text: bool, defects: Defects, where: str) -> bytes:
    """Body bytes without their transfer encoding. A text whose label is plainly wrong is read by what it is."""
    label = label.partition(";")[0].partition("(")[0].strip(" \t\"'").lower()
    name = _NAMES.get(label)
    if name is None:
        defects.add("transfer-encoding-unknown", where, label)
        name = ""
    if name == "base64":
        return decode_base64(body, is_text=is_text, defects=defects, where=where)
    if name == "quoted-printable":
        return decode_quoted_printable(body)
    if name == "uuencode":
        for _, content in split_uuencoded(body)[1]:
            return content
        defects.add("transfer-encoding-wrong", where, label)
        return body
    return _look_for_hidden(body, defects, where) if is_text else body


def decode_quoted_printable(body: bytes) -> bytes:
    """Lenient: stray equals signs stay, white space before a soft break's line end is forgiven."""
    if b"= " in body or b"=\t" in body:
        body = _SOFT_BREAK_WITH_SPACE.sub(b"=", body)
    return binascii.a2b_qp(body)


def decode_base64(body: bytes, *, is_text: bool, defects: Defects, where: str) -> bytes:
    """Odd characters skipped, wrong padding mended, pieces with padding between them joined, text after it kept."""
    sound = _sound_base64(body.replace(b"\n", b""))
    if sound is not None:
        return sound
    compact = body.translate(None, _WHITE)
    if not compact:
        return b""
    sound = _sound_base64(compact)
    if sound is not None:
        return sound
    odd = len(compact) - len(compact.translate(None, _ODD))
    if is_text and _is_not_base64(body, compact, odd):
        defects.add("transfer-encoding-wrong", where, "labelled base64, is not")
        return body
    body, tail = _split_plain_tail(body) if is_text else (body, b"")
    defects.add("base64-damaged", where, f"{odd} odd characters" if odd else "padding")
    letters = body.translate(bytes.maketrans(b"-_", b"+/"), _ODD + _WHITE)
    chunks = []
    for chunk in letters.split(b"="):
        usable = chunk[:-1] if len(chunk) % 4 == 1 else chunk
        if usable:
            chunks.append(binascii.a2b_base64(usable + b"=" * (-len(usable) % 4)))
    return b"".join(chunks) + (b"\n" + tail if tail else b"")


def _sound_base64(compact: bytes) -> bytes | None:
    """What it says if nothing is wrong with it, else None. The strict decoder takes too much padding for sound."""
    if len(compact) % 4 or compact.endswith(b"==="):
        return None
    with suppress(binascii.Error):
        return binascii.a2b_base64(compact, strict_mode=True)
    return None


def _is_not_base64(body: bytes, compact: bytes, odd: int) -> bool:
    if odd > len(compact) * 0.1:
        return True
    # Words with spaces between them: prose happens to be made of Base64 letters.
    words = body.split()
    lines = body.count(b"\n") + 1
    return len(words) > 3 * lines and len(compact) / len(words) < 20


def _split_plain_tail(body: bytes) -> tuple[bytes, bytes]:
    """A mailing list or gateway appended its footer in plain after the Base64."""
    lines = body.split(b"\n")
    for index, line in enumerate(lines):
        if line.strip() and (b" " in line.strip() or line.translate(None, _ODD) != line or line.startswith(b"--")):
            head, tail = b"\n".join(lines[:index]), b"\n".join(lines[index:])
            if index and len(head) > 20 and (b" " in tail or not tail.isascii()) and tail.count(b" ") > 1:
                return head, tail
            break
    return body, b""


def _look_for_hidden(body: bytes, defects: Defects, where: str) -> bytes:
    """Text labelled as plain that is Base64 or quoted-printable through and through."""
    if b"=" in body and _HIDDEN_QUOTED_PRINTABLE.search(body) and body.isascii():
        pairs = b"".join(_QUOTED_PRINTABLE_PAIRS.findall(body))
        if pairs and _reads_as_text(binascii.a2b_qp(pairs)):
            defects.add("transfer-encoding-wrong", where, "quoted-printable without its label")
            return decode_quoted_printable(body)
    first = body.lstrip()[:60]
    if (
        len(first) >= 24
        and b" " not in first
        and first.isascii()
        and not first.translate(None, _BASE64_LETTERS + b"=\n")
    ):
        compact = body.translate(None, _WHITE)
        if len(compact) % 4 == 0 and _HIDDEN_BASE64.fullmatch(body):
            decoded = binascii.a2b_base64(compact)
            if _reads_as_text(decoded):
                defects.add("transfer-encoding-wrong", where, "base64 without its label")
                return decoded
    return body


def _reads_as_text(data: bytes) -> bool:
    """True if the bytes are text of a Chinese charset or UTF-8 with hardly a control character."""
    if len(data.translate(None, bytes(range(9)) + bytes(range(14, 32)))) < len(data):
        return False
    for codec in ("utf-8", "gb18030"):
        try:
            data.decode(codec)
        except UnicodeDecodeError:
            continue
        return True
    return False


def split_uuencoded(body: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The text without its uuencoded files, and the files as (raw name, content). Unfinished files are kept as far as they go."""
    if b"begin " not in body:
        return body, []
    kept: list[bytes] = []
    files: list[tuple[bytes, bytes]] = []
    at = 0
    while (begin := _UU_BEGIN.search(body, at)) is not None:
        content: list[bytes] = []
        position = begin.end()
        while position < len(body):
            end = body.find(b"\n", position)
            line = body[position : end if end >= 0 else len(body)].rstrip(b"\r")
            position = end + 1 if end >= 0 else len(body)
            if line == b"end" or line in (b"`", b" ", b""):
                if line == b"end":
                    break
                continue
            decoded = _uu_line(line)
            if decoded is None:
                break
            content.append(decoded)
        if content:
            kept.append(body[at : begin.start()])
            files.append((begin[1].strip(), b"".join(content)))
            at = position
        else:
            kept.append(body[at : begin.end()])
            at = begin.end()
    kept.append(body[at:])
    return b"".join(kept), files


def _uu_line(line: bytes) -> bytes | None:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        # Trailing rubbish from bad encoders: take the announced number of characters.
        wanted = (((line[0] - 32) & 63) * 4 + 5) // 3 if line else 0
        try:
            return binascii.a2b_uu(line[:wanted]) if 32 <= line[0] <= 96 and len(line) <= 80 else None
        except binascii.Error:
            return None
