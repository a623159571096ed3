"""What a sample mail is before any mail program has put it into bytes: who, when, to whom, and the words."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes or reads. `program` names what they usually write with; `signature` goes under each letter."""

    key: str
    name: str
    address: str
    program: str = ""
    signature: str = ""
    disclaimer: str = ""
    roles: tuple[str, ...] = ()
    language: str = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    @property
    def local_part(self) -> str:
        return self.address.rpartition("@")[0]


@dataclass(frozen=True, slots=True)
class Letter:
    """One sample mail. `text` is only what the writer newly wrote; program, signature and quotation are added to it."""

    id: str
    at: datetime
    writer: Person
    to: tuple[Person, ...]
    cc: tuple[Person, ...]
    bcc: tuple[Person, ...]
    subject: str
    text: str
    program: str
    charset: str = ""
    attachments: tuple[str, ...] = ()
    answers: Letter | None = None
    forwards: Letter | None = None
    signed: bool = True
    seen: bool = True
    """False: the assistant never got it; it is only quoted, forwarded or referred to."""
    answers_automatic: bool = False
    """What it answers is the assistant's own mail in this thread; `answers` names the colleague's mail before."""
    note: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    """What machines' mail needs beside the words: failed recipient, times of a meeting, name of a list."""

    def chance(self, salt: str, length: int = 16) -> str:
        """Hexadecimal digits that look random and are the same on every run."""
        return hashlib.sha256(f"{salt}|{self.id}".encode()).hexdigest()[:length]

    @property
    def signature(self) -> str:
        return self.writer.signature if self.signed else ""

    @property
    def chain(self) -> tuple[Letter, ...]:
        """What was written before in this thread, oldest first."""
        earlier = self.answers or self.forwards
        return (*earlier.chain, earlier) if earlier is not None else ()
