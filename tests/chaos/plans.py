"""What goes wrong in a round: a sequence of the daemon's lives, each with faults of its servers and an end."""

from __future__ import annotations

import dataclasses
import random
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from tests.servers.imap_faults import Ending, Plan
from tests.servers.smtp_sink import Faults, Phase

Event = Literal["", "renumber", "remove", "deliver twice"]
Mode = Literal["once", "daemon"]
MAX_SECONDS = 20.0


@dataclass(frozen=True)
class Life:
    """One start of the daemon (or of one pass, `once`) until it ends by itself or is killed.

    `kill_at`: killed when it passes this boundary (the beginning of a phase, or either side of a commit), counted from
    1; 0 never. `seconds`: killed after this time; once ends earlier by itself. `twins`: two processes at once on one
    database. `imap`: one plan for each connection in turn. `smtp`: what the submission server does. `event`: what people
    or the server do to the mailbox before this life.
    """

    mode: Mode = "daemon"
    kill_at: int = 0
    seconds: float = 0.3
    twins: bool = False
    imap: tuple[Plan, ...] = ()
    smtp: Faults = field(default_factory=Faults)
    event: Event = ""

    def __str__(self) -> str:
        end = f"killed at boundary {self.kill_at}" if self.kill_at else f"killed after {self.seconds:.2f} s"
        faults = "; ".join(str(plan) for plan in self.imap)
        smtp = ", ".join(
            f"{entry.name}={getattr(self.smtp, entry.name)!r}"
            for entry in dataclasses.fields(self.smtp)
            if getattr(self.smtp, entry.name)
        )
        words = [self.mode, "twins" if self.twins else "", end, f"after {self.event}" if self.event else ""]
        return ", ".join(filter(None, [*words, f"imap: {faults}" if faults else "", f"smtp: {smtp}" if smtp else ""]))


@dataclass(frozen=True)
class FaultPlan:
    """The lives on Monday, when mail comes in, and on Thursday, when follow-ups fall due."""

    monday: tuple[Life, ...] = ()
    thursday: tuple[Life, ...] = ()


def random_plan(chance: random.Random) -> FaultPlan:
    """One to three lives on Monday, two to four on Thursday."""
    return FaultPlan(
        tuple(_random_life(chance, sending=False) for _ in range(chance.randint(1, 3))),
        tuple(_random_life(chance, sending=True) for _ in range(chance.randint(2, 4))),
    )


def _random_life(chance: random.Random, *, sending: bool) -> Life:
    by_boundary = chance.random() < 0.6
    return Life(
        mode=chance.choice(("once", "daemon")),
        kill_at=chance.randint(1, chance.choice((40, 160, 400))) if by_boundary else 0,
        seconds=0.7 if by_boundary else chance.uniform(0.02, 0.5),
        twins=chance.random() < 0.1,
        imap=tuple(_random_imap(chance) for _ in range(chance.choice((0, 0, 1, 1, 2)))),
        smtp=_random_smtp(chance) if sending and chance.random() < 0.5 else Faults(),
        event=chance.choice(("", "", "", "", "renumber", "remove", "deliver twice")),
    )


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
        "bye": Plan(replace=(b"* OK [UIDNEXT", b"* BYE going down\r\n* OK [UIDNEXT")),
        "throttle": Plan(replace=(b" OK [READ-ONLY]", b" NO [LIMIT] too many connections")),
        "deaf": Plan(deaf_after=chance.randint(50, 400)) if chance.random() < 0.3 else Plan(cut_after=place),
    }
    return chance.choice(list(kinds.values()))


def _random_smtp(chance: random.Random) -> Faults:
    faults = Faults()
    kind = chance.choice(("drop", "drop", "reply", "greylist", "limit", "delay"))
    if kind == "drop":
        faults.drop = chance.choice(("connect", "mail", "rcpt", "data", "body", "accepted", "accepted"))
    elif kind == "reply":
        phase: Any = chance.choice(("mail", "rcpt", "data", "body"))
        faults.replies[phase] = chance.choice(("451 4.3.0 try later", "421 4.3.2 going down", "452 4.2.2 full"))
    elif kind == "greylist":
        faults.greylist = True
    elif kind == "limit":
        faults.limit = chance.randint(1, 2)
    else:
        slow: Any = chance.choice(("mail", "rcpt", "data", "body"))
        faults.delay[slow] = chance.uniform(0.01, 0.15)
    return faults


def plan_from(path: Path) -> FaultPlan:
    """Reads a file as README.md describes it. Raises ValueError with the place of the first mistake."""
    with path.open("rb") as stream:
        try:
            tree = tomllib.load(stream)
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{path}: {error}") from error
    _only(tree, {"monday", "thursday"}, str(path))
    return FaultPlan(*(_lives(tree.get(day, []), f"{path}: {day}") for day in ("monday", "thursday")))


def _lives(tables: Any, where: str) -> tuple[Life, ...]:
    if not isinstance(tables, list):
        raise ValueError(f"{where}: write [[{where.rpartition(' ')[2]}]], one table for each life")
    return tuple(_life(table, f"{where} {number}") for number, table in enumerate(tables, 1))


def _life(table: dict[str, Any], where: str) -> Life:
    _only(table, {entry.name for entry in dataclasses.fields(Life)}, where)
    _typed(table, {"kill_at": int, "seconds": (int, float), "twins": bool, "imap": list, "smtp": dict}, where)
    given = dict(table)
    given["imap"] = tuple(_imap(plan, f"{where}, imap") for plan in given.get("imap", ()))
    smtp = given.get("smtp", {})
    _only(smtp, {entry.name for entry in dataclasses.fields(Faults)}, f"{where}, smtp")
    _typed(smtp, {"replies": dict, "delay": dict, "recipients": dict, "greylist": bool, "limit": int}, f"{where}, smtp")
    _one_of(smtp.get("drop"), (None, *get_args(Phase)), f"{where}, smtp, drop")
    given["smtp"] = Faults(**smtp)
    _one_of(given.get("mode", "once"), get_args(Mode), f"{where}, mode")
    _one_of(given.get("event", ""), get_args(Event), f"{where}, event")
    if not 0 < float(given.get("seconds", 0.3)) <= MAX_SECONDS:
        raise ValueError(f"{where}, seconds: write a number above 0, at most {MAX_SECONDS:g}")
    return Life(**given)


def _imap(table: dict[str, Any], where: str) -> Plan:
    _only(table, {entry.name for entry in dataclasses.fields(Plan)}, where)
    numbers = ("cut_after", "pieces", "corrupt_at", "reorder", "bytes_per_second", "deaf_after")
    _typed(table, {**dict.fromkeys(numbers, int), "piece_pause": (int, float), "replace": list}, where)
    given = dict(table)
    _one_of(given.get("ending", "rst"), get_args(Ending), f"{where}, ending")
    for key in ("cut_at", "duplicate"):
        if key in given:
            given[key] = str(given[key]).encode()
    if "replace" in given:
        if len(given["replace"]) != 2:
            raise ValueError(f"{where}, replace: write two strings, what is said and what takes its place")
        old, new = given["replace"]
        given["replace"] = (str(old).encode(), str(new).encode())
    return Plan(**given)


def _only(table: dict[str, Any], known: set[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise ValueError(f"{where}: unknown key {key!r}; known are {', '.join(sorted(known))}")


def _typed(table: dict[str, Any], kinds: dict[str, Any], where: str) -> None:
    for key, kind in kinds.items():
        value = table.get(key)
        if value is not None and (not isinstance(value, kind) or (kind is not bool and isinstance(value, bool))):
            raise ValueError(f"{where}, {key}: {value!r} is of the wrong type")
        if isinstance(value, (int, float)) and value < 0:
            raise ValueError(f"{where}, {key}: {value!r} is below 0")


def _one_of(value: object, known: tuple[str | None, ...], where: str) -> None:
    if value not in known:
        raise ValueError(f"{where}: {value!r} is none of {', '.join(repr(one) for one in known)}")
