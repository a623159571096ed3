"""A message that breaks a phase: kept whole, the others go on, and it can be tried again."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.errors import StoreUnavailable
from assistant.intake.careful import MOST_DEATHS
from assistant.store.tables import Location, Quarantine
from tests.offices import CHEN, LILEI, MONDAY, Office, TaggedReader, command, id_of, mail, open_office, write_config

BROKEN = mail("这封信 #broken", message_id="broken@mingshan.example", at=MONDAY + timedelta(minutes=1))


@pytest.fixture
def reader() -> TaggedReader:
    return TaggedReader()


@pytest.fixture
def office(tmp_path: Path, reader: TaggedReader) -> Office:
    return open_office(write_config(tmp_path), reader, MONDAY + timedelta(days=1))


def in_quarantine(office: Office) -> list[Quarantine]:
    with office.session() as session:
        return list(session.scalars(select(Quarantine).where(Quarantine.settled_at.is_(None))))


def test_the_rest_goes_on(office: Office) -> None:
    counts = office.hear(
        mail("第一封"), BROKEN, mail("第三封", at=MONDAY + timedelta(minutes=2), answers=("broken@mingshan.example",))
    )
    assert (counts.logged, counts.quarantined) == (2, 1)
    assert [record.reply_text for record in office.records()] == ["第一封", "第三封"]


def test_phase_reason_and_raw_bytes_are_kept(office: Office) -> None:
    office.hear(BROKEN)
    (row,) = in_quarantine(office)
    assert (row.phase, row.attempts) == ("understand", 1)
    assert "a text that breaks the reader" in row.reason
    with office.session() as session:
        assert office.workplace.archive.get(session, row.raw_id) == BROKEN


def test_nothing_half_done_is_left(office: Office) -> None:
    office.hear(BROKEN)
    assert office.records() == []
    assert office.clients() == []
    assert office.workplace.interpret().total == 0, "it is not tried again by itself"


def test_a_retry_that_fails_again_counts(office: Office) -> None:
    office.hear(BROKEN)
    (row,) = in_quarantine(office)
    assert office.workplace.intake.retry(row.id).quarantined == 1
    assert [row.attempts for row in in_quarantine(office)] == [2]


def test_a_retry_that_works_settles_it(office: Office, reader: TaggedReader) -> None:
    office.hear(BROKEN)
    (row,) = in_quarantine(office)
    reader.broken = False
    assert office.workplace.intake.retry(row.id).logged == 1
    assert in_quarantine(office) == []
    (record,) = office.records()
    assert record.message_id == id_of(BROKEN)
    with office.session() as session:
        assert set(session.scalars(select(Location.outcome))) == {"logged"}


def test_a_copy_that_goes_through_takes_the_other_out_of_quarantine(office: Office, reader: TaggedReader) -> None:
    office.hear(BROKEN)
    reader.broken = False
    counts = office.hear(BROKEN, folder="Clients")
    assert (counts.logged, counts.duplicate) == (1, 1)
    assert in_quarantine(office) == []
    assert len(office.records()) == 1


def test_bytes_that_are_a_record_already_are_under_no_suspicion(office: Office) -> None:
    """A process that is killed again and again while it tries a suspect says nothing about mail that went through."""
    office.hear(raw := mail("第一封"))
    office.keep(raw, folder="Clients")
    with office.session() as session:
        copy = max(session.scalars(select(Location.id)))
    marker = json.dumps({"at": [copy], "deaths": {str(copy): MOST_DEATHS}})
    (office.config_file.parent / ".reading-1-1").write_text(marker)
    again = open_office(office.config_file, TaggedReader(), MONDAY + timedelta(days=1))
    assert again.workplace.interpret().duplicate == 1
    assert in_quarantine(again) == []


def test_the_commands_list_and_retry(office: Office, reader: TaggedReader) -> None:
    office.hear(BROKEN)
    listed = command(office.config_file, "quarantine", "--json")
    assert listed.status == 0
    assert '"phase": "understand"' in listed.out
    again = command(office.config_file, "message", "retry", "1", reader=lambda *_: reader)
    assert again.status == 1, again.err
    reader.broken = False
    assert command(office.config_file, "message", "retry", "1", reader=lambda *_: reader).status == 0
    assert command(office.config_file, "quarantine", "--json").out == ""
    assert command(office.config_file, "message", "retry", "99", reader=lambda *_: reader).status == 2


def test_a_decision_that_breaks_loses_neither_record_nor_mail(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Phase 8 is part of the message's transaction: it is quarantined whole and comes through later whole."""

    def broken(*_arguments: object) -> None:
        raise LookupError("a rule that breaks")

    monkeypatch.setattr(office.workplace, "decide_project", broken)
    counts = office.hear(mail("方案附上。#proposal", originator=LILEI, to=(CHEN,)))
    assert counts.quarantined == 1
    assert [row.phase for row in in_quarantine(office)] == ["decide"]
    assert office.records() == []
    monkeypatch.undo()
    (row,) = in_quarantine(office)
    assert office.workplace.intake.retry(row.id).logged == 1


@pytest.mark.sqlite_file
def test_a_full_disk_is_no_fault_of_the_message(office: Office) -> None:
    """Nothing is quarantined for it: with space again, everything comes through."""
    mails = [mail(f"第{number}封：{'长' * 3000}", at=MONDAY + timedelta(minutes=number)) for number in range(40)]
    office.keep(*mails)

    def pages(limit: str) -> None:
        with office.session() as session:
            session.connection().exec_driver_sql(f"PRAGMA max_page_count = {limit}")

    with office.session() as session:
        used = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
    pages(str(used + 4))
    with pytest.raises(StoreUnavailable, match="full"):
        office.workplace.interpret()
    pages("1073741823")
    assert office.workplace.interpret().logged == len(mails)
    assert in_quarantine(office) == []


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n \t", b"\0" * 5_000])
def test_a_message_without_a_word_or_a_header_is_no_record(office: Office, raw: bytes) -> None:
    counts = office.hear(raw, mail("第二封"))
    assert (counts.logged, counts.quarantined) == (1, 1)
    (row,) = in_quarantine(office)
    assert (row.phase, "the message is empty" in row.reason) == ("parse", True)
    assert len(office.records()) == 1
