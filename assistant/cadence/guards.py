"""The last look before a mail leaves: everything that could have changed since it was ordered is asked again.

The mailbox has been read once more by then, so `facts` include what arrived a moment ago. A refusal without `retry_at` is
final; with it the mail is put off. Either is stored with its reason.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from assistant.cadence.greetings import greeting_refused
from assistant.cadence.matching import contact_of
from assistant.cadence.restraint import Candidate, give_way
from assistant.cadence.rules import DEFAULT_AT, Cadence, Match, Rulebook
from assistant.cadence.stops import hold, stop_reason
from assistant.cadence.timing import ONE_DAY, Timetable, timetable
from assistant.calendar.business import Calendars
from assistant.model.cadence import CadenceRun, ClientFacts, ContactFacts, ProjectFacts, Refusal, SendMail


def recheck(
    send: SendMail, facts: ProjectFacts, now: datetime, rulebook: Rulebook, calendars: Calendars
) -> Refusal | None:
    """Why a follow-up may not leave at `now`, or None. For greetings use `recheck_greeting`."""
    cadence = _as_ordered(rulebook.for_run(send.rule, send.version), send)
    contact = contact_of(facts.client, send.contact_id)
    stop = stop_reason(facts, _as_run(send, facts, now), cadence)
    if stop is not None or contact is None or cadence is None:
        reason, detail = stop or ("hand-over", "the contact is no longer with this client")
        return Refusal(reason, detail)
    table = timetable(facts.client, contact, calendars, rulebook.restraint, days=_days(cadence, send.step))
    held = hold(facts, contact, table, now)
    if held is not None:
        retry = table.at(table.date_of(held.until), None) if held.until is not None else now + ONE_DAY
        return Refusal(held.reason, held.detail, retry)
    return _timing(send, contact, table, rulebook, now)


def recheck_greeting(
    send: SendMail, client: ClientFacts, now: datetime, rulebook: Rulebook, calendars: Calendars
) -> Refusal | None:
    """Why a greeting may not leave at `now`, or None. After its festival it is refused for good."""
    contact = contact_of(client, send.contact_id)
    if contact is None:
        return Refusal("hand-over", "the contact is no longer with this client")
    table = timetable(client, contact, calendars, rulebook.restraint, days="client")
    if send.festival_date is not None and table.date_of(now) > send.festival_date:
        return Refusal("too-late", f"{send.festival} was on {send.festival_date}")
    reason, detail = greeting_refused(client, contact, table, now)
    if reason:
        return Refusal(reason, detail)
    if send.any_day and table.why_not(now) in ("holiday", "day-off"):
        return None
    return _timing(send, contact, table, rulebook, now)


def _as_ordered(cadence: Cadence | None, send: SendMail) -> Cadence | None:
    """When only a later version is known, its conditions do not count: the mail was ordered under other ones."""
    if cadence is None or cadence.version == send.version or cadence.apply == "running":
        return cadence
    return replace(cadence, when=Match(), unless=Match())


def _as_run(send: SendMail, facts: ProjectFacts, now: datetime) -> CadenceRun:
    """The run that ordered the mail, as far as its end conditions need it."""
    anchor = send.anchor
    assert send.run is not None, "a follow-up belongs to a run"
    return CadenceRun(
        project_id=facts.project_id,
        cadence=send.rule,
        version=send.version,
        anchor_record_id=send.run.anchor_record_id,
        anchor_sent_at=anchor.sent_at if anchor is not None else send.not_before,
        contact_id=send.contact_id,
        thread_id=anchor.thread_id if anchor is not None else 0,
        started_at=now,
        due_at=now,
    )


def _days(cadence: Cadence, step: int) -> str:
    return cadence.steps[step - 1].days if 0 < step <= len(cadence.steps) else "both"


def _timing(
    send: SendMail, contact: ContactFacts, table: Timetable, rulebook: Rulebook, now: datetime
) -> Refusal | None:
    closed = table.why_not(now)
    if closed:
        return Refusal(closed, "nothing leaves now", table.allowed(now, DEFAULT_AT))
    candidate = Candidate(send.dedupe_key, send.importance, now, send.rule)
    yielding = give_way(candidate, contact, table, rulebook, to_planned=False)
    if yielding is not None:
        return Refusal("restraint", yielding.detail, table.at(yielding.day, None))
    return None
