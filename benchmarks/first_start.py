"""A first start with a huge mailbox: every message of its two folders is fetched from a real Dovecot and kept, and memory is
measured meanwhile.

Run as `python -m benchmarks.first_start [--messages 100000] [--cut-every BYTES]`; needs dovecot. With `--cut-every` the
connection breaks after so many bytes, again and again; in the end the ledger must be even. The reading side alone (fetch and keep), in a
process of its own; interpreting is what `python -m tests.chaos --soak` measures. Also reads one message of 150 MB, whole
and above the limit.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from assistant.clock import SystemClock
from assistant.errors import ServerUnreachable
from assistant.intake.keep import StoreSink
from assistant.log import set_up_logging
from assistant.mail.reader import MailboxReader
from assistant.mail.settings import MailboxSettings, Secret
from assistant.store import DatabaseArchive, open_database
from assistant.store.migrate import migrate
from benchmarks.installation import AGENCY_DOMAIN, ASSISTANT
from tests.servers.authority import new_authority
from tests.servers.dovecot import PASSWORD, Mailbox, dovecot_server
from tests.servers.imap_faults import Plan, fault_proxy

SAMPLE_SECONDS = 2.0
HUGE_BYTES = 150_000_000
MOST_CUTS = 20
_SENTENCES = (
    "我们想做新茶的线上推广，请先发一份资料。",
    "方案收到了，整体方向可以，预算需要再压一压。",
    "Could you send the revised estimate by Friday?",
    "The second draft looks good, please go ahead with the shooting.",
    "合同已经盖章，明天寄出，请查收。",
    "请把投放时间改到三月底，另外logo要放大一些。",
    "Thanks for the call, I will discuss it with my boss and come back to you.",
)


def read(port: int, user: str, folder: Path, limit: int) -> None:
    """What the measured process does: one whole look at the mailbox."""
    set_up_logging("error")
    database = open_database("sqlite:///assistant.db", folder)
    migrate(database)
    settings = MailboxSettings(
        "shared", "127.0.0.1", port, "none", user, Secret(PASSWORD), folders=("INBOX", "Sent"), max_message_bytes=limit
    )
    reader = MailboxReader(settings, StoreSink(database, DatabaseArchive(), SystemClock()))
    broken = 0
    while True:
        try:
            reader.read_once()
            accounts = reader.reconcile()
            break
        except ServerUnreachable:
            broken += 1
    kept = sum(account.kept for account in accounts)
    even = all(account.even and not account.unread for account in accounts)
    used = resource.getrusage(resource.RUSAGE_SELF)
    # ru_maxrss would count what the parent held before this program was loaded.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1000
    print(
        f"kept {kept}, {'even' if even else 'NOT EVEN'}, broken off {broken} times; {used.ru_utime + used.ru_stime:.1f} s of CPU; at most {peak:.0f} MB resident"
    )


def measured(mailbox: Mailbox, folder: Path, limit: int, what: str, port: int = 0) -> None:
    """Starts `read` in a process of its own and prints its memory as it goes."""
    folder.mkdir()
    began = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.first_start", "--read", mailbox.user, str(folder)]
    command += ["--port", str(port or mailbox.server.plain_port), "--limit", str(limit)]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
    process, curve = psutil.Process(reader.pid), []
    while reader.poll() is None:
        try:
            curve.append(process.memory_info().rss / 1e6)
        except psutil.NoSuchProcess:
            break
        time.sleep(SAMPLE_SECONDS)
    assert reader.stdout is not None
    said = reader.stdout.read().strip()
    print(f"{what}: {said}; {time.monotonic() - began:.1f} s")
    if len(curve) > 3:
        print(f"  every {SAMPLE_SECONDS:g} s, MB: {' '.join(f'{value:.0f}' for value in curve)}", flush=True)


def letter(number: int, chance: random.Random) -> bytes:
    """Mail number `number` of a stream: two hundred clients at first, a new one now and then, in threads of about ten."""
    client = chance.randrange(200 + number // 100)
    thread = chance.randrange(1 + number // 2_000)
    domain = f"client{client}.example"
    inbound = chance.random() < 0.6
    person, colleague = f"buyer{client % 3}@{domain}", f"lilei@{AGENCY_DOMAIN}"
    sender, receiver = (person, ASSISTANT) if inbound else (colleague, person)
    copy = "" if inbound else f"Cc: {ASSISTANT}\r\n"
    date = datetime.now(UTC) - timedelta(seconds=chance.randrange(20))
    text = "\r\n".join(chance.choices(_SENTENCES, k=chance.randint(1, 6)))
    head = (
        f"From: {sender}\r\nTo: {receiver}\r\n{copy}Subject: Project {client}-{thread}\r\n"
        f"Date: {date:%a, %d %b %Y %H:%M:%S +0000}\r\nMessage-ID: <m{number}@{sender.partition('@')[2]}>\r\n"
        f"References: <root{client}-{thread}@{domain}>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    return f"{head}{text}\r\n\r\n{number}\r\n".encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--cut-every", type=int, default=0, metavar="BYTES")
    parser.add_argument("--read", nargs=2, metavar=("USER", "FOLDER"), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--limit", type=int, default=0, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.read:
        read(wanted.port, wanted.read[0], Path(wanted.read[1]), wanted.limit)
        return
    with tempfile.TemporaryDirectory(prefix="cca-first-start-") as name:
        folder = Path(name)
        with dovecot_server(new_authority(folder)) as server:
            huge = server.new_mailbox("huge@agency.example")
            head = letter(0, random.Random(1)).partition(b"\r\n\r\n")[0]
            huge.deliver(head + b"\r\n\r\n" + (b"x" * 76 + b"\r\n") * (HUGE_BYTES // 78))
            measured(huge, folder / "whole", 200_000_000, "a message of 150 MB, kept whole")
            measured(huge, folder / "extract", 50_000_000, "a message of 150 MB above the limit")
            inbox = server.new_mailbox("full@agency.example")
            chance = random.Random(2)
            for number in range(wanted.messages):
                inbox.deliver(letter(number, chance), "Sent" if number % 5 == 0 else "INBOX")
            with fault_proxy(server.plain_port) as proxy:
                if wanted.cut_every:
                    proxy.plans = [Plan(cut_after=wanted.cut_every, ending="rst") for _ in range(MOST_CUTS)]
                measured(inbox, folder / "full", 50_000_000, f"{wanted.messages} messages", proxy.port)


if __name__ == "__main__":
    main()
