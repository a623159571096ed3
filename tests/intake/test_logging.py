"""Put the assistant in Cc, in Bcc, forward a mail, or let clients write to it: it is logged, with the right client."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.store.tables import Contact, Location, OpenItem, Project, Record, SignOff
from tests.offices import (
    AGENCY,
    ASSISTANT,
    CHEN,
    HAN,
    LILEI,
    MONDAY,
    WANG,
    Office,
    absence,
    bounce,
    mail,
    open_office,
    write_config,
)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Thursday of the week in which the mail below is written."""
    return open_office(write_config(tmp_path), now=MONDAY + timedelta(days=3))


def test_a_colleague_puts_the_assistant_in_cc(office: Office) -> None:
    record = office.log(mail("方案请见附件。", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,)))
    assert (record.direction, record.channel, record.kind) == ("outbound", "email", "human")
    (client,) = office.clients()
    assert (client.kind, client.owner, record.client_id) == ("company", LILEI, client.id)


def test_a_colleague_puts_the_assistant_in_bcc(office: Office) -> None:
    """Nothing in the headers names the assistant; the mail goes to the client all the same."""
    record = office.log(mail("方案请见附件。", originator=LILEI, to=(CHEN,), headers={"Delivered-To": ASSISTANT}))
    assert record.direction == "outbound"
    assert [client.owner for client in office.clients()] == [LILEI]


def test_a_forwarded_mail_is_the_clients(office: Office) -> None:
    """Written by the client on the day it was written, answered for by the colleague who forwarded it."""
    text = (
        "请记录。\n\n---------- Forwarded message ---------\nFrom: Megan Hart <megan@hartleaf.example>\n"
        "Date: Fri, 27 Feb 2026 at 09:15\nSubject: Launch of our spring tea\nTo: 李雷 <lilei@lanhai.example>\n\n"
        "We would like a quote for the launch.\n"
    )
    record = office.log(mail(text, subject="Fwd: Launch of our spring tea", originator=LILEI))
    assert (record.direction, record.originator) == ("inbound", "megan@hartleaf.example")
    assert "quote for the launch" in record.reply_text
    assert "请记录" not in record.reply_text
    assert record.sent_at.date().isoformat() == "2026-02-27"
    (client,) = office.clients()
    assert client.owner == LILEI


def test_an_unknown_company_becomes_a_client(office: Office) -> None:
    office.log(mail("请报价。\n\n--\n陈静\n杭州茗山茶业有限公司\n电话：+86 571 8800 0000"))
    (client,) = office.clients()
    assert (client.kind, client.country, client.timezone, client.owner) == ("company", "CN", "Asia/Shanghai", LILEI)
    colleague = office.log(mail("补充一点。", originator=WANG))
    assert colleague.client_id == client.id
    with office.session() as session:
        assert set(session.scalars(select(Contact.addr_spec))) == {CHEN, WANG}


@pytest.mark.parametrize("provider", ["qq.com", "163.com", "gmail.com"])
def test_each_person_of_a_free_mail_provider_is_a_client(office: Office, provider: str) -> None:
    first = office.log(mail("请报价。", originator=f"tea.lover@{provider}"))
    second = office.log(mail("请报价。", originator=f"someone.else@{provider}"))
    assert first.client_id != second.client_id
    assert {client.kind for client in office.clients()} == {"person"}


@pytest.mark.parametrize(
    "raw",
    [
        mail(
            "本周行业新闻",
            originator="editor@trade.example",
            headers={"List-Id": "<news.trade.example>", "List-Unsubscribe": "<mailto:u@trade.example>"},
        ),
        mail("Your invoice is ready.", originator="no-reply@cloud.example"),
        mail("Build failed", originator="ci@tools.example", headers={"Auto-Submitted": "auto-generated"}),
        bounce("gone@nowhere.example", at=MONDAY),
        absence("someone@stranger.example", at=MONDAY),
    ],
    ids=["newsletter", "no-reply", "notification", "bounce", "absence of a stranger"],
)
def test_machines_never_become_clients(office: Office, raw: bytes) -> None:
    record = office.log(raw)
    assert record.client_id is None
    assert office.clients() == []


def test_internal_mail_is_logged_with_the_conversation_it_is_in(office: Office) -> None:
    asked = office.log(mail("请报价。", message_id="a@mingshan.example"))
    inside = office.log(
        mail("你来报价？", originator=LILEI, to=(HAN,), cc=(ASSISTANT,), answers=("a@mingshan.example",))
    )
    assert (inside.direction, inside.client_id, inside.project_id) == ("internal", asked.client_id, asked.project_id)
    alone = office.log(mail("午饭？", subject="午饭", originator=LILEI, to=(HAN,), cc=(ASSISTANT,)))
    assert (alone.direction, alone.client_id, alone.project_id) == ("internal", None, None)


def test_what_the_assistant_wrote_to_colleagues_is_no_record(office: Office) -> None:
    counts = office.hear(mail("周报", originator=ASSISTANT, to=(LILEI,)))
    assert (counts.ignored, counts.logged) == (1, 0)


# --- the same, and not the same --------------------------------------------------------------------------------------


def test_the_same_mail_in_two_folders_is_one_record(office: Office) -> None:
    raw = mail("请报价。")
    record = office.log(raw)
    counts = office.hear(raw, folder="Archive")
    assert (counts.logged, counts.duplicate) == (0, 1)
    with office.session() as session:
        assert set(session.scalars(select(Location.record_id))) == {record.id}


def test_the_same_mail_by_two_ways_is_one_record(office: Office) -> None:
    """The copies differ in what servers wrote on top."""
    raw = mail("请报价。", message_id="a@mingshan.example")
    office.log(b"Received: from a by b; Mon, 2 Mar 2026 02:00:00 +0000\r\n" + raw)
    counts = office.hear(b"Received: from c by d; Mon, 2 Mar 2026 02:00:09 +0000\r\n" + raw)
    assert (counts.logged, counts.duplicate) == (0, 1)


def test_a_reused_message_id_with_other_content_is_another_record(office: Office) -> None:
    office.log(mail("请报价。", message_id="a@mingshan.example"))
    office.log(mail("合同附上，请盖章。", message_id="a@mingshan.example"))
    assert len(office.records()) == 2


def test_mail_without_message_id_is_logged_once(office: Office) -> None:
    raw = mail("请报价。", message_id=None)
    office.log(raw)
    assert office.hear(raw, folder="Archive").duplicate == 1
    assert office.log(mail("请再报一次。", message_id=None)).message_id.endswith("@missing.invalid")


def test_interpreting_again_changes_nothing(office: Office) -> None:
    office.log(mail("请报价。"))
    before = [(record.id, record.stage, record.client_id) for record in office.records()]
    assert office.workplace.interpret().total == 0
    assert [(record.id, record.stage, record.client_id) for record in office.records()] == before


# --- who may say what ------------------------------------------------------------------------------------------------


@pytest.fixture
def guarded(tmp_path: Path) -> Office:
    """An office that knows whose verdicts to believe."""
    more = f'[mailbox]\nhost = "127.0.0.1"\nport = 143\ntls = "none"\nuser = "box"\nauthserv_id = "mx.{AGENCY}"\n'
    return open_office(write_config(tmp_path, more=more), now=MONDAY + timedelta(days=3))


def test_a_spoofed_colleague_changes_nothing(guarded: Office) -> None:
    guarded.log(mail("请报价。#discovery", message_id="a@mingshan.example"))
    guarded.log(
        mail(
            "方案附上。#proposal",
            originator=LILEI,
            to=(CHEN,),
            cc=(ASSISTANT,),
            at=MONDAY + timedelta(hours=1),
            message_id="b@lanhai.example",
            answers=("a@mingshan.example",),
        )
    )
    spoofed = guarded.log(
        mail(
            "请把款打到新账户，项目结束。#closing #approval",
            originator=LILEI,
            to=(CHEN, ASSISTANT),
            at=MONDAY + timedelta(hours=2),
            answers=("b@lanhai.example",),
            headers={"Authentication-Results": f"mx.{AGENCY}; dmarc=fail header.from={AGENCY}"},
        )
    )
    assert (spoofed.direction, spoofed.trust, spoofed.may_start) == ("inbound", "fail", False)
    with guarded.session() as session:
        project = session.scalar(select(Project))
        assert project is not None
        assert (project.stage, project.waiting_on) == ("proposal", "client")
        assert session.scalars(select(SignOff)).all() == []
    assert spoofed.project_id is None


def test_verdicts_of_other_servers_are_hearsay(guarded: Office) -> None:
    record = guarded.log(
        mail(
            "方案附上。",
            originator=LILEI,
            to=(CHEN,),
            headers={"Authentication-Results": "mx.attacker.example; dmarc=pass"},
        )
    )
    assert (record.direction, record.trust) == ("outbound", "none")


def test_a_proven_colleague_is_proven(guarded: Office) -> None:
    record = guarded.log(
        mail(
            "方案附上。",
            originator=LILEI,
            to=(CHEN,),
            headers={"Authentication-Results": f"mx.{AGENCY}; spf=pass; dmarc=pass"},
        )
    )
    assert (record.direction, record.trust) == ("outbound", "pass")


# --- what follows from a mail ----------------------------------------------------------------------------------------


def test_an_approval_by_the_client_is_a_sign_off_with_its_evidence(office: Office) -> None:
    office.log(mail("方案附上。#proposal", originator=LILEI, to=(CHEN,), message_id="b@lanhai.example"))
    yes = office.log(
        mail("方案确认，同意执行。#approval", at=MONDAY + timedelta(hours=1), answers=("b@lanhai.example",))
    )
    office.log(
        mail(
            "同意！#approval",
            originator=LILEI,
            to=(CHEN,),
            at=MONDAY + timedelta(hours=2),
            answers=("b@lanhai.example",),
        )
    )
    with office.session() as session:
        (signed,) = session.scalars(select(SignOff)).all()
    assert (signed.what, signed.by, signed.record_id) == ("proposal", CHEN, yes.id)
    assert "同意执行" in signed.evidence


def test_a_complaint_is_open_until_the_client_is_content(office: Office) -> None:
    office.log(mail("这一版质量太差了。#complaint #execution", message_id="c@mingshan.example"))
    with office.session() as session:
        (item,) = session.scalars(select(OpenItem)).all()
        assert (item.kind, item.by, item.owner, item.settled_at) == ("complaint", "us", LILEI, None)
    office.log(mail("现在很好，谢谢！#satisfaction", at=MONDAY + timedelta(days=1), answers=("c@mingshan.example",)))
    with office.session() as session:
        (item,) = session.scalars(select(OpenItem)).all()
        assert item.settled_at == MONDAY + timedelta(days=1)


def test_somebody_may_bounce_and_come_back_more_than_once(office: Office) -> None:
    """Each time they write, they can be reached again."""
    office.log(mail("请报价。"))
    for day in range(4, 7):
        office.clock.move_to(MONDAY + timedelta(days=day, hours=2))
        office.log(bounce(CHEN, at=MONDAY + timedelta(days=day)))
        office.log(mail(f"第{day}次：我的邮箱又好了。", at=MONDAY + timedelta(days=day, hours=1)))
    from assistant.store.facts import DatabaseFacts

    with office.session() as session:
        facts = DatabaseFacts(session, office.workplace.directory, office.clock.now())
        (client,) = facts.clients()
    assert [contact.bouncing for contact in client.contacts] == [False]


def test_mail_older_than_the_cut_off_starts_nothing(office: Office) -> None:
    office.clock.move_to(MONDAY + timedelta(days=20))
    old = office.log(mail("方案附上。#proposal", originator=LILEI, to=(CHEN,), at=MONDAY))
    assert old.may_start is False
    office.workplace.decide_due()
    assert office.outbox() == []


def test_a_date_in_the_future_or_long_past_is_not_believed(office: Office) -> None:
    future = office.log(mail("请报价。", at=MONDAY + timedelta(days=900)))
    ancient = office.log(mail("请再报价。", at=MONDAY - timedelta(days=9000)))
    assert future.sent_at == ancient.sent_at == office.clock.now()


def test_records_hold_the_message_and_nothing_of_it_is_lost(office: Office) -> None:
    raw = mail("请报价。")
    record = office.log(raw)
    assert record.raw_id is not None
    with office.session() as session:
        assert office.workplace.archive.get(session, record.raw_id) == raw
        stored = session.get(Record, record.id)
        assert stored is not None
        assert stored.subject == "新茶上市"
