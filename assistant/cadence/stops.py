"""What ends a run, and what pauses it: the same questions when deciding and just before a mail leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from assistant.cadence.matching import client_mismatch, contact_of, mismatch
from assistant.cadence.rules import Cadence
from assistant.cadence.timing import Timetable, add_days
from assistant.calendar.business import add_business_days
from assistant.calendar.localtime import local_moment
from assistant.model.cadence import (
    CadenceRun,
    ContactFacts,
    EventKind,
    OptOutScope,
    PauseReason,
    ProjectEvent,
    ProjectFacts,
    StopReason,
    WaitedMessage,
)

EVENT_ORDER: Final[tuple[EventKind, ...]] = ("reply", "meeting", "staff-wrote", "hand-over", "stage-change")


def anchor_of(facts: ProjectFacts, cadence: Cadence) -> WaitedMessage | None:
    """The message that the cadence counts from in this project now."""
    if cadence.anchor == "last-contact":
        return facts.last_contact
    return facts.waited if facts.waiting_on == "client" else None


def stop_reason(facts: ProjectFacts, run: CadenceRun, cadence: Cadence | None) -> tuple[StopReason, str] | None:
    """Why a run must end, with a detail for people; None while it may go on."""
    if cadence is None:
        return "rule-removed", f'no cadence is named "{run.cadence}" any more'
    if facts.closed or facts.lost:
        return "project-closed", "the project is over"
    if facts.client.muted:
        return "by-hand", "nothing automatic is sent to this client"
    return (
        _stopping_event(facts, run, cadence)
        or _contact_stops(contact_of(facts.client, run.contact_id), run.thread_id)
        or _anchor_moved(facts, run, cadence)
        or _no_match(facts, run, cadence)
    )


def _stopping_event(facts: ProjectFacts, run: CadenceRun, cadence: Cadence) -> tuple[StopReason, str] | None:
    kinds = {event.kind: event for event in reversed(facts.events) if _is_after(event, run)}
    for reason in EVENT_ORDER:
        event = kinds.get(reason)
        if event is not None and reason not in cadence.ignore:
            return reason, event.detail or f"{reason} at {event.at:%Y-%m-%d %H:%M} UTC"
    counts = cadence.anchor == "waited" and "stage-change" not in cadence.ignore
    if counts and facts.stage_since > run.anchor_sent_at:
        return "stage-change", f"in {facts.stage} since {facts.stage_since:%Y-%m-%d %H:%M} UTC"
    return None


def _is_after(event: ProjectEvent, run: CadenceRun) -> bool:
    """After the anchor; an answer to the anchor itself counts even if its sender's clock was slow."""
    if event.in_answer_to is not None and event.in_answer_to == run.anchor_record_id:
        return True
    return event.at > run.anchor_sent_at and event.record_id != run.anchor_record_id


def _contact_stops(contact: ContactFacts | None, thread_id: int) -> tuple[StopReason, str] | None:
    if contact is None:
        return "hand-over", "the contact is no longer with this client"
    if contact.left:
        return "hand-over", f"{contact.name} has left"
    if contact.bouncing:
        return "bounce", f"{contact.address} cannot be delivered to"
    if not contact.confirmed:
        return "unconfirmed", UNCONFIRMED.format(name=contact.name or contact.address)
    scopes: tuple[OptOutScope, ...] = ("all", "follow-ups")
    for wish in contact.opt_outs:
        if wish.scope in scopes or (wish.scope == "thread" and wish.thread_id == thread_id):
            return "opt-out", f"{contact.name} asked for no more ({wish.scope})"
    return None


def _anchor_moved(facts: ProjectFacts, run: CadenceRun, cadence: Cadence) -> tuple[StopReason, str] | None:
    anchor = anchor_of(facts, cadence)
    if anchor is None:
        return "not-waiting", f"waiting on {facts.waiting_on}"
    if anchor.record_id == run.anchor_record_id:
        return None
    if anchor.sent_at >= run.anchor_sent_at:
        return "staff-wrote", f'a newer message is waited on: "{anchor.subject}"'
    return "not-waiting", f'an earlier message is waited on: "{anchor.subject}"'


def _no_match(facts: ProjectFacts, run: CadenceRun, cadence: Cadence) -> tuple[StopReason, str] | None:
    contact = contact_of(facts.client, run.contact_id)
    if "stage-change" in cadence.ignore:
        reason = client_mismatch(cadence.when, facts.client, contact, tags=facts.tags, owner=facts.owner)
    else:
        reason = mismatch(cadence.when, facts, contact)
    if not reason and not cadence.unless.is_empty and not mismatch(cadence.unless, facts, contact):
        reason = "unless matches"
    return ("no-match", reason) if reason else None


UNCONFIRMED: Final = "no colleague has written to {name} yet"
"""Whoever writes to us becomes a client at once; mail of ours goes only where a person has written before."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing leaves for now. `until` None: as long as the reason holds."""

    reason: PauseReason
    until: datetime | None
    detail: str


def hold(facts: ProjectFacts, contact: ContactFacts | None, table: Timetable, now: datetime) -> Hold | None:
    """What pauses a project's follow-ups to a contact at this moment."""
    if facts.paused:
        return Hold("project-paused", None, "the project is paused")
    if facts.open_complaint or facts.client.open_complaint:
        return Hold("complaint", None, "a complaint is open")
    until = absent_until(contact, table)
    if until is not None and now < until:
        assert contact is not None
        return Hold("absence", until, f"{contact.name} is away")
    return None


def absent_until(contact: ContactFacts | None, table: Timetable) -> datetime | None:
    """Start of the business day after the day of return; without a date, after as long as the restraint says."""
    if contact is None or contact.absence is None:
        return None
    absence = contact.absence
    if absence.until is not None:
        day = add_business_days(table.client, absence.until, 1)
    else:
        day = add_days(table.client, table.date_of(absence.since), table.restraint.absence)
    midnight = datetime.min.time()
    return local_moment(day, midnight, table.zone)


def resume_from(facts: ProjectFacts, contact: ContactFacts | None, table: Timetable, reason: str) -> datetime | None:
    """The earliest moment at which a run goes on whose pause for `reason` is over; None when nothing says."""
    if reason == "absence":
        return absent_until(contact, table)
    since = {"complaint": facts.complaint_resolved_at, "project-paused": facts.resumed_at}.get(reason)
    if since is None:
        return None
    return local_moment(add_business_days(table.client, table.date_of(since), 1), datetime.min.time(), table.zone)
