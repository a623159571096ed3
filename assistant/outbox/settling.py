"""What follows from a server's answer for one mail, recipient by recipient. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from assistant.store.outbox import LONGEST_DELAY
from assistant.store.tables import OutboxMessage

RETRY_DELAYS: Final = (*(timedelta(minutes=minutes) for minutes in (2, 10, 30, 60, 120, 240, 480)), LONGEST_DELAY)
"""Growing, for servers that defer (4xx), greylisting among them: the first is as short as those ask for."""
GIVE_UP_AFTER: Final = timedelta(days=2)
_NO_SUCH_MAILBOX: Final = re.compile(r"\b5\.(?:1\.[0-36]|2\.1)\b")
"""Enhanced status codes that say the address itself is wrong, moved or closed (RFC 3463 §3.2, §3.3)."""
_ABOUT_RECIPIENTS: Final = frozenset({"rcpt", "done"})
"""The phases in which what was said of a recipient was said of its address."""
_ANY_STATUS: Final = re.compile(r"\b5\.\d{1,3}\.\d{1,3}\b")
_SAYS_UNKNOWN: Final = re.compile(
    r"(?:user|mailbox|recipient|address|account)[^.]{0,40}(?:unknown|not found|not exist|no such|invalid|disabled)"
    r"|(?:unknown|no such|invalid) (?:user|mailbox|recipient|address|account)",
    re.IGNORECASE,
)


class Outcome(Protocol):
    """What a submission server made of one message."""

    @property
    def state(self) -> str: ...

    @property
    def code(self) -> int | None: ...

    @property
    def text(self) -> str: ...

    @property
    def phase(self) -> str: ...

    @property
    def recipients(self) -> Sequence[object]: ...


class Result(NamedTuple):
    """What the server said about one recipient."""

    addr_spec: str
    accepted: bool
    code: int | None
    text: str
    permanent: bool


@dataclass(frozen=True, slots=True)
class Settlement:
    """The state a mail goes into, and what is to be done about its recipients."""

    state: str
    due_at: datetime
    reason: str
    results: tuple[Result, ...]
    later: tuple[str, ...] = ()
    """People in Cc who are to be tried again, though the mail has reached whom it is for."""
    gone: tuple[tuple[str, str], ...] = ()
    """Addresses that do not exist, with what the server said."""


def still_to_reach(row: OutboxMessage) -> list[str]:
    """The recipients that no attempt has reached yet and none has refused for good."""
    done = {result[0] for result in row.results if result[1] or result[4]}
    return [str(address) for address in row.recipients if address not in done] or [str(row.recipients[0])]


def settlement(row: OutboxMessage, outcome: Outcome, now: datetime) -> Settlement:
    """A mail counts by the recipient it is for, the first: taken, refused for good, or to be tried again."""
    results = _merged(row, outcome)
    main = results[0]
    state = outcome.state
    if state == "sent" and not main.accepted:
        state = "refused" if main.permanent else "deferred"
    gone: tuple[tuple[str, str], ...] = ()
    if outcome.phase in _ABOUT_RECIPIENTS:
        gone = tuple((item.addr_spec, f"{item.code} {item.text}"[:300]) for item in results if _does_not_exist(item))
    if state == "deferred":
        return _deferred(row, results, gone, now)
    later = tuple(item.addr_spec for item in results[1:] if not item.accepted and not item.permanent)
    reason = "the server refused the recipient" if state == "refused" and outcome.phase in _ABOUT_RECIPIENTS else ""
    return Settlement(state, row.due_at, reason, results, later if state == "sent" else (), gone)


def _deferred(
    row: OutboxMessage, results: tuple[Result, ...], gone: tuple[tuple[str, str], ...], now: datetime
) -> Settlement:
    attempts = row.attempts + 1
    if now - row.created_at > GIVE_UP_AFTER and attempts > len(RETRY_DELAYS) // 2:
        return Settlement("refused", row.due_at, "the server kept deferring it", results, gone=gone)
    delay = RETRY_DELAYS[min(attempts - 1, len(RETRY_DELAYS) - 1)]
    return Settlement("deferred", now + delay, "", results, gone=gone)


def _merged(row: OutboxMessage, outcome: Outcome) -> tuple[Result, ...]:
    """Every recipient with the latest word about them; who was reached before stays reached."""
    known = {str(result[0]): Result(*result) for result in row.results}
    for item in outcome.recipients:
        found = Result(item.addr_spec, item.accepted, item.code, item.text, item.permanent)  # type: ignore[attr-defined]  # the mail room's own type, which this room does not import
        known[found.addr_spec] = found
    nothing = (outcome.state == "sent", outcome.code, outcome.text, outcome.state == "refused")
    return tuple(known.get(str(address), Result(str(address), *nothing)) for address in row.recipients)


def _does_not_exist(result: Result) -> bool:
    """Whether a refusal is about the address, and not about us, the text, or the server's mood."""
    if result.accepted or not result.permanent or result.code is None:
        return False
    if _ANY_STATUS.search(result.text):
        return bool(_NO_SUCH_MAILBOX.search(result.text))
    return result.code in {550, 551, 553} and bool(_SAYS_UNKNOWN.search(result.text))


def rest_of(row: OutboxMessage, recipients: Sequence[str], now: datetime) -> OutboxMessage:
    """The same mail, with the same Message-ID, for people in Cc whose server asked to try again later."""
    return OutboxMessage(
        dedupe_key=f"{row.dedupe_key}:cc"[:300],
        message_id=row.message_id,
        raw=row.raw,
        envelope_from=row.envelope_from,
        recipients=list(recipients),
        subject=row.subject,
        purpose="copy",
        audience="staff",
        client_id=row.client_id,
        project_id=row.project_id,
        rule=row.rule,
        rule_version=row.rule_version,
        language=row.language,
        state="queued",
        created_at=now,
        due_at=now + RETRY_DELAYS[0],
        results=[],
        details={},
    )
