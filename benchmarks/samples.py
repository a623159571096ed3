"""Varied sample mail for benchmarks and tests: Chinese and English, plain, HTML, both, with and without attachments.

Everything is drawn from a seeded generator: the same seed gives the same mail.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.utils import format_datetime

_ZH = (
    "您好，附件是春季新品上市的初步想法，请您过目。", "首页主视觉我们准备了三个方向，周五之前给到完整版。", "预算部分财务还在核对，下周一上午可以确认。",
    "昨天会上提到的渠道投放，麻烦补充一版排期。", "第二稿里的色调偏冷，能不能再暖一点？", "合同条款法务看过了，没有问题，可以走签署流程。",
    "物料最晚二十号进场，请留出两天搭建时间。", "辛苦各位，本月的数据比预期好，我们继续保持。", "拍摄当天需要两名化妆师，场地已经谈妥。",
)  # fmt: skip
_EN = (
    "Please find attached the revised outline for the autumn launch.", "Could you confirm the budget before Thursday, so that we can book the studio?",
    "The second route feels closer to what the board had in mind.", "We need the final files by noon; printing starts the same evening.",
    "Legal has signed off the master agreement, the original is on its way.", "Thanks for the quick turnaround, the team was delighted.",
    "Two of the banners still show the old tagline.", "Let us meet on Tuesday at ten and walk through the media plan.",
)  # fmt: skip
_ZH_NAMES = ("林晓芸", "王建国", "陈思远", "赵敏", "欧阳明月", "李雷")
_EN_NAMES = ("Alice Brown", "Thomas Wright", "Priya Nair", "Lee, Jordan", "Marta Kowalska")
_ZH_SUBJECTS = ("关于春季上市方案的确认", "主视觉第二稿反馈", "合同及首付款发票", "媒介排期（更新版）", "下周会议安排")
_EN_SUBJECTS = (
    "Autumn launch: revised outline",
    "Feedback on the second draft",
    "Master agreement and deposit invoice",
    "Media plan, week 42",
)
_FILES = ("报价单.xlsx", "主视觉 第二稿.pdf", "media-plan.pptx", "合同（盖章版）.pdf", "logo.png")


def generate(count: int, seed: int = 7) -> list[bytes]:
    """`count` mails in a fixed mixture of shapes, with CRLF line ends."""
    return list(_generate(count, random.Random(seed)))


def _generate(count: int, draw: random.Random) -> Iterator[bytes]:
    for number in range(count):
        yield _mail(number, draw).replace(b"\n", b"\r\n")


def _mail(number: int, draw: random.Random) -> bytes:
    chinese = draw.random() < 0.6
    charset = (
        draw.choice(("utf-8", "utf-8", "gb18030", "gbk"))
        if chinese
        else draw.choice(("utf-8", "us-ascii", "iso-8859-1"))
    )
    plain, html = _bodies(chinese, draw)
    shape = draw.choice(
        ("plain", "plain", "html", "alternative", "alternative", "alternative", "mixed", "mixed", "related")
    )
    boundary = f"----=_Part_{number}_{draw.randrange(10**9)}"
    inner = boundary + ".1"
    header = _header(number, chinese, charset, draw)
    if shape == "plain":
        return header + _leaf("plain", plain, charset, draw)
    if shape == "html":
        return header + _leaf("html", html, charset, draw)
    both = _multipart("alternative", inner, [_leaf("plain", plain, charset, draw), _leaf("html", html, charset, draw)])
    if shape == "alternative":
        return header + both
    if shape == "related":
        return header + _multipart(
            "related", boundary, [both, _file("logo.png", "image/png", 9_000, draw, content_id="logo@x")]
        )
    files = [
        _file(draw.choice(_FILES), "application/octet-stream", draw.choice((4_000, 20_000, 90_000)), draw)
        for _ in range(draw.randint(1, 2))
    ]
    return header + _multipart("mixed", boundary, [both, *files])


def _bodies(chinese: bool, draw: random.Random) -> tuple[str, str]:
    sentences = [draw.choice(_ZH if chinese else _EN) for _ in range(draw.randint(3, 14))]
    quoted = [draw.choice(_ZH if chinese else _EN) for _ in range(draw.randint(0, 16))]
    name = draw.choice(_ZH_NAMES if chinese else _EN_NAMES)
    if chinese:
        rows = (
            ("发件人", f"{name} <contact@client.example>"),
            ("发送时间", "2025年3月4日 10:22"),
            ("收件人", "林晓芸"),
            ("主题", "上市方案"),
        )
        introduction = [f"{label}：{value}" for label, value in rows]
        sign = ["", name, "市场部 | 茗山茶业有限公司", "电话：0571-8888 1234"]
    else:
        introduction = [f"On Tue, 4 Mar 2025 at 10:22, {name} <contact@client.example> wrote:"]
        sign = ["", "-- ", name, "Marketing, Client Ltd", "+44 20 7946 0000"]
    plain_quote = [*introduction, *quoted] if chinese else [*introduction, *(f"> {line}" for line in quoted)]
    plain = "\n".join([*sentences, *sign, "", *(plain_quote if quoted else [])]) + "\n"
    written = "".join(
        f'<div style="font-size:14px;font-family:Arial"><span>{line}</span></div>\n' for line in sentences + sign
    )
    quotation = "".join(
        f'<p style="margin:0 0 1em 0"><font face="Calibri">{line}</font></p>\n' for line in [*introduction, *quoted]
    )
    wrapper = f'<div class="gmail_quote"><blockquote class="gmail_quote" style="border-left:1px #ccc solid">{quotation}</blockquote></div>'
    html = f'<html><head><meta charset="utf-8"><style>p {{ margin: 0 }} .x {{ color: #333 }}</style></head><body>{written}{wrapper if quoted else ""}</body></html>'
    return plain, html


def _header(number: int, chinese: bool, charset: str, draw: random.Random) -> bytes:
    moment = datetime(2025, 3, 1, tzinfo=UTC) + timedelta(minutes=number * 37)
    names = _ZH_NAMES if chinese else _EN_NAMES
    subject = draw.choice(("", "Re: ", "回复：", "转发：")) + draw.choice(_ZH_SUBJECTS if chinese else _EN_SUBJECTS)
    recipients = ",\n ".join(_mailbox(draw.choice(names), draw, charset) for _ in range(draw.randint(1, 4)))
    trail = "".join(
        f"Received: from mx{hop}.client.example (mx{hop}.client.example [192.0.2.{hop + 1}])\n\tby mail.agency.example (Postfix) with ESMTPS id {draw.randrange(16**10):X}\n"
        f"\tfor <assistant@agency.example>; {format_datetime(moment)}\n"
        for hop in range(draw.randint(1, 4))
    )
    references = "\n ".join(f"<{draw.randrange(10**12)}.{step}@client.example>" for step in range(draw.randint(0, 6)))
    lines = [
        "Return-Path: <contact@client.example>",
        "Delivered-To: assistant@agency.example",
        trail.rstrip("\n"),
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=client.example; s=s1;\n\th=From:To:Subject:Date:Message-ID; bh="
        + "A" * 44
        + ";\n\tb="
        + "B" * 170,
        f"From: {_mailbox(draw.choice(names), draw, charset)}",
        f"To: {recipients}",
        f"Cc: {_mailbox(draw.choice(names), draw, charset)}, assistant@agency.example",
        f"Subject: {_encoded(subject, charset)}",
        f"Date: {format_datetime(moment)}",
        f"Message-ID: <{number}.{draw.randrange(10**12)}@client.example>",
        f"X-Mailer: {draw.choice(('Foxmail 7.2.25', 'Microsoft Outlook 16.0', 'Apple Mail (2.3774)'))}",
        "MIME-Version: 1.0",
    ]
    if references:
        lines += [f"In-Reply-To: {references.rsplit(maxsplit=1)[-1]}", f"References: {references}"]
    return ("\n".join(lines) + "\n").encode("ascii")


def _encoded(text: str, charset: str) -> str:
    return (
        text
        if text.isascii()
        else Header(text, "utf-8" if charset in ("us-ascii", "iso-8859-1") else charset, maxlinelen=70).encode(
            linesep="\n"
        )
    )


def _mailbox(name: str, draw: random.Random, charset: str) -> str:
    shown = f'"{name}"' if name.isascii() else _encoded(name, charset)
    return f"{shown} <contact{draw.randrange(99)}@client.example>"


def _leaf(subtype: str, text: str, charset: str, draw: random.Random) -> bytes:
    data = text.encode(charset, "xmlcharrefreplace")
    if data.isascii() and draw.random() < 0.6:
        encoding, body = "7bit", data
    elif draw.random() < 0.6:
        encoding, body = "base64", base64.encodebytes(data)
    else:
        import quopri

        encoding, body = "quoted-printable", quopri.encodestring(data)
    return f"Content-Type: text/{subtype}; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n".encode() + body


def _file(name: str, content_type: str, size: int, draw: random.Random, content_id: str = "") -> bytes:
    shown = _encoded(name, "utf-8")
    head = f'Content-Type: {content_type}; name="{shown}"\nContent-Transfer-Encoding: base64\n'
    head += (
        f"Content-ID: <{content_id}>\nContent-Disposition: inline" if content_id else "Content-Disposition: attachment"
    )
    return f'{head}; filename="{shown}"\n\n'.encode() + base64.encodebytes(draw.randbytes(size))


def _multipart(subtype: str, boundary: str, parts: list[bytes]) -> bytes:
    delimiter = f"\n--{boundary}\n".encode()
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"\n\n'.encode()
    return (
        head
        + b"This is a multi-part message in MIME format.\n"
        + b"".join(delimiter + part for part in parts)
        + f"\n--{boundary}--\n".encode()
    )
