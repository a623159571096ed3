"""Whoever writes to the shared address becomes a client at once. Nothing of ours goes to them before a colleague has written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.header import Header
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from assistant.clock import SystemClock
from assistant.keeping.rebuild import rebuild
from assistant.store.tables import Client, Record
from assistant.upkeep import interpreting
from tests.hostile.test_imitations import notices
from tests.offices import ASSISTANT, CHEN, LILEI, MONDAY, Office, command, mail, open_office, write_config

VENDOR = "sales@ads-vendor.example"
FROM_HOME = "chenjing.tea@163.com"
DAYS = ((5, 25), (5, 26), (6, 18), (9, 30))
"""Twelve weeks without a word, and the working days before two festivals."""


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return open_office(write_config(tmp_path), now=MONDAY + timedelta(hours=5))


def written(office: Office) -> list[str]:
    """To whom automatic mail was ordered by the end of September, whatever rule said so."""
    for month, day in DAYS:
        office.clock.move_to(datetime(2026, month, day, 4, 0, tzinfo=UTC))
        office.workplace.decide_due()
        office.workplace.plan()
    return sorted({str(row.recipients[0]) for row in office.outbox() if row.state not in {"cancelled", "refused"}})


def from_colleague(to: Sequence[str], **more: Any) -> bytes:
    at = MONDAY + timedelta(hours=2)
    return mail("资料附上，请查收。#relationship #nobody", originator=LILEI, to=to, cc=(ASSISTANT,), at=at, **more)


def test_a_stranger_who_pretends_to_be_a_client_gets_neither_greetings_nor_check_ins(office: Office) -> None:
    office.hear(
        mail("合同已签，首款今天付，请按新账户。#execution #approval", originator=VENDOR, subject="合作合同"),
        mail(
            "很高兴与贵司合作，期待下次。#relationship",
            originator=VENDOR,
            subject="感谢",
            at=MONDAY + timedelta(minutes=5),
        ),
    )
    assert [client.name for client in office.clients()] == ["ads-vendor"]
    assert written(office) == []


def test_once_a_colleague_has_written_to_them_or_says_so_they_are_clients_like_any_other(office: Office) -> None:
    office.hear(
        mail("很高兴与贵司合作。#relationship", originator=CHEN, subject="感谢"),
        mail("很高兴与贵司合作。#relationship", originator=VENDOR, subject="感谢", at=MONDAY + timedelta(minutes=5)),
        mail("很高兴。#relationship", originator="x@mute.example", subject="谢", at=MONDAY + timedelta(minutes=6)),
    )
    office.hear(from_colleague((CHEN,)))
    assert command(office.config_file, "clients", "set", "ads-vendor.example", "--tag", "confirmed").status == 0
    assert written(office) == [CHEN, VENDOR]


def called(name: str, addr_spec: str, **more: Any) -> bytes:
    """Mail under this display name."""
    raw = mail("很高兴与贵司合作。#relationship", originator="placeholder@x.example", **more)
    return raw.replace(b"placeholder@x.example", f"{Header(name, 'utf-8').encode()} <{addr_spec}>".encode(), 1)


def test_an_address_at_free_mail_with_a_clients_name_is_told_of_and_gets_nothing(office: Office) -> None:
    office.hear(called("欧阳静", CHEN, subject="感谢"))
    office.hear(from_colleague((CHEN,)))
    office.hear(called("欧阳静", FROM_HOME, subject="新邮箱", at=MONDAY + timedelta(hours=3)))
    assert office.records()[-1].client_id == office.clients()[0].id, "the person may well write from home"
    (told,) = notices(office)
    assert FROM_HOME in told
    assert CHEN in told
    assert written(office) == [CHEN]


def test_the_real_client_who_writes_after_its_imitation_is_told_of_and_can_be_let_in(office: Office) -> None:
    office.hear(mail("请报价。#discovery", originator="chen@rningshan.example", subject="报价"))
    office.hear(mail("请报价。#discovery", originator=CHEN, subject="新茶报价", at=MONDAY + timedelta(hours=1)))
    office.move(minutes=10)
    (told,) = notices(office)
    assert "rningshan.example" in told
    assert "assistant clients add mingshan.example" in told
    assert office.records()[1].client_id is None, "nobody knows which of them is genuine"

    assert command(office.config_file, "clients", "add", "mingshan.example", "--name", "名山茶业").status == 0
    assert command(office.config_file, "clients", "set", "rningshan.example", "--tag", "muted").status == 0
    office.clock.move_to(SystemClock().now() + timedelta(minutes=10))  # commands tell the time by the machine's clock
    office.hear(mail("另附需求。#discovery", originator=CHEN, subject="新茶报价", at=SystemClock().now()))
    with office.session() as session:
        rows = session.execute(select(Record.originator, Client.name).join(Client, Client.id == Record.client_id)).all()
        assert {tuple(row) for row in rows} == {("chen@rningshan.example", "rningshan"), (CHEN, "名山茶业")}
        assert len(rows) == 3
    done = rebuild(office.workplace.database, interpreting(office.workplace), office.clock.now(), check=True)
    assert (done.differences.count, done.problems) == (0, ())


@pytest.mark.parametrize("which", ["lanhai.example", "163.com", "", "x", "mingshan.example"])
def test_what_cannot_be_a_client_of_its_own_is_said(office: Office, which: str) -> None:
    office.hear(mail("请报价。#discovery"))
    said = command(office.config_file, "clients", "add", which)
    assert said.status == 2
    assert said.err.strip()
