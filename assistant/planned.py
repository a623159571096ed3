"""What falls due by the calendar: greetings, reminders, summaries, notices; and drafts and uncertain mail to tend."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from assistant.clock import monotonic
from assistant.model.cadence import Decision, SendMail

if TYPE_CHECKING:
    from assistant.bootstrap import Workplace
    from assistant.cadence.planning import PlannedMoments
    from assistant.outbox.deliver import Delivery
    from assistant.store.facts import DatabaseFacts

_CLIENTS_AT_ONCE = 10
"""How many clients are planned in one transaction."""
_PLANNING_SECONDS = 1.0
"""How long a turn of the daemon plans before mail is looked after again."""


def plan(workplace: Workplace, moments: PlannedMoments | None = None) -> int:
    """Greetings, reminders and summaries that fall due now; returns how many mails were newly stored.

    With `moments`, which the daemon keeps, only the clients are looked at for whom something can be due, and after
    a second the rest of them wait for the next turn.
    """
    from assistant.store.facts import DatabaseFacts

    now = workplace.clock.now()
    if moments is not None:
        return _plan_due(workplace, moments, now)
    with workplace.database.session() as session:
        facts = DatabaseFacts(session, workplace.directory, now)
        clients, reminders = workplace.planning.read(session, facts)
        decision = workplace.cadence.decide_planned(clients, reminders, now)
        return _store_planned(workplace, session, facts, decision, now) + _tell_staff(workplace, session, facts, now)


def _plan_due(workplace: Workplace, moments: PlannedMoments, now: datetime) -> int:
    from assistant.model.cadence import ReminderFacts
    from assistant.store.facts import DatabaseFacts

    began, queued = monotonic(), 0
    with workplace.database.session() as session:
        due = moments.due(session, workplace.cadence.rules.version, now)
    for start in range(0, len(due), _CLIENTS_AT_ONCE):
        if monotonic() - began > _PLANNING_SECONDS:
            moments.behind = True
            break
        with workplace.database.session() as session:
            facts = DatabaseFacts(session, workplace.directory, now)
            for client_id in due[start : start + _CLIENTS_AT_ONCE]:
                decision = workplace.cadence.decide_planned(
                    [facts.client(client_id)], facts.reminders_of(client_id), now
                )
                queued += _store_planned(workplace, session, facts, decision, now)
                moments.looked_at(client_id, decision.look_again_at)
    with workplace.database.session() as session:
        facts = DatabaseFacts(session, workplace.directory, now)
        waiting = ReminderFacts((), (), workplace.directory.staff, facts.waiting())
        queued += _store_planned(workplace, session, facts, workplace.cadence.decide_planned([], waiting, now), now)
        return queued + _tell_staff(workplace, session, facts, now)


def _store_planned(
    workplace: Workplace, session: Session, facts: DatabaseFacts, decision: Decision, now: datetime
) -> int:
    from assistant.outbox.effects import EffectContext, store_decision
    from assistant.outbox.staff_mail import queue_staff_mail

    for effect in decision.effects:
        if isinstance(effect, SendMail):
            workplace.planning.forget(effect.client_id)
    stored = store_decision(session, decision, EffectContext(workplace.sender, workplace.cadence.templates, facts, now))
    summaries = workplace.reports.summaries(session, facts, stored.summaries, now) if stored.summaries else []
    queued = [mail for mail in summaries if queue_staff_mail(session, mail, workplace.sender, now) is not None]
    return stored.mails_queued + len(queued)


def _tell_staff(workplace: Workplace, session: Session, facts: DatabaseFacts, now: datetime) -> int:
    """Notes, digests and notices that colleagues have not had yet."""
    from assistant.outbox.staff_mail import queue_staff_mail

    mails = [
        *workplace.reports.notes(session, facts, now),
        *workplace.reports.digests(session, now),
        *workplace.reports.opt_out_notices(session, now),
        *workplace.reports.bounce_notices(session, now),
        *filter(None, [workplace.reports.quarantine_notice(session, now)]),
    ]
    return sum(queue_staff_mail(session, mail, workplace.sender, now) is not None for mail in mails)


def tend_mailbox(workplace: Workplace, delivery: Delivery) -> None:
    """Lays drafts down and takes them out again, and looks among sent mail for what is uncertain.

    Connects only when there is something to do. Raises AssistantError when the mailbox cannot be reached.
    """
    from assistant.outbox.drafts import drafts_to_tend, tend_draft
    from assistant.store.tables import OutboxMessage

    now = workplace.clock.now()
    with workplace.database.session() as session:
        drafts = [row.id for row in drafts_to_tend(session, now)]
    if workplace.config.mailbox is None or workplace.options.dry_run or not (drafts or delivery.anything_uncertain()):
        return
    with workplace.draft_box() as box:
        for outbox_id in drafts:
            with workplace.database.session() as session:
                row = session.get_one(OutboxMessage, outbox_id)
                tend_draft(session, row, box, workplace.guard, workplace.keep_sent, now)
        delivery.resolve_uncertain(box.was_sent)
