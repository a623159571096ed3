"""Four daemons on one database: no message is read twice and none sent twice, whoever is killed or paused meanwhile."""

from __future__ import annotations

from pathlib import Path

from assistant.store import open_database
from assistant.store.migrate import migrate
from tests.exactly_once import prepared
from tests.servers.dovecot import Mailbox
from tests.servers.smtp_sink import SmtpSink
from tests.several_workers import disturbed

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
