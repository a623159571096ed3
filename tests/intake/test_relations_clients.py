"""Whose mail it is: strangers, colleagues on new addresses, vendors, and mail that lost its references."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.store.tables import Contact, Project, Record, Thread
from tests.offices import ASSISTANT, CHEN, HAN, LILEI, MONDAY, NAMES, WANG, Office, mail, open_office, write_config

VENDOR = "sales@printer.example"
AJIE = "ajie.goldenbowl@qq.com"
NAT = "nat.goldenbowl@gmail.com"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return open_office(write_config(tmp_path), now=MONDAY + timedelta(days=40))


def project_of(office: Office, record: Record) -> tuple[str, float, str]:
    with office.session() as session:
        project = session.get(Project, record.project_id)
        thread = session.get(Thread, record.thread_id)
        assert project is not None
        assert thread is not None
        return project.name, thread.project_confidence, thread.project_evidence


def test_a_vendor_becomes_no_client(office: Office) -> None:
    record = office.log(mail("Cheap flyers! #unrelated", originator=VENDOR))
    assert record.client_id is None
    assert office.clients() == []


def test_a_stranger_whom_the_agency_answers_was_a_client_all_along(office: Office) -> None:
    first = office.log(mail("Hi there #unrelated", originator=CHEN, message_id="a@mingshan.example"))
    assert first.client_id is None
    answer = office.log(
        mail("Tell us more #discovery", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,), answers=("a@mingshan.example",))
    )
    records = office.records()
    assert {record.client_id for record in records} == {answer.client_id}
    assert {record.project_id for record in records} == {answer.project_id}
    assert answer.project_id is not None


def test_a_refusal_to_a_vendor_makes_none(office: Office) -> None:
    office.log(mail("Cheap flyers! #unrelated", originator=VENDOR, message_id="a@printer.example"))
    office.log(
        mail(
            "No, thank you #unrelated", originator=LILEI, to=(VENDOR,), cc=(ASSISTANT,), answers=("a@printer.example",)
        )
    )
    assert office.clients() == []


def test_partners_who_write_from_free_mail_are_one_client(office: Office) -> None:
    office.log(mail("想做推广 #discovery", originator=AJIE, to=(LILEI,), cc=("boss@163.com", ASSISTANT)))
    office.log(mail("我是老板 #discovery", originator="boss@163.com", to=(LILEI,), cc=(ASSISTANT,), subject="你好"))
    assert len(office.clients()) == 1


def test_a_second_address_with_the_business_in_it_is_the_same_client(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    gordon, robin = "gordon.prowse@gmail.com", "robin.prowse@gmail.com"
    for address, name in ((AJIE, "Ajie Lee"), (NAT, "Nat Chan"), (gordon, "Gordon Prowse"), (robin, "Robin Prowse")):
        monkeypatch.setitem(NAMES, address, name)
    office.log(mail("想做推广 #discovery", originator=AJIE))
    office.log(mail("Hello #discovery", originator=NAT, subject="hi"))
    assert len(office.clients()) == 1
    office.log(mail("Hello #discovery", originator=gordon, subject="one"))
    office.log(mail("Hello #discovery", originator=robin, subject="two"))
    assert len(office.clients()) == 3, "a family name is no business"


def test_an_answer_from_home_without_references_goes_to_the_client_it_answers(office: Office) -> None:
    office.log(mail("方案请见附件。#proposal", originator=LILEI, to=(CHEN,), cc=(HAN, ASSISTANT)))
    record = office.log(
        mail(
            "可以。#proposal",
            originator="c1990@qq.com",
            to=(LILEI,),
            cc=(HAN,),
            subject="Re: 新茶上市",
            at=MONDAY + timedelta(hours=1),
        )
    )
    assert len(office.clients()) == 1
    assert record.client_id == office.clients()[0].id


def test_a_company_that_answers_the_same_subject_to_the_same_colleagues_is_another_client(office: Office) -> None:
    first = office.log(mail("方案请见附件。#proposal", originator=LILEI, to=(CHEN,), cc=(HAN, ASSISTANT)))
    other = office.log(
        mail("可以。#proposal", originator="zhou@other.example", to=(LILEI,), cc=(HAN,), subject="Re: 新茶上市", at=MONDAY + timedelta(hours=1))
    )  # fmt: skip
    assert other.client_id != first.client_id
    assert other.project_id != first.project_id


def test_the_same_subject_at_two_clients_never_mixes(office: Office) -> None:
    first = office.log(mail("需求 #discovery", originator=CHEN, subject="合作咨询"))
    later = MONDAY + timedelta(hours=1)
    second = office.log(mail("需求 #discovery", originator="zhou@other.example", subject="合作咨询", at=later))
    answer = office.log(mail("好 #discovery", originator=CHEN, subject="Re: 合作咨询", at=later))
    assert first.client_id != second.client_id
    assert answer.project_id == first.project_id != second.project_id
    assert project_of(office, second)[0] == "合作咨询 – other", "names are unique in the listings"


def test_an_answer_without_references_joins_the_project_of_its_subject(office: Office) -> None:
    first = office.log(mail("Film #execution", subject="Launch film", at=MONDAY))
    office.log(mail("Another project: a stand #discovery", subject="Another thing", at=MONDAY + timedelta(days=1)))
    answer = office.log(mail("better #execution", subject="Re: Launch film", at=MONDAY + timedelta(days=5)))
    assert answer.project_id == first.project_id
    assert project_of(office, answer)[1] >= 0.5


def test_what_is_quoted_below_tells_the_project(office: Office) -> None:
    said = "The carpet in hall five has to be grey as slate. #execution"
    office.log(mail("Film #execution", subject="Launch film", at=MONDAY))
    stand = office.log(
        mail(f"{said} Another project.", subject="Another thing #discovery", at=MONDAY + timedelta(days=1))
    )
    quoted = f"yes #execution\n\nOn Tue, 3 Mar 2026 at 10:00, 陈静 <{CHEN}> wrote:\n\n> {said}\n"
    record = office.log(mail(quoted, subject="carpet", at=MONDAY + timedelta(days=2)))
    assert record.project_id == stand.project_id


def test_a_new_enquiry_after_the_end_is_a_project_of_its_own(office: Office) -> None:
    first = office.log(mail("谢谢，合作愉快 #closing"))
    later = office.log(mail("想做冬天的礼盒，预算八万 #discovery", subject="礼盒", at=MONDAY + timedelta(days=30)))
    assert later.client_id == first.client_id
    assert later.project_id != first.project_id
    name, confidence, evidence = project_of(office, later)
    assert name == "礼盒"
    assert confidence >= 0.5
    assert evidence.startswith("a new concrete enquiry")


def test_a_project_without_a_subject_is_called_after_its_client(office: Office) -> None:
    record = office.log(mail("想做推广 #discovery", subject="(no subject)"))
    assert project_of(office, record)[0] == office.clients()[0].name


def test_what_a_contact_does_is_read_from_the_signature(office: Office) -> None:
    office.log(mail("想做推广 #discovery\n\n-- \n陈静\n市场总监\n茗山茶业"))
    with office.session() as session:
        assert session.scalar(select(Contact.role).where(Contact.addr_spec == CHEN)) == "市场总监"


def continues(office: Office, record: Record) -> tuple[int | None, str]:
    with office.session() as session:
        thread = session.get(Thread, record.thread_id)
        assert thread is not None
        return thread.continues_id, thread.continues_evidence


def test_an_answer_that_lost_its_references_shows_where_it_goes_on_from(office: Office) -> None:
    first = office.log(mail("需求 #discovery", originator=CHEN, to=(LILEI,), cc=(ASSISTANT,)))
    answer = office.log(
        mail("收到 #discovery", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,), subject="回复：新茶上市", at=MONDAY + timedelta(days=1))
    )  # fmt: skip
    assert answer.thread_id != first.thread_id, "the threads themselves go by ids alone"
    assert continues(office, answer) == (first.thread_id, "same subject and people")
    assert answer.project_id == first.project_id
    assert project_of(office, answer)[2] == "same subject and people as in '新茶上市'"


def test_late_mail_that_makes_it_ambiguous_takes_it_back(office: Office) -> None:
    office.log(mail("需求 #discovery", originator=CHEN, to=(LILEI,), cc=(ASSISTANT,)))
    answer = office.log(
        mail("收到 #discovery", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,), subject="回复：新茶上市", at=MONDAY + timedelta(days=1))
    )  # fmt: skip
    assert continues(office, answer)[0] is not None
    office.log(mail("另一件 #discovery", originator=CHEN, to=(LILEI,), cc=(ASSISTANT,), at=MONDAY + timedelta(hours=3)))
    assert continues(office, answer) == (None, "")


def test_outlook_says_what_its_answer_belongs_to(office: Office) -> None:
    index = {"Thread-Index": "AQHYm3fvq7nT3nN8xkS7pQ1xw2vQ2A=="}
    first = office.log(mail("需求 #discovery", originator=CHEN, to=(LILEI,), headers=index))
    answer = office.log(
        mail("好 #discovery", originator=WANG, to=(HAN,), headers=index, subject="答复: 新茶上市", at=MONDAY + timedelta(days=80))
    )  # fmt: skip
    assert continues(office, answer) == (first.thread_id, "Outlook's Thread-Index")
    assert answer.project_id == first.project_id
