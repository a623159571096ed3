"""Every message that a server ever showed is logged, a duplicate, ignored by a rule, in quarantine, or known to be gone."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from assistant.daemon import Passes
from assistant.errors import AssistantError
from assistant.intake.ledger import ledger_rows, unaccounted
from assistant.mail.imap import ImapConnection
from assistant.mail.reader import MailboxReader
from assistant.store.tables import Location, RawMail, UidGap
from tests.offices import ASSISTANT, CHEN, LILEI, MONDAY, Office, command, mail, open_office, write_config
from tests.servers.dovecot import Mailbox
from tests.servers.imap_faults import FaultProxy, Plan
from tests.servers.smtp_sink import SmtpSink


@pytest.fixture
def config(tmp_path: Path, mailbox: Mailbox, smtp_sink: SmtpSink) -> Path:
    return write_config(
        tmp_path,
        imap_port=mailbox.server.plain_port,
        smtp_port=smtp_sink.port,
        user=mailbox.user,
        password=mailbox.password,
        more='[daemon]\ncanary = "6h"\ncanary_within = "30m"\n',
    )


@pytest.fixture
def office(config: Path) -> Office:
    return open_office(config)


def read(office: Office, mailbox: Mailbox, **settings: object) -> int:
    """One look at the mailbox and all that follows."""
    reader = MailboxReader(dataclasses.replace(mailbox.settings(), **settings), office.workplace.sink)  # type: ignore[arg-type]  # fields of MailboxSettings
    kept = reader.read_once()
    office.workplace.interpret()
    return kept


def outcomes(office: Office) -> Counter[str]:
    with office.session() as session:
        assert unaccounted(session) == []
        rows = list(ledger_rows(session))
    found: Counter[str] = Counter()
    for row in rows:
        found[row["outcome"]] += row["messages"]
    return found


def remove(mailbox: Mailbox, *uids: int) -> None:
    connection = ImapConnection.connect(mailbox.settings())
    for uid in uids:
        connection.delete_uid("INBOX", uid)
    connection.close()


def test_the_same_mail_in_three_folders_is_one_record_and_two_duplicates(office: Office, mailbox: Mailbox) -> None:
    raw = mail("请报价。")
    for folder in ("INBOX", "Sent", "Drafts"):
        mailbox.deliver(raw, folder)
    assert read(office, mailbox, folders=("INBOX", "Sent", "Drafts")) == 3
    assert len(office.records()) == 1
    assert outcomes(office) == {"logged": 1, "duplicate": 2}


def test_the_same_mail_in_two_mailboxes_is_one_record(office: Office, mailbox: Mailbox) -> None:
    other = mailbox.server.new_mailbox()
    raw = mail("请报价。")
    mailbox.deliver(b"Delivered-To: one@lanhai.example\r\n" + raw)
    other.deliver(b"Delivered-To: two@lanhai.example\r\n" + raw)
    read(office, mailbox, name="one")
    read(office, other, name="two")
    assert len(office.records()) == 1
    assert outcomes(office) == {"logged": 1, "duplicate": 1}


def test_a_folder_that_is_numbered_anew_brings_duplicates_and_what_is_new(office: Office, mailbox: Mailbox) -> None:
    mailbox.deliver(mail("请报价。"))
    mailbox.deliver(mail("没有编号的邮件。", message_id=None))
    read(office, mailbox)
    mailbox.renumber()
    mailbox.deliver(mail("新的。"))
    assert read(office, mailbox) == 3
    assert len(office.records()) == 3
    assert outcomes(office) == {"logged": 3, "duplicate": 2}


def test_a_new_numbering_and_mail_that_went_and_came_while_nobody_read(office: Office, mailbox: Mailbox) -> None:
    for number in range(6):
        mailbox.deliver(mail(f"第{number}封。"))
    read(office, mailbox)
    remove(mailbox, 2, 4)
    for number in range(6, 9):
        mailbox.deliver(mail(f"第{number}封。"))
    remove(mailbox, 7)  # never seen by us, and nobody can say so after the new numbering
    mailbox.renumber()
    mailbox.deliver(mail("最后一封。"))
    assert read(office, mailbox) == 7
    texts = {record.reply_text.strip() for record in office.records()}
    assert texts == {*(f"第{number}封。" for number in (0, 1, 2, 3, 4, 5, 7, 8)), "最后一封。"}
    assert outcomes(office) == {"logged": 9, "duplicate": 4}
    [account] = MailboxReader(mailbox.settings(), office.workplace.sink).reconcile()
    assert (account.on_server, account.kept, account.gone, account.even) == (7, 7, 0, True)


def test_a_folder_that_was_renamed_is_read_by_its_new_name_and_recognised(office: Office, mailbox: Mailbox) -> None:
    mailbox.make_folder("客户")
    for number in range(3):
        mailbox.deliver(mail(f"第{number}封。"), "客户")
    read(office, mailbox, folders=("客户", "INBOX"))
    connection = ImapConnection.connect(mailbox.settings())
    connection._client.rename_folder("客户", "老客户")
    connection.close()
    mailbox.deliver(mail("新的。"), "老客户")
    with pytest.raises(AssistantError, match="called 老客户 now"):
        read(office, mailbox, folders=("客户", "INBOX"))
    assert read(office, mailbox, folders=("老客户", "INBOX")) == 4
    assert outcomes(office) == {"logged": 4, "duplicate": 3}


def test_two_mails_with_one_id_and_different_content_are_two_records(office: Office, mailbox: Mailbox) -> None:
    mailbox.deliver(mail("请报价。", message_id="same@mingshan.example"))
    mailbox.deliver(mail("另外，请改期。", message_id="same@mingshan.example"))
    read(office, mailbox)
    assert [record.message_id for record in office.records()] == ["same@mingshan.example"] * 2
    assert outcomes(office) == {"logged": 2}


def test_mail_without_an_id_is_a_record_and_twice_the_same_is_one(office: Office, mailbox: Mailbox) -> None:
    raw = mail("没有编号。", message_id=None)
    for _ in range(2):
        mailbox.deliver(raw)
    mailbox.deliver(mail("也没有编号，但不同。", message_id=None))
    read(office, mailbox)
    assert outcomes(office) == {"logged": 2, "duplicate": 1}


def test_mail_that_people_remove_before_it_is_read_is_known_to_have_come(office: Office, mailbox: Mailbox) -> None:
    for number in range(3):
        mailbox.deliver(mail(f"第{number}封。"))
    remove(mailbox, 2)  # before anybody looked: older than us
    read(office, mailbox)
    for number in range(3, 7):
        mailbox.deliver(mail(f"第{number}封。"))
    remove(mailbox, 5, 6)
    read(office, mailbox)
    assert outcomes(office) == {"logged": 4, "skipped": 2}
    with office.session() as session:
        assert [(gap.first_uid, gap.last_uid) for gap in session.scalars(select(UidGap))] == [(5, 6)]


def test_what_was_ignored_names_its_rule_and_what_broke_is_in_quarantine(office: Office, mailbox: Mailbox) -> None:
    mailbox.deliver(mail("周报", originator=ASSISTANT, to=(LILEI,), headers={"Auto-Submitted": "auto-generated"}))
    mailbox.deliver(mail("#broken"))
    read(office, mailbox)
    with office.session() as session:
        rows = {(row["outcome"], row["rule"]): row["messages"] for row in ledger_rows(session)}
    assert rows == {("ignored", "our own mail to staff"): 1, ("quarantined", ""): 1}


def test_a_message_that_is_too_large_says_so_in_ledger_and_record(office: Office, mailbox: Mailbox) -> None:
    mailbox.deliver(mail("正文在这里。\n" + "很长。" * 60_000))
    read(office, mailbox, max_message_bytes=100_000, beginning_bytes=10_000)
    with office.session() as session:
        [location] = session.scalars(select(Location))
        assert location.problem.startswith("larger than max_message_size")
        assert session.scalars(select(RawMail.truncated)).all() == [True]
    [record] = office.records()
    assert record.defects[0][0] == "kept-in-part"
    assert record.reply_text.startswith("正文在这里。")


def test_a_gap_is_fetched_logged_and_told_to_the_operator(
    office: Office, config: Path, mailbox: Mailbox, smtp_sink: SmtpSink
) -> None:
    for number in range(3):
        mailbox.deliver(mail(f"第{number}封。"))
    workplace = office.workplace
    passes = Passes(workplace, workplace.mailbox_reader(), workplace.delivery())
    passes.whole()
    with office.session() as session:
        session.execute(delete(Location).where(Location.uid == 2))
    checked = command(config, "ledger", "--check", "--json")
    assert checked.status == 1
    [row] = [json.loads(line) for line in checked.out.splitlines()]
    assert (row["on_server"], row["missing"], row["fetched"], row["missing_uids"]) == (3, 1, 1, [2])
    passes.whole()
    passes.close()
    assert outcomes(office)["duplicate"] == 1  # its record had been kept
    assert any("漏读".encode() in parsed(item.content) for item in smtp_sink.received if LILEI in item.recipients)
    again = command(config, "ledger", "--check")
    assert (again.status, "Even" in again.err) == (0, True)


def parsed(raw: bytes) -> bytes:
    from parsers import parse

    return parse(raw).text.encode()


def test_the_daily_comparison_waits_for_its_time(office: Office, mailbox: Mailbox) -> None:
    sink = office.workplace.sink
    assert sink.reconcile_due("shared")
    MailboxReader(mailbox.settings(), sink).reconcile()
    assert not sink.reconcile_due("shared")
    office.move(hours=25)
    assert sink.reconcile_due("shared")


def test_a_gap_that_was_only_a_fault_of_the_server_closes(office: Office, mailbox: Mailbox) -> None:
    for number in range(3):
        mailbox.deliver(mail(f"第{number}封。"))
    read(office, mailbox)
    with office.session() as session:
        session.execute(delete(Location).where(Location.uid == 2))
        [location] = session.scalars(select(Location).where(Location.uid == 1))
        session.add(
            UidGap(
                mailbox="shared",
                folder="INBOX",
                uidvalidity=location.uidvalidity,
                first_uid=1,
                last_uid=3,
                reason="skipped",
                noticed_at=MONDAY,
            )
        )
    MailboxReader(mailbox.settings(), office.workplace.sink).reconcile()
    with office.session() as session:
        assert [(gap.first_uid, gap.last_uid) for gap in session.scalars(select(UidGap))] == [(1, 1), (3, 3)]


# --- the canary -----------------------------------------------------------------------------------------------------


def canaries(sink: SmtpSink) -> list[bytes]:
    return [item.content for item in sink.received if item.recipients == (ASSISTANT,)]


def test_the_canary_comes_back_as_a_record_of_nobody(office: Office, mailbox: Mailbox, smtp_sink: SmtpSink) -> None:
    workplace = office.workplace
    passes = Passes(workplace, workplace.mailbox_reader(), workplace.delivery())
    passes.whole()
    [canary] = canaries(smtp_sink)
    mailbox.deliver(canary)
    passes.whole()
    [record] = office.records()
    assert (record.client_id, record.project_id, record.thread_id) == (None, None, None)
    assert office.clients() == []
    office.move(hours=3)
    passes.whole()
    assert len(canaries(smtp_sink)) == 1
    office.move(hours=3, minutes=1)
    passes.whole()
    assert len(canaries(smtp_sink)) == 2
    assert [item for item in smtp_sink.received if LILEI in item.recipients] == []
    passes.close()


def test_a_canary_that_stays_away_is_told_once(office: Office, smtp_sink: SmtpSink) -> None:
    workplace = office.workplace
    passes = Passes(workplace, workplace.mailbox_reader(), workplace.delivery())
    for _ in range(4):
        passes.whole()
        office.move(minutes=20)
    told = [item for item in smtp_sink.received if LILEI in item.recipients]
    assert len(told) == 1
    assert b"has not come back" in parsed(told[0].content)
    passes.close()


def test_nobody_can_pass_off_a_mail_as_the_canary(office: Office, mailbox: Mailbox) -> None:
    mailbox.deliver(mail("canary", subject="cc-assistant canary · 自检邮件", originator=CHEN))
    read(office, mailbox)
    assert len(office.clients()) == 1


# --- random faults --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [0, 40, 300, 700, 1_100, 1_500, 2_500, 4_000, 6_000, 9_000])
def test_wherever_the_connection_is_cut_every_message_becomes_one_record(
    office: Office, mailbox: Mailbox, imap_proxy: FaultProxy, cut: int
) -> None:
    for number in range(6):
        mailbox.deliver(mail(f"第{number}封。" + "说明。" * 100))
    imap_proxy.plans = [Plan(cut_after=cut, ending="rst"), Plan(cut_after=cut + 900, ending="fin")]
    reader = MailboxReader(
        dataclasses.replace(mailbox.settings(port=imap_proxy.port), batch_messages=2), office.workplace.sink
    )
    for _ in range(4):
        with contextlib.suppress(AssistantError):
            reader.read_once()
        office.workplace.interpret()
    assert len(office.records()) == 6
    assert outcomes(office) == {"logged": 6}
    [account] = reader.reconcile()
    assert account.even
