"""People: their role and telephone, who changes company, who stands between two clients, and who is nobody's client."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from assistant.store.clients import contact_by_address
from assistant.store.tables import Client, Contact
from tests.offices import (
    ASSISTANT,
    CHEN,
    HAN,
    LILEI,
    MONDAY,
    NAMES,
    WANG,
    Office,
    command,
    mail,
    open_office,
    write_config,
)

ELSEWHERE = "chen@other.example"
SISTER = "lin@mingshan-tea.com.cn"


def day(number: float) -> timedelta:
    return timedelta(days=number)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setitem(NAMES, CHEN, "陈静宜")
    monkeypatch.setitem(NAMES, ELSEWHERE, "陈静宜")
    return open_office(write_config(tmp_path), now=MONDAY + day(90))


def contact(office: Office, address: str) -> Contact:
    with office.session() as session:
        found = contact_by_address(session, address)
        assert found is not None, address
        return found


def test_the_latest_signature_says_what_a_contact_does_and_how_to_call(office: Office) -> None:
    office.log(mail("你好 #discovery\n\n-- \n陈静宜\n市场专员\n电话：021-5566 7788\n传真：021-5566 7799"))
    assert (contact(office, CHEN).role, contact(office, CHEN).phone) == ("市场专员", "021-5566 7788")
    office.log(mail("再谈 #discovery\n\n-- \n陈静宜 | 市场总监\n手机 13812345678", at=MONDAY + day(9)))
    assert (contact(office, CHEN).role, contact(office, CHEN).phone) == ("市场总监", "13812345678")
    shown = command(office.config_file, "contacts", "--json")
    assert "市场总监" in shown.out
    assert "13812345678" in shown.out


def test_a_contact_who_changes_company_is_a_new_contact_and_the_old_one_is_noted(office: Office) -> None:
    office.log(mail("你好 #discovery"))
    office.log(mail("需求 #discovery", originator="zhou@other.example", subject="海报", at=MONDAY + day(1)))
    office.log(mail("我换公司了 #discovery", originator=ELSEWHERE, subject="新单位", at=MONDAY + day(40)))
    old, new = contact(office, CHEN), contact(office, ELSEWHERE)
    assert new.formerly_id == old.id
    assert new.client_id != old.client_id
    assert len(office.clients()) == 2


def test_a_namesake_elsewhere_is_nobody_who_moved(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NAMES, "cjy@other.example", "陈静宜")
    office.log(mail("你好 #discovery"))
    office.log(mail("你好 #discovery", originator="cjy@other.example", subject="海报", at=MONDAY + day(1)))
    assert contact(office, "cjy@other.example").formerly_id is None


def test_who_is_known_from_another_client_stays_in_the_conversation_they_write_in(office: Office) -> None:
    """An adviser of both: each mail belongs to the client whose conversation it is in."""
    other = office.log(mail("需求 #discovery", originator="zhou@other.example", subject="海报"))
    ours = office.log(mail("需求 #discovery", originator=CHEN, at=MONDAY + day(1), message_id="ours@mingshan.example"))
    advice = office.log(
        mail("建议… #discovery", originator="zhou@other.example", subject="Re: 新茶上市", at=MONDAY + day(2), answers=("ours@mingshan.example",))
    )  # fmt: skip
    assert (advice.client_id, advice.project_id) == (ours.client_id, ours.project_id)
    assert contact(office, "zhou@other.example").client_id == other.client_id
    later = office.log(
        mail("海报呢 #discovery", originator="zhou@other.example", subject="Re: 海报", at=MONDAY + day(3))
    )
    assert (later.client_id, later.project_id) == (other.client_id, other.project_id)


def test_a_subsidiary_that_is_merged_brings_its_mail_and_keeps_getting_it(office: Office) -> None:
    first = office.log(mail("需求 #discovery"))
    before = office.log(mail("需求 #discovery", originator=SISTER, subject="礼盒", at=MONDAY + day(1)))
    assert before.client_id != first.client_id
    assert command(office.config_file, "clients", "merge", "mingshan-tea.com.cn", "mingshan.example").status == 0
    after = office.log(
        mail("又有需求 #discovery", originator="new@mingshan-tea.com.cn", subject="画册", at=MONDAY + day(2))
    )
    assert after.client_id == first.client_id
    assert {record.client_id for record in office.records()} == {first.client_id}
    late = office.log(mail("早先的 #discovery", originator=SISTER, subject="更早", at=MONDAY - day(3)))
    assert {record.client_id for record in office.records()} == {late.client_id} == {first.client_id}
    with office.session() as session:
        client = session.get(Client, first.client_id)
        assert client is not None
        assert client.name == "mingshan"


def test_two_companies_under_one_public_suffix_are_two_clients(office: Office) -> None:
    for number, address in enumerate(
        ("a@one.com.cn", "b@two.com.cn", "c@mail.one.com.cn", "d@one.co.uk", "e@two.co.uk")
    ):
        office.log(mail("需求 #discovery", originator=address, subject=f"{number}", at=MONDAY + day(number)))
    assert len(office.clients()) == 4


def test_the_assistant_in_bcc_still_knows_whom_the_mail_is_with(office: Office) -> None:
    raw = mail("方案附上 #proposal", originator=LILEI, to=(CHEN,), cc=(HAN,))
    record = office.log(raw)
    assert record.direction == "outbound"
    assert contact(office, CHEN).client_id == record.client_id


def test_forwarded_mail_is_its_inner_writers(office: Office) -> None:
    inner = f"From: 陈静宜 <{CHEN}>\nDate: Mon, 2 Mar 2026 09:00:00 +0800\nSubject: 画册\nTo: 李雷 <{LILEI}>\n\n想做画册 #discovery"
    record = office.log(
        mail(f"---------- Forwarded message ---------\n{inner}", originator=LILEI, to=(ASSISTANT,), subject="Fwd: 画册")
    )
    assert (record.direction, record.originator) == ("inbound", CHEN)
    assert contact(office, CHEN).client_id == record.client_id


def test_mail_between_two_domains_of_the_agency_is_internal(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    config.write_text(
        config.read_text("utf-8").replace('domains = ["lanhai.example"]', 'domains = ["lanhai.example", "lanhai-studio.example"]'),
        encoding="utf-8",
    )  # fmt: skip
    office = open_office(config, now=MONDAY + day(1))
    record = office.log(mail("你看 #proposal", originator="ma@lanhai-studio.example", to=(LILEI,), cc=(ASSISTANT,)))
    assert record.direction == "internal"
    out = office.log(mail("方案 #proposal", originator="ma@lanhai-studio.example", to=(WANG,), subject="方案"))
    assert out.direction == "outbound"
    assert [client.name for client in office.clients()] == ["mingshan"]


@pytest.mark.parametrize(
    ("originator", "headers", "text"),
    [
        ("news@trade.example", {"List-Id": "<n.trade.example>", "List-Unsubscribe": "<https://trade.example/u>"}, "本周新闻"),
        ("no-reply@billing.example", {}, "Your invoice is ready #payment"),
        ("lists@forum.example", {"List-Post": "<mailto:lists@forum.example>", "Precedence": "list"}, "Re: topic"),
        ("sales@flyers.example", {}, "印刷厂报价，量大从优 #unrelated"),
        ("wang.graduate@163.com", {}, "应聘文案 #unrelated"),
    ],
)  # fmt: skip
def test_lists_machines_vendors_and_applicants_are_nobodys_clients(
    office: Office, originator: str, headers: dict[str, str], text: str
) -> None:
    office.log(mail(text, originator=originator, to=(LILEI,), headers=headers, subject="x"))
    assert office.clients() == []
