"""The days between the backup and the restore are forgotten, but nobody gets a mail of those days a second time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from assistant.daemon import Passes
from assistant.keeping.backup import back_up, restore
from assistant.mail.imap import ImapConnection
from assistant.outbox.decisions import approve_mail
from assistant.outbox.staff_mail import queue_staff_mail
from assistant.rendering import Rendered
from assistant.rendering.staff_mail import StaffMail
from assistant.store import open_database
from assistant.store.restored import look_up_held, note_restore
from assistant.store.tables import OutboxMessage
from tests.databases import store_url
from tests.offices import CHEN, DUE, INQUIRY, LILEI, MONDAY, PROPOSAL, Office, mail, open_office, write_config
from tests.servers.dovecot import Mailbox
from tests.servers.smtp_sink import SmtpSink

"""When the first follow-up on the proposal is due; it may be stopped for some hours before it leaves."""


class Installation:
    """An office on real servers whose database can be put back."""

    def __init__(self, folder: Path, mailbox: Mailbox, sink: SmtpSink) -> None:
        self.folder, self.mailbox, self.sink = folder, mailbox, sink
        self.config = write_config(
            folder,
            imap_port=mailbox.server.plain_port,
            smtp_port=sink.port,
            user=mailbox.user,
            password=mailbox.password,
        )
        self.office = open_office(self.config)

    def run(self, *moments: datetime) -> None:
        for moment in moments:
            self.office.clock.move_to(moment)
            workplace = self.office.workplace
            passes = Passes(workplace, workplace.mailbox_reader(), workplace.delivery())
            try:
                passes.whole()
            finally:
                passes.close()

    def restore(self, backup: Path, now: datetime) -> int:
        self.office.workplace.database.close()
        done = restore(backup, lambda: open_database(store_url(self.folder), self.folder), now, force=True)
        self.office = open_office(self.config, now=now)
        return done.held

    def to_client(self) -> list[str]:
        """Subject and step of what left for the client, as often as it left."""
        return [
            str(message_from_bytes(item.content)["Message-ID"])
            for item in self.sink.received
            if CHEN in item.recipients
        ]

    def states(self) -> list[str]:
        return [row.state for row in self.office.outbox()]


@pytest.fixture
def installation(tmp_path: Path, mailbox: Mailbox, smtp_sink: SmtpSink) -> Installation:
    """A proposal was sent on Monday and nobody has answered."""
    made = Installation(tmp_path / "office", mailbox, smtp_sink)
    mailbox.deliver(INQUIRY)
    mailbox.deliver(PROPOSAL)
    return made


def hours(start: datetime, *after: int) -> list[datetime]:
    return [start + timedelta(hours=number) for number in after]


@pytest.mark.parametrize("taken", ["before anything was read", "before it was due", "while it waited"])
def test_a_mail_that_left_after_the_backup_is_held_and_not_sent_again(
    installation: Installation, tmp_path: Path, taken: str
) -> None:
    backup = tmp_path / "backup"
    early = installation.office.workplace.database
    if taken != "before anything was read":
        installation.run(MONDAY + timedelta(hours=2))
    if taken == "while it waited":
        installation.office.clock.move_to(DUE)
        installation.office.workplace.decide_due()
        assert installation.states() == ["queued"]
    back_up(early, backup, installation.office.clock.now())
    installation.run(MONDAY + timedelta(hours=2), *hours(DUE, 0, 5, 24))
    assert len(installation.to_client()) == 1
    installation.restore(backup, DUE + timedelta(hours=25))
    installation.run(*hours(DUE, 26, 27, 30, 48))
    assert len(installation.to_client()) == 1
    held = installation.office.outbox()
    assert [(row.state, row.reason[:18]) for row in held] == [("waiting_approval", "may have been sent")]
    assert f"<{held[0].message_id}>" == installation.to_client()[0]  # so that Sent can tell


def test_what_lies_in_sent_is_settled_and_the_cadence_goes_on(installation: Installation, tmp_path: Path) -> None:
    installation.run(MONDAY + timedelta(hours=2))
    back_up(installation.office.workplace.database, tmp_path / "backup", MONDAY)
    installation.run(*hours(DUE, 0, 5))
    connection = ImapConnection.connect(installation.office.workplace.mailbox_settings())
    folder = connection.special_folder("sent")
    assert folder is not None
    sent = next(item.content for item in installation.sink.received if CHEN in item.recipients)
    connection.append(folder, sent, (), DUE)
    connection.close()
    installation.restore(tmp_path / "backup", DUE + timedelta(hours=6))
    installation.run(*hours(DUE, 7, 8))
    assert installation.states() == ["sent"]
    assert [record.automatic for record in installation.office.records()] == [False, False, True]
    installation.run(*hours(DUE, 24 * 6, 24 * 7, 24 * 8, 24 * 9))
    assert max(Counter(installation.to_client()).values()) == 1
    assert len(installation.to_client()) == 2  # the second follow-up, which was not due before the restore


def test_what_is_not_found_leaves_when_a_person_says_so_and_not_after_an_answer(
    installation: Installation, tmp_path: Path
) -> None:
    installation.run(MONDAY + timedelta(hours=2))
    installation.office.clock.move_to(DUE)
    installation.office.workplace.decide_due()
    back_up(installation.office.workplace.database, tmp_path / "backup", DUE)
    assert installation.restore(tmp_path / "backup", DUE + timedelta(hours=1)) == 1
    with installation.office.session() as session:
        assert approve_mail(session, 1, LILEI, DUE + timedelta(hours=1)).done
    installation.run(*hours(DUE, 1, 2))
    assert (installation.states(), len(installation.to_client())) == (["sent"], 1)
    installation.restore(tmp_path / "backup", DUE + timedelta(hours=3))
    answered_at = DUE + timedelta(hours=4)
    installation.mailbox.deliver(
        mail("好的，可以。", at=answered_at, answers=("proposal@lanhai.example",), message_id="yes@mingshan.example")
    )
    installation.run(*hours(DUE, 5))
    assert (installation.states(), len(installation.to_client())) == (["cancelled"], 1)


def test_what_falls_due_after_the_restore_is_sent_as_ever(installation: Installation, tmp_path: Path) -> None:
    back_up(installation.office.workplace.database, tmp_path / "backup", MONDAY)
    installation.run(MONDAY + timedelta(hours=2))
    installation.restore(tmp_path / "backup", MONDAY + timedelta(hours=3))
    installation.run(MONDAY + timedelta(hours=4), *hours(DUE, 0, 5))
    assert (installation.states(), len(installation.to_client())) == (["sent"], 1)


@pytest.mark.parametrize("left", [True, False])
def test_a_reminder_is_looked_up_and_only_sent_again_if_it_did_not_leave(tmp_path: Path, left: bool) -> None:
    office = open_office(write_config(tmp_path))
    words = Rendered("早报", "请回复陈静", None, "zh-Hans")
    reminder = StaffMail(
        "李雷", LILEI, "reminder", "morning:lilei:2026-03-02", MONDAY + timedelta(hours=3), words, planned_at=MONDAY
    )
    first = _stored(office, reminder)
    back_up(office.workplace.database, tmp_path / "backup", MONDAY)
    with office.session() as session:
        session.delete(session.get_one(OutboxMessage, first.id))
        note_restore(session, MONDAY - timedelta(hours=1), MONDAY + timedelta(hours=2))
    again = _stored(office, reminder)
    assert (again.state, again.message_id) == ("waiting_approval", first.message_id)
    with office.session() as session:
        look_up_held(session, lambda message_id: left and message_id == first.message_id, _nothing, MONDAY)
        assert session.get_one(OutboxMessage, again.id).state == ("sent" if left else "queued")
    later = _stored(
        office, replace(reminder, dedupe_key="morning:lilei:2026-03-03", planned_at=MONDAY + timedelta(days=1))
    )
    assert later.state == "queued"


def _stored(office: Office, mail: StaffMail) -> OutboxMessage:
    with office.session() as session:
        row = queue_staff_mail(session, mail, office.workplace.sender, office.clock.now())
        assert row is not None
        session.flush()
        session.expunge(row)
        return row


def _nothing(_session: Session, _row: OutboxMessage) -> None:
    """A copy of mail to colleagues is not kept."""
