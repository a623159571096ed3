"""Parts: bodies and alternatives, attachments, nested mail, invitations, and what comes wrapped."""

from __future__ import annotations

import base64
import hashlib
import struct
from datetime import datetime, timedelta, timezone

import pytest

from parsers import Message, parse

CHINA = timezone(timedelta(hours=8))
HEAD = b"From: a@x.example\nTo: b@y.example\nSubject: s\nDate: Tue, 04 Mar 2025 10:22:00 +0800\nMIME-Version: 1.0\n"


def _multipart(subtype: str, *parts: bytes, boundary: str = "b") -> bytes:
    edge = f"--{boundary}\n".encode()
    return (
        f"Content-Type: multipart/{subtype}; boundary={boundary}\n\n".encode()
        + b"".join(edge + part + b"\n" for part in parts)
        + f"--{boundary}--\n".encode()
    )


def _leaf(content_type: str, body: str | bytes, *fields: str) -> bytes:
    head = "".join(f"{field}\n" for field in (f"Content-Type: {content_type}", *fields))
    return f"{head}\n".encode() + (body.encode() if isinstance(body, str) else body)


PLAIN = _leaf("text/plain; charset=utf-8", "plain words")
HTML = _leaf("text/html; charset=utf-8", "<p>html words</p>")


def _read(rest: bytes) -> Message:
    return parse(HEAD + rest)


def test_of_alternatives_the_plain_text_is_the_text() -> None:
    assert _read(_multipart("alternative", PLAIN, HTML)).text == "plain words"


def test_a_plain_alternative_that_says_far_less_gives_way() -> None:
    long = _leaf("text/html; charset=utf-8", "<p>" + "the whole newsletter " * 40 + "</p>")
    assert _read(_multipart("alternative", PLAIN, long)).text.startswith("the whole newsletter")


def test_texts_side_by_side_are_one_text() -> None:
    footer = _leaf("text/plain; charset=utf-8", "list footer")
    message = _read(
        _multipart(
            "mixed", PLAIN, _leaf("application/pdf; name=a.pdf", "%PDF", "Content-Disposition: attachment"), footer
        )
    )
    assert message.text == "plain words\n\nlist footer"
    assert [one.filename for one in message.attachments] == ["a.pdf"]


def test_a_text_file_is_attached_not_read() -> None:
    message = _read(
        _multipart(
            "mixed",
            PLAIN,
            _leaf(
                "text/plain; charset=utf-8; name=notes.txt",
                "notes",
                "Content-Disposition: attachment; filename=notes.txt",
            ),
        )
    )
    assert (message.text, message.attachments[0].filename) == ("plain words", "notes.txt")


def test_an_attachment_has_the_size_and_hash_of_its_content() -> None:
    content = bytes(range(256)) * 9
    part = _leaf(
        "application/zip; name=a.zip",
        base64.encodebytes(content),
        "Content-Transfer-Encoding: base64",
        "Content-Disposition: attachment",
    )
    found = _read(_multipart("mixed", PLAIN, part)).attachments[0]
    assert (found.size, found.sha256, found.inline) == (len(content), hashlib.sha256(content).hexdigest(), False)


def test_inline_images_are_inline_and_keep_their_content_id() -> None:
    image = _leaf("image/png", "x", "Content-ID: <logo@x>", "Content-Disposition: inline; filename=logo.png")
    found = _read(_multipart("related", HTML, image)).attachments[0]
    assert (found.filename, found.content_id, found.inline) == ("logo.png", "logo@x", True)


def test_an_attached_mail_is_named_by_its_subject_and_kept_out_of_the_text() -> None:
    inner = b"From: \xe7\x8e\x8b <w@z.example>\nSubject: =?utf-8?B?5oql5Lu3?=\nDate: Mon, 03 Mar 2025 09:00:00 +0800\n\ninner words\n"
    message = _read(_multipart("mixed", PLAIN, _leaf("message/rfc822", inner)))
    assert message.text == "plain words"
    assert message.attachments[0].filename == "报价.eml"
    assert message.forwarded is not None
    assert message.forwarded.originator is not None
    assert (message.forwarded.originator.addr_spec, message.forwarded.text) == ("w@z.example", "inner words")
    assert message.forwarded.date == datetime(2025, 3, 3, 9, tzinfo=CHINA)


def test_a_digest_holds_mail_without_saying_so() -> None:
    message = _read(_multipart("digest", b"\nSubject: one\n\nfirst", b"\nSubject: two\n\nsecond"))
    assert [one.filename for one in message.attachments] == ["one.eml", "two.eml"]


CALENDAR = """BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:Agency
BEGIN:STANDARD
TZOFFSETTO:+0800
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:u-1
SUMMARY:方案评审\\, 第二轮
DTSTART;TZID={zone}:20250306T140000
{end}
LOCATION:三楼
 会议室
ORGANIZER;CN=Lin:mailto:linxy@mingshan-tea.example
END:VEVENT
END:VCALENDAR
"""


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "China Standard Time", "Agency", '"(UTC+08:00) Beijing, Hong Kong"'])
@pytest.mark.parametrize(
    "end", ["DTEND;TZID=Asia/Shanghai:20250306T153000", "DURATION:PT1H30M", "DTEND:20250306T073000Z"]
)
def test_an_invitation_is_read(zone: str, end: str) -> None:
    part = _leaf("text/calendar; charset=utf-8; method=REQUEST", CALENDAR.format(zone=zone, end=end))
    message = _read(_multipart("alternative", PLAIN, part))
    invitation = message.invitation
    assert invitation is not None
    assert (invitation.method, invitation.summary, invitation.location) == ("REQUEST", "方案评审, 第二轮", "三楼会议室")
    assert invitation.organizer == "linxy@mingshan-tea.example"
    assert invitation.starts_at == datetime(2025, 3, 6, 14, tzinfo=CHINA)
    assert invitation.ends_at == datetime(2025, 3, 6, 15, 30, tzinfo=CHINA)
    assert [one.filename for one in message.attachments] == ["invite.ics"]


def _tnef() -> bytes:
    """A minimal winmail.dat: one attachment "plan.txt" holding "hello" (MS-OXTNEF §2.1.3)."""

    def attribute(level: int, name: int, data: bytes) -> bytes:
        return struct.pack("<BII", level, name, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)

    rendering = struct.pack("<HIHHI", 1, 0xFFFFFFFF, 0, 0, 0)
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(
        (
            attribute(1, 0x00089006, struct.pack("<I", 0x10000)),
            attribute(2, 0x00069002, rendering),
            attribute(2, 0x00018010, b"plan.txt\x00"),
            attribute(2, 0x0006800F, b"hello"),
        )
    )


def test_winmail_dat_is_opened() -> None:
    part = _leaf(
        "application/ms-tnef; name=winmail.dat", base64.encodebytes(_tnef()), "Content-Transfer-Encoding: base64"
    )
    message = _read(_multipart("mixed", PLAIN, part))
    assert [(one.filename, one.size) for one in message.attachments] == [("plan.txt", 5)]
    assert "tnef-opened" in {defect.code for defect in message.defects}


def test_winmail_dat_that_cannot_be_read_stays_an_attachment() -> None:
    message = _read(_multipart("mixed", PLAIN, _leaf("application/ms-tnef; name=winmail.dat", "no tnef at all")))
    assert [one.filename for one in message.attachments] == ["winmail.dat"]
    assert "tnef-unreadable" in {defect.code for defect in message.defects}


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


@pytest.mark.parametrize("chunked", [False, True])
def test_an_opaque_signature_shows_what_was_signed(chunked: bool) -> None:
    inner = b"Content-Type: text/plain; charset=utf-8\r\n\r\nsigned words\r\n"
    octets = (
        _der(0x24, b"".join(_der(0x04, inner[at : at + 9]) for at in range(0, len(inner), 9)))
        if chunked
        else _der(0x04, inner)
    )
    content = _der(0x30, bytes.fromhex("06092a864886f70d010701") + _der(0xA0, octets))
    signed = _der(0x30, _der(0x02, b"\x01") + _der(0x31, b"") + content)
    envelope = _der(0x30, bytes.fromhex("06092a864886f70d010702") + _der(0xA0, signed))
    message = _read(
        _leaf(
            "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m",
            base64.encodebytes(envelope),
            "Content-Transfer-Encoding: base64",
        )
    )
    assert (message.security, message.text) == ("smime-signed", "signed words")


SECURED = {
    "smime-signed": _multipart(
        'signed; protocol="application/pkcs7-signature"',
        PLAIN,
        _leaf("application/pkcs7-signature; name=smime.p7s", "x"),
    ),
    "pgp-signed": _multipart(
        'signed; protocol="application/pgp-signature"',
        PLAIN,
        _leaf("application/pgp-signature; name=signature.asc", "x"),
    ),
    "pgp-encrypted": _multipart(
        'encrypted; protocol="application/pgp-encrypted"',
        _leaf("application/pgp-encrypted", "Version: 1"),
        _leaf("application/octet-stream", "x"),
    ),
    "smime-encrypted": _leaf("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", "x"),
}


@pytest.mark.parametrize("security", SECURED)
def test_cryptographic_envelopes_are_recognised(security: str) -> None:
    message = _read(SECURED[security])
    assert message.security == security
    assert message.text == ("plain words" if security.endswith("signed") else "")


def test_inline_pgp_armour_is_taken_off() -> None:
    body = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nsigned words\n- - list\n-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n"
    message = _read(_leaf("text/plain", body))
    assert (message.security, message.text) == ("pgp-signed", "signed words\n- list")
    assert (
        _read(_leaf("text/plain", "-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n")).security
        == "pgp-encrypted"
    )


def test_html_alone_is_cut_by_its_structure() -> None:
    html = '<div dir="ltr">Agreed, go ahead.</div><br><div class="gmail_quote"><div class="gmail_attr">On Mon, Li wrote:<br></div><blockquote class="gmail_quote">the offer</blockquote></div>'
    message = _read(_leaf("text/html; charset=utf-8", html))
    assert message.reply == "Agreed, go ahead."
    assert "the offer" in message.quoted


def test_small_facts_of_the_header() -> None:
    message = parse(
        b"Return-Path: <>\nDelivered-To: Assistant@Y.example\nX-Original-To: team@y.example\nThread-Index: "
        + base64.b64encode(bytes(range(27)))
        + b"\n"
        b"Authentication-Results: mx.y.example; dkim=pass\nAuthentication-Results: other.example; spf=fail\nList-Id: =?utf-8?B?5YWs5ZGK?= <News.x.example>\n"
        b"Message-ID: <new@x.example>\nX-Microsoft-Original-Message-ID: <old@x.example>\nSender: s@x.example\nBcc: hidden@y.example\n"
        + HEAD
        + b"\nok\n"
    )
    assert message.return_path == ""
    assert message.delivered_to == ("Assistant@y.example", "team@y.example")
    assert message.thread_index == bytes(range(22)).hex()
    assert message.authentication_results == ("mx.y.example; dkim=pass", "other.example; spf=fail")
    assert message.list_id == "news.x.example"
    assert (message.message_id, message.aliases) == ("new@x.example", ("old@x.example",))
    assert message.sender is not None
    assert [one.addr_spec for one in message.bcc] == ["hidden@y.example"]
    assert parse(HEAD + b"\nok\n").return_path is None


def test_sizes_are_those_of_the_mail_as_it_came() -> None:
    raw = (
        HEAD
        + _multipart("mixed", PLAIN, _leaf("text/csv; name=a.csv", "a,b\n1,2\n", "Content-Disposition: attachment"))
    ).replace(b"\n", b"\r\n")
    found = parse(raw).attachments[0]
    assert (found.size, found.sha256) == (10, hashlib.sha256(b"a,b\r\n1,2\r\n").hexdigest())
    assert parse(raw.replace(b"\r\n", b"\n")).attachments[0].size == 8


def test_a_mail_attached_as_a_mere_file_counts_as_forwarded() -> None:
    inner = "From: 王 <w@z.example>\r\nSubject: 报价\r\nDate: Mon, 03 Mar 2025 09:00:00 +0800\r\n\r\ninner words\r\n".encode()
    part = _leaf(
        "application/octet-stream; name=x.eml",
        base64.encodebytes(inner),
        "Content-Transfer-Encoding: base64",
        "Content-Disposition: attachment",
    )
    message = _read(_multipart("mixed", PLAIN, part))
    assert message.attachments[0].size == len(inner)
    assert message.forwarded is not None
    assert (message.forwarded.subject, message.forwarded.text) == ("报价", "inner words")


def test_what_a_bounce_returns_was_not_forwarded() -> None:
    status = _leaf(
        "message/delivery-status",
        "Reporting-MTA: dns; mx.y.example\n\nFinal-Recipient: rfc822; gone@z.example\nAction: failed\nStatus: 5.1.1\n",
    )
    returned = _leaf("message/rfc822", "From: me@y.example\nMessage-ID: <sent@y.example>\nSubject: hello\n\nbody\n")
    message = parse(
        b"From: MAILER-DAEMON@mx.y.example\nReturn-Path: <>\nSubject: Undelivered Mail\n"
        + _multipart("report; report-type=delivery-status", PLAIN, status, returned)
    )
    assert message.kind == "bounce"
    assert [one.addr_spec for one in message.bounced] == ["gone@z.example"]
    assert message.bounced_message_id == "sent@y.example"
    assert message.forwarded is None


def test_an_answer_below_an_unmarked_quotation_is_found_in_the_html() -> None:
    plain = "在 2024-05-06 14:22:01，李娜 <lina@y.example> 写道：\n周三可以吗？\n\n可以，周三上午十点。\n"
    html = '<div>在 2024-05-06 14:22:01，李娜 &lt;lina@y.example&gt; 写道：</div><blockquote id="isReplyContent">周三可以吗？</blockquote><div>可以，周三上午十点。</div>'
    message = _read(
        _multipart("alternative", _leaf("text/plain; charset=utf-8", plain), _leaf("text/html; charset=utf-8", html))
    )
    assert message.reply == "可以，周三上午十点。"
    assert message.text.startswith("在 2024-05-06")


def test_where_plain_text_shows_the_quotation_the_html_is_not_asked() -> None:
    plain = "可以。\n\n发件人: 李娜 <lina@y.example>\n发送时间: 2024年5月6日 14:22\n收件人: 王珂\n主题: 排期\n\n周三可以吗？\n"
    message = _read(
        _multipart("alternative", _leaf("text/plain; charset=utf-8", plain), _leaf("text/html", "<p>other words</p>"))
    )
    assert message.reply == "可以。"
    assert message.quoted.startswith("发件人")
