"""Mail interpreted a batch at a time, with a process beside or without, is what it would be message by message."""

from __future__ import annotations

import json
import os
import random
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select

from assistant import daemon
from assistant.intake import pipeline, reading_ahead
from assistant.intake.history import HistoricMail, keep_history
from assistant.intake.pipeline import Intake, IntakeCounts
from assistant.rehearsal import NoteTaker
from assistant.store.tables import Base, Location
from tests.offices import (
    ASSISTANT,
    CHEN,
    HAN,
    LILEI,
    MONDAY,
    WANG,
    Office,
    TaggedReader,
    absence,
    bounce,
    mail,
    open_office,
    write_config,
)

STRANGERS = ("megan@hartleaf.example", "ajie.tea@qq.com", "sales@printer.example", "zhou@other.example")
CLIENTS = (CHEN, WANG, *STRANGERS)
SUBJECTS = ("新茶上市", "包装设计", "Launch film", "Re: Launch film", "回复：包装设计", "")
TAGS = (
    "#discovery",
    "#proposal",
    "#agreement #approval",
    "#execution",
    "#complaint",
    "#satisfaction",
    "#unrelated",
    "",
)
_NOT_COMPARED = {"created_at", "logged_at", "kept_at", "since", "at"}
"""Times of the clock."""
_NAMING_RECORDS = {"outcome_reason", "settled_by", "dedupe_key"}
"""Words with the number of a record in them."""


def mailbox(seed: int, count: int, broken: float = 0.0) -> list[bytes]:
    """A mixed history: clients, strangers, colleagues, lost and merging references, duplicates, bounces, machines."""
    chance = random.Random(seed)
    ids: list[str] = []
    mails: list[bytes] = []
    for number in range(count):
        at = MONDAY + timedelta(minutes=30 * number)
        kind = chance.random()
        if kind < 0.04:
            mails.append(bounce(chance.choice(CLIENTS), at=at))
        elif kind < 0.08:
            mails.append(absence(chance.choice(CLIENTS), at=at))
        elif kind < 0.12 and mails:
            mails.append(b"Received: from a by b; Mon, 2 Mar 2026 02:00:00 +0000\r\n" + chance.choice(mails))
        else:
            mails.append(_letter(chance, number, ids, broken))
    return mails


def _letter(chance: random.Random, number: int, ids: list[str], broken: float) -> bytes:
    client = chance.choice(CLIENTS)
    ours = chance.random() < 0.4
    answers = chance.sample(ids, min(len(ids), chance.choice((0, 1, 1, 2))))
    identifier = f"{number}.{chance.randrange(10**6)}@mail.example"
    ids.append(identifier)
    text = f"第{number}封 {chance.choice(TAGS)} {chance.choice(('好的', 'Please send the deck', '请看附件'))}"
    if chance.random() < broken:
        text += " #broken"
    return mail(
        text,
        subject=chance.choice(SUBJECTS),
        originator=chance.choice((LILEI, HAN)) if ours else client,
        to=(client,) if ours else (ASSISTANT,),
        cc=(ASSISTANT, chance.choice(CLIENTS)) if chance.random() < 0.3 else (ASSISTANT,),
        at=MONDAY + timedelta(minutes=30 * number),
        message_id=identifier,
        answers=answers,
    )


_NUMBERS_OF_NO_MEANING = {"stage_change", "sign_off", "open_item", "audit"}
"""Tables whose rows nothing refers to: in which order a batch writes them does not matter."""


def everything(office: Office) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, but when it was written; numbers are ranks, since PostgreSQL leaves gaps between them."""
    with office.session() as session:
        rows = {table: session.execute(select(table)).mappings().all() for table in Base.metadata.sorted_tables}
    ranks = {
        table: {number: rank for rank, number in enumerate(sorted(row["id"] for row in rows[table]))}
        for table in rows
        if "id" in table.c
    }
    return {
        table.name: sorted(
            ({key: _told(table, key, value, ranks) for key, value in row.items()} for row in found), key=repr
        )
        for table, found in rows.items()
    }


def _told(table: Table, key: str, value: Any, ranks: dict[Table, dict[int, int]]) -> Any:
    if key in _NOT_COMPARED or (key == "id" and table.name in _NUMBERS_OF_NO_MEANING):
        return None
    if key in _NAMING_RECORDS:
        return re.sub(r"\d+", "#", value) if value else value
    target = table if key == "id" else next((link.column.table for link in table.c[key].foreign_keys), None)
    if key == "waiting_record_id":
        target = Base.metadata.tables["record"]
    return value if value is None or target is None else ranks[target].get(value, value)


def keep(office: Office, mails: Sequence[bytes]) -> None:
    workplace = office.workplace
    history = (HistoricMail(raw, None) for raw in mails)
    keep_history(workplace.database, workplace.archive, workplace.clock, history, None)


def interpreted(
    folder: Path, mails: Sequence[bytes], run: Callable[[Intake], IntakeCounts] = Intake.run
) -> tuple[dict[str, list[dict[str, Any]]], IntakeCounts]:
    office = open_office(write_config(folder), now=MONDAY + timedelta(days=9))
    keep(office, mails)
    counts = run(office.workplace.intake)
    found = everything(office)
    office.workplace.database.close()
    return found, counts


def message_by_message(intake: Intake) -> IntakeCounts:
    """The careful way only: each message in a savepoint of its own."""

    def undone(*_arguments: object) -> IntakeCounts:
        raise pipeline._BrokenMessageError

    intake._in_one_go = undone  # type: ignore[assignment]  # the quick way is taken out of it
    return intake.run()


def one_at_a_time(intake: Intake) -> IntakeCounts:
    """Each message in a transaction of its own, as a daemon hears the day's mail."""
    counts = IntakeCounts()
    while (done := intake.run(limit=1)).total:
        counts = counts + done
    return counts


@pytest.mark.parametrize(("seed", "broken"), [(1, 0.0), (2, 0.0), (3, 0.04)])
def test_a_batch_is_what_its_messages_are_one_by_one(seed: int, broken: float, tmp_path: Path) -> None:
    mails = mailbox(seed, 50, broken)
    at_once, counts = interpreted(tmp_path / "at-once", mails)
    carefully, _ = interpreted(tmp_path / "carefully", mails, message_by_message)
    assert (counts.quarantined > 0) == (broken > 0)
    for table in at_once:
        assert at_once[table] == carefully[table], table
    singly, singly_counts = interpreted(tmp_path / "singly", mails, one_at_a_time)
    assert counts.total == singly_counts.total
    for table in at_once:
        assert at_once[table] == singly[table], table


@pytest.fixture
def long_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run is a long one, in small parts."""
    monkeypatch.setattr(pipeline, "_LONG_RUN", 1)
    monkeypatch.setattr(pipeline, "_BATCH", 16)
    monkeypatch.setattr(pipeline, "_BATCH_OF_A_LONG_RUN", 16)
    monkeypatch.setattr(reading_ahead, "_AT_ONCE", 4)


def beside(office: Office, make_reader: Callable[[], TaggedReader]) -> Intake:
    """The office's intake with a process beside, which has loaded its reader."""
    intake = office.workplace.intake
    intake._make_reader = make_reader
    intake._ahead.start_process(make_reader)
    process = intake._ahead._process
    assert process is not None
    process._loaded.result(60)
    return intake


@pytest.mark.usefixtures("long_runs")
def test_a_process_beside_changes_nothing(tmp_path: Path) -> None:
    mails = mailbox(11, 60, 0.02)
    office = open_office(write_config(tmp_path / "beside"), now=MONDAY + timedelta(days=9))
    keep(office, mails)
    counts = beside(office, TaggedReader).run()
    alone, alone_counts = interpreted(tmp_path / "alone", mails)
    assert counts.total == alone_counts.total
    assert everything(office) == alone


class Deadly(TaggedReader):
    """Ends its process at a certain text, as a crash in a library would."""

    def prepare(self, texts: Sequence[Any]) -> Sequence[object]:
        if any("第20封" in item.text for item in texts):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().prepare(texts)


@pytest.mark.usefixtures("long_runs")
def test_a_process_that_dies_loses_nothing(tmp_path: Path) -> None:
    mails = mailbox(12, 60)
    office = open_office(write_config(tmp_path / "beside"), now=MONDAY + timedelta(days=9))
    keep(office, mails)
    intake = beside(office, Deadly)
    intake.run()
    alone, _ = interpreted(tmp_path / "alone", mails)
    assert everything(office) == alone


def test_stopping_leaves_the_rest_pending_and_the_next_run_finishes(tmp_path: Path) -> None:
    mails = mailbox(13, 60)
    office = open_office(write_config(tmp_path / "stopped"), now=MONDAY + timedelta(days=9))
    keep(office, mails)
    asked = iter(range(1000))
    first = office.workplace.intake.run(stop=lambda: next(asked) > 25)
    assert 0 < first.total < len(mails)
    with office.session() as session:
        outcomes = session.scalars(select(Location.outcome)).all()
    assert outcomes.count("pending") == len(mails) - first.total
    office.workplace.intake.run()
    alone, _ = interpreted(tmp_path / "alone", mails)
    assert everything(office) == alone


def test_what_another_process_interpreted_meanwhile_is_left_alone(tmp_path: Path) -> None:
    """Between reading a batch and writing it nothing is locked."""
    office = open_office(write_config(tmp_path), now=MONDAY + timedelta(days=9))
    keep(office, mailbox(14, 10))
    intake = office.workplace.intake
    batch = next(_batches(intake))
    assert intake.run().total == 10
    assert intake._write(batch, lambda: False).total == 0
    assert len(office.records()) <= 10


def _batches(intake: Intake) -> Iterator[Any]:
    return intake._batches(None, lambda: False)


def test_a_run_that_has_a_little_time_does_a_batch_and_says_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "_BATCH", 16)
    office = open_office(write_config(tmp_path), now=MONDAY + timedelta(days=9))
    keep(office, mailbox(15, 40))
    left = []
    while True:
        done = office.workplace.interpret(seconds=0.0).total
        left.append((done, office.workplace.intake.backlog))
        if not office.workplace.intake.backlog:
            break
    assert left == [(16, 24), (16, 8), (8, 0)]


def test_while_a_daemon_catches_up_it_shows_signs_of_life_and_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever answered may be among the mail that is still to be read."""
    monkeypatch.setattr(pipeline, "_BATCH", 16)
    monkeypatch.setattr(daemon, "_INTERPRETING_SECONDS", 0.0)
    office = open_office(write_config(tmp_path), now=MONDAY + timedelta(days=9))
    keep(office, mailbox(15, 40))
    health = tmp_path / "health.json"
    passes = daemon.Passes(office.workplace, None, office.workplace.delivery(NoteTaker()))
    running = daemon.Daemon(office.workplace, passes, health)
    decided: list[bool] = []
    monkeypatch.setattr(office.workplace, "decide_due", lambda: decided.append(True))
    waiting = []
    for _ in range(3):
        running._attempt()
        running._write_health()
        waiting.append(json.loads(health.read_text(encoding="utf-8"))["waiting_to_be_read"])
        assert (running._pause() == 0.0) == bool(waiting[-1])
    assert waiting == [24, 8, 0]
    assert decided == [True]
    passes.close()
