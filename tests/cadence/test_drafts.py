"""`release = "draft"` against a real mailbox: laid into Drafts, taken out when overtaken, settled when somebody sends it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.daemon import Passes
from assistant.mail.imap import ImapConnection
from assistant.store.tables import OutboxMessage
from tests.offices import (
    ASSISTANT,
    CHEN,
    DUE,
    INQUIRY,
    LILEI,
    MONDAY,
    PROPOSAL,
    Office,
    mail,
    open_office,
    write_config,
)
from tests.servers.dovecot import Mailbox
from tests.servers.smtp_sink import SmtpSink

SHIPPED = Path(__file__).parent.parent.parent / "rules"


@pytest.fixture
def office(tmp_path: Path, mailbox: Mailbox, smtp_sink: SmtpSink) -> Office:
    """The first follow-up on a proposal is to be a draft; it is Thursday, and the draft lies in the mailbox."""
    rules = tmp_path / "rules"
    rules.mkdir()
    wanted = 'send  = "followups/proposal-nudge-1"'
    for file in SHIPPED.glob("*.toml"):
        text = file.read_text(encoding="utf-8")
        (rules / file.name).write_text(text.replace(wanted, wanted + '\n  release = "draft"'), encoding="utf-8")
    config = write_config(
        tmp_path,
        imap_port=mailbox.server.plain_port,
        smtp_port=smtp_sink.port,
        user=mailbox.user,
        password=mailbox.password,
    )
    office = open_office(config)
    mailbox.deliver(INQUIRY)
    mailbox.deliver(PROPOSAL)
    run(office, MONDAY + timedelta(hours=2))
    run(office, DUE)
    return office


def run(office: Office, now: datetime) -> None:
    office.clock.move_to(now)
    passes = Passes(office.workplace, office.workplace.mailbox_reader(), office.workplace.delivery())
    try:
        passes.whole()
    finally:
        passes.close()


def in_folder(office: Office, use: str) -> list[int]:
    connection = ImapConnection.connect(office.workplace.mailbox_settings())
    try:
        folder = connection.special_folder(use)  # type: ignore[arg-type]  # "drafts" or "sent"
        assert folder is not None
        return connection.find_message_id(folder, row_of(office).message_id)
    finally:
        connection.close()


def row_of(office: Office) -> OutboxMessage:
    (row,) = office.outbox()
    return row


def test_it_lies_in_drafts_once_and_is_not_sent(office: Office, smtp_sink: SmtpSink) -> None:
    run(office, DUE + timedelta(minutes=5))
    assert len(in_folder(office, "drafts")) == 1
    assert row_of(office).state == "waiting_approval"
    assert not [item for item in smtp_sink.received if CHEN in item.recipients]


def test_it_is_taken_out_again_when_the_client_answers_first(office: Office, mailbox: Mailbox) -> None:
    mailbox.deliver(mail("方案收到，周五回复。", at=DUE, answers=("proposal@lanhai.example",)))
    run(office, DUE + timedelta(minutes=5))
    assert (row_of(office).state, row_of(office).reason) == ("cancelled", "reply")
    assert in_folder(office, "drafts") == []


def test_it_is_settled_when_it_appears_among_sent_mail(office: Office) -> None:
    connection = ImapConnection.connect(office.workplace.mailbox_settings())
    connection.append(connection.special_folder("sent") or "Sent", row_of(office).raw, ["\\Seen"], DUE)
    connection.close()
    run(office, DUE + timedelta(minutes=5))
    run(office, DUE + timedelta(minutes=10))
    assert row_of(office).state == "sent"
    assert in_folder(office, "drafts") == []


def test_it_is_settled_when_a_colleague_sends_it_as_their_own(office: Office, mailbox: Mailbox) -> None:
    mailbox.deliver(
        mail(
            "请问方案看得怎么样了？#proposal",
            originator=LILEI,
            to=(CHEN,),
            cc=(ASSISTANT,),
            at=DUE + timedelta(minutes=2),
            answers=("ask@mingshan.example", "proposal@lanhai.example"),
        )
    )
    run(office, DUE + timedelta(minutes=5))
    run(office, DUE + timedelta(minutes=10))
    assert (row_of(office).state, row_of(office).reason) == ("sent", f"sent by {LILEI}")
    assert in_folder(office, "drafts") == []


def test_uncertain_mail_that_lies_among_sent_mail_was_sent(office: Office) -> None:
    with office.session() as session:
        (row,) = session.scalars(select(OutboxMessage).where(OutboxMessage.audience == "client"))
        row.state, row.release, row.settled_at = "uncertain", "now", DUE
        raw = row.raw
    connection = ImapConnection.connect(office.workplace.mailbox_settings())
    connection.append(connection.special_folder("sent") or "Sent", raw, ["\\Seen"], DUE)
    connection.close()
    run(office, DUE + timedelta(minutes=5))
    assert (row_of(office).state, row_of(office).reason) == ("sent", "found among sent mail")


def test_a_draft_that_somebody_threw_away_is_withdrawn_by_a_person(office: Office) -> None:
    """Not at once: what was sent leaves Drafts before it shows up anywhere else."""
    connection = ImapConnection.connect(office.workplace.mailbox_settings())
    folder = connection.special_folder("drafts")
    assert folder is not None
    for uid in connection.find_message_id(folder, row_of(office).message_id):
        connection.delete_uid(folder, uid)
    connection.close()
    run(office, DUE + timedelta(minutes=5))
    assert row_of(office).state == "waiting_approval"
    run(office, DUE + timedelta(hours=2))
    assert (row_of(office).state, row_of(office).decided_by) == ("vetoed", "mailbox")
    run(office, DUE + timedelta(hours=3))
    assert in_folder(office, "drafts") == [], "and it is not laid down again"
