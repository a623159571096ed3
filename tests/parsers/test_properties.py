"""What holds for any bytes whatever: no exception, the same facts each time, and facts of the promised shape."""

from __future__ import annotations

from datetime import UTC
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.samples import generate
from parsers import Message, parse, split_reply
from parsers.types import KINDS, LANGUAGES

FOLDER = Path(__file__).parent
PIECES = st.sampled_from(
    [
        b"\n", b"\r\n", b"\n\n", b"\r", b"\x00", b"From: ", b"To: ", b"Subject: ", b"Date: ", b"References: ", b"Content-Type: ", b"text/html", b"text/plain",
        b"multipart/mixed; boundary=b", b"message/rfc822", b"--b", b"--b--", b"; charset=", b"gb2312", b"utf-7", b"hz", b"iso-2022-cn", b"=?utf-8?B?", b"=?gbk?Q?",
        b"?=", b"5L2g", b"=E4", b"=", b"<", b">", b'"', b"(", b")", b",", b";", b":", b"@", b"a@b.example", b"~{", b"\x1b$)A\x0e", b"\xc4\xe3\xba\xc3", b"\xe4\xbd",
        b"begin 644 x\n", b"`\nend\n", b"<div>", b"</div>", b"<blockquote>", b"<td>", b"<li>", b"<a href=", b"&nbsp;", b"> ", b"On Tue, A wrote:\n", b"-- \n", b"BEGIN:VCALENDAR\n",
        b"BEGIN:VEVENT\n", b"DTSTART;TZID=x:20250101T000000\n", b"Content-Transfer-Encoding: base64\n", b"filename*0*=", b"''%E4", b"-----BEGIN PGP SIGNED MESSAGE-----\n",
        "发件人：".encode(), "在 2025年3月4日 写道：".encode(), b"\xff\xfe", b"\xef\xbb\xbf", b"31 Feb 99999 25:61", b"Content-Disposition: attachment; ",
        b"multipart/report; report-type=delivery-status; boundary=b", b"message/delivery-status", b"Final-Recipient: rfc822;", b"Return-Path: <>\n", b"multipart/alternative; boundary=",
    ]
)  # fmt: skip


@cache
def _samples() -> tuple[bytes, ...]:
    files = [
        path.read_bytes() for folder in ("damaged", "formats") for path in sorted((FOLDER / folder).rglob("*.eml"))
    ]
    return tuple(raw[:20_000] for raw in (*files, *generate(40, seed=11)))


def _holds(message: Message, raw: bytes) -> None:
    assert message.size == len(raw)
    assert message.kind in KINDS
    assert [defect for defect in message.defects if defect.code == "reader-failed"] == []
    assert message.language in LANGUAGES
    assert message.date is None or message.date.astimezone(UTC).tzinfo is UTC
    assert "\r" not in message.text
    assert "\x00" not in message.text
    assert all("<" not in one and ">" not in one for one in message.references)
    assert "\n" not in message.subject
    for address in (*message.to, *message.cc, *message.bcc, *message.reply_to):
        assert address.addr_spec
        assert "\n" not in address.name + address.addr_spec
    assert hash(message.originator) == hash(message.originator)
    message.text.encode("utf-8")  # no half surrogates: it must be storable
    message.reply.encode("utf-8")
    message.subject.encode("utf-8")


@settings(max_examples=150)
@given(st.binary(max_size=2000))
def test_any_bytes_are_read(raw: bytes) -> None:
    _holds(parse(raw), raw)


@settings(max_examples=250)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=12)), max_size=60).map(b"".join))
def test_any_arrangement_of_the_pieces_of_mail_is_read(raw: bytes) -> None:
    _holds(parse(raw), raw)


@settings(max_examples=300)
@given(st.data())
def test_any_damage_to_a_real_mail_is_read_and_twice_the_same(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(_samples())))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw)))
        length = data.draw(st.integers(0, 40))
        match data.draw(st.sampled_from(("cut", "insert", "flip", "repeat", "end"))):
            case "cut":
                del raw[at : at + length]
            case "insert":
                raw[at:at] = data.draw(PIECES)
            case "flip" if at < len(raw):
                raw[at] ^= data.draw(st.integers(1, 255))
            case "repeat":
                raw[at:at] = raw[max(at - length, 0) : at]
            case "end":
                del raw[max(at, 10) :]
    message = parse(bytes(raw))
    _holds(message, bytes(raw))
    assert parse(bytes(raw)) == message


@settings(max_examples=150)
@given(st.text(max_size=1500))
def test_any_text_is_split(text: str) -> None:
    reply = split_reply(text)
    assert split_reply(text) == reply


def test_line_ends_make_no_difference() -> None:
    for raw in _samples():
        unix = raw.replace(b"\r\n", b"\n")
        if b"\r" in unix:
            continue
        windows = unix.replace(b"\n", b"\r\n")
        one, other = parse(unix), parse(windows)
        assert (one.text, one.subject, one.reply, one.message_id, one.to) == (
            other.text,
            other.subject,
            other.reply,
            other.message_id,
            other.to,
        )
