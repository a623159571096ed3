"""What falls due by the calendar: greetings, reminders, summaries, notices; and drafts and uncertain mail to tend."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from assistant.clock import monotonic
from assistant.model.cadence import Decision
from assistant.store.leases import LeaseBusy, Leases

if TYPE_CHECKING:
    from assistant.bootstrap import Workplace
    from assistant.outbox.deliver import Delivery
    from assistant.store.facts import DatabaseFacts

_CLIENTS_AT_ONCE = 100
"""How many clients are read and planned in one transaction."""
_TENDING = timedelta(minutes=10)
"""How long looking after drafts and uncertain mail may take."""
_PLANNING_SECONDS = 1.0
"""How long a turn of the daemon plans before mail is looked after again."""


def plan(workplace: Workplace, *, in_turns: bool = False) -> int:
    """Greetings, reminders and summaries that fall due now; returns how many mails were newly stored.

    Only the clients are looked at for whom something can be due. With `in_turns`, as the daemon asks for it, the rest of
    them wait for the next turn after a second; `workplace.moments.behind` says so.
    """
    from assistant.model.cadence import ReminderFacts
    from assistant.store.facts import DatabaseFacts

    now, moments, cadence = workplace.clock.now(), workplace.moments, workplace.cadence
    began, queued = monotonic(), 0
    with workplace.database.reading() as session:
        due = moments.due(session, cadence.rules.version, now)
    for start in range(0, len(due), _CLIENTS_AT_ONCE):
        if in_turns and monotonic() - began > _PLANNING_SECONDS:
            moments.behind = True
            break
        queued += _plan_clients(workplace, due[start : start + _CLIENTS_AT_ONCE], now)
    with workplace.database.alone() as session:
        facts = DatabaseFacts(session, workplace.directory, now)
        waiting = ReminderFacts((), (), workplace.directory.staff, facts.waiting())
        queued += _store_planned(workplace, session, facts, cadence.decide_planned([], waiting, now), now)
        return queued + _tell_staff(workplace, session, facts, now)


def _plan_clients(workplace: Workplace, ids: Sequence[int], now: datetime) -> int:
    """One part of the clients, read together; a transaction that writes is begun only where there is something to store."""
    from assistant.store.facts import DatabaseFacts

    with workplace.database.reading() as session:
        facts = DatabaseFacts(session, workplace.directory, now)
        reminders = facts.reminders_of(ids)
        decided = [
            (client.client_id, workplace.cadence.decide_planned([client], reminders[client.client_id], now))
            for client in facts.clients_of(ids)
        ]
    effects = tuple(effect for _, decision in decided for effect in decision.effects)
    queued = 0
    if effects:
        with workplace.database.alone() as session:
            facts = DatabaseFacts(session, workplace.directory, now)
            queued = _store_planned(workplace, session, facts, Decision(effects), now)
    for client_id, decision in decided:
        workplace.moments.looked_at(client_id, decision.look_again_at)
    return queued


def _store_planned(
    workplace: Workplace, session: Session, facts: DatabaseFacts, decision: Decision, now: datetime
) -> int:
    from assistant.outbox.effects import EffectContext, store_decision
    from assistant.outbox.staff_mail import queue_staff_mail

    stored = store_decision(session, decision, EffectContext(workplace.sender, workplace.cadence.templates, facts, now))
    summaries = workplace.reports.summaries(session, facts, stored.summaries, now) if stored.summaries else []
    queued = [mail for mail in summaries if queue_staff_mail(session, mail, workplace.sender, now) is not None]
    return stored.mails_queued + len(queued)


def _tell_staff(workplace: Workplace, session: Session, facts: DatabaseFacts, now: datetime) -> int:
    """Notes, digests and notices that colleagues have not had yet."""
    from assistant.ledger import ledger_notices, part_notices, tend_canary, trouble_notices
    from assistant.outbox.staff_mail import queue_staff_mail

    mails = [
        *workplace.reports.notes(session, facts, now),
        *workplace.reports.digests(session, now),
        *workplace.reports.opt_out_notices(session, now),
        *workplace.reports.bounce_notices(session, now),
        *workplace.reports.outbox_notices(session, now),
        *filter(None, [workplace.reports.quarantine_notice(session, now)]),
        *ledger_notices(workplace.reports, session, now),
        *part_notices(workplace.reports, session, now),
        *trouble_notices(workplace, now),
        *tend_canary(workplace, session, now),
        *filter(None, [workplace.reports.suspicion_notice(session, now)]),
        *filter(None, [workplace.reports.retirement_notice(session, now)]),
    ]
    return sum(queue_staff_mail(session, mail, workplace.sender, now) is not None for mail in mails)


def tend_mailbox(workplace: Workplace, delivery: Delivery) -> None:
    """Lays drafts down and takes them out again, and looks among sent mail for what is uncertain or held.

    Connects only when there is something to do, and not while another worker is at it. Raises AssistantError when the
    mailbox cannot be reached.
    """
    with suppress(LeaseBusy), Leases(workplace.database, workplace.clock, _TENDING).holding("tending the mailbox", 0):
        _tend(workplace, delivery)


def _tend(workplace: Workplace, delivery: Delivery) -> None:
    from assistant.outbox.drafts import drafts_to_tend, tend_draft
    from assistant.store.restored import anything_held, look_up_held, release_to_staff
    from assistant.store.tables import OutboxMessage

    now = workplace.clock.now()
    with workplace.database.session() as session:
        drafts = [row.id for row in drafts_to_tend(session, now)]
        held = anything_held(session)
    if not workplace.config.mailbox and held:
        with workplace.database.session() as session:
            release_to_staff(session)
    if not workplace.config.mailbox or workplace.options.dry_run:
        return
    if not (drafts or held or delivery.anything_uncertain()):
        return
    with workplace.draft_box() as box:
        for outbox_id in drafts:
            with workplace.database.session() as session:
                row = session.get_one(OutboxMessage, outbox_id)
                tend_draft(session, row, box, workplace.guard, workplace.keep_sent, now)
        if held:
            with workplace.database.session() as session:
                look_up_held(session, box.was_sent, workplace.keep_sent, now)
        delivery.resolve_uncertain(box.was_sent)
