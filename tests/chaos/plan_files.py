"""Reads a file of faults as README.md describes it, and says what is wrong with it in sentences."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from assistant.tomlfile import did_you_mean, place_of
from tests.chaos.plans import (
    MAX_SECONDS,
    MAX_WORKERS,
    Certificate,
    Event,
    FaultPlan,
    Life,
    Mode,
    Pause,
    StoreFault,
    Token,
)
from tests.servers.imap_faults import Ending, Plan
from tests.servers.smtp_sink import Faults, Phase

_REPLY = re.compile(r"[2-5]\d\d [ -~]{1,200}")
Count = Annotated[int, Field(ge=0)]
Reply = Annotated[str, Field(pattern=_REPLY.pattern + "$")]
Seconds = Annotated[float, Field(ge=0, le=MAX_SECONDS)]
Words = Annotated[bytes, BeforeValidator(lambda value: value.encode() if isinstance(value, str) else value)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Imap(_Table):
    cut_after: Count | None = None
    cut_at: Words = b""
    ending: Ending = "rst"
    pieces: Count = 0
    piece_pause: Seconds = 0.002
    duplicate: Words = b""
    replace: Annotated[list[Words], Field(min_length=2, max_length=2)] | None = None
    corrupt_at: Count | None = None
    reorder: Count = 0
    bytes_per_second: Count = 0
    deaf_after: Count | None = None
    garbage_after: Count | None = None
    bye_after: Count | None = None
    throttle: bool = False
    refuse: bool = False

    def plan(self) -> Plan:
        given = self.model_dump(exclude_unset=True)
        if self.replace is not None:
            given["replace"] = (self.replace[0], self.replace[1])
        return Plan(**given)


class _Smtp(_Table):
    recipients: dict[str, Reply] = {}
    replies: dict[Literal["connect", "mail", "rcpt", "data", "body"], Reply] = {}
    drop: Phase | None = None
    delay: dict[Phase, Seconds] = {}
    greylist: bool = False
    limit: Count = 0
    connections: Count = 0
    first: Count = 0


class _Pause(_Table):
    at: Count = 0
    after: Seconds = 0.0
    minutes: Annotated[float, Field(ge=0, le=100_000)] = 20.0
    seconds: Seconds = 0.3

    @model_validator(mode="after")
    def _once(self) -> _Pause:
        if bool(self.at) == bool(self.after):
            raise ValueError("write either at (a boundary, from 1) or after (seconds above 0)")
        return self


class _Life(_Table):
    mode: Mode = "daemon"
    kill_at: Count = 0
    seconds: Annotated[float, Field(gt=0, le=MAX_SECONDS)] = 0.3
    workers: Annotated[int, Field(ge=1, le=MAX_WORKERS)] = 1
    twins: bool = False
    pause: _Pause | None = None
    imap: list[_Imap] = []
    smtp: _Smtp = _Smtp()
    event: Event | Literal[""] | list[Event] = ""
    clock: str = ""
    certificate: Certificate = ""
    token: Token = ""
    store: StoreFault = ""
    store_after: Seconds = 0.0

    @model_validator(mode="after")
    def _possible(self) -> _Life:
        _minutes(self.clock)
        if self.twins and self.workers > 1:
            raise ValueError("twins are two workers: write one of both")
        if self.certificate and self.imap:
            raise ValueError("a connection with the wrong certificate ends before a byte of imap can be counted")
        if self.certificate and self.token:
            raise ValueError("a connection with the wrong certificate ends before a token is shown")
        return self

    def life(self) -> Life:
        events = self.event if isinstance(self.event, list) else [self.event] if self.event else []
        return Life(
            mode=self.mode,
            kill_at=self.kill_at,
            seconds=self.seconds,
            workers=2 if self.twins else self.workers,
            pause=Pause(**self.pause.model_dump()) if self.pause else None,
            imap=tuple(table.plan() for table in self.imap),
            smtp=Faults(**self.smtp.model_dump()),
            events=tuple(events),
            clock_minutes=_minutes(self.clock),
            certificate=self.certificate,
            token=self.token,
            store=self.store,
            store_after=self.store_after,
        )


class _File(_Table):
    monday: list[_Life] = []
    thursday: list[_Life] = []


def plan_from(path: Path, database: str = "sqlite") -> FaultPlan:
    """Reads a file. Raises ValueError with a line for each mistake, OSError when it cannot be read."""
    text = path.read_text(encoding="utf-8-sig")
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: {error}") from error
    try:
        found = _File.model_validate(tree)
    except ValidationError as error:
        raise ValueError("\n".join(_sentence(path, text, dict(item)) for item in error.errors())) from error
    plan = FaultPlan(tuple(one.life() for one in found.monday), tuple(one.life() for one in found.thursday))
    if not plan.lives:
        raise ValueError(f"{path}: no life in it; write [[monday]] or [[thursday]], one table for each")
    if database == "sqlite" and any(life.store == "gone" for life in plan.lives):
        raise ValueError(f'{path}: store = "gone" cuts the connections of a server; add --database postgresql')
    return plan


def _minutes(text: str) -> float:
    found = re.fullmatch(r"([+-])(\d{1,5}) ?(min|h|d)", text)
    if text and not found:
        raise ValueError('clock: write how far it is wrong, as "+20 min", "-3 h" or "+30 d"')
    units = {"min": 1, "h": 60, "d": 1440}
    return float(int(found[1] + found[2]) * units[found[3]]) if found else 0.0


_UNIONS = re.compile(r"^(literal|list)\[")


def _sentence(path: Path, text: str, item: dict[str, Any]) -> str:
    """One of pydantic's findings with its place in the file, and what was probably meant."""
    place = tuple(part for part in item["loc"] if not (isinstance(part, str) and _UNIONS.match(part)))
    line, _ = place_of(text, place)
    where = ", ".join(f"{part + 1}" if isinstance(part, int) else str(part) for part in place)
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        known = _keys(place[:-1])
        message = f"unknown key; known are {', '.join(known)}{did_you_mean(str(place[-1]), known)}"
    elif item["type"] == "string_pattern_mismatch":
        message = 'write a reply as a server gives it, such as "451 4.3.0 try later"'
    elif "input" in item and isinstance(item["input"], str | int | float | bool):
        message = f"{message}, not {item['input']!r}"
    return f"{path}:{line}: {where}: {message[:1].lower()}{message[1:]}"


def _keys(place: tuple[str | int, ...]) -> list[str]:
    tables: dict[str, type[_Table]] = {
        "imap": _Imap,
        "smtp": _Smtp,
        "pause": _Pause,
        "monday": _Life,
        "thursday": _Life,
    }
    names = [part for part in place if isinstance(part, str)]
    return sorted((tables[names[-1]] if names else _File).model_fields)
