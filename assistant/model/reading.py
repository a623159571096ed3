"""What understanding a mail yields: stage, intents, sign-off, who acts next, promises and amounts, each with evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Sign:
    """A label with how sure we are (0 to 1, calibrated) and the sentence that shows it."""

    label: str
    confidence: float
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Commitment:
    """A promise with a due day. `by` is "us" or "client"; `due` is a local date of the writer."""

    by: str
    what: str
    due: date


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum of money: in units of `currency` (ISO 4217), with the words it was read from."""

    value: float
    currency: str
    text: str


@dataclass(frozen=True, slots=True)
class ContextItem:
    """One earlier message of the same project, as far as reading the next one needs it."""

    stage: str
    stage_probabilities: tuple[tuple[str, float], ...]
    direction: str
    sent_at: datetime
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MailToRead:
    """The input of understanding: only the newly written text, never quotation or signature."""

    subject: str
    text: str
    language: str
    direction: str
    sent_at: datetime
    is_answer: bool
    attachments: tuple[str, ...] = ()
    automatic: bool = False
    timezone: str = "UTC"
    known_client: bool = False
    """Whether the other side was known as a client's contact before this mail."""
    history: tuple[ContextItem, ...] = ()
    """Earlier mail of the same project, oldest first; the last twelve suffice."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a mail says. `stage_probabilities` sums to 1 over all stage labels, best first."""

    stage: str
    stage_confidence: float
    stage_evidence: str
    stage_probabilities: tuple[tuple[str, float], ...]
    intents: tuple[Sign, ...]
    approval: str
    approval_evidence: str
    waiting_on: str
    waiting_evidence: str
    commitments: tuple[Commitment, ...]
    amounts: tuple[Amount, ...]
    summary: str
    text_probabilities: tuple[tuple[str, float], ...] = ()
    """From the words alone, before the project's history spoke."""
    model: str = ""
    """Which model read it, for the history of labels."""


@dataclass(frozen=True, slots=True)
class ReadMail:
    """A mail of a project as it was read when it came: what looking back at the whole project needs of it."""

    stage_probabilities: tuple[tuple[str, float], ...]
    text_probabilities: tuple[tuple[str, float], ...]
    direction: str
    sent_at: datetime
    is_answer: bool


@dataclass(frozen=True, slots=True)
class TextToRead:
    """What the words alone are read from; many at once are much quicker than one by one."""

    subject: str
    text: str
    language: str


class Reader(Protocol):
    """Reads mail. `prepare` does the costly part for many texts at once; `read` adds the project's context.

    `words` are the stage probabilities of the text alone, before anything else of the mail is known.
    """

    def prepare(self, texts: Sequence[TextToRead]) -> Sequence[object]: ...

    def words(self, text: TextToRead, prepared: object | None = None) -> tuple[tuple[str, float], ...]: ...

    def read(self, mail: MailToRead, prepared: object | None = None) -> Reading: ...


@runtime_checkable
class LooksBack(Protocol):
    """A reader whom later mail tells something of earlier mail."""

    def look_back(self, mails: Sequence[ReadMail]) -> tuple[tuple[tuple[str, float], ...], ...]:
        """Stage probabilities of a project's mail, best first, for each of `mails`, which are in order of time."""

    def read_as(self, mail: MailToRead, stage_probabilities: tuple[tuple[str, float], ...]) -> Reading:
        """The mail read as one of the stage that looking back gave it."""


@runtime_checkable
class Follower(Protocol):
    """A reader that can be taught while it runs."""

    def follow(self, session: Any) -> None:
        """Learns the corrections stored since the last call; `session` is a session of the store."""
