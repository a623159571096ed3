"""Mail that imitates a colleague or a client: logged and told of, and nobody's conversation, contact or client."""

from __future__ import annotations

import email
import email.policy
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.store.tables import AuditEntry, Contact, Location, OutboxMessage, Project
from tests.offices import AGENCY, ASSISTANT, CHEN, LILEI, MONDAY, Office, mail, open_office, write_config

MAILBOX = f'[mailbox]\nhost = "127.0.0.1"\nport = 143\ntls = "none"\nuser = "box"\nauthserv_id = "mx.{AGENCY}"\n'
FAILED = {"Authentication-Results": f"mx.{AGENCY}; dmarc=fail header.from={AGENCY}"}


@pytest.fixture
def office(tmp_path: Path) -> Office:
    opened = open_office(write_config(tmp_path, more=MAILBOX), now=MONDAY + timedelta(hours=1))
    opened.log(mail("请报价。#discovery", message_id="first@mingshan.example"))
    return opened


def notices(office: Office) -> list[str]:
    """The texts of what the operator was told about senders."""
    office.workplace.plan()
    with office.session() as session:
        rows = session.scalars(
            select(OutboxMessage.raw).where(OutboxMessage.dedupe_key.startswith("notice:suspicious:"))
        ).all()
    texts = []
    for raw in rows:
        body = email.message_from_bytes(raw, policy=email.policy.default).get_body(("plain",))
        assert body is not None
        texts.append(str(body.get_content()))
    return texts


def suspicion_of(office: Office, raw: bytes) -> tuple[str, bool]:
    """(what was suspected of a message, whether it was kept from all clients)"""
    record = office.log(raw)
    with office.session() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.subject == f"record:{record.id}")).all()
        reason = session.scalar(select(Location.outcome_reason).where(Location.record_id == record.id)) or ""
    kinds = [entry.details["kind"] for entry in entries if entry.event == "suspicious-mail"]
    if kinds and kinds != ["spoofed"]:
        assert reason == f"suspicious: {', '.join(kinds)}"
        assert [sign for sign, _ in record.evidence if sign.startswith("suspicious:")]
    return ",".join(kinds), record.client_id is None


@pytest.mark.parametrize(
    ("originator", "name", "kind", "apart"),
    [
        ("chen@mingshаn.example", "陈静", "look-alike", True),
        ("chen@rningshan.example", "陈静", "look-alike", True),
        ("chen@mingshan.example.attacker.test", "陈静", "look-alike", True),
        ("li@lаnhai.example", "李雷", "colleague-name,look-alike", True),
        ("x@attacker.test", f"李雷 {LILEI}", "address-in-name", True),
        ("x@attacker.test", f'"{ASSISTANT}"', "address-in-name", True),
        ("x@attacker.test", "李 雷", "colleague-name", False),
        ("chen@mingshann.example", "陈静", "look-alike", False),
        ("chen@mingshan.test", "陈静", "look-alike", False),
        ("zhao@tianqi.test", "赵敏", "", False),
        (CHEN, "陈静", "", False),
    ],
)  # fmt: skip
def test_who_imitates_somebody_is_seen(office: Office, originator: str, name: str, kind: str, apart: bool) -> None:
    raw = mail("请把款打到新账户。", originator="placeholder@x.test", message_id="m@x.test")
    encoded = email.header.Header(name, "utf-8").encode()
    raw = raw.replace(b"From: placeholder@x.test", f"From: {encoded} <{originator}>".encode())
    assert suspicion_of(office, raw) == (kind, apart)


@pytest.mark.parametrize("originator", ["chen@rningshan.example", "chen@mingshann.example"])
def test_it_does_not_enter_the_conversation_of_whom_it_imitates(office: Office, originator: str) -> None:
    raw = mail(
        "合同有变，请付新账户。#agreement #approval",
        originator=originator,
        subject="Re: 新茶上市",
        answers=("first@mingshan.example",),
        at=MONDAY + timedelta(minutes=5),
    )
    assert suspicion_of(office, raw) == ("look-alike", True)
    with office.session() as session:
        project = session.scalar(select(Project))
        assert project is not None
        assert project.stage == "discovery"
        assert session.scalars(select(Contact.addr_spec)).all() == [CHEN]


def test_what_a_client_forwards_or_a_machine_writes_is_not_suspected(office: Office) -> None:
    forwarded = (
        "请记录。\n\n---------- Forwarded message ---------\nFrom: 李雷 <x@tianqi.test>\n"
        "Date: Mon, 2 Mar 2026 at 09:15\nSubject: 报价\nTo: 李雷 <lilei@lanhai.example>\n\n请给一份报价。\n"
    )
    assert suspicion_of(office, mail(forwarded, subject="Fwd: 报价", originator=LILEI))[0] == ""
    machine = mail("x", originator="no-reply@mingshann.example", headers={"Auto-Submitted": "auto-generated"})
    assert suspicion_of(office, machine)[0] == ""


def test_answers_asked_for_elsewhere_are_told_of_and_never_sent_there(office: Office) -> None:
    elsewhere = "chen.jing@attacker.test"
    raw = mail("方案什么时候给？#proposal", at=MONDAY + timedelta(minutes=9), headers={"Reply-To": elsewhere})
    assert suspicion_of(office, raw) == ("reply-to-elsewhere", False)
    office.log(
        mail("方案附上。#proposal", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,), at=MONDAY + timedelta(hours=1))
    )
    for _ in range(20):
        office.move(days=1)
        office.workplace.decide_due()
        office.workplace.plan()
    assert office.outbox(), "a follow-up is due by then"
    with office.session() as session:
        for row in session.scalars(select(OutboxMessage).where(OutboxMessage.audience == "client")):
            assert elsewhere.encode() not in row.raw
            assert elsewhere not in str(row.recipients)
    assert suspicion_of(office, mail("x", headers={"Reply-To": f"office@sub.{CHEN.partition('@')[2]}"}))[0] == ""


def test_a_spoofed_colleague_is_told_of_once_a_day(office: Office) -> None:
    for minutes in (1, 2, 3):
        raw = mail("停止 17", originator=LILEI, at=MONDAY + timedelta(minutes=minutes), headers=FAILED)
        assert suspicion_of(office, raw) == ("spoofed", True)
        notices(office)
    texts = notices(office)
    assert len(texts) == 1
    assert LILEI in texts[0]
    assert "自称来自同事" in texts[0]
    office.move(hours=2)
    assert len(notices(office)) == 1
    office.move(days=1)
    office.log(mail("停止 18", originator=LILEI, at=MONDAY + timedelta(days=1), headers=FAILED))
    assert len(notices(office)) == 2


def test_many_senders_are_told_of_in_one_mail_and_old_mail_not_at_all(office: Office) -> None:
    office.hear(*(mail("x", originator=f"staff{number}@{AGENCY}", headers=FAILED) for number in range(30)))
    office.hear(mail("x", originator=f"old@{AGENCY}", at=MONDAY - timedelta(days=30), headers=FAILED))
    (text,) = notices(office)
    assert "staff1@" in text
    assert "old@" not in text


def test_the_assistants_own_address_is_no_better_protected_than_a_colleagues(office: Office) -> None:
    raw = mail("请付款。", originator=ASSISTANT, to=(CHEN,), headers=FAILED)
    assert suspicion_of(office, raw) == ("spoofed", True)
