"""What comes wrapped inside a part: winmail.dat (TNEF), opaque S/MIME signatures, inline PGP armour."""

from __future__ import annotations

import re
from dataclasses import dataclass

from parsers.charsets import decode
from parsers.limits import MAX_TNEF_BYTES, Defects

_PGP_SIGNED = re.compile(
    r"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\n(?:[A-Za-z-]+:[^\n]*\n)*\n?(.*?)(?:^-----BEGIN PGP SIGNATURE-----.*?(?:^-----END PGP SIGNATURE-----[ \t]*\n?|\Z)|\Z)",
    re.MULTILINE | re.DOTALL,
)
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_DATA = bytes.fromhex("06092a864886f70d010701")


@dataclass(frozen=True, slots=True)
class Opened:
    """Content of a winmail.dat: files as (name, content type, content), and its body texts, empty where there is none."""

    files: tuple[tuple[str, str, bytes], ...]
    plain: str
    html: str


def open_tnef(data: bytes, defects: Defects, where: str) -> Opened | None:
    """Files and texts of a TNEF stream (MS-OXTNEF); None, with a defect, if it cannot be read."""
    if len(data) > MAX_TNEF_BYTES:
        defects.add("tnef-cut", where, f"{len(data)} bytes not opened")
        return None
    from tnefparse import TNEF

    try:
        tnef = TNEF(data, do_checksum=False)
        files = tuple(
            (str(found.long_filename() or found.name or ""), "application/octet-stream", bytes(found.data or b""))
            for found in tnef.attachments
        )
        plain, html = _to_text(tnef.body), _to_text(tnef.htmlbody)
    except Exception as error:  # noqa: BLE001 - the library raises whatever its damaged input leads to
        defects.add("tnef-unreadable", where, type(error).__name__)
        return None
    defects.add("tnef-opened", where)
    return Opened(files, plain, html)


def _to_text(value: object) -> str:
    if isinstance(value, bytes):
        return decode(value.rstrip(b"\x00")).text
    return value.rstrip("\x00") if isinstance(value, str) else ""


def open_signed_data(data: bytes) -> bytes | None:
    """The mail inside an opaque S/MIME signature (RFC 8551 §3.5.2), or None. The signature is not verified."""
    if _SIGNED_DATA not in data[:60]:
        return None
    at = data.find(_DATA, 0, 400)
    if at < 0:
        return None
    at += len(_DATA)
    if data[at : at + 1] != b"\xa0":
        return None
    content = _element(data, at)
    if content is None:
        return None
    return _octets(data, *content)


def _element(data: bytes, at: int) -> tuple[int, int] | None:
    """Start and end of a DER or BER element's content; an indefinite length ends with the data."""
    if at + 2 > len(data):
        return None
    length = data[at + 1]
    if length == 0x80:
        return at + 2, len(data)
    if length < 0x80:
        return at + 2, min(at + 2 + length, len(data))
    width = length & 0x7F
    if width > 4:
        return None
    start = at + 2 + width
    return start, min(start + int.from_bytes(data[at + 2 : start], "big"), len(data))


def _octets(data: bytes, start: int, end: int) -> bytes | None:
    """Primitive octet strings between `start` and `end`, joined; a constructed one is entered."""
    chunks: list[bytes] = []
    at = start
    while at < end:
        element = _element(data, at)
        if element is None:
            break
        if data[at] == 0x24:
            at = element[0]
            continue
        if data[at] != 0x04:
            break
        chunks.append(data[element[0] : element[1]])
        at = element[1]
    return b"".join(chunks) or None


def take_off_armour(text: str) -> tuple[str, str]:
    """Text without its PGP clear signature (RFC 9580 §7), and "pgp-signed", "pgp-encrypted" or ""."""
    if "-----BEGIN PGP " not in text:
        return text, ""
    if "-----BEGIN PGP MESSAGE-----" in text:
        return text, "pgp-encrypted"
    if "-----BEGIN PGP SIGNED MESSAGE-----" not in text:
        return text, ""
    bare = _PGP_SIGNED.sub(lambda match: re.sub(r"^- ", "", match[1], flags=re.MULTILINE), text)
    return bare, "pgp-signed"
