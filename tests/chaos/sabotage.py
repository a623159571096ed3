"""Breaks the product on purpose, each time in one way, so that it is seen whether the invariants notice.

What is broken is broken in a forked process alone. Each way has a plan of its own in which the damage is bound to show.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from assistant.bootstrap import Workplace
from assistant.intake import keep, phases
from assistant.mail.submission import Submission
from assistant.outbox import deliver, settling
from assistant.store import project_facts
from assistant.store.tables import Location
from tests.chaos.plans import FaultPlan, Life
from tests.servers.smtp_sink import Faults


def _put(place: Any, **others: Any) -> None:
    """In place of what the product has there."""
    for name, other in others.items():
        setattr(place, name, other)


def send_uncertain_mail_again() -> None:
    """What broke off inside DATA is tried again like any other failure."""
    settlement = settling.settlement

    def careless(row: Any, outcome: Any, now: Any) -> Any:
        settled = settlement(row, outcome, now)
        if settled.state != "uncertain":
            return settled
        return settling.Settlement("deferred", now + timedelta(minutes=1), "", settled.results)

    _put(deliver, settlement=careless)


def forget_a_message() -> None:
    """The cursor moves on although one message of the batch was not kept."""
    keep_batch = keep.keep_batch

    def careless(
        session: Any, archive: Any, mailbox: str, folder: str, number: int, batch: Sequence[Any], *more: Any
    ) -> int:
        kept = keep_batch(session, archive, mailbox, folder, number, batch, *more)
        for message in batch[-1:]:
            for row in session.query(Location).filter_by(mailbox=mailbox, folder=folder, uid=message.uid):
                session.delete(row)
        return kept

    _put(keep, keep_batch=careless)


def record_a_copy_again() -> None:
    """The same mail in a second place becomes a second record."""
    _put(phases.Phases, _same=lambda *_: None)


def write_to_two_clients() -> None:
    """Each mail to a client ends with the words of the mail before it."""
    submit, before = Submission.submit_marked, [b""]

    async def careless(self: Any, message: bytes, *more: Any) -> Any:
        mixed = message.rstrip(b"\r\n") + b"\r\n" + before[0]
        before[0] = message
        return await submit(self, mixed, *more)

    _put(Submission, submit_marked=careless)


def send_what_nobody_ordered() -> None:
    """Each mail leaves a second time under a Message-ID that the outbox does not know."""
    submit = Submission.submit_marked

    async def careless(self: Any, message: bytes, sender: str, recipients: Any, before_data: Callable[[], bool]) -> Any:
        stray = email.message_from_bytes(message, policy=email.policy.SMTP)
        stray.replace_header("Message-ID", "<stray@lanhai.example>")
        await submit(self, stray.as_bytes(), sender, recipients, lambda: True)
        return await submit(self, message, sender, recipients, before_data)

    _put(Submission, submit_marked=careless)


def decide_nothing() -> None:
    """Nothing that falls due is ever looked at."""
    _put(Workplace, decide_due=lambda *_: 0, decide_all=lambda *_, **__: 0)


def settle_nothing() -> None:
    """What became of a mail is not written down, and its claim is never freed."""
    _put(deliver, settle=lambda *_, **__: True, release_expired=lambda *_: (0, 0))


def write_to_who_answered() -> None:
    """Whatever a client says, its last mail from us counts as unanswered, and nobody is away."""
    facts = project_facts._Sheet.facts

    def deaf(self: Any, project: Any, *more: Any) -> Any:
        waited = project_facts._message(self.last_out.get(project.id))
        return replace(facts(self, project, *more), waiting_on="client", waited=waited, events=(), questions=())

    _put(project_facts._Sheet, facts=deaf)


_ONCE = Life(mode="once", seconds=8.0)
_QUIET = FaultPlan((_ONCE,), (_ONCE,))

WAYS: dict[str, tuple[Callable[[], None], FaultPlan]] = {
    way.__name__.replace("_", " "): (way, plan)
    for way, plan in (
        (
            send_uncertain_mail_again,
            FaultPlan((_ONCE,), (Life(mode="once", seconds=8.0, smtp=Faults(drop="accepted")),)),
        ),
        (forget_a_message, _QUIET),
        (record_a_copy_again, _QUIET),
        (write_to_two_clients, _QUIET),
        (send_what_nobody_ordered, _QUIET),
        (decide_nothing, _QUIET),
        (settle_nothing, _QUIET),
        (write_to_who_answered, FaultPlan((_ONCE,), (Life(mode="once", kill_at=3, seconds=8.0), _ONCE))),
    )
}


def break_(name: str) -> None:
    WAYS[name][0]()
