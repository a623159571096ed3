"""Mail that no person wrote: out-of-office answers, a delivery report, a newsletter, an invitation to a meeting."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from assistant.demo.letters import Letter
from assistant.demo.mail_programs import compose, date_header, envelope, message_id_of
from assistant.demo.mime_writer import Headers, block, header_text, multipart, text_part

_REPORT_SUBJECT: Final = "Undelivered Mail Returned to Sender"


def out_of_office(letter: Letter) -> bytes:
    """What an Exchange server answers for someone away (RFC 3834): marked as automatic, quoting nothing."""
    headers, body = text_part("plain", letter.text.strip("\n"), "utf-8", "base64")
    marks = [
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("X-MS-Exchange-Inbox-Rules-Loop", letter.writer.address),
        ("Content-Language", "zh-CN" if not letter.text.isascii() else "en-GB"),
        ("MIME-Version", "1.0"),
    ]
    return block([*envelope(letter, "utf-8"), *marks, *headers], body)


def delivery_report(letter: Letter) -> bytes:
    """A failed delivery as Postfix reports it (RFC 3464): words, status, and the headers of the mail that failed."""
    failed = letter.answers
    assert failed is not None, f"{letter.id}: a delivery report answers the mail that failed"
    host, recipient = letter.writer.domain, letter.details["recipient"]
    status, said = letter.details["status"], letter.details["said"]
    when = date_header(letter.at)
    words = (
        f"This is the mail system at host mx.{host}.\n\nI'm sorry to have to inform you that your message could not\n"
        f"be delivered to one or more recipients. It's attached below.\n\nFor further assistance, please send mail to postmaster.\n\n"
        f"                   The mail system\n\n<{recipient}>: host mx.{recipient.rpartition('@')[2]}[203.0.113.41] said: {said}\n"
        f"    (in reply to RCPT TO command)\n"
    )
    queue_id = letter.chance("queue", 10).upper()
    state = (
        f"Reporting-MTA: dns; mx.{host}\r\nX-Postfix-Queue-ID: {queue_id}\r\nArrival-Date: {when}\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nOriginal-Recipient: rfc822;{recipient}\r\nAction: failed\r\n"
        f"Status: {status}\r\nRemote-MTA: dns; mx.{recipient.rpartition('@')[2]}\r\nDiagnostic-Code: smtp; {said}\r\n"
    )
    original = compose(failed).partition(b"\r\n\r\n")[0] + b"\r\n"
    plain: Headers = (("Content-Description", "Notification"), ("Content-Type", "text/plain; charset=us-ascii"))
    report: Headers = (("Content-Description", "Delivery report"), ("Content-Type", "message/delivery-status"))
    returned: Headers = (
        ("Content-Description", "Undelivered Message Headers"),
        ("Content-Type", "text/rfc822-headers"),
    )
    headers, body = multipart(
        'report; report-type="delivery-status"',
        f"{queue_id}.{int(letter.at.timestamp())}/mx.{host}",
        [(plain, words.replace("\n", "\r\n").encode()), (report, state.encode()), (returned, original)],
        "This is a MIME-encapsulated message.",
    )
    marks = [("Auto-Submitted", "auto-replied"), ("MIME-Version", "1.0")]
    return block([*envelope(letter, "utf-8"), *marks, *headers], body)


def newsletter(letter: Letter) -> bytes:
    """A list's issue with the fields of RFC 2919, 2369 and 8058."""
    domain = letter.writer.domain
    html = "".join(f"<p>{row}</p>" for row in letter.text.strip("\n").split("\n") if row.strip())
    parts = [
        text_part("plain", letter.text.strip("\n"), "utf-8", "quoted-printable"),
        text_part("html", f"<html><body>{html}</body></html>", "utf-8", "quoted-printable"),
    ]
    headers, body = multipart("alternative", f"=_{letter.chance('news', 32)}", parts)
    marks = [
        ("List-Id", f"{header_text(letter.details['list'], 'utf-8')} <weekly.{domain}>"),
        ("List-Unsubscribe", f"<https://{domain}/unsubscribe/{letter.chance('token', 12)}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Precedence", "bulk"),
        ("MIME-Version", "1.0"),
    ]
    return block([*envelope(letter, "utf-8"), *marks, *headers], body)


def invitation(letter: Letter) -> bytes:
    """A calendar's request (RFC 5546 §3.2.2) beside its words; times from `details`."""
    starts, ends = (datetime.fromisoformat(letter.details[key]) for key in ("starts_at", "ends_at"))
    people = "".join(
        f"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN={person.name}:mailto:{person.address}\r\n"
        for person in (*letter.to, *letter.cc)
    )
    calendar = (
        "BEGIN:VCALENDAR\r\nPRODID:-//Calendar//EN\r\nVERSION:2.0\r\nCALSCALE:GREGORIAN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n"
        f"DTSTART:{_utc(starts)}\r\nDTEND:{_utc(ends)}\r\nDTSTAMP:{_utc(letter.at)}\r\n"
        f"ORGANIZER;CN={letter.writer.name}:mailto:{letter.writer.address}\r\nUID:{message_id_of(letter)}\r\n{people}"
        f"LOCATION:{letter.details['location']}\r\nSEQUENCE:0\r\nSTATUS:CONFIRMED\r\nSUMMARY:{letter.details['summary']}\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    parts = [
        text_part("plain", letter.text.strip("\n"), "utf-8", "quoted-printable"),
        text_part("calendar", calendar, "utf-8", "base64", "; method=REQUEST"),
    ]
    headers, body = multipart("alternative", f"{letter.chance('cal', 28)}", parts)
    return block([*envelope(letter, "utf-8"), ("MIME-Version", "1.0"), *headers], body)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


MACHINES: Final = {
    "out-of-office": out_of_office,
    "delivery-report": delivery_report,
    "newsletter": newsletter,
    "invitation": invitation,
}
"""Name in the sample files → who composes it."""
