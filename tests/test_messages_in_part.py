"""A message that the server could give only in part is asked for again, and its record completed in its place."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.errors import AssistantError
from assistant.intake.ledger import unaccounted
from assistant.intake.parts import DELAYS, left_in_part
from assistant.mail.messages import FATAL_PATIENCE
from assistant.mail.reader import MailboxReader
from assistant.store.tables import KeptInPart, Location, OpenItem, OutboxMessage, Quarantine, Record
from parsers import parse
from tests.mail.support import RememberingSink, letter, reading
from tests.offices import CHEN, LILEI, MONDAY, WANG, Office, command, id_of, mail, open_office, write_config
from tests.servers.dovecot import Mailbox
from tests.servers.imap_faults import FaultProxy, Plan

LONG = mail(
    "您好，方案看过了。\n" + "中间有很长的说明。\n" * 40 + "最后：我们不满意。#complaint\n",
    subject="新茶上市",
    message_id="long@mingshan.example",
)
UNWILLING = Plan(replace=(b"BODY[] {", b"BODYX[] {"))
"""A server that gives the beginning of a message and never the whole."""
DEADLY = Plan(cut_at=b"Message-ID: <long@", ending="rst")
"""A server that dies of a message, however it is asked for."""


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return open_office(write_config(tmp_path))


def reader_of(office: Office, mailbox: Mailbox, port: int | None = None, name: str = "shared") -> MailboxReader:
    settings = dataclasses.replace(mailbox.settings(port=port, beginning_bytes=1_200, timeout_seconds=2), name=name)
    return MailboxReader(settings, office.workplace.sink)


def read(reader: MailboxReader, office: Office) -> None:
    """Looks again until a look goes through, as the loop does, and interprets."""
    for _ in range(2 * FATAL_PATIENCE + 4):
        try:
            reader.read_once()
            break
        except AssistantError:
            continue
    office.workplace.interpret()


def rows(office: Office) -> list[KeptInPart]:
    with office.session() as session:
        return list(session.scalars(select(KeptInPart)))


def read_in_part(office: Office, mailbox: Mailbox, proxy: FaultProxy) -> MailboxReader:
    """Reads the mailbox of a server that breaks off every long message; the reader, to look again with."""
    proxy.always = UNWILLING
    reader = reader_of(office, mailbox, proxy.port)
    read(reader, office)
    return reader


def in_part(record: Record) -> bool:
    return record.defects[:1] != [] and record.defects[0][0] == "kept-in-part"


def test_the_record_of_a_part_is_completed_in_its_place(
    office: Office, mailbox: Mailbox, imap_proxy: FaultProxy
) -> None:
    mailbox.deliver(LONG)
    reader = read_in_part(office, mailbox, imap_proxy)
    [part] = office.records()
    assert in_part(part)
    assert part.reply_text.startswith("您好")
    assert (part.client_id is not None, part.intents) == (True, [])
    with office.session() as session:
        assert left_in_part(session) == 1
    imap_proxy.always = Plan()
    reader.reconcile()
    assert rows(office) == []
    office.workplace.interpret()
    [whole] = office.records()
    assert (whole.id, whole.client_id, whole.message_id) == (part.id, part.client_id, part.message_id)
    assert not in_part(whole)
    assert "最后：我们不满意" in whole.reply_text
    assert [intent[0] for intent in whole.intents] == ["complaint"]
    with office.session() as session:
        assert session.scalars(select(OpenItem.kind)).all() == ["complaint"]
        assert session.scalars(select(Location.outcome)).all() == ["logged"]
        assert session.scalars(select(Location.problem)).all() == [""]
        assert unaccounted(session) == []


def test_completed_mail_is_what_a_rebuild_makes_of_it(office: Office, mailbox: Mailbox, imap_proxy: FaultProxy) -> None:
    mailbox.deliver(LONG)
    mailbox.deliver(mail("我们会改。", originator=LILEI, to=(CHEN,), answers=("long@mingshan.example",)))
    reader = read_in_part(office, mailbox, imap_proxy)
    imap_proxy.always = Plan()
    reader.reconcile()
    office.workplace.interpret()
    checked = command(office.config_file, "rebuild", "--check", reader=lambda *_: office.workplace.reader)
    assert checked.status == 0, checked.out + checked.err


def test_the_loop_asks_again_when_the_time_has_come(mailbox: Mailbox, imap_proxy: FaultProxy) -> None:
    mailbox.deliver(letter("poor", size=4_000))
    imap_proxy.always = Plan(replace=UNWILLING.replace)
    sink = RememberingSink()
    settings = mailbox.settings(port=imap_proxy.port, beginning_bytes=300)
    reader = MailboxReader(
        settings, sink, wait=lambda stop, seconds: stop.wait(min(seconds / 100, 0.05)), idle_seconds=0.1
    )
    with reading(reader):
        sink.wait_for(1, 20)
        assert all(message.truncated for message in sink.messages.values())
        imap_proxy.always = Plan()
        imap_proxy.break_all()
        sink.wait_for_state("watching")
        sink.parts_due = True
        sink.wait_for(2, 20)
        mailbox.deliver(letter("next"))
        sink.wait_for(3, 20)
    assert sink.names() == ["poor", "poor", "next"]
    assert sink.tried == [1]
    assert not any(message.truncated for message in sink.messages.values())


def test_one_that_breaks_every_connection_is_tried_seldom_and_told_in_the_end(
    office: Office, mailbox: Mailbox, imap_proxy: FaultProxy
) -> None:
    mailbox.deliver(LONG)
    mailbox.deliver(mail("请报价。", originator=WANG))
    imap_proxy.always = DEADLY
    reader = reader_of(office, mailbox, imap_proxy.port)
    read(reader, office)
    assert [record.originator for record in office.records()] == [WANG]
    with office.session() as session:
        [broken] = session.scalars(select(Quarantine))
        assert "empty" in broken.reason
    sink = office.workplace.sink
    assert sink.parts("shared", every=False) == []
    for number, delay in enumerate(DELAYS):
        office.clock.advance(delay)
        [part] = sink.parts("shared", every=False)
        before = imap_proxy.connections
        reader.reconcile()  # the comparison stands, though the connection breaks on the message
        assert imap_proxy.connections == before + 1
        assert [row.attempts for row in rows(office)] == [number + 1]
        assert not sink.try_part("shared", part, every=False), "its next turn is later"
    office.clock.advance(timedelta(days=30))
    assert sink.parts("shared", every=False) == []
    office.workplace.plan()
    office.workplace.plan()
    told = notices(office)
    assert len(told) == 1
    assert "INBOX UID 1" in told[0]
    imap_proxy.always = Plan()
    reader.reconcile()
    office.workplace.interpret()
    assert {record.originator for record in office.records()} == {CHEN, WANG}
    with office.session() as session:
        assert session.scalars(select(Quarantine.settled_at)).all() != [None]


def notices(office: Office) -> list[str]:
    with office.session() as session:
        found = session.scalars(
            select(OutboxMessage.raw).where(OutboxMessage.dedupe_key.startswith("notice:part:"))
        ).all()
    return [parse(raw).text for raw in found]


def test_one_that_people_delete_meanwhile_stays_in_part_and_is_told(
    office: Office, mailbox: Mailbox, imap_proxy: FaultProxy
) -> None:
    mailbox.deliver(LONG)
    reader = read_in_part(office, mailbox, imap_proxy)
    for file in mailbox.files():
        file.unlink()
    imap_proxy.always = Plan()
    reader.reconcile()
    office.workplace.plan()
    [told] = notices(office)
    assert "not on the server any more" in told
    [record] = office.records()
    assert in_part(record)


def test_a_new_numbering_brings_the_whole_into_the_same_record(
    office: Office, mailbox: Mailbox, imap_proxy: FaultProxy
) -> None:
    mailbox.deliver(LONG)
    reader = read_in_part(office, mailbox, imap_proxy)
    mailbox.renumber()
    imap_proxy.always = Plan()
    reader.reconcile()
    office.workplace.interpret()
    [record] = office.records()
    assert not in_part(record)
    assert rows(office) == []
    with office.session() as session:
        outcomes = session.scalars(select(Location.outcome).order_by(Location.id)).all()
        assert outcomes == ["duplicate", "logged"]
        assert unaccounted(session) == []


@pytest.mark.parametrize("part_first", [True, False])
def test_a_part_in_one_mailbox_and_the_whole_in_another_are_one_record(
    part_first: bool, office: Office, mailbox: Mailbox, imap_proxy: FaultProxy
) -> None:
    other = mailbox.server.new_mailbox()
    mailbox.deliver(LONG)
    other.deliver(LONG)
    imap_proxy.always = UNWILLING
    looks = [(reader_of(office, mailbox, imap_proxy.port, "one")), reader_of(office, other, name="two")]
    for reader in looks if part_first else reversed(looks):
        read(reader, office)
    [record] = office.records()
    assert not in_part(record)
    assert "最后：我们不满意" in record.reply_text
    with office.session() as session:
        assert sorted(session.scalars(select(Location.outcome))) == ["duplicate", "logged"]


def test_nobody_completes_a_record_by_using_its_id(office: Office, mailbox: Mailbox, imap_proxy: FaultProxy) -> None:
    mailbox.deliver(LONG)
    read_in_part(office, mailbox, imap_proxy)
    office.hear(mail("请付款到新账户。", originator="mallory@other.example", message_id=id_of(LONG)))
    part, other = sorted(office.records(), key=lambda record: record.id)
    assert (part.originator, in_part(part)) == (CHEN, True)
    assert other.originator == "mallory@other.example"


def test_what_a_person_set_right_stays_when_the_whole_comes(
    office: Office, mailbox: Mailbox, imap_proxy: FaultProxy
) -> None:
    mailbox.deliver(LONG)
    reader = read_in_part(office, mailbox, imap_proxy)
    [part] = office.records()
    corrected = command(office.config_file, "message", "correct", str(part.id), "--stage", "closing")
    assert corrected.status == 0, corrected.err
    imap_proxy.always = Plan()
    reader.reconcile()
    office.workplace.interpret()
    [whole] = office.records()
    assert (whole.stage, "complaint" in str(whole.intents)) == ("closing", True)


def test_a_mail_that_only_shows_that_we_read_does_not_stop_history_from_being_thought_over(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    more = f'[mailbox]\nhost = "127.0.0.1"\nport = {mailbox.server.plain_port}\nuser = "x"\ntls = "none"\n'
    office = open_office(write_config(tmp_path, smtp_port=1, more=f'{more}[daemon]\ncanary = "6h"\n'))
    office.workplace.plan()
    with office.session() as session:
        canary = session.scalars(select(OutboxMessage.raw)).one()
    office.hear(canary, mail("现在怎么样？", at=MONDAY, message_id="second@mingshan.example"))
    office.hear(mail("请报价。#proposal", at=MONDAY - timedelta(days=1), message_id="first@mingshan.example"))
    assert [record.stage for record in office.records() if record.client_id] == ["proposal", "proposal"]
