"""Thousands of messages through the real daemon, with its memory measured all the way: it must stay flat."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from benchmarks.installation import AGENCY_DOMAIN, ASSISTANT, PASSWORD_VARIABLE, command, settled, write_config
from tests.servers.authority import new_authority
from tests.servers.dovecot import PASSWORD, Mailbox, dovecot_server
from tests.servers.processes import free_port
from tests.servers.smtp_sink import smtp_server

SAMPLES = 40
AHEAD = 250
"""So many messages at most wait to be interpreted: a steady stream, not one heap."""
WARM_UP = 0.1
"""After this share of the messages the daemon has seen every kind, and its memory is what the rest is compared with."""
ALLOWED = 0.10
PATIENCE_SECONDS = 300.0
_SENTENCES = (
    "我们想做新茶的线上推广，请先发一份资料。",
    "方案收到了，整体方向可以，预算需要再压一压。",
    "Could you send the revised estimate by Friday?",
    "The second draft looks good, please go ahead with the shooting.",
    "合同已经盖章，明天寄出，请查收。",
    "请把投放时间改到三月底，另外logo要放大一些。",
    "Thanks for the call, I will discuss it with my boss and come back to you.",
)


@dataclass(frozen=True)
class Sample:
    """Resident megabytes (10^6 bytes) of the daemon when `messages` had been interpreted, after `seconds`."""

    messages: int
    megabytes: float
    seconds: float


def soak(messages: int, encoder: str, tell: Callable[[Sample], None]) -> tuple[list[Sample], bool]:
    """Returns the curve, and whether it is flat: nothing after the warm-up is more than 10 % above its end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cca-soak-")))
        server = stack.enter_context(dovecot_server(new_authority(folder)))
        sink = stack.enter_context(smtp_server(free_port()))
        mailbox = server.new_mailbox(ASSISTANT)
        config = write_config(
            folder,
            f'[mailbox]\nhost = "127.0.0.1"\nport = {server.plain_port}\ntls = "none"\nuser = "{ASSISTANT}"\n'
            f'password = "env:{PASSWORD_VARIABLE}"\n[submission]\nhost = "127.0.0.1"\nport = {sink.port}\ntls = "none"\n'
            f'[understanding]\nencoder = "{encoder}"\n[log]\nlevel = "error"\n',
        )
        log = stack.enter_context((folder / "daemon.log").open("wb"))
        daemon = subprocess.Popen(
            command(config, "run"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, PASSWORD_VARIABLE: PASSWORD},
        )
        stack.callback(_end, daemon)
        curve = _stream(mailbox, folder / "assistant.db", psutil.Process(daemon.pid), messages, tell)
    warm = next(sample for sample in curve if sample.messages >= messages * WARM_UP)
    highest = max(sample.megabytes for sample in curve if sample.messages >= warm.messages)
    return curve, highest <= warm.megabytes * (1 + ALLOWED)


def _end(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(15)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _stream(
    mailbox: Mailbox, database: Path, process: psutil.Process, messages: int, tell: Callable[[Sample], None]
) -> list[Sample]:
    chance = random.Random(5)
    began = progressed = time.monotonic()
    delivered = done = 0
    curve: list[Sample] = []
    wanted = messages / SAMPLES
    while done < messages:
        while delivered < messages and delivered - done < AHEAD:
            mailbox.deliver(letter(delivered, chance))
            delivered += 1
        time.sleep(0.1)
        before, done = done, settled(database)
        now = time.monotonic()
        if done > before:
            progressed = now
        elif now - progressed > PATIENCE_SECONDS:
            raise RuntimeError(f"nothing was interpreted for {PATIENCE_SECONDS:g} s after {done} messages")
        if done >= wanted:
            curve.append(Sample(done, process.memory_info().rss / 1e6, now - began))
            tell(curve[-1])
            wanted = done + messages / SAMPLES
    return curve


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


def main(messages: int, encoder: str) -> int:
    print(f"{messages} messages through the daemon, encoder {encoder}", flush=True)

    def tell(sample: Sample) -> None:
        rate = sample.messages / sample.seconds
        bar = "#" * int(sample.megabytes / 10)
        print(f"{sample.messages:>8} messages  {sample.megabytes:6.1f} MB  {rate:5.0f}/s  {bar}", flush=True)

    curve, flat = soak(messages, encoder, tell)
    warm = next(sample for sample in curve if sample.messages >= messages * WARM_UP)
    highest = max(sample.megabytes for sample in curve if sample.messages >= warm.messages)
    growth = 100 * (highest / warm.megabytes - 1)
    print(
        f"after the first {warm.messages} messages {warm.megabytes:.1f} MB, at most {highest:.1f} MB later: {growth:+.1f} %"
    )
    print("flat within 10 %" if flat else "WRONG: it grows by more than 10 %", file=sys.stdout if flat else sys.stderr)
    return 0 if flat else 1
