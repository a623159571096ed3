"""The mail programs of the sample mailbox: what each writes into headers and parts, beside the layout of the text."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from assistant.demo.letters import Letter, Person
from assistant.demo.mime_writer import (
    FileNames,
    Headers,
    Transfer,
    attachment,
    block,
    header_text,
    mailbox,
    multipart,
    text_part,
)
from assistant.demo.quoting import lay_out_letter

_PREFIXES: Final = ("re:", "fw:", "fwd:", "回复:", "回复：", "答复:", "回覆:", "转发:", "转发：", "轉寄:")


@dataclass(frozen=True, slots=True)
class Program:
    """One mail program. `headers` are those that only it writes; `wrap` puts its document around the HTML."""

    reply: str
    forward: str
    message_id: Callable[[Letter], str]
    headers: Callable[[Letter], Headers]
    boundary: Callable[[Letter, int], str]
    wrap: str = '<html><head><meta http-equiv="Content-Type" content="text/html; charset={charset}"></head><body>{body}</body></html>'
    charset: str = "utf-8"
    transfer: Transfer = "base64"
    file_names: FileNames = "encoded-word"
    has_html: bool = True
    preamble: str = ""


def _stamp(letter: Letter) -> str:
    return f"{letter.at:%Y%m%d%H%M%S}"


def _uuid(letter: Letter, salt: str = "id") -> uuid.UUID:
    return uuid.UUID(bytes=hashlib.sha256(f"{salt}|{letter.id}".encode()).digest()[:16], version=4)


def _number(letter: Letter, salt: str, digits: int) -> str:
    return str(int(letter.chance(salt, 30), 16))[:digits]


def _outlook(language: str, mailer: str = "Microsoft Outlook 16.0") -> Callable[[Letter], Headers]:
    def headers(letter: Letter) -> Headers:
        root = letter.chain[0] if letter.chain else letter
        index = f"AQ{letter.chance('index', 24)}=="
        topic = header_text(_without_prefixes(root.subject), letter.charset or "utf-8")
        return (("X-Mailer", mailer), ("Thread-Index", index), ("Thread-Topic", topic), ("Content-Language", language))

    return headers


def _outlook_id(letter: Letter) -> str:
    tick = letter.chance("tick", 12)
    return f"{int(letter.chance('n', 4), 16) % 256:06x}01dc{tick[:4]}${tick[4:12]}${letter.chance('x', 8)}$@{letter.writer.domain}"


def _fixed(*headers: tuple[str, str]) -> Callable[[Letter], Headers]:
    return lambda _: headers


def _foxmail_headers(letter: Letter) -> Headers:
    has = "yes" if letter.attachments else "no"
    guid = str(_uuid(letter, "guid")).upper()
    return (("X-Priority", "3"), ("X-GUID", guid), ("X-Has-Attach", has), ("X-Mailer", "Foxmail 7.2.25.375[cn]"))


def _tencent_headers(letter: Letter) -> Headers:
    return (
        ("X-QQ-SSF", "0000000000000040"),
        ("X-QQ-mid", f"webmail{_number(letter, 'mid', 3)}t{_number(letter, 'time', 10)}t{_number(letter, 'tail', 7)}"),
        ("X-QQ-STYLE", ""),
        ("X-Priority", "3"),
        ("X-QQ-MIME", "TCMime 1.0 by Tencent"),
        ("X-Mailer", "QQMail 2.x"),
    )


def _tencent_id(letter: Letter) -> str:
    return f"tencent_{letter.chance('a', 32).upper()}{letter.chance('b', 10).upper()}@qq.com"


def _coremail_id(letter: Letter) -> str:
    return (
        f"{letter.chance('a', 8)}.{letter.chance('b', 4)}.19c{letter.chance('c', 8)}.Coremail."
        f"{letter.writer.local_part}@{letter.writer.domain}"
    )


def _next_part(letter: Letter, level: int) -> str:
    return f"----=_NextPart_{level:03d}_{letter.chance('part', 4).upper()}_01DC{letter.chance('b', 4).upper()}.{letter.chance('c', 8).upper()}"


_MSO: Final = (
    '<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns="http://www.w3.org/TR/REC-html40"><head>'
    '<meta http-equiv=Content-Type content="text/html; charset={charset}"><meta name=Generator content="Microsoft Word 15 '
    '(filtered medium)"><style><!--\np.MsoNormal {{margin:0cm;font-size:10.5pt;}}\n--></style></head>'
    '<body lang=ZH-CN link="#0563C1" vlink="#954F72"><div class=WordSection1>{body}</div></body></html>'
)
_BARE: Final = "{body}"
_APPLE_MAIL: Final = "Apple Mail (2.3826.400.131.1.6)"
_APPLE_VERSION: Final = "1.0 (Mac OS X Mail 16.0 \\(3826.400.131.1.6\\))"


def _outlook_program(reply: str, forward: str, language: str, charset: str, transfer: Transfer) -> Program:
    return Program(
        reply,
        forward,
        _outlook_id,
        _outlook(language),
        _next_part,
        _MSO,
        charset,
        transfer,
        preamble="This is a multipart message in MIME format.",
    )


def _gmail_program(forward: str) -> Program:
    return Program(
        "Re: ",
        forward,
        lambda letter: f"CA{_number(letter, 'g', 4)}+{letter.chance('gmail', 40)}@mail.gmail.com",
        _fixed(),
        lambda letter, level: f"{level:012d}{letter.chance('boundary', 16)}",
        _BARE,
        transfer="quoted-printable",
    )


def _apple_program(reply: str, forward: str, mailer: str, version: str) -> Program:
    return Program(
        reply,
        forward,
        lambda letter: f"{str(_uuid(letter)).upper()}@{letter.writer.domain}",
        lambda _: (("X-Mailer", mailer), ("Mime-Version", version)),
        lambda letter, level: f"Apple-Mail{'=_' if level == 0 else '-'}{str(_uuid(letter, f'b{level}')).upper()}",
        '<html><head><meta http-equiv="content-type" content="text/html; charset={charset}"></head><body dir="auto">{body}</body></html>',
        transfer="quoted-printable",
        file_names="rfc2231",
    )


_TENCENT: Final = Program(
    "回复：",
    "转发：",
    _tencent_id,
    _tencent_headers,
    lambda letter, level: (
        f"----=_NextPart_{letter.chance(f'q{level}', 8).upper()}_{letter.chance('r', 8).upper()}_{letter.chance('s', 8)}"
    ),
    charset="gb18030",
)

PROGRAMS: Final[dict[str, Program]] = {
    "outlook-zh": _outlook_program("答复: ", "转发: ", "zh-cn", "gb2312", "base64"),
    "outlook-zh-hant": _outlook_program("RE: ", "FW: ", "zh-tw", "big5", "base64"),
    "outlook-en": _outlook_program("RE: ", "FW: ", "en-gb", "utf-8", "quoted-printable"),
    "outlook-us": _outlook_program("RE: ", "FW: ", "en-us", "utf-8", "quoted-printable"),
    "outlook-phone": Program(
        "Re: ", "Fw: ", _outlook_id, _fixed(("X-Mailer", "Outlook for iOS")), _next_part, transfer="quoted-printable"
    ),
    "qq": _TENCENT,
    "exmail": _TENCENT,
    "qq-phone": _TENCENT,
    "foxmail": Program(
        "Re: ",
        "转发: ",
        lambda letter: f"{_stamp(letter)}{_number(letter, 'fox', 9)}@{letter.writer.domain}",
        _foxmail_headers,
        lambda letter, level: f"----=_{level + 1:03d}_NextPart{_number(letter, 'next', 12)}_=----",
        charset="gb2312",
        preamble="This is a multi-part message in MIME format.",
    ),
    "163": Program(
        "Re:",
        "Fw:",
        _coremail_id,
        _fixed(("X-Priority", "3"), ("X-Mailer", "Coremail Webmail Server Version 2024.2-cmXT5 build (20250815)")),
        lambda letter, level: (
            f"----=_Part_{_number(letter, f'p{level}', 6)}_{_number(letter, 'q', 9)}.17{_number(letter, 'r', 11)}"
        ),
        _BARE,
        "GBK",
    ),
    "mail-master": Program(
        "回复：",
        "转发：",
        _coremail_id,
        _fixed(("X-Priority", "3"), ("X-Mailer", "MailMasterPC/5.0.16.1043 (Win10 22H2)")),
        lambda letter, level: f"=_mailmaster-{letter.chance(f'm{level}', 24)}",
    ),
    "dingtalk": Program(
        "回复：",
        "转发：",
        lambda letter: f"{_uuid(letter)}.{letter.writer.local_part}@{letter.writer.domain}",
        _fixed(("X-Mailer", "[Alimail-Mailagent][W4_6][DingTalk][Chrome]"), ("X-Priority", "3")),
        lambda letter, level: (
            f"----=ALIBOUNDARY_{_number(letter, f'a{level}', 5)}_{letter.chance('ali', 8)}_{letter.chance('b', 8)}"
        ),
        _BARE,
    ),
    "lark": Program(
        "回复：",
        "转发：",
        lambda letter: (
            f"{letter.chance('lark', 40)}.{letter.chance('l2', 8)}.{str(_uuid(letter))[:18]}@{letter.writer.domain}"
        ),
        _fixed(("X-Mailer", "Lark Mail 7.38")),
        lambda letter, level: f"{letter.chance(f'k{level}', 40)}",
        _BARE,
        transfer="quoted-printable",
        file_names="rfc2231",
    ),
    "gmail": _gmail_program("Fwd: "),
    "gmail-zh-hant": _gmail_program("轉寄: "),
    "apple": _apple_program("Re: ", "Fwd: ", _APPLE_MAIL, _APPLE_VERSION),
    "apple-zh": _apple_program("回复：", "转发：", _APPLE_MAIL, _APPLE_VERSION),
    "iphone": _apple_program("Re: ", "Fwd: ", "iPhone Mail (23C55)", "1.0 (1.0)"),
    "iphone-zh": _apple_program("回复：", "转发：", "iPhone Mail (23C55)", "1.0 (1.0)"),
    "thunderbird": Program(
        "Re: ",
        "Fwd: ",
        lambda letter: f"{_uuid(letter)}@{letter.writer.domain}",
        _fixed(("User-Agent", "Mozilla Thunderbird"), ("Content-Language", "zh-CN")),
        lambda letter, level: f"------------{letter.chance(f't{level}', 24)}",
        file_names="rfc2231",
        has_html=False,
    ),
}
"""Every program by the name that the sample files use."""


def message_id_of(letter: Letter) -> str:
    """Without angle brackets, in the manner of the program."""
    found = PROGRAMS.get(letter.program)
    return found.message_id(letter) if found else f"{letter.chance('machine', 24)}@{letter.writer.domain}"


def _without_prefixes(subject: str) -> str:
    while subject.lower().startswith(_PREFIXES):
        subject = subject[min(at for at in (subject.find(":"), subject.find("：")) if at >= 0) + 1 :].strip()
    return subject


def subject_answering(parent: str, program: str, *, forward: bool = False) -> str:
    """The parent's subject under this program's prefix. A foreign prefix that it does not know stays, as it does in life."""
    known = PROGRAMS[program]
    prefix = known.forward if forward else known.reply
    bare = _without_prefixes(parent)
    foreign = parent.removesuffix(bare).lower()
    if foreign.startswith(("re:", prefix.strip().lower())) or not foreign:
        return prefix + bare
    first = next(found for found in _PREFIXES if foreign.startswith(found))
    return f"{prefix}{parent[: len(first)]}{' ' if first.endswith(':') else ''}{bare}"


def _addresses(people: tuple[Person, ...], charset: str) -> str:
    return ",\r\n\t".join(mailbox(person.name, person.address, charset) for person in people)


def date_header(at: datetime) -> str:
    return format_datetime(at)


def envelope(letter: Letter, charset: str) -> list[tuple[str, str]]:
    """The fields that every program writes: originator, recipients, subject, date, identification."""
    fields = [
        ("From", mailbox(letter.writer.name, letter.writer.address, charset)),
        ("To", _addresses(letter.to, charset)),
    ]
    if letter.cc:
        fields.append(("Cc", _addresses(letter.cc, charset)))
    fields += [
        ("Subject", header_text(letter.subject, charset)),
        ("Date", date_header(letter.at)),
        ("Message-ID", f"<{message_id_of(letter)}>"),
    ]
    if letter.chain:  # forwards carry them too, as Outlook's do
        ids = [f"<{message_id_of(earlier)}>" for earlier in letter.chain]
        fields += [("In-Reply-To", ids[-1]), ("References", "\r\n ".join(ids))]
    return fields


def compose(letter: Letter) -> bytes:
    """The whole mail as the program hands it to its server. Raises KeyError for an unknown program."""
    program = PROGRAMS[letter.program]
    charset = letter.charset or program.charset
    layout = lay_out_letter(letter)
    headers, body = text_part("plain", layout.plain, charset, program.transfer)
    if program.has_html:
        document = program.wrap.format(charset=charset, body=layout.html)
        parts = [(headers, body), text_part("html", document, charset, program.transfer)]
        headers, body = multipart("alternative", program.boundary(letter, 1), parts, program.preamble)
    if letter.attachments:
        files = [attachment(name, charset, program.file_names) for name in letter.attachments]
        headers, body = multipart("mixed", program.boundary(letter, 0), [(headers, body), *files], program.preamble)
    own = [*program.headers(letter)]
    if not any(name.lower() == "mime-version" for name, _ in own):
        own.append(("MIME-Version", "1.0"))
    return block([*envelope(letter, charset), *own, *headers], body)
