"""A report of a failed delivery is believed when it speaks of a mail of ours, and then has its consequences."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.store.tables import AuditEntry, OutboxMessage, Suppression
from tests.offices import ASSISTANT, CHEN, LILEI, MONDAY, WANG, Office, bounce, mail, open_office, write_config
from tests.outbox.rows import deliver, delivery
from tests.servers.smtp_sink import SmtpSink

DUE = MONDAY + timedelta(days=3, minutes=5)


@pytest.fixture
def office(tmp_path: Path, smtp_sink: SmtpSink) -> Office:
    """A follow-up has just left to Chen."""
    office = open_office(write_config(tmp_path))
    office.clock.move_to(MONDAY + timedelta(hours=1))
    proposal = mail(
        "方案请见附件。#proposal", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,), message_id="offer@lanhai.example"
    )
    office.hear(proposal)
    office.clock.move_to(DUE)
    office.workplace.decide_due()
    assert deliver(delivery(office.workplace.database, smtp_sink.port, office.clock)).sent == 1
    office.move(minutes=2)
    return office


def sent(office: Office) -> OutboxMessage:
    (row,) = [row for row in office.outbox() if row.state in ("sent", "uncertain")]
    return row


def suppressed(office: Office) -> list[Suppression]:
    with office.session() as session:
        return list(session.scalars(select(Suppression).where(Suppression.scope != "lifted")))


def test_a_report_with_our_message_id_settles_the_mail_and_spares_the_address_until_its_review(office: Office) -> None:
    office.hear(bounce(CHEN, at=office.clock.now(), original=sent(office).message_id))
    (row,) = suppressed(office)
    assert (row.addr_spec, row.reason) == (CHEN, "bounce")
    assert row.review_at is not None
    assert sent(office).reason == "bounced"
    office.workplace.plan()
    with office.session() as session:
        told = session.scalars(select(OutboxMessage).where(OutboxMessage.dedupe_key == f"notice:bounce:{row.id}")).one()
    assert told.recipients == [LILEI]
    office.clock.move_to(row.review_at + timedelta(days=1))
    assert not _bouncing(office), "then it may be tried again"


def test_a_report_without_an_id_counts_by_recipient_and_time(office: Office) -> None:
    office.hear(bounce(CHEN, at=office.clock.now()))
    assert [row.addr_spec for row in suppressed(office)] == [CHEN]
    assert sent(office).reason == "bounced"


@pytest.mark.parametrize(
    ("failed", "original", "later"),
    [
        (CHEN, "somebody-elses@foreign.example", timedelta(minutes=1)),
        (WANG, "", timedelta(minutes=1)),
        (CHEN, "", timedelta(days=8)),
    ],
)
def test_a_forged_report_silences_nobody(office: Office, failed: str, original: str, later: timedelta) -> None:
    """An id that is not ours, a person we did not write to, a time at which nothing was under way."""
    office.move(seconds=later.total_seconds())
    office.hear(bounce(failed, at=office.clock.now(), original=original))
    assert suppressed(office) == []
    assert sent(office).reason == ""
    with office.session() as session:
        assert session.scalar(select(AuditEntry.id).where(AuditEntry.event == "bounce-not-ours")) is not None


def test_a_report_about_somebody_else_than_the_recipient_says_nothing_about_them(office: Office) -> None:
    office.hear(bounce(WANG, at=office.clock.now(), original=sent(office).message_id))
    assert suppressed(office) == []


def test_a_report_proves_that_uncertain_mail_left(office: Office) -> None:
    with office.session() as session:
        row = session.get_one(OutboxMessage, sent(office).id)
        row.state = "uncertain"
    office.hear(bounce(CHEN, at=office.clock.now(), original=sent(office).message_id))
    assert (sent(office).state, sent(office).reason) == ("sent", "bounced")


def test_a_colleagues_own_mail_that_comes_back_counts_as_well(office: Office) -> None:
    office.hear(bounce(CHEN, at=office.clock.now(), original="offer@lanhai.example"))
    assert [row.addr_spec for row in suppressed(office)] == [CHEN]


def test_nobody_knows_whether_it_left_and_the_owner_is_asked(office: Office) -> None:
    with office.session() as session:
        row = session.get_one(OutboxMessage, sent(office).id)
        row.state, row.settled_at = "uncertain", office.clock.now()
    office.workplace.plan()
    assert _asked(office) == []
    office.move(hours=1)
    office.workplace.plan()
    office.workplace.plan()
    (asked,) = _asked(office)
    assert asked.recipients == [LILEI]


def _asked(office: Office) -> list[OutboxMessage]:
    with office.session() as session:
        rows = select(OutboxMessage).where(OutboxMessage.dedupe_key.startswith("notice:uncertain:"))
        return list(session.scalars(rows))


def _bouncing(office: Office, at: datetime | None = None) -> bool:
    from assistant.store.facts import DatabaseFacts

    with office.session() as session:
        facts = DatabaseFacts(session, office.workplace.directory, at or office.clock.now())
        return any(contact.bouncing for client in facts.clients() for contact in client.contacts)
