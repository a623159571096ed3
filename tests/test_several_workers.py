"""Four daemons on one database: no message is read twice and none sent twice, whoever is killed or paused meanwhile."""

from __future__ import annotations

from pathlib import Path

from assistant.store import open_database
from assistant.store.migrate import migrate
from tests.exactly_once import prepared
from tests.servers.dovecot import Mailbox
from tests.servers.smtp_sink import SmtpSink
from tests.several_workers import disturbed, with_wrong_clocks

STEPS = 12
MESSAGES = 20
DISTURBANCES = 8


def check(config: Path, mailbox: Mailbox, sink: SmtpSink) -> None:
    sending, reading = disturbed(config, mailbox, sink, STEPS, MESSAGES, DISTURBANCES)
    assert sending.faults == [], sending
    assert reading.faults == [], reading
    assert sending.states["sent"] >= STEPS - sending.kills


def test_on_one_sqlite_file(tmp_path: Path, mailbox: Mailbox, smtp_sink: SmtpSink) -> None:
    server = mailbox.server
    config = prepared(
        tmp_path, smtp_sink.port, STEPS, imap_port=server.plain_port, user=mailbox.user, password=mailbox.password
    )
    check(config, mailbox, smtp_sink)


def test_on_one_postgresql(tmp_path: Path, mailbox: Mailbox, smtp_sink: SmtpSink, postgresql_url: str) -> None:
    database = open_database(postgresql_url)
    migrate(database)
    database.close()
    server = mailbox.server
    config = prepared(
        tmp_path,
        smtp_sink.port,
        STEPS,
        imap_port=server.plain_port,
        user=mailbox.user,
        password=mailbox.password,
        store=postgresql_url,
    )
    check(config, mailbox, smtp_sink)


def check_clocks(config: Path, mailbox: Mailbox, sink: SmtpSink) -> None:
    verdict, reading = with_wrong_clocks(config, mailbox, sink, STEPS, MESSAGES)
    assert verdict.faults == []
    assert verdict.states["sent"] == STEPS
    assert reading.faults == []


def test_clocks_that_are_apart_and_jump_on_one_sqlite_file(
    tmp_path: Path, mailbox: Mailbox, smtp_sink: SmtpSink
) -> None:
    port = mailbox.server.plain_port
    password = mailbox.password
    config = prepared(tmp_path, smtp_sink.port, STEPS, imap_port=port, user=mailbox.user, password=password)
    check_clocks(config, mailbox, smtp_sink)


def test_clocks_that_are_apart_and_jump_on_one_postgresql(
    tmp_path: Path, mailbox: Mailbox, smtp_sink: SmtpSink, postgresql_url: str
) -> None:
    database = open_database(postgresql_url)
    migrate(database)
    database.close()
    port, password = mailbox.server.plain_port, mailbox.password
    more = {"imap_port": port, "user": mailbox.user, "password": password, "store": postgresql_url}
    check_clocks(prepared(tmp_path, smtp_sink.port, STEPS, **more), mailbox, smtp_sink)
