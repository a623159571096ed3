"""What goes wrong in a round: a sequence of the daemon's lives, each with faults of its servers and an end."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from tests.servers.imap_faults import Ending, Plan
from tests.servers.smtp_sink import Faults, Phase

Event = Literal["renumber", "remove", "deliver twice", "move", "file away", "rename folder", "delete folder"]
Mode = Literal["once", "daemon"]
Certificate = Literal["", "changed", "expired", "other name"]
Token = Literal["", "fresh", "expired", "refused"]
StoreFault = Literal["", "full", "locked", "gone"]
MAX_SECONDS = 20.0
MAX_WORKERS = 8


@dataclass(frozen=True)
class Pause:
    """One worker is stopped (SIGSTOP) when a boundary is passed, or after so many seconds, and continued `seconds` later.
    Meanwhile the clock of all goes on by `minutes`: more than 15 are beyond the lease of a mail that is being sent."""

    at: int = 0
    after: float = 0.0
    minutes: float = 20.0
    seconds: float = 0.3

    def __str__(self) -> str:
        begins = f"at boundary {self.at}" if self.at else f"after {self.after:.2f} s"
        return f"one paused {begins} for {self.minutes:g} min"


@dataclass(frozen=True)
class Life:
    """One start of the daemon (or of one pass, `once`) until it ends by itself or is killed.

    `kill_at`: the worker is killed that passes this boundary (the beginning of a phase, or either side of a commit),
    counted from 1; 0 never. `seconds`: all are killed after this time; once ends earlier by itself. `workers`: so many
    processes at once on one database. `imap`: one plan for each connection in turn. `smtp`: what the submission server
    does. `events`: what people or the server do to the mailbox before this life. `clock_minutes`: how wrong the clock is.
    `certificate`: what the mailbox's server shows in place of its own. `token`: it is logged in to by OAuth2, with this
    kind of token. `store`: what is the matter with the database, from `store_after` seconds on.
    """

    mode: Mode = "daemon"
    kill_at: int = 0
    seconds: float = 0.3
    workers: int = 1
    pause: Pause | None = None
    imap: tuple[Plan, ...] = ()
    smtp: Faults = field(default_factory=Faults)
    events: tuple[Event, ...] = ()
    clock_minutes: float = 0.0
    certificate: Certificate = ""
    token: Token = ""
    store: StoreFault = ""
    store_after: float = 0.0

    def __str__(self) -> str:
        return ", ".join(filter(None, self._words()))

    def _words(self) -> Iterator[str]:
        yield self.mode
        yield f"{self.workers} workers" if self.workers > 1 else ""
        yield f"killed at boundary {self.kill_at}" if self.kill_at else f"killed after {self.seconds:.2f} s"
        yield str(self.pause or "")
        yield f"after {' and '.join(self.events)}" if self.events else ""
        yield f"clock {self.clock_minutes:+g} min" if self.clock_minutes else ""
        yield f"certificate {self.certificate}" if self.certificate else ""
        yield f"token {self.token}" if self.token else ""
        yield f"database {self.store} after {self.store_after:.2f} s" if self.store else ""
        faults = "; ".join(str(plan) for plan in self.imap)
        yield f"imap: {faults}" if faults else ""
        changed = (entry.name for entry in dataclasses.fields(self.smtp) if getattr(self.smtp, entry.name))
        smtp = ", ".join(f"{name}={getattr(self.smtp, name)!r}" for name in changed)
        yield f"smtp: {smtp}" if smtp else ""


@dataclass(frozen=True)
class FaultPlan:
    """The lives on Monday, when mail comes in, and on Thursday, when follow-ups fall due."""

    monday: tuple[Life, ...] = ()
    thursday: tuple[Life, ...] = ()

    @property
    def lives(self) -> tuple[Life, ...]:
        return (*self.monday, *self.thursday)


def random_plan(chance: random.Random, database: str = "sqlite") -> FaultPlan:
    """One to three lives on Monday, two to four on Thursday."""
    return FaultPlan(
        tuple(_random_life(chance, database, sending=False) for _ in range(chance.randint(1, 3))),
        tuple(_random_life(chance, database, sending=True) for _ in range(chance.randint(2, 4))),
    )


_EVENTS: tuple[tuple[Event, ...], ...] = (*((event,) for event in get_args(Event)), ("renumber", "move"))


def _random_life(chance: random.Random, database: str, *, sending: bool) -> Life:
    by_boundary = chance.random() < 0.6
    many = chance.random() < (0.5 if database == "postgresql" else 0.1)
    workers = (chance.randint(2, 4) if database == "postgresql" else 2) if many else 1
    stores: tuple[StoreFault, ...] = ("full", "locked", "gone") if database == "postgresql" else ("full", "locked")
    return Life(
        mode=chance.choice(("once", "daemon")),
        kill_at=chance.randint(1, chance.choice((40, 160, 400))) if by_boundary else 0,
        seconds=0.7 if by_boundary else chance.uniform(0.02, 0.5),
        workers=workers,
        pause=_random_pause(chance) if chance.random() < (0.4 if many else 0.03) else None,
        imap=tuple(_random_imap(chance) for _ in range(chance.choice((0, 0, 1, 1, 2)))),
        smtp=_random_smtp(chance) if sending and chance.random() < 0.5 else Faults(),
        events=chance.choice(_EVENTS) if chance.random() < 0.5 else (),
        clock_minutes=chance.choice((-43_200, -2000, -30, 20, 300, 4000, 43_200)) if chance.random() < 0.06 else 0.0,
        certificate=chance.choice(("changed", "expired", "other name")) if chance.random() < 0.03 else "",
        token=chance.choice(("fresh", "expired", "expired", "refused")) if chance.random() < 0.08 else "",
        store=chance.choice(stores) if chance.random() < 0.1 else "",
        store_after=chance.choice((0.0, chance.uniform(0.0, 0.3))),
    )


def _random_pause(chance: random.Random) -> Pause:
    minutes, seconds = chance.choice((1.0, 20.0, 40.0)), chance.uniform(0.05, 0.4)
    if chance.random() < 0.7:
        return Pause(at=chance.randint(1, 200), minutes=minutes, seconds=seconds)
    return Pause(after=chance.uniform(0.02, 0.3), minutes=minutes, seconds=seconds)


def _random_imap(chance: random.Random) -> Plan:
    ending: Ending = chance.choice(get_args(Ending))
    if ending == "stall" and chance.random() < 0.7:
        ending = "rst"  # a stall costs a timeout each time
    place = int(chance.paretovariate(0.7) * 60)
    kinds = {
        "cut": Plan(cut_after=place, ending=ending),
        "in a message": Plan(
            cut_at=chance.choice((b"BODY[] {", b"Subject:", b"UIDVALIDITY", b"+ idling")), ending=ending
        ),
        "corrupt": Plan(corrupt_at=place),
        "pieces": Plan(pieces=chance.randint(1, 60), piece_pause=0.0001),
        "duplicate": Plan(duplicate=chance.choice((b" FETCH (UID", b"* OK", b"\r\n"))),
        "reorder": Plan(reorder=chance.randint(2, 60)),
        "bye": Plan(bye_after=place),
        "garbage": Plan(garbage_after=place),
        "throttle": Plan(throttle=True),
        "refuse": Plan(refuse=True),
        "deaf": Plan(deaf_after=chance.randint(50, 400)) if chance.random() < 0.3 else Plan(cut_after=place),
    }
    return chance.choice(list(kinds.values()))


_LATER = ("451 4.3.0 try later", "421 4.3.2 going down", "452 4.2.2 full")
_NEVER = ("550 5.7.1 not wanted", "554 5.5.0 failed")


def _random_smtp(chance: random.Random) -> Faults:
    faults = Faults()
    kind = chance.choice(("drop", "drop", "drop", "reply", "greylist", "limit", "connections", "first", "delay"))
    if kind == "drop":
        faults.drop = chance.choice((*get_args(Phase), "accepted"))
        faults.first = chance.choice((0, 0, 1))
    elif kind == "reply":
        phase: Any = chance.choice(("connect", "mail", "rcpt", "data", "body"))
        faults.replies[phase] = chance.choice(_LATER if phase == "connect" else (*_LATER, *_NEVER))
        faults.first = chance.choice((0, 1, 2))
    elif kind == "greylist":
        faults.greylist = True
    elif kind == "limit":
        faults.limit = chance.randint(1, 2)
    elif kind == "connections":
        faults.connections = 1
    elif kind == "first":
        faults.replies["data"] = chance.choice(_LATER)
        faults.first = 1
    else:
        slow: Any = chance.choice(("connect", "mail", "rcpt", "data", "body", "accepted"))
        faults.delay[slow] = chance.uniform(0.01, 0.15)
    return faults
