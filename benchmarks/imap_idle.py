"""How long from a mail's delivery to its being kept, through a real Dovecot's IDLE, and how fast a full inbox is read.

    .venv/bin/python -m benchmarks.imap_idle [--mails 20] [--inbox 5000]

Dovecot itself waits half a second before it tells of new mail.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import tempfile
import time
from pathlib import Path

import structlog

from assistant.mail.reader import MailboxReader
from tests.mail.support import RememberingSink, letter, reading
from tests.servers.authority import new_authority
from tests.servers.dovecot import Dovecot, dovecot_server


def push(server: Dovecot, mails: int) -> None:
    mailbox = server.new_mailbox()
    sink = RememberingSink()
    took = []
    with reading(MailboxReader(mailbox.settings("implicit"), sink)):
        sink.wait_for_state("watching")
        for number in range(mails):
            time.sleep(0.05)
            began = time.monotonic()
            mailbox.deliver(letter(f"n{number}", size=20_000))
            sink.wait_for(number + 1)
            took.append(time.monotonic() - began)
    print(f"{mails} mails by IDLE: median {statistics.median(took):.3f} s, longest {max(took):.3f} s")


def whole_inbox(server: Dovecot, mails: int) -> None:
    mailbox = server.new_mailbox()
    for number in range(mails):
        mailbox.deliver(letter(f"n{number}", size=20_000))
    sink = RememberingSink()
    began = time.monotonic()
    kept = MailboxReader(mailbox.settings("implicit", timeout_seconds=120), sink).read_once()
    took = time.monotonic() - began
    print(f"{kept} mails of 20 kB from a full inbox over TLS: {took:.2f} s, {kept / took:.0f} a second")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=20)
    parser.add_argument("--inbox", type=int, default=5000)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder, dovecot_server(new_authority(Path(folder))) as server:
        push(server, arguments.mails)
        whole_inbox(server, arguments.inbox)


if __name__ == "__main__":
    main()
