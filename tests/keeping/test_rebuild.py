"""Raw mail, corrections and decisions are enough: everything else comes out the same when it is made anew."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from assistant.intake.corrections import correct_record
from assistant.keeping.rebuild import Rebuilt, rebuild
from assistant.store.audit import erasing_from_audit
from assistant.store.snapshot import table_digests
from assistant.store.tables import (
    AuditEntry,
    Client,
    Location,
    OpenItem,
    Project,
    Quarantine,
    Record,
    SignOff,
    StageChange,
    Thread,
)
from assistant.upkeep import interpreting
from tests.offices import (
    ASSISTANT,
    CHEN,
    LILEI,
    MONDAY,
    Office,
    TaggedReader,
    absence,
    command,
    mail,
    open_office,
    write_config,
)


def anew(office: Office, *, check: bool = False) -> Rebuilt:
    workplace = office.workplace
    return rebuild(workplace.database, interpreting(workplace), office.clock.now(), check=check)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Two clients, three projects, an absence, a broken mail, a duplicate, mail in instalments, a nudge that waits."""
    office = open_office(write_config(tmp_path))
    ask = mail("请报价。#discovery", message_id="a@mingshan.example", at=MONDAY - timedelta(hours=5))
    office.hear(ask, mail("坏了 #broken", originator="x@broken.example", message_id="x@broken.example"))
    office.move(minutes=10)
    office.hear(
        ask,
        mail("方案附上。#proposal", originator=LILEI, to=(CHEN,), cc=(ASSISTANT,), message_id="b@lanhai.example",
             at=MONDAY - timedelta(hours=4), answers=("a@mingshan.example",)),
        folder="Archive",
    )  # fmt: skip
    office.move(hours=1)
    office.hear(
        mail("我们要做春季活动。#discovery #change_request #complaint", subject="春季活动", originator="su@river.example",
             message_id="c@river.example", at=MONDAY),
        absence(CHEN, at=MONDAY + timedelta(minutes=20), answers=("b@lanhai.example",)),
        mail("好的，同意。#proposal #approval", originator="su@river.example", subject="Re: 春季活动",
             message_id="d@river.example", at=MONDAY + timedelta(hours=1), answers=("c@river.example",)),
    )  # fmt: skip
    office.hear(
        mail("有什么想法？#discovery", originator="an@lake.example", message_id="f@lake.example"),
        mail("方案来了。#proposal", originator=LILEI, to=("an@lake.example",), cc=(ASSISTANT,), at=office.clock.now(),
             message_id="g@lanhai.example", answers=("f@lake.example",)),
    )  # fmt: skip
    office.move(days=4)
    office.workplace.decide_due()
    assert [row.state for row in office.outbox()] == ["queued"]
    return office


def test_made_anew_it_is_the_same_in_every_row(office: Office) -> None:
    before = table_digests(office.workplace.database)
    done = anew(office)
    assert list(done.differences.sentences()) == []
    assert (done.messages, done.problems, done.stayed) == (9, (), 0)
    assert table_digests(office.workplace.database) == before


def test_after_corrections_and_merges_too(office: Office) -> None:
    with office.session() as session:
        asked = session.scalars(select(Record).where(Record.message_id == "c@river.example")).one()
        for field, value in (("stage", "agreement"), ("project", "new"), ("intents", "complaint")):
            correct_record(session, asked, field, value, LILEI, office.clock.now())
    office.move(hours=1)
    office.hear(
        mail("还有一件事。", subject="Re: 春季活动", originator="su@river.example", message_id="e@river.example",
             at=office.clock.now(), answers=("d@river.example",))
    )  # fmt: skip
    assert command(office.config_file, "clients", "merge", "river.example", "mingshan.example").status == 0
    assert command(office.config_file, "clients", "set", "mingshan.example", "--domain", "hills.example").status == 0
    with office.session() as session:  # as people leave things
        session.execute(
            update(Project).where(Project.name == "春季活动").values(owner="han@lanhai.example", tags=["big"])
        )
        session.execute(update(OpenItem).values(settled_at=office.clock.now(), settled_by=LILEI))
        moment = office.clock.now() + timedelta(days=400)  # the command's clock was the machine's
        with erasing_from_audit(session, "test", "client:1", moment):
            session.execute(update(AuditEntry).where(AuditEntry.subject.startswith("client:")).values(at=moment))
    before = table_digests(office.workplace.database)
    done = anew(office)
    assert list(done.differences.sentences()) == []
    assert table_digests(office.workplace.database) == before


def test_what_was_damaged_comes_back_and_nothing_is_ordered(office: Office) -> None:
    whole = table_digests(office.workplace.database)
    with office.session() as session:
        session.execute(delete(StageChange))
        session.execute(delete(SignOff))
        session.execute(delete(OpenItem))
        session.execute(update(Record).values(stage="closing", waiting_on="nobody", summary=""))
        session.execute(update(Project).values(stage="closing", waiting_on="us"))
        session.execute(update(Thread).values(subject="?"))
    checked = anew(office, check=True)
    assert checked.differences.count > 8
    assert {row["outcome"] for row in _locations(office)} == {"logged", "duplicate", "quarantined"}
    done = anew(office)
    assert done.differences.count == checked.differences.count
    after = table_digests(office.workplace.database)
    same = {name for name in whole if whole[name] == after[name]}
    # ids of what hangs on records may be new after they were deleted; everything that others refer to is as it was
    assert {"record", "project", "thread", "thread_key", "location", "client", "contact"} <= same
    assert {"outbox", "cadence_run", "staff_note", "suppression", "raw_mail", "correction"} <= same
    assert anew(office, check=True).differences.count == 0
    with office.session() as session:
        entries = session.scalars(select(AuditEntry.event).order_by(AuditEntry.id.desc()).limit(1)).all()
    assert entries == ["rebuilt"]


def _locations(office: Office) -> list[dict[str, str]]:
    with office.session() as session:
        return [{"outcome": row.outcome} for row in session.scalars(select(Location))]


def test_a_better_reader_says_otherwise_and_what_was_broken_goes_through(office: Office) -> None:
    reader = office.workplace.reader
    assert isinstance(reader, TaggedReader)
    reader.broken = False
    done = anew(office)
    assert [row["message_id"] for row in done.differences.added["record"]] == ["x@broken.example"]
    with office.session() as session:
        broken = session.scalars(select(Quarantine)).one()
        assert broken.settled_at is not None
        assert session.get_one(Location, broken.location_id).outcome == "logged"
        assert session.scalar(select(Client.name).where(Client.name.contains("broken", autoescape=True))) is not None
    reader.broken = True
    anew(office)
    with office.session() as session:
        assert session.scalars(select(Quarantine)).one().settled_at is None
    assert [record.message_id for record in office.records() if "broken" in record.message_id] == []


def test_a_record_of_something_else_than_mail_stays_and_counts(office: Office) -> None:
    with office.session() as session:
        asked = session.scalars(select(Record).where(Record.message_id == "d@river.example")).one()
        values = {column.name: getattr(asked, column.key) for column in Record.__table__.columns}
        at = office.clock.now()
        values |= {"id": None, "raw_id": None, "channel": "phone", "message_id": "call-1@lanhai.example"}
        values |= {"sent_at": at, "received_at": at, "logged_at": at, "stage": "execution"}
        session.add(Record(**values))
        session.execute(update(Project).where(Project.id == asked.project_id).values(stage="execution"))
    done = anew(office)
    assert "record" not in done.differences.removed
    assert [record.channel for record in office.records()].count("phone") == 1
    with office.session() as session:
        assert session.get_one(Project, asked.project_id or 0).stage == "execution"
    assert anew(office, check=True).differences.count == 0


def test_mail_that_comes_in_meanwhile_stops_it_unharmed(office: Office) -> None:
    from assistant.errors import WrongUse

    with office.session() as session:
        session.execute(update(Record).values(summary="?"))
    started = False

    def meanwhile(_done: int, _all: int) -> None:
        nonlocal started
        if not started:
            started = True
            office.keep(mail("我来晚了。", message_id="late@mingshan.example"))

    workplace = office.workplace
    with pytest.raises(WrongUse, match="stop the assistant"):
        rebuild(workplace.database, interpreting(workplace), MONDAY, progress=meanwhile)
    assert {record.summary for record in office.records()} == {"?"}


def test_the_command_prints_what_differs_and_says_so_by_its_status(office: Office) -> None:
    first = min(record.id for record in office.records())
    with office.session() as session:
        session.execute(update(Record).where(Record.id == first).values(stage="closing"))
    office.workplace.database.close()
    reader = lambda *_: TaggedReader()  # noqa: E731  # a maker, as short as it is
    checked = command(office.config_file, "rebuild", "--check", reader=reader)
    assert (checked.status, checked.out) == (1, f"record {first}: stage closing → discovery\n")
    done = command(office.config_file, "rebuild", "--json", reader=reader)
    assert json.loads(done.out)["changed"] == {"record": 1}
    assert command(office.config_file, "rebuild", "--check", reader=reader).status == 0
    assert [row.state for row in office.outbox()] == ["queued"]
