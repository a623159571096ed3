"""What is older than its period loses its bytes, once a day and by itself; everything else stays and works on."""

from __future__ import annotations

import json
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.errors import ProblemsFound
from assistant.keeping.rebuild import rebuild
from assistant.keeping.retention import Periods, retire, retire_daily
from assistant.store.tables import AuditEntry, OutboxMessage, RawMail, Record
from assistant.upkeep import interpreting, keep_to_periods
from tests.offices import ASSISTANT, CHEN, LILEI, MONDAY, Office, command, mail, open_office, write_config

RULES = '\n[retention]\nraw_mail = "30d"\nunrelated_mail = "1 week"\nour_mail = "6 months"\n'


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A proposal and its nudge, a newsletter, a broken mail; and a mail of forty days later."""
    office = open_office(write_config(tmp_path, more=RULES))
    office.hear(
        mail("请报价。#discovery", message_id="a@mingshan.example", at=MONDAY - timedelta(hours=3)),
        mail("方案附上。#proposal", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,), message_id="b@lanhai.example",
             at=MONDAY - timedelta(hours=2), answers=("a@mingshan.example",)),
        mail("Buy now! #unrelated", originator="news@shop.example", message_id="s@shop.example",
             headers={"List-Unsubscribe": "<https://shop.example/u>", "Precedence": "bulk"}),
        mail("坏了 #broken", originator="x@broken.example", message_id="x@broken.example"),
    )  # fmt: skip
    office.move(days=3, minutes=5)
    office.workplace.decide_due()
    with office.session() as session:
        row = session.scalars(select(OutboxMessage).where(OutboxMessage.audience == "client")).one()
        row.state, row.settled_at = "sent", office.clock.now()
    office.move(days=37)
    office.hear(mail("我们看过了。#proposal", message_id="c@mingshan.example", at=office.clock.now(),
                     answers=("b@lanhai.example",)))  # fmt: skip
    return office


def erased(office: Office) -> list[str]:
    with office.session() as session:
        gone = (
            select(Record.message_id).join(RawMail, RawMail.id == Record.raw_id).where(RawMail.erased_at.is_not(None))
        )
        assert {row.body for row in session.scalars(select(RawMail).where(RawMail.erased_at.is_not(None)))} <= {b""}
        return sorted(session.scalars(gone))


def test_once_a_day_what_is_too_old_goes_and_what_waits_stays(office: Office) -> None:
    keep_to_periods(office.workplace)
    assert erased(office) == ["a@mingshan.example", "b@lanhai.example", "s@shop.example"]
    texts = {record.message_id: record.reply_text for record in office.records()}
    assert (texts["s@shop.example"], "请报价" in texts["a@mingshan.example"]) == ("", True)
    assert office.outbox()[0].raw != b""  # not six months old yet
    with office.session() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.event == "retired")).all()
        assert entry.details == {"raw_mail": 2, "unrelated_mail": 1, "our_mail": 0, "notes": 0}
    workplace = office.workplace
    assert retire_daily(workplace.database, Periods(raw_mail=timedelta(0)), office.clock.now()) is None
    office.move(days=200)
    keep_to_periods(workplace)
    assert (office.outbox()[0].raw, office.outbox()[0].state) == (b"", "sent")


def test_without_periods_everything_is_kept(tmp_path: Path) -> None:
    office = open_office(write_config(tmp_path))
    office.hear(mail("请报价。", message_id="a@mingshan.example"))
    office.move(days=4000)
    keep_to_periods(office.workplace)
    assert erased(office) == []


def test_unrelated_mail_may_have_a_shorter_life(office: Office) -> None:
    with office.session() as session:
        done = retire(session, Periods(unrelated_mail=timedelta(days=7)), office.clock.now())
    assert (done.unrelated_mail, erased(office)) == (1, ["s@shop.example"])


def test_the_assistant_works_on_without_the_bytes(office: Office) -> None:
    keep_to_periods(office.workplace)
    same = mail("请报价。#discovery", message_id="a@mingshan.example", at=MONDAY - timedelta(hours=3))
    assert office.hear(same, folder="Renumbered").logged == 0
    record = office.log(
        mail("好。", message_id="d@mingshan.example", at=office.clock.now(), answers=("b@lanhai.example",))
    )
    assert record.thread_id == office.records()[0].thread_id
    workplace = office.workplace
    before = [(row.id, row.stage, row.project_id, row.thread_id, row.reply_text) for row in office.records()]
    rebuild(workplace.database, interpreting(workplace), office.clock.now())
    assert [(row.id, row.stage, row.project_id, row.thread_id, row.reply_text) for row in office.records()] == before


def test_the_command_counts_first_and_takes_away_on_request(office: Office) -> None:
    assert json.loads(command(office.config_file, "retention", "--json").out)["raw_mail"] >= 2
    assert erased(office) == []
    office.workplace.database.close()
    assert command(office.config_file, "retention", "--apply").status == 0
    assert len(erased(office)) >= 3


@pytest.mark.parametrize("wrong", ["3", "never", "0d", "-1d", "1.5y", 30])
def test_a_period_that_is_none_is_a_problem_with_its_place(tmp_path: Path, wrong: object) -> None:
    config = write_config(tmp_path, more=f"\n[retention]\nraw_mail = {json.dumps(wrong)}\n")
    with pytest.raises(ProblemsFound, match="not a period"):
        open_office(config)


def test_the_operator_is_told_once_what_was_taken_away(office: Office) -> None:
    def told() -> list[str]:
        office.workplace.plan()
        with office.session() as session:
            rows = session.scalars(
                select(OutboxMessage.raw).where(OutboxMessage.dedupe_key.startswith("notice:retention:"))
            )
            messages = (message_from_bytes(raw, policy=default) for raw in rows)
            return [str(message.get_body(("plain",)).get_content()) for message in messages]  # type: ignore[union-attr]  # every mail of ours has a text

    assert told() == []
    keep_to_periods(office.workplace)
    (text,) = told()
    assert "来信原文 2 封" in text
    assert "与客户无关的邮件及其文字 1 封" in text
    office.move(days=1)
    keep_to_periods(office.workplace)
    assert len(told()) == 1, "nothing was taken away today"
    office.move(days=200)
    keep_to_periods(office.workplace)
    assert len(told()) == 2
