"""One round: random mail into a real mailbox, lives under faults, a quiet end, and the invariants."""

from __future__ import annotations

import logging
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from sqlalchemy.engine import make_url

from assistant.mail.reader import MailboxReader
from tests.chaos.correspondence import MONDAY_PASS, THURSDAY_PASS, Letter, Week, random_week
from tests.chaos.invariants import mail_in, mail_out, marks_out, ordered_after, secrets_out, unwanted
from tests.chaos.lives import End, Nursery, Order, live_until_done, nursery
from tests.chaos.plans import FaultPlan, Life, Pause, random_plan
from tests.chaos.scenes import FOLDERS, ROOM_PAGES, Doors, MailboxScene, doors, store_trouble
from tests.databases import SQLITE, TEMPLATE, shared_server
from tests.offices import Office, open_office, write_config
from tests.servers.authority import new_authority
from tests.servers.dovecot import Dovecot, Mailbox, dovecot_server
from tests.servers.imap_faults import FaultProxy, fault_proxy
from tests.servers.oauth_endpoint import oauth_server
from tests.servers.postgresql import PostgreSql
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
    doors: Doors
    postgresql: PostgreSql | None = None

    @property
    def database(self) -> str:
        return "postgresql" if self.postgresql else "sqlite"

    def store_url(self) -> str:
        """A new, empty database with all tables; the empty string is a file beside the configuration."""
        return self.postgresql.create_database(TEMPLATE) if self.postgresql else ""


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
def stage(log: Path, database: str = "sqlite") -> Iterator[Stage]:
    """Starts everything; lives' words go to `log`."""
    logging.getLogger("mail.log").setLevel(
        logging.CRITICAL
    )  # a sink that breaks off in a text takes the rest for commands
    memory = Path("/dev/shm")  # a killed process loses nothing there that it would keep on a disk
    with ExitStack() as stack:
        base = memory if memory.is_dir() else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cca-chaos-", dir=base)))
        authority = new_authority(folder)
        endpoint = stack.enter_context(oauth_server())
        dovecot = stack.enter_context(dovecot_server(authority, endpoint.tokeninfo))
        way_in = stack.enter_context(doors(endpoint, authority))
        server = shared_server() if database == "postgresql" else None
        proxy = stack.enter_context(fault_proxy(dovecot.plain_port))
        sink = stack.enter_context(smtp_server(free_port()))
        found = Stage(dovecot, proxy, sink, stack.enter_context(nursery(log)), folder, way_in, server)
        _warm_up(found)
        yield found


def _warm_up(on: Stage) -> None:
    """Two quiet rounds in the process that forks, so that no life begins cold."""
    for seed in (7, 11):
        mailbox = on.dovecot.new_mailbox(f"warm{seed}@lanhai.example")
        scene = MailboxScene(mailbox, random.Random(seed))
        config = quick_config(on, mailbox, on.dovecot.plain_port)
        open_office(config).workplace.database.close()
        week = random_week(random.Random(seed))
        for letters, at in ((week.monday, MONDAY_PASS), (week.thursday, THURSDAY_PASS), ([], THURSDAY_PASS + LATER[0])):
            for letter in letters:
                scene.deliver(letter.copies[0][1])
            on.nursery.live(Order(str(config), at.isoformat(), "warm"))


def seed_of(seed: int, number: int) -> int:
    """Every round has a seed of its own, so that one that failed can be run alone."""
    return seed * 1_000_003 + number


def run_round(
    on: Stage, number: int, seed: int, plan: FaultPlan | None = None, keep: Path | None = None, sabotage: str = ""
) -> Outcome:
    """`plan` takes the place of random faults; the mail is random in either case. `keep`: where the database of a round
    that went wrong is copied to. `sabotage`: how the product is broken on purpose, see sabotage.py."""
    began = time.monotonic()
    chance = random.Random(seed)
    week = random_week(chance)
    plan = plan or random_plan(chance, on.database)
    with _Round(on, f"round{number}x{seed % 10**9}@lanhai.example", chance, week, sabotage) as current:
        kills = current.monday(week, plan) + current.thursday(week, plan)
        wrong = current.settle(week, plan)
        if wrong and keep is not None:
            current.copy_to(keep / f"round-{number}")
        sent = len(on.sink.received)
    lives = tuple(str(life) for life in plan.lives)
    mails = sum(len(letter.copies) for letter in week.letters)
    return Outcome(number, seed, tuple(wrong), mails, sent, kills, time.monotonic() - began, lives)


class _Round:
    """One round's mailbox, configuration and database."""

    def __init__(self, on: Stage, user: str, chance: random.Random, week: Week, sabotage: str = "") -> None:
        self._on = on
        self._sabotage = sabotage
        self.mailbox: Mailbox = on.dovecot.new_mailbox(user)
        self.scene = MailboxScene(self.mailbox, chance)
        self.config = quick_config(on, self.mailbox, on.proxy.port)
        self.office: Office = open_office(self.config)
        url = make_url(self.office.workplace.config.store.url)
        self._database = url.database or "" if on.postgresql else ""
        self._url = url.render_as_string(hide_password=False) if on.postgresql else ""
        self.office.workplace.database.close()
        self.bugs: list[str] = []
        self._week = week
        self._garbled = False
        """Whether a byte of some mail may have been changed on its way, so that it says something else."""
        on.sink.received.clear()
        on.sink.greylisted.clear()
        on.sink.begin(Faults())
        on.proxy.said.clear()
        for each in on.doors.impostors.values():
            each.told.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.office.workplace.database.close()
        self._calm()
        if self._on.postgresql:
            self._on.postgresql.drop_database(self._database)
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
            for event in life.events:
                self.scene.happen(event, letters)
            share = len(rest) if number == len(lives) - 1 else len(rest) // 2
            end = self._live(life, at, rest[:share])
            rest = rest[share:]
            kills += end.killed
            if end.bug:
                self.bugs.append(f"a life ended with an unexpected error: {life}")
            at += timedelta(seconds=max(1.0, life.seconds), minutes=life.pause.minutes if life.pause else 0)
        self._deliver(rest)
        self.scene.end_of_day()
        self._quiet_pass(at)
        return kills

    def _live(self, life: Life, at: datetime, letters: Sequence[Letter]) -> End:
        """One life, while `letters` are delivered."""
        on = self._on
        on.proxy.break_all()
        on.proxy.plans = list(life.imap)
        on.sink.begin(life.smtp)
        config = on.doors.config(self.config, life, self.mailbox.user)
        pause = life.pause or Pause(minutes=0.0, seconds=0.0)
        order = Order(
            config=str(config),
            at=(at + timedelta(minutes=life.clock_minutes)).isoformat(),
            mode=life.mode,
            kill_at=life.kill_at,
            seconds=life.seconds,
            workers=life.workers,
            pause_at=pause.at,
            pause_after=pause.after,
            pause_minutes=pause.minutes,
            pause_seconds=pause.seconds,
            impatient=bool(life.store),
            room=ROOM_PAGES if life.store == "full" else 0,
            sabotage=self._sabotage,
        )
        self._garbled |= any(fault.garbles for fault in life.imap)
        with on.doors.open(life), store_trouble(life, self.config.parent, self._url), self._watched():
            on.nursery.begin(order)
            self._deliver(letters)
            return on.nursery.end()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Looks at what a life sent, in the light of what lay in the mailbox when it began."""
        readable = {path.read_bytes() for folder in FOLDERS for path in self._files(folder)}
        since, before = time.monotonic(), len(self._on.sink.received)
        yield
        if not self._garbled:
            self.bugs += unwanted(list(self._on.sink.received)[before:], since, readable, self._week)

    def _files(self, folder: str) -> list[Path]:
        return self.mailbox.files(folder) if self.mailbox.folder(folder).exists() else []

    def _deliver(self, letters: Sequence[Letter]) -> None:
        for letter in letters:
            for folder, raw in letter.copies:
                self.scene.deliver(raw, folder)

    def _calm(self) -> None:
        self._on.proxy.plans = []
        self._on.sink.begin(Faults())
        self._on.proxy.break_all()

    def _quiet_pass(self, at: datetime) -> None:
        """Without faults until everything is done. What the server took lies among sent mail by then, as providers do."""
        self._calm()
        placed = {path.read_bytes() for path in self.mailbox.files("Sent")}
        for item in list(self._on.sink.received):
            if item.content not in placed:
                self.scene.deliver(item.content, "Sent")
        order = Order(str(self.config), at.isoformat(), "once", sabotage=self._sabotage)
        with self._watched():
            ends = live_until_done(self._on.nursery, order)
        if ends[-1].bug or ends[-1].trouble:
            self.bugs.append(f"the quiet pass of {at:%a %H:%M} did not end well ({len(ends)} attempts)")

    def copy_to(self, folder: Path) -> None:
        """The folder of the configuration, with the database in it."""
        shutil.copytree(self.config.parent, folder, dirs_exist_ok=True)
        if self._on.postgresql:
            (folder / "dump.sql").write_text(self._on.postgresql.dump(self._database), encoding="utf-8")

    def settle(self, week: Week, plan: FaultPlan) -> list[str]:
        """The quiet passes of the days after with the daily comparison between them, and then every invariant."""
        garbled = sum(fault.garbles for life in plan.lives for fault in life.imap)
        self._quiet_pass(THURSDAY_PASS + LATER[0])
        uneven = list(self._ledger())
        for later in LATER[1:]:
            self._quiet_pass(THURSDAY_PASS + later)
        received = list(self._on.sink.received)
        with self.office.session() as session:
            lost = list(mail_in(session, self._letters(week)))
            wrong = [
                *self.bugs,
                *mail_out(session, received, week, THURSDAY_PASS + LATER[-1] - SLACK, self.scene.gone),
                *(
                    ordered_after(session, week)
                    if not any(life.clock_minutes or life.pause for life in plan.lives)
                    else ()
                ),
                *marks_out(session, received, week.clients),
                *secrets_out(self._on.doors),
            ]
        # Where bytes were changed on their way, each change may have made another mail of one, and another UID.
        return wrong + lost * (len(lost) > garbled) + uneven * (len(uneven) > garbled) + list(self._ledger())

    def _letters(self, week: Week) -> list[Letter]:
        """What people took out of the folders that are read may have been seen or not."""
        gone = self.scene.gone
        return [replace(letter, removed=letter.removed or letter.copies[0][1] in gone) for letter in week.letters]

    def _ledger(self) -> Iterator[str]:
        workplace = self.office.workplace
        patient = replace(
            workplace.mailbox_settings(), timeout_seconds=30.0
        )  # nothing is at fault any more, but perhaps slow
        for account in MailboxReader(patient, workplace.sink).reconcile():
            if not account.even or account.unread:
                yield f"the ledger is not even: {account}"


def quick_config(on: Stage, mailbox: Mailbox, imap_port: int) -> Path:
    """An agency whose servers are given up on after a second."""
    config = write_config(
        on.folder / mailbox.user,
        imap_port=imap_port,
        smtp_port=on.sink.port,
        user=mailbox.user,
        password=mailbox.password,
        store=on.store_url() or SQLITE,
        more="daily_limit = 100000\nhourly_limit = 100000\ntimeout = 2\n[daemon]\ntick = 0.05\n",
    )
    text = config.read_text(encoding="utf-8")
    folders = ", ".join(f'"{folder}"' for folder in FOLDERS)
    text = text.replace('timeout = "5s"', f"timeout = 1\nfolders = [{folders}]\nmax_message_size = 100000")
    config.write_text(text, encoding="utf-8")
    return config


def rounds(
    log: Path,
    seed: int,
    numbers: Sequence[int],
    plan: FaultPlan | None,
    tell: Callable[[Outcome], None],
    keep: Path | None = None,
    database: str = "sqlite",
) -> list[Outcome]:
    """Runs the rounds and returns those that went wrong."""
    failed = []
    with stage(log, database) as on:
        for number in numbers:
            outcome = run_round(on, number, seed_of(seed, number), plan, keep)
            tell(outcome)
            if outcome.wrong:
                failed.append(outcome)
    return failed
