"""What a hostile mail may cost: every nasty one comes back in time, with a defect that says what was cut."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import pytest

from parsers import Message, parse

SECONDS = 3.0
HEAD = b"From: a@x.example\nTo: b@y.example\nSubject: nasty\nDate: Tue, 04 Mar 2025 10:22:00 +0800\nMessage-ID: <m@x.example>\n"


def _read_in_time(raw: bytes) -> Message:
    started = time.process_time()
    message = parse(raw)
    assert time.process_time() - started < SECONDS
    return message


def _codes(message: Message) -> set[str]:
    return {defect.code for defect in message.defects}


def _nested_multiparts(depth: int) -> bytes:
    opening = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(depth))
    closing = b"".join(b"\n--b%d--" % n for n in reversed(range(depth)))
    return HEAD + opening + b"Content-Type: text/plain\n\ninnermost\n" + closing + b"\n"


def _nested_mails(depth: int) -> bytes:
    return (
        b"".join(b"From: a@x.example\nSubject: level %d\nContent-Type: message/rfc822\n\n" % n for n in range(depth))
        + HEAD
        + b"\nbottom\n"
    )


def _siblings(count: int) -> bytes:
    parts = b"".join(b"--b\nContent-Type: text/plain\n\npart %d\n" % n for n in range(count))
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + parts + b"--b--\n"


def test_two_thousand_multiparts_in_each_other_are_cut_with_a_defect() -> None:
    message = _read_in_time(_nested_multiparts(2000))
    assert "nesting-cut" in _codes(message)
    assert message.subject == "nasty"


def test_two_thousand_mails_in_each_other_are_cut_with_a_defect() -> None:
    message = _read_in_time(_nested_mails(2000))
    assert "nesting-cut" in _codes(message)
    assert message.subject == "level 0"


def test_two_thousand_parts_beside_each_other_are_cut_with_a_defect() -> None:
    message = _read_in_time(_siblings(2000))
    assert "parts-cut" in _codes(message)
    assert message.text.startswith("part 0\n\npart 1")


def test_twenty_thousand_headers_are_cut_and_the_known_ones_kept() -> None:
    many = b"".join(b"X-Number-%d: %d\n" % (n, n) for n in range(20_000))
    message = _read_in_time(many + HEAD + b"\nbody\n")
    assert "headers-cut" in _codes(message)
    assert (message.subject, message.text) == ("nasty", "body")
    assert message.originator is not None


def test_a_megabyte_of_references_keeps_the_root_and_the_parents() -> None:
    ids = [b"<%08d.abcdefghijklmnop@x.example>" % n for n in range(30_000)]
    message = _read_in_time(HEAD + b"References: " + b"\n ".join(ids) + b"\n\nbody\n")
    assert "ids-cut" in _codes(message)
    assert message.references[0].startswith("00000000.")
    assert message.references[-1].startswith("00029999.")


def test_a_hundred_thousand_addresses_are_cut_with_a_defect() -> None:
    line = b", ".join(b'"Name, %d" <n%d@x.example>' % (n, n) for n in range(100_000))
    message = _read_in_time(b"Cc: " + line + b"\n" + HEAD + b"\nbody\n")
    assert "addresses-cut" in _codes(message)
    assert message.cc[1].name == "Name, 1"


LINE = b"x" * 100_000
QUOTATION = b"".join(b"> line %d of what was written before, at some length\n" % n for n in range(40_000))
BODIES: dict[str, Callable[[], bytes]] = {
    "thirty thousand sender's lines": lambda: "发件人: 李娜\n".encode() * 30_000,
    "headers of sixty recipients each": lambda: (
        700 * ("发件人: 李娜 <a@x.example>\n".encode() + 59 * "收件人: b@x.example;\n".encode() + b"\n")
    ),
    "forty thousand attributions": lambda: b"On Mon, 6 May 2024 at 10:00 Tom <a@x.example> wrote:\n" * 40_000,
    "one line of 100 kB": lambda: LINE,
    "one line of 100 kB of spaces": lambda: b" " * 100_000 + b"x",
    "one Chinese line of 100 kB": lambda: "字".encode() * 33_000,
    "two megabytes of quotation": lambda: (
        b"Agreed.\n\nOn Tue, 4 Mar 2025 at 10:22, A <a@x.example> wrote:\n" + QUOTATION
    ),
    "a hundred thousand empty lines": lambda: b"\n" * 100_000,
    "a hundred thousand quote marks in a line": lambda: b">" * 100_000,
    "many half-open uuencoded files": lambda: b"begin 644 a\n" * 20_000,
    "many PGP openings": lambda: b"-----BEGIN PGP SIGNED MESSAGE-----\n" * 10_000,
    "many boundaries of nobody": lambda: b"--b\n" * 100_000,
    "many dashes": lambda: b"-" * 200_000,
    "many header-like lines": lambda: "发件人: a <a@x.example>\n".encode() * 30_000,
    "many half attributions": lambda: b"On Tue, 4 Mar 2025 at 10:22, someone\n" * 30_000,
}


@pytest.mark.parametrize("name", BODIES)
def test_plain_bodies_take_linear_time(name: str) -> None:
    message = _read_in_time(HEAD + b"Content-Type: text/plain; charset=utf-8\n\n" + BODIES[name]() + b"\n")
    assert message.subject == "nasty"


HTML: dict[str, str] = {
    "fifty thousand open divs": "<div>" * 50_000,
    "fifty thousand open tables": "<table><tr><td>" * 50_000,
    "fifty thousand open blockquotes": '<blockquote type="cite">' * 50_000,
    "fifty thousand open list items": "<ul><li>" * 50_000,
    "fifty thousand open formats": "<b><i>" * 50_000,
    "unknown elements": "<x-y>" * 100_000,
    "angle brackets alone": "<" * 300_000,
    "half-open tags": "<div class='a" * 30_000,
    "entities": "&nbsp;&amp;&#x4e2d;" * 50_000,
    "styles": "<style>" * 50_000,
    "a long attribute": f'<p style="{"a" * 500_000}">x',
    "paragraphs": "<p style='display:none'>x</p><p>y</p>" * 20_000,
    "links": "<a href='https://x.example/" + "a" * 100 + "'>x</a>" * 10_000,
    "open links": "<a href='https://x.example/'>x" * 30_000,
}


@pytest.mark.parametrize("name", HTML)
def test_html_bodies_take_linear_time(name: str) -> None:
    raw = HEAD + b"Content-Type: text/html; charset=utf-8\n\n<html><body>" + HTML[name].encode() + b"\n"
    assert _read_in_time(raw).subject == "nasty"


HEADERS: dict[str, bytes] = {
    "open encoded-words": b"Subject: " + b"=?utf-8?B?" * 25_000,
    "closed encoded-words": b"Subject: " + b"=?utf-8?B?5L2g?= " * 15_000,
    "open comments": b"To: " + b"(" * 250_000,
    "open quotes": b"To: " + b'"\\"' * 80_000,
    "open brackets": b"To: " + b"<" * 250_000,
    "colons and semicolons": b"To: " + b":;" * 120_000,
    "addresses without a comma": b"To: " + b"<a@b.example> " * 20_000,
    "words without an address": b"To: " + b"a, " * 80_000,
    "at signs": b"To: " + b"@" * 250_000,
    "a long word before an at sign": b"To: " + b"a" * 200_000 + b"@",
    "hard spaces for addresses": b"To: " + "\u00a0".encode() * 60_000,
    "hard spaces for parameters": b"Content-Type: text/plain; " + "\u00a0".encode() * 60_000,
    "a long date": b"Date: " + b"1 Jan " * 40_000,
    "parameters": b"Content-Type: text/plain" + b"; a=b" * 40_000,
    "parameter sections": b"Content-Type: text/plain" + b"".join(b"; n*%d=x" % n for n in range(20_000)),
    "open parameter quotes": b'Content-Type: text/plain; a="' + b'\\"; b="' * 30_000,
    "a long continued field": b"X-Long: " + b"a\n " * 100_000,
    "lines that are no fields": b"no field at all\n" * 30_000 + b"X: y",
    "half brackets of ids": b"References: " + b"<a@b " * 50_000,
    "a long internationalised domain": b"To: a@" + "例".encode() * 30_000,
    "raw GBK": b"Subject: " + "报价".encode("gbk") * 50_000,
}


@pytest.mark.parametrize("name", HEADERS)
def test_header_fields_take_linear_time(name: str) -> None:
    message = _read_in_time(HEADERS[name] + b"\nMIME-Version: 1.0\n\nbody\n")
    assert isinstance(message, Message)


def test_carriage_returns_take_linear_time() -> None:
    assert _read_in_time(b"\r" * 500_000).text == ""


def test_a_bounce_of_quote_marks_takes_linear_time() -> None:
    head = HEAD.replace(b"Subject: nasty", b"Subject: Undelivered")
    body = (b">" * 20 + b"\n") * 3_000
    assert _read_in_time(b"Return-Path: <>\n" + head + b"\n" + body).subject == "Undelivered"


def test_what_expands_is_not_expanded_without_limit() -> None:
    """Charset labels that name decompressors, deep Base64 in Base64, and huge Base64 bodies."""
    zipped = base64.b64encode(b"x\x9c" + b"\x00" * 1000)
    for label in (b"zlib", b"bz2", b"rot13", b"punycode", b"idna", b"unicode_escape", b"undefined"):
        message = _read_in_time(
            HEAD + b"Content-Type: text/plain; charset=" + label + b"\nContent-Transfer-Encoding: base64\n\n" + zipped
        )
        assert len(message.text) < 2000
    wrapped = HEAD + b"\ninner\n"
    for _ in range(8):
        wrapped = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(wrapped)
    assert "nesting-cut" in _codes(_read_in_time(wrapped))


def test_text_beyond_the_limit_is_cut_and_says_so() -> None:
    message = _read_in_time(HEAD + b"\n" + (b"word " * 20 + b"\n") * 60_000)
    assert "text-cut" in _codes(message)
