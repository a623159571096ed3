"""Which parts are what was written, which are attached: body texts, files, nested mail, machine reports."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from html import unescape

from parsers.charsets import decode, find_codec
from parsers.containers import open_signed_data, open_tnef, take_off_armour
from parsers.flowed import unflow
from parsers.headers import normalise_lines, read_headers
from parsers.invitations import read_invitation
from parsers.limits import MAX_MACHINE_BYTES, MAX_NESTED_MESSAGES, MAX_TEXT, Defects
from parsers.mime import Part, read_part, read_tree
from parsers.parameters import clean_filename
from parsers.quotation_html import HtmlText, read_html
from parsers.tables import phrases
from parsers.transfer import decode_transfer, split_uuencoded
from parsers.types import Attachment, Invitation

_BODY_TYPES = frozenset(
    {
        "text/plain",
        "text/html",
        "text/enriched",
        "text/richtext",
        "text/markdown",
        "text/x-markdown",
        "text/x-amp-html",
        "text/watch-html",
    }
)
_MACHINE_TYPES = frozenset(
    {
        "message/delivery-status",
        "message/global-delivery-status",
        "message/disposition-notification",
        "message/feedback-report",
        "text/rfc822-headers",
        "message/rfc822-headers",
        "message/global-headers",
    }
)
_MAIL_TYPES = frozenset({"message/rfc822", "message/global", "message/news"})
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_LOOKS_LIKE_HTML = re.compile(
    r"\s*(?:<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>]|<(?:div|p|table|span|font|meta|style)(?:\s[^<>]{0,500})?>)",
    re.IGNORECASE,
)
_MAIL_START = re.compile(rb"\s*(?:From [^\n]*\n)?[A-Za-z][A-Za-z0-9-]{1,60}:[^\n]*\n")
_ANY_TAG = re.compile(r"<[a-zA-Z!/][^<>]{0,2000}>")
_ENTITY = re.compile(r"&(?:nbsp|gt|lt|amp|quot|#160|ensp|emsp);")
_SIZE_DIGITS = 12
_ENRICHED = re.compile(r"<(/?)([A-Za-z-]{1,60})>")
_STUB = re.compile(
    r"html\s*(?:-\s*)?(?:e-?mail|message|format|version|only|viewer|capable|compatible|content|part)|view (?:this|it) (?:e-?mail|message)? ?(?:in|on|online)|(?:does not|doesn't|cannot|can't|not) (?:support|display|show|read) (?:html|this)"
    r"|(?:不支持|支持|使用|采用|使用)\s*html|html\s*(?:邮件|郵件|格式|浏览|瀏覽)|(?:无法|無法|不能)(?:正常)?(?:显示|顯示|查看|阅读)|在浏览器中(?:查看|打开)",
    re.IGNORECASE,
)
_STUB_WORDS = phrases(("html", "HTML", "Html", "view", "View", "显示", "顯示", "查看", "阅读", "浏览", "瀏覽"))
"""One of these is in every stub: cheaper to look for first."""


@dataclass(slots=True)
class Block:
    """One stretch of body: as plain text, as HTML, or as both alternatives of each other."""

    plain: str | None = None
    html: str | None = None
    _read: HtmlText | None = None
    _takes_plain: bool | None = None

    def read_html(self) -> HtmlText:
        """The HTML alternative as text, made once."""
        if self._read is None:
            self._read = read_html(self.html or "")
        return self._read

    def html_text(self) -> str:
        """The HTML alternative's whole text."""
        return self.read_html().text

    def takes_plain(self) -> bool:
        """True if the plain text is the better alternative: there, no stub, not obviously saying less."""
        if self._takes_plain is None:
            self._takes_plain = self._compare()
        return self._takes_plain

    def _compare(self) -> bool:
        if self.plain is None or self.html is None:
            return self.plain is not None
        plain = self.plain.strip()
        if not plain:
            return False
        if len(plain) < 600 and _STUB_WORDS.occur_in(plain) and _STUB.search(plain) and len(self.html_text()) > 20:
            return False
        enough = 3 * len(plain) + 200
        if len(self.html) <= enough or len(plain) >= 4000 or len(_ANY_TAG.sub("", self.html)) <= enough:
            return True
        return len(self.html_text()) <= enough

    def text(self) -> str:
        """The better alternative as text."""
        return (self.plain or "") if self.takes_plain() else self.html_text()


@dataclass(frozen=True, slots=True)
class Nested:
    """A mail inside the mail, its parts not yet read."""

    root: Part


@dataclass(slots=True)
class Contents:
    """Everything found in a tree of parts."""

    blocks: list[Block] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    machine_parts: list[tuple[str, str]] = field(default_factory=list)
    """Content type and decoded text of delivery reports and the like, and of returned or forwarded mail."""
    nested: list[Nested] = field(default_factory=list)
    invitation: Invitation | None = None
    security: str = ""


class Reader:
    """Reads a tree of parts into `contents`. `depth` counts mail within mail."""

    def __init__(self, defects: Defects, *, depth: int = 0, crlf: bool = False) -> None:
        self.contents = Contents()
        self._defects = defects
        self._depth = depth
        self._crlf = crlf  # the mail came with CRLF: what is attached without an encoding has it in its size and hash

    def read(self, part: Part) -> list[Block]:
        """Blocks of `part` in order; attachments go to `contents`. Recursion is bounded by the depth of the tree."""
        content_type = part.content_type
        if part.is_multipart:
            return self._read_multipart(part)
        if content_type in _BODY_TYPES and not self._is_attached(part):
            return self._read_text(part)
        if content_type in _MAIL_TYPES:
            self._read_mail(part)
        elif content_type in _MACHINE_TYPES:
            self._read_machine_part(part)
        elif content_type == "text/calendar" or content_type == "application/ics":
            self._read_calendar(part)
        elif (
            content_type in ("application/ms-tnef", "application/vnd.ms-tnef")
            or _name_of(part).lower() == "winmail.dat"
        ):
            return self._read_tnef(part)
        elif content_type in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
            return self._read_pkcs7(part)
        else:
            self._read_file(part)
        return []

    def _read_multipart(self, part: Part) -> list[Block]:
        subtype = part.content_type.partition("/")[2]
        if subtype == "signed":
            protocol = (part.parameters.get("protocol") or "").lower()
            self._secure("pgp-signed" if "pgp" in protocol else "smime-signed")
        elif subtype == "encrypted":
            self._secure("pgp-encrypted")
        if subtype == "alternative":
            return self._read_alternatives(part)
        blocks: list[Block] = []
        for child in part.children:
            blocks += self.read(child)
        return blocks

    def _read_alternatives(self, part: Part) -> list[Block]:
        """The first plain text and the last HTML are one block; anything else stays beside them."""
        found = [block for child in part.children for block in self.read(child)]
        plain = next((block.plain for block in found if block.plain is not None and block.plain.strip()), None)
        html = next((block.html for block in reversed(found) if block.html is not None and block.html.strip()), None)
        if plain is None and html is None:
            return found[:1]
        return [Block(plain, html)]

    def _is_attached(self, part: Part) -> bool:
        if part.disposition == "attachment":
            return True
        if part.where == "":
            return False
        named = any(name in part.disposition_parameters for name in ("filename", "name"))
        if part.disposition == "inline":
            return named
        return named or ("name" in part.parameters and part.where not in ("1", "1.1"))

    def _bytes(self, part: Part, *, is_text: bool = False) -> bytes:
        label = part.headers.raw(b"content-transfer-encoding")
        name = label.decode("ascii", "replace") if label else ""
        body = part.body
        if not is_text:
            if self._crlf and "base64" not in name.lower():
                body = body.replace(b"\n", b"\r\n")
            if label is None:
                return body
        return decode_transfer(body, name, is_text=is_text, defects=self._defects, where=part.where or "body")

    def _decoded(self, part: Part, data: bytes) -> str:
        label = part.parameters.get("charset")
        hint: str | None = part.headers.hint
        if part.content_type == "text/html" and not data.isascii():
            meta = _META_CHARSET.search(data[:4000])
            hint = meta[1].decode("ascii") if meta else hint
        read = decode(data, label, hint)
        where = part.where or "body"
        if label and not read.as_labelled:
            same = find_codec(label) == read.codec
            how = "which is not true of all of it" if same else f"read as {read.codec}"
            self._defects.add("charset-wrong", where, f"labelled {label}, {how}")
        elif not label and read.codec not in ("ascii", "utf-8"):
            self._defects.add("charset-missing", where, f"read as {read.codec}")
        text = read.text
        if "\ufffd" in text and b"\xef\xbf\xbd" not in data:
            self._defects.add("characters-lost", where, f"{text.count(chr(0xFFFD))} characters")
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if "\x00" in text:
            text = text.replace("\x00", "")
            self._defects.add("nul-bytes", where)
        if len(text) > MAX_TEXT:
            self._defects.add("text-cut", where, f"{MAX_TEXT} of {len(text)} characters")
            text = text[:MAX_TEXT]
        return text

    def _read_text(self, part: Part) -> list[Block]:
        data = self._bytes(part, is_text=True)
        if part.content_type == "text/plain" and b"begin " in data:
            data, files = split_uuencoded(data)
            for raw_name, content in files:
                self._defects.add("uuencoded-file", part.where or "body")
                name = clean_filename(decode(raw_name).text)
                self._found(_attachment(name, "application/octet-stream", content), content)
        text = self._decoded(part, data)
        if part.content_type == "text/html":
            if _ANY_TAG.search(text) is None:
                return [Block(plain=unescape(text).replace("\xa0", " "))]
            return [Block(html=text)]
        if part.content_type in ("text/x-amp-html", "text/watch-html"):
            return []
        if part.content_type in ("text/enriched", "text/richtext"):
            return [
                Block(plain=_ENRICHED.sub("", re.sub(r"(?is)<param>.{0,1000}?</param>", "", text)).replace("<<", "<"))
            ]
        return [self._plain_block(part, text)]

    def _plain_block(self, part: Part, text: str) -> Block:
        if text[:200].lstrip().startswith("<") and _LOOKS_LIKE_HTML.match(text) and re.search(r"</\w+>|<br", text):
            self._defects.add("html-labelled-plain", part.where or "body")
            return Block(html=text)
        if (part.parameters.get("format") or "").lower() == "flowed":
            text = unflow(text, delete_space=(part.parameters.get("delsp") or "").lower() == "yes")
        if "&nbsp;" in text and _ANY_TAG.search(text) is None:
            self._defects.add("entities-in-plain-text", part.where or "body")
            text = _ENTITY.sub(lambda match: unescape(match[0]), text)
        if "\xa0" in text:
            text = text.replace("\xa0", " ")
        text, security = take_off_armour(text)
        self._secure(security)
        return Block(plain=text)

    def _secure(self, found: str) -> None:
        if found and not self.contents.security:
            self.contents.security = found

    def _attach(self, part: Part, data: bytes, name: str | None = None) -> None:
        content_id = (
            (part.headers.line(b"content-id")).strip(" <>") or None if b"content-id" in part.headers.fields else None
        )
        inline = part.disposition == "inline" or (
            content_id is not None and part.disposition != "attachment" and part.content_type.startswith("image/")
        )
        found = _attachment(
            _name_of(part) if name is None else name, part.content_type, data, content_id, inline=inline
        )
        declared = part.disposition_parameters.get("size", "")
        if not data and declared.isdecimal() and len(declared) <= _SIZE_DIGITS:
            found = replace(
                found, size=int(declared)
            )  # the content was left out, its size was not (RFC 2183 section 2.7)
        self._found(found, data)

    def _found(self, attachment: Attachment, _data: bytes) -> None:
        """Facts alone are kept; whoever wants the bytes as well overrides this."""
        self.contents.attachments.append(attachment)

    def _read_mail(self, part: Part) -> None:
        data = self._bytes(part)
        lines = normalise_lines(data, Defects())
        root, _ = read_mail(
            lines, self._defects, where=part.where or "1", hint=part.headers.hint, depth=self._depth + 1
        )
        subject = root.headers.text(b"subject")
        self._attach(part, data, _name_of(part) or clean_filename(f"{subject or 'message'}.eml"))
        self.contents.nested.append(Nested(root))
        self.contents.machine_parts.append((part.content_type, decode(lines[:MAX_MACHINE_BYTES]).text))

    def _read_file(self, part: Part) -> None:
        """Any other part; a mail or calendar that came as a mere file is read all the same."""
        data = self._bytes(part)
        name = _name_of(part)
        self._attach(part, data, name)
        if name.lower().endswith(".eml") and _MAIL_START.match(data):
            lines = normalise_lines(data, Defects())
            root, _ = read_mail(
                lines, Defects(), where=part.where or "1", hint=part.headers.hint, depth=self._depth + 1
            )
            self.contents.nested.append(Nested(root))
        elif name.lower().endswith(".ics") and self.contents.invitation is None:
            self.contents.invitation = read_invitation(decode(data, "utf-8").text, "", self._defects)

    def _read_machine_part(self, part: Part) -> None:
        data = self._bytes(part)
        self.contents.machine_parts.append(
            (part.content_type, decode(data[:MAX_MACHINE_BYTES], part.parameters.get("charset")).text)
        )
        self._attach(part, data)

    def _read_calendar(self, part: Part) -> None:
        data = self._bytes(part, is_text=True)
        if self.contents.invitation is None:
            text = decode(data, part.parameters.get("charset") or "utf-8").text
            self.contents.invitation = read_invitation(text, part.parameters.get("method", ""), self._defects)
        self._attach(part, data, _name_of(part) or "invite.ics")

    def _read_tnef(self, part: Part) -> list[Block]:
        data = self._bytes(part)
        opened = open_tnef(data, self._defects, part.where or "body")
        if opened is None:
            self._attach(part, data)
            return []
        for name, content_type, content in opened.files:
            self.contents.attachments.append(_attachment(clean_filename(name), content_type, content))
        if opened.plain.strip() or opened.html.strip():
            return [Block(opened.plain or None, opened.html or None)]
        return []

    def _read_pkcs7(self, part: Part) -> list[Block]:
        data = self._bytes(part)
        inner = open_signed_data(data)
        if inner is not None:
            self._secure("smime-signed")
            if self._depth < MAX_NESTED_MESSAGES:
                inner = inner.replace(b"\r\n", b"\n")
                root, _ = read_mail(
                    inner, self._defects, where=f"{part.where or '1'}.s", hint=part.headers.hint, depth=self._depth + 1
                )
                self._depth += 1
                try:
                    return self.read(root)
                finally:
                    self._depth -= 1
        signed = "signed" in (part.parameters.get("smime-type") or "").lower()
        self._secure("smime-signed" if signed else "smime-encrypted")
        self._attach(part, data, _name_of(part) or "smime.p7m")
        return []


def read_mail(data: bytes, defects: Defects, *, where: str, hint: str | None, depth: int) -> tuple[Part, int]:
    """Header and tree of a whole mail, or of one inside another; deeper than the limit, the header alone."""
    headers, start = read_headers(data, 0, len(data), defects, where)
    headers.hint = hint
    root = read_part(headers, where, inherited=hint)
    headers.hint = root.parameters.get("charset") or hint
    if depth > MAX_NESTED_MESSAGES:
        defects.add("nesting-cut", where, f"mail within mail deeper than {MAX_NESTED_MESSAGES}")
        root.content_type = "application/octet-stream"
    else:
        read_tree(data, start, root, defects)
    return root, start


def _name_of(part: Part) -> str:
    if not part.disposition_parameters and not part.parameters:
        return ""
    for parameters, names in (
        (part.disposition_parameters, ("filename", "name")),
        (part.parameters, ("name", "filename")),
    ):
        for name in names:
            if parameters.get(name):
                return clean_filename(parameters[name])
    return ""


def _attachment(
    name: str, content_type: str, data: bytes, content_id: str | None = None, *, inline: bool = False
) -> Attachment:
    digest = hashlib.sha256(data, usedforsecurity=False).hexdigest()
    return Attachment(name, content_type, len(data), digest, content_id, inline)
