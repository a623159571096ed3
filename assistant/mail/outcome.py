"""What became of a submitted message, and the rules by which replies decide it (RFC 5321 section 4.2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import aiosmtplib

from assistant.mail.sentences import quotation

State = Literal["sent", "refused", "deferred", "uncertain"]
Phase = Literal["connect", "login", "mail", "rcpt", "data", "body", "done"]


@dataclass(frozen=True, slots=True)
class RecipientResult:
    """What became of one recipient. `permanent`: trying again makes no sense. `code` is None without an SMTP reply."""

    addr_spec: str
    accepted: bool
    code: int | None
    text: str
    permanent: bool


@dataclass(frozen=True, slots=True)
class SubmissionResult:
    """What became of one message.

    sent: the server has taken responsibility for every recipient marked accepted. refused: never; trying again makes no
    sense. deferred: not now; nothing was accepted, try again later. uncertain: the connection broke after the text had
    been sent; look in Sent and ask before sending again. `code` and `text` are the server's last word, or ours.
    """

    state: State
    code: int | None
    text: str
    recipients: tuple[RecipientResult, ...]
    phase: Phase


def by_code(code: int) -> Literal["refused", "deferred"]:
    """5xx is final; 4xx, and what should not come at all, may change."""
    return "refused" if code // 100 == 5 else "deferred"


def nobody(state: State, phase: Phase, code: int | None, text: str, recipients: Sequence[str]) -> SubmissionResult:
    """The same outcome for everybody, and nobody accepted."""
    permanent = state == "refused"
    results = tuple(RecipientResult(recipient, False, code, text, permanent) for recipient in recipients)
    return SubmissionResult(state, code, text, results, phase)


def all_refused(results: tuple[RecipientResult, ...]) -> SubmissionResult:
    """Nobody was accepted: refused only if that is final for all, so that the others may be tried again."""
    state: State = "refused" if all(result.permanent for result in results) else "deferred"
    first = next(result for result in results if result.permanent or state == "deferred")
    return SubmissionResult(state, first.code, first.text, results, "rcpt")


def turned_down(
    state: State, phase: Phase, response: aiosmtplib.SMTPResponse, results: tuple[RecipientResult, ...]
) -> SubmissionResult:
    """The server took recipients and then not the message."""
    text = quotation(response.message)
    return SubmissionResult(
        state,
        response.code,
        text,
        tuple(
            RecipientResult(result.addr_spec, False, response.code, text, state == "refused")
            if result.accepted
            else result
            for result in results
        ),
        phase,
    )


def not_known(result: RecipientResult) -> RecipientResult:
    """One who had been accepted when the connection broke."""
    if not result.accepted:
        return result
    return RecipientResult(result.addr_spec, False, None, "not known whether it was accepted", False)
