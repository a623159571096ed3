"""A machine at the client that answers everything, with a new subject and nothing that marks it: two mails at most."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from parsers import parse
from tests.offices import ASSISTANT, CHEN, LILEI, MONDAY, Office, mail, open_office, write_config
from tests.outbox.rows import deliver, delivery
from tests.servers.smtp_sink import Received, SmtpSink


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = open_office(write_config(tmp_path))
    office.clock.move_to(MONDAY + timedelta(hours=1))
    office.hear(mail("方案请见附件。#proposal", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,)))
    return office


def answers(number: int, received: Received, office: Office, *, threaded: bool) -> list[bytes]:
    """What the machine makes of a mail: for each of its recipients outside an answer under another subject."""
    original = parse(received.content)
    return [
        mail(
            f"谢谢您的来信，编号 {number}。我们会尽快处理。",
            subject=f"工单 {number}",
            originator=recipient,
            at=office.clock.now(),
            answers=(original.message_id or "",) if threaded else (),
        )
        for recipient in received.recipients
    ]


@pytest.mark.parametrize("threaded", [False, True])
@pytest.mark.parametrize("everybody", [False, True])
def test_a_machine_that_answers_everything_gets_two_mails_at_most(
    office: Office, smtp_sink: SmtpSink, threaded: bool, everybody: bool
) -> None:
    """Also when it stands at our own colleague's address, and answers what colleagues are told."""
    work = delivery(office.workplace.database, smtp_sink.port, office.clock, guard=office.workplace.guard)
    work._on_sent = office.workplace.keep_sent
    seen = 0
    for _ in range(24 * 20 // 4):
        office.move(hours=4)
        office.workplace.interpret()
        office.workplace.decide_due()
        office.workplace.plan()
        deliver(work)
        fresh, seen = smtp_sink.received[seen:], len(smtp_sink.received)
        for number, received in enumerate(fresh, seen):
            if everybody or CHEN in received.recipients:
                office.keep(*answers(number, received, office, threaded=threaded))
    to_client = [item for item in smtp_sink.received if CHEN in item.recipients]
    assert 1 <= len(to_client) <= 2
    told = len(smtp_sink.received) - len(to_client)
    assert told < 40, "colleagues hear once a day what waits, not once for every answer of a machine"
