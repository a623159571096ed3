"""One round: random mail into a real mailbox, lives under faults, a quiet end, and the invariants."""

from __future__ import annotations

import logging
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from assistant.intake.keep import header_date
from assistant.mail.reader import MailboxReader
from tests.chaos.correspondence import MONDAY_PASS, THURSDAY_PASS, Letter, Week, random_week
from tests.chaos.invariants import mail_in, mail_out, marks_out
from tests.chaos.lives import Nursery, Order, live_until_done, nursery
from tests.chaos.plans import FaultPlan, Life, random_plan
from tests.offices import Office, open_office, write_config
from tests.servers.authority import new_authority
from tests.servers.dovecot import Dovecot, Mailbox, dovecot_server
from tests.servers.imap_faults import FaultProxy, fault_proxy
from tests.servers.processes import free_port
from tests.servers.smtp_sink import Faults, SmtpSink, smtp_server

LATER = (timedelta(minutes=70), timedelta(hours=5))
"""After Thursday ten o'clock: when the quiet passes are made in which deferred mail leaves."""
SLACK = timedelta(hours=2)
"""What fell due so shortly before the last pass may still lie there."""


@dataclass
class Stage:
    """The servers and the process that forks, kept over rounds."""

    dovecot: Dovecot
    proxy: FaultProxy
    sink: SmtpSink
    nursery: Nursery
    folder: Path


@dataclass(frozen=True)
class Outcome:
    """What one round came to. `wrong` is empty when every invariant held."""

    number: int
    seed: int
    wrong: tuple[str, ...]
    mails: int
    sent: int
    kills: int
    seconds: float
    lives: tuple[str, ...]


@contextmanager
def stage(log: Path) -> Iterator[Stage]:
    """Starts everything; lives' words go to `log`."""
    logging.getLogger("mail.log").setLevel(
        logging.CRITICAL
    )  # a sink that breaks off in a text takes the rest for commands
    memory = Path("/dev/shm")  # a killed process loses nothing there that it would keep on a disk
    with ExitStack() as stack:
        base = memory if memory.is_dir() else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cca-chaos-", dir=base)))
        dovecot = stack.enter_context(dovecot_server(new_authority(folder)))
        proxy = stack.enter_context(fault_proxy(dovecot.plain_port))
        sink = stack.enter_context(smtp_server(free_port()))
        found = Stage(dovecot, proxy, sink, stack.enter_context(nursery(log)), folder)
        _warm_up(found)
        yield found


def _warm_up(on: Stage) -> None:
    """One quiet round in the process that forks, so that no life begins cold."""
    mailbox = on.dovecot.new_mailbox("warm@lanhai.example")
    config = quick_config(on.folder / "warm", mailbox, on.dovecot.plain_port, on.sink.port)
    open_office(config).workplace.database.close()
    week = random_week(random.Random(7))
    for letters, at in ((week.monday, MONDAY_PASS), (week.thursday, THURSDAY_PASS)):
        for letter in letters:
            put(mailbox, letter.copies[0][1])
        on.nursery.live(Order(str(config), at.isoformat(), "warm"))


def seed_of(seed: int, number: int) -> int:
    """Every round has a seed of its own, so that one that failed can be run alone."""
    return seed * 1_000_003 + number


def run_round(on: Stage, number: int, seed: int, plan: FaultPlan | None = None, keep: Path | None = None) -> Outcome:
    """`plan` takes the place of random faults; the mail is random in either case. `keep`: where the database of a round
    that went wrong is copied to."""
    began = time.monotonic()
    chance = random.Random(seed)
    week = random_week(chance)
    plan = plan or random_plan(chance)
    with _Round(on, f"round{number}x{seed % 10**9}@lanhai.example", chance) as current:
        kills = current.monday(week, plan) + current.thursday(week, plan)
        wrong = current.settle(week, plan)
        if wrong and keep is not None:
            shutil.copytree(current.config.parent, keep / f"round-{number}", dirs_exist_ok=True)
        sent = len(on.sink.received)
    lives = tuple(str(life) for life in (*plan.monday, *plan.thursday))
    mails = sum(len(letter.copies) for letter in week.letters)
    return Outcome(number, seed, tuple(wrong), mails, sent, kills, time.monotonic() - began, lives)


class _Round:
    """One round's mailbox, configuration and database."""

    def __init__(self, on: Stage, user: str, chance: random.Random) -> None:
        self._on = on
        self._chance = chance
        self._removed: list[Letter] = []
        self.mailbox: Mailbox = on.dovecot.new_mailbox(user)
        self.config = quick_config(on.folder / user, self.mailbox, on.proxy.port, on.sink.port)
        self.office: Office = open_office(self.config)
        self.office.workplace.database.close()
        self.bugs: list[str] = []
        on.sink.received.clear()
        on.sink.greylisted.clear()
        on.sink.faults = Faults()
        on.proxy.said.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.office.workplace.database.close()
        self._calm()
        shutil.rmtree(self.config.parent, ignore_errors=True)
        shutil.rmtree(self.mailbox.home, ignore_errors=True)

    def monday(self, week: Week, plan: FaultPlan) -> int:
        return self._day(week.monday, plan.monday, MONDAY_PASS)

    def thursday(self, week: Week, plan: FaultPlan) -> int:
        return self._day(week.thursday, plan.thursday, THURSDAY_PASS)

    def _day(self, letters: Sequence[Letter], lives: Sequence[Life], at: datetime) -> int:
        """Half of the mail is there at first, the rest comes while the lives are lived. Returns how many were killed."""
        half = len(letters) // 2
        self._deliver(letters[:half])
        rest, kills = list(letters[half:]), 0
        for number, life in enumerate(lives):
            self._happen(life, letters)
            self._on.proxy.break_all()
            self._on.proxy.plans = list(life.imap)
            self._on.sink.faults = life.smtp
            order = Order(str(self.config), at.isoformat(), life.mode, life.kill_at, life.seconds, life.twins)
            self._on.nursery.begin(order)
            share = len(rest) if number == len(lives) - 1 else len(rest) // 2
            self._deliver(rest[:share])
            rest = rest[share:]
            end = self._on.nursery.end()
            kills += end.killed
            if end.bug:
                self.bugs.append(f"a life ended with an unexpected error: {life}")
            at += timedelta(seconds=max(1.0, life.seconds))
        self._deliver(rest)
        self._quiet_pass(at)
        return kills

    def _happen(self, life: Life, letters: Sequence[Letter]) -> None:
        if life.event == "renumber":
            self.mailbox.renumber()
        elif life.event == "deliver twice" and letters:
            letter = self._chance.choice(letters)
            if not letter.removed:
                put(self.mailbox, letter.copies[0][1], "Sent")
        elif life.event == "remove":
            for letter in letters:
                if letter.removed:
                    self._remove(letter)

    def _remove(self, letter: Letter) -> None:
        for path in self.mailbox.files():
            if path.read_bytes() == letter.copies[0][1]:
                path.unlink()

    def _deliver(self, letters: Sequence[Letter]) -> None:
        for letter in letters:
            for folder, raw in letter.copies:
                put(self.mailbox, raw, folder)

    def _calm(self) -> None:
        self._on.proxy.plans = []
        self._on.sink.faults = Faults()
        self._on.proxy.break_all()

    def _quiet_pass(self, at: datetime) -> None:
        """Without faults until everything is done. What the server took lies among sent mail by then, as providers do."""
        self._calm()
        placed = {path.read_bytes() for path in self.mailbox.files("Sent")}
        for item in list(self._on.sink.received):
            if item.content not in placed:
                put(self.mailbox, item.content, "Sent")
        ends = live_until_done(self._on.nursery, Order(str(self.config), at.isoformat(), "once"))
        if ends[-1].bug or ends[-1].trouble:
            self.bugs.append(f"the quiet pass of {at:%a %H:%M} did not end well ({len(ends)} attempts)")

    def settle(self, week: Week, plan: FaultPlan) -> list[str]:
        """The quiet passes of the days after with the daily comparison between them, and then every invariant."""
        garbled = sum(fault.garbles for life in (*plan.monday, *plan.thursday) for fault in life.imap)
        self._quiet_pass(THURSDAY_PASS + LATER[0])
        uneven = list(self._ledger())
        for later in LATER[1:]:
            self._quiet_pass(THURSDAY_PASS + later)
        received = list(self._on.sink.received)
        with self.office.session() as session:
            lost = list(mail_in(session, week.letters))
            wrong = [
                *self.bugs,
                *mail_out(session, received, week, THURSDAY_PASS + LATER[-1] - SLACK),
                *marks_out(session, received, week.clients),
            ]
        # Where bytes were changed on their way, each change may have made another mail of one, and another UID.
        return wrong + lost * (len(lost) > garbled) + uneven * (len(uneven) > garbled) + list(self._ledger())

    def _ledger(self) -> Iterator[str]:
        workplace = self.office.workplace
        for account in MailboxReader(workplace.mailbox_settings(), workplace.sink).reconcile():
            if not account.even or account.unread:
                yield f"the ledger is not even: {account}"


def put(mailbox: Mailbox, raw: bytes, folder: str = "INBOX") -> None:
    """Delivers a mail at the time that its Date header says, as far as it says one."""
    mailbox.deliver(raw, folder, header_date(raw) or MONDAY_PASS)


def quick_config(folder: Path, mailbox: Mailbox, imap_port: int, smtp_port: int) -> Path:
    """An agency whose servers are given up on after a second."""
    config = write_config(
        folder,
        imap_port=imap_port,
        smtp_port=smtp_port,
        user=mailbox.user,
        password=mailbox.password,
        more="daily_limit = 100000\nhourly_limit = 100000\ntimeout = 2\n[daemon]\ntick = 0.05\n",
    )
    text = config.read_text(encoding="utf-8")
    text = text.replace('timeout = "5s"', 'timeout = 1\nfolders = ["INBOX", "Sent"]\nmax_message_size = 100000')
    config.write_text(text, encoding="utf-8")
    return config


def rounds(
    log: Path,
    seed: int,
    numbers: Sequence[int],
    plan: FaultPlan | None,
    tell: Callable[[Outcome], None],
    keep: Path | None = None,
) -> list[Outcome]:
    """Runs the rounds and returns those that went wrong."""
    failed = []
    with stage(log) as on:
        for number in numbers:
            outcome = run_round(on, number, seed_of(seed, number), plan, keep)
            tell(outcome)
            if outcome.wrong:
                failed.append(outcome)
    return failed
