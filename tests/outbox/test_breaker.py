"""Too much automatic mail, or too much that comes back, stops sending until a person says go on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from assistant.clock import FrozenClock
from assistant.outbox.deliver import Delivery, DeliveryLimits
from assistant.store import Database
from assistant.store.breaker import EVERYBODY, BreakerLimits, go_on, trips
from assistant.store.clients import create_client
from assistant.store.outbox import BOUNCED
from assistant.store.tables import Contact, OutboxMessage
from parsers import parse
from tests.databases import new_database
from tests.offices import LILEI, MONDAY, Office, command, open_office, write_config
from tests.outbox.rows import deliver, delivery, row_of, store
from tests.servers.smtp_sink import SmtpSink


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = new_database(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(MONDAY)


def work_of(database: Database, sink: SmtpSink, clock: FrozenClock, **limits: float) -> Delivery:
    breaker = BreakerLimits(**limits)  # type: ignore[arg-type]  # whole numbers where they are meant
    return delivery(database, sink.port, clock, limits=DeliveryLimits(minimum_interval=timedelta(0), breaker=breaker))


def subjects(sink: SmtpSink) -> list[str]:
    return [str(message_from_bytes(item.content)["Subject"]) for item in sink.received]


def client(session: Session, name: str) -> int:
    return create_client(
        session, f"{name}.example", name, "company", "zh-Hans", "CN", "Asia/Shanghai", LILEI, MONDAY, MONDAY
    ).id


def scopes(database: Database) -> list[tuple[str, str]]:
    with database.session() as session:
        return [(trip.scope, trip.cause) for trip in trips(session)]


def test_too_many_in_an_hour_stop_all_mail_to_clients_and_let_colleagues_be_told(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    for number in range(8):
        store(database, f"mail{number}")
    work = work_of(database, smtp_sink, clock, hourly=5)
    assert deliver(work).sent == 5
    assert scopes(database) == [(EVERYBODY, "hourly")]
    clock.advance(timedelta(days=1))
    store(database, "to staff", LILEI, audience="staff")
    assert deliver(work).sent == 1, "nothing is sent by itself again, however long it waits"
    assert subjects(smtp_sink)[-1] == "to staff"
    with database.session() as session:
        assert go_on(session, EVERYBODY, LILEI, clock.now())
        assert not go_on(session, EVERYBODY, LILEI, clock.now())
    assert deliver(work).sent == 3


def test_after_a_person_said_go_on_the_count_begins_anew(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    for number in range(8):
        store(database, f"mail{number}")
    work = work_of(database, smtp_sink, clock, hourly=5)
    deliver(work)
    clock.advance(timedelta(minutes=1))
    with database.session() as session:
        go_on(session, EVERYBODY, LILEI, clock.now())
    assert deliver(work).sent == 3


def test_a_loop_to_one_client_is_broken_and_others_go_on(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    with database.session() as session:
        looping, other = client(session, "looping"), client(session, "other")
    for number in range(9):
        store(database, f"loop{number}", client_id=looping)
    store(database, "other", client_id=other)
    work = work_of(database, smtp_sink, clock, client_hourly=6)
    assert deliver(work).sent == 7
    assert "other" in subjects(smtp_sink)
    assert scopes(database) == [(f"client:{looping}", "client")]
    clock.advance(timedelta(days=2))
    assert not work.anything_due()


def test_a_festival_on_which_each_person_of_a_client_is_greeted_is_no_loop(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink
) -> None:
    with database.session() as session:
        large = client(session, "large")
        session.add_all(
            Contact(client_id=large, addr_spec=f"p{number}@large.example", created_at=MONDAY) for number in range(10)
        )
    for number in range(10):
        store(database, f"greeting{number}", f"p{number}@large.example", client_id=large)
    assert deliver(work_of(database, smtp_sink, clock, client_hourly=6)).sent == 10
    assert scopes(database) == []


@pytest.mark.parametrize(("sent", "bounced", "stops"), [(40, 3, True), (40, 2, False), (60, 3, False), (3, 3, True)])
def test_too_much_that_comes_back_stops_sending(
    database: Database, clock: FrozenClock, smtp_sink: SmtpSink, sent: int, bounced: int, stops: bool
) -> None:
    """More than one in twenty, and not for a misprint or two."""
    for number in range(sent):
        store(database, f"mail{number}")
    work = work_of(database, smtp_sink, clock)
    deliver(work)
    with database.session() as session:
        for row in session.query(OutboxMessage).limit(bounced):
            row.reason = BOUNCED
    number = store(database, "the next")
    clock.advance(timedelta(hours=2))
    assert deliver(work).sent == (0 if stops else 1)
    assert scopes(database) == ([(EVERYBODY, "bounces")] if stops else [])
    assert row_of(database, number).state == ("queued" if stops else "sent")


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return open_office(write_config(tmp_path))


def test_the_operator_is_told_once_with_the_command_that_lets_mail_go_again(
    office: Office, smtp_sink: SmtpSink
) -> None:
    database = office.workplace.database
    for number in range(3):
        store(database, f"mail{number}")
    work = work_of(database, smtp_sink, office.clock, hourly=2)
    deliver(work)
    office.workplace.plan()
    office.workplace.plan()
    with office.session() as session:
        (notice,) = [row for row in session.query(OutboxMessage) if row.audience == "staff"]
    assert notice.recipients == [LILEI]
    assert "assistant outbox resume" in parse(notice.raw).text
    database.close()
    shown = command(office.config_file, "outbox", "stopped", "--json")
    assert '"scope": "all"' in shown.out
    assert command(office.config_file, "outbox", "resume").status == 0
    assert command(office.config_file, "outbox", "stopped", "--json").out == ""
    assert command(office.config_file, "outbox", "resume").status == 2


def test_a_person_may_stop_everything(office: Office, smtp_sink: SmtpSink) -> None:
    number = store(office.workplace.database, "mail")
    office.workplace.database.close()
    assert command(office.config_file, "outbox", "stop").status == 0
    work = work_of(office.workplace.database, smtp_sink, office.clock)
    assert not work.anything_due()
    assert row_of(office.workplace.database, number).state == "queued"
