"""Delivery reports without the Message-ID of a mail of ours: many true ones are so, and anybody can write such a one."""

from __future__ import annotations

from datetime import timedelta
from email.header import Header
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.store.tables import AuditEntry, OutboxMessage, Suppression
from tests.offices import (
    AGENCY,
    ASSISTANT,
    CHEN,
    LILEI,
    MONDAY,
    Office,
    bounce,
    command,
    mail,
    open_office,
    write_config,
)
from tests.outbox.rows import deliver, delivery
from tests.servers.smtp_sink import SmtpSink

DUE = MONDAY + timedelta(days=3, minutes=5)
MAILBOX = f'[mailbox]\nhost = "127.0.0.1"\nport = 143\ntls = "none"\nuser = "box"\nauthserv_id = "mx.{AGENCY}"\n'

NULL = "Return-Path: <>\r\n"
OURS = f"Received: by mx.{AGENCY} (Postfix)\r\n\tid 4ABC; Thu, 5 Mar 2026 02:10:00 +0000\r\n"
INSIDE = f"Received: from relay ([10.1.2.3])\r\n\tby mx.{AGENCY} with ESMTP id 4ABD; Thu, 5 Mar 2026 02:10:00 +0000\r\n"


def received(host: str, looked_up: str = "unknown", address: str = "203.0.113.9") -> str:
    return (
        f"Received: from {host} ({looked_up} [{address}])\r\n"
        f"\tby mx.{AGENCY} with ESMTPS id 4ABE; Thu, 5 Mar 2026 02:10:00 +0000\r\n"
    )


def found(results: str) -> str:
    return f"Authentication-Results: mx.{AGENCY}; {results}\r\n"


@pytest.fixture
def office(tmp_path: Path, smtp_sink: SmtpSink) -> Office:
    """A follow-up has just left to Chen."""
    office = open_office(write_config(tmp_path, more=MAILBOX))
    office.clock.move_to(MONDAY + timedelta(hours=1))
    office.hear(
        mail("方案请见附件。#proposal", subject="春季新茶包装方案", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,))
    )
    office.clock.move_to(DUE)
    office.workplace.decide_due()
    assert deliver(delivery(office.workplace.database, smtp_sink.port, office.clock)).sent == 1
    office.move(minutes=2)
    return office


def suppressed(office: Office) -> list[str]:
    with office.session() as session:
        return list(session.scalars(select(Suppression.addr_spec).where(Suppression.reason == "bounce")))


def proof(office: Office) -> str:
    return next(str(text) for sign, text in office.records()[-1].evidence if sign == "report-proved-by")


def sent_subject(office: Office) -> str:
    return next(row.subject for row in office.outbox() if row.state == "sent")


@pytest.mark.parametrize(
    ("reporter", "trace", "why"),
    [
        (f"MAILER-DAEMON@mx.{AGENCY}", NULL + OURS, "own-server"),
        (f"MAILER-DAEMON@mx.{AGENCY}", NULL + INSIDE + OURS, "own-server"),
        ("postmaster@mingshan.example", NULL + received("mail.mingshan.example", "mail.mingshan.example"), "recipients-server"),
        ("postmaster@mail.mingshan.example", NULL + found("spf=pass smtp.helo=mail.mingshan.example") + received("mail.mingshan.example"), "recipients-server"),
        ("MAILER-DAEMON@mingshan.example", NULL + found("dmarc=pass header.from=mingshan.example") + received("out.hosting.example"), "recipients-server"),
        ("MAILER-DAEMON@mingshan.example", NULL + found("dkim=pass header.d=mingshan.example") + received("out.hosting.example"), "recipients-server"),
    ],
)  # fmt: skip
def test_a_report_by_a_server_of_ours_or_the_recipients_is_believed(
    office: Office, reporter: str, trace: str, why: str
) -> None:
    office.hear(bounce(CHEN, at=office.clock.now(), reporter=reporter, trace=trace))
    assert (proof(office), suppressed(office)) == (why, [CHEN])


@pytest.mark.parametrize(
    ("reporter", "trace"),
    [
        # a stranger's server, whatever it calls itself and whatever it writes below
        ("MAILER-DAEMON@evil.example", NULL + received("evil.example", "evil.example")),
        (f"MAILER-DAEMON@mx.{AGENCY}", NULL + received(f"mx.{AGENCY}", "evil.example")),
        (f"MAILER-DAEMON@mx.{AGENCY}", NULL + received("mail.mingshan.example")),
        (f"MAILER-DAEMON@mx.{AGENCY}", NULL + received("(mail.mingshan.example", "evil.example")),
        ("postmaster@mingshan.example", NULL + received("x", "evil.example") + OURS),
        ("postmaster@mingshan.example", NULL + received("x", "evil.example") + received("y", "mail.mingshan.example")),
        ("postmaster@mingshan.example", NULL + received("localhost", "unknown") + INSIDE),
        # results of somebody else, below the line, or about somebody else
        ("postmaster@mingshan.example", NULL + "Authentication-Results: evil.example; dmarc=pass header.from=mingshan.example\r\n" + received("x")),
        ("postmaster@mingshan.example", NULL + received("x") + "Received: from y by z.evil.example\r\n" + found("dmarc=pass header.from=mingshan.example")),
        ("postmaster@mingshan.example", NULL + found("spf=pass smtp.helo=evil.example; dmarc=fail header.from=mingshan.example") + received("x")),
        # a person at a provider that both sides use, or at the client
        ("somebody@mingshan.example", "Return-Path: <somebody@mingshan.example>\r\n" + found("dmarc=pass header.from=mingshan.example") + received("mail.mingshan.example", "mail.mingshan.example")),
        ("MAILER-DAEMON@mingshan.example", "Return-Path: <somebody@mingshan.example>\r\n" + received("mail.mingshan.example", "mail.mingshan.example")),
    ],
)  # fmt: skip
def test_a_forged_report_silences_nobody_and_the_owner_is_asked_once(office: Office, reporter: str, trace: str) -> None:
    for _ in range(3):
        office.hear(bounce(CHEN, at=office.clock.now(), reporter=reporter, trace=trace))
        office.workplace.plan()
        office.move(hours=5)
    assert (proof(office), suppressed(office)) == ("nothing", [])
    assert [row.reason for row in office.outbox() if row.state == "sent"] == [""]
    assert len(asked(office)) == 1


def test_a_report_that_returns_the_subject_is_believed_unless_others_got_the_same(office: Office) -> None:
    strange = NULL + received("mx.hosting.example", "mx.hosting.example")
    returned = Header(f"Re: {sent_subject(office)}", "utf-8").encode(linesep="\r\n")
    with office.session() as session:
        row = session.scalars(select(OutboxMessage).where(OutboxMessage.audience == "client")).one()
        values = {column.name: getattr(row, column.key) for column in OutboxMessage.__table__.columns}
        session.add(OutboxMessage(**values | {"id": None, "dedupe_key": "to another", "client_id": None}))
    report = {"reporter": "postmaster@hosting.example", "trace": strange, "subject": returned}
    office.hear(bounce(CHEN, at=office.clock.now(), **report))
    assert (proof(office), suppressed(office)) == ("nothing", [])
    with office.session() as session:
        session.delete(session.scalars(select(OutboxMessage).where(OutboxMessage.dedupe_key == "to another")).one())
    office.hear(bounce(CHEN, at=office.clock.now(), **report))
    assert (proof(office), suppressed(office)) == ("subject", [CHEN])


def asked(office: Office) -> list[OutboxMessage]:
    with office.session() as session:
        return list(
            session.scalars(select(OutboxMessage).where(OutboxMessage.dedupe_key.startswith("notice:doubtful")))
        )


def test_the_owner_can_take_a_report_at_its_word(office: Office) -> None:
    office.hear(
        bounce(CHEN, at=office.clock.now(), reporter="postmaster@evil.example", trace=NULL + received("evil.example"))
    )
    office.workplace.plan()
    (question,) = asked(office)
    number = office.records()[-1].id
    assert question.recipients == [LILEI]
    said = command(office.config_file, "message", "believe", str(number))
    assert (said.status, suppressed(office)) == (0, [CHEN]), said
    assert [row.reason for row in office.outbox() if row.state == "sent"] == ["bounced"]
    with office.session() as session:
        assert session.scalar(select(AuditEntry.who).where(AuditEntry.event == "bounce-believed")) == "command line"
    assert command(office.config_file, "message", "believe", "1").status == 2
