"""No question of the daily work reads a whole table: what one costs does not grow with the archive.

The same days are lived with a small archive and with one six times as large, in both of which every client has the
same mail. SQLite counts the steps of each statement: that is the same on every machine, under every load.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import event

from assistant.intake.corrections import correct_record
from assistant.planned import plan
from assistant.store.tables import Record
from tests.databases import SQLITE
from tests.offices import ASSISTANT, LILEI, NAMES, Office, absence, bounce, mail, open_office, write_config
from tests.outbox.rows import deliver, delivery
from tests.servers.smtp_sink import SmtpSink
from tests.store.archive import fill, person, youngest_threads

CLIENTS = 30
LARGER = 6
_COUNTED_BY = 20
"""Steps of SQLite's machine between two looks at the counter."""
_ALLOWED = 400
"""Steps by which a statement may differ for other reasons: there are more pages to go down through."""

WHOLE_TABLES_ARE_READ_ON_PURPOSE: dict[str, str] = {
    "suspicion._learn_stored": "counts the clients' domains once a batch, to see whether there are new ones",
    "client_mail.strangers_mail": "compares the ends of addresses, in an index of strangers alone, for a new client",
    "clients.client_has_name": "names are compared whatever the case of letters in any script, which SQLite has no index for; "
    "asked for a new client",
    "clients.contacts_called": "as above; asked for a stranger who has a full name",
    "clients.expect_names": "as above; asked once a batch",
    "client_mail.<setcomp>": "as above; asked once a batch in which a project begins",
}
"""The function that asks → why what it asks may grow with the archive."""


@dataclass
class Counter:
    """The most steps that each statement took at once, and who asked it."""

    steps: dict[str, int] = field(default_factory=dict)
    asked_by: dict[str, str] = field(default_factory=dict)
    _statement: str = ""
    _now: int = 0

    def begin(self, statement: str) -> None:
        # How many parameters a list has is nothing of importance.
        self._statement = re.sub(r"\((\?, )*\?\)", "(?)", statement)
        self._now = 0

    def tick(self) -> int:
        self._now += _COUNTED_BY
        if self._now > self.steps.get(self._statement, 0):
            self.steps[self._statement] = self._now
            self.asked_by[self._statement] = _asker()
        return 0


def _asker() -> str:
    """The nearest function of the product."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if "assistant" in path.parts and ".venv" not in path.parts:
            return f"{path.stem}.{frame.f_code.co_name}"
        frame = frame.f_back
    return ""


@contextmanager
def counted(office: Office) -> Iterator[Counter]:
    """Counts what is asked of the office's database until the end of the block."""
    engine, counter = office.workplace.database.engine, Counter()

    def begin(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        counter.begin(statement)

    def watch(connection: sqlite3.Connection, *_more: Any) -> None:
        connection.set_progress_handler(counter.tick, _COUNTED_BY)

    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "checkout", watch)
    try:
        yield counter
    finally:
        event.remove(engine, "before_cursor_execute", begin)
        event.remove(engine, "checkout", watch)
        engine.dispose()


def live(folder: Path, sink: SmtpSink, clients: int) -> Counter:
    """Some days with an archive of so many clients, after it was looked at as a whole."""
    office = open_office(write_config(folder, store=SQLITE))
    fill(office.workplace.database, clients)
    office._uids = count(1_000_000_000)
    _turn(office, sink)
    with counted(office) as counter:
        for mails in _days(office, clients):
            office.keep(*mails)
            _turn(office, sink)
            office.move(hours=1)
        for _ in range(4):
            office.move(days=1)
            office.workplace.decide_due()
            deliver(_delivery(office, sink))
        _look_at_one(office)
    office.workplace.database.close()
    return counter


def _delivery(office: Office, sink: SmtpSink) -> Any:
    workplace = office.workplace
    return delivery(workplace.database, sink.port, office.clock, guard=workplace.guard, on_sent=workplace.keep_sent)


def _turn(office: Office, sink: SmtpSink) -> None:
    workplace = office.workplace
    workplace.interpret()
    workplace.decide_all()
    workplace.decide_due()
    plan(workplace)
    work = _delivery(office, sink)
    if work.anything_due():
        deliver(work)
    work.anything_uncertain()


def _days(office: Office, clients: int) -> Iterator[tuple[bytes, ...]]:
    """What comes in, turn by turn: known people, strangers, machines, colleagues."""
    now, chen, boss = office.clock.now, person(5), "boss.smith@newcorp.example"
    NAMES.update({chen: "Person Number4", boss: "Boss Smith"})
    yield (mail("请报价 #proposal", originator=chen, at=now(), message_id="k1@c5.example", subject="Re: subject 17"),)
    yield (mail("好 #proposal", originator=chen, at=now(), message_id="k2@c5.example", answers=("m4@x.example",)),)
    yield (
        mail("方案 #proposal", originator=LILEI, to=(chen,), cc=(ASSISTANT,), at=now(), message_id="k3@lanhai.example",
             answers=("k1@c5.example",)),
    )  # fmt: skip
    yield (
        mail(
            "a brief #discovery", originator=boss, at=now(), message_id="s1@newcorp.example", subject="Re: subject 18"
        ),
    )
    yield (
        mail("hello #discovery", originator="mingshan.tea@163.com", at=now(), message_id="s2@163.com", subject="hello"),
    )
    yield (
        mail("坏 #complaint", originator=chen, at=now(), message_id="k4@c5.example", answers=("k3@lanhai.example",)),
    )
    yield (
        mail("行 #approval #satisfaction", originator=chen, at=now(), message_id="k5@c5.example", answers=("k4@c5.example",)),
        mail("方案 #proposal", originator=LILEI, to=(person(6),), cc=(ASSISTANT,), at=now(), message_id="w@lanhai.example"),
    )  # fmt: skip
    yield (absence(chen, at=now(), answers=("k3@lanhai.example",)),)
    yield (bounce(person(8), at=now(), original="o5@lanhai.example"), bounce(person(9), at=now()))
    yield (mail("请不要再发邮件给我，退订", originator=person(10), at=now(), message_id="out@c10.example"),)
    yield (mail("合 #proposal", originator=chen, at=now(), message_id="k6@c5.example", answers=youngest_threads(clients)),)  # fmt: skip
    late = now() - timedelta(days=3)
    yield (mail("早 #proposal", originator=chen, at=late, message_id="k7@c5.example"),)
    yield (mail("早 #discovery", originator="a@earlier.example", at=late, message_id="k8@earlier.example"),)
    yield (mail("停 1", originator=LILEI, to=(ASSISTANT,), at=now(), answers=("o4@lanhai.example",)),)


def _look_at_one(office: Office) -> None:
    """What people ask of one client, and set right."""
    workplace, now = office.workplace, office.clock.now()
    reports = workplace.reports
    with office.session() as session:
        reports.week_of(session, 5, reports.period(session, 5, now), now)
    with office.session() as session:
        correct_record(session, session.get_one(Record, 3), "stage", "agreement", LILEI, now)


def test_what_a_question_costs_does_not_grow_with_the_archive(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    small = live(tmp_path / "small", smtp_sink, CLIENTS)
    large = live(tmp_path / "large", smtp_sink, CLIENTS * LARGER)
    assert len(large.steps) > 100, "the days ask many questions"
    grown = {
        f"{large.asked_by[statement]}: {small.steps.get(statement, 0)} → {steps}: {' '.join(statement.split())}"
        for statement, steps in large.steps.items()
        if steps > 2 * small.steps.get(statement, 0) + _ALLOWED
        and large.asked_by[statement] not in WHOLE_TABLES_ARE_READ_ON_PURPOSE
    }
    assert not grown, "\n".join(sorted(grown))
