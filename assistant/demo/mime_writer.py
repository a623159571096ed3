"""Writes headers and parts byte for byte as mail programs do, where the standard library would tidy them up."""

from __future__ import annotations

import base64
import io
import quopri
import zipfile
from collections.abc import Sequence
from typing import Final, Literal
from urllib.parse import quote

FileNames = Literal["encoded-word", "rfc2231"]
Transfer = Literal["base64", "quoted-printable"]
Headers = Sequence[tuple[str, str]]

_LONGEST_WORD: Final = 45
"""Bytes of text in one encoded-word; its base64 form then fits into the 75 characters of RFC 2047 §2."""
_LONGEST_SECTION: Final = 60

_CODECS: Final = {"gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs"}
"""Programs label text as gb2312 that holds characters of the larger sets: so do we."""

_TYPES: Final = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "zip": "application/zip",
    "png": "image/png",
    "jpg": "image/jpeg",
}


def encode(text: str, charset: str) -> bytes:
    """The bytes of `text` under the label `charset`. Raises UnicodeEncodeError where the label cannot hold it."""
    return text.encode(_CODECS.get(charset.lower(), charset))


def header_text(text: str, charset: str) -> str:
    """ASCII as it is, anything else as encoded-words, folded between words."""
    if text.isascii():
        return text
    words, piece = [], ""
    for character in text:
        if len(encode(piece + character, charset)) > _LONGEST_WORD:
            words.append(piece)
            piece = ""
        piece += character
    words.append(piece)
    coded = (base64.b64encode(encode(word, charset)).decode() for word in words)
    return "\r\n ".join(f"=?{charset}?B?{word}?=" for word in coded)


def mailbox(name: str, address: str, charset: str) -> str:
    """`"Name" <address>`, or the address alone where there is no name."""
    if not name:
        return f"<{address}>"
    return f'"{name}" <{address}>' if name.isascii() else f"{header_text(name, charset)} <{address}>"


def block(headers: Headers, body: bytes) -> bytes:
    """A header section and a body (RFC 5322 §2.1)."""
    return b"".join(f"{name}: {value}\r\n".encode() for name, value in headers) + b"\r\n" + body


def text_part(kind: str, text: str, charset: str, transfer: Transfer, parameters: str = "") -> tuple[Headers, bytes]:
    """`text/KIND` with CRLF line ends, in 7bit where it is ASCII with short lines."""
    text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    data = encode(text, charset)
    content_type = f'text/{kind}; charset="{charset}"{parameters}'
    if text.isascii() and max(map(len, text.split("\r\n"))) < 900:
        return (("Content-Type", content_type), ("Content-Transfer-Encoding", "7bit")), data + b"\r\n"
    body = _base64(data) if transfer == "base64" else _quoted_printable(data)
    return (("Content-Type", content_type), ("Content-Transfer-Encoding", transfer)), body


def _base64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def _quoted_printable(data: bytes) -> bytes:
    """Line ends stay line ends; what is no text is escaped."""
    return quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n") + b"\r\n"


def multipart(
    subtype: str, boundary: str, parts: Sequence[tuple[Headers, bytes]], preamble: str = ""
) -> tuple[Headers, bytes]:
    """`multipart/SUBTYPE` (RFC 2046 §5.1)."""
    pieces = [f"{preamble}\r\n\r\n".encode() if preamble else b""]
    pieces += [f"--{boundary}\r\n".encode() + block(headers, body) + b"\r\n" for headers, body in parts]
    pieces.append(f"--{boundary}--\r\n".encode())
    return (("Content-Type", f'multipart/{subtype};\r\n\tboundary="{boundary}"'),), b"".join(pieces)


def attachment(name: str, charset: str, style: FileNames) -> tuple[Headers, bytes]:
    """A small file that looks like what its name says, with the name written in the program's way."""
    content_type = _TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")
    if style == "rfc2231":
        parameters = _rfc2231("name", name), _rfc2231("filename", name)
    else:
        word = header_text(name, charset)
        parameters = f'\r\n\tname="{word}"', f'\r\n\tfilename="{word}"'
    return (
        ("Content-Type", f"{content_type};{parameters[0]}"),
        ("Content-Transfer-Encoding", "base64"),
        ("Content-Disposition", f"attachment;{parameters[1]}"),
    ), _base64(file_bytes(name))


def _rfc2231(key: str, name: str) -> str:
    """Parameter value in RFC 2231 §4, continued over sections (§3) where it is long."""
    if name.isascii():
        return f'\r\n\t{key}="{name}"'
    coded = quote(name, safe="")
    if len(coded) <= _LONGEST_SECTION:
        return f"\r\n\t{key}*=UTF-8''{coded}"
    sections, at = [], 0
    while at < len(coded):
        end = min(len(coded), at + _LONGEST_SECTION)
        while end < len(coded) and "%" in coded[end - 2 : end]:
            end -= 1
        sections.append(coded[at:end])
        at = end
    begun = [f"UTF-8''{sections[0]}", *sections[1:]]
    return ";".join(f"\r\n\t{key}*{number}*={section}" for number, section in enumerate(begun))


def file_bytes(name: str) -> bytes:
    """Under 2 KB, the same on every run; nothing in it but what kind of file it is."""
    ending = name.rpartition(".")[2].lower()
    if ending in {"xlsx", "docx", "pptx", "zip"}:
        return _archive(name, ending)
    if ending == "png":
        return base64.b64decode(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
        )
    if ending == "jpg":
        return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + name.encode() + b"\xff\xd9"
    if ending == "pdf":
        return _pdf()
    return f"{name}\r\n".encode()


def _pdf() -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n"
        b"trailer<</Root 1 0 R>>\n%%EOF\n"
    )


def _archive(name: str, ending: str) -> bytes:
    inner = {"xlsx": "xl/workbook.xml", "docx": "word/document.xml", "pptx": "ppt/presentation.xml"}.get(
        ending, "readme.txt"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in ("[Content_Types].xml", inner) if ending != "zip" else (inner,):
            entry = zipfile.ZipInfo(path, (2026, 2, 2, 9, 0, 0))
            archive.writestr(entry, f"<!-- {name} -->")
    return buffer.getvalue()
