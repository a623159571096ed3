"""Owners hear of each mail in their name before it leaves: once, all of it together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.rendering import Templates
from assistant.store.tables import Client, Contact, Location, Quarantine, RawMail, Suppression
from tests.reports.agency import LILEI, TOM, Agency, at, opened


@pytest.fixture
def agency(tmp_path: Path, templates: Templates) -> Iterator[Agency]:
    with opened(tmp_path, templates) as built:
        yield built


def dairy(agency: Agency) -> tuple[Client, Contact]:
    client = agency.client("青禾乳业")
    return client, agency.contact(client, "林晓芸", "linxy@qinghe-dairy.example")


def test_mails_that_may_be_stopped_are_told_to_their_owner_in_one_mail(agency: Agency) -> None:
    client, lin = dairy(agency)
    rows = [
        agency.outgoing(client, lin, subject, "03-03 14:00", created="03-03 10:00", release="veto 4h")
        for subject in ("Re: 方案", "Re: 合同")
    ]
    (mail,) = agency.digests("03-03 10:00")
    assert (mail.to_address, mail.purpose) == (LILEI, "digest")
    assert all(f"assistant outbox veto {row.id}" in mail.rendered.text for row in rows)


def test_each_is_told_once_and_a_later_one_alone(agency: Agency) -> None:
    client, lin = dairy(agency)
    agency.outgoing(client, lin, "Re: 方案", "03-03 14:00", release="veto 4h")
    agency.queue(agency.digests("03-03 10:00"), "03-03 10:00")
    assert agency.digests("03-03 10:01") == []
    agency.outgoing(client, lin, "Re: 合同", "03-03 15:00", release="veto 4h")
    (mail,) = agency.digests("03-03 11:00")
    assert "Re: 合同" in mail.rendered.text
    assert "Re: 方案" not in mail.rendered.text
    assert len(agency.queue([mail], "03-03 11:00")) == 1


def test_every_owner_hears_of_their_own_in_their_language(agency: Agency) -> None:
    client, lin = dairy(agency)
    agency.outgoing(client, lin, "Re: A", "03-03 14:00", release="veto 4h")
    agency.outgoing(client, lin, "Re: B", "03-03 14:00", release="veto 4h", details={"owner": TOM})
    mails = {mail.to_address: mail for mail in agency.digests("03-03 10:00")}
    assert {address: mail.rendered.language for address, mail in mails.items()} == {LILEI: "zh-Hans", TOM: "en"}
    assert "Re: B" not in mails[LILEI].rendered.text


def test_a_mail_without_an_owner_is_told_to_the_clients(agency: Agency) -> None:
    client, lin = dairy(agency)
    agency.outgoing(client, lin, "Re: A", "03-03 14:00", release="veto 4h", details={"owner": ""})
    assert [mail.to_address for mail in agency.digests("03-03 10:00")] == [LILEI]


def test_what_waits_for_a_yes_is_a_request_of_its_own(agency: Agency) -> None:
    client, lin = dairy(agency)
    agency.outgoing(client, lin, "Re: A", "03-03 14:00", release="veto 4h")
    waiting = agency.outgoing(client, lin, "Re: B", "03-03 14:00", state="waiting_approval", release="approval")
    veto, approval = agency.digests("03-03 10:00")
    assert (veto.dedupe_key.split(":")[1], approval.dedupe_key.split(":")[1]) == ("veto", "approval")
    assert f"assistant outbox approve {waiting.id}" in approval.rendered.text


@pytest.mark.parametrize(
    "row", [{"release": "now"}, {"release": "veto 4h", "state": "sent"}, {"release": "veto 4h", "state": "cancelled"}]
)
def test_what_leaves_unasked_or_is_settled_is_not_told(agency: Agency, row: dict[str, str]) -> None:
    client, lin = dairy(agency)
    agency.outgoing(client, lin, "Re: A", "03-03 14:00", **row)
    assert agency.digests("03-03 10:00") == []


def test_an_opt_out_is_told_once_to_the_owner_with_their_words(agency: Agency) -> None:
    _, lin = dairy(agency)
    agency.session.add(
        Suppression(
            addr_spec=lin.addr_spec, scope="follow-ups", reason="opt-out", evidence="停止提醒", since=at("03-03 10:00")
        )
    )
    agency.session.flush()
    (mail,) = agency.office.opt_out_notices(agency.session, at("03-03 10:01"))
    assert mail.to_address == LILEI
    assert "停止提醒" in mail.rendered.text
    agency.queue([mail], "03-03 10:01")
    assert agency.office.opt_out_notices(agency.session, at("03-03 10:02")) == []


def test_a_bounce_is_told_once_and_old_history_never(agency: Agency) -> None:
    client, lin = dairy(agency)
    agency.outgoing(client, lin, "Re: 方案", "03-03 09:00", state="sent", settled="03-03 09:00")
    for addr_spec, since in ((lin.addr_spec, "03-03 10:00"), ("zhou@qinghe-dairy.example", "01-10 10:00")):
        agency.session.add(
            Suppression(
                addr_spec=addr_spec, scope="delivery", reason="bounce", evidence="5.1.1 failed", since=at(since)
            )
        )
    agency.session.flush()
    (mail,) = agency.office.bounce_notices(agency.session, at("03-03 10:01"))
    assert all(words in mail.rendered.text for words in ("5.1.1", "Re: 方案", "linxy@qinghe-dairy.example"))
    agency.queue([mail], "03-03 10:01")
    assert agency.office.bounce_notices(agency.session, at("03-03 10:02")) == []


def test_the_operator_hears_of_quarantined_messages_once_and_at_most_hourly(agency: Agency) -> None:
    def quarantine(number: int, when: str) -> None:
        raw = agency.add(RawMail(sha256=f"{number:064}", size=1, body=b""))
        place = agency.add(
            Location(
                mailbox="m",
                folder="INBOX",
                uidvalidity=1,
                uid=number,
                raw_id=raw.id,
                received_at=at(when),
                order_at=at(when),
                kept_at=at(when),
            )
        )
        agency.add(Quarantine(location_id=place.id, raw_id=raw.id, phase="thread", reason="坏的引用", since=at(when)))

    quarantine(1, "03-03 10:00")
    mail = agency.office.quarantine_notice(agency.session, at("03-03 10:00"))
    assert mail is not None
    assert "assistant message retry 1" in mail.rendered.text
    agency.queue([mail], "03-03 10:00")
    quarantine(2, "03-03 10:10")
    assert agency.office.quarantine_notice(agency.session, at("03-03 10:10")) is None
    later = agency.office.quarantine_notice(agency.session, at("03-03 11:10"))
    assert later is not None
    assert "assistant message retry 1" not in later.rendered.text
