"""Importing history: complete, the same in any order and any number of times, and without a mail for it."""

from __future__ import annotations

import json
import mailbox as mailboxes
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from assistant.daemon import Passes
from assistant.intake.history import HistoricMail, keep_history
from assistant.rehearsal import NoteTaker
from assistant.store.tables import Location, Project, StageChange
from tests.offices import (
    ASSISTANT,
    CHEN,
    HAN,
    LILEI,
    MONDAY,
    WANG,
    Office,
    TaggedReader,
    command,
    mail,
    open_office,
    write_config,
)

STRANGER = "megan@hartleaf.example"


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


HISTORY = (
    mail("请报价。#discovery", message_id="1@mingshan.example"),
    mail("方案附上。#proposal", originator=LILEI, to=(CHEN,), at=MONDAY + hours(2), message_id="2@lanhai.example", answers=("1@mingshan.example",)),
    mail("我是同事。", originator=WANG, at=MONDAY + hours(4), message_id="3@mingshan.example", answers=("1@mingshan.example", "2@lanhai.example")),
    mail("确认。#approval #agreement", at=MONDAY + hours(30), message_id="4@mingshan.example", answers=("2@lanhai.example",)),
    mail("We need a quote. #discovery", subject="Launch", originator=STRANGER, at=MONDAY + hours(5), message_id="5@hartleaf.example"),
    mail("你来？", originator=LILEI, to=(HAN,), cc=(ASSISTANT,), at=MONDAY + hours(6), message_id="6@lanhai.example", answers=("5@hartleaf.example",)),
    mail("Here it is. #proposal", subject="Re: Launch", originator=HAN, to=(STRANGER,), at=MONDAY + hours(7), message_id="7@lanhai.example", answers=("5@hartleaf.example",)),
    mail("本周新闻", subject="News", originator="news@trade.example", at=MONDAY + hours(8), message_id="8@trade.example", headers={"List-Id": "<n.trade.example>"}),
    mail("开工了。#execution", subject="包装设计", originator=LILEI, to=(CHEN,), at=MONDAY + hours(50), message_id="9@lanhai.example"),
)  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What matters of an installation, without numbers that depend on the order of arrival."""

    labels: frozenset[tuple[str, str, str, str, str]]
    threads: frozenset[frozenset[str]]
    clients: frozenset[frozenset[str]]
    projects: frozenset[frozenset[str]]
    stages: frozenset[tuple[frozenset[str], str, str]]


def seen(office: Office) -> Seen:
    threads, clients, projects = defaultdict(set), defaultdict(set), defaultdict(set)
    records = office.records()
    for record in records:
        threads[record.thread_id].add(record.message_id)
        clients[record.client_id].add(record.message_id)
        projects[record.project_id].add(record.message_id)
    with office.session() as session:
        stages = {
            (frozenset(projects[project.id]), project.stage, project.waiting_on)
            for project in session.scalars(select(Project))
        }
    return Seen(
        frozenset((item.message_id, item.direction, item.kind, item.stage, item.waiting_on) for item in records),
        frozenset(frozenset(group) for group in threads.values()),
        frozenset(frozenset(group) for group in clients.values()),
        frozenset(frozenset(group) for group in projects.values()),
        frozenset(stages),
    )


def imported(folder: Path, mails: Sequence[bytes]) -> Office:
    office = open_office(write_config(folder), now=MONDAY + timedelta(days=4))
    take_in(office, mails)
    return office


def take_in(office: Office, mails: Sequence[bytes]) -> None:
    workplace = office.workplace
    keep_history(
        workplace.database, workplace.archive, workplace.clock, [HistoricMail(raw, None) for raw in mails], None
    )
    workplace.interpret()


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return seen(imported(tmp_path_factory.mktemp("in-order"), HISTORY))


def test_history_is_what_it_was(in_order: Seen) -> None:
    def ids(*numbers: int) -> frozenset[str]:
        found = {identifier for identifier, *_ in in_order.labels}
        return frozenset(identifier for identifier in found if int(identifier.partition("@")[0]) in numbers)

    assert in_order.threads == {ids(1, 2, 3, 4), ids(5, 6, 7), ids(8), ids(9)}
    assert in_order.clients == {ids(1, 2, 3, 4, 9), ids(5, 6, 7), ids(8)}


@settings(max_examples=8)
@given(order=st.permutations(range(len(HISTORY))))
def test_any_order_gives_the_same(order: list[int], in_order: Seen, tmp_path_factory: pytest.TempPathFactory) -> None:
    office = imported(tmp_path_factory.mktemp("shuffled"), [HISTORY[number] for number in order])
    assert seen(office) == in_order
    office.workplace.database.close()


def test_threads_clients_and_stages_do_not_depend_on_when_a_message_is_read(tmp_path: Path, in_order: Seen) -> None:
    """One at a time, the last first: what was read before its beginnings is put right when they come."""
    office = open_office(write_config(tmp_path), now=MONDAY + timedelta(days=4))
    for raw in reversed(HISTORY):
        take_in(office, [raw])
    assert seen(office) == in_order


def test_importing_twice_changes_nothing(tmp_path: Path, in_order: Seen) -> None:
    office = imported(tmp_path, HISTORY)
    shuffled = list(HISTORY)
    random.Random(7).shuffle(shuffled)
    take_in(office, shuffled)
    assert seen(office) == in_order
    with office.session() as session:
        assert len(session.scalars(select(Location)).all()) == len(HISTORY)


def test_an_import_that_was_interrupted_is_finished_by_the_next(tmp_path: Path, in_order: Seen) -> None:
    office = open_office(write_config(tmp_path), now=MONDAY + timedelta(days=4))
    take_in(office, HISTORY[:4])
    take_in(office, HISTORY)
    assert seen(office) == in_order


def test_the_history_of_stages_is_kept_with_its_evidence(tmp_path: Path) -> None:
    office = imported(tmp_path, HISTORY)
    with office.session() as session:
        steps = session.scalars(select(StageChange).order_by(StageChange.project_id, StageChange.at)).all()
    assert [(step.from_stage, step.to_stage) for step in steps][:3] == [
        ("", "discovery"),
        ("discovery", "proposal"),
        ("proposal", "agreement"),
    ]
    assert "方案附上" in steps[1].evidence


def test_history_starts_nothing(tmp_path: Path) -> None:
    """Not a mail to a client, however long the daemon runs afterwards."""
    office = imported(tmp_path, HISTORY)
    passes = Passes(office.workplace, None, office.workplace.delivery(NoteTaker()))
    for _ in range(15):
        office.move(days=1)
        passes.whole()
    passes.close()
    assert [row for row in office.outbox() if row.purpose == "follow-up"] == []


# --- the command -----------------------------------------------------------------------------------------------------


def _sources(folder: Path) -> list[Path]:
    """The same history as mbox, as Maildir and as single files."""
    folder.mkdir()
    mbox = mailboxes.mbox(folder / "history.mbox")
    for raw in HISTORY[:3]:
        mbox.add(raw)
    mbox.close()
    maildir = mailboxes.Maildir(folder / "maildir")
    for raw in HISTORY[3:6]:
        maildir.add(raw)
    maildir.close()
    letters = folder / "letters"
    letters.mkdir()
    for number, raw in enumerate(HISTORY[6:]):
        (letters / f"{number}.eml").write_bytes(raw)
    return [folder / "history.mbox", folder / "maildir", letters]


def test_the_command_reads_every_kind_of_file_once(tmp_path: Path, in_order: Seen) -> None:
    config = write_config(tmp_path / "agency")
    paths = [str(path) for path in _sources(tmp_path / "files")]
    office = open_office(config, now=MONDAY + timedelta(days=4))
    first = command(config, "import", "--json", *paths, reader=lambda *_: TaggedReader())
    assert first.status == 0, first.err
    counts = json.loads(first.out)
    assert (counts["read"], counts["new"], counts["logged"], counts["problems"]) == (9, 9, 9, 0)
    again = json.loads(command(config, "import", "--json", *paths, reader=lambda *_: TaggedReader()).out)
    assert (again["read"], again["new"], again["known"], again["logged"]) == (9, 0, 9, 0)
    assert seen(office).threads == in_order.threads
    assert {record.may_start for record in office.records()} == {False}


def test_a_path_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    outcome = command(write_config(tmp_path), "import", str(tmp_path / "nothing.mbox"))
    assert outcome.status == 2
    assert "nothing.mbox" in outcome.err


def test_files_without_a_word_are_no_mail_and_named(tmp_path: Path) -> None:
    config = write_config(tmp_path / "agency")
    for name, raw in (("a", b""), ("b", b" \r\n\r\n"), ("c", b"\0" * 4096), ("d", HISTORY[0])):
        (tmp_path / f"{name}.eml").write_bytes(raw)
    outcome = command(config, "import", "--json", str(tmp_path), reader=lambda *_: TaggedReader())
    counts = json.loads(outcome.out)
    assert (outcome.status, counts["read"], counts["logged"], counts["problems"]) == (1, 1, 1, 3)
    assert f"passed over: {tmp_path / 'a.eml'} is empty" in outcome.err
    assert len(open_office(config).records()) == 1
