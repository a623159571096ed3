"""Who is forgotten is gone from every byte, is not written to again, and does not come back with the next mail."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.intake.corrections import correct_record
from assistant.keeping.backup import back_up, restore
from assistant.keeping.forget import forget as erase
from assistant.keeping.forget import forget_again
from assistant.keeping.rebuild import rebuild
from assistant.outbox.staff_mail import queue_staff_mail
from assistant.rendering import Rendered
from assistant.rendering.staff_mail import StaffMail
from assistant.store import open_database
from assistant.store.snapshot import tables_in_order
from assistant.store.suppressions import suppress
from assistant.store.tables import (
    AuditEntry,
    Client,
    Contact,
    Location,
    OutboxMessage,
    Project,
    RawMail,
    Record,
    StaffNote,
    Suppression,
)
from assistant.upkeep import interpreting, our_addresses
from tests.databases import ON_POSTGRESQL
from tests.offices import (
    ASSISTANT,
    CHEN,
    HAN,
    LILEI,
    MONDAY,
    WANG,
    CommandOutcome,
    Office,
    TaggedReader,
    bounce,
    command,
    mail,
    open_office,
    write_config,
)

ANNA = "anna.berg@north.example"
MARK = "郁金香七号"
"""Stands in every text of the client, and nowhere else."""


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """明山 with two people and everything that can hang on a client; North with one; an internal mail about 明山."""
    office = open_office(write_config(tmp_path))
    office.hear(
        mail(f"请报价，代号{MARK}。#discovery", message_id="a@mingshan.example", subject=f"{MARK}项目",
             at=MONDAY - timedelta(hours=5), cc=(ASSISTANT, WANG)),
        mail(f"{MARK}我个人意见不同。#nobody #discovery", originator=WANG, message_id="w@mingshan.example", subject=f"回复：{MARK}项目",
             at=MONDAY - timedelta(minutes=290), answers=("a@mingshan.example",)),
    )  # fmt: skip
    office.move(minutes=5)
    office.hear(
        mail(f"方案附上，{MARK}。#proposal", originator=LILEI, to=(CHEN,), cc=(ASSISTANT, WANG), subject=f"回复：{MARK}项目",
             message_id="b@lanhai.example", at=MONDAY - timedelta(hours=4), answers=("a@mingshan.example",)),
        mail("We like the plan. #proposal", originator=ANNA, message_id="n@north.example", subject="North plan",
             at=MONDAY - timedelta(hours=2)),
        mail("Here it is. #proposal", originator=LILEI, to=(ANNA,), cc=(ASSISTANT,), message_id="n2@lanhai.example",
             answers=("n@north.example",), subject="Re: North plan", at=MONDAY - timedelta(hours=1)),
        mail(f"内部：{CHEN} 的{MARK}要注意。", originator=LILEI, to=(HAN,), cc=(ASSISTANT,), message_id="i@lanhai.example"),
        mail(f"坏了 #broken {MARK}", originator=CHEN, message_id="broken@mingshan.example"),
    )  # fmt: skip
    with office.session() as session:
        asked = session.scalars(select(Record).where(Record.message_id == "a@mingshan.example")).one()
        suppress(session, WANG, "greetings", "opt-out", f"不要祝贺，{MARK}", MONDAY)
        correct_record(session, asked, "stage", "proposal", LILEI, MONDAY)
        client = session.scalars(select(Client).where(Client.id == asked.client_id)).one()
        session.add(StaffNote(dedupe_key="note", kind="complaint", to_address=LILEI, not_before=MONDAY, text=f"{MARK}!",
                              client_id=client.id, created_at=MONDAY))  # fmt: skip
        words = Rendered("本周", f"{client.name}：{MARK}；North：ok", "", "zh-Hans")
        both = StaffMail(
            to_name="李雷", to_address=LILEI, purpose="summary", dedupe_key="both", due_at=MONDAY, rendered=words
        )
        assert queue_staff_mail(session, both, office.workplace.sender, MONDAY) is not None
    office.move(days=4)
    office.workplace.decide_due()
    with office.session() as session:  # as if a nudge had left for them too
        answered = session.scalars(select(Record).where(Record.message_id == "b@lanhai.example")).one()
        to_north = session.scalars(select(OutboxMessage).where(OutboxMessage.audience == "client")).one()
        values = {column.name: getattr(to_north, column.key) for column in OutboxMessage.__table__.columns}
        values |= {
            "id": None,
            "dedupe_key": "nudge",
            "raw": mail(f"{MARK}？", originator=ASSISTANT, to=(CHEN,)),
            "run_id": None,
        }
        values |= {
            "recipients": [CHEN],
            "client_id": answered.client_id,
            "contact_id": answered.contact_id,
            "state": "sent",
        }
        values |= {"project_id": answered.project_id, "thread_id": answered.thread_id, "anchor_record_id": answered.id}
        nudge = OutboxMessage(**values)
        session.add(nudge)
        session.flush()
        office.workplace.keep_sent(session, nudge)
    office.workplace.interpret()
    assert {row.recipients[0] for row in office.outbox()} == {CHEN, ANNA}
    return office


def forgotten(office: Office, which: str, *more: str) -> dict[str, int]:
    outcome = command(office.config_file, "forget", which, "--yes", "--json", *more)
    assert outcome.status == 0, outcome.err
    counts: dict[str, int] = json.loads(outcome.out)
    return counts


def everything(office: Office) -> Iterator[tuple[str, str]]:
    """Every value of every table as text: mail as it reads."""
    from parsers import parse

    database, archive = office.workplace.database, office.workplace.archive
    with database.reading() as session:
        for table in tables_in_order():
            for row in session.execute(select(table)).mappings():
                for name, value in row.items():
                    if isinstance(value, bytes) and name == "raw" and value:
                        yield f"{table.name}.{name}", value.decode("utf-8", "replace") + parse(value).text
                    elif not isinstance(value, bytes):
                        yield f"{table.name}.{name}", json.dumps(value, ensure_ascii=False, default=str)
        for number in session.scalars(select(RawMail.id).where(RawMail.erased_at.is_(None))):
            raw = archive.get(session, number)
            yield f"raw_mail {number}", raw.decode("utf-8", "replace") + parse(raw).text


def where(office: Office, *needles: str) -> list[str]:
    found = [place for place, text in everything(office) if any(needle in text for needle in needles)]
    office.workplace.database.close()
    if not ON_POSTGRESQL:
        files = sorted(office.config_file.parent.glob("assistant.db*"))
        found += [path.name for path in files if any(needle.encode() in path.read_bytes() for needle in needles)]
    return found


def test_of_a_client_nothing_is_left_and_others_keep_all_of_theirs(office: Office) -> None:
    assert len(where(office, MARK, CHEN, WANG, "@mingshan.example")) > 20
    counted = json.loads(command(office.config_file, "forget", "mingshan.example", "--dry-run", "--json").out)
    assert len(where(office, MARK)) > 10
    counts = forgotten(office, "mingshan.example")
    assert counts == counted
    assert (counts["contacts"], counts["projects"], counts["mails_of_ours"], counts["notes"]) == (2, 1, 1, 1)
    assert where(office, MARK, CHEN, WANG, "mingshan", "陈静", "王强") == []
    assert sorted(record.message_id for record in office.records()) == ["n2@lanhai.example", "n@north.example"]
    assert [row.recipients for row in office.outbox()] == [[ANNA]]
    with office.session() as session:
        assert len(session.scalars(select(Client.name)).all()) == 1
        logged = session.scalars(select(AuditEntry).where(AuditEntry.event == "forgotten")).one()
        assert (logged.who, logged.details["records"]) == ("command line", counts["records"])
        hashes = session.scalars(select(Suppression.addr_spec)).all()
        assert all(value.startswith("sha256:") for value in hashes)
        assert len(hashes) == 3
        emptied = session.scalars(select(OutboxMessage).where(OutboxMessage.dedupe_key == "both")).one()
        assert (emptied.raw, emptied.subject) == (b"", "[erased]")


def test_of_a_person_nothing_is_left_and_the_client_stays(office: Office) -> None:
    counts = forgotten(office, WANG)
    assert (counts["contacts"], counts["projects"]) == (1, 0)
    assert where(office, WANG, "王强") == []
    kept = {record.message_id: record for record in office.records()}
    assert {"a@mingshan.example", "b@lanhai.example"} <= kept.keys()
    assert "w@mingshan.example" not in kept
    assert [person[1] for person in kept["b@lanhai.example"].recipients] == [CHEN, ASSISTANT]
    with office.session() as session:
        project = session.scalars(
            select(Project).where(Project.client_id == kept["a@mingshan.example"].client_id)
        ).one()
        assert project.stage == "proposal"
    assert {row.recipients[0] for row in office.outbox()} == {CHEN, ANNA}


def test_the_mailbox_does_not_bring_them_back(office: Office) -> None:
    before = office.workplace.archive
    with office.session() as session:
        first = session.scalars(select(RawMail.id).order_by(RawMail.id)).first()
        assert first is not None
        same_bytes = before.get(session, first)
    forgotten(office, "mingshan.example")
    again = mail(f"请报价，代号{MARK}。", message_id="a@mingshan.example", headers={"Received": "by another path"})
    new = mail(f"我又来了{MARK}", message_id="new@mingshan.example", at=MONDAY + timedelta(days=4))
    ours = mail(f"给您{MARK}", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,), message_id="o@lanhai.example")
    counts = office.hear(same_bytes, again, new, ours, folder="Renumbered")
    assert (counts.logged, counts.quarantined) == (0, 0)
    assert [record for record in office.records() if MARK in record.reply_text] == []
    with office.session() as session:
        seen = session.scalars(select(Location).where(Location.folder == "Renumbered")).all()
        assert {(row.outcome, row.outcome_reason) for row in seen} == {("ignored", "erased")}
        assert len(seen) == 4
        assert session.scalar(select(Contact.id).where(Contact.addr_spec == CHEN)) is None
        unwiped = session.scalars(select(RawMail).where(RawMail.id.in_([row.raw_id for row in seen]))).all()
        assert {row.body for row in unwiped} == {b""}
    workplace = office.workplace
    done = rebuild(workplace.database, interpreting(workplace), office.clock.now())
    assert list(done.differences.sentences()) == []
    assert where(office, MARK, CHEN) == []


def test_mail_to_others_with_them_in_copy_is_logged_without_knowing_them(office: Office) -> None:
    forgotten(office, WANG)
    record = office.log(mail("给两位。", originator=LILEI, to=(CHEN, WANG), cc=(ASSISTANT,), at=office.clock.now()))
    assert record.contact_id is not None
    with office.session() as session:
        assert session.scalar(select(Contact.id).where(Contact.addr_spec == WANG)) is None


def test_they_may_be_known_again_when_they_want_to(office: Office) -> None:
    forgotten(office, "mingshan.example")
    for key in ("mingshan.example", CHEN):
        assert command(office.config_file, "forget", key, "--lift").status == 0
    assert command(office.config_file, "forget", CHEN, "--lift").status == 2
    assert (
        office.hear(mail("我们重新开始吧。#discovery", at=office.clock.now(), message_id="b3@mingshan.example")).logged
        == 1
    )
    with office.session() as session:
        assert session.scalar(select(Contact.id).where(Contact.addr_spec == CHEN)) is not None


def asked(office: Office, *words: str) -> CommandOutcome:
    return command(office.config_file, "forget", *words, reader=lambda *_: TaggedReader())


def test_nothing_is_erased_by_mistake(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    unknown = asked(office, "nobody.example", "--yes")
    assert (unknown.status, "no client" in unknown.err) == (2, True)
    assert asked(office, "mingshan.example").status == 2  # nobody is there to be asked
    assert len(where(office, MARK)) > 10


def test_a_backup_made_before_does_not_bring_them_back(office: Office, tmp_path: Path) -> None:
    workplace, backup = office.workplace, tmp_path / "backup"
    database, archive, ours, now = workplace.database, workplace.archive, our_addresses(workplace), office.clock.now()
    back_up(database, backup, now)
    for which in (WANG, "mingshan.example"):
        erase(database, archive, which, ours, "test", now)
    database.close()
    place = workplace.config.store.url
    restore(
        backup,
        lambda: open_database(place, tmp_path),
        now,
        force=True,
        after=lambda fresh, old: forget_again(fresh, old, archive, ours, now),
    )
    for aside in tmp_path.glob("assistant.db.replaced*"):
        aside.unlink()
    assert where(office, MARK, CHEN, WANG) == []
    assert len(office.records()) == 2


def test_a_daemon_that_runs_meanwhile_goes_on_without_them(office: Office) -> None:
    workplace = office.workplace
    workplace.plan(in_turns=True)
    forgotten(office, "mingshan.example")  # by another process
    office.move(days=1)
    workplace.interpret()
    workplace.decide_due()
    workplace.plan(in_turns=True)
    workplace.plan()
    assert [row.recipients for row in office.outbox()] == [[ANNA]]


def test_what_people_said_of_them_and_whom_they_were_imitated_by_is_neither_told_nor_said_again(office: Office) -> None:
    office.hear(mail("请付新账户。", originator="chen@rningshan.example", subject="换账户", at=office.clock.now()))
    office.hear(bounce(CHEN, at=office.clock.now(), reporter="postmaster@evil.example", subject="x"))
    for words in (("add", "Tea.example", "--name", "茶行"), ("merge", "tea.example", "mingshan.example")):
        assert command(office.config_file, "clients", *words).status == 0
    forgotten(office, "mingshan.example")
    assert where(office, CHEN, "mingshan.example", "茶行") == []
    office.workplace.plan()
    done = rebuild(office.workplace.database, interpreting(office.workplace), office.clock.now(), check=True)
    assert done.problems == ()
    said = command(office.config_file, "message", "believe", str(office.records()[-1].id))
    assert said.status == 2
