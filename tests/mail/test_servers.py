"""The tests' servers are what they say they are."""

from __future__ import annotations

import smtplib
import socket

import psycopg

from assistant.mail.imap import ImapConnection
from tests.servers.dovecot import Mailbox
from tests.servers.postfix import Postfix
from tests.servers.processes import wait_until


def test_postgresql_gives_each_test_an_empty_database(postgresql_url: str) -> None:
    with psycopg.connect(postgresql_url.replace("+psycopg", "")) as connection:
        assert connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone() == (0,)


def test_postfix_takes_mail_and_dovecot_gets_it(postfix: Postfix, mailbox: Mailbox) -> None:
    with smtplib.SMTP("127.0.0.1", postfix.port) as client:
        client.sendmail("client@buyer.example", [mailbox.user], b"Subject: by LMTP\r\n\r\nhello\r\n")
    wait_until(lambda: len(mailbox.files()) == 1, "the message arrives")
    connection = ImapConnection.connect(mailbox.settings())
    connection.open("INBOX")
    [[message]] = list(connection.fetch_after(0))
    assert b"Subject: by LMTP" in message.raw
    connection.close()


def test_dovecot_says_goodbye_properly(mailbox: Mailbox) -> None:
    with socket.create_connection(("127.0.0.1", mailbox.server.plain_port)) as plain:
        assert plain.recv(1000).startswith(b"* OK")
        plain.sendall(b"a LOGOUT\r\n")
        assert b"* BYE" in plain.recv(1000)
